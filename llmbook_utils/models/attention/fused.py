"""Two steps of a GPT with gradients written by hand, to spare a CPU time and memory.

They are what torch's functions are, rounding aside; on a GPU torch's own are called.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd.function import FunctionCtx, once_differentiable

IGNORED = -100  # a target without a loss, as in torch and transformers
_CHUNK = 2**20  # logits that are held at a time: 4 MB in float32

# GELU's approximation by tanh is x sigmoid(x (a + b x ** 2))
_A = 2 * math.sqrt(2 / math.pi)
_B = 0.044715 * _A


class _Gelu(torch.autograd.Function):
    generate_vmap_rule = True  # for torch.func

    @staticmethod
    def forward(x: Tensor) -> tuple[Tensor, Tensor]:
        s = torch.addcmul(x.new_tensor(_A), x, x, value=_B).mul_(x).sigmoid_()
        return x * s, s

    @staticmethod
    def setup_context(
        ctx: FunctionCtx, inputs: tuple[Tensor], output: tuple[Tensor, Tensor]
    ) -> None:
        ctx.mark_non_differentiable(output[1])
        ctx.save_for_backward(*inputs, output[1])

    @staticmethod
    @once_differentiable
    def backward(ctx: FunctionCtx, g: Tensor, _: Tensor) -> Tensor:
        x, s = ctx.saved_tensors
        # the slope is s + s (1 - s) x (a + 3 b x ** 2)
        slope = torch.addcmul(x.new_tensor(_A), x, x, value=3 * _B).mul_(x)
        slope = torch.addcmul(slope, slope, s, value=-1)
        g = g * s
        return torch.addcmul(g, g, slope)


def gelu(x: Tensor) -> Tensor:
    """Give the GELU of GPT-2, which approximates the true one with a tanh.

    torch's takes a slow tanh on the CPU; this is the same function with a sigmoid.

    Source: Hendrycks and Gimpel (2016), "Gaussian error linear units", section 2.

    Examples
    --------
    >>> gelu(torch.tensor([-1.0, 0.0, 1.0]))
    tensor([-0.1588,  0.0000,  0.8412])
    """
    if x.device.type != "cpu":
        return F.gelu(x, approximate="tanh")
    return _Gelu.apply(x)[0]


class _LinearCrossEntropy(torch.autograd.Function):
    @staticmethod
    def forward(ctx: FunctionCtx, x: Tensor, weight: Tensor, targets: Tensor) -> Tensor:
        loss = torch.zeros((), dtype=torch.float32)
        dx, dweight = torch.empty_like(x), torch.zeros_like(weight, dtype=torch.float32)
        rows = max(64, _CHUNK // len(weight))
        chunks = zip(x.split(rows), targets.split(rows), dx.split(rows), strict=True)
        for h, target, dh in chunks:
            target = target.unsqueeze(1)
            logits = (h @ weight.T).float()
            probs = logits.softmax(-1)
            # the log of the sum of exponentials, from the likeliest token: a token with
            # a probability of 0 in float32 has a finite loss
            log_sum = logits.amax(-1, True) - probs.amax(-1, True).log()
            loss += (log_sum - logits.gather(1, target)).sum()
            # the gradient of the logits: probabilities, less 1 at the target
            probs.scatter_add_(1, target, torch.full_like(log_sum, -1))
            dlogits = probs.to(x.dtype)
            torch.mm(dlogits, weight, out=dh)
            dweight += dlogits.T @ h
        ctx.save_for_backward(dx, dweight.to(weight.dtype))
        return loss

    @staticmethod
    @once_differentiable
    def backward(ctx: FunctionCtx, g: Tensor) -> tuple[Tensor, Tensor, None]:
        dx, dweight = ctx.saved_tensors
        return dx * g, dweight * g, None


def linear_cross_entropy(x: Tensor, weight: Tensor, targets: Tensor) -> Tensor:
    """Give the summed cross-entropy (nats) of a model's head, some rows at a time.

    The logits of all rows never exist at once, nor do three more tensors of their size.

    Parameters
    ----------
    x : tensor, (N, C)
        The last vectors.
    weight : tensor, (V, C)
        Of the head.
    targets : tensor of int64, (N,)
        Tokens; -100 is ignored.

    Returns
    -------
    tensor of float32, ()
        ``cross_entropy(x @ weight.T, targets, reduction="sum")``.

    Raises
    ------
    ValueError
        If a target is neither a token nor -100.

    Examples
    --------
    >>> x, weight = torch.zeros(3, 4), torch.zeros(8, 4)
    >>> linear_cross_entropy(x, weight, torch.tensor([0, 7, -100]))  # 2 log 8
    tensor(4.1589)
    """
    if torch.is_autocast_enabled(x.device.type):
        dtype = torch.get_autocast_dtype(x.device.type)
        x, weight = x.to(dtype), weight.to(dtype)
    needs_gradient = torch.is_grad_enabled() and (
        x.requires_grad or weight.requires_grad
    )
    if x.device.type != "cpu" or not needs_gradient:
        logits = F.linear(x, weight).float()
        return F.cross_entropy(logits, targets, ignore_index=IGNORED, reduction="sum")
    is_counted = targets != IGNORED
    if not is_counted.all():
        x, targets = x[is_counted], targets[is_counted]
    if len(targets) and not 0 <= targets.min() <= targets.max() < len(weight):
        raise ValueError(
            f"targets must be tokens, 0 to {len(weight) - 1}, or {IGNORED}; got "
            f"{targets.min()} to {targets.max()}"
        )
    return _LinearCrossEntropy.apply(x, weight, targets)
