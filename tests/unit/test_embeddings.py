"""Word vectors against hand calculation, numpy, torch.distributions and autograd."""

import math
from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse
from torch.distributions import Independent, Normal, kl_divergence

from llmbook_utils.models.words.counting import (
    cooccurrence,
    ppmi,
    skipgram_pairs,
    svd_vectors,
)
from llmbook_utils.models.words.embeddings import (
    GaussianEmbedding,
    Glove,
    NegativeSampler,
    SkipGram,
)
from llmbook_utils.models.words.similarity import analogy, nearest, precision_at_k

IDS = st.lists(st.integers(0, 4), max_size=7)
DOCUMENTS = st.lists(IDS, min_size=1, max_size=4)


# counting


def count_slowly(documents: list, vocab_size: int, window: int, by_distance: bool):
    """The definition, word by word."""
    counts = np.zeros((vocab_size, vocab_size))
    for words in documents:
        for i, word in enumerate(words):
            for j, context in enumerate(words):
                if 0 < abs(i - j) <= window:
                    counts[word, context] += 1 / abs(i - j) if by_distance else 1
    return counts


@given(DOCUMENTS, st.integers(1, 9), st.booleans())
def test_cooccurrence_agrees_with_its_definition(
    documents: list[list[int]], window: int, by_distance: bool
) -> None:
    counts = cooccurrence(documents, 5, window, by_distance)
    expected = count_slowly(documents, 5, window, by_distance)
    np.testing.assert_allclose(counts.toarray(), expected, atol=1e-12)
    assert counts.dtype == np.float64


@given(DOCUMENTS, st.integers(1, 9))
def test_pairs_are_what_cooccurrence_counts(documents: list, window: int) -> None:
    pairs = skipgram_pairs(documents, window)
    counts = np.zeros((5, 5))
    np.add.at(counts, tuple(pairs.T), 1)
    np.testing.assert_array_equal(counts, cooccurrence(documents, 5, window).toarray())


def test_windows_do_not_cross_documents() -> None:
    assert cooccurrence([[0, 1], [2, 3]], 4, window=5)[[1], [2]].sum() == 0
    assert len(skipgram_pairs([[0], [1], [2]], window=3)) == 0


@pytest.mark.parametrize("function", [skipgram_pairs, cooccurrence])
def test_windows_that_cannot_be_are_refused(function) -> None:
    size = (3,) if function is cooccurrence else ()
    with pytest.raises(ValueError, match="window must be 1 word or more, got 0"):
        function([[0, 1]], *size, window=0)
    with pytest.raises(ValueError, match="documents is empty"):
        function([], *size, window=2)


def test_ids_outside_the_vocabulary_are_refused() -> None:
    for wrong in (3, -1):
        with pytest.raises(ValueError, match=r"0 \.\.\. 2, got .*vocab_size=len"):
            cooccurrence([[0, wrong]], 3, window=1)


def test_ppmi_of_three_sentences_by_hand() -> None:
    """'the cat sat', 'the dog sat', 'a cat ran', window 1.

    Pairs, both ways: the-cat, cat-sat, the-dog, dog-sat, a-cat, cat-ran: 12 in all.
    Sums: cat 4; the, sat, dog 2; a, ran 1. PMI(the, cat) = log (1/12) / (2/12 4/12)
    = log 1.5; PMI(the, dog) = log 3; PMI(a, cat) = log 3.
    """
    the, cat, sat, dog, a, ran = range(6)
    counts = cooccurrence([[the, cat, sat], [the, dog, sat], [a, cat, ran]], 6, 1)
    assert counts.sum(axis=1).tolist() == [2, 4, 2, 2, 1, 1]
    result = ppmi(counts).toarray()
    assert result[the, cat] == pytest.approx(math.log(1.5), abs=1e-12)
    assert result[the, dog] == pytest.approx(math.log(3), abs=1e-12)
    assert result[a, cat] == result[cat, a] == pytest.approx(math.log(3), abs=1e-12)
    assert result[the, sat] == 0  # never together
    # contexts smoothed with the power 0.5: p(cat) = 2 / (2 + 3 sqrt(2) + 2)
    smooth = ppmi(counts, smoothing=0.5)
    p_cat = 2 / (4 + 3 * math.sqrt(2))
    expected = math.log((1 / 12) / (2 / 12 * p_cat))
    assert smooth[the, cat] == pytest.approx(expected, abs=1e-12)


