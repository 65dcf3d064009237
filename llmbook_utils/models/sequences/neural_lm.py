"""The first neural language model, of Bengio and others, 2003 (chapter 06).

It looks at as few tokens as an n-gram does, but not at their names: each is a vector,
and what was learned after one context serves all contexts with similar vectors.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from llmbook_utils.models.attention.fused import linear_cross_entropy


@dataclass(frozen=True)
class NeuralLMConfig:
    """The shape of a `NeuralLM`.

    Parameters
    ----------
    vocab_size : int
        Number of tokens.
    block_size : int
        The context: how many tokens it looks at, n - 1 of an n-gram.
    n_embd, n_hidden : int
        Width of each token's vector, and of the hidden layer.
    has_direct : bool
        Whether the vectors are also connected with the logits directly, past the
        hidden layer.

    Raises
    ------
    ValueError
        If a number is below 1.

    Examples
    --------
    >>> NeuralLMConfig(853, block_size=4, n_embd=30, n_hidden=100).n_features
    120
    """

    vocab_size: int
    block_size: int = 4
    n_embd: int = 64
    n_hidden: int = 128
    has_direct: bool = False

    def __post_init__(self) -> None:
        for name in ("vocab_size", "block_size", "n_embd", "n_hidden"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be 1 or more, got {getattr(self, name)}")

    @property
    def n_features(self) -> int:
        """Width of all vectors of a context, side by side."""
        return self.block_size * self.n_embd


class WindowCache:
    """The tokens that a `NeuralLM` looks at before the next one.

    Attributes
    ----------
    ids : tensor of int64, (B, block_size - 1)
        The last tokens that have been read.
    length : int
        Number of tokens that have been read.
    """

    def __init__(self, ids: Tensor) -> None:
        self.ids, self.length = ids, 0

    def __repr__(self) -> str:
        return f"WindowCache({self.ids.size(1)} of {self.length} tokens)"


class NeuralLM(nn.Module):
    """A feed-forward language model, used as `GPT` is.

    The vectors x of the last tokens, side by side, give the logits
    b + W tanh(d + H x), and + U x with direct connections. Before the first token of a
    text stands a token of its own, number `vocab_size`, that means "nothing".

    Parameters
    ----------
    config : NeuralLMConfig
        Its shape.

    Notes
    -----
    Source: Bengio et al. (2003), "A neural probabilistic language model", section 2.
    Built in chapter 06.

    Examples
    --------
    >>> model = NeuralLM(NeuralLMConfig(65, block_size=3))
    >>> model(torch.zeros(1, 8, dtype=torch.long)).shape
    torch.Size([1, 8, 65])
    """

    max_tokens = math.inf  # the window slides on

    def __init__(self, config: NeuralLMConfig) -> None:
        super().__init__()
        self.config = config
        self.wte = nn.Embedding(config.vocab_size + 1, config.n_embd)
        self.hidden = nn.Linear(config.n_features, config.n_hidden)
        n_direct = config.n_features if config.has_direct else 0
        self.head = nn.Linear(config.n_hidden + n_direct, config.vocab_size)

    def new_cache(self, batch_size: int, size: int | None = None) -> WindowCache:
        """Make the cache of texts of which nothing has been read."""
        shape = batch_size, self.config.block_size - 1
        ids = torch.full(shape, self.config.vocab_size, device=self.wte.weight.device)
        return WindowCache(ids)

    def windows(self, ids: Tensor, cache: WindowCache | None = None) -> Tensor:
        """Give the tokens that each position looks at, itself the last.

        Parameters
        ----------
        ids : tensor of int64, (B, T)
            Tokens.
        cache : WindowCache, optional
            What came before; it is brought up to date.

        Returns
        -------
        tensor of int64, (B, T, block_size)

        Examples
        --------
        >>> model = NeuralLM(NeuralLMConfig(65, block_size=3))
        >>> model.windows(torch.tensor([[7, 8, 9]])).tolist()
        [[[65, 65, 7], [65, 7, 8], [7, 8, 9]]]
        """
        check_batch(ids)
        before = self.new_cache(len(ids)) if cache is None else cache
        read = torch.cat([before.ids, ids], dim=1)
        before.ids = read[:, read.size(1) - self.config.block_size + 1 :]
        before.length += ids.size(1)
        return read.unfold(1, self.config.block_size, 1)

    def forward(
        self,
        ids: Tensor,
        cache: WindowCache | None = None,
        targets: Tensor | None = None,
    ) -> Tensor:
        """Give each position's logits for the token after it.

        Parameters
        ----------
        ids : tensor of int64, (B, T)
            Tokens.
        cache : WindowCache, optional
            What came before; it is brought up to date.
        targets : tensor of int64, (B, T), optional
            The tokens after; -100 is ignored. With them the loss is returned.

        Returns
        -------
        tensor, (B, T, vocab_size)
            Logits; or the loss (nats), summed over the targets.
        """
        x = self.wte(self.windows(ids, cache)).flatten(2)  # (B, T, n_features)
        h = self.hidden(x).tanh()
        h = torch.cat([h, x], dim=-1) if self.config.has_direct else h
        return self.head(h) if targets is None else summed_loss(self.head, h, targets)


def check_batch(ids: Tensor) -> None:
    """Refuse what isn't a batch of texts."""
    if ids.ndim != 2:
        raise ValueError(
            f"ids must have the shape (B, T), got {tuple(ids.shape)}; "
            "ids.unsqueeze(0) makes a batch of one text"
        )


def summed_loss(head: nn.Linear, h: Tensor, targets: Tensor) -> Tensor:
    """Cross-entropy (nats) of a linear layer on h (B, T, n), without its logits."""
    # the bias is the weight of an input that is always 1
    h = F.pad(h, (0, 1), value=1.0).flatten(0, 1)
    weight = torch.cat([head.weight, head.bias.unsqueeze(1)], dim=1)
    return linear_cross_entropy(h, weight, targets.flatten())
