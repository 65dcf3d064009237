"""Bits and shares with intervals that hold, and heads that were planted."""

import math
from itertools import pairwise

import numpy as np
import pytest
import torch
from transformers import GPT2Config, GPT2LMHeadModel

from llmbook_utils import evaluation
from llmbook_utils.bpe import BytePairTokenizer
from llmbook_utils.evaluation import (
    PronounCase,
    attention_maps,
    attention_shares,
    compare_bits,
    end_id,
    induction_attention,
    induction_scores,
    neural_bits,
    pronoun_scores,
    proportion_interval,
    ratio_interval,
    token_positions,
)
from llmbook_utils.models.gpt import GPT, GPTConfig

TEXTS = ["Tom takes the lamp.\n", "", "The lamp is in the shed.\n" * 3, "Mia 说话 🙂."]


@pytest.fixture(scope="module")
def tokenizer() -> BytePairTokenizer:
    return BytePairTokenizer.train(TEXTS, vocab_size=270)


def random_gpt2(vocab_size: int = 270) -> GPT2LMHeadModel:
    """Two layers of three heads, far from uniform."""
    torch.manual_seed(0)
    config = GPT2Config(
        vocab_size=vocab_size,
        n_positions=96,
        n_embd=24,
        n_layer=2,
        n_head=3,
        initializer_range=0.5,
    )
    return GPT2LMHeadModel(config)


# -- intervals ---------------------------------------------------------------------


def test_ratio_interval_by_hand() -> None:
    """Totals 60 / 200 = 0.3; residuals 0, -5, 5 have squares of sum 50.

    The variance is 50 * 3/2 / 200**2 = 0.001875, its root 0.043301; Student's 97.5%
    point for 2 degrees of freedom is 4.302653: the margin is 0.18631.
    """
    found = ratio_interval([30, 10, 20], [100, 50, 50])
    assert found.value == pytest.approx(0.3)
    assert found.low == pytest.approx(0.3 - 0.18631, abs=1e-5)
    assert found.high == pytest.approx(0.3 + 0.18631, abs=1e-5)
    assert str(found) == "0.300 (0.114 to 0.486)"


def test_ratio_interval_is_the_mean_where_denominators_are_equal() -> None:
    """Oracle: scipy's t interval of a mean."""
    from scipy import stats

    x = np.random.default_rng(0).normal(5, 2, 20)
    low, high = stats.t.interval(0.9, 19, x.mean(), stats.sem(x))
    found = ratio_interval(x, np.ones(20), confidence=0.9)
    assert (found.low, found.high) == pytest.approx((low, high))


@pytest.mark.parametrize("n", [20, 200])
def test_ratio_interval_covers_the_truth_as_often_as_it_says(n: int) -> None:
    """1,000 samples of skewed stories of varied length; three errors are 2%.

    Bits are a rate times the length plus noise that grows with it, and a fixed cost,
    so that the ratio is neither the mean of ratios nor the rate.
    """
    rng = np.random.default_rng(1)
    truth = (0.3 * 600 + 12) / 600
    hits = 0
    for _ in range(1000):
        length = rng.gamma(9, 600 / 9, n)
        bits = 12 + length * 0.3 * rng.gamma(8, 1 / 8, n)
        found = ratio_interval(bits, length)
        hits += found.low <= truth <= found.high
    assert 0.925 < hits / 1000 < 0.975


def test_pairing_with_the_floor_narrows_the_interval() -> None:
    rng = np.random.default_rng(2)
    characters = rng.integers(300, 900, 200)
    floor = characters * rng.gamma(30, 0.22 / 30, 200)
    bits = floor + characters * rng.normal(0.02, 0.01, 200)
    found = compare_bits(bits, floor, characters)
    assert found.excess.value == pytest.approx(found.bits.value - found.floor.value)
    assert found.relative.value == pytest.approx(found.excess.value / found.floor.value)
    assert found.excess.low < 0.02 < found.excess.high
    width = found.excess.high - found.excess.low
    assert width < (found.bits.high - found.bits.low) / 3


def test_wilson_interval_by_hand() -> None:
    """For 0 of n it is 0 to z**2 / (n + z**2), and mirrored for n of n."""
    z2 = 1.959964**2
    found = proportion_interval(0, 100)
    assert (found.low, found.high) == pytest.approx((0, z2 / (100 + z2)), abs=1e-6)
    mirrored = proportion_interval(100, 100)
    assert mirrored.low == pytest.approx(100 / (100 + z2), abs=1e-6)
    assert (mirrored.value, mirrored.high) == pytest.approx((1, 1))


