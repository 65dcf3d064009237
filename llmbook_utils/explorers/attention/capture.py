"""Read attention weights, and queries and keys, out of models and of what they return.

Queries and keys are caught by hooks on the model's own layers, so that what is drawn is
what the model computed.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from llmbook_utils.explorers.attention.parts import (
    NO_WEIGHTS,
    Part,
    is_causal,
    read_outputs,
    visible,
)
from llmbook_utils.text.bpe import BYTE_CHARACTERS

if TYPE_CHECKING:
    import torch
    from torch import nn

Text = str | tuple[str, str]

# The layers that give queries and keys, by the names in transformers' modules.
_PROJECTIONS = (("c_attn",), ("query", "key"), ("q_lin", "k_lin"))


def is_model(source: object) -> bool:
    """Tell a model from attentions, without importing torch."""
    return callable(source) and hasattr(source, "named_modules")


def read_model(
    model: nn.Module, text: Text, tokenizer: Any, want_vectors: bool = False
) -> tuple[list[Part], int | None]:
    """Run a model on a text and take its attentions.

    Parameters
    ----------
    model : nn.Module
        Our `GPT`, or any of transformers' models.
    text : str or pair of str
        A pair is two sentences, or what an encoder and a decoder read.
    tokenizer : object
        Ours or transformers'.
    want_vectors : bool
        Whether queries and keys are wanted as well.

    Returns
    -------
    parts : list of Part
    second : int or None
        Where the second sentence of a pair begins.

    Raises
    ------
    ValueError
        If the model gives no weights, or the text no tokens.
    """
    import torch

    from llmbook_utils.models.attention.gpt import GPT

    if tokenizer is None:
        raise ValueError(
            "a model needs a text and its tokenizer: head_view(model, text, tokenizer)"
        )
    with _evaluating(model), torch.no_grad():
        if isinstance(model, GPT):
            return _run_ours(model, text, tokenizer, want_vectors), None
        if getattr(model.config, "is_encoder_decoder", False):
            return _run_pair(model, text, tokenizer, want_vectors), None
        return _run(model, text, tokenizer, want_vectors)


@contextlib.contextmanager
def _evaluating(model: nn.Module) -> Iterator[None]:
    """Switch dropout off for a moment: with it, weights do not sum to 1."""
    training = [module for module in model.modules() if module.training]
    model.eval()
    try:
        yield
    finally:
        for module in training:
            module.training = True


def _encode(
    tokenizer: Any, text: Text, device: Any
) -> tuple[dict[str, torch.Tensor], list[str], int | None]:
    """Make a model's inputs, the tokens as text, and the start of sentence two."""
    import torch

    texts = (text,) if isinstance(text, str) else tuple(text)
    if not callable(tokenizer):
        if len(texts) > 1:
            raise ValueError("this model reads one text, got a pair; join the two")
        ids = torch.tensor([list(tokenizer.encode(texts[0]))], dtype=torch.long)
        inputs, second = {"input_ids": ids}, None
    else:
        encoded = tokenizer(*texts, return_tensors="pt")
        inputs, second = dict(encoded), None
        if len(texts) > 1:
            second = _second_start(encoded, inputs)
    ids = inputs["input_ids"][0].tolist()
    if not ids:
        raise ValueError(f"the text {text!r} has no tokens; give it a word")
    tokens = [token_text(tokenizer, i) for i in ids]
    return {name: x.to(device) for name, x in inputs.items()}, tokens, second


def _second_start(encoded: Any, inputs: dict[str, torch.Tensor]) -> int | None:
    types = inputs.get("token_type_ids")
    marks = [] if types is None else types[0].tolist()
    if 1 not in marks and getattr(encoded, "is_fast", False):
        marks = encoded.sequence_ids(0)
    return marks.index(1) if 1 in marks else None


def token_text(tokenizer: Any, i: int) -> str:
    """Write one token as text; a part of a character, as its bytes in hexadecimal."""
    text = tokenizer.decode([i])
    if "\ufffd" in text:
        if hasattr(tokenizer, "convert_ids_to_tokens"):
            piece = tokenizer.convert_ids_to_tokens(i)
        else:
            piece = next(token for token, j in tokenizer.vocab.items() if i == j)
        if all(character in BYTE_CHARACTERS for character in piece):
            return " ".join(f"{BYTE_CHARACTERS.index(byte):02X}" for byte in piece)
    return visible(text)


def _run_ours(model: Any, text: Text, tokenizer: Any, want_vectors: bool) -> list[Part]:
    from llmbook_utils.models.attention.positions import rotate

    inputs, tokens, _ = _encode(tokenizer, text, model.wte.weight.device)
    layers = [[block.attn.c_attn] for block in model.h]
    with _listening(layers if want_vectors else []) as heard:
        _, weights = model(inputs["input_ids"], want_weights=True)
    part = Part("", [w[0] for w in weights], tokens, tokens)
    for [qkv] in heard:
        vectors = _heads(qkv, model.config.n_head, 3)[:2]
        if model.table is not None:
            vectors = rotate(vectors, model.table[:, : len(tokens)])
        part.queries.append(_array(vectors[0]))
        part.keys.append(_array(vectors[1]))
    return [part]


def _run(
    model: Any, text: Text, tokenizer: Any, want_vectors: bool
) -> tuple[list[Part], int | None]:
    inputs, tokens, second = _encode(tokenizer, text, _device(model))
    layers = _projections(model) if want_vectors else []
    with _listening(layers) as heard:
        output = _attend(model, inputs)
    weights = output.get("attentions")
    _refuse_none(model, weights)
    part = Part("", [w[0] for w in weights], tokens, tokens)
    for layer, outputs in enumerate(heard):
        n_head = weights[layer].shape[1]
        if len(outputs) == 1:  # GPT-2: queries, keys and values side by side
            q, k = _heads(outputs[0], n_head, 3)[:2]
        else:
            q, k = (_heads(x, n_head, 1)[0] for x in outputs)
        part.queries.append(_array(q))
        part.keys.append(_array(k))
    return [part], second


