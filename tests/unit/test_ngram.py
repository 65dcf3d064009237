"""Models that count: worked by hand, against the definition, and probabilities."""

import math
import random
from collections import Counter
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmbook_utils.models.sequences.ngram import (
    KneserNey,
    LanguageModel,
    NGram,
    Uniform,
)

END, V = 4, 5
DOCUMENTS = st.lists(st.lists(st.integers(0, 3), max_size=9), min_size=1, max_size=8)
CONTEXTS = st.lists(st.integers(0, 3), max_size=6)
MODELS = [
    Uniform(),
    NGram(1),
    NGram(1, k=1),
    NGram(2, k=0.1),
    NGram(4, k=0.01),
    KneserNey(1),
    KneserNey(2, discount=0.75),
    KneserNey(3),
    KneserNey(5),
    KneserNey(4, discount=1),
]


def stories(seed: int, n: int, words: int = 30) -> list[list[int]]:
    """Made by a small grammar, so that contexts of all lengths tell something."""
    rng = random.Random(seed)
    follows = [[rng.randrange(words) for _ in range(4)] for _ in range(words)]
    documents = []
    for _ in range(n):
        document = [rng.randrange(words)]
        while rng.random() < 0.9:
            older = document[-2] if len(document) > 1 else 0
            document.append(follows[document[-1]][(older + rng.randrange(2)) % 4])
        documents.append(document)
    return documents


@given(DOCUMENTS, CONTEXTS)
def test_probabilities_sum_to_one_after_any_context(
    documents: list[list[int]], context: list[int]
) -> None:
    for model in MODELS:
        probs = model.fit(documents, V).next_probs(context)
        assert probs.shape == (V,) and probs.min() >= 0
        assert math.isclose(probs.sum(), 1, rel_tol=1e-12), model


@given(DOCUMENTS, CONTEXTS)
def test_log_prob_is_the_sum_over_next_probs(
    documents: list[list[int]], document: list[int]
) -> None:
    """The chain rule; the two ways of looking up a probability agree."""
    for model in MODELS:
        model.fit(documents, V)
        with np.errstate(divide="ignore"):
            steps = [
                np.log2(model.next_probs(document[:i])[token])
                for i, token in enumerate([*document, END])
            ]
        assert model.log_prob(document) == pytest.approx(sum(steps), rel=1e-9)


@pytest.mark.parametrize("model", [NGram(3, k=0.5), KneserNey(3)], ids=repr)
def test_all_documents_together_have_probability_one(model: LanguageModel) -> None:
    """Of two tokens and an end: documents up to 6 tokens, and all that is longer."""
    model.fit([[0, 1, 0], [1], [0, 1]], vocab_size=3)
    ended, open_ones = 0.0, [([], 1.0)]
    for _ in range(7):
        longer = []
        for document, prob in open_ones:
            ended += 2 ** model.log_prob(document)
            probs = model.next_probs(document)
            longer += [([*document, t], prob * probs[t]) for t in (0, 1)]
        open_ones = longer
    assert ended + sum(prob for _, prob in open_ones) == pytest.approx(1, abs=1e-12)


def test_uniform_by_hand() -> None:
    model = Uniform().fit([[0]], vocab_size=8)
    assert model.next_probs([3, 1]).tolist() == [1 / 8] * 8
    assert model.log_prob([1, 2, 3]) == -12  # with the end, four times 3 bits


def test_bigram_by_hand() -> None:
    """Of "a b", "a a": a starts both, and is followed by b, a and the end."""
    model = NGram(2).fit([[0, 1], [0, 0]], vocab_size=3)
    assert model.next_probs().tolist() == [1, 0, 0]
    assert model.log_prob([0, 1]) == pytest.approx(math.log2(1 / 3))
    assert model.log_prob([1, 0]) == -math.inf
    with pytest.raises(ValueError, match=r"after \(1,\), which was never seen"):
        NGram(2).fit([[0]], vocab_size=3).next_probs([1])
    smooth = NGram(2, k=1).fit([[0, 1], [0, 0]], vocab_size=3)
    assert smooth.next_probs().tolist() == [3 / 5, 1 / 5, 1 / 5]
    assert smooth.log_prob([1]) == pytest.approx(math.log2(1 / 5 * 2 / 4))


