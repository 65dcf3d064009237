"""The counting models' part in a race: as many stories as the time allows."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from llmbook_recipes.ladder import story_stream
from llmbook_utils.ladder.rungs import Counting, HeldOut, measure
from llmbook_utils.ladder.training import SMOOTHING
from llmbook_utils.models.sequences.ngram import (
    KneserNey,
    LanguageModel,
    NGram,
    Uniform,
)

if TYPE_CHECKING:
    from llmbook_recipes.ladder.race import Race, Work

COUNTERS: dict[str, tuple[Callable[[Any], LanguageModel], str, tuple[Any, ...]]] = {
    "uniform": (lambda _: Uniform(), "nothing", (None,)),
    "unigram": (lambda k: NGram(1, k), "k", SMOOTHING),
    "bigram": (lambda k: NGram(2, k), "k", SMOOTHING),
    "Kneser-Ney": (KneserNey, "n", (3, 4, 5, 6, 7, 8)),
}


def count(
    work: Work, model: LanguageModel, stories: int, seed: int
) -> tuple[LanguageModel, dict[str, Any]]:
    """Let a model count the first stories of a seed."""
    stream = work.stream(seed)
    documents = list(stream.documents(stories))
    started = time.process_time()
    model.fit(documents, len(work.tokenizer), stream.end)
    return model, {
        "training_tokens": sum(map(len, documents)) + stories,
        "training_stories": stories,
        "seconds": time.process_time() - started,
        "seed": seed,
        "vocab_size": len(work.tokenizer),
    }


def bits(work: Work, model: LanguageModel) -> float:
    """Bits per character on validation stories."""
    total = sum(-model.log_prob(work.tokenizer.encode(t)) for t in work.validation)
    return total / sum(map(len, work.validation))


def stories_in(work: Work, model: LanguageModel, seconds: float, most: int) -> int:
    """How many stories a model counts in a time, if as quick as with the first."""
    if isinstance(model, Uniform):
        return 1  # it has nothing to learn
    took = min(
        count(work, model, story_stream.CHUNK, seed=0)[1]["seconds"] for _ in range(3)
    )
    return max(100, min(most, int(story_stream.CHUNK * seconds / took)))


def tune(work: Work, race: Race, name: str) -> Any:
    """Return the best value of a counting model's dial."""
    make, dial, values = COUNTERS[name]

    def find(value: Any) -> dict[str, Any]:
        model = make(value)
        seconds = min(race.trial_seconds, 60)  # the dials hardly move after that
        stories = stories_in(work, model, seconds, race.most_stories // 2)
        model, recipe = count(work, model, stories, seed=0)
        return {"bits": bits(work, model), **recipe}

    found = {
        value: work.once(
            f"{race.name} trial {name} {dial}={value}", lambda value=value: find(value)
        )["bits"]
        for value in values
    }
    return work.once(f"{race.name} best {name}", lambda: min(found, key=found.get))


def run(work: Work, race: Race, name: str, seed: int) -> dict[str, Any]:
    """Let a counting model count for the whole time, and measure it."""
    make, dial, _ = COUNTERS[name]

    def find() -> dict[str, Any]:
        value = work.done[f"{race.name} best {name}"]
        stories = stories_in(work, make(value), race.seconds, race.most_stories)
        model, recipe = count(work, make(value), stories, seed)
        counting = Counting(model, work.tokenizer.encode, work.tokenizer.decode)
        recipe["setting"] = {dial: value}
        return asdict(
            measure(
                name,
                counting,
                HeldOut(story_stream.MEASURED),
                story_stream.MEASURED,
                recipe,
            )
        )

    return work.once(f"{race.name} run {name} {seed}", find)
