"""What attention heads do: induction on repeated tokens, and the names of pronouns.

Each score is attention at a place that is known beforehand, on sequences that are made
for it. Intervals are those of `evaluation`. Built in chapter 13.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from llmbook_utils.evaluation.intervals import Interval, ratio_interval
from llmbook_utils.models.language_model import context_size

if TYPE_CHECKING:
    import torch


def attention_maps(model: torch.nn.Module, ids: Sequence[int]) -> np.ndarray:
    """Return all attention weights of a transformers GPT-2 for one sequence.

    Parameters
    ----------
    model : transformers.GPT2LMHeadModel or GPT2Model
        Is computed with its "eager" attention, the only one that keeps weights.
    ids : sequence of int, (T,)
        Token ids.

    Returns
    -------
    numpy array of float32, (n_layer, n_head, T, T)
        Row q tells where the token at q looks; it sums to 1.

    Notes
    -----
    Built in chapter 13.
    """
    import torch

    kind = model.config._attn_implementation
    was_training = model.training
    model.eval()
    model.set_attn_implementation("eager")
    try:
        with torch.no_grad():
            batch = torch.tensor([list(ids)], device=model.device)
            layers = model(batch, output_attentions=True).attentions
    finally:
        model.set_attn_implementation(kind)
        model.train(was_training)
    return torch.cat(layers).float().cpu().numpy()


def attention_shares(
    attention: np.ndarray, queries: Sequence[int], keys: Sequence[Sequence[int]]
) -> np.ndarray:
    """Return how much of its attention each query gives to its keys.

    Parameters
    ----------
    attention : array, (n_layer, n_head, T, T)
        The weights of one sequence; rows sum to 1.
    queries : sequence of int, (N,)
        Positions that look.
    keys : sequence of sequences of int, N of them
        The positions looked at, whose weights are added up.

    Returns
    -------
    numpy array, (N, n_layer, n_head)
        From 0 to 1.

    Examples
    --------
    >>> even = np.full((1, 1, 4, 4), 0.25)
    >>> attention_shares(even, queries=[3], keys=[[0, 1]]).tolist()
    [[[0.5]]]
    """
    shares = [
        attention[:, :, query, list(where)].sum(-1)
        for query, where in zip(queries, keys, strict=True)
    ]
    return np.array(shares).reshape(-1, *attention.shape[:2])


def induction_attention(
    attention: np.ndarray, period: int, first: int = 0
) -> np.ndarray:
    """Score each head's induction on a sequence that is said twice.

    At the second occurrence of a token, an induction head looks at the token after
    the first one: what came next then is what comes next now.

    Parameters
    ----------
    attention : array, (n_layer, n_head, T, T)
        The weights for `period` different tokens and the same again.
    period : int
        How many tokens are repeated.
    first : int
        The position of the first of them.

    Returns
    -------
    numpy array, (n_layer, n_head)
        Mean attention at the right place, from 0 to 1.

    Notes
    -----
    Source: Olsson et al. (2022), "In-context learning and induction heads". Built in
    chapter 13.
    """
    queries = range(first + period, first + 2 * period)
    keys = [[query - period + 1] for query in queries]
    return attention_shares(attention, queries, keys).mean(0)


def induction_scores(
    model: torch.nn.Module,
    token_ids: Sequence[int],
    *,
    start: Sequence[int] = (),
    periods: Sequence[int] = (10, 15, 20, 25, 30, 40, 50),
    repeats: int = 4,
    seed: int = 0,
) -> np.ndarray:
    """Score the induction heads of a transformers GPT-2 on random sequences.

    Parameters
    ----------
    model : transformers.GPT2LMHeadModel or GPT2Model
        The model.
    token_ids : sequence of int
        What the sequences are drawn from, each at most once in one period.
    start : sequence of int, optional
        What stands before them, the start token for example.
    periods : sequence of int
        Lengths before the repetition. With one period only, a head that looks back
        by a fixed distance would score as well.
    repeats : int
        Sequences of each period.
    seed : int
        Of the sequences.

    Returns
    -------
    numpy array, (n_layer, n_head)
        Mean attention at the right place; each period weighs the same.

    Raises
    ------
    ValueError
        If there are too few different ids for a period, or a sequence is longer than
        the model's context.

    Notes
    -----
    Built in chapter 13.
    """
    ids = np.unique(np.asarray(token_ids))
    rng = np.random.default_rng(seed)
    room = min(len(ids), (context_size(model) - len(start)) // 2)
    if max(periods) > room or min(periods) < 2:
        raise ValueError(
            f"periods must lie in 2 ... {room} with {len(ids)} different ids and a "
            f"context of {context_size(model)}, got {list(periods)}"
        )
    scores = []
    for period in [p for p in periods for _ in range(repeats)]:
        once = rng.choice(ids, period, replace=False).tolist()
        attention = attention_maps(model, [*start, *once, *once])
        scores.append(induction_attention(attention, period, first=len(start)))
    return np.mean(scores, axis=0)


def token_positions(
    pieces: Sequence[str], span: tuple[int, int], first: int = 0
) -> tuple[int, ...]:
    """Return the positions of the tokens that hold a span of the text.

    Parameters
    ----------
    pieces : sequence of str
        The text of each token; joined, they are the text.
    span : pair of int
        First character and the one after the last.
    first : int
        The position of the first piece: 1 if a start token stands before it.

    Raises
    ------
    ValueError
        If the span isn't within the text.

    Examples
    --------
    >>> token_positions(["Tom", " took", " the", " lamp"], (9, 17))
    (2, 3)
    """
    ends = np.cumsum([len(piece) for piece in pieces])
    start, stop = span
    if not 0 <= start < stop <= (ends[-1] if len(ends) else 0):
        raise ValueError(f"the span {span} is not within the text's {ends[-1:]}")
    begin, last = np.searchsorted(ends, [start, stop - 1], side="right")
    return tuple(range(first + int(begin), first + int(last) + 1))


@dataclass(frozen=True)
class PronounCase:
    """A pronoun in a sequence of tokens.

    Attributes
    ----------
    query : int
        The position of the pronoun's token.
    right : tuple of int
        The positions of the tokens of the name that it stands for.
    latest : tuple of int
        Those of the last name before it. Equal to `right`, they can't tell a head
        that resolves pronouns from one that looks at the last name.
    """

    query: int
    right: tuple[int, ...]
    latest: tuple[int, ...]


@dataclass(frozen=True)
class PronounScores:
    """What the head that was chosen gives to right antecedents, in other stories.

    Attributes
    ----------
    layer, head : int
        Chosen on one half of the stories; the intervals are from the other half.
    right : Interval
        The share of a pronoun's attention that the right antecedent gets.
    right_if_earlier, latest_if_earlier : Interval or None
        The control for recency, from the pronouns whose antecedent is not the last
        name: the share of the antecedent, and that of the last name. None if fewer
        than two stories have such a pronoun.
    by_head, by_head_if_earlier : numpy arrays, (n_layer, n_head)
        Means of `right` and `right_if_earlier` for all heads, in the other half.
    """

    layer: int
    head: int
    right: Interval
    right_if_earlier: Interval | None
    latest_if_earlier: Interval | None
    by_head: np.ndarray
    by_head_if_earlier: np.ndarray


def pronoun_scores(
    attentions: Iterable[np.ndarray],
    cases: Iterable[Sequence[PronounCase]],
    seed: int = 0,
) -> PronounScores:
    """Find the head that looks from pronouns to their antecedents, and score it.

    The best of many heads looks better than it is on the stories it was chosen on.
    So, it is chosen on one half of the stories and scored on the other.

    Parameters
    ----------
    attentions : iterable of arrays, (n_layer, n_head, T, T)
        The weights for each story, from `attention_maps` for example; a generator
        keeps the memory small.
    cases : iterable of sequences of PronounCase
        The pronouns of each story.
    seed : int
        Of the division into halves.

    Returns
    -------
    PronounScores

    Raises
    ------
    ValueError
        If fewer than four stories have a pronoun.

    Notes
    -----
    Built in chapter 13.
    """
    right, latest, earlier, story = [], [], [], []
    for number, (attention, found) in enumerate(zip(attentions, cases, strict=True)):
        queries = [case.query for case in found]
        right += [*attention_shares(attention, queries, [c.right for c in found])]
        latest += [*attention_shares(attention, queries, [c.latest for c in found])]
        earlier += [case.right != case.latest for case in found]
        story += [number] * len(found)
    numbers = np.random.default_rng(seed).permutation(np.unique(story))
    if len(numbers) < 4:
        raise ValueError(f"four stories with a pronoun are needed, got {len(numbers)}")
    of = np.array(story)
    chosen_on = np.isin(of, numbers[: len(numbers) // 2])
    shares, others = np.array(right), np.array(latest)  # (N, n_layer, n_head)
    means = shares[chosen_on].mean(0)
    layer, head = map(int, np.unravel_index(means.argmax(), means.shape))
    scored, control = ~chosen_on, ~chosen_on & np.array(earlier)
    return PronounScores(
        layer=layer,
        head=head,
        right=_mean_by_story(shares[scored, layer, head], of[scored]),
        right_if_earlier=_mean_by_story(shares[control, layer, head], of[control]),
        latest_if_earlier=_mean_by_story(others[control, layer, head], of[control]),
        by_head=shares[scored].mean(0),
        by_head_if_earlier=shares[control].sum(0) / max(1, control.sum()),
    )


def _mean_by_story(values: np.ndarray, stories: np.ndarray) -> Interval | None:
    """Mean of values (N,) with an interval that counts by story."""
    _, number = np.unique(stories, return_inverse=True)
    if number.max(initial=0) < 1:
        return None
    return ratio_interval(np.bincount(number, values), np.bincount(number))
