"""From a model's logits to text: sampling with a cache of keys and values (chapter 12).

`generate` is the whole; `next_probabilities` and `sample` are its two halves for one
token. Speed comes from the cache, which is allocated once, and from a step for single
tokens that leaves out whatever a single token does not need.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from llmbook_utils.models.attention.gpt import (
    GPT,
    Block,
    CausalSelfAttention,
    FeedForward,
    KVCache,
)
from llmbook_utils.models.attention.positions import rotate
from llmbook_utils.models.language_model import context_size
from llmbook_utils.runtime import float32_products

_KNOWN_MODULES = {
    GPT,
    Block,
    CausalSelfAttention,
    FeedForward,
    nn.Embedding,
    nn.LayerNorm,
    nn.Linear,
    nn.Dropout,
    nn.ModuleList,
}


def _check_settings(temperature: float, top_k: int | None, top_p: float | None) -> None:
    if temperature < 0:
        raise ValueError(
            f"temperature must be 0 (always the likeliest token) or more, got "
            f"{temperature}"
        )
    if top_k is not None and top_k < 1:
        raise ValueError(f"top_k must be 1 or more, got {top_k}; None keeps all tokens")
    if top_p is not None and not 0 < top_p <= 1:
        raise ValueError(f"top_p must be in (0, 1], got {top_p}; None keeps all tokens")


def next_probabilities(
    logits: Tensor,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
) -> Tensor:
    """Turn logits into the distribution that the next token is drawn from.

    Parameters
    ----------
    logits : tensor, (..., V)
        One for each token.
    temperature : float
        Logits are divided by it: below 1 the likely become likelier. 0 leaves the
        likeliest token alone.
    top_k : int, optional
        Keep this many of the likeliest tokens.
    top_p : float, optional
        Of those, keep the likeliest that together have at least this probability.

    Returns
    -------
    tensor of float32, (..., V)
        Probabilities, with sum 1.

    Raises
    ------
    ValueError
        If a setting is out of range.

    Notes
    -----
    Source: Fan et al. (2018) for top-k; Holtzman et al. (2020), "The curious case of
    neural text degeneration", for top-p. Built in chapter 12.

    Examples
    --------
    >>> logits = torch.tensor([0.5, 0.3, 0.2]).log()
    >>> next_probabilities(logits, top_k=2).tolist()
    [0.625, 0.375, 0.0]
    """
    _check_settings(temperature, top_k, top_p)
    if temperature == 0:
        return F.one_hot(logits.argmax(-1), logits.size(-1)).float()
    return _next_probabilities(logits, temperature, top_k, top_p)


def _next_probabilities(
    logits: Tensor, temperature: float, top_k: int | None, top_p: float | None
) -> Tensor:
    logits = logits.float() / temperature
    if top_k is not None and top_k < logits.size(-1):
        least = logits.topk(top_k).values[..., -1:]
        logits = logits.masked_fill(logits < least, -torch.inf)
    probs = logits.softmax(-1)
    if top_p is not None and top_p < 1:
        ordered, order = probs.sort(dim=-1, descending=True)
        # a token goes if those that are likelier have enough without it
        is_needless = ordered.cumsum(-1) - ordered >= top_p
        probs = probs.masked_fill(is_needless.scatter(-1, order, is_needless), 0)
        probs = probs / probs.sum(-1, keepdim=True)
    return probs


def sample(probs: Tensor, generator: torch.Generator | None = None) -> Tensor:
    """Draw a token for each row.

    A random number falls on the line of the cumulated probabilities; the token is the
    one whose piece it hits. `torch.multinomial` does the same slower, because it draws
    one random number for each token of the vocabulary.

    Parameters
    ----------
    probs : tensor, (B, V)
        Not negative; a row need not sum to 1.
    generator : torch.Generator, optional
        Where the random numbers come from, on the device of `probs`.

    Returns
    -------
    tensor of int64, (B, 1)
        Tokens; none has probability 0.

    Examples
    --------
    >>> sample(torch.tensor([[0.0, 1.0, 0.0], [0.0, 0.0, 2.0]])).tolist()
    [[1], [2]]
    """
    cumulated = probs.cumsum(-1)
    draws = torch.rand(len(probs), 1, generator=generator, device=probs.device)
    draws = draws.to(cumulated.dtype) * cumulated[:, -1:]
    # subtle: right=True, else a draw of exactly 0 would hit a token of probability 0
    return torch.searchsorted(cumulated, draws, right=True)


def _is_as_built(model: GPT) -> bool:
    """Whether no layer was replaced (LoRA, quantisation) and nothing hooks in."""
    return all(
        type(m) in _KNOWN_MODULES and not (m._forward_hooks or m._forward_pre_hooks)
        for m in model.modules()
    )


def _lean_block(block: Block, past: Tensor) -> Callable[..., None]:
    """Make the forward of `block` for one token of each text.

    What costs as much as the arithmetic of a single token is left out: calls of
    modules, look-ups of weights, dropout, the mask.
    """
    width = block.ln_1.normalized_shape
    weight_1, bias_1 = block.ln_1.parameters()
    weight_2, bias_2 = block.ln_2.parameters()
    (to_qkv, qkv_bias), (to_y, y_bias), (to_hidden, hidden_bias), (to_out, out_bias) = (
        (layer.weight.t(), layer.bias)
        for layer in (
            block.attn.c_attn,
            block.attn.c_proj,
            block.mlp.c_fc,
            block.mlp.c_proj,
        )
    )
    _, B, n_head, _, d_head = past.shape
    layer_norm, addmm, gelu = torch.layer_norm, torch.addmm, F.gelu

    def read(x: Tensor, n: int, table: Tensor | None) -> None:
        h = addmm(qkv_bias, layer_norm(x, width, weight_1, bias_1), to_qkv)
        qkv = h.view(B, 3, n_head, 1, d_head).transpose(0, 1)
        q, new = qkv[0], qkv[1:]
        if table is not None:
            q, k = rotate(qkv[:2], table)
            new = torch.stack([k, qkv[2]])
        past.narrow(3, n, 1).copy_(new)
        k, v = past.narrow(3, 0, n + 1)
        y = F.scaled_dot_product_attention(q, k, v).reshape(B, -1)
        x += addmm(y_bias, y, to_y)
        h = addmm(hidden_bias, layer_norm(x, width, weight_2, bias_2), to_hidden)
        x += addmm(out_bias, gelu(h, approximate="tanh"), to_out)

    return read


def _new_cache(model: nn.Module, batch_size: int, size: int) -> Any:
    """Make what a model remembers texts of `size` tokens with."""
    if isinstance(model, GPT):
        return KVCache(model.config, batch_size, model.wte.weight, size)
    return model.new_cache(batch_size, size)


def _lean_step(model: nn.Module, cache: Any) -> Callable[[Tensor], Tensor]:
    """Make the function from one new token of each text (B, 1) to logits (B, V)."""
    if not (isinstance(model, GPT) and _is_as_built(model)):
        return lambda ids: model(ids, cache)[:, -1]
    blocks = [
        _lean_block(b, past) for b, past in zip(model.h, cache.layers, strict=True)
    ]
    tokens, norm, table = model.wte.weight, model.ln_f, model.table
    positions = None if table is not None else model.wpe.weight
    width, weight, bias = norm.normalized_shape, norm.weight, norm.bias

    def step(ids: Tensor) -> Tensor:
        n, turn = cache.length, None
        x = F.embedding(ids[:, 0], tokens)
        if positions is not None:
            x += positions[n]
        else:
            turn = table[:, n : n + 1]
        for read in blocks:
            read(x, n, turn)
        cache.length = n + 1
        return F.linear(torch.layer_norm(x, width, weight, bias), tokens)

    return step


@contextmanager
def _settings(model: nn.Module) -> Iterator[None]:
    """Evaluation mode, and products by the library that is quick with small ones."""
    was_training = model.training
    model.eval()
    try:
        with float32_products(next(model.parameters()).device, large=False):
            yield
    finally:
        model.train(was_training)


@torch.inference_mode()
def generate(
    model: nn.Module,
    ids: Tensor,
    max_new_tokens: int,
    *,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
    stop_id: int | None = None,
    generator: torch.Generator | None = None,
) -> Tensor:
    """Continue texts token by token.

    Parameters
    ----------
    model : GPT, NeuralLM or RecurrentLM
        A `GPT`, or a model with `new_cache`. Its mode is put back afterwards.
    ids : tensor of int64, (B, T)
        Prompts of equal length. On a CPU batches of about 32 give most tokens a second.
    max_new_tokens : int
        How many tokens to add at most.
    temperature, top_k, top_p
        See `next_probabilities`. Temperature 0 is greedy decoding.
    stop_id : int, optional
        A text ends with this token, and is filled up with it while others go on.
    generator : torch.Generator, optional
        For draws that can be repeated, on the model's device.

    Returns
    -------
    tensor of int64, (B, T + n)
        Prompts and new tokens; n is `max_new_tokens`, less if all texts have ended.

    Raises
    ------
    TypeError
        If the model is none of these.
    ValueError
        If a setting is out of range, the prompt is empty, or the text would outgrow
        the context.

    Notes
    -----
    Built in chapter 12.

    Examples
    --------
    >>> from llmbook_utils.models.attention.gpt import GPTConfig
    >>> model = GPT(GPTConfig(65, block_size=32, n_layer=2, n_head=4, n_embd=64))
    >>> generate(model, torch.tensor([[1, 2, 3]]), max_new_tokens=10).shape
    torch.Size([1, 13])
    """
    _check_request(model, ids, max_new_tokens)
    _check_settings(temperature, top_k, top_p)
    texts = [ids]
    has_ended = torch.zeros(len(ids), 1, dtype=torch.bool, device=ids.device)
    cache = _new_cache(model, len(ids), ids.size(1) + max_new_tokens)
    with _settings(model):
        step = _lean_step(model, cache)
        logits = model(ids, cache)[:, -1] if max_new_tokens else None
        for i in range(max_new_tokens):
            if i:
                logits = step(texts[-1])
            if temperature == 0:
                new = logits.argmax(-1, keepdim=True)
            else:
                probs = _next_probabilities(logits, temperature, top_k, top_p)
                new = sample(probs, generator)
            if stop_id is not None:
                new = new.masked_fill(has_ended, stop_id)
                has_ended |= new == stop_id
            texts.append(new)
            if stop_id is not None and has_ended.all():
                break
    return torch.cat(texts, dim=1)


def _check_request(model: nn.Module, ids: Tensor, max_new_tokens: int) -> None:
    if not (isinstance(model, GPT) or hasattr(model, "new_cache")):
        raise TypeError(
            f"generate continues with a GPT of ours or a model with new_cache, got "
            f"{type(model).__name__}; GPT.from_transformers(model) makes one of "
            "transformers' GPT-2"
        )
    if ids.ndim != 2 or 0 in ids.shape:
        raise ValueError(
            f"ids must have the shape (B, T) with at least one token a text, got "
            f"{tuple(ids.shape)}; a text can begin with a token that marks its start"
        )
    if max_new_tokens < 0:
        raise ValueError(f"max_new_tokens must be 0 or more, got {max_new_tokens}")
    room = context_size(model) - ids.size(1)
    if max_new_tokens > room:
        raise ValueError(
            f"{ids.size(1)} tokens and {max_new_tokens} new ones do not fit into the "
            f"context, block_size={model.config.block_size}; ask for max_new_tokens="
            f"{max(room, 0)} or fewer, or keep the last tokens of the prompt only: "
            "ids[:, -n:]"
        )
