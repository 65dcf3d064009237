"""How many bits a neural language model needs for each of some texts."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from llmbook_utils.models.language_model import context_size, end_id, logits_of

if TYPE_CHECKING:
    import torch

IGNORED = -100  # the target that torch's cross-entropy leaves out


def neural_bits(
    model: torch.nn.Module,
    tokenizer: Any,
    texts: Sequence[str],
    batch_size: int = 16,
) -> np.ndarray:
    """Return the bits that a neural model gives each text, with its end.

    Each text stands alone after the start token, and its end token is predicted, too.
    All tokens of the tokenizer compete, so that the sum is what the model would need
    to transmit the text. (A text can be cut into tokens in several ways. Counting only
    the tokenizer's makes the bits of a text slightly too many, never too few.)

    Parameters
    ----------
    model : GPT, NeuralLM, RecurrentLM or transformers.GPT2LMHeadModel
        Gives logits (B, T, V) for ids (B, T).
    tokenizer : BytePairTokenizer or a tokenizer of transformers
        With `encode`, and ``<|endoftext|>`` or an `eos_token_id`.
    texts : sequence of str
        N texts.
    batch_size : int
        How many are measured at once. The numbers don't depend on it.

    Returns
    -------
    numpy array of float64, (N,)
        Bits, 0 or more.

    Raises
    ------
    ValueError
        If a text is longer than the model's context, or there is no end token.

    Notes
    -----
    Built in chapter 11.
    """
    import torch

    end = end_id(tokenizer)
    documents = [[end, *tokenizer.encode(text), end] for text in texts]
    longest, room = max(map(len, documents), default=1) - 1, context_size(model)
    if longest > room:
        raise ValueError(
            f"a text needs {longest} positions and the model has {room}; leave it out "
            "or cut it"
        )
    by_length = sorted(range(len(documents)), key=lambda i: len(documents[i]))
    bits = np.zeros(len(documents))
    was_training = model.training
    model.eval()
    with torch.no_grad():
        for at in range(0, len(by_length), batch_size):
            chosen = by_length[at : at + batch_size]
            bits[chosen] = _batch_bits(model, [documents[i] for i in chosen], end)
    model.train(was_training)
    return bits


def _batch_bits(model: torch.nn.Module, documents: list[list[int]], end: int) -> Any:
    """Bits (B,) of documents that are marked at both ends."""
    import torch
    import torch.nn.functional as F

    T = max(map(len, documents)) - 1
    device = next(model.parameters()).device
    # what follows a text is after all that is measured: a causal model sees none of it
    inputs = torch.full((len(documents), T), end, device=device)
    targets = torch.full((len(documents), T), IGNORED, device=device)
    for row, ids in enumerate(documents):
        inputs[row, : len(ids) - 1] = torch.tensor(ids[:-1])
        targets[row, : len(ids) - 1] = torch.tensor(ids[1:])
    logits = logits_of(model(inputs))  # (B, T, V)
    nats = F.cross_entropy(
        logits.float().transpose(1, 2), targets, ignore_index=IGNORED, reduction="none"
    )
    return (nats.double().sum(1) / math.log(2)).cpu().numpy()
