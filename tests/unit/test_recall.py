"""Recall of a name: the texts, what is seen inside, and that it can be learned."""

import pytest
import torch
from torch import nn

from llmbook_utils.experiments.recall import (
    FILLER,
    NAMES,
    WHO,
    WORDS,
    Recaller,
    accuracy,
    draw_texts,
    short_and_long,
    train_recaller,
)
from llmbook_utils.models.sequences.recurrent.stack import Recurrent

GATES = {
    "rnn": set(),
    "lstm": {"input", "forget", "output"},
    "gru": {"reset", "update"},
}


@pytest.mark.parametrize(("distance", "before"), [(1, 0), (5, 0), (9, 4)])
def test_texts_are_filler_name_filler_question(distance: int, before: int) -> None:
    ids, names = draw_texts(distance, 64, torch.Generator().manual_seed(0), before)
    assert ids.shape == (64, before + 1 + distance)
    assert (ids[:, before] == names).all() and (names < len(NAMES)).all()
    assert (ids[:, -1] == WHO).all() and WORDS[WHO] == "who?"
    rest = torch.cat([ids[:, :before], ids[:, before + 1 : -1]], dim=1)
    assert ((rest >= len(NAMES)) & (rest < WHO)).all()
    assert len(WORDS) == len(set(WORDS)) == len(NAMES) + len(FILLER) + 1


@pytest.mark.parametrize(("distance", "before"), [(0, 0), (3, -1)])
def test_impossible_texts_are_refused(distance: int, before: int) -> None:
    with pytest.raises(ValueError, match="distance must be 1 or more"):
        draw_texts(distance, 2, before=before)


def test_distances_are_spread_over_doublings() -> None:
    draws = torch.Generator().manual_seed(0)
    found = [short_and_long(draws) for _ in range(2000)]
    assert min(found) == 1 and max(found) == 100
    assert 0.45 < sum(d <= 10 for d in found) / len(found) < 0.58  # log 10.5 / log 100


@pytest.mark.parametrize("cell", GATES)
def test_what_is_seen_inside_is_what_the_network_does(cell: str) -> None:
    """Oracle: the forward pass that is trained, within 1e-6."""
    torch.manual_seed(0)
    model, (ids, _) = Recaller(cell, n_hidden=6), draw_texts(7, 1, before=2)
    seen = model.look_inside(ids[0])
    outputs, state = model.recurrent(model.embed(ids))
    assert torch.allclose(seen["p"], model.head(outputs[0]).softmax(-1), atol=1e-6)
    assert torch.allclose(seen["state"][-1], state[-1][-1, 0], atol=1e-6)
    assert torch.allclose(seen["p"][-1], model(ids)[0].softmax(-1), atol=1e-6)
    assert set(seen) == {"state", "p"} | GATES[cell]
    for gate in GATES[cell]:
        assert (
            seen[gate].shape == (10, 6) and 0 < seen[gate].min() < seen[gate].max() < 1
        )


def forget_bias(**given: float) -> torch.Tensor:
    torch.manual_seed(0)
    return Recaller("lstm", 5, **given).recurrent.layers[0].from_input.bias.detach()


def test_the_forget_bias_is_what_was_asked_for() -> None:
    """1, unless another is asked for, is what the package's layer has anyway."""
    torch.manual_seed(0)
    nn.Embedding(len(WORDS), 16)
    plain = Recurrent("lstm", 16, 5).layers[0].from_input.bias.detach()
    assert torch.equal(forget_bias(), plain)
    wanted = torch.tensor([0.0, 3, 0, 0]).repeat_interleave(5)
    assert torch.allclose(forget_bias(forget_bias=4) - plain, wanted)


def test_a_short_distance_is_learned() -> None:
    torch.manual_seed(0)
    model = Recaller("gru", n_hidden=16)
    losses = train_recaller(model, 3, steps=120)
    assert losses[-1] < 0.2 < losses[0] and accuracy(model, 3) > 0.95
