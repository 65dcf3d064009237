"""Modules under their names of before, for courses that were released under them.

A course keeps the chapter as it was released, and students keep their notebooks: both
may import names that the package has moved since. Here such an import finds the names
where they are now. It serves grading and the student's check; a chapter of today needs
none of it. Drop it when no course of the autumn of 2026 is graded any more.
"""

import importlib
import sys
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

PACKAGE = "llmbook_utils"
_QUIZ = "quiz next_words merges word_map boundary descent regularisers back_off memory"
# Where the names of a module are now: one of these has each.
MOVED = {
    "attention_view": ["explorers.attention.views", "explorers.attention.attention"],
    "bpe": ["text.bpe"],
    "corpora": ["text.corpora"],
    "decoding": ["decoding.sampling"],
    "evaluation": [
        "evaluation.bits",
        "evaluation.intervals",
        "models.language_model",
    ],
    "event_files": ["training.event_files"],
    "heads": ["evaluation.heads"],
    "labelled": ["text.labelled"],
    "ladder": ["ladder.rungs", "ladder.chart", "ladder.training", "ladder.races"],
    "models.autograd": ["models.networks.autograd"],
    "models.counting": ["models.words.counting"],
    "models.descent": ["models.networks.descent"],
    "models.embeddings": [
        "models.words.embeddings",
        "models.words.counting",
        "models.words.similarity",
    ],
    "models.fused": ["models.attention.fused"],
    "models.gpt": ["models.attention.gpt", "models.attention.positions"],
    "models.mlp": ["models.networks.mlp"],
    "models.neural_lm": ["models.sequences.neural_lm"],
    "models.ngram": ["models.sequences.ngram"],
    "models.normalization": ["models.networks.normalization"],
    "models.recurrent": [
        "models.sequences.recurrent.language_model",
        "models.sequences.recurrent.stack",
    ],
    "models.recurrent.classifier": ["models.sequences.recurrent.classifier"],
    "models.recurrent.classifier_files": [
        "models.sequences.recurrent.classifier_files"
    ],
    "models.recurrent.layers": ["models.sequences.recurrent.layers"],
    "models.recurrent.through_time": ["models.sequences.recurrent.through_time"],
    "models.similarity": ["models.words.similarity"],
    "runtime": ["runtime", "doctor"],
    "speed": ["runtime"],
    "story_scores": ["evaluation.stories"],
    "tiny.recipe": ["pretrained.recipe"],
    "tinyworld": [
        "tinyworld.sampling",
        "tinyworld.reading",
        "tinyworld.checking.check",
        "tinyworld.floor",
        "tinyworld.story",
        "tinyworld.world",
    ],
    "tinyworld.check": ["tinyworld.checking.check"],
    "tokenizers": ["text.words"],
    "widgets": [f"explorers.{name}.{name}" for name in _QUIZ.split()],
}
# Rooms that kept their name, and whose own file has nothing any more, or less.
KEPT = ("decoding", "evaluation", "ladder", "runtime", "tinyworld")
# What has another name now, whatever module had it.
RENAMED = {
    "Cures": "Regularisers",
    "MLP": "FeedForward",
    "load": "load_ladder",
    "split_words": "word_tokenize",
}


def find(module: str, name: str) -> Any:
    """Give what a module had under a name.

    Raises
    ------
    AttributeError
        If nothing has that name now.
    """
    for place in MOVED[module]:
        now = importlib.import_module(f"{PACKAGE}.{place}")
        for known in (name, RENAMED.get(name, name)):
            if known in vars(now):
                return vars(now)[known]
    raise AttributeError(f"{PACKAGE}.{module} had no {name!r}, or it is gone")


class _Finder(MetaPathFinder, Loader):
    """Gives a module that looks names up, for each that is gone."""

    def find_spec(self, name: str, *_: object) -> ModuleSpec | None:
        parent, _, module = name.partition(".")
        is_package = any(old.startswith(f"{module}.") for old in (*MOVED, "tiny.x"))
        is_gone = module == "tiny" or (module in MOVED and module not in KEPT)
        if parent == PACKAGE and is_gone:
            return ModuleSpec(name, self, is_package=is_package)
        return None

    def exec_module(self, module: ModuleType) -> None:
        _look_up(module, module.__name__.partition(".")[2])


def _look_up(module: ModuleType, old: str) -> None:
    """Let a module give the names that it had, when they are asked for."""

    def attribute(name: str) -> Any:
        if name.startswith("__") or old not in MOVED:
            raise AttributeError(
                f"module {module.__name__!r} has no attribute {name!r}"
            )
        return find(old, name)

    module.__getattr__ = attribute  # type: ignore[method-assign]


def install() -> None:
    """Let imports of this process find what has moved."""
    if not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        # First, because the empty folder of a room that is gone would be a package.
        sys.meta_path.insert(0, _Finder())
        for room in KEPT:
            _look_up(importlib.import_module(f"{PACKAGE}.{room}"), room)
