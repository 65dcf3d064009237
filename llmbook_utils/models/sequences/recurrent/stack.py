"""Recurrent layers above each other, in one direction or in both (chapter 07)."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from llmbook_utils.models.sequences.recurrent.layers import LAYERS, Cell, State


class Recurrent(nn.Module):
    """Several layers above each other, in one direction or in both.

    Parameters
    ----------
    cell : {"rnn", "lstm", "gru"}
        Kind of the layers.
    n_in, n_hidden : int
        Width of what comes in, and H, of each state.
    n_layer : int
        Each reads the outputs of the one below.
    bidirectional : bool
        Whether each layer has a twin that reads from the end; the outputs of both stand
        side by side.
    dropout : float
        Part of the outputs below the last layer that is set to zero in training.

    Raises
    ------
    ValueError
        If there is no such cell, or a number is out of range.

    Notes
    -----
    Built in chapter 07.

    Examples
    --------
    >>> outputs, (h, c) = Recurrent("lstm", 3, 5, n_layer=2)(torch.zeros(4, 7, 3))
    >>> outputs.shape, h.shape
    (torch.Size([4, 7, 5]), torch.Size([2, 4, 5]))
    """

    def __init__(
        self,
        cell: Cell,
        n_in: int,
        n_hidden: int,
        n_layer: int = 1,
        bidirectional: bool = False,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        if cell not in LAYERS:
            raise ValueError(f"cell must be one of {', '.join(LAYERS)}, got {cell!r}")
        sizes = {"n_in": n_in, "n_hidden": n_hidden, "n_layer": n_layer}
        for name, value in sizes.items():
            if value < 1:
                raise ValueError(f"{name} must be 1 or more, got {value}")
        self.cell, self.n_directions = cell, 1 + bidirectional
        widths = [n_in] + [self.n_directions * n_hidden] * (n_layer - 1)
        self.layers = nn.ModuleList(
            LAYERS[cell](width, n_hidden)
            for width in widths
            for _ in range(self.n_directions)
        )
        self.dropout = nn.Dropout(dropout)

    def forward(
        self,
        x: Tensor,
        state: State | None = None,
        lengths: Tensor | None = None,
        by_steps: bool = False,
    ) -> tuple[Tensor, State]:
        """Read texts.

        Parameters
        ----------
        x : tensor, (B, T, n_in)
            One vector for each token.
        state : tuple of tensors, (n_layer * directions, B, H), optional
            h, and c of an LSTM, before the first step; zeros by default.
        lengths : tensor of int64, (B,), optional
            Of the texts, if some are shorter than T: what follows is not read.
        by_steps : bool
            Whether to go through `step`, slower and easier to look into.

        Returns
        -------
        outputs : tensor, (B, T, directions * H)
            h of the last layer; 0 behind the end of a text.
        state : tuple of tensors, (n_layer * directions, B, H)
            After the last step: of the backward direction, that is the first token.

        Raises
        ------
        ValueError
            If a length is below 1 or above T.
        """
        x, last = x.transpose(0, 1), []
        if lengths is not None and not 1 <= lengths.min() <= lengths.max() <= len(x):
            raise ValueError(
                f"lengths must lie in 1 ... {len(x)}, the number of steps, got "
                f"{lengths.tolist()}"
            )
        for first in range(0, len(self.layers), self.n_directions):
            x, outputs = self.dropout(x) if first else x, []
            for at in range(first, first + self.n_directions):
                before = None if state is None else tuple(kind[at] for kind in state)
                is_backward = at > first
                read = _turned(x, lengths) if is_backward else x
                states = self.layers[at](read, before, by_steps)
                last.append([_at_end(kind, lengths) for kind in states])
                y = _turned(states[0], lengths) if is_backward else states[0]
                outputs.append(y)
            x = torch.cat(outputs, dim=-1) if len(outputs) > 1 else y
        if lengths is not None:
            steps = torch.arange(len(x), device=x.device).unsqueeze(1)
            x = x * (steps < lengths).unsqueeze(2)
        return x.transpose(0, 1), tuple(
            torch.stack(kind) for kind in zip(*last, strict=True)
        )

    @torch.no_grad()
    def to_torch(self) -> nn.RNN | nn.LSTM | nn.GRU:
        """Copy the weights to torch's own module, with ``batch_first=True``."""
        theirs = getattr(nn, self.cell.upper())(
            self.layers[0].from_input.in_features,
            self.layers[0].n_hidden,
            len(self.layers) // self.n_directions,
            batch_first=True,
            bidirectional=self.n_directions == 2,
            dropout=self.dropout.p,
        ).to(self.layers[0].from_input.weight)
        for ours, torchs in self._pairs(theirs):
            torchs.copy_(ours)
        return theirs.train(self.training)

    @staticmethod
    @torch.no_grad()
    def from_torch(theirs: nn.RNN | nn.LSTM | nn.GRU) -> Recurrent:
        """Copy the weights of torch's module; ours takes (B, T, n_in) in any case.

        Raises
        ------
        ValueError
            If it has what ours has not: no biases, a projection, another nonlinearity.
        """
        is_plain = getattr(theirs, "nonlinearity", "tanh") == "tanh"
        if not (theirs.bias and theirs.proj_size == 0 and is_plain):
            raise ValueError(
                f"{theirs} has no biases, a projection or a ReLU, which Recurrent has "
                "not; make it with bias=True, proj_size=0, nonlinearity='tanh'"
            )
        found = Recurrent(
            type(theirs).__name__.lower(),
            theirs.input_size,
            theirs.hidden_size,
            theirs.num_layers,
            theirs.bidirectional,
            theirs.dropout,
        ).to(theirs.weight_ih_l0)
        for ours, torchs in found._pairs(theirs):
            ours.copy_(torchs)
        return found.train(theirs.training)

    def _pairs(self, theirs: nn.RNNBase) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield each parameter of ours with torch's."""
        for at, layer in enumerate(self.layers):
            level, is_backward = divmod(at, self.n_directions)
            suffix = f"l{level}" + "_reverse" * is_backward
            for ours, name in (("from_input", "ih"), ("from_state", "hh")):
                for kind in ("weight", "bias"):
                    torchs = getattr(theirs, f"{kind}_{name}_{suffix}")
                    yield getattr(getattr(layer, ours), kind), torchs


def _turned(x: Tensor, lengths: Tensor | None) -> Tensor:
    """Turn each text of x (T, B, ...) round within its own length."""
    if lengths is None:
        return x.flip(0)
    step = torch.arange(len(x), device=x.device).unsqueeze(1)  # (T, 1)
    source = torch.where(step < lengths, lengths - 1 - step, step)
    return x.gather(0, source.unsqueeze(2).expand_as(x))


def _at_end(states: Tensor, lengths: Tensor | None) -> Tensor:
    """Give the state (B, H) of each text at its end, of states (T, B, H)."""
    if lengths is None:
        return states[-1]
    return states[lengths - 1, torch.arange(states.size(1), device=states.device)]
