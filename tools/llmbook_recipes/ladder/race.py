"""The race: every kind of model, the same text, the same effort, the same time.

What makes it fair. All models read the same fresh stories, cut by the same tokenizer,
each story once: who is quick reads more. All have the same time of one core. How many
steps fit into it is measured beside a yardstick, a model whose time on a quiet core is
known, because others may use the machine. For each family equally many settings are
tried, each for the same part of the time, on stories of the validation split, by going
from a setting to its neighbours. What is best there is trained anew with three seeds,
of weights and of stories, and measured on the test split. Counting models have their
own dials: k, and the length of the n-grams. One model is not equal: the first weights
of `GPT` are those of `tiny`, which many earlier trials went into.

Every step is kept (`store`), so that the command goes on where it was stopped.
"""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llmbook_recipes.ladder import story_stream
from llmbook_recipes.ladder.families import FAMILIES, Family, Setting
from llmbook_recipes.ladder.story_stream import Stream
from llmbook_recipes.store import Steps
from llmbook_utils import pretrained
from llmbook_utils.ladder.races import race_path
from llmbook_utils.pretrained import recipe as tiny_recipe
from llmbook_utils.text.bpe import BytePairTokenizer
from llmbook_utils.tinyworld.sampling import stories

if TYPE_CHECKING:
    from torch import nn

VALIDATION = 200  # stories that settings are compared on
ROUNDS = 5  # of measuring how quick a model is


@dataclass(frozen=True)
class Race:
    """A budget.

    Attributes
    ----------
    name : str
        Also of the file with the results.
    seconds : float
        Of one core, for training.
    trials, trial_seconds : int, float
        Settings that are tried for each family, and for how long each.
    after : str
        The race whose best settings are the first that are tried.
    most_stories : int
        That a counting model reads, whatever the time; it keeps them in memory.
    seeds : tuple of int
        Of the runs that are measured. Seed 0 is that of the trials.
    """

    name: str
    seconds: float
    trials: int
    trial_seconds: float
    after: str = ""
    most_stories: int = 200_000
    seeds: tuple[int, ...] = (1, 2, 3)

    @property
    def path(self) -> Path:
        """The file in the package with the results."""
        return race_path(self.name)


RACES = {
    race.name: race
    for race in (
        Race("one_minute", 60, trials=8, trial_seconds=30),
        Race("ten_minutes", 600, trials=5, trial_seconds=100, after="one_minute"),
    )
}


