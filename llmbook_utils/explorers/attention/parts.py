"""Attentions as they come, and what they must be to be drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

TOLERANCE = 1e-3  # of a row's sum
HALF_TOLERANCE = 2e-2  # where weights have 16 bits
NO_WEIGHTS = (
    "the model gave no attention weights: its kernel ({kind}) never makes them; call "
    'model.set_attn_implementation("eager"), or load the model with '
    'attn_implementation="eager", and run it with output_attentions=True'
)


@dataclass
class Part:
    """Attention of some positions to others, in all layers.

    Attributes
    ----------
    name : str
        ``""``, or which part of an encoder-decoder model it is.
    weights : list of n_layer arrays, (n_head, T, S)
        Row t: how position t looks at the S others.
    left, right : list of str
        The T tokens that look, the S that are looked at.
    queries, keys : list of n_layer arrays, (n_head, T, d_head)
        For the neuron view; else empty.
    """

    name: str
    weights: list[Any]
    left: list[str]
    right: list[str]
    queries: list[np.ndarray] = field(default_factory=list)
    keys: list[np.ndarray] = field(default_factory=list)


def read_outputs(source: Any, tokens: Any) -> list[Part]:
    """Arrange what a model returned, or a list or dict of attentions.

    Parameters
    ----------
    source : sequence of arrays, dict or transformers' output
        A dict has the keys ``encoder``, ``decoder`` and ``cross``, one or more.
    tokens : list of str, or a pair (encoder's, decoder's) of lists
        The tokens.

    Raises
    ------
    ValueError
        If there are no attentions, or tokens are missing.
    """
    parts = {
        name: value
        for name in ("encoder", "decoder", "cross")
        if (value := _field(source, name)) is not None
    }
    if not parts:
        if isinstance(source, dict) or hasattr(source, "to_tuple"):
            source = source.get("attentions")
        if source is None:
            raise ValueError(NO_WEIGHTS.format(kind="SDPA or flash"))
        return [Part("", source, list(_strings(tokens)), list(_strings(tokens)))]
    if not isinstance(tokens, tuple) or len(tokens) != 2:
        raise ValueError(
            "encoder-decoder attentions need two lists of tokens, "
            f"(encoder_tokens, decoder_tokens), got {type(tokens).__name__}"
        )
    of = {"encoder": list(_strings(tokens[0])), "decoder": list(_strings(tokens[1]))}
    sides = {
        "encoder": ("encoder", "encoder"),
        "decoder": ("decoder", "decoder"),
        "cross": ("decoder", "encoder"),
    }
    return [
        Part(name.capitalize(), value, of[sides[name][0]], of[sides[name][1]])
        for name, value in parts.items()
    ]


def _field(source: Any, name: str) -> Any:
    """Find one part's attentions under our name or under transformers'."""
    if isinstance(source, dict) or hasattr(source, "to_tuple"):
        return source.get(name, source.get(f"{name}_attentions"))
    return None


def _strings(tokens: Any) -> Sequence[str]:
    if isinstance(tokens, str) or not all(isinstance(token, str) for token in tokens):
        raise TypeError(
            f"tokens must be a list of strings, got {tokens!r:.60}; for a text, pass "
            "the model: head_view(model, text, tokenizer)"
        )
    return [readable(token) for token in tokens]


def readable(token: str) -> str:
    """Write a token as text, in place of the signs that tokenizers have for spaces.

    Examples
    --------
    >>> readable("Ġcat"), readable("Ċ"), readable("▁the"), readable(" ")
    (' cat', '⏎', ' the', '␣')
    """
    for sign, meaning in (("Ġ", " "), ("▁", " "), ("</w>", ""), ("Ċ", "\n")):
        token = token.replace(sign, meaning)
    return visible(token)


def visible(text: str) -> str:
    """Give a sign to what would not be seen: line ends, tabs, blanks alone."""
    text = text.replace("\n", "⏎").replace("\t", "⇥")
    return text if text.strip() else "␣" * max(len(text), 1)


def check(part: Part) -> list[np.ndarray]:
    """Turn one part's attentions into arrays (n_head, T, S) and check every row."""
    name = f"{part.name} attentions" if part.name else "attentions"
    if any(layer is None for layer in part.weights):
        raise ValueError(f"{name} are None: " + NO_WEIGHTS.format(kind="SDPA or flash"))
    if len(part.weights) == 0:
        raise ValueError(f"{name} are empty; run the model with output_attentions=True")
    checked = []
    for number, layer in enumerate(part.weights):
        where = f"{name} of layer {number}"
        weights, tolerance = _as_array(layer, where)
        _check_shape(weights, part, where)
        _check_rows(weights, tolerance, where)
        checked.append(weights)
    return checked


def _as_array(layer: Any, where: str) -> tuple[np.ndarray, float]:
    """Turn a tensor or array (1, n_head, T, S), or without the 1, into an array."""
    tolerance = TOLERANCE
    if hasattr(layer, "detach"):
        if layer.element_size() < 4:
            tolerance = HALF_TOLERANCE
        layer = layer.detach().float().cpu().numpy()
    array = np.asarray(layer)
    if array.ndim == 4 and array.shape[0] == 1:
        array = array[0]
    if array.ndim == 4:
        raise ValueError(
            f"{where} have shape {array.shape}, a batch of {array.shape[0]}; pass one "
            "text: [layer[:1] for layer in attentions]"
        )
    if array.ndim != 3:
        raise ValueError(
            f"{where} have shape {array.shape}; expected a list with, for each layer, "
            "(1, n_head, T, S) or (n_head, T, S), as transformers gives with "
            "output_attentions=True"
        )
    return array.astype(np.float64), tolerance


def _check_shape(weights: np.ndarray, part: Part, where: str) -> None:
    for length, tokens in zip(weights.shape[1:], (part.left, part.right), strict=True):
        if length != len(tokens):
            raise ValueError(
                f"{where} are for {length} tokens, but {len(tokens)} tokens came; take "
                "both from one call of the tokenizer, special tokens included"
            )


def _check_rows(weights: np.ndarray, tolerance: float, where: str) -> None:
    bad = ~np.isfinite(weights)
    if bad.any():
        head, row, _ = np.argwhere(bad)[0]
        raise ValueError(
            f"{where} hold NaN or infinity (head {head}, token {row}); a row whose "
            "keys are all masked gives NaN: leave each token one key to look at"
        )
    sums = weights.sum(-1)
    off = (np.abs(sums - 1) > tolerance) | (weights < -tolerance).any(-1)
    if off.any():
        head, row = np.argwhere(off)[0]
        raise ValueError(
            f"{where} are no weights: head {head}, token {row} sums to "
            f"{sums[head, row]:.4g}, lowest {weights[head, row].min():.4g}; pass what "
            "the softmax over the last axis gives, before dropout (model.eval()), and "
            "do not cut it: positions=slice(0, 32) shows a part"
        )


def is_causal(part: Part) -> bool:
    """Tell whether no position looks at a later one, in any head."""
    square = len(part.left) == len(part.right)
    return square and not any(np.triu(layer, 1).any() for layer in part.weights)
