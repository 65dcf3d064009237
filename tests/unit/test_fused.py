"""Gradients written by hand, against torch's."""

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from llmbook_utils.models.attention import fused
from llmbook_utils.models.attention.fused import gelu, linear_cross_entropy


def torch_gelu(x: torch.Tensor) -> torch.Tensor:
    return F.gelu(x, approximate="tanh")


def test_gelu_is_torchs() -> None:
    x = torch.linspace(-30, 30, 4001, dtype=torch.float64, requires_grad=True)
    torch.testing.assert_close(gelu(x), torch_gelu(x), atol=1e-12, rtol=0)
    assert torch.autograd.gradcheck(gelu, x[::40])
    ours = torch.autograd.grad(gelu(x).sum(), x)[0]
    theirs = torch.autograd.grad(torch_gelu(x).sum(), x)[0]
    torch.testing.assert_close(ours, theirs, atol=1e-12, rtol=0)
    with torch.no_grad():
        torch.testing.assert_close(
            gelu(x.float()), torch_gelu(x.float()), atol=1e-6, rtol=0
        )
    # no tanh of a large number is not a number
    extreme = torch.tensor([-1e30, -300.0, 300.0, 1e30], requires_grad=True)
    assert gelu(extreme).tolist() == torch_gelu(extreme).tolist()


def test_gelu_in_bf16_errs_by_a_few_roundings() -> None:
    generator = torch.Generator().manual_seed(0)
    x = (2 * torch.randn(20_000, generator=generator)).bfloat16().requires_grad_()
    exact = x.detach().double().requires_grad_()
    torch_gelu(exact).sum().backward()
    gelu(x).sum().backward()
    error = (gelu(x) - torch_gelu(exact)).norm() / torch_gelu(exact).norm()
    assert error < 2e-3  # 1.3e-3 by torch's
    assert (x.grad - exact.grad).norm() / exact.grad.norm() < 6e-3


def test_gelu_gives_gradients_of_single_rows() -> None:
    # what differential privacy needs: torch.func sees through it
    x, w = torch.randn(3, 5), torch.randn(5, 4)
    per_row = torch.func.vmap(
        torch.func.grad(lambda w, row: gelu(row @ w).sum()), in_dims=(None, 0)
    )(w, x)
    expected = torch.func.vmap(
        torch.func.grad(lambda w, row: torch_gelu(row @ w).sum()), in_dims=(None, 0)
    )(w, x)
    torch.testing.assert_close(per_row, expected)


@given(
    rows=st.integers(1, 200),
    vocab_size=st.integers(1, 40),
    ignored=st.floats(0, 1),
    seed=st.integers(0, 99),
)
@settings(deadline=None, max_examples=60)
def test_loss_and_gradients_are_torchs(
    rows: int, vocab_size: int, ignored: float, seed: int
) -> None:
    generator = torch.Generator().manual_seed(seed)
    shapes = ((rows, 3), (vocab_size, 3))
    x, w = (torch.randn(s, generator=generator, dtype=torch.float64) for s in shapes)
    x, w = x.requires_grad_(), w.requires_grad_()
    targets = torch.randint(vocab_size, (rows,), generator=generator)
    targets[torch.rand(rows, generator=generator) < ignored] = -100
    theirs = F.cross_entropy(x @ w.T, targets, reduction="sum")
    before = fused._CHUNK
    try:
        fused._CHUNK = 64 * vocab_size  # 64 rows at a time, so that there are several
        ours = linear_cross_entropy(x, w, targets)
    finally:
        fused._CHUNK = before
    # inside it is float32
    torch.testing.assert_close(ours, theirs.float(), atol=1e-3, rtol=1e-5)
    gradients = zip(
        torch.autograd.grad(3 * ours, (x, w)),
        torch.autograd.grad(3 * theirs, (x, w)),
        strict=True,
    )
    for a, b in gradients:
        torch.testing.assert_close(a, b, atol=1e-4, rtol=1e-5)
    with torch.no_grad():
        assert linear_cross_entropy(x, w, targets).item() == pytest.approx(
            theirs.item(), abs=1e-3
        )


def test_a_hopeless_target_has_a_finite_loss() -> None:
    x = torch.tensor([[1.0]], requires_grad=True)
    w = torch.tensor([[400.0], [0.0]], requires_grad=True)
    loss = linear_cross_entropy(x, w, torch.tensor([1]))
    loss.backward()
    assert loss.item() == 400
    assert x.grad.item() == 400


def test_autocast_is_followed() -> None:
    torch.manual_seed(0)
    x = torch.randn(50, 8, requires_grad=True)
    w = torch.randn(30, 8, requires_grad=True)
    targets = torch.randint(30, (50,))
    with torch.autocast("cpu", torch.bfloat16):
        loss = linear_cross_entropy(x, w, targets)
    loss.backward()
    exact = F.cross_entropy(x @ w.T, targets, reduction="sum")
    assert loss.dtype == torch.float32
    assert loss.item() != exact.item()
    assert loss.item() == pytest.approx(exact.item(), rel=5e-3)
    dx, dw = torch.autograd.grad(exact, (x, w))
    assert x.grad.dtype == w.grad.dtype == torch.float32
    torch.testing.assert_close(x.grad, dx, atol=0.1, rtol=0)
    torch.testing.assert_close(w.grad, dw, atol=0.1, rtol=0)


def test_targets_that_are_no_tokens_are_explained() -> None:
    x, w = torch.zeros(2, 3, requires_grad=True), torch.zeros(4, 3)
    for wrong in (4, -1):
        with pytest.raises(ValueError, match=rf"0 to 3, or -100; got .*{wrong}"):
            linear_cross_entropy(x, w, torch.tensor([0, wrong]))