@given(DOCUMENTS, st.integers(1, 4))
def test_counts_agree_with_a_counter(documents: list[list[int]], n: int) -> None:
    """Oracle: `collections.Counter` over documents that are marked at both ends."""
    counter: Counter = Counter()
    for document in documents:
        marked = [END, *document, END]
        for i in range(1, len(marked)):
            counter[tuple(marked[max(0, i - n + 1) : i + 1])] += 1
    model = NGram(n).fit(documents, V)
    counts = {(*c, t): m for c, f in model.counts.items() for t, m in f.items()}
    assert counts == counter


def test_kneser_ney_by_hand() -> None:
    """Two documents, "a b" and "c b a", with one discount of 1/2 and V = 4.

    Bigrams ($ is start and end): $a, ab, b$, $c, cb, ba, a$; each occurs once.
    Contexts before a: $, b = 2; before b: a, c = 2; c: $ = 1; $: b, a = 2; sum 7.
    Unigram: P(a) = (2 - 1/2)/7 + (1/2)(4)/7 * 1/4 = 3/14 + 1/14 = 2/7, and so b, $;
    P(c) = (1/2)/7 + 1/14 = 1/7.
    After a (once b, once $): gamma = (1/2)(2)/2 = 1/2, so
    P(b | a) = (1/2)/2 + 1/2 * 2/7 = 11/28, P(a | a) = 1/2 * 2/7 = 1/7.
    After c (once b): gamma = 1/2, P(b | c) = 1/2 + 1/2 * 2/7 = 9/14.
    """
    a, b, c, end = range(4)
    model = KneserNey(2, discount=0.5).fit([[a, b], [c, b, a]], vocab_size=4)
    assert model.unigram == pytest.approx([2 / 7, 2 / 7, 1 / 7, 2 / 7])
    assert model.next_probs([a])[[a, b]] == pytest.approx([1 / 7, 11 / 28])
    assert model.next_probs([c])[b] == pytest.approx(9 / 14)
    # P(c | $) = 1/4 + 1/14, P(b | c) = 9/14, P($ | b) = 1/4 + 1/7
    expected = (1 / 4 + 1 / 14) * (9 / 14) * (1 / 4 + 1 / 7)
    assert model.log_prob([c, b]) == pytest.approx(math.log2(expected))
    assert end == model.end


def test_francisco_follows_san_only() -> None:
    """The textbook's example: frequent after one word, so seldom expected elsewhere."""
    san, francisco, glasses, *others = range(10)
    documents = [[san, francisco]] * 20 + [[other, glasses] for other in others]
    model = KneserNey(2, discount=0.75).fit(documents, vocab_size=11)
    assert model.next_probs([san]).argmax() == francisco
    unseen = model.next_probs([glasses])
    assert unseen[glasses] > 3 * unseen[francisco]
    counted = NGram(1).fit(documents, vocab_size=11).next_probs()
    assert counted[francisco] > counted[glasses]


