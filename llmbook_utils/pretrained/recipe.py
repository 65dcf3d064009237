"""What `tiny` is made of: its recipe, its tokenizer, its first weights.

``make tiny`` (in the recipes, ``llmbook_recipes.tiny.train``) trains it from here.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from llmbook_utils.text.bpe import BytePairTokenizer
from llmbook_utils.tinyworld.sampling import stories

if TYPE_CHECKING:
    import torch

    from llmbook_utils.models.attention.gpt import GPT


@dataclass(frozen=True)
class Recipe:
    """All that decides what `tiny` becomes.

    Attributes
    ----------
    vocab_size, tokenizer_stories : int
        Tokens at most, learned from so many stories of the training split.
    block_size, n_layer, n_head, n_embd : int
        The model's shape: GPT-2's architecture.
    steps, rows : int
        Steps, and stories of each batch, one a row.
    glossed : float
        Share of the stories that say after each mention where the person or object is
        (`batches`).
    copy_rows : int
        Rows of random tokens that repeat with a random period, in each batch: they can
        be predicted by copying alone.
    first_steps, first_rows, first_length : int
        The first steps see such rows and nothing else, shorter ones, until induction
        heads have formed. Among stories these heads would come late, as a model finds
        other ways to guess first.
    group : int
        Batches that are cut from stories sorted by length, so that little is padding.
    lr, warmup, schedule, final_lr, weight_decay
        Of Muon and AdamW, see `training.TrainingConfig`.
    embedding_scale, position_scale : float
        Standard deviation of the token embeddings at the start, and amplitude of the
        sinusoids that the position table starts as. GPT-2's 0.02 for both made copying
        come ten times as late in trials: a head that copies has to tell every token
        and every position from all others.
    seed : int
        Of weights and stories.
    """

    vocab_size: int = 1024
    tokenizer_stories: int = 20_000
    block_size: int = 256
    n_layer: int = 6
    n_head: int = 5
    n_embd: int = 160
    steps: int = 18_000
    rows: int = 14
    glossed: float = 0.25
    copy_rows: int = 1
    first_steps: int = 800
    first_rows: int = 24
    first_length: int = 64
    group: int = 16
    lr: float = 3e-3
    warmup: int = 100
    schedule: str = "linear"
    final_lr: float = 0.02
    weight_decay: float = 0.1
    embedding_scale: float = 0.2
    position_scale: float = 0.3
    seed: int = 0


def make_tokenizer(recipe: Recipe) -> BytePairTokenizer:
    """Learn the tokenizer from stories of the training split."""
    sampled = stories(recipe.tokenizer_stories, "tokenizer", split="train")
    texts = [story.text for story in sampled]
    return BytePairTokenizer.train(texts, recipe.vocab_size, fast=True)


def make_model(recipe: Recipe, vocab_size: int) -> GPT:
    """Make the model as it is before the first step."""
    import torch

    from llmbook_utils.models.attention.gpt import GPT, GPTConfig

    torch.manual_seed(recipe.seed)
    model = GPT(
        GPTConfig(
            vocab_size=vocab_size,
            block_size=recipe.block_size,
            n_layer=recipe.n_layer,
            n_head=recipe.n_head,
            n_embd=recipe.n_embd,
            init="fan_in",
        )
    )
    with torch.no_grad():
        model.wte.weight.normal_(std=recipe.embedding_scale)
        table = sinusoids(recipe.block_size, recipe.n_embd)
        model.wpe.weight.copy_(recipe.position_scale * table)
    return model


def sinusoids(n_positions: int, width: int) -> torch.Tensor:
    """Return the table (n_positions, width) of Vaswani et al. (2017), section 3.5."""
    import torch

    position = torch.arange(n_positions)[:, None]
    rate = torch.exp(-math.log(10_000) * torch.arange(0, width, 2) / width)
    angle = position * rate
    return torch.stack([angle.sin(), angle.cos()], dim=-1).flatten(1)
