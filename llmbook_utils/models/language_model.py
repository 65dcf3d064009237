"""What every neural language model answers to: its end token, context and logits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch
    from torch import Tensor


def end_id(tokenizer: Any) -> int:
    """Return the id of the token that opens and closes a document.

    Raises
    ------
    ValueError
        If the tokenizer has no such token.
    """
    found = getattr(tokenizer, "eos_token_id", None)
    if found is None:
        found = dict(tokenizer.vocab).get("<|endoftext|>")
    if found is None:
        raise ValueError("the tokenizer has no end token; train it with <|endoftext|>")
    return int(found)


def context_size(model: torch.nn.Module) -> float:
    """Return how many tokens a model can read: infinity if its window slides."""
    if hasattr(model, "max_tokens"):  # `NeuralLM` and `RecurrentLM`
        return model.max_tokens
    config = model.config
    if hasattr(config, "block_size"):
        return config.block_size
    return config.max_position_embeddings


def logits_of(output: Any) -> Tensor:
    """Our GPT returns logits, transformers' an object that holds them."""
    return getattr(output, "logits", output)