def test_ppmi_agrees_with_dense_numpy() -> None:
    rng = np.random.default_rng(0)
    counts = rng.poisson(0.7, (30, 30)).astype(float)
    counts[3] = counts[:, 3] = 0  # a word without neighbours
    with np.errstate(divide="ignore", invalid="ignore"):
        expected = np.log(
            counts * counts.sum() / np.outer(counts.sum(axis=1), counts.sum(axis=0))
        )
    expected = np.maximum(np.nan_to_num(expected, nan=0, neginf=0), 0)
    result = ppmi(sparse.csr_array(counts))
    np.testing.assert_allclose(result.toarray(), expected, atol=1e-12)


def test_ppmi_survives_stored_zeros() -> None:
    counts = sparse.csr_array(([2.0, 0.0, 2.0], ([0, 0, 1], [1, 0, 0])), shape=(2, 2))
    assert np.isfinite(ppmi(counts).toarray()).all()


def test_ppmi_refuses_empty_counts() -> None:
    with pytest.raises(ValueError, match="positive sum"):
        ppmi(sparse.csr_array((3, 3)))


@pytest.mark.parametrize("form", [np.asarray, sparse.csr_array])
def test_svd_agrees_with_numpy(form) -> None:
    """Oracle: `numpy.linalg.svd`, up to the sign of a column."""
    matrix = np.random.default_rng(0).standard_normal((40, 25))
    u, s, _ = np.linalg.svd(matrix, full_matrices=False)
    vectors = svd_vectors(form(matrix), 6)
    np.testing.assert_allclose(abs(vectors), abs(u[:, :6] * s[:6]), atol=1e-9)


def test_svd_is_repeatable_and_its_sign_is_fixed() -> None:
    matrix = np.random.default_rng(1).standard_normal((30, 30))
    vectors = svd_vectors(matrix, 5)
    assert (vectors == svd_vectors(matrix, 5)).all()
    np.testing.assert_allclose(svd_vectors(-matrix, 5), vectors, atol=1e-9)
    assert (np.take_along_axis(vectors, abs(vectors).argmax(0)[None], 0) > 0).all()
    lengths = np.linalg.norm(vectors, axis=0)
    assert all(a > b for a, b in pairwise(lengths))


def test_svd_refuses_too_many_dimensions() -> None:
    for wrong in (0, 3):
        with pytest.raises(ValueError, match=rf"1 \.\.\. 2 .*got {wrong}"):
            svd_vectors(np.eye(3), wrong)


# skip-gram


def test_noise_follows_counts_to_the_power() -> None:
    counts = np.array([625, 81, 16, 1, 0])
    sampler = NegativeSampler(counts)
    weights = np.array([125, 27, 8, 1, 0])  # fourth roots 5, 3, 2, 1, cubed
    np.testing.assert_allclose(sampler.probs, weights / 161, atol=1e-12)
    generator = torch.Generator().manual_seed(0)
    drawn = sampler.sample((100, 1000), generator)
    assert drawn.shape == (100, 1000) and drawn.dtype == torch.int64
    shares = np.bincount(drawn.ravel(), minlength=5) / 100_000
    np.testing.assert_allclose(shares, weights / 161, atol=0.005)
    assert shares[4] == 0


def test_noise_is_repeatable_with_a_generator() -> None:
    sampler = NegativeSampler([5, 3, 2], power=1)
    draws = [sampler.sample(50, torch.Generator().manual_seed(3)) for _ in range(2)]
    assert draws[0].tolist() == draws[1].tolist()


def test_words_that_never_occur_are_no_noise_even_at_power_0() -> None:
    assert NegativeSampler([0, 2, 7], power=0).probs.tolist() == [0, 0.5, 0.5]


@pytest.mark.parametrize("counts", [[0, 0], [1, -1], [[1, 2]], []])
def test_counts_that_are_no_counts_are_refused(counts: list) -> None:
    with pytest.raises(ValueError, match="one number for each word"):
        NegativeSampler(counts)


