"""The ladder: every language model of the book, measured on the same stories.

A rung is a model with its bits per character on held-out stories of TinyWorld and the
share of its own stories that are true. At the foot is the entropy floor, which no model
can pass. ``python -m llmbook_utils.ladder`` measures all rungs and keeps them in
``ladder.json``; `load` reads them.

What makes it fair: all models are scored on whole stories with their end, in bits of
text, whatever their tokens are. All but `uniform`, which guesses characters, use the
tokenizer of `tiny`.

These rungs had different times to learn. For a comparison of architectures there are
races (`race`): the same text, the same effort of tuning, the same time for all;
`load_race` reads what they came to.
"""

from .measuring import Training, measure_all
from .picture import Table, chart, describe, table
from .results import load_race, seeds_table
from .rungs import (
    STORED,
    Counting,
    HeldOut,
    Ladder,
    Neural,
    Rung,
    TextModel,
    load,
    measure,
    save,
)

__all__ = [
    "STORED",
    "Counting",
    "HeldOut",
    "Ladder",
    "Neural",
    "Rung",
    "Table",
    "TextModel",
    "Training",
    "chart",
    "describe",
    "load",
    "load_race",
    "measure",
    "measure_all",
    "save",
    "seeds_table",
    "table",
]
