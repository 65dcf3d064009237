"""Corpora, and the tokenizers that cut them: words and byte pairs (chapter 01)."""
