"""GPT-2, line by line (chapter 11).

Tokens and their positions become vectors. In each block every position looks at those
before it (attention), then thinks for itself (the MLP), and adds what it found to its
vector. The last vectors are compared with the embedding of every token. With learned
positions this is GPT-2, weights included (`gpt2_weights`); with rotary positions it is
what later models made of it. `training` trains it, `decoding` samples from it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from llmbook_utils.models.attention.fused import gelu, linear_cross_entropy
from llmbook_utils.models.attention.positions import rotary_table, rotate

if TYPE_CHECKING:
    from transformers import GPT2LMHeadModel


@dataclass(frozen=True)
class GPTConfig:
    """The shape of a `GPT`. The defaults are GPT-2's smallest, 124,439,808 parameters.

    Parameters
    ----------
    vocab_size, block_size : int
        Number of tokens there are, and of tokens in the longest context.
    n_layer, n_head, n_embd : int
        Blocks, heads in each block, and C, the width of the residual stream.
    positions : {"learned", "rotary"}
        A table with one vector for each position, as in GPT-2; or queries and keys
        turned by an angle that grows with the position.
    init : {"gpt2", "fan_in"}
        Standard deviation of the blocks' matrices at the start: 0.02 as in GPT-2, or
        one over the root of the number of inputs, with which narrow models learn
        sooner.
    dropout : float
        Part of the numbers set to zero in training. It costs a third of the speed and
        is of use only where the same text comes again.

    Raises
    ------
    ValueError
        If a number is out of range, a name unknown, or `n_embd` not a multiple of
        `n_head`.

    Examples
    --------
    >>> GPTConfig(n_embd=128, n_head=4).d_head
    32
    """

    vocab_size: int = 50257
    block_size: int = 1024
    n_layer: int = 12
    n_head: int = 12
    n_embd: int = 768
    positions: Literal["learned", "rotary"] = "learned"
    init: Literal["gpt2", "fan_in"] = "gpt2"
    dropout: float = 0.0

    def __post_init__(self) -> None:
        for name in ("vocab_size", "block_size", "n_layer", "n_head", "n_embd"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be 1 or more, got {getattr(self, name)}")
        for name, known in (
            ("positions", ("learned", "rotary")),
            ("init", ("gpt2", "fan_in")),
        ):
            if getattr(self, name) not in known:
                raise ValueError(
                    f"{name} must be {known[0]!r} or {known[1]!r}, "
                    f"got {getattr(self, name)!r}"
                )
        if not 0 <= self.dropout < 1:
            raise ValueError(f"dropout must be in [0, 1), got {self.dropout}")
        # a rotary head is made of pairs
        unit = self.n_head * (2 if self.positions == "rotary" else 1)
        if self.n_embd % unit:
            raise ValueError(
                f"n_embd={self.n_embd} does not divide into n_head={self.n_head} heads "
                f"with {self.positions} positions; choose a multiple of {unit}"
            )

    @property
    def d_head(self) -> int:
        """Width of one head."""
        return self.n_embd // self.n_head


class KVCache:
    """Keys and values of the tokens that a model has read, so that none is read twice.

    Parameters
    ----------
    config : GPTConfig
        Of the model.
    batch_size : int
        Number of texts, B.
    like : tensor
        Gives dtype and device.
    size : int, optional
        Number of tokens to make room for, `block_size` if left out.

    Attributes
    ----------
    layers : list of tensors, (2, B, n_head, size, d_head)
        Keys and values of each block.
    length : int
        Number of tokens that have been read.

    Raises
    ------
    ValueError
        By `grow`, if there is no room.

    Notes
    -----
    Built in chapter 12.
    """

    def __init__(
        self, config: GPTConfig, batch_size: int, like: Tensor, size: int | None = None
    ) -> None:
        size = config.block_size if size is None else size
        shape = (2, batch_size, config.n_head, size, config.d_head)
        self.layers = [like.new_empty(shape) for _ in range(config.n_layer)]
        self.size, self.length = size, 0

    def __repr__(self) -> str:
        return f"KVCache({self.length} of {self.size} tokens)"

    def grow(self, T: int) -> list[Tensor]:
        """Count T more tokens, and give each block's part that is then in use."""
        if self.length + T > self.size:
            raise ValueError(
                f"the cache has room for {self.size} tokens and holds {self.length}, "
                f"{T} more do not fit; make it with a larger size"
            )
        self.length += T
        return [layer[:, :, :, : self.length] for layer in self.layers]


