"""What the races of the ladder came to: equal text, tuning and time, three seeds."""

from __future__ import annotations

from pathlib import Path

from llmbook_utils.ladder.rungs import Ladder, load_ladder

RACES = ("one_minute", "ten_minutes")


def load_race(name: str = "one_minute") -> Ladder:
    """Read the ladder of a race that comes with the package.

    Parameters
    ----------
    name : {"one_minute", "ten_minutes"}
        How long each model was trained, on one core.

    Raises
    ------
    ValueError
        If there is no such race.
    FileNotFoundError
        If it was not run.
    """
    if name not in RACES:
        raise ValueError(f"no race {name!r}; there are {', '.join(RACES)}")
    return load_ladder(race_path(name))


def race_path(name: str) -> Path:
    """Give the file in which the package keeps what a race came to."""
    return Path(__file__).with_name(f"{name}.json")