def _run_pair(model: Any, text: Text, tokenizer: Any, want_vectors: bool) -> list[Part]:
    """Run an encoder-decoder model; the decoder reads what it is to write, shifted."""
    import torch

    if want_vectors:
        raise ValueError(_NO_NEURONS.format(kind=type(model).__name__))
    if isinstance(text, str) or len(text) != 2:
        raise ValueError(
            f"{type(model).__name__} reads two texts, got {text!r:.60}; pass a pair "
            "(text for the encoder, text for the decoder)"
        )
    inputs, source, _ = _encode(tokenizer, text[0], _device(model))
    target = tokenizer(text_target=text[1], return_tensors="pt")["input_ids"]
    start = torch.full((1, 1), model.config.decoder_start_token_id)
    ids = torch.cat([start, target[:, :-1]], dim=1)
    output = _attend(model, {**inputs, "decoder_input_ids": ids.to(_device(model))})
    for name in ("encoder", "decoder", "cross"):
        _refuse_none(model, output.get(f"{name}_attentions"))
    tokens = [token_text(tokenizer, i) for i in ids[0].tolist()]
    parts = read_outputs(output, (["?"], ["?"]))
    for part in parts:
        part.left = source if part.name == "Encoder" else tokens
        part.right = tokens if part.name == "Decoder" else source
    return parts


def _device(model: Any) -> Any:
    return next(model.parameters()).device


def _attend(model: Any, inputs: dict[str, torch.Tensor]) -> Any:
    """Run the model; newer transformers refuse at once what gives no weights."""
    kind = getattr(model.config, "_attn_implementation", None)
    if kind not in (None, "eager"):
        raise ValueError(NO_WEIGHTS.format(kind=f"attn_implementation={kind!r}"))
    return model(**inputs, output_attentions=True, return_dict=True)


def _refuse_none(model: Any, weights: Any) -> None:
    if not weights or any(w is None for w in weights):
        kind = getattr(model.config, "_attn_implementation", None)
        raise ValueError(NO_WEIGHTS.format(kind=kind or type(model).__name__))


_NO_NEURONS = (
    "the neuron view knows the attention of GPT-2, BERT and their kin, not that of "
    "{kind}; use head_view or model_view"
)


def _projections(model: nn.Module) -> list[list[nn.Module]]:
    """Find, layer by layer, the modules that make queries and keys."""
    found = [
        [getattr(module, name) for name in names]
        for module in model.modules()
        for names in _PROJECTIONS
        if all(hasattr(module, name) for name in names)
        and not hasattr(module, "q_attn")  # GPT-2's cross-attention
    ]
    if len(found) != getattr(model.config, "num_hidden_layers", 0):
        raise ValueError(_NO_NEURONS.format(kind=type(model).__name__))
    return found


@contextlib.contextmanager
def _listening(layers: list[list[nn.Module]]) -> Iterator[list[list[torch.Tensor]]]:
    """Write down what the modules give; the hooks are gone afterwards."""
    heard: list[list[Any]] = [[None] * len(modules) for modules in layers]
    hooks = []

    def listen(layer: int, place: int, module: nn.Module) -> None:
        def note(_module: nn.Module, _inputs: object, output: torch.Tensor) -> None:
            heard[layer][place] = output

        hooks.append(module.register_forward_hook(note))

    for layer, modules in enumerate(layers):
        for place, module in enumerate(modules):
            listen(layer, place, module)
    try:
        yield heard
    finally:
        for hook in hooks:
            hook.remove()


def _heads(x: torch.Tensor, n_head: int, n_kind: int) -> torch.Tensor:
    """Turn (1, T, n_kind * C) into (n_kind, n_head, T, d_head)."""
    return x[0].view(x.size(1), n_kind, n_head, -1).permute(1, 2, 0, 3)


def _array(x: torch.Tensor) -> np.ndarray:
    return x.detach().float().cpu().numpy()


def attention_from(q: np.ndarray, k: np.ndarray, causal: bool) -> np.ndarray:
    """Compute softmax(q k^T / sqrt(d_head)) for (n_head, T, d_head): (n_head, T, S)."""
    scores = q.astype(float) @ k.astype(float).swapaxes(-1, -2) / np.sqrt(q.shape[-1])
    if causal:
        scores = np.where(np.tri(*scores.shape[-2:], dtype=bool), scores, -np.inf)
    weights = np.exp(scores - scores.max(-1, keepdims=True))
    return weights / weights.sum(-1, keepdims=True)


def check_vectors(part: Part, tolerance: float = 1e-2) -> None:
    """Compare a model's weights with those that its queries and keys make.

    Raises
    ------
    ValueError
        If they differ by more than `tolerance`, far more than rounding in 16 bits.
    """
    weights = [_array(layer) for layer in part.weights]
    causal = is_causal(Part("", weights, part.left, part.right))
    for number, (q, k, wanted) in enumerate(
        zip(part.queries, part.keys, weights, strict=True)
    ):
        worst = float(np.abs(attention_from(q, k, causal) - wanted).max())
        if not worst <= tolerance:
            raise ValueError(
                f"layer {number}: softmax(q k / sqrt(d)) differs from the model's "
                f"weights by {worst:.2g}; this model scales, turns or masks in another "
                "way, and the neuron view would lie; use head_view or model_view"
            )
