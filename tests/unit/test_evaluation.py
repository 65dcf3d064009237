"""Bits and shares, with intervals that hold."""

import math
from itertools import pairwise

import numpy as np
import pytest
import torch
from random_models import random_gpt2

from llmbook_utils.evaluation.bits import neural_bits
from llmbook_utils.evaluation.intervals import (
    compare_bits,
    proportion_interval,
    ratio_interval,
)
from llmbook_utils.models.attention.gpt import GPT, GPTConfig
from llmbook_utils.models.language_model import end_id
from llmbook_utils.text.bpe import BytePairTokenizer

TEXTS = ["Tom takes the lamp.\n", "", "The lamp is in the shed.\n" * 3, "Mia 说话 🙂."]


@pytest.fixture(scope="module")
def tokenizer() -> BytePairTokenizer:
    return BytePairTokenizer.train(TEXTS, vocab_size=270)


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


def test_intervals_shrink_with_the_root_of_n() -> None:
    x = np.tile([1.0, 2, 3, 4], 100)
    widths = [
        found.high - found.low
        for found in (ratio_interval(x[:n], np.ones(n)) for n in (16, 64, 256))
    ]
    for wide, narrow in pairwise(widths):
        assert 1.9 < wide / narrow < 2.3
