"""Confidence intervals of bits and shares, and a model's bits beside the floor.

Intervals here hold 95% of the time for new stories of the same kind: a story is drawn,
not a token, so that what varies is counted by story.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Interval:
    """An estimate with its confidence interval.

    Examples
    --------
    >>> print(Interval(0.5, 0.4012, 0.5988))
    0.500 (0.401 to 0.599)
    """

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.3f} ({self.low:.3f} to {self.high:.3f})"


def ratio_interval(
    numerators: Sequence[float],
    denominators: Sequence[float],
    confidence: float = 0.95,
) -> Interval:
    """Estimate a ratio of totals, such as bits per character, from several stories.

    The ratio is that of the sums, so that a long story weighs more than a short one.
    Its error follows from how the stories scatter around it (the delta method), with
    Student's t for N - 1 degrees of freedom.

    Parameters
    ----------
    numerators, denominators : sequences of float, (N,)
        One pair for each story: bits and characters, or the excess over the floor and
        characters, or bits and the floor's bits.
    confidence : float
        How often the interval is to hold.

    Returns
    -------
    Interval
        In units of the numerators over those of the denominators.

    Raises
    ------
    ValueError
        If the lengths differ, there are fewer than two stories, the denominators'
        sum is not positive, or `confidence` is not between 0 and 1.

    Notes
    -----
    Source: Cochran (1977), "Sampling Techniques", section 6.4. Built in chapter 06.

    Examples
    --------
    >>> print(ratio_interval([30, 10, 20], [100, 50, 50]))
    0.300 (0.114 to 0.486)
    """
    from scipy import stats

    x, y = np.asarray(numerators, float), np.asarray(denominators, float)
    if x.shape != y.shape or x.ndim != 1 or len(x) < 2:
        raise ValueError(
            f"numerators {x.shape} and denominators {y.shape} must have the same "
            "length, of two stories or more"
        )
    if not y.sum() > 0:
        raise ValueError(f"denominators must have a positive sum, got {y.sum()}")
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must lie between 0 and 1, got {confidence}")
    n, ratio = len(x), x.sum() / y.sum()
    variance = ((x - ratio * y) ** 2).sum() * n / (n - 1) / y.sum() ** 2
    margin = stats.t.ppf((1 + confidence) / 2, n - 1) * math.sqrt(variance)
    return Interval(float(ratio), float(ratio - margin), float(ratio + margin))


def proportion_interval(
    successes: int, trials: int, confidence: float = 0.95
) -> Interval:
    """Estimate a share, of true stories for example, with Wilson's interval.

    It stays within 0 and 1 and has a width even where all or none succeed.

    Raises
    ------
    ValueError
        If `successes` is not within 0 ... `trials`, or there is no trial.

    Notes
    -----
    Source: Wilson (1927), "Probable inference, the law of succession, and statistical
    inference". Built in chapter 06.

    Examples
    --------
    >>> print(proportion_interval(0, 100))
    0.000 (0.000 to 0.037)
    """
    from scipy import stats

    if trials < 1 or not 0 <= successes <= trials:
        raise ValueError(
            f"successes must lie in 0 ... trials, got {successes}/{trials}"
        )
    found = stats.binomtest(int(successes), int(trials))
    low, high = found.proportion_ci(confidence, method="wilson")
    return Interval(successes / trials, float(low), float(high))


@dataclass(frozen=True)
class BitsReport:
    """A model's bits on held-out stories beside the least that any model can need.

    Attributes
    ----------
    bits, floor : Interval
        Bits per character of the model, and of the stories' true probabilities.
    excess : Interval
        Bits per character above the floor, story by story: much surer than `bits`,
        since a story of rare events costs both more.
    relative : Interval
        The excess as a share of the floor.
    """

    bits: Interval
    floor: Interval
    excess: Interval
    relative: Interval


def compare_bits(
    bits: Sequence[float], floor: Sequence[float], characters: Sequence[float]
) -> BitsReport:
    """Compare a model's bits with the true ones of the same stories.

    Parameters
    ----------
    bits : sequence of float, (N,)
        The model's bits of each whole story, with its end.
    floor : sequence of float, (N,)
        The true bits: minus the log2 of the probability with which it was drawn.
    characters : sequence of int, (N,)
        The stories' lengths.

    Raises
    ------
    ValueError
        As `ratio_interval`.

    Notes
    -----
    Built in chapter 06.

    Examples
    --------
    >>> report = compare_bits([33, 21], [30, 20], [100, 60])
    >>> report.bits.value, report.excess.value, report.relative.value
    (0.3375, 0.025, 0.08)
    """
    excess = np.asarray(bits, float) - np.asarray(floor, float)
    return BitsReport(
        bits=ratio_interval(bits, characters),
        floor=ratio_interval(floor, characters),
        excess=ratio_interval(excess, characters),
        relative=ratio_interval(excess, floor),
    )
