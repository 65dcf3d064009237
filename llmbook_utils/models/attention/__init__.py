"""Attention and the GPT (from chapter 11 on)."""
