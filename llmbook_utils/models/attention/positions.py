"""How attention learns of positions: rotary position embeddings (chapter 11)."""

from __future__ import annotations

import torch
from torch import Tensor


def rotary_table(block_size: int, d_head: int) -> Tensor:
    """Make the table that `rotate` turns queries and keys with.

    Parameters
    ----------
    block_size, d_head : int
        Number of positions, and width of a head, which must be even.

    Returns
    -------
    tensor of float32, (2, block_size, d_head)
        Cosines, and sines with their sign. Numbers i and i + d_head / 2 of a head are a
        pair, turned at position p by p / 10000 ** (2 i / d_head) radians.

    Notes
    -----
    Source: Su et al. (2021), "RoFormer", equation 34. Built in chapter 09.

    Examples
    --------
    >>> cos, _ = rotary_table(block_size=2, d_head=2)
    >>> [round(x, 4) for x in cos[:, 0].tolist()]  # of 0 and of 1
    [1.0, 0.5403]
    """
    frequencies = 10_000 ** (-torch.arange(0, d_head, 2) / d_head)
    angles = torch.arange(block_size).unsqueeze(1) * frequencies  # (T, d_head / 2)
    cos, sin = angles.cos(), angles.sin()
    return torch.stack([torch.cat([cos, cos], dim=1), torch.cat([-sin, sin], dim=1)])


def rotate(x: Tensor, table: Tensor) -> Tensor:
    """Turn each pair of numbers of x (..., T, d_head) by its position's angle."""
    cos, sin = table.to(x.dtype)
    return x * cos + x.roll(x.size(-1) // 2, dims=-1) * sin
