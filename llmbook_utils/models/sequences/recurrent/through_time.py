"""Backpropagation through time, by hand (chapter 07): what makes `recurrent` fast.

Each function here runs a recurrent layer over all steps. What autograd would do step by
step is done for all steps at once where no step needs the one after it: the slopes of
the gates before the walk back, the gradient of the weights after it, in one product.
The walk itself keeps what truly goes from step to step: two products and a few sums.

Steps come first in all shapes: x (T, B, gates * H), states (B, H). The results are the
states after each step, (T, B, H).
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.autograd.function import FunctionCtx, once_differentiable


class _RNN(torch.autograd.Function):
    """h = tanh(x + U h)."""

    @staticmethod
    def forward(ctx: FunctionCtx, x: Tensor, h: Tensor, weight: Tensor) -> Tensor:
        states = _room(x, h)  # (T + 1, B, H), the first before any step
        turned = weight.t()
        for a, before, after in zip(x, states, states[1:], strict=False):
            torch.tanh(torch.addmm(a, before, turned), out=after)
        ctx.save_for_backward(states, weight)
        return states[1:]

    @staticmethod
    @once_differentiable
    def backward(ctx: FunctionCtx, grad: Tensor) -> tuple[Tensor, ...]:
        states, weight = ctx.saved_tensors
        slopes = 1 - states[1:] ** 2
        dx = torch.empty_like(slopes)
        dh = torch.zeros_like(states[0])
        walk = zip(grad.flip(0), slopes.flip(0), reversed(dx.unbind()), strict=True)
        for g, slope, da in walk:
            torch.mul(g + dh, slope, out=da)
            dh = da @ weight
        return dx, dh, _weight_gradient(dx, states)


class _LSTM(torch.autograd.Function):
    """Gates i, f, g, o of x + U h; c = f c + i g; h = o tanh(c)."""

    @staticmethod
    def forward(
        ctx: FunctionCtx, x: Tensor, h: Tensor, c: Tensor, weight: Tensor
    ) -> tuple[Tensor, Tensor]:
        ctx.set_materialize_grads(False)
        H = h.size(1)
        states, cells = _room(x, h), _room(x, c)
        tanhs, gates = torch.empty_like(states[1:]), torch.empty_like(x)
        # the candidate g is a tanh, and tanh(a) = 2 sigmoid(2 a) - 1: with 2 a in its
        # place one sigmoid serves all gates
        twice = torch.ones_like(weight[:, 0])
        twice[2 * H : 3 * H] = 2
        x, turned = x * twice, (weight * twice.unsqueeze(1)).t().contiguous()
        h_steps, c_steps = states.unbind(), cells.unbind()
        walk = zip(x.unbind(), gates.unbind(), tanhs.unbind(), strict=True)
        for t, (a, gate, tanh) in enumerate(walk):
            torch.addmm(a, h_steps[t], turned, out=gate).sigmoid_()
            i, f, s, o = gate.split(H, 1)  # g is 2 s - 1
            after = torch.addcmul(f * c_steps[t], i, s, value=2)
            torch.sub(after, i, out=c_steps[t + 1])
            torch.tanh(c_steps[t + 1], out=tanh)
            torch.mul(o, tanh, out=h_steps[t + 1])
        gates[..., 2 * H : 3 * H].mul_(2).sub_(1)
        ctx.save_for_backward(states, cells, tanhs, gates, weight)
        return states[1:], cells[1:]

    @staticmethod
    @once_differentiable
    def backward(
        ctx: FunctionCtx, grad_h: Tensor | None, grad_c: Tensor | None
    ) -> tuple[Tensor, ...]:
        states, cells, tanhs, gates, weight = ctx.saved_tensors
        T, _, H = tanhs.shape
        i, f, g, o = gates.split(H, 2)
        to_cell = o * (1 - tanhs**2)  # how h grows with c
        slopes = torch.stack(  # how c (three gates) and h (the last) grow with a
            [
                g * i * (1 - i),
                cells[:-1] * f * (1 - f),
                i * (1 - g**2),
                tanhs * o * (1 - o),
            ],
            dim=2,
        )
        dx = torch.empty_like(slopes)  # (T, B, 4, H)
        dh, dc = torch.zeros_like(states[0]), torch.zeros_like(cells[0])
        by_step = zip(
            *(part.unbind() for part in (dx.flatten(2), dx[:, :, :3], dx[:, :, 3])),
            *(part.unbind() for part in (slopes[:, :, :3], slopes[:, :, 3])),
            *(part.unbind() for part in (to_cell, f)),
            _steps(grad_h, T),
            _steps(grad_c, T),
            strict=True,
        )
        for da, da_c, da_h, slope_c, slope_h, into, kept, gh, gc in [*by_step][::-1]:
            dh = dh if gh is None else dh + gh
            dc = dc if gc is None else dc + gc
            dc = torch.addcmul(dc, dh, into)
            torch.mul(dc.unsqueeze(1), slope_c, out=da_c)
            torch.mul(dh, slope_h, out=da_h)
            dh = da @ weight
            dc = dc * kept
        dx = dx.flatten(2)
        return dx, dh, dc, _weight_gradient(dx, states)


class _GRU(torch.autograd.Function):
    """a = U h + b; r, z = sigmoid(x + a); n = tanh(x + r a); h = (1 - z) n + z h."""

    @staticmethod
    def forward(
        ctx: FunctionCtx, x: Tensor, h: Tensor, weight: Tensor, bias: Tensor
    ) -> Tensor:
        H = h.size(1)
        states, gates = _room(x, h), torch.empty_like(x)
        memories = torch.empty_like(states[1:])  # what of h the candidate may see
        turned = weight.t()
        for t, (into, gate) in enumerate(zip(x.unbind(), gates.unbind(), strict=True)):
            a = torch.addmm(bias, states[t], turned)
            memories[t] = a[:, 2 * H :]
            torch.add(into, a, out=gate)
            gate[:, : 2 * H].sigmoid_()
            r, z, n = gate.split(H, 1)
            torch.addcmul(into[:, 2 * H :], r, memories[t], out=n).tanh_()
            torch.lerp(n, states[t], z, out=states[t + 1])
        ctx.save_for_backward(states, gates, memories, weight)
        return states[1:]

    @staticmethod
    @once_differentiable
    def backward(ctx: FunctionCtx, grad: Tensor) -> tuple[Tensor, ...]:
        states, gates, memories, weight = ctx.saved_tensors
        T, B, H = memories.shape
        r, z, n = gates.split(H, 2)
        to_n = (1 - z) * (1 - n**2)  # how h grows with what each gate is made of
        to_z = (states[:-1] - n) * z * (1 - z)
        to_r = to_n * memories * r * (1 - r)
        slopes = torch.stack([to_r, to_z, to_n * r], dim=2)
        da, dhs = torch.empty_like(slopes), torch.empty_like(memories)
        dh = torch.zeros_like(states[0])
        for t in range(T - 1, -1, -1):
            torch.add(dh, grad[t], out=dhs[t])
            torch.mul(dhs[t].unsqueeze(1), slopes[t], out=da[t])
            dh = torch.addmm(dhs[t] * z[t], da[t].view(B, -1), weight)
        da = da.flatten(2)
        dx = torch.cat([da[:, :, : 2 * H], dhs * to_n], dim=2)
        return dx, dh, _weight_gradient(da, states), da.sum((0, 1))


def _room(x: Tensor, first: Tensor) -> Tensor:
    """Make room for a state before and after every step, (T + 1, B, H)."""
    room = first.new_empty(len(x) + 1, *first.shape)
    room[0] = first
    return room


def _steps(grad: Tensor | None, T: int) -> Sequence[Tensor | None]:
    """Cut a gradient (T, B, H), which there may be none of, into steps."""
    return [None] * T if grad is None else grad.unbind()


def _weight_gradient(da: Tensor, states: Tensor) -> Tensor:
    """Give the gradient of U, (gates * H, H), over all steps in one product."""
    return da.flatten(0, 1).t() @ states[:-1].flatten(0, 1)


def rnn(x: Tensor, h: Tensor, weight: Tensor) -> tuple[Tensor]:
    """Run tanh units over x (T, B, H) from h (B, H); weight is U, (H, H).

    Returns
    -------
    tuple of one tensor, (T, B, H)
        h after each step.

    Notes
    -----
    Source: Elman (1990), "Finding structure in time". Built in chapter 07.

    Examples
    --------
    >>> x, h, weight = torch.ones(2, 1, 1), torch.zeros(1, 1), torch.ones(1, 1)
    >>> rnn(x, h, weight)[0].flatten()  # tanh(1), tanh(1 + tanh(1))
    tensor([0.7616, 0.9427])
    """
    return (_RNN.apply(x, h, weight),)


def lstm(x: Tensor, h: Tensor, c: Tensor, weight: Tensor) -> tuple[Tensor, Tensor]:
    """Run LSTM units over x (T, B, 4 H) from h and c (B, H); weight is U, (4 H, H).

    Returns
    -------
    two tensors, (T, B, H)
        h and c after each step.

    Notes
    -----
    Source: Hochreiter and Schmidhuber (1997), "Long short-term memory", with the forget
    gate of Gers et al. (2000). Built in chapter 07.
    """
    return _LSTM.apply(x, h, c, weight)


def gru(x: Tensor, h: Tensor, weight: Tensor, bias: Tensor) -> tuple[Tensor]:
    """Run GRU units over x (T, B, 3 H) from h (B, H); weight is U, (3 H, H).

    Returns
    -------
    tuple of one tensor, (T, B, H)
        h after each step.

    Notes
    -----
    Source: Cho et al. (2014), "Learning phrase representations using RNN
    encoder-decoder for statistical machine translation". Built in chapter 07.
    """
    return (_GRU.apply(x, h, weight, bias),)