class ByDefinition:
    """Chen and Goodman's formulas, word for word, slow, from lists of n-grams."""

    def __init__(self, documents: list[list[int]], n: int, vocab_size: int) -> None:
        self.n, self.vocab_size = n, vocab_size
        end = vocab_size - 1
        marked = [[end, *document, end] for document in documents]
        self.grams = {
            m: [tuple(d[i : i + m]) for d in marked for i in range(len(d) - m + 1)]
            for m in range(1, n + 1)
        }
        self.end = end
        self.count = {m: self.counted(m) for m in range(1, n + 1)}

    def counted(self, m: int) -> dict[tuple, int]:
        """Occurrences at the top and at a document's start, else left neighbours."""
        counts = {}
        for gram in set(self.grams[m]):
            if m == self.n or (m > 1 and gram[0] == self.end):
                counts[gram] = self.grams[m].count(gram)
            else:  # the start token itself is never predicted: nothing is before it
                longer = {g for g in self.grams[m + 1] if g[1:] == gram}
                counts[gram] = len(longer)
        return {gram: count for gram, count in counts.items() if count}

    def discount(self, m: int, count: int) -> float:
        sizes = Counter(self.count[m].values())
        y = sizes[1] / (sizes[1] + 2 * sizes[2])
        i = min(count, 3)
        return i - (i + 1) * y * sizes[i + 1] / sizes[i]

    def prob(self, context: tuple, token: int) -> float:
        m = len(context) + 1
        shorter = (
            self.prob(context[1:], token) if context else Fraction(1, self.vocab_size)
        )
        counts = {g[-1]: c for g, c in self.count[m].items() if g[:-1] == context}
        total = sum(counts.values())
        if not total:
            return shorter
        seen = counts.get(token, 0)
        kept = max(seen - self.discount(m, seen), 0) if seen else 0
        gamma = sum(self.discount(m, c) for c in counts.values()) / total
        return kept / total + gamma * float(shorter)


@pytest.mark.parametrize("n", [2, 3, 4])
def test_modified_kneser_ney_agrees_with_its_definition(n: int) -> None:
    """Oracle: the formulas with three discounts, computed without any table."""
    documents = stories(seed=3, n=60)
    model = KneserNey(n).fit(documents, vocab_size=31)
    naive = ByDefinition(documents, n, vocab_size=31)
    for m, estimated in enumerate(model.discounts, start=1):
        assert estimated[1:] != (0.5, 1.0, 1.5)  # an estimate was possible
        assert estimated[1:] == pytest.approx([naive.discount(m, c) for c in (1, 2, 3)])
    rng = random.Random(0)
    for document in [*documents[:3], [rng.randrange(30) for _ in range(8)]]:
        for i in range(len(document) + 1):
            context = tuple([30, *document[:i]][-(n - 1) :])
            probs = model.next_probs(document[:i])
            for token in range(31):
                expected = naive.prob(context, token)
                assert probs[token] == pytest.approx(expected, rel=1e-9)


def test_discounts_without_estimate_fall_back() -> None:
    """Where all counts are 1, the estimate would divide by zero."""
    model = KneserNey(3).fit([[0, 1, 2]], vocab_size=4)
    assert model.discounts == [(0.0, 0.5, 1.0, 1.5)] * 3


def bits(model: LanguageModel, train: list, held_out: list) -> float:
    model.fit(train, vocab_size=31)
    return -sum(map(model.log_prob, held_out))


def test_longer_memory_helps_where_text_has_it() -> None:
    train, held_out = stories(seed=5, n=1500), stories(seed=5, n=1600)[1500:]
    models = [Uniform(), NGram(1, 0.01), NGram(2, 0.01), KneserNey(3), KneserNey(5)]
    found = [bits(model, train, held_out) for model in models]
    assert found[0] > found[1] > 1.2 * found[2] > 1.2 * 1.2 * found[3]
    assert found[4] < 1.1 * found[3]  # three tokens tell all, longer contexts no harm


def test_kneser_ney_beats_adding_k_where_text_is_scarce() -> None:
    """Chen and Goodman's finding, for each k."""
    train, held_out = stories(seed=5, n=100), stories(seed=5, n=300)[100:]
    best = min(bits(NGram(3, k), train, held_out) for k in (1, 0.1, 0.03, 0.01, 0.001))
    assert bits(KneserNey(3, discount=0.5), train, held_out) < 0.95 * best