def test_impossible_counts_and_lengths_are_refused() -> None:
    for wrong in ((3, 2), (-1, 2), (0, 0)):
        with pytest.raises(ValueError, match=rf"got {wrong[0]}/{wrong[1]}"):
            proportion_interval(*wrong)
    with pytest.raises(ValueError, match=r"\(2,\).*\(3,\).*same length"):
        ratio_interval([1, 2], [1, 2, 3])
    with pytest.raises(ValueError, match="two stories or more"):
        ratio_interval([1], [1])
    with pytest.raises(ValueError, match="positive sum"):
        ratio_interval([1, 1], [0, 0])
    with pytest.raises(ValueError, match="between 0 and 1, got 95"):
        ratio_interval([1, 1], [1, 1], confidence=95)


# -- bits of neural models ---------------------------------------------------------


@torch.no_grad()
def test_neural_bits_are_those_of_transformers_loss(
    tokenizer: BytePairTokenizer,
) -> None:
    """Oracle: the model's own mean loss in nats, one text at a time, times length."""
    model = random_gpt2().eval()
    expected = []
    for text in TEXTS:
        ids = torch.tensor([[0, *tokenizer.encode(text), 0]])
        loss = model(ids, labels=ids).loss.item()
        expected.append(loss * (ids.numel() - 1) / math.log(2))
    for batch_size in (1, 3, 16):
        bits = neural_bits(model, tokenizer, TEXTS, batch_size)
        np.testing.assert_allclose(bits, expected, rtol=1e-5)
    fast = tokenizer.to_transformers()
    np.testing.assert_allclose(neural_bits(model, fast, TEXTS), bits, rtol=1e-5)


@torch.no_grad()
def test_neural_bits_of_our_gpt_are_a_sum_over_tokens(
    tokenizer: BytePairTokenizer,
) -> None:
    torch.manual_seed(0)
    model = GPT(GPTConfig(270, block_size=96, n_layer=1, n_head=2, n_embd=16))
    model.wte.weight.mul_(50)  # far from uniform
    expected = []
    for text in TEXTS:
        ids = [0, *tokenizer.encode(text), 0]
        probs = model(torch.tensor([ids[:-1]]))[0].double().softmax(-1)
        expected.append(-sum(probs[i, t].log2() for i, t in enumerate(ids[1:])).item())
    np.testing.assert_allclose(neural_bits(model, tokenizer, TEXTS), expected, 1e-4)


def test_neural_bits_measure_without_dropout_and_leave_the_mode(
    tokenizer: BytePairTokenizer,
) -> None:
    model = random_gpt2().train()  # GPT-2 drops a tenth when it trains
    first, again = (neural_bits(model, tokenizer, TEXTS) for _ in range(2))
    assert (first == again).all() and model.training
    assert neural_bits(model, tokenizer, []).shape == (0,)


def test_text_beyond_the_context_is_refused(tokenizer: BytePairTokenizer) -> None:
    with pytest.raises(ValueError, match=r"needs \d+ positions and the model has 96"):
        neural_bits(random_gpt2(), tokenizer, ["说" * 40])
    assert len(tokenizer.encode("ab" * 48)) == 96  # one less fits, with the start token
    with pytest.raises(ValueError, match="needs 97 positions"):
        neural_bits(random_gpt2(), tokenizer, ["ab" * 48])
    neural_bits(random_gpt2(), tokenizer, ["ab" * 47 + "a"])


def test_end_token_is_found(tokenizer: BytePairTokenizer) -> None:
    assert end_id(tokenizer) == end_id(tokenizer.to_transformers()) == 0
    without = BytePairTokenizer.train(TEXTS, vocab_size=260, special_tokens=())
    with pytest.raises(ValueError, match="no end token"):
        end_id(without)


# -- attention heads ---------------------------------------------------------------


def even_attention(T: int, n_layer: int = 2, n_head: int = 3) -> np.ndarray:
    """Each query looks at itself and all before it alike."""
    rows = np.tril(np.ones((T, T))) / np.arange(1, T + 1)[:, None]
    return np.tile(rows, (n_layer, n_head, 1, 1))


