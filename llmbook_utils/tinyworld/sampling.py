"""Stories by chance: one, many, and their splits."""

from __future__ import annotations

import random
import zlib
from collections.abc import Iterator, Sequence
from typing import Any

from llmbook_utils.tinyworld.story import Story, lexicon
from llmbook_utils.tinyworld.telling.choosers import Sampler, generator
from llmbook_utils.tinyworld.telling.teller import MAX_PEOPLE, MAX_THINGS, Teller

SPLITS = ("train", "validation", "test")


def check_count(name: str, value: int | None, low: int, high: int) -> None:
    if value is None:
        return
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{name} must be an integer, got {type(value).__name__}")
    if not low <= value <= high:
        raise ValueError(f"{name} must be from {low} to {high}, got {value}")


def sample_story(
    rng: random.Random | int,
    village: str = "home",
    n_people: int | None = None,
    n_objects: int | None = None,
) -> Story:
    """Sample a story.

    Parameters
    ----------
    rng : random.Random or int
        A generator, or the seed of one. The same seed gives the same story on every
        Python.
    village : {"home", "away"}
        Whose people, places and objects occur. ``"away"`` shares none with ``"home"``.
    n_people, n_objects : int, optional
        Sample among the stories with so many, 2 to 4. `Story.log_prob` stays the
        probability among all stories.

    Returns
    -------
    Story

    Raises
    ------
    ValueError
        If the village is unknown, or a number is out of range.

    Examples
    --------
    >>> story = sample_story(0)
    >>> story.text.splitlines()[-1]
    'The end.'
    >>> 80 <= len(story.text.split()) <= 250
    True
    """
    check_count("n_people", n_people, 2, MAX_PEOPLE)
    check_count("n_objects", n_objects, 2, MAX_THINGS)
    words, draw = lexicon(village), generator(rng).random
    while True:
        chooser = Sampler(draw)
        teller = Teller(words, chooser)
        teller.tell()
        world = teller.world
        if n_people in (None, len(world.people)) and n_objects in (
            None,
            len(world.things),
        ):
            text = "".join(chooser.parts)
            return Story(text, tuple(chooser.choices), -chooser.bits, village)


def split_of(text: str) -> str:
    """Return the split to which a text belongs; the text alone decides.

    An eighth of all stories are for test, an eighth for validation. As a story can be
    in one split only, no two splits ever share one.
    """
    return {0: "test", 1: "validation"}.get(zlib.crc32(text.encode()) % 8, "train")


def stories(
    n: int,
    seed: int | str = 0,
    split: str | None = None,
    village: str = "home",
) -> Iterator[Story]:
    """Sample stories one after the other, in bounded memory.

    Parameters
    ----------
    n : int
        How many.
    seed : int or str
        The same seed gives the same stories.
    split : {None, "train", "validation", "test"}
        Only stories of one split, or all. The splits share no story.
    village : {"home", "away"}
        Of which they tell.

    Yields
    ------
    Story

    Raises
    ------
    ValueError
        If `n` is negative, or the split or the village is unknown.

    Examples
    --------
    >>> len({story.text for story in stories(3, seed=1, split="test")})
    3
    """
    check_count("n", n, 0, 2**63)
    if split is not None and split not in SPLITS:
        raise ValueError(
            f"split must be None or one of {', '.join(map(repr, SPLITS))}, got "
            f"{split!r}"
        )
    lexicon(village)
    return _stories(n, random.Random(f"{village} {split} {seed}"), split, village)


def _stories(
    n: int, rng: random.Random, split: str | None, village: str
) -> Iterator[Story]:
    while n:
        story = sample_story(rng, village)
        if split is None or split_of(story.text) == split:
            n -= 1
            yield story


def rows(
    seeds: Sequence[int | str],
    n: int,
    split: str | None = "train",
    village: str = "home",
) -> Iterator[dict[str, Any]]:
    """Sample stories as rows, for ``datasets.Dataset.from_generator``.

    Parameters
    ----------
    seeds : list of int or str
        One for each part; the list is what several processes divide between them.
    n : int
        Stories for each seed.
    split, village
        As for `stories`.

    Yields
    ------
    dict
        ``text`` and ``log_prob`` (bits).

    Examples
    --------
    >>> [sorted(row) for row in rows([0], n=1)]
    [['log_prob', 'text']]
    """
    for seed in seeds:
        for story in stories(n, seed, split, village):
            yield {"text": story.text, "log_prob": story.log_prob}
