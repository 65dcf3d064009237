"""Who makes the choices of a story: chance, a list of choices, or a text.

A story is told by one procedure (`telling.Teller`). It calls ``say(surfaces, weights)``
wherever it could go on in more than one way, and ``emit(words)`` where it cannot. No
surface of a choice is the beginning of another, so a text determines every choice that
led to it: the map from choices to text is one-to-one, and the probability of a text is
the product of the probabilities of its choices.
"""

from __future__ import annotations

import random
from bisect import bisect
from collections.abc import Callable, Sequence
from itertools import accumulate
from math import log2

_LOG2 = [0.0, *(log2(n) for n in range(1, 200))]


class Sampler:
    """Chooses by chance.

    Only ``random()`` of the generator is called, whose sequence Python promises to
    keep, and weights are integers: a seed gives the same text on every Python.

    Parameters
    ----------
    random : callable
        Returns floats in [0, 1).

    Attributes
    ----------
    parts : list of str
        The text so far, in pieces.
    choices : list of int
        Every choice so far.
    bits : float
        Minus the log2 of their probability.
    """

    def __init__(self, random: Callable[[], float]) -> None:
        self._random = random
        self.parts: list[str] = []
        self.emit = self.parts.append
        self.choices: list[int] = []
        self.bits = 0.0

    def say(self, surfaces: Sequence[str], weights: Sequence[int] | None = None) -> int:
        """Choose a surface, add it to the text, return its number."""
        if weights is None:
            choice = int(self._random() * len(surfaces))
            self.bits += _LOG2[len(surfaces)]
        else:
            bounds = list(accumulate(weights))
            choice = bisect(bounds, int(self._random() * bounds[-1]))
            self.bits += log2(bounds[-1] / weights[choice])
        self.parts.append(surfaces[choice])
        self.choices.append(choice)
        return choice


class _Given:
    """What the choosers that decide nothing share."""

    def __init__(self) -> None:
        self.parts: list[str] = []
        self.choices: list[int] = []
        self.bits = 0.0

    def _take(
        self, choice: int, surfaces: Sequence[str], weights: Sequence[int] | None
    ) -> int:
        if weights is None:
            self.bits += _LOG2[len(surfaces)]
        else:
            self.bits += log2(sum(weights) / weights[choice])
        self.parts.append(surfaces[choice])
        self.choices.append(choice)
        return choice


class Follower(_Given):
    """Makes the choices that it is given."""

    def __init__(self, choices: Sequence[int]) -> None:
        super().__init__()
        self._given = iter(choices)
        self.emit = self.parts.append

    def say(self, surfaces: Sequence[str], weights: Sequence[int] | None = None) -> int:
        """Make the next choice, add its surface to the text, return its number."""
        choice = next(self._given, None)
        if (
            choice is None
            or not 0 <= choice < len(surfaces)
            or (weights is not None and not weights[choice])
        ):
            raise ValueError(
                f"choices must have a number from 0 to {len(surfaces) - 1} at position "
                f"{len(self.choices)}, got {choice}; take them from a Story"
            )
        return self._take(choice, surfaces, weights)


class TextEnds(Exception):
    """The text ended before the story did.

    Attributes
    ----------
    rest : list of (str, int)
        How the choice or the words at hand may go on, with weights.
    """

    def __init__(self, rest: list[tuple[str, int]]) -> None:
        super().__init__()
        self.rest = rest


class Departs(ValueError):
    """The text is not one that TinyWorld could tell."""


class Reader(_Given):
    """Makes the choices that a text shows.

    Parameters
    ----------
    text : str
        A story, or the beginning of one.
    """

    def __init__(self, text: str) -> None:
        super().__init__()
        self._text = text
        self.position = 0

    def emit(self, words: str) -> None:
        """Read words that have to stand here."""
        if self._stands_here(words):
            self.position += len(words)
            self.parts.append(words)
        elif self._could_end_in(words, self._text[self.position :]):
            raise TextEnds([(words[len(self._text) - self.position :], 1)])
        else:
            self._depart([words])

    def say(self, surfaces: Sequence[str], weights: Sequence[int] | None = None) -> int:
        """Find the surface that stands here, and return its number."""
        for choice, surface in enumerate(surfaces):
            if self._stands_here(surface) and (weights is None or weights[choice]):
                self.position += len(surface)
                return self._take(choice, surfaces, weights)
        left = self._text[self.position :]
        if len(left) > 40:
            self._depart(surfaces)
        weights = [1] * len(surfaces) if weights is None else weights
        rest = [
            (surface[len(left) :], weight)
            for surface, weight in zip(surfaces, weights, strict=True)
            if weight and self._could_end_in(surface, left)
        ]
        if not rest:
            self._depart(surfaces)
        self.bits += log2(sum(weights) / sum(weight for _, weight in rest))
        raise TextEnds(rest)

    def _stands_here(self, words: str) -> bool:
        """Tell whether the text goes on with these words, as whole words."""
        end = self.position + len(words)
        return self._text.startswith(words, self.position) and not (
            words[-1].isalnum() and self._text[end : end + 1].isalnum()
        )

    @staticmethod
    def _could_end_in(words: str, left: str) -> bool:
        """Tell whether words begin with what is left of the text, as whole words."""
        is_cut = left[-1:].isalnum() and words[len(left) : len(left) + 1].isalnum()
        return words.startswith(left) and not is_cut

    def _depart(self, expected: Sequence[str]) -> None:
        shown = ", ".join(repr(words.strip() or words) for words in expected[:6])
        found = self._text[self.position : self.position + 20]
        raise Departs(
            f"the text leaves TinyWorld at character {self.position}: {found!r}, where "
            f"it could go on with {shown}{', ...' if len(expected) > 6 else ''}"
        )


def generator(seed: int | random.Random) -> random.Random:
    """Return a generator for a seed, or the one that is given.

    Raises
    ------
    TypeError
        If `seed` is neither an integer nor a ``random.Random``.
    """
    if isinstance(seed, random.Random):
        return seed
    if isinstance(seed, bool) or not isinstance(seed, int):
        raise TypeError(
            f"rng must be a random.Random or an integer seed, got {type(seed).__name__}"
        )
    return random.Random(seed)