@torch.no_grad()
def test_attention_maps_are_the_model_s_and_leave_it_as_it_was() -> None:
    """By hand for the first layer: softmax of scaled, masked products."""
    model = random_gpt2().train()
    kind = model.config._attn_implementation
    ids = [5, 9, 5, 200]
    maps = attention_maps(model, ids)
    assert maps.shape == (2, 3, 4, 4)
    np.testing.assert_allclose(maps.sum(-1), 1, rtol=1e-5)
    assert (np.triu(maps, 1) == 0).all()
    gpt = model.transformer
    x = gpt.h[0].ln_1(gpt.wte.weight[ids] + gpt.wpe.weight[:4])
    q, k, _ = gpt.h[0].attn.c_attn(x).view(4, 3, 3, 8).permute(1, 2, 0, 3)
    scores = q @ k.transpose(1, 2) / math.sqrt(8)
    scores = scores.masked_fill(torch.ones(4, 4).triu(1).bool(), -torch.inf)
    np.testing.assert_allclose(maps[0], scores.softmax(-1), atol=1e-5)
    assert model.training and model.config._attn_implementation == kind


def test_attention_shares_add_up_the_keys() -> None:
    attention = even_attention(4)
    attention[1, 2, 3] = [0.5, 0.1, 0.4, 0]
    shares = attention_shares(attention, [3, 1], [[0, 2], [1]])
    assert shares.shape == (2, 2, 3)
    assert shares[0, 1, 2] == pytest.approx(0.9)
    assert shares[0, 0, 0] == pytest.approx(0.5) and shares[1, 0, 0] == 0.5
    assert attention_shares(attention, [], []).shape == (0, 2, 3)
    with pytest.raises(ValueError, match="shorter"):
        attention_shares(attention, [3, 1], [[0]])


def test_induction_attention_by_hand() -> None:
    """Start, a b c, a b c: the second a (4) looks at b (2), b at c, c at the new a."""
    attention = even_attention(7)
    for query, key in ((4, 2), (5, 3), (6, 4)):
        attention[1, 0, query] = np.eye(7)[key]
    scores = induction_attention(attention, period=3, first=1)
    assert scores[1, 0] == 1
    assert scores[0, 0] == pytest.approx((1 / 5 + 1 / 6 + 1 / 7) / 3)


def planted(model: object, ids: list[int]) -> np.ndarray:
    """One layer, two heads: induction, and looking 9 tokens back."""
    assert ids[0] == 99
    attention = np.zeros((1, 2, len(ids), len(ids)))
    for query, token in enumerate(ids):
        earlier = [i for i in range(query) if ids[i] == token]
        attention[0, 0, query, earlier[-1] + 1 if earlier else 0] = 1
        attention[0, 1, query, max(0, query - 9)] = 1
    return attention


