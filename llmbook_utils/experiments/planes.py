"""Points in the plane, and many small networks that are trained on them at once.

Chapter 03 asks what the width and the nonlinear function of a hidden layer are good
for. That takes hundreds of networks; side by side they cost little more than one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from llmbook_utils.models.networks.mlp import ACTIVATIONS


def two_moons(n: int, noise: float = 0.15, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Draw two half circles that reach into each other.

    Parameters
    ----------
    n : int
        Number of points, half of them of each class.
    noise : float
        Standard deviation of what is added to each coordinate.
    seed : int
        Of the angles and the noise.

    Returns
    -------
    points : tensor (n, 2)
        Between about -2 and 2.
    labels : tensor of int64, (n,)
        0 for the upper moon, 1 for the lower.

    Examples
    --------
    >>> points, labels = two_moons(10)
    >>> points.shape, labels.sum().item()
    (torch.Size([10, 2]), 5)
    """
    draw = np.random.default_rng(seed)
    labels = np.arange(n) % 2
    angles = draw.uniform(0, np.pi, n)
    side = 1 - 2 * labels  # 1 for the upper moon, -1 for the lower
    x = side * (np.cos(angles) - 0.5)
    y = side * (np.sin(angles) - 0.25)
    points = np.stack([x, 1.5 * y], axis=1) + draw.normal(size=(n, 2)) * noise
    return _tensors(points, labels)


def two_spirals(n: int, noise: float = 0.05, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Draw two spirals of a turn each, one inside the other.

    The parameters and the result are those of `two_moons`.
    """
    draw = np.random.default_rng(seed)
    labels = np.arange(n) % 2
    part = np.sqrt(draw.uniform(0.04, 1, n))  # of the way out; even in area
    angles = 2 * np.pi * part + np.pi * labels
    ring = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    points = 1.7 * part[:, None] * ring + draw.normal(size=(n, 2)) * noise
    return _tensors(points, labels)


def disc_and_ring(n: int, noise: float = 0.1, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Draw a disc, class 0, and a ring around it, class 1.

    The parameters and the result are those of `two_moons`.
    """
    draw = np.random.default_rng(seed)
    labels = np.arange(n) % 2
    angles = draw.uniform(0, 2 * np.pi, n)
    radius = np.where(labels, 1.4, 0.7 * np.sqrt(draw.uniform(0, 1, n)))
    ring = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    return _tensors(radius[:, None] * ring + draw.normal(size=(n, 2)) * noise, labels)


def _tensors(points: np.ndarray, labels: np.ndarray) -> tuple[Tensor, Tensor]:
    return torch.tensor(points, dtype=torch.float32), torch.tensor(labels)


@dataclass(frozen=True)
class SmallNetwork:
    """A network from a point of the plane to one score, with one hidden layer.

    Attributes
    ----------
    activation : str
        A key of `ACTIVATIONS`.
    seed : int
        Of its start.
    hidden : array (H, 3)
        Of each hidden neuron the two weights and the bias.
    output : array (H + 1,)
        The weights of the hidden neurons in the score, and the bias.
    loss : float
        The cross-entropy on the points that it was trained on, in nats.
    """

    activation: str
    seed: int
    hidden: np.ndarray
    output: np.ndarray
    loss: float

    @property
    def width(self) -> int:
        """Number of hidden neurons, H."""
        return len(self.hidden)

    def neurons(self, points: np.ndarray) -> np.ndarray:
        """Compute the outputs (n, H) of the hidden neurons at points (n, 2)."""
        sums = np.asarray(points) @ self.hidden[:, :2].T + self.hidden[:, 2]
        return ACTIVATIONS[self.activation](torch.from_numpy(sums)).numpy()

    def scores(self, points: np.ndarray) -> np.ndarray:
        """Compute the scores (n,) of points (n, 2); above 0 means class 1."""
        return self.neurons(points) @ self.output[:-1] + self.output[-1]

    def accuracy(self, points: Tensor, labels: Tensor) -> float:
        """Compute the share of points (n, 2) whose labels (n,) it gets right."""
        guesses = self.scores(points.double().numpy()) > 0
        return float((guesses == labels.numpy().astype(bool)).mean())


def train_networks(
    points: Tensor,
    labels: Tensor,
    *,
    widths: Sequence[int],
    activation: str,
    seeds: Sequence[int],
    n_steps: int = 1500,
    lr: float = 0.03,
) -> list[SmallNetwork]:
    """Train a network for each width and seed, all at once, with Adam.

    They share nothing but the products they are computed in: neurons that a narrow
    network does not have are held at 0 by a mask.

    Parameters
    ----------
    points, labels : tensor (n, 2), tensor of int64 (n,)
        What to learn; labels are 0 or 1.
    widths, activation, seeds : sequence of int, str, sequence of int
        Which networks.
    n_steps, lr : int, float
        Steps on all points, and Adam's learning rate, which falls to 0 like a cosine.

    Returns
    -------
    list of SmallNetwork
        For each width all seeds.

    Examples
    --------
    >>> found = train_networks(
    ...     *two_moons(50), widths=[1, 4], activation="relu", seeds=[0], n_steps=20
    ... )
    >>> [network.width for network in found]
    [1, 4]
    """
    pairs = [(width, seed) for width in widths for seed in seeds]
    hidden, output, mask = _starts(pairs, max(widths))
    numbers = [hidden.requires_grad_(), output.requires_grad_()]
    optimizer = torch.optim.Adam(numbers, lr=lr)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, n_steps)
    inputs = torch.cat([points, torch.ones(len(points), 1)], dim=1)  # (n, 3)
    targets = labels.float().expand(len(pairs), -1)
    for step in range(n_steps + 1):
        sums = inputs @ hidden.transpose(1, 2)  # (N, n, H)
        outputs = ACTIVATIONS[activation](sums) * mask.unsqueeze(1)
        scores = (outputs @ output[:, :-1, None]).squeeze(2) + output[:, -1:]
        losses = F.binary_cross_entropy_with_logits(scores, targets, reduction="none")
        losses = losses.mean(dim=1)  # (N,)
        if step < n_steps:
            optimizer.zero_grad()
            losses.sum().backward()  # each network's gradient is that of its own loss
            optimizer.step()
            schedule.step()
    found = []
    for row, (width, seed) in enumerate(pairs):
        inner = hidden[row, :width].detach().double().numpy()
        outer = output[row, [*range(width), -1]].detach().double().numpy()
        found.append(SmallNetwork(activation, seed, inner, outer, losses[row].item()))
    return found


def _starts(pairs: list[tuple[int, int]], widest: int) -> tuple[Tensor, Tensor, Tensor]:
    """Draw hidden (N, H, 3) and output (N, H + 1) weights, with the mask (N, H)."""
    hidden = torch.zeros(len(pairs), widest, 3)
    output = torch.zeros(len(pairs), widest + 1)
    mask = torch.zeros(len(pairs), widest)
    for row, (width, seed) in enumerate(pairs):
        draw = torch.Generator().manual_seed(seed)
        hidden[row, :width] = torch.randn(width, 3, generator=draw)
        scale = width**-0.5
        output[row, :width] = torch.randn(width, generator=draw) * scale
        mask[row, :width] = 1
    return hidden, output, mask
