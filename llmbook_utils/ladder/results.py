"""What a race came to: one ladder for each budget, three seeds of each model."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from llmbook_utils.evaluation import ratio_interval
from llmbook_utils.ladder import counters, text
from llmbook_utils.ladder.picture import Table
from llmbook_utils.ladder.race import RACES, Race, Work
from llmbook_utils.ladder.rungs import HeldOut, Ladder, Rung, load, read_rung, save


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
    held_out = HeldOut(text.MEASURED)
    ladder = Ladder(
        floor=ratio_interval(held_out.floor, held_out.characters),
        stories=text.MEASURED,
        characters=int(held_out.characters.sum()),
        samples=text.MEASURED,
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


def load_race(name: str = "one_minute") -> Ladder:
    """Read the ladder of a race that comes with the package.

    Parameters
    ----------
    name : {"one_minute", "ten_minutes"}
        How long each model was trained, on one core.

    Raises
    ------
    ValueError
        If there is no such race.
    FileNotFoundError
        If it was not run.
    """
    if name not in RACES:
        raise ValueError(f"no race {name!r}; there are {', '.join(RACES)}")
    return load(RACES[name].path)


def seeds_table(ladder: Ladder) -> Table:
    """Return the rungs of a race with the range over their seeds.

    Parameters
    ----------
    ladder : Ladder
        From `load_race`.

    Returns
    -------
    Table
        Markdown. Of each figure the middle seed and, in brackets, the least and the
        largest.
    """
    lines = [
        ("model", "bits per character", "above the floor", "true stories", "text read"),
        ("---", "---:", "---:", "---:", "---:"),
    ]
    for rung in ladder.rungs:
        seeds = rung.recipe["seeds"]
        lines.append(
            (
                rung.name,
                _range([run["bits"] for run in seeds], "{:.3f}"),
                _range([100 * run["relative"] for run in seeds], "{:.0f}%"),
                _range([100 * run["true"] for run in seeds], "{:.1f}%"),
                f"{rung.recipe['training_tokens'] / 1e6:.1f}M tokens",
            )
        )
    lines.append(("*entropy floor*", f"{ladder.floor.value:.3f}", "0%", "100%", ""))
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return Table(
        "\n".join(
            "| " + " | ".join(map(str.ljust, line, widths)) + " |" for line in lines
        )
    )


def _range(values: Sequence[float], form: str) -> str:
    """The middle of some values, with the least and the largest."""
    ordered = sorted(values)
    low, middle, high = (form.format(ordered[at]) for at in (0, len(ordered) // 2, -1))
    return middle if low == high else f"{middle} ({low} to {high})"


def main(argv: Sequence[str] | None = None) -> int:
    """Run races, write down what they came to, and print the tables."""
    parser = argparse.ArgumentParser(
        prog="python -m llmbook_utils.ladder", description=main.__doc__
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
            save(ladder, race.path)
            ladder = load(race.path)
        print(f"{race.seconds:.0f} seconds of one core each\n{seeds_table(ladder)}\n")
    return 0
