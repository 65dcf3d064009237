"""How good a language model is: bits, shares, and what its attention heads do.

Intervals here hold 95% of the time for new stories of the same kind: a story is drawn,
not a token, so that what varies is counted by story. Torch is imported only where a
neural model is measured.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import torch
    from torch import Tensor

IGNORED = -100  # the target that torch's cross-entropy leaves out


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


def end_id(tokenizer: Any) -> int:
    """Return the id of the token that opens and closes a document.

    Raises
    ------
    ValueError
        If the tokenizer has no such token.
    """
    found = getattr(tokenizer, "eos_token_id", None)
    if found is None:
        found = dict(tokenizer.vocab).get("<|endoftext|>")
    if found is None:
        raise ValueError("the tokenizer has no end token; train it with <|endoftext|>")
    return int(found)


def neural_bits(
    model: torch.nn.Module,
    tokenizer: Any,
    texts: Sequence[str],
    batch_size: int = 16,
) -> np.ndarray:
    """Return the bits that a GPT gives each text, with its end.

    Each text stands alone after the start token, and its end token is predicted, too.
    All tokens of the tokenizer compete, so that the sum is what the model would need
    to transmit the text. (A text can be cut into tokens in several ways. Counting only
    the tokenizer's makes the bits of a text slightly too many, never too few.)

    Parameters
    ----------
    model : GPT or transformers.GPT2LMHeadModel
        Gives logits (B, T, V) for ids (B, T).
    tokenizer : BytePairTokenizer or a tokenizer of transformers
        With `encode`, and ``<|endoftext|>`` or an `eos_token_id`.
    texts : sequence of str
        N texts.
    batch_size : int
        How many are measured at once. The numbers don't depend on it.

    Returns
    -------
    numpy array of float64, (N,)
        Bits, 0 or more.

    Raises
    ------
    ValueError
        If a text is longer than the model's context, or there is no end token.

    Notes
    -----
    Built in chapter 11.
    """
    import torch

    end = end_id(tokenizer)
    documents = [[end, *tokenizer.encode(text), end] for text in texts]
    longest, room = max(map(len, documents), default=1) - 1, context_size(model)
    if longest > room:
        raise ValueError(
            f"a text needs {longest} positions and the model has {room}; leave it out "
            "or cut it"
        )
    by_length = sorted(range(len(documents)), key=lambda i: len(documents[i]))
    bits = np.zeros(len(documents))
    was_training = model.training
    model.eval()
    with torch.no_grad():
        for at in range(0, len(by_length), batch_size):
            chosen = by_length[at : at + batch_size]
            bits[chosen] = _batch_bits(model, [documents[i] for i in chosen], end)
    model.train(was_training)
    return bits


def context_size(model: torch.nn.Module) -> int:
    """Return how many tokens fit into a model's context."""
    config = model.config
    if hasattr(config, "block_size"):
        return config.block_size
    return config.max_position_embeddings


def _batch_bits(model: torch.nn.Module, documents: list[list[int]], end: int) -> Any:
    """Bits (B,) of documents that are marked at both ends."""
    import torch
    import torch.nn.functional as F

    T = max(map(len, documents)) - 1
    device = next(model.parameters()).device
    # what follows a text is after all that is measured: a causal model sees none of it
    inputs = torch.full((len(documents), T), end, device=device)
    targets = torch.full((len(documents), T), IGNORED, device=device)
    for row, ids in enumerate(documents):
        inputs[row, : len(ids) - 1] = torch.tensor(ids[:-1])
        targets[row, : len(ids) - 1] = torch.tensor(ids[1:])
    logits = _logits(model(inputs))  # (B, T, V)
    nats = F.cross_entropy(
        logits.float().transpose(1, 2), targets, ignore_index=IGNORED, reduction="none"
    )
    return (nats.double().sum(1) / math.log(2)).cpu().numpy()


def _logits(output: Any) -> Tensor:
    """Our GPT returns logits, transformers' an object that holds them."""
    return getattr(output, "logits", output)


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
