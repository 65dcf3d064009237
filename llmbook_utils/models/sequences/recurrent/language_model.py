"""A language model of recurrent layers, used as `GPT` is (chapter 07)."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch.nn.functional as F
from torch import Tensor, nn

from llmbook_utils.models.attention.fused import linear_cross_entropy
from llmbook_utils.models.sequences.recurrent.layers import Cell, State
from llmbook_utils.models.sequences.recurrent.stack import Recurrent


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
    >>> import torch
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
