"""Heads that were planted are found, and chance and recency are not taken for one."""

import math

import numpy as np
import pytest
import torch
from random_models import random_gpt2

from llmbook_utils.evaluation import heads
from llmbook_utils.evaluation.heads import (
    PronounCase,
    attention_maps,
    attention_shares,
    induction_attention,
    induction_scores,
    pronoun_scores,
    token_positions,
)


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
        heads, "attention_maps", lambda *a: seen.append(a[1]) or planted(*a)
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
