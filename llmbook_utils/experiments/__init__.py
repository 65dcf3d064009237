"""Experiments that chapters run with one seed, and what five seeds came to.

Each module has a task, its training, and functions that take a seed.
``make experiments`` runs them with all of `SEEDS`, and stores what they came to in
``over_seeds.json``.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

SEEDS = (0, 1, 2, 3, 4)
STORED = Path(__file__).with_name("over_seeds.json")


def over_seeds(name: str) -> dict[str, Any]:
    """Give what an experiment came to with each of `SEEDS`.

    Parameters
    ----------
    name : {"recall", "recall at 100", "reviews"}
        Accuracy after training at each distance, by network and distance; accuracy at
        100 steps after training on 1 to 10, by network; accuracy on the test reviews,
        by model and language. All of chapter 07.

    Returns
    -------
    dict
        At its leaves lists with a number for each seed.

    Raises
    ------
    ValueError
        If there is no such experiment.

    Examples
    --------
    >>> len(over_seeds("recall")["GRU"]["20"])
    5
    """
    stored = json.loads(STORED.read_text("utf-8"))
    if name not in stored["results"]:
        known = ", ".join(stored["results"])
        raise ValueError(f"no experiment is called {name!r}; there are {known}")
    return stored["results"][name]