def test_skipgram_loss_and_gradient_by_hand() -> None:
    """One pair, k noise words: dL/du = -(1 - s(u.v)) v + sum s(u.n) n, and so on."""
    torch.manual_seed(0)
    model = SkipGram(vocab_size=6, n_embd=4).double()
    torch.nn.init.normal_(model.input.weight)
    torch.nn.init.normal_(model.output.weight)
    noise = torch.tensor([3, 5, 3])  # a noise word may come twice
    loss = model.loss(torch.tensor([1]), torch.tensor([2]), noise, k=3)
    loss.backward()

    u, table = model.vectors()[1], model.output.weight.detach().numpy()
    v, n = table[2], table[noise]
    s_pos, s_neg = 1 / (1 + np.exp(-u @ v)), 1 / (1 + np.exp(-n @ u))
    by_hand = -np.log(s_pos) - np.log(1 - s_neg).sum()
    assert loss.item() == pytest.approx(by_hand, abs=1e-12)

    grad_u = -(1 - s_pos) * v + s_neg @ n
    grad_table = np.zeros_like(table)
    grad_table[2] = -(1 - s_pos) * u
    np.add.at(grad_table, noise.numpy(), s_neg[:, None] * u)
    np.testing.assert_allclose(model.input.weight.grad[1], grad_u, atol=1e-10)
    np.testing.assert_allclose(model.output.weight.grad, grad_table, atol=1e-10)
    assert model.input.weight.grad[[0, 2, 3, 4, 5]].abs().max() == 0


def test_skipgram_batch_is_the_mean_of_its_pairs() -> None:
    """Shared noise: K draws stand for k, the same for all pairs."""
    torch.manual_seed(0)
    model = SkipGram(vocab_size=6, n_embd=4).double()
    torch.nn.init.normal_(model.output.weight)
    center, context = torch.tensor([0, 1, 2]), torch.tensor([3, 4, 5])
    noise = torch.tensor([1, 1, 2, 5])
    one_by_one = [
        model.loss(center[[i]], context[[i]], noise[[j]], k=5)
        for i in range(3)
        for j in range(4)
    ]
    together = model.loss(center, context, noise, k=5)
    torch.testing.assert_close(together, torch.stack(one_by_one).mean())


def test_skipgram_tends_to_shifted_pmi() -> None:
    """Levy & Goldberg (2014): with room enough, u.v ends at PMI - log k."""
    torch.manual_seed(0)
    counts = torch.tensor([[4.0, 2.0, 1.0], [2.0, 1.0, 3.0], [1.0, 3.0, 2.0]]).double()
    k, total = 2, counts.sum()
    p_word = counts.sum(1) / total
    model = SkipGram(vocab_size=3, n_embd=3).double()
    torch.nn.init.normal_(model.output.weight)
    optimizer = torch.optim.LBFGS(model.parameters(), max_iter=500, tolerance_change=0)
    every = torch.arange(3)

    def closure() -> torch.Tensor:
        # the expected loss: noise drawn from the words' own frequencies
        optimizer.zero_grad()
        loss = sum(
            counts[w, c]
            / total
            * p_word[n]
            * model.loss(every[[w]], every[[c]], every[[n]], k)
            for w in range(3)
            for c in range(3)
            for n in range(3)
        )
        loss.backward()
        return loss

    optimizer.step(closure)
    scores = (model.input.weight @ model.output.weight.T).detach()
    pmi = (counts / total / torch.outer(p_word, p_word)).log()
    torch.testing.assert_close(scores, pmi - math.log(k), atol=1e-3, rtol=0)


# GloVe


def test_glove_loss_by_hand() -> None:
    """Counts 50 and 400 with x_max 100: weights 0.5 ** 0.75 and 1."""
    torch.manual_seed(0)
    model = Glove(vocab_size=3, n_embd=2).double()
    row, col = torch.tensor([0, 1]), torch.tensor([2, 0])
    count = torch.tensor([50.0, 400.0]).double()
    word, context, b_word, b_context = (p.detach().numpy() for p in model.parameters())
    first = word[0] @ context[2] + b_word[0, 0] + b_context[2, 0] - math.log(50)
    second = word[1] @ context[0] + b_word[1, 0] + b_context[0, 0] - math.log(400)
    expected = (0.5**0.75 * first**2 + second**2) / 2
    assert model.loss(row, col, count).item() == pytest.approx(expected, abs=1e-12)
    np.testing.assert_allclose(model.vectors(), word + context)


# Gaussians


def gaussian(model: GaussianEmbedding, ids: torch.Tensor, context: bool = False):
    """The same Gaussians as torch.distributions has them."""
    mean = model.context_mean if context else model.mean
    spread = model.context_spread if context else model.spread
    low, high = (math.log(bound) for bound in model.bounds)
    var = (low + (high - low) * torch.sigmoid(spread(ids))).exp()
    return Independent(Normal(mean(ids), var.sqrt().expand_as(mean(ids))), 1)