@pytest.mark.parametrize("n", [1, 2, 5])
def test_samples_follow_the_probabilities(n: int) -> None:
    """The share of each first token, within four standard errors."""
    model = KneserNey(n).fit(stories(seed=1, n=50), vocab_size=31)
    rng = np.random.default_rng(0)
    firsts = [model.sample(rng, max_tokens=1) for _ in range(2000)]
    shares = Counter(ids[0] if ids else 30 for ids in firsts)
    for token, prob in enumerate(model.next_probs()):
        error = 4 * math.sqrt(prob * (1 - prob) / 2000)
        assert abs(shares[token] / 2000 - prob) < error


def test_samples_go_on_from_a_start_and_end() -> None:
    model = NGram(2).fit([[0, 1, 2]], vocab_size=4)
    assert model.sample(random.Random(0), max_tokens=9) == [0, 1, 2]
    assert model.sample(random.Random(0), max_tokens=9, start=[2, 1]) == [2, 1, 2]
    assert model.sample(random.Random(0), max_tokens=3) == [0, 1, 2]  # cut
    assert model.sample(random.Random(0), max_tokens=0, start=[1]) == [1]


def test_samples_are_those_of_the_seed() -> None:
    model = KneserNey(3).fit(stories(seed=2, n=50), vocab_size=31)
    for source in (random.Random, np.random.default_rng):
        first, again, other = (
            [model.sample(rng, max_tokens=20) for _ in range(5)]
            for rng in (source(1), source(1), source(2))
        )
        assert first == again != other


def test_end_token_may_have_any_id() -> None:
    last = KneserNey(3).fit([[0, 1], [1, 2]], vocab_size=4)
    first = KneserNey(3).fit([[1, 2], [2, 3]], vocab_size=4, end=0)
    assert first.log_prob([1, 2, 3]) == last.log_prob([0, 1, 2])
    assert repr(first) == "KneserNey(n=3, 4 tokens)"
    assert repr(NGram(2)) == "NGram(n=2, not fitted)"


@pytest.mark.parametrize("model", [NGram(2, k=1), KneserNey(3)], ids=repr)
def test_fitting_again_forgets(model: LanguageModel) -> None:
    fresh = model.fit(np.array([[1, 2]]), vocab_size=4).log_prob(np.array([1, 2]))
    model.fit([[1, 1], [0, 3]], vocab_size=9)
    assert model.log_prob([1, 2]) != fresh
    assert model.fit([[1, 2]], vocab_size=4).log_prob([1, 2]) == fresh


def test_mistakes_are_named() -> None:
    for wrong in (lambda: NGram(0), lambda: KneserNey(0)):
        with pytest.raises(ValueError, match=r"unigram\) or more, got 0"):
            wrong()
    with pytest.raises(ValueError, match=r"k must be 0 or more, got -1"):
        NGram(2, k=-1)
    with pytest.raises(ValueError, match=r"0 \.\.\. 1, got 2"):
        KneserNey(2, discount=2)
    with pytest.raises(ValueError, match=r"isn't fitted; call fit"):
        NGram(2).log_prob([1])
    with pytest.raises(ValueError, match="no document"):
        NGram(2).fit([], vocab_size=3)
    with pytest.raises(TypeError, match="give fit a list of documents"):
        NGram(2).fit([0, 1], vocab_size=3)
    with pytest.raises(TypeError, match="encode texts first"):
        NGram(2).fit(["a text"], vocab_size=3)
    with pytest.raises(ValueError, match="holds the end token 2"):
        NGram(2).fit([[0, 2]], vocab_size=3)
    with pytest.raises(ValueError, match=r"0 \.\.\. 2 .*got 0 \.\.\. 3"):
        NGram(2).fit([[0, 3]], vocab_size=3)
    with pytest.raises(ValueError, match="one of the vocab_size=3 ids, got 3"):
        NGram(2).fit([[0]], vocab_size=3, end=3)
    with pytest.raises(ValueError, match="max_tokens must be 0 or more"):
        Uniform().fit([[0]], vocab_size=3).sample(random.Random(0), max_tokens=-1)
