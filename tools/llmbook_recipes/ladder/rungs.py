"""Every rung built and measured anew, by one command."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from llmbook_recipes import store
from llmbook_utils.evaluation.intervals import ratio_interval
from llmbook_utils.ladder.chart import table
from llmbook_utils.ladder.rungs import (
    STORED,
    Counting,
    HeldOut,
    Ladder,
    Neural,
    TextModel,
    load_ladder,
    measure,
)
from llmbook_utils.ladder.training import Training
from llmbook_utils.models.sequences.ngram import (
    KneserNey,
    NGram,
    Uniform,
)


def _uniform(training: Training) -> tuple[TextModel, dict[str, Any]]:
    letters = sorted(set("".join(training.texts)))
    ids = {letter: i for i, letter in enumerate(letters)}
    model = Uniform().fit([[]], vocab_size=len(letters) + 1)  # and the end
    guess = Counting(
        model,
        lambda text: [ids[letter] for letter in text],
        lambda found: "".join(letters[i] for i in found),
    )
    return guess, {"characters": len(letters)}


def _ngram(n: int) -> Callable[[Training], tuple[TextModel, dict[str, Any]]]:
    def build(training: Training) -> tuple[TextModel, dict[str, Any]]:
        k = training.best_smoothing(n)
        return training.fit(NGram(n, k), k=k)

    return build


def _kneser_ney(training: Training) -> tuple[TextModel, dict[str, Any]]:
    model = KneserNey(5)
    built, recipe = training.fit(model)
    discounts = [[round(d, 3) for d in three[1:]] for three in model.discounts]
    return built, recipe | {"discounts": discounts}


def _tiny(training: Training) -> tuple[TextModel, dict[str, Any]] | None:
    from llmbook_utils import pretrained

    about = pretrained.TINY / "recipe.json"
    if not about.exists():
        return None
    made = json.loads(about.read_text("utf-8"))
    return Neural(*pretrained.load("tiny")), {
        "training_tokens": made["tokens"],
        "seconds": made["seconds"],
        "seed": made["recipe"]["seed"],
        "steps": made["steps"],
        "vocab_size": len(training.tokenizer),
    }


BUILDERS = {
    "uniform": _uniform,
    "unigram": _ngram(1),
    "bigram": _ngram(2),
    "Kneser-Ney 5-gram": _kneser_ney,
    "tiny": _tiny,
}


def measure_all(
    stories: int = 1000,
    samples: int = 1000,
    training_stories: int = 20_000,
    seed: int = 0,
) -> Ladder:
    """Build and measure every rung.

    `tiny` is left out where the package comes without it.

    Parameters
    ----------
    stories : int
        Held-out stories that all models are scored on.
    samples : int
        Stories that each model tells.
    training_stories : int
        What the counting models learn from.
    seed : int
        Of held-out, training and sampled stories, which never share one.
    """
    held_out = HeldOut(stories, seed)
    training = Training(training_stories, seed)
    ladder = Ladder(
        floor=ratio_interval(held_out.floor, held_out.characters),
        stories=stories,
        characters=int(held_out.characters.sum()),
        samples=samples,
        seed=seed,
    )
    for name, build in BUILDERS.items():
        if found := build(training):
            model, recipe = found
            ladder = ladder.plus(measure(name, model, held_out, samples, recipe))
    return ladder


def main(argv: Sequence[str] | None = None) -> int:
    """Measure all rungs anew, write them down, and print the table."""
    parser = argparse.ArgumentParser(
        prog="python -m llmbook_recipes.ladder", description=main.__doc__
    )
    parser.add_argument("--stories", type=int, default=1000, help="held-out stories")
    parser.add_argument("--samples", type=int, default=1000, help="stories each tells")
    parser.add_argument(
        "--training-stories", type=int, default=20_000, help="for the counting models"
    )
    parser.add_argument("--seed", type=int, default=0, help="of all stories")
    parser.add_argument("--out", type=Path, default=STORED, help="the file to write")
    args = parser.parse_args(argv)
    try:
        ladder = measure_all(
            args.stories, args.samples, args.training_stories, args.seed
        )
    except ValueError as error:
        print(f"ladder: {error}", file=sys.stderr)
        return 2
    store.write(args.out, asdict(ladder))
    print(table(load_ladder(args.out)))
    if "tiny" not in [rung.name for rung in ladder.rungs]:
        print("tiny is not in the package, so its rung is missing")
    return 0
