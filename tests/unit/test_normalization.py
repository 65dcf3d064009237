"""Dropout, batch norm and layer norm: against torch, and by hand."""

import numpy as np
import pytest
import torch
from torch import nn

from llmbook_utils.models.networks.normalization import (
    BatchNorm,
    Dropout,
    LayerNorm,
)
from llmbook_utils.runtime import set_seed

PAIRS = {
    "batch": (lambda: BatchNorm(7), lambda: nn.BatchNorm1d(7)),
    "batch, other settings": (
        lambda: BatchNorm(7, eps=1e-2, momentum=0.4),
        lambda: nn.BatchNorm1d(7, eps=1e-2, momentum=0.4),
    ),
    "layer": (lambda: LayerNorm(7), lambda: nn.LayerNorm(7)),
    "layer, other eps": (lambda: LayerNorm(7, 1e-2), lambda: nn.LayerNorm(7, 1e-2)),
}


def both(name):
    """Our layer and torch's with the same random gains and shifts."""
    set_seed(0)
    ours, theirs = (make() for make in PAIRS[name])
    for p in ours.parameters():
        nn.init.normal_(p)
    theirs.load_state_dict(ours.state_dict(), strict=False)
    return ours, theirs


def outputs_and_gradients(layer, x, weigh):
    """The output, and the gradients of a weighed sum of it, the input's first."""
    x = x.clone().requires_grad_()
    out = layer(x)
    out.backward(weigh)
    found = [out.detach(), x.grad, *(p.grad.clone() for p in layer.parameters())]
    layer.zero_grad()
    return found


@pytest.mark.parametrize("name", PAIRS)
@pytest.mark.parametrize("n", [4, 5, 64])
def test_outputs_and_gradients_are_those_of_torch(name, n):
    """Three batches in training, then one in evaluation: all within 1e-5."""
    ours, theirs = both(name)
    for step in range(4):
        if step == 3:
            ours.eval(), theirs.eval()
        x, weigh = torch.randn(n, 7) * 3 + 1, torch.randn(n, 7)
        pairs = zip(
            outputs_and_gradients(ours, x, weigh),
            outputs_and_gradients(theirs, x, weigh),
            strict=True,
        )
        for a, b in pairs:
            torch.testing.assert_close(a, b, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("name", ["batch", "batch, other settings"])
def test_running_statistics_are_those_of_torch(name):
    ours, theirs = both(name)
    for n in (2, 5, 30):
        x = torch.randn(n, 7) * 4 - 2
        ours(x), theirs(x)
        for key in ("running_mean", "running_var"):
            torch.testing.assert_close(
                getattr(ours, key), getattr(theirs, key), atol=1e-5, rtol=1e-5
            )


def test_gradient_of_batch_norm_by_finite_differences():
    set_seed(1)
    layer = BatchNorm(3).double()
    x = torch.randn(4, 3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(layer, (x,))


def test_batch_norm_by_hand():
    """1, 2, 6: mean 3, variance (4 + 1 + 9) / 3 = 14 / 3, for the memory 14 / 2 = 7."""
    layer = BatchNorm(1, eps=1e-12)
    out = layer(torch.tensor([[1.0], [2.0], [6.0]])).flatten()
    expected = np.array([-2, -1, 3]) / np.sqrt(14 / 3)
    np.testing.assert_allclose(out.detach(), expected, rtol=1e-5)
    assert layer.running_mean.item() == pytest.approx(0.1 * 3)
    assert layer.running_var.item() == pytest.approx(0.9 * 1 + 0.1 * 7)


def test_a_batch_of_one_is_refused_in_training_alone():
    for layer in (BatchNorm(7), nn.BatchNorm1d(7)):
        with pytest.raises(ValueError):
            layer(torch.zeros(1, 7))
        assert layer.eval()(torch.zeros(1, 7)).shape == (1, 7)


def test_who_depends_on_whom():
    """Another row of the batch matters to batch norm in training, else to nobody."""
    set_seed(2)
    x = torch.randn(5, 7)
    other = x.clone()
    other[4] += 10
    batch, layer = BatchNorm(7), LayerNorm(7)
    assert not torch.allclose(batch(x)[0], batch(other)[0])
    assert torch.equal(layer(x)[0], layer(other)[0])
    batch.eval()
    assert torch.equal(batch(x)[0], batch(other)[0])


def test_layer_norm_has_no_length_of_one():
    out = LayerNorm(16)(torch.randn(8, 3, 16))
    torch.testing.assert_close(
        out.norm(dim=-1), torch.full((8, 3), 4.0), rtol=1e-3, atol=0
    )


@pytest.mark.parametrize("p", [0.0, 0.3, 0.9])
def test_dropout_is_that_of_torch_with_the_same_seed(p):
    x = torch.randn(50, 20)
    found = []
    for layer in (Dropout(p), nn.Dropout(p)):
        torch.manual_seed(3)
        found.append(layer(x))
    torch.testing.assert_close(*found)


def test_dropout_keeps_the_mean_and_drops_the_share():
    set_seed(0)
    out = Dropout(0.3)(torch.ones(200_000))
    assert out.mean().item() == pytest.approx(1, abs=0.01)
    assert (out == 0).float().mean().item() == pytest.approx(0.3, abs=0.01)
    assert out.unique().tolist() == pytest.approx([0, 1 / 0.7])


def test_dropout_rests_in_evaluation():
    x = torch.randn(10)
    assert torch.equal(Dropout(0.9).eval()(x), x)


@pytest.mark.parametrize("p", [-0.1, 1.0, 1.5])
def test_no_other_share_can_be_dropped(p):
    with pytest.raises(ValueError, match=r"\[0, 1\)"):
        Dropout(p)


@pytest.mark.parametrize("kind", [BatchNorm, LayerNorm])
def test_sizes_are_checked(kind):
    with pytest.raises(ValueError, match="feature"):
        kind(0)
    with pytest.raises(ValueError, match="eps"):
        kind(3, eps=0)
