"""Language models that count: uniform guessing, n-grams, Kneser-Ney.

Tokens are ids, 0 ... V - 1. One of them closes every document, and it also stands
before the first token, as GPT-2's ``<|endoftext|>`` does. Nothing here imports torch.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from operator import index
from typing import Protocol, TypeVar

import numpy as np

Context = tuple[int, ...]
Table = dict[Context, Counter[int]]  # how often each token follows each context
Model = TypeVar("Model", bound="LanguageModel")


class RandomSource(Protocol):
    """What draws numbers from 0 to 1: `random.Random` or numpy's `Generator`."""

    def random(self) -> float:
        """Return a number from 0 (included) to 1 (excluded)."""


class LanguageModel:
    """Gives each token a probability after any context.

    A subclass says how it learns (`_learn`) and how probable tokens are (`_probs`).
    The probability of a whole document, and drawing one, follow from that.

    Parameters
    ----------
    n : int
        A token is predicted from the n - 1 tokens before it.

    Raises
    ------
    ValueError
        If `n` is below 1.

    Notes
    -----
    Built in chapter 00.
    """

    def __init__(self, n: int = 1) -> None:
        if index(n) < 1:
            raise ValueError(f"n must be 1 (a unigram) or more, got {n}")
        self.n, self.vocab_size, self.end = n, 0, -1

    def __repr__(self) -> str:
        fitted = f"{self.vocab_size} tokens" if self.vocab_size else "not fitted"
        return f"{type(self).__name__}(n={self.n}, {fitted})"

    def fit(
        self: Model,
        documents: Iterable[Sequence[int]],
        vocab_size: int,
        end: int | None = None,
    ) -> Model:
        """Learn from documents, and forget what was learned before.

        Parameters
        ----------
        documents : iterable of sequences of int
            Token ids, without the end token.
        vocab_size : int
            V, the end token included.
        end : int, optional
            The id of the end token, by default the last one, V - 1.

        Returns
        -------
        LanguageModel
            The model itself.

        Raises
        ------
        TypeError
            If a document isn't a sequence of integers.
        ValueError
            If there is no document, an id is out of range, or a document holds the
            end token.
        """
        self.end = vocab_size - 1 if end is None else index(end)
        if not 0 <= self.end < vocab_size:
            raise ValueError(
                f"end must be one of the vocab_size={vocab_size} ids, got {self.end}"
            )
        self.vocab_size = vocab_size
        checked = [self._checked(document) for document in documents]
        if not checked:
            raise ValueError("there is no document to learn from; give one or more")
        self._learn(event for document in checked for event in self._events(document))
        return self

    def next_probs(self, context: Sequence[int] = ()) -> np.ndarray:
        """Return the probability of each token after the beginning of a document.

        Parameters
        ----------
        context : sequence of int
            The document so far, or its last n - 1 tokens.

        Returns
        -------
        numpy array of float64, (V,)
            Sums to 1.

        Raises
        ------
        ValueError
            If the model isn't fitted, or an id is out of range.
        """
        tokens = [self.end, *self._checked(context)]
        return self._probs(self._context(tokens, len(tokens)))

    def log_prob(self, document: Sequence[int]) -> float:
        """Return the log-probability of a whole document with its end token.

        Parameters
        ----------
        document : sequence of int
            Token ids, without the end token.

        Returns
        -------
        float
            Bits (logarithm to base 2), 0 or less; minus infinity if the model holds
            the document to be impossible.

        Raises
        ------
        ValueError
            If the model isn't fitted, or an id is out of range.
        """
        total = 0.0
        for context, token in self._events(self._checked(document)):
            prob = self._prob(context, token)
            if prob == 0:
                return -math.inf
            total += math.log2(prob)
        return total

    def sample(
        self, rng: RandomSource, max_tokens: int, start: Sequence[int] = ()
    ) -> list[int]:
        """Draw a document token by token until its end.

        Parameters
        ----------
        rng : random.Random or numpy.random.Generator
            Where chance comes from; the same seed gives the same document.
        max_tokens : int
            At most so many tokens are drawn, the end token included.
        start : sequence of int, optional
            A beginning to go on from.

        Returns
        -------
        list of int
            `start` and the tokens drawn, without the end token. So, a document to
            which `max_tokens` tokens were added has been cut off.

        Raises
        ------
        ValueError
            If the model isn't fitted, an id is out of range, or `max_tokens` is
            negative.
        """
        if max_tokens < 0:
            raise ValueError(f"max_tokens must be 0 or more, got {max_tokens}")
        tokens = [self.end, *self._checked(start)]
        for _ in range(max_tokens):
            probs = self._probs(self._context(tokens, len(tokens)))
            up_to = probs.cumsum()  # (V,) the probability of the ids 0 ... i
            token = int(np.searchsorted(up_to, rng.random() * up_to[-1], side="right"))
            if token == self.end:
                break
            tokens.append(token)
        return tokens[1:]

    def _events(self, document: Sequence[int]) -> Iterator[tuple[Context, int]]:
        """Yield every token of a document, the end token too, after its context."""
        tokens = [self.end, *document, self.end]
        for i in range(1, len(tokens)):
            yield self._context(tokens, i), tokens[i]

    def _context(self, tokens: list[int], i: int) -> Context:
        """Return what the model looks at to predict token number `i`."""
        return tuple(tokens[max(0, i - self.n + 1) : i])

    def _checked(self, document: Sequence[int]) -> list[int]:
        """Return the ids as Python's integers, which are the fastest keys."""
        if not self.vocab_size:
            raise ValueError("the model isn't fitted; call fit(documents, vocab_size)")
        try:
            ids = [index(token) for token in document]
        except TypeError as error:
            raise TypeError(
                f"a document must be a sequence of token ids, got {document!r:.40}; "
                "encode texts first, and give fit a list of documents"
            ) from error
        if ids and not 0 <= min(ids) <= max(ids) < self.vocab_size:
            raise ValueError(
                f"ids must lie in 0 ... {self.vocab_size - 1} (vocab_size is "
                f"{self.vocab_size}), got {min(ids)} ... {max(ids)}"
            )
        if self.end in ids:
            raise ValueError(
                f"a document holds the end token {self.end}, which the model adds "
                "itself; take it out, or split the document there"
            )
        return ids

    def _learn(self, events: Iterable[tuple[Context, int]]) -> None:
        raise NotImplementedError

    def _probs(self, context: Context) -> np.ndarray:
        raise NotImplementedError

    def _prob(self, context: Context, token: int) -> float:
        return float(self._probs(context)[token])


