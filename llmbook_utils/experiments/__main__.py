"""Runs all experiments with all seeds: ``python -m llmbook_utils.experiments``."""

import json
from collections.abc import Callable
from functools import partial
from typing import Any

import torch

from llmbook_utils.experiments import SEEDS, STORED, recall, reviews

DISTANCES = (5, 10, 20, 40)


def with_each(run: Callable[[int], float]) -> list[float]:
    """Run with each seed; results to three digits."""
    return [round(run(seed), 3) for seed in SEEDS]


def by_distance() -> dict[str, dict[str, list[float]]]:
    """Accuracy after training at each distance, by network and distance."""
    return {
        network: {
            str(d): with_each(partial(recall.after_training, network, d))
            for d in DISTANCES
        }
        for network in recall.NETWORKS
    }


def at_100() -> dict[str, list[float]]:
    """Accuracy at 100 steps after training on 1 to 10, by network."""

    def share(network: str, seed: int) -> float:
        return recall.accuracy(recall.taught_nearby(network, seed), distance=100)

    return {net: with_each(partial(share, net)) for net in ("RNN", "GRU", "LSTM")}


def on_reviews() -> dict[str, dict[str, list[float]]]:
    """Accuracy on the test reviews, by model and language."""
    found: dict[str, dict[str, list[float]]] = {}
    for seed in SEEDS:
        for name, model in reviews.train_both(seed).items():
            for language, share in reviews.on_test(model).items():
                found.setdefault(name, {}).setdefault(language, []).append(
                    round(share, 3)
                )
    return found


def main() -> None:
    """Run everything, and store it."""
    torch.set_num_threads(1)
    results: dict[str, Any] = {}
    for name, run in (
        ("recall", by_distance),
        ("recall at 100", at_100),
        ("reviews", on_reviews),
    ):
        results[name] = run()
        print(name, json.dumps(results[name]), flush=True)
    stored = {"seeds": SEEDS, "torch": torch.__version__, "results": results}
    STORED.write_text(json.dumps(stored, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