def test_induction_scores_find_the_planted_head(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A head that looks back by a fixed distance scores in one period only."""
    seen = []
    monkeypatch.setattr(
        evaluation, "attention_maps", lambda *a: seen.append(a[1]) or planted(*a)
    )
    scores = induction_scores(
        random_gpt2(), range(3, 60), start=[99], periods=[5, 10, 20, 40], repeats=2
    )
    assert scores.tolist() == [[1, 0.25]]
    assert [len(ids) for ids in seen] == [11, 11, 21, 21, 41, 41, 81, 81]
    for ids in seen:
        once = ids[1 : len(ids) // 2 + 1]
        assert ids[1:] == once * 2 and len(set(once)) == len(once)
        assert set(once) <= set(range(3, 60))
    assert seen[0] != seen[1]


def test_induction_scores_of_a_random_model_are_small_and_repeatable() -> None:
    first, again = (
        induction_scores(random_gpt2(), range(270), periods=[8, 20], repeats=2)
        for _ in range(2)
    )
    assert first.shape == (2, 3) and (first == again).all()
    assert first.max() < 0.2


def test_periods_must_fit() -> None:
    model = random_gpt2()
    for ids, periods in ((range(9), [10]), (range(99), [49]), (range(99), [1])):
        with pytest.raises(ValueError, match=r"periods must lie in 2 \.\.\."):
            induction_scores(model, ids, periods=periods)


def test_token_positions_by_hand() -> None:
    pieces = ["Tom", " took", " the", " lamp", ".", " He"]
    text = "".join(pieces)
    for words, positions in {
        "Tom": (0,),
        " took": (1,),
        ".": (4,),
        "the lamp": (2, 3),
        "He": (5,),
        "amp. H": (3, 4, 5),
        text: (0, 1, 2, 3, 4, 5),
    }.items():
        at = text.index(words)
        span = (at, at + len(words))
        assert token_positions(pieces, span) == positions
        assert token_positions(pieces, span, first=1) == tuple(p + 1 for p in positions)
    for wrong in ((3, 3), (-1, 2), (20, len(text) + 1)):
        with pytest.raises(ValueError, match="is not within the text"):
            token_positions(pieces, wrong)


def stories_with_pronouns(
    n: int, seed: int = 0
) -> tuple[list[np.ndarray], list[list[PronounCase]]]:
    """Names of two tokens; a pronoun means the last (0.6 of the time) or another.

    Planted: head (1, 2) gives 0.7 to the right name, head (0, 1) 0.9 to the last.
    """
    rng = np.random.default_rng(seed)
    attentions, cases = [], []
    for _ in range(n):
        attention, found = even_attention(40), []
        for query in rng.choice(np.arange(20, 40), rng.integers(0, 4), replace=False):
            names = [(2, 3), (8, 9), (15, 16)]
            right = names[2] if rng.random() < 0.6 else names[rng.integers(2)]
            attention[1, 2, query] = attention[0, 1, query] = 0
            attention[1, 2, query, list(right)] = 0.35
            attention[0, 1, query, [15, 16]] = 0.45
            found.append(PronounCase(int(query), right, names[2]))
        attentions.append(attention)
        cases.append(found)
    return attentions, cases


def test_pronoun_scores_find_the_planted_head() -> None:
    attentions, cases = stories_with_pronouns(40)
    found = pronoun_scores(iter(attentions), iter(cases))
    assert (found.layer, found.head) == (1, 2)
    for share in (found.right, found.right_if_earlier):
        assert (share.value, share.low, share.high) == pytest.approx((0.7,) * 3)
    assert found.latest_if_earlier.value == 0
    assert found.by_head.shape == (2, 3)
    assert found.by_head_if_earlier[1, 2] == pytest.approx(0.7)
    # the head that looks at the last name is betrayed by the control
    assert found.by_head[0, 1] > 0.4 and found.by_head_if_earlier[0, 1] == 0


def test_recency_alone_fails_the_control() -> None:
    attentions, cases = stories_with_pronouns(40)
    for attention in attentions:
        attention[1, 2] = attention[0, 0]
    found = pronoun_scores(attentions, cases)
    assert (found.layer, found.head) == (0, 1)
    assert 0.4 < found.right.value < 0.7
    assert found.right_if_earlier.value == 0
    assert found.latest_if_earlier.value == pytest.approx(0.9)


def test_heads_are_scored_where_they_were_not_chosen() -> None:
    """Noise alone: the best of 50 heads looks good only where it was chosen.

    A pronoun's attention to 8 names is even on average, 1/8; its mean over half of
    the 80 stories has a standard error of 0.032.
    """
    rng = np.random.default_rng(0)
    attentions = rng.dirichlet(np.full(8, 0.2), (80, 10, 5, 9))  # (N, L, H, 9, 8)
    attentions = np.pad(attentions, [(0, 0)] * 4 + [(0, 1)])
    cases = [[PronounCase(8, (0,), (1,))]] * 80
    found = pronoun_scores(attentions, cases)
    where_chosen = 2 * attentions[:, :, :, 8, 0].mean(0) - found.by_head
    assert where_chosen.max() == pytest.approx(where_chosen[found.layer, found.head])
    assert where_chosen.max() > 0.18 and found.right.value < 0.16
    assert found.right.value == pytest.approx(found.by_head[found.layer, found.head])
    again, other = (pronoun_scores(attentions, cases, seed) for seed in (0, 1))
    assert (again.by_head == found.by_head).all()
    assert (other.by_head != found.by_head).any()


def test_interval_counts_stories_not_pronouns() -> None:
    """Ten pronouns of a story that are alike tell no more than one."""
    shares = np.random.default_rng(0).random(30)
    widths = []
    for times in (1, 10):
        attentions = [np.tile([[[[1, 0], [x, 1 - x]]]], (1, 1, 1, 1)) for x in shares]
        cases = [[PronounCase(1, (0,), (0,))] * times] * 30
        found = pronoun_scores(attentions, cases)
        widths.append(found.right.high - found.right.low)
        assert found.right_if_earlier is None and found.latest_if_earlier is None
    assert widths[0] == pytest.approx(widths[1])


def test_too_few_stories_are_refused() -> None:
    attentions, cases = stories_with_pronouns(3)
    with pytest.raises(ValueError, match=r"four stories with a pronoun .* got [0-3]"):
        pronoun_scores(attentions, cases)
    with pytest.raises(ValueError, match="four stories"):
        pronoun_scores([], [])


def test_intervals_shrink_with_the_root_of_n() -> None:
    x = np.tile([1.0, 2, 3, 4], 100)
    widths = [
        found.high - found.low
        for found in (ratio_interval(x[:n], np.ones(n)) for n in (16, 64, 256))
    ]
    for wide, narrow in pairwise(widths):
        assert 1.9 < wide / narrow < 2.3