class Uniform(LanguageModel):
    """Guesses: every token is as probable as every other.

    Notes
    -----
    Built in chapter 00.

    Examples
    --------
    >>> model = Uniform().fit([[0, 1, 2]], vocab_size=4)
    >>> model.log_prob([2, 2])  # three tokens of log2(4) bits
    -6.0
    """

    def _learn(self, events: Iterable[tuple[Context, int]]) -> None:
        pass  # a guess looks at no text

    def _probs(self, context: Context) -> np.ndarray:
        return np.full(self.vocab_size, 1 / self.vocab_size)

    def _prob(self, context: Context, token: int) -> float:
        return 1 / self.vocab_size


class NGram(LanguageModel):
    """Counts which token follows which n - 1 tokens.

    A token's probability is (count + k) / (total + k V): its share of what followed
    the context in training, with every token counted k times more than it was seen.

    Parameters
    ----------
    n : int
        1 is a unigram, 2 a bigram, ...
    k : float
        With 0 (maximum likelihood) what was never seen is impossible. With 1
        (Laplace) a large vocabulary outweighs rare contexts; try 0.01.

    Raises
    ------
    ValueError
        If `n` is below 1 or `k` negative. Later, if k is 0, by `next_probs` for a
        context that was never seen.

    Notes
    -----
    Built in chapter 00.

    Examples
    --------
    >>> model = NGram(2).fit([[0, 1], [0, 0]], vocab_size=3)  # 2 ends a document
    >>> model.next_probs([0]).tolist()  # 0 was followed by 1, by 0 and by the end
    [0.3333333333333333, 0.3333333333333333, 0.3333333333333333]
    >>> model.next_probs([1]).tolist()
    [0.0, 0.0, 1.0]
    """

    def __init__(self, n: int, k: float = 0.0) -> None:
        super().__init__(n)
        if not k >= 0:
            raise ValueError(f"k must be 0 or more, got {k}")
        self.k = k

    def _learn(self, events: Iterable[tuple[Context, int]]) -> None:
        self.counts: Table = defaultdict(Counter)
        for context, token in events:
            self.counts[context][token] += 1
        self.counts = dict(self.counts)  # from now on, looking up adds nothing
        self.totals = {c: followers.total() for c, followers in self.counts.items()}

    def _probs(self, context: Context) -> np.ndarray:
        if self.k == 0 and context not in self.counts:
            raise ValueError(
                f"nothing is known after {context}, which was never seen; with k > 0 "
                "all tokens are equally probable there"
            )
        followers = self.counts.get(context, {})
        probs = np.full(self.vocab_size, float(self.k))
        probs[list(followers)] += list(followers.values())
        return probs / probs.sum()

    def _prob(self, context: Context, token: int) -> float:
        total = self.totals.get(context, 0) + self.k * self.vocab_size
        if total == 0:
            return 0.0
        return (self.counts.get(context, {}).get(token, 0) + self.k) / total