def make_gaussian(energy: str, spherical: bool) -> GaussianEmbedding:
    torch.manual_seed(0)
    model = GaussianEmbedding(7, 3, energy, spherical, bounds=(0.1, 5.0)).double()
    for table in model.children():
        torch.nn.init.normal_(table.weight)
    return model


@pytest.mark.parametrize("spherical", [True, False])
def test_gaussian_kl_agrees_with_torch(spherical: bool) -> None:
    model = make_gaussian("kl", spherical)
    word, context = torch.tensor([0, 1, 2]), torch.tensor([4, 5, 2])
    expected = -kl_divergence(gaussian(model, context, True), gaussian(model, word))
    torch.testing.assert_close(model.energy(word, context), expected)


@pytest.mark.parametrize("spherical", [True, False])
def test_gaussian_overlap_agrees_with_torch(spherical: bool) -> None:
    """The integral of N_w N_c is the density of N(0; m_w - m_c, var_w + var_c)."""
    model = make_gaussian("likelihood", spherical)
    word, context = torch.tensor([0, 1, 2]), torch.tensor([4, 5, 2])
    w, c = gaussian(model, word), gaussian(model, context, True)
    total = Normal(w.mean - c.mean, (w.variance + c.variance).sqrt())
    expected = total.log_prob(torch.zeros(3, 3).double()).sum(dim=1)
    torch.testing.assert_close(model.energy(word, context), expected)


def test_gaussian_loss_is_a_margin() -> None:
    model = make_gaussian("likelihood", True)
    word, context, noise = torch.tensor([[0, 1], [2, 3], [4, 5]])
    good, bad = model.energy(word, context), model.energy(word, noise)
    gains = (good - bad).tolist()
    expected = sum(max(0, 2.0 - gain) for gain in gains) / 2
    assert model.loss(word, context, noise, 2.0).item() == pytest.approx(expected)
    assert model.loss(word, context, noise, margin=min(gains) - 1).item() == 0


def test_gaussian_variances_stay_within_their_bounds() -> None:
    model = GaussianEmbedding(4, 3, bounds=(0.1, 10.0))
    np.testing.assert_allclose(model.variances(), 1.0)  # the middle, in logarithm
    with torch.no_grad():
        model.spread.weight[:, 0] = torch.tensor([-1e4, -1.0, 1.0, 1e4])
    variances = model.variances()[:, 0]
    assert (np.diff(variances) > 0).all()
    np.testing.assert_allclose(variances[[0, 3]], [0.1, 10.0], rtol=1e-5)


def test_a_word_with_two_distant_contexts_becomes_wide() -> None:
    """Words 0 and 1 are alike but for the contexts they are seen with."""
    model = GaussianEmbedding(2, 2, energy="kl").double()
    contexts = torch.tensor([[2.0, 0.0], [-2.0, 0.0]]).double()
    with torch.no_grad():
        model.mean.weight.zero_()
        model.context_mean.weight.copy_(contexts)
    optimizer = torch.optim.SGD([model.mean.weight, model.spread.weight], lr=0.1)
    word, context = torch.tensor([0, 0, 1, 1]), torch.tensor([0, 1, 0, 0])
    for _ in range(500):
        optimizer.zero_grad()
        (-model.energy(word, context)).mean().backward()
        optimizer.step()
    wide, narrow = model.variances()[:, 0]
    # by hand: variance of a context, 1, plus mean squared distance / 2 dimensions
    assert wide == pytest.approx(3.0, abs=0.01)
    assert narrow == pytest.approx(1.0, abs=0.01)


def test_gaussian_refuses_what_it_does_not_know() -> None:
    with pytest.raises(ValueError, match="'KL'"):
        GaussianEmbedding(3, 2, energy="KL")
    with pytest.raises(ValueError, match="low < high"):
        GaussianEmbedding(3, 2, bounds=(1.0, 1.0))


def test_models_name_their_tables_and_print_nothing(capsys) -> None:
    for model in (SkipGram(5, 2), Glove(5, 2), GaussianEmbedding(5, 2)):
        assert model.vectors().shape == (5, 2)
        assert "Embedding(5, 2)" in repr(model)
    assert capsys.readouterr() == ("", "")
    assert repr(NegativeSampler([1, 2])) == "NegativeSampler(2 words, power=0.75)"