def has_kernel(x: Tensor) -> bool:
    """Tell whether torch's fused attention is quicker for x than the lines below."""
    return x.is_cuda


class CausalSelfAttention(nn.Module):
    """Several heads of attention, each position looking at itself and before.

    Source: Vaswani et al. (2017), section 3.2. Built in chapter 11.
    """

    def __init__(self, config: GPTConfig) -> None:
        super().__init__()
        self.n_head, self.dropout = config.n_head, config.dropout
        self.scale = 1 / math.sqrt(config.d_head)
        self.c_attn = nn.Linear(config.n_embd, 3 * config.n_embd)
        self.c_proj = nn.Linear(config.n_embd, config.n_embd)

    def forward(
        self,
        x: Tensor,
        mask: Tensor,
        table: Tensor | None = None,
        past: Tensor | None = None,
        want_weights: bool = True,
    ) -> tuple[Tensor, Tensor | None]:
        """Let the T positions of x look at S keys; the last T are their own.

        Parameters
        ----------
        x : tensor, (B, T, C)
            The stream, normalised.
        mask : tensor, (T, S)
            0 where a position may look, minus infinity where not.
        table : tensor, (2, T, d_head), optional
            Rotary positions of x.
        past : tensor, (2, B, n_head, S, d_head), optional
            Keys and values; the last T are written here.
        want_weights : bool
            If False, a GPU takes its fused kernel, which has no weights to show.

        Returns
        -------
        y, weights : tensors, (B, T, C) and (B, n_head, T, S)
        """
        B, T, C = x.shape
        # (B, T, 3 C) to three times (B, n_head, T, d_head)
        qkv = self.c_attn(x).view(B, T, 3, self.n_head, -1).permute(2, 0, 3, 1, 4)
        q, k, v = qkv
        if table is not None:
            q, k = rotate(qkv[:2], table)
        if past is not None:
            past[0, :, :, -T:], past[1, :, :, -T:] = k, v
            k, v = past
        dropout = self.dropout if self.training else 0.0
        if has_kernel(x) and past is None and not want_weights:
            weights = None
            y = F.scaled_dot_product_attention(q, k, v, None, dropout, is_causal=True)
        else:
            scores = (q * self.scale) @ k.transpose(-2, -1)  # (B, n_head, T, S)
            scores += mask.to(scores.dtype)
            weights = scores.softmax(dim=-1)
            y = F.dropout(weights, dropout) @ v
        y = y.transpose(1, 2).reshape(B, T, C)  # heads side by side again
        return self.c_proj(y), weights