class KneserNey(LanguageModel):
    """Interpolates n-grams of all lengths, discounted, as Kneser and Ney do.

    Every count gives up a discount D. What a context's counts give up together is
    shared out by the model of the next shorter context::

        P(w | c) = max(count(c w) - D, 0) / count(c) + gamma(c) P(w | c without first)
        gamma(c) = D * number of different tokens that followed c / count(c)

    The longest contexts count occurrences. A shorter one counts in how many
    different contexts, longer by one token, the n-gram occurred: "Francisco" is
    frequent, but follows "San" only, so that it should seldom be expected elsewhere.
    (A context that begins a document can't be longer: it counts occurrences.) Below
    the unigram lies the uniform distribution.

    Parameters
    ----------
    n : int
        The length of the longest n-grams.
    discount : float, optional
        D, from 0 to 1. By default "modified" Kneser-Ney: three discounts for each
        length, for counts of 1, of 2, and of 3 or more, estimated from how many
        n-grams have a count of 1, 2, 3 and 4. Where these are too few for an
        estimate within 0 to 1, 2 and 3, they are 0.5, 1 and 1.5.

    Attributes
    ----------
    discounts : list of three floats for each length
        From unigrams to n-grams.

    Raises
    ------
    ValueError
        If `n` is below 1 or `discount` not from 0 to 1.

    Notes
    -----
    Source: Kneser and Ney (1995), "Improved backing-off for m-gram language
    modeling"; Chen and Goodman (1999), "An empirical study of smoothing techniques
    for language modeling", sections 2.7 and 3. Built in chapter 06.

    Examples
    --------
    >>> model = KneserNey(2, discount=0.5).fit([[0, 1], [0, 0]], vocab_size=3)
    >>> round(float(model.next_probs([1])[2]), 4)  # the end alone followed 1
    0.7
    """

    def __init__(self, n: int = 5, discount: float | None = None) -> None:
        super().__init__(n)
        if discount is not None and not 0 <= discount <= 1:
            raise ValueError(f"discount must lie in 0 ... 1, got {discount}")
        self.discount = discount

    def _learn(self, events: Iterable[tuple[Context, int]]) -> None:
        tables: list[Table] = [defaultdict(Counter) for _ in range(self.n)]
        for context, token in events:
            tables[len(context)][context][token] += 1
        for longer, shorter in zip(tables[:0:-1], tables[-2::-1], strict=True):
            for context, followers in longer.items():
                shorter[context[1:]].update(followers.keys())  # 1 for each token
        self.discounts = [self._estimate(table) for table in tables]
        self.counts = {c: table[c] for table in tables for c in table}
        self.weights = {c: self._weights(c) for c in self.counts}
        uniform = np.full(self.vocab_size, 1 / self.vocab_size)
        self.unigram = self._interpolate(uniform, ())

    def _estimate(self, table: Table) -> tuple[float, float, float, float]:
        """Return what counts of 0, 1, 2, and 3 or more are to be lowered by."""
        if self.discount is not None:
            return (0.0, *[self.discount] * 3)
        sizes = Counter(count for f in table.values() for count in f.values())
        n1, n2, n3, n4 = (sizes[count] for count in (1, 2, 3, 4))
        if n1 and n2 and n3:
            y = n1 / (n1 + 2 * n2)
            d1, d2, d3 = 1 - 2 * y * n2 / n1, 2 - 3 * y * n3 / n2, 3 - 4 * y * n4 / n3
            if d2 >= 0 and d3 >= 0:  # d1 = y lies in 0 ... 1, and none is too large
                return 0.0, d1, d2, d3
        return 0.0, 0.5, 1.0, 1.5

    def _weights(self, context: Context) -> tuple[int, float]:
        """Return the count of a context, and its gamma."""
        discount = self.discounts[len(context)]
        followers = self.counts[context].values()
        total = sum(followers)
        return total, sum(discount[min(count, 3)] for count in followers) / total

    def _interpolate(self, probs: np.ndarray, context: Context) -> np.ndarray:
        """Mix the context's discounted counts with the shorter one's `probs` (V,)."""
        total, gamma = self.weights[context]
        followers = self.counts[context]
        count = np.array(list(followers.values()))
        discount = np.array(self.discounts[len(context)])[np.minimum(count, 3)]
        mixed = gamma * probs
        mixed[list(followers)] += (count - discount) / total
        return mixed

    def _probs(self, context: Context) -> np.ndarray:
        probs = self.unigram
        for known in self._suffixes(context):
            probs = self._interpolate(probs, known)
        return probs

    def _prob(self, context: Context, token: int) -> float:
        prob = self.unigram[token]
        for known in self._suffixes(context):
            total, gamma = self.weights[known]
            count = self.counts[known].get(token, 0)
            discount = self.discounts[len(known)][min(count, 3)]
            prob = gamma * prob + (count - discount) / total
        return float(prob)

    def _suffixes(self, context: Context) -> Iterator[Context]:
        """Yield the ends of a context that have been seen, the shortest first."""
        for i in range(len(context) - 1, -1, -1):
            if context[i:] not in self.counts:
                return  # then nothing longer has been seen, either
            yield context[i:]
