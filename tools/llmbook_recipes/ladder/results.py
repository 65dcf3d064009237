"""What a race came to: one ladder for each budget, three seeds of each model."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

from llmbook_recipes import store
from llmbook_recipes.ladder import counters, story_stream
from llmbook_recipes.ladder.race import RACES, Race, Work
from llmbook_utils.evaluation.intervals import ratio_interval
from llmbook_utils.ladder.chart import seeds_table
from llmbook_utils.ladder.rungs import (
    HeldOut,
    Ladder,
    Rung,
    load_ladder,
    read_rung,
)


def run_race(work: Work, race: Race) -> Ladder:
    """Run a race to its end, or on from where it was stopped.

    Parameters
    ----------
    work : Work
        Where everything that was done is kept.
    race : Race
        Which one.

    Returns
    -------
    Ladder
        As `collect`.
    """
    for family in work.families:
        work.tune(race, family)
    for family in work.families:  # one after the other, as equally as can be
        work.final_pace(race, family, work.done[f"{race.name} best {family.name}"])
    for seed in race.seeds:
        for family in work.families:
            work.run(race, family, seed)
    for name in counters.COUNTERS:
        counters.tune(work, race, name)
        for seed in race.seeds:
            counters.run(work, race, name, seed)
    return collect(work, race)


def collect(work: Work, race: Race) -> Ladder:
    """Return what is known so far, as a ladder.

    A rung is the run of the middle seed; in its recipe, `seeds` has all runs: bits per
    character, the share above the floor, and the share of true stories of each.
    """
    held_out = HeldOut(story_stream.MEASURED)
    ladder = Ladder(
        floor=ratio_interval(held_out.floor, held_out.characters),
        stories=story_stream.MEASURED,
        characters=int(held_out.characters.sum()),
        samples=story_stream.MEASURED,
        seed=held_out.seed,
    )
    runs: dict[str, list[Rung]] = {}
    for key, found in work.done.items():
        if key.startswith(f"{race.name} run "):
            runs.setdefault(found["name"], []).append(read_rung(found))
    for found in runs.values():
        found.sort(key=lambda rung: rung.bits.value)
        middle = found[len(found) // 2]
        seeds = [
            {
                "seed": rung.recipe["seed"],
                "bits": rung.bits.value,
                "relative": rung.relative.value,
                "true": rung.true.value,
            }
            for rung in sorted(found, key=lambda rung: rung.recipe["seed"])
        ]
        about = middle.recipe | {"budget": race.seconds, "seeds": seeds}
        ladder = ladder.plus(replace(middle, recipe=about))
    return ladder


def main(argv: Sequence[str] | None = None) -> int:
    """Run races, write down what they came to, and print the tables."""
    parser = argparse.ArgumentParser(
        prog="python -m llmbook_recipes.ladder", description=main.__doc__
    )
    parser.add_argument("--work", type=Path, required=True, help="where to work")
    parser.add_argument("--races", nargs="*", choices=RACES, default=list(RACES))
    parser.add_argument(
        "--collect", action="store_true", help="only print what was found so far"
    )
    args = parser.parse_args(argv)
    work = Work(args.work)
    for name in args.races:
        race = RACES[name]
        ladder = collect(work, race) if args.collect else run_race(work, race)
        if not args.collect:
            store.write(race.path, asdict(ladder))
            ladder = load_ladder(race.path)
        print(f"{race.seconds:.0f} seconds of one core each\n{seeds_table(ladder)}\n")
    return 0
