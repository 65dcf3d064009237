"""Attention drawn by bertviz, wherever a notebook or the book is read.

`head_view`, `model_view` and `neuron_view` take a model with a text, or attentions with
tokens. bertviz's own JavaScript draws, in a frame that may run scripts and nothing
else, without require.js and without a network. `attention_explorer` computes with the
kernel: type a text, see its heads.
"""

from .figure import AttentionView
from .views import attention_explorer, head_view, model_view, neuron_view

__all__ = [
    "AttentionView",
    "attention_explorer",
    "head_view",
    "model_view",
    "neuron_view",
]