class Work(Steps):
    """A folder with all that was done.

    Parameters
    ----------
    folder : Path
        Where to work.
    families : tuple of Family
        Who races.
    """

    def __init__(self, folder: Path, families: tuple[Family, ...] = FAMILIES) -> None:
        super().__init__(folder)
        self.families = families

    def __repr__(self) -> str:
        return f"Work({str(self.folder)!r}, {len(self.done)} results)"

    @cached_property
    def tokenizer(self) -> BytePairTokenizer:
        """That of `tiny`."""
        if (pretrained.TINY / "vocab.json").exists():
            return BytePairTokenizer.load(pretrained.TINY)
        return tiny_recipe.make_tokenizer(tiny_recipe.Recipe())

    @cached_property
    def validation(self) -> list[str]:
        """Stories that settings are compared on."""
        told = stories(VALIDATION, "race", split="validation")
        return [story.text for story in told]

    def stream(self, seed: int) -> Stream:
        """The stories of a seed."""
        return Stream(self.tokenizer, seed, self.folder / "stories")

    # -- neural models

    def train(
        self,
        family: Family,
        setting: Setting,
        steps: int,
        seed: int,
        checkpoint: Path | None = None,
    ) -> tuple[nn.Module, dict[str, Any]]:
        """Train a model, and return it with its recipe."""
        import torch

        from llmbook_utils.training import TrainingConfig, fit

        torch.manual_seed(seed)
        model = family.make(setting, len(self.tokenizer))
        stream, rows = self.stream(seed), setting["rows"]
        for number in range(0, steps * rows + story_stream.CHUNK, story_stream.CHUNK):
            stream.story(number)  # told before the clock starts
        config = TrainingConfig(
            steps=steps,
            lr=setting["lr"],
            optimizer=setting["optimizer"],
            warmup=max(1, steps // 20),
            schedule="linear",
            final_lr=0.02,
            checkpoint_every=1000,
            seed=seed,
        )
        started = time.process_time()
        history = fit(
            model, lambda step: stream.batch(step, rows), config, checkpoint=checkpoint
        )
        return model, {
            "training_tokens": history.tokens,
            "training_stories": steps * rows,
            "process_seconds": time.process_time() - started,
            "seed": seed,
            "steps": steps,
            "parameters": sum(p.numel() for p in model.parameters()),
            "vocab_size": len(self.tokenizer),
            "setting": setting,
        }

    def seconds_of(self, family: Family, setting: Setting) -> float:
        """Time a group of steps, and return the seconds of one."""
        recipe = self.train(family, setting, story_stream.GROUP, seed=0)[1]
        return recipe["process_seconds"] / story_stream.GROUP

    @cached_property
    def yardstick(self) -> float:
        """Seconds of a step of the first setting of the last family, undisturbed."""
        last = self.families[-1]
        times = (self.seconds_of(last, last.start) for _ in range(2 * ROUNDS))
        return self.once("yardstick", lambda: min(times))

    def seconds_per_step(self, family: Family, setting: Setting, rounds: int) -> float:
        """Measure how long a step takes when nothing else runs.

        What else runs slows a core down, by a third and more. So each round times the
        yardstick just before, and what counts is how many times as long a step takes,
        in the middle of all rounds.
        """
        last = self.families[-1]
        self.seconds_of(family, setting)  # torch gets ready for new shapes
        ratios = []
        for _ in range(rounds):
            stick = self.seconds_of(last, last.start)
            ratios.append(self.seconds_of(family, setting) / stick)
        return self.yardstick * sorted(ratios)[rounds // 2]

    def trial_pace(self, family: Family, setting: Setting) -> float:
        """Return the seconds of a step; the learning rate has no part in it."""
        shape = {dial: setting[dial] for dial in setting if dial != "lr"}
        return self.once(
            f"seconds per step {family.name} {json.dumps(shape)}",
            lambda: self.seconds_per_step(family, setting, ROUNDS),
        )

    def final_pace(self, race: Race, family: Family, setting: Setting) -> float:
        """Return the seconds of a step of a finalist, from more rounds."""
        return self.once(
            f"{race.name} seconds per step {family.name}",
            lambda: self.seconds_per_step(family, setting, 4 * ROUNDS + 1),
        )

    def bits(self, model: nn.Module) -> float:
        """Bits per character on validation stories."""
        from llmbook_utils.evaluation.bits import neural_bits

        total = neural_bits(model, self.tokenizer, self.validation).sum()
        return float(total) / sum(map(len, self.validation))

    def try_setting(self, race: Race, family: Family, setting: Setting) -> float:
        """Return the bits per character that a setting comes to in a trial."""

        def find() -> dict[str, Any]:
            seconds = self.trial_pace(family, setting)
            steps = max(1, int(race.trial_seconds / seconds))
            model, recipe = self.train(family, setting, steps, seed=0)
            return {"bits": self.bits(model), "seconds_per_step": seconds, **recipe}

        key = f"{race.name} trial {family.name} {json.dumps(setting)}"
        return self.once(key, find)["bits"]

    def tune(self, race: Race, family: Family) -> Setting:
        """Return the best setting that was tried."""
        best = family.start
        if race.after:
            best = self.done[f"{race.after} best {family.name}"]
        bits = {str(best): self.try_setting(race, family, best)}
        is_better = True
        while is_better:
            is_better = False
            for dial in family.dials:
                for other in family.neighbours(best, dial):
                    if str(other) in bits or len(bits) == race.trials:
                        continue
                    bits[str(other)] = self.try_setting(race, family, other)
                    if bits[str(other)] < bits[str(best)]:
                        best, is_better = other, True
                        break
        return self.once(f"{race.name} best {family.name}", lambda: best)

    def run(self, race: Race, family: Family, seed: int) -> dict[str, Any]:
        """Train the best setting of a family for the whole time, and measure it."""

        def find() -> dict[str, Any]:
            import torch

            from llmbook_utils.ladder.rungs import HeldOut, Neural, measure

            setting = self.done[f"{race.name} best {family.name}"]
            seconds = self.final_pace(race, family, setting)
            steps = int(race.seconds / seconds)
            stem = f"{race.name}-{family.name.replace(', ', '-')}-{seed}".lower()
            checkpoint = self.folder / f"{stem}.run"
            model, recipe = self.train(family, setting, steps, seed, checkpoint)
            torch.save(model.state_dict(), self.folder / f"{stem}.pt")
            checkpoint.unlink()
            recipe["seconds"] = steps * seconds
            neural, held_out = (
                Neural(model, self.tokenizer),
                HeldOut(story_stream.MEASURED),
            )
            rung = measure(family.name, neural, held_out, story_stream.MEASURED, recipe)
            return asdict(rung)

        return self.once(f"{race.name} run {family.name} {seed}", find)