class FeedForward(nn.Module):
    """Two layers with a GELU between, at each position alone."""

    def __init__(self, config: GPTConfig) -> None:
        super().__init__()
        self.c_fc = nn.Linear(config.n_embd, 4 * config.n_embd)
        self.c_proj = nn.Linear(4 * config.n_embd, config.n_embd)

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, T, C) to (B, T, C)."""
        return self.c_proj(gelu(self.c_fc(x)))


class Block(nn.Module):
    """Attention, then the MLP; each reads a normalised copy and adds to the stream."""

    def __init__(self, config: GPTConfig) -> None:
        super().__init__()
        self.ln_1 = nn.LayerNorm(config.n_embd)
        self.attn = CausalSelfAttention(config)
        self.ln_2 = nn.LayerNorm(config.n_embd)
        self.mlp = FeedForward(config)
        self.dropout = nn.Dropout(config.dropout)

    def forward(
        self, x: Tensor, *attention: Tensor | bool | None
    ) -> tuple[Tensor, Tensor | None]:
        """Map (B, T, C) to (B, T, C) and the weights; see `CausalSelfAttention`."""
        y, weights = self.attn(self.ln_1(x), *attention)
        x = x + self.dropout(y)
        return x + self.dropout(self.mlp(self.ln_2(x))), weights


class GPT(nn.Module):
    """A language model with GPT-2's architecture.

    Parameters
    ----------
    config : GPTConfig
        Its shape.

    Notes
    -----
    Source: Radford et al. (2019), "Language models are unsupervised multitask
    learners", section 2.3. Built in chapter 11.

    Examples
    --------
    >>> model = GPT(GPTConfig(65, block_size=32, n_layer=2, n_head=4, n_embd=64))
    >>> model(torch.zeros(1, 8, dtype=torch.long)).shape
    torch.Size([1, 8, 65])
    """

    def __init__(self, config: GPTConfig) -> None:
        super().__init__()
        self.config = config
        self.wte = nn.Embedding(config.vocab_size, config.n_embd)
        if config.positions == "learned":
            self.wpe = nn.Embedding(config.block_size, config.n_embd)
            table = None
        else:
            table = rotary_table(config.block_size, config.d_head)
        self.dropout = nn.Dropout(config.dropout)
        self.h = nn.ModuleList(Block(config) for _ in range(config.n_layer))
        self.ln_f = nn.LayerNorm(config.n_embd)
        self.register_buffer("table", table, persistent=False)
        mask = torch.full((config.block_size, config.block_size), -torch.inf).triu(1)
        self.register_buffer("mask", mask, persistent=False)
        self._init_weights()

    @torch.no_grad()
    def _init_weights(self) -> None:
        """Draw matrices; those that write to the stream are smaller in deep models."""
        for name, p in self.named_parameters():
            if p.ndim < 2:
                if "ln_" not in name:
                    p.zero_()
                continue
            use_fan_in = self.config.init == "fan_in" and name.startswith("h.")
            std = 1 / math.sqrt(p.size(1)) if use_fan_in else 0.02
            if name.endswith("c_proj.weight"):
                std /= math.sqrt(2 * self.config.n_layer)
            p.normal_(std=std)

    def forward(
        self,
        ids: Tensor,
        cache: KVCache | None = None,
        want_weights: bool = False,
        targets: Tensor | None = None,
    ) -> Tensor | tuple[Tensor, list[Tensor]]:
        """Give each position's logits for the token after it.

        Parameters
        ----------
        ids : tensor of int64, (B, T)
            Tokens.
        cache : KVCache, optional
            What came before; it grows by T.
        want_weights : bool
            Whether to return the attention weights as well.
        targets : tensor of int64, (B, T), optional
            The tokens after; -100 is ignored. With them the loss is returned.

        Returns
        -------
        logits : tensor, (B, T, vocab_size)
            Or the loss (nats), summed over the targets.
        weights : list of n_layer tensors, (B, n_head, T, S)
            If wanted. S is T, and the cache's length more if there is one.

        Raises
        ------
        ValueError
            If `ids` is not (B, T), or longer than the context or the cache.
        """
        start = 0 if cache is None else cache.length
        x = self._embed(ids, start)
        end = start + ids.size(1)
        mask = self.mask[start:end, :end]
        table = None if self.table is None else self.table[:, start:end]
        pasts = [None] * len(self.h) if cache is None else cache.grow(ids.size(1))
        all_weights = []
        for block, past in zip(self.h, pasts, strict=True):
            x, weights = block(x, mask, table, past, want_weights)
            if want_weights:
                all_weights.append(weights)
        x, head = self.ln_f(x), self.wte.weight  # the head is the embedding
        if targets is None:
            result = F.linear(x, head)
        else:
            result = linear_cross_entropy(x.flatten(0, 1), head, targets.flatten())
        return (result, all_weights) if want_weights else result

    def _embed(self, ids: Tensor, start: int) -> Tensor:
        """Look up tokens (B, T) and their positions from `start` on: (B, T, C)."""
        if ids.ndim != 2:
            raise ValueError(
                f"ids must have the shape (B, T), got {tuple(ids.shape)}; "
                "ids.unsqueeze(0) makes a batch of one text"
            )
        end = start + ids.size(1)
        if end > self.config.block_size:
            raise ValueError(
                f"{end} tokens are longer than the context, block_size="
                f"{self.config.block_size}; cut the text, or make and train a model "
                "with a larger block_size"
            )
        x = self.wte(ids)
        if self.config.positions == "learned":
            x = x + self.wpe.weight[start:end]
        return self.dropout(x)

    def to_transformers(self) -> GPT2LMHeadModel:
        """Copy the weights to transformers' GPT-2; see `gpt2_weights`."""
        from llmbook_utils.models.attention import gpt2_weights

        return gpt2_weights.to_transformers(self)

    @staticmethod
    def from_transformers(model: GPT2LMHeadModel) -> GPT:
        """Copy the weights of transformers' GPT-2; see `gpt2_weights`."""
        from llmbook_utils.models.attention import gpt2_weights

        return gpt2_weights.from_transformers(model)
