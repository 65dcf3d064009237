"""Models with random weights, for tests that need any model."""

import torch
from transformers import GPT2Config, GPT2LMHeadModel


def random_gpt2() -> GPT2LMHeadModel:
    """Two layers of three heads, far from uniform."""
    torch.manual_seed(0)
    config = GPT2Config(
        vocab_size=270,
        n_positions=96,
        n_embd=24,
        n_layer=2,
        n_head=3,
        initializer_range=0.5,
    )
    return GPT2LMHeadModel(config)
