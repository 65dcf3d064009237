"""The entropy of TinyWorld: the bits that no language model can save."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import sqrt
from statistics import NormalDist
from typing import NamedTuple

from llmbook_utils.tinyworld.sampling import stories


class Floor(NamedTuple):
    """Bits for each unit of text, with a confidence interval.

    `unit` is ``"character"`` or ``"token"``; `n` is the number of stories measured.
    """

    bits: float
    low: float
    high: float
    unit: str
    n: int


def entropy_floor(
    n: int = 2000,
    tokenize: Callable[[str], Sequence] | None = None,
    seed: int | str = "floor",
    village: str = "home",
    confidence: float = 0.95,
) -> Floor:
    """Estimate the entropy of stories, in bits for each character or token.

    The mean of minus the log-probability over stories is an unbiased estimate of the
    entropy, and the log-probabilities are exact: only the choice of stories is left to
    chance. The ratio's error is that of the delta method.

    Parameters
    ----------
    n : int
        Stories to sample, 2 or more.
    tokenize : callable, optional
        Returns the tokens of a text, for bits per token; characters if left out.
    seed, village
        As for `stories`.
    confidence : float
        How often the interval is to hold.

    Returns
    -------
    Floor

    Raises
    ------
    ValueError
        If `n` is below 2, or `confidence` is not between 0 and 1.

    Notes
    -----
    Source: Cover and Thomas (2006), "Elements of Information Theory", section 5.4: no
    code is shorter on average than the entropy. Built in chapter 06.

    Examples
    --------
    >>> floor = entropy_floor(200)
    >>> floor.low < floor.bits < floor.high, floor.unit
    (True, 'character')
    """
    if n < 2:
        raise ValueError(f"n must be 2 or more, got {n}")
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must lie between 0 and 1, got {confidence}")
    bits, lengths = [], []
    for story in stories(n, seed, village=village):
        bits.append(-story.log_prob)
        lengths.append(len(tokenize(story.text) if tokenize else story.text))
    ratio = sum(bits) / sum(lengths)
    left = sum((b - ratio * k) ** 2 for b, k in zip(bits, lengths, strict=True))
    error = sqrt(left * n / (n - 1)) / sum(lengths)
    margin = NormalDist().inv_cdf((1 + confidence) / 2) * error
    unit = "token" if tokenize else "character"
    return Floor(ratio, ratio - margin, ratio + margin, unit, n)
