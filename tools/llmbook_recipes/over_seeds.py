"""``make experiments``: the chapters' experiments with all seeds, stored.

Run as ``python -m llmbook_recipes.over_seeds``; it goes on where it was stopped.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import torch

from llmbook_recipes import store
from llmbook_recipes.store import Steps
from llmbook_utils.experiments import SEEDS, STORED, recall, reviews

DISTANCES = (5, 10, 20, 40)


def by_distance(seed: int) -> dict[str, dict[str, float]]:
    """Accuracy after training at each distance, by network and distance."""
    return {
        network: {str(d): recall.after_training(network, d, seed) for d in DISTANCES}
        for network in recall.NETWORKS
    }


def at_100(seed: int) -> dict[str, float]:
    """Accuracy at 100 steps after training on 1 to 10, by network."""
    return {
        network: recall.accuracy(recall.taught_nearby(network, seed), distance=100)
        for network in ("RNN", "GRU", "LSTM")
    }


def on_reviews(seed: int) -> dict[str, dict[str, float]]:
    """Accuracy on the test reviews, by model and language."""
    models = reviews.train_both(seed)
    return {name: reviews.on_test(model) for name, model in models.items()}


EXPERIMENTS: dict[str, Callable[[int], dict[str, Any]]] = {
    "recall": by_distance,
    "recall at 100": at_100,
    "reviews": on_reviews,
}


def joined(found: Sequence[Any]) -> Any:
    """Turn results of the same form, one a seed, into one with a list at each leaf.

    Examples
    --------
    >>> joined([{"GRU": 0.5}, {"GRU": 0.75}])
    {'GRU': [0.5, 0.75]}
    """
    if isinstance(found[0], dict):
        return {key: joined([one[key] for one in found]) for key in found[0]}
    return [round(value, 3) for value in found]


def main(argv: Sequence[str] | None = None) -> None:
    """Run every experiment with every seed, and store what they came to."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--work", type=Path, required=True, help="where to work")
    parser.add_argument("--out", type=Path, default=STORED, help="the file to write")
    args = parser.parse_args(argv)
    torch.set_num_threads(1)
    steps, results = Steps(args.work), {}
    for name, run in EXPERIMENTS.items():
        found = [steps.once(f"{name}, seed {s}", partial(run, s)) for s in SEEDS]
        results[name] = joined(found)
    made = {"seeds": SEEDS, "torch": torch.__version__, "results": results}
    store.write(args.out, made)


if __name__ == "__main__":
    main()
