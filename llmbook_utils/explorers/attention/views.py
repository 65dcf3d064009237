"""The three views, and the explorer that computes with the kernel."""

from __future__ import annotations

import html
from collections.abc import Sequence
from typing import Any

from llmbook_utils.explorers.attention import document
from llmbook_utils.explorers.attention.attention import AttentionView, host_widget
from llmbook_utils.explorers.attention.capture import (
    check_vectors,
    is_model,
    read_model,
)
from llmbook_utils.explorers.attention.parts import Part, read_outputs
from llmbook_utils.explorers.attention.payload import build


def head_view(
    source: Any,
    text: Any,
    tokenizer: Any = None,
    *,
    layers: Sequence[int] | None = None,
    heads: Sequence[int] | None = None,
    positions: slice | None = None,
    sentence_b_start: int | None = None,
    name: str | None = None,
    caption: str | None = None,
    alt: str | None = None,
) -> AttentionView:
    """Show one layer at a time, its heads in colours.

    Parameters
    ----------
    source : model, or attentions
        Our `GPT` or a model of transformers with ``attn_implementation="eager"``. Or
        attentions: a list with, for each layer, (1, n_head, T, S), what such a model
        returned, or a dict of such lists (``encoder``, ``decoder``, ``cross``).
    text : str or pair of str, or list of str
        With a model, the text; a pair is two sentences, or what the encoder and the
        decoder of a model read. With attentions, the tokens; a pair of lists for an
        encoder-decoder.
    tokenizer : object, optional
        With a model: `BytePairTokenizer` or one of transformers.
    layers, heads : sequence of int, optional
        Which to keep; all if left out.
    positions : slice, optional
        Which tokens to keep.
    sentence_b_start : int, optional
        Where the second sentence of a pair begins; with a model it is known.
    name, caption, alt : str, optional
        As for every figure; without them, the numbers are told.

    Returns
    -------
    AttentionView

    Raises
    ------
    ValueError
        If weights are missing (SDPA), have another shape or number of tokens, hold NaN,
        do not sum to 1, or are more than 300 kB can store. The message has the cure.

    Notes
    -----
    Drawn by bertviz. Source: Vig (2019), "A Multiscale Visualization of Attention in
    the Transformer Model".

    Examples
    --------
    >>> import numpy as np
    >>> attentions = [np.tril(np.ones((1, 1, 2, 2))) / [[1], [2]]]
    >>> head_view(attentions, ["to", "be"]).data["alt"].split(". ")[-1]
    "In layer 0, head 0 the strongest goes from 'to' to 'to': 1.00."
    """
    parts, second = _read(source, text, tokenizer, sentence_b_start)
    payload = build("head", parts, layers, heads, positions, second)
    return AttentionView(payload, name=name, caption=caption, alt=alt)


def model_view(
    source: Any,
    text: Any,
    tokenizer: Any = None,
    *,
    layers: Sequence[int] | None = None,
    heads: Sequence[int] | None = None,
    positions: slice | None = None,
    sentence_b_start: int | None = None,
    name: str | None = None,
    caption: str | None = None,
    alt: str | None = None,
) -> AttentionView:
    """Show all layers and heads as small pictures; a click enlarges one.

    Parameters, errors and source are those of `head_view`.

    Examples
    --------
    >>> import numpy as np
    >>> model_view([np.eye(2)[None]] * 3, ["to", "be"], name="fig-eye")
    AttentionView('fig-eye', 'Attention, model view: 3 layers, 1 head, 2 tokens.')
    """
    parts, second = _read(source, text, tokenizer, sentence_b_start)
    payload = build("model", parts, layers, heads, positions, second)
    return AttentionView(payload, name=name, caption=caption, alt=alt)


def neuron_view(
    model: Any,
    text: Any,
    tokenizer: Any = None,
    *,
    layers: Sequence[int] | None = None,
    heads: Sequence[int] | None = None,
    positions: slice | None = None,
    name: str | None = None,
    caption: str | None = None,
    alt: str | None = None,
) -> AttentionView:
    """Show how queries and keys make the weights of one head at a time.

    Parameters
    ----------
    model : model
        Our `GPT`, or transformers' GPT-2, BERT or their kin, with
        ``attn_implementation="eager"``.
    text, tokenizer, layers, heads, positions, name, caption, alt
        As for `head_view`. Queries and keys are many numbers: of a large model, choose
        layers and heads.

    Raises
    ------
    ValueError
        As for `head_view`; and if the model's weights are not those that its queries
        and keys make.
    """
    if not is_model(model):
        raise ValueError(
            "the neuron view needs the model, for its queries and keys, got "
            f"{type(model).__name__}; call neuron_view(model, text, tokenizer), or "
            "show attentions with head_view or model_view"
        )
    parts, second = read_model(model, text, tokenizer, want_vectors=True)
    for part in parts:
        check_vectors(part)
    payload = build("neuron", parts, layers, heads, positions, second)
    return AttentionView(payload, name=name, caption=caption, alt=alt)


def _read(
    source: Any, text: Any, tokenizer: Any, second: int | None
) -> tuple[list[Part], int | None]:
    if is_model(source):
        parts, found = read_model(source, text, tokenizer)
        return parts, found if second is None else second
    if tokenizer is not None:
        raise ValueError(
            "attentions come with their tokens, not with a tokenizer: "
            "head_view(attentions, tokens)"
        )
    return read_outputs(source, text), second


VIEWS = {"heads": head_view, "model": model_view, "neurons": neuron_view}


def attention_explorer(
    model: Any, tokenizer: Any, text: str = "Once there was a cat."
) -> Any:
    """Build ipywidgets: a text, a choice of view and layer, and what the model does.

    Parameters
    ----------
    model, tokenizer : object
        As for `head_view`.
    text : str
        What is there at first.

    Returns
    -------
    ipywidgets.VBox
    """
    import ipywidgets

    field = ipywidgets.Text(text, description="Text", continuous_update=False)
    field.layout.width = "98%"
    view = ipywidgets.ToggleButtons(options=list(VIEWS), description="View")
    choices = [("all", None), *((str(i), i) for i in range(_count_layers(model)))]
    layer = ipywidgets.Dropdown(description="Layers", options=choices, index=0)
    output = ipywidgets.HTML()

    def update(_change: object = None) -> None:
        chosen = None if layer.value is None else [layer.value]
        try:
            made = VIEWS[view.value](model, field.value, tokenizer, layers=chosen)
        except ValueError as error:
            output.value = f"<p>{html.escape(str(error))}</p>"
            return
        output.value = document.frame(made.data)

    for control in (field, view, layer):
        control.observe(update, "value")
    update()
    controls = ipywidgets.HBox([view, layer])
    return ipywidgets.VBox([field, controls, output, host_widget()])


def _count_layers(model: Any) -> int:
    config = model.config
    return getattr(config, "num_hidden_layers", getattr(config, "n_layer", 0))
