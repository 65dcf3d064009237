"""Helpers of LLMBook, from word embeddings to fine-tuning GPT-2.

A module imports only from floors below its own:

1. ``runtime``, ``rounding``, ``speed``, ``tinyworld``
2. ``corpora`` (``textfiles``, ``hub``), ``labelled``, ``tokenizers``, ``bpe``
   (``bpe_files``)
3. ``models``
4. ``training``, ``event_files``, ``decoding``, ``evaluation``, ``story_scores``,
   ``pretrained``, ``experiments``
5. ``plots``, ``ladder``, ``tiny``, ``attention_view``, ``widgets``
6. ``homework``, ``sphinx_ext``, ``dependencies``, ``chapters``, ``execution``,
   ``regions``, ``sync``, ``comparison``, ``nbval_units``, ``arithmetic``, ``cli``
"""

__version__ = "0.1.0"
