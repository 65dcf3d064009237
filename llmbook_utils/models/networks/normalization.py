"""Dropout, batch normalisation and layer normalisation, from scratch (chapter 05).

They give what `torch.nn` gives, outputs and gradients, and keep their numbers under the
same names, so that weights can be exchanged. What they lack is speed.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Dropout(nn.Module):
    """Set a random share of all numbers to 0 in training, and scale up the others.

    Parameters
    ----------
    p : float
        The probability with which a number is set to 0.

    Raises
    ------
    ValueError
        If p is not in [0, 1).

    Notes
    -----
    The kept numbers are divided by 1 - p, so that means stay what they were and nothing
    has to be done in evaluation. Source: Srivastava et al. (2014), "Dropout: a simple
    way to prevent neural networks from overfitting". Built in chapter 05.

    Examples
    --------
    >>> layer = Dropout(0.5)
    >>> set(layer(torch.ones(1000)).tolist()) == {0.0, 2.0}
    True
    >>> layer.eval()(torch.ones(2)).tolist()
    [1.0, 1.0]
    """

    def __init__(self, p: float = 0.5) -> None:
        super().__init__()
        if not 0 <= p < 1:
            raise ValueError(f"p is {p}; a share in [0, 1) can be dropped")
        self.p = p

    def forward(self, x: Tensor) -> Tensor:
        """Drop numbers of x (...) in training; give x back in evaluation."""
        if not self.training or self.p == 0:
            return x
        kept = torch.empty_like(x).bernoulli_(1 - self.p)  # 1 where a number stays
        return x * kept / (1 - self.p)


class BatchNorm(nn.Module):
    """Normalise each feature by its mean and variance over the batch.

    Parameters
    ----------
    n_features : int
        Features of an example, C.
    eps : float
        Added to the variance.
    momentum : float
        Share of the new batch in the running mean and variance.

    Raises
    ------
    ValueError
        If a number is too small.

    Notes
    -----
    In training an example's output depends on the others in its batch. In evaluation it
    does not: then the running mean and variance are taken. Source: Ioffe and Szegedy
    (2015), "Batch normalization: accelerating deep network training by reducing
    internal covariate shift". Built in chapter 05.

    Examples
    --------
    >>> layer = BatchNorm(1)
    >>> layer(torch.tensor([[1.0], [3.0]])).detach().round(decimals=3).tolist()
    [[-1.0], [1.0]]
    >>> round(layer.running_mean.item(), 4)  # a tenth of the way from 0 to 2
    0.2
    """

    def __init__(
        self, n_features: int, eps: float = 1e-5, momentum: float = 0.1
    ) -> None:
        super().__init__()
        if n_features < 1 or eps <= 0:
            raise ValueError(
                f"n_features is {n_features} and eps {eps}; there must be a feature, "
                "and eps must be above 0"
            )
        self.eps, self.momentum = eps, momentum
        self.weight = nn.Parameter(torch.ones(n_features))
        self.bias = nn.Parameter(torch.zeros(n_features))
        self.register_buffer("running_mean", torch.zeros(n_features))
        self.register_buffer("running_var", torch.ones(n_features))

    def forward(self, x: Tensor) -> Tensor:
        """Normalise a batch (B, C)."""
        if self.training:
            if len(x) < 2:
                raise ValueError(
                    "a batch of one has no variance; use larger batches in training, "
                    "or call eval() first"
                )
            mean = x.mean(dim=0)  # (C,)
            var = (x - mean).square().mean(dim=0)
            # subtle: n - 1 in what is remembered, n in the output, as in torch
            n = len(x)
            self.running_mean.lerp_(mean.detach(), self.momentum)
            self.running_var.lerp_(var.detach() * n / (n - 1), self.momentum)
        else:
            mean, var = self.running_mean, self.running_var
        return (x - mean) / torch.sqrt(var + self.eps) * self.weight + self.bias


class LayerNorm(nn.Module):
    """Normalise each example by the mean and variance of its own features.

    Parameters
    ----------
    n_features : int
        Features of an example, C.
    eps : float
        Added to the variance.

    Raises
    ------
    ValueError
        If a number is too small.

    Notes
    -----
    The same in training and in evaluation, whatever the batch. The rows get the mean 0
    and the variance 1, which is no length of 1. Source: Ba, Kiros and Hinton (2016),
    "Layer normalization". Built in chapter 05.

    Examples
    --------
    >>> out = LayerNorm(2)(torch.tensor([[1.0, 3.0], [10.0, 0.0]]))
    >>> out.detach().round(decimals=3).tolist()
    [[-1.0, 1.0], [1.0, -1.0]]
    """

    def __init__(self, n_features: int, eps: float = 1e-5) -> None:
        super().__init__()
        if n_features < 1 or eps <= 0:
            raise ValueError(
                f"n_features is {n_features} and eps {eps}; there must be a feature, "
                "and eps must be above 0"
            )
        self.eps = eps
        self.weight = nn.Parameter(torch.ones(n_features))
        self.bias = nn.Parameter(torch.zeros(n_features))

    def forward(self, x: Tensor) -> Tensor:
        """Normalise the last axis of x (..., C)."""
        mean = x.mean(dim=-1, keepdim=True)  # (..., 1)
        var = (x - mean).square().mean(dim=-1, keepdim=True)
        return (x - mean) / torch.sqrt(var + self.eps) * self.weight + self.bias