# neighbours


@pytest.mark.parametrize("form", [np.asarray, sparse.csr_array])
def test_nearest_agrees_with_sorting_all_cosines(form) -> None:
    vectors = np.random.default_rng(0).standard_normal((20, 5))
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    cosines = unit @ unit[7]
    expected = [i for i in np.argsort(-cosines) if i != 7][:6]
    ids, values = nearest(form(vectors), 7, 6)
    assert ids.tolist() == expected
    np.testing.assert_allclose(values, cosines[expected])


@given(st.floats(0.01, 100))
def test_nearest_does_not_depend_on_length(scale: float) -> None:
    vectors = np.random.default_rng(0).standard_normal((10, 4))
    scaled = vectors * np.where(np.arange(10) % 2, scale, 1)[:, None]
    assert nearest(scaled, 0, 5)[0].tolist() == nearest(vectors, 0, 5)[0].tolist()


def test_nearest_changes_nothing_and_survives_zero_vectors() -> None:
    vectors = np.array([[0.0, 0.0], [1.0, 1.0], [1.0, 0.0]])
    before = vectors.copy()
    assert np.isfinite(nearest(vectors, 1, 2)[1]).all()
    assert np.isfinite(nearest(vectors, 0, 2)[1]).all()
    assert (vectors == before).all()


def test_nearest_takes_whole_numbers_too() -> None:
    assert nearest(np.array([[1, 0], [0, 1], [2, 1]]), 0, 1)[0].tolist() == [2]


def test_equal_neighbours_come_by_id() -> None:
    assert nearest(np.ones((5, 3)), 2, 4)[0].tolist() == [0, 1, 3, 4]


@pytest.mark.parametrize("form", [np.asarray, sparse.csr_array])
def test_analogy_by_hand(form) -> None:
    """Columns: person, royal, female. Wrong signs find a lord, or a crowd."""
    people = [[1, 0, 0], [1, 0, 1], [1, 1, 0], [1, 1, 1]]
    vectors = np.array([*people, [0, 0, 1], [1, 1, -1], [3.4, 1, 1]])
    man, woman, king, queen, _she, _lord, _crowd = range(7)
    ids, _ = analogy(form(vectors.astype(float)), man, woman, king, k=2)
    assert ids[0] == queen
    assert not {man, woman, king} & set(ids.tolist())


def test_precision_at_k_by_hand() -> None:
    """Words on a circle at these degrees; k = 2, groups of 3.

    0, 10, 20 have each other. Of 90, 100, 180 the first two have each other and the
    stranger at 95; 180 has 100 and the stranger: 6 + 1 + 1 + 1 of 12.
    """
    degrees = np.radians([0, 10, 20, 90, 100, 180, 95])
    vectors = np.stack([np.cos(degrees), np.sin(degrees)], axis=1)
    groups = [[0, 1, 2], [3, 4, 5]]
    assert precision_at_k(vectors, groups, k=2) == pytest.approx(9 / 12)
    assert precision_at_k(sparse.csr_array(vectors), groups, 2) == pytest.approx(9 / 12)


def test_mistakes_about_neighbours_are_named() -> None:
    vectors = np.eye(4)
    with pytest.raises(ValueError, match=r"0 \.\.\. 3, got 4"):
        nearest(vectors, 4)
    with pytest.raises(ValueError, match=r"0 \.\.\. 3, got -1"):
        analogy(vectors, 0, 1, -1, k=1)
    with pytest.raises(ValueError, match=r"1 \.\.\. 3, got 4"):
        nearest(vectors, 0, k=4)
    with pytest.raises(ValueError, match=r"1 \.\.\. 1, got 2"):
        analogy(vectors, 0, 1, 2, k=2)
    with pytest.raises(ValueError, match="more than k=2 different words"):
        precision_at_k(vectors, [[0, 1]], k=2)
    with pytest.raises(ValueError, match="more than k=1 different words"):
        precision_at_k(vectors, [[0, 0]], k=1)
    with pytest.raises(ValueError, match="groups is empty"):
        precision_at_k(vectors, [], k=1)
    with pytest.raises(ValueError, match=r"shape \(V, C\), got \(4,\)"):
        nearest(np.ones(4), 0, 1)
