"""How `tiny` is made: one command, from nothing to the files in this folder.

``make tiny`` runs ``python -m llmbook_utils.tiny.recipe --out runs/tiny``: stories are
sampled, the tokenizer is learned, the model is trained, measured as it grew (`growth`)
and written into the package. The command goes on where it was stopped. On two cores
``accelerate launch`` shares each batch between two processes.
"""

from __future__ import annotations

import argparse
import json
import math
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from llmbook_utils.bpe import BytePairTokenizer
from llmbook_utils.tinyworld import stories

if TYPE_CHECKING:
    import torch

    from llmbook_utils.models.gpt import GPT

TINY = Path(__file__).parent


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

    from llmbook_utils.models.gpt import GPT, GPTConfig

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


def train(recipe: Recipe, out: Path, snapshot_every: int = 500) -> GPT:
    """Train, or go on training.

    Parameters
    ----------
    recipe : Recipe
        What to do.
    out : Path
        Folder for the tokenizer, the checkpoint and the weights on the way.
    snapshot_every : int
        Steps between checkpoints, and copies of the weights to measure.

    Returns
    -------
    GPT
        The trained model.
    """
    from safetensors.torch import save_file

    from llmbook_utils.evaluation import neural_bits
    from llmbook_utils.runtime import pick_device
    from llmbook_utils.tiny.batches import StoryBatches
    from llmbook_utils.training import TrainingConfig, fit

    out.mkdir(parents=True, exist_ok=True)
    tokenizer = make_tokenizer(recipe)
    is_first = os.environ.get("RANK", "0") == "0"  # of several processes
    if is_first:
        tokenizer.save(out)
    batches = StoryBatches(tokenizer, recipe)
    model = make_model(recipe, len(tokenizer)).to(pick_device())
    held_out = list(stories(200, "growth", "validation"))
    texts = [story.text for story in held_out]
    characters = sum(map(len, texts))

    def validate(model: GPT) -> float:
        if is_first:
            done = batches.last_step + 1
            save_file(model.state_dict(), out / f"step-{done:06d}.safetensors")
        return float(neural_bits(model, tokenizer, texts).sum()) / characters

    config = TrainingConfig(
        steps=recipe.steps,
        lr=recipe.lr,
        warmup=recipe.warmup,
        final_lr=recipe.final_lr,
        weight_decay=recipe.weight_decay,
        schedule=recipe.schedule,
        optimizer="muon",
        precision="best",
        validate_every=snapshot_every,
        checkpoint_every=snapshot_every,
        seed=recipe.seed,
    )
    history = fit(
        model,
        batches,
        config,
        validate=validate,
        checkpoint=out / "run.pt",
        loss_fn=batches.loss,
    )
    (out / "history.json").write_text(json.dumps(asdict(history)))
    return model


def main(argv: Sequence[str] | None = None) -> None:
    """Run the command line."""
    from llmbook_utils.tiny import growth

    parser = argparse.ArgumentParser(prog="python -m llmbook_utils.tiny.recipe")
    parser.add_argument("--out", type=Path, required=True, help="where to work")
    parser.add_argument(
        "--ship", type=Path, default=TINY, help="where to put the model"
    )
    parser.add_argument("--snapshot-every", type=int, default=500, help="steps")
    parser.add_argument("--stories", type=int, default=1000, help="to measure with")
    for name, value in asdict(Recipe()).items():
        option = f"--{name.replace('_', '-')}"
        parser.add_argument(option, type=type(value), default=value)
    args = vars(parser.parse_args(argv))
    out, ship = args.pop("out"), args.pop("ship")
    every, n = args.pop("snapshot_every"), args.pop("stories")
    recipe = Recipe(**args)
    train(recipe, out, every)
    if os.environ.get("RANK", "0") == "0":
        growth.measure_growth(recipe, out)
        growth.ship(recipe, out, ship, n)


if __name__ == "__main__":
    main()
