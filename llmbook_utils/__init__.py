"""What the chapters of LLMBook import, from word embeddings to fine-tuning GPT-2.

A room, that is a module or a folder here, imports only from rooms on floors below its
own:

1. ``runtime``, ``plots``, ``tinyworld``
2. ``text``
3. ``models``
4. ``training``, ``decoding``
5. ``evaluation``, ``pretrained``, ``experiments``
6. ``ladder``, ``explorers``
7. ``doctor``

None imports a tool (``llmbook_press``, ``llmbook_homework``, ``llmbook_recipes``), and
each import names the file in which a thing is defined.
"""

__version__ = "0.1.0"
