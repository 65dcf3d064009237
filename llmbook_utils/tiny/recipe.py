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
import random
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from llmbook_utils.bpe import BytePairTokenizer
from llmbook_utils.tinyworld import stories

if TYPE_CHECKING:
    import torch

    from llmbook_utils.models.gpt import GPT

TINY = Path(__file__).parent
IGNORED = -100


@dataclass(frozen=True)
class Recipe:
    """All that decides what `tiny` becomes.

    Attributes
    ----------
    vocab_size, tokenizer_stories : int
        Tokens at most, learned from so many stories of the training split.
    block_size, n_layer, n_head, n_embd : int
        The model's shape: GPT-2's architecture.
    steps, rows, copy_rows : int
        Steps, and rows of each batch: stories, one a row, and rows of random tokens
        that repeat with a random period, which can only be predicted by copying.
    group : int
        Batches that are cut from stories sorted by length, so that little is padding.
    lr, warmup, final_lr, weight_decay : float
        Of Muon and AdamW, see `training.TrainingConfig`.
    position_scale : float
        The position table begins as sinusoids of this amplitude: with them, heads that
        look back by a fixed distance, on which copying stands, come sooner.
    seed : int
        Of weights and stories.
    """

    vocab_size: int = 1024
    tokenizer_stories: int = 20_000
    block_size: int = 256
    n_layer: int = 6
    n_head: int = 5
    n_embd: int = 160
    steps: int = 20_000
    rows: int = 14
    copy_rows: int = 1
    group: int = 16
    lr: float = 3e-3
    warmup: int = 100
    final_lr: float = 0.02
    weight_decay: float = 0.1
    position_scale: float = 0.03
    seed: int = 0


class StoryBatches:
    """Batches of stories and copying rows, a function of the step alone.

    Parameters
    ----------
    tokenizer : BytePairTokenizer
        Its ``<|endoftext|>`` opens and closes each story.
    recipe : Recipe
        For rows and seed.
    """

    def __init__(self, tokenizer: BytePairTokenizer, recipe: Recipe) -> None:
        self.encode = tokenizer.to_tokenizers().encode_batch
        self.end = tokenizer.vocab["<|endoftext|>"]
        self.recipe = recipe
        self.last_step = -1
        self._batches = lru_cache(maxsize=2)(self._make_group)

    def __call__(self, step: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Return inputs and targets (rows, T) of a step."""
        self.last_step = step
        group, number = divmod(step, self.recipe.group)
        return self._batches(group)[number]

    def _make_group(self, group: int) -> list[tuple[torch.Tensor, torch.Tensor]]:
        recipe = self.recipe
        seed = f"{recipe.seed} {group}"
        sampled = stories(recipe.rows * recipe.group, seed, split="train")
        longest = recipe.block_size + 1
        ids = [
            [self.end, *found.ids, self.end][:longest]
            for found in self.encode([story.text for story in sampled])
        ]
        ids.sort(key=len)
        rng = random.Random(seed)
        batches = [
            self._make_batch(ids[at : at + recipe.rows], rng)
            for at in range(0, len(ids), recipe.rows)
        ]
        rng.shuffle(batches)
        return batches

    def _make_batch(
        self, documents: list[list[int]], rng: random.Random
    ) -> tuple[torch.Tensor, torch.Tensor]:
        import torch

        length = max(map(len, documents)) - 1
        count = len(documents) + self.recipe.copy_rows
        inputs = torch.full((count, length), self.end)
        targets = torch.full((count, length), IGNORED)
        for row, ids in enumerate(documents):
            inputs[row, : len(ids) - 1] = torch.tensor(ids[:-1])
            targets[row, : len(ids) - 1] = torch.tensor(ids[1:])
        for row in range(len(documents), count):
            period = rng.randint(4, length // 2)
            once = [rng.randrange(1, self.recipe.vocab_size) for _ in range(period)]
            ids = torch.tensor((once * (length // period + 1))[:length])
            inputs[row, 1:] = ids[:-1]
            targets[row, period:] = ids[period:]  # what is random cannot be learned
        return inputs, targets


def make_tokenizer(recipe: Recipe) -> BytePairTokenizer:
    """Learn the tokenizer from stories of the training split."""
    sampled = stories(recipe.tokenizer_stories, "tokenizer", split="train")
    texts = [story.text for story in sampled]
    return BytePairTokenizer.train(texts, recipe.vocab_size, fast=True)


def make_model(recipe: Recipe) -> GPT:
    """Make the model as it is before the first step."""
    import torch

    from llmbook_utils.models.gpt import GPT, GPTConfig

    torch.manual_seed(recipe.seed)
    model = GPT(
        GPTConfig(
            vocab_size=recipe.vocab_size,
            block_size=recipe.block_size,
            n_layer=recipe.n_layer,
            n_head=recipe.n_head,
            n_embd=recipe.n_embd,
            init="fan_in",
        )
    )
    with torch.no_grad():
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
    from llmbook_utils.training import TrainingConfig, fit

    out.mkdir(parents=True, exist_ok=True)
    tokenizer = make_tokenizer(recipe)
    tokenizer.save(out)
    batches = StoryBatches(tokenizer, recipe)
    model = make_model(recipe).to(pick_device())
    held_out = list(stories(200, "growth", "validation"))
    texts = [story.text for story in held_out]
    characters = sum(map(len, texts))

    def validate(model: GPT) -> float:
        done = batches.last_step + 1
        save_file(model.state_dict(), out / f"step-{done:06d}.safetensors")
        return float(neural_bits(model, tokenizer, texts).sum()) / characters

    config = TrainingConfig(
        steps=recipe.steps,
        lr=recipe.lr,
        warmup=recipe.warmup,
        final_lr=recipe.final_lr,
        weight_decay=recipe.weight_decay,
        schedule="trapezoid",
        optimizer="muon",
        precision="best",
        validate_every=snapshot_every,
        checkpoint_every=snapshot_every,
        seed=recipe.seed,
    )
    history = fit(model, batches, config, validate=validate, checkpoint=out / "run.pt")
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
    growth.measure_growth(recipe, out)
    growth.ship(recipe, out, ship, n)


if __name__ == "__main__":
    main()
