"""Recurrent networks: layers above each other, and a language model (chapter 07).

`Recurrent` stacks the layers of `recurrent_layers` (tanh units, LSTM, GRU), in one
direction or in both. `RecurrentLM` makes a language model of it, used as `GPT` is.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from llmbook_utils.models.fused import linear_cross_entropy
from llmbook_utils.models.recurrent_layers import LAYERS, Cell, State


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


@dataclass(frozen=True)
class RecurrentConfig:
    """The shape of a `RecurrentLM`.

    Parameters
    ----------
    vocab_size, n_embd : int
        Number of tokens, and width of their embeddings.
    n_hidden, n_layer : int
        Width of each state, and number of layers.
    cell : {"rnn", "lstm", "gru"}
        Kind of the layers.
    is_tied : bool
        Whether the embeddings also score the next token (Press and Wolf, 2017).
    dropout : float
        Part of embeddings and outputs set to zero in training.
    """

    vocab_size: int
    n_embd: int = 128
    n_hidden: int = 128
    n_layer: int = 1
    cell: Cell = "lstm"
    is_tied: bool = True
    dropout: float = 0.0


class StateCache:
    """The state of a `RecurrentLM`: all that it knows of the tokens it has read.

    Attributes
    ----------
    state : tuple of tensors, (n_layer, B, H), or None
        None before the first token.
    length : int
        Number of tokens that have been read.
    """

    def __init__(self) -> None:
        self.state: State | None = None
        self.length = 0

    def __repr__(self) -> str:
        return f"StateCache({self.length} tokens)"


class RecurrentLM(nn.Module):
    """A language model with a recurrent layer or more, used as `GPT` is.

    Parameters
    ----------
    config : RecurrentConfig
        Its shape.

    Notes
    -----
    Source: Mikolov et al. (2010), "Recurrent neural network based language model".
    Built in chapter 07.

    Examples
    --------
    >>> model = RecurrentLM(RecurrentConfig(65, n_embd=16, n_hidden=32))
    >>> model(torch.zeros(1, 8, dtype=torch.long)).shape
    torch.Size([1, 8, 65])
    """

    max_tokens = math.inf  # a state can go on for ever

    def __init__(self, config: RecurrentConfig) -> None:
        super().__init__()
        self.config = config
        self.wte = nn.Embedding(config.vocab_size, config.n_embd)
        self.recurrent = Recurrent(
            config.cell,
            config.n_embd,
            config.n_hidden,
            config.n_layer,
            dropout=config.dropout,
        )
        self.dropout = nn.Dropout(config.dropout)
        is_bent = config.is_tied and config.n_hidden != config.n_embd
        self.to_embd = nn.Linear(config.n_hidden, config.n_embd) if is_bent else None
        if config.is_tied:
            self.wte.weight.data.normal_(std=1 / math.sqrt(config.n_embd))
        else:
            self.head = nn.Linear(config.n_hidden, config.vocab_size, bias=False)

    def new_cache(self, batch_size: int, size: int | None = None) -> StateCache:
        """Make the cache of texts of which nothing has been read."""
        return StateCache()

    def forward(
        self,
        ids: Tensor,
        cache: StateCache | None = None,
        targets: Tensor | None = None,
    ) -> Tensor:
        """Give each position's logits for the token after it.

        Parameters
        ----------
        ids : tensor of int64, (B, T)
            Tokens.
        cache : StateCache, optional
            What came before; it is brought up to date.
        targets : tensor of int64, (B, T), optional
            The tokens after; -100 is ignored. With them the loss is returned.

        Returns
        -------
        tensor, (B, T, vocab_size)
            Logits; or the loss (nats), summed over the targets.
        """
        state = None if cache is None else cache.state
        x, state = self.recurrent(self.dropout(self.wte(ids)), state)
        if cache is not None:
            cache.state, cache.length = state, cache.length + ids.size(1)
        x = self.dropout(x)
        x = x if self.to_embd is None else self.to_embd(x)
        weight = (self.wte if self.config.is_tied else self.head).weight
        if targets is None:
            return F.linear(x, weight)
        return linear_cross_entropy(x.flatten(0, 1), weight, targets.flatten())
