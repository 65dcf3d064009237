"""Attention drawn by bertviz, wherever a notebook or the book is read.

`views.head_view`, `views.model_view` and `views.neuron_view` take a model with a text,
or attentions with tokens. bertviz's own JavaScript draws, in a frame that may run
scripts and nothing else, without require.js and without a network.
`views.attention_explorer` computes with the kernel: type a text, see its heads.
"""
