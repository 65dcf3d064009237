"""How `tiny` is made: one command, from nothing to the files in the package.

``make tiny`` runs ``python -m llmbook_recipes.tiny.train --out runs/tiny``: stories are
sampled, the tokenizer is learned, the model is trained, measured as it grew (`growth`)
and written into the package. The command goes on where it was stopped. On two cores
``accelerate launch`` shares each batch between two processes.
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from llmbook_recipes.tiny import growth
from llmbook_recipes.tiny.batches import StoryBatches
from llmbook_utils.evaluation.bits import neural_bits
from llmbook_utils.models.attention.gpt import GPT
from llmbook_utils.pretrained import TINY
from llmbook_utils.pretrained.recipe import Recipe, make_model, make_tokenizer
from llmbook_utils.runtime import pick_device
from llmbook_utils.tinyworld.sampling import stories
from llmbook_utils.training import TrainingConfig, fit


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
    parser = argparse.ArgumentParser(prog="python -m llmbook_recipes.tiny.train")
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
