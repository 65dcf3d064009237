"""The races of the ladder: the text, the tuning, the budget, and what they came to."""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from llmbook_recipes.ladder import counters, results, story_stream
from llmbook_recipes.ladder.families import FAMILIES, Family
from llmbook_recipes.ladder.race import RACES, Race, Work
from llmbook_recipes.ladder.story_stream import Stream
from llmbook_utils.evaluation.intervals import Interval
from llmbook_utils.ladder.chart import chart, seeds_table, table
from llmbook_utils.ladder.races import load_race
from llmbook_utils.ladder.rungs import Ladder, Rung, load_ladder
from llmbook_utils.pretrained import TINY
from llmbook_utils.text.bpe import BytePairTokenizer
from llmbook_utils.tinyworld.sampling import split_of


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(story_stream, "CHUNK", 40)
    monkeypatch.setattr(story_stream, "GROUP", 2)
    monkeypatch.setattr(story_stream, "MEASURED", 4)


@pytest.fixture
def stream(small: None, tmp_path: Path) -> Stream:
    return Stream(BytePairTokenizer.load(TINY), seed=7, folder=tmp_path)


# -- the text ----------------------------------------------------------------------


def test_stories_are_of_the_training_split_and_kept(stream: Stream) -> None:
    documents = list(stream.documents(90))  # three chunks
    texts = [stream.tokenizer.decode(ids) for ids in documents]
    assert {split_of(story) for story in texts} == {"train"}
    assert len(set(texts)) == 90
    kept = sorted(path.name for path in stream.folder.iterdir())
    assert kept == [f"stories-7-000{i}.npz" for i in range(3)]
    again = Stream(stream.tokenizer, 7, stream.folder)
    assert list(again.documents(90)) == documents
    other = Stream(stream.tokenizer, 8, stream.folder)
    assert not {*map(tuple, other.documents(40))} & {*map(tuple, documents)}


def test_each_story_comes_once_with_its_end_on_both_sides(stream: Stream) -> None:
    """What comes out of a group of batches is what the stream holds, in any order."""
    found = []
    for step in range(4):  # two groups of two batches of five stories
        inputs, targets = stream.batch(step, rows=5)
        assert inputs.shape == targets.shape and inputs.size(1) % story_stream.UNIT == 0
        for x, y in zip(inputs.tolist(), targets.tolist(), strict=True):
            length = y.index(stream.end)
            assert x[0] == stream.end and x[1 : length + 1] == y[:length]
            assert set(y[length + 1 :]) <= {-100}
            found.append(y[:length])
    assert sorted(found) == sorted(stream.documents(20))
    first = stream.batch(0, rows=5)
    assert torch.equal(stream.batch(0, rows=5)[0], first[0])


# -- families and tuning -----------------------------------------------------------


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_the_start_is_on_the_dials_and_every_value_makes_a_model(
    family: Family,
) -> None:
    for dial, values in family.dials.items():
        assert family.start[dial] in values
        for value in (values[0], values[-1]):
            model = family.make(family.start | {dial: value}, 50)
            assert model(torch.zeros(1, 3, dtype=torch.long)).shape == (1, 3, 50)


def test_neighbours_are_one_step_away() -> None:
    family = Family("f", {"a": (1, 2, 3), "b": ("x",)}, {"a": 2, "b": "x"}, None)
    assert [*family.neighbours({"a": 2, "b": "x"}, "a")] == [
        {"a": 3, "b": "x"},
        {"a": 1, "b": "x"},
    ]
    assert [*family.neighbours({"a": 1, "b": "x"}, "a")] == [{"a": 2, "b": "x"}]
    assert not [*family.neighbours(family.start, "b")]


class Landscape(Work):
    """Trials without training: a bowl with its bottom at a = 5, b = 1."""

    def try_setting(self, race: Race, family: Family, setting: dict) -> float:
        def find() -> dict:
            bits = (setting["a"] - 5) ** 2 + (setting["b"] - 1) ** 2
            return {"bits": bits, "training_stories": 0}

        return self.once(f"{race.name} trial {family.name} {setting}", find)["bits"]


@pytest.mark.parametrize(
    ("trials", "expected"), [(30, (5, 1)), (5, (4, 2)), (1, (2, 3))]
)
def test_tuning_goes_downhill_as_long_as_it_may(
    tmp_path: Path, trials: int, expected: tuple[int, int]
) -> None:
    dials = {"a": tuple(range(8)), "b": tuple(range(8))}
    family = Family("f", dials, {"a": 2, "b": 3}, None)
    work = Landscape(tmp_path, (family,))
    race = Race("r", 1, trials, 1)
    best = work.tune(race, family)
    tried = [key for key in work.done if " trial " in key]
    assert len(tried) <= trials
    assert (best["a"], best["b"]) == expected
    longer = replace(race, name="longer", trials=1, after="r")
    assert work.tune(longer, family) == best  # begins where the other ended


def test_what_is_done_is_not_done_again(tmp_path: Path) -> None:
    calls = []
    for _ in range(2):
        work = Work(tmp_path)
        assert work.once("x", lambda: calls.append(1) or {"a": 1}) == {"a": 1}
    assert len(calls) == 1 and repr(work).endswith(", 1 results)")


# -- a whole race ------------------------------------------------------------------


def small_model(setting: dict[str, Any], vocab_size: int) -> nn.Module:
    from llmbook_utils.models.sequences.neural_lm import NeuralLM, NeuralLMConfig

    return NeuralLM(NeuralLMConfig(vocab_size, setting["block_size"], 4, 8))


SMALL = Family(
    "small",
    {"block_size": (1, 2, 3)},
    {"block_size": 2, "lr": 0.01, "optimizer": "adamw", "rows": 2},
    small_model,
)


@pytest.fixture
def short(small: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Race]:
    monkeypatch.setattr(counters, "COUNTERS", {"bigram": counters.COUNTERS["bigram"]})
    monkeypatch.setattr("llmbook_recipes.ladder.race.VALIDATION", 3)
    monkeypatch.setattr("llmbook_utils.evaluation.stories.LONGEST", 60)
    monkeypatch.setattr("llmbook_utils.ladder.rungs.LONGEST", 60)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # threads that wait spin, and their time counts
    yield Race("short", 0.2, 2, 0.1, most_stories=100)
    torch.set_num_threads(threads)


def test_a_race_from_start_to_end(short: Race, tmp_path: Path) -> None:
    work = Work(tmp_path, (SMALL,))
    ladder = results.run_race(work, short)
    assert {rung.name for rung in ladder.rungs} == {"small", "bigram"}
    for rung in ladder.rungs:
        seeds = [run["bits"] for run in rung.recipe["seeds"]]
        assert len(set(seeds)) == 3 and sorted(seeds)[1] == rung.bits.value
        assert rung.recipe["budget"] == 0.2 and rung.recipe["training_tokens"] > 0
    made = {rung.name: rung.recipe for rung in ladder.rungs}
    assert made["bigram"]["training_stories"] <= 100
    recipe = made["small"]
    assert recipe["steps"] * 2 == recipe["training_stories"]
    assert recipe["seconds"] == pytest.approx(0.2, rel=0.3)
    assert recipe["setting"].keys() == SMALL.start.keys()
    assert table(ladder).count("\n") == chart(ladder).data[0]["x"].__len__() + 2
    saved = torch.load(tmp_path / "short-small-1.pt", weights_only=True)
    assert saved["wte.weight"].size(0) == len(work.tokenizer) + 1
    assert not [*tmp_path.glob("*.run")]


def test_a_race_goes_on_where_it_stopped(
    short: Race, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stopped after the trials; then the trials are not made again."""
    work = Work(tmp_path, (SMALL,))
    best = work.tune(short, SMALL)
    monkeypatch.setattr(work, "try_setting", lambda *_: work.done["nothing"])
    with pytest.raises(KeyError):
        work.tune(short, SMALL)
    monkeypatch.undo()
    monkeypatch.setattr(story_stream, "CHUNK", 40)
    monkeypatch.setattr(story_stream, "GROUP", 2)
    before = work.done
    assert work.tune(short, SMALL) == best and work.done == before


def test_the_command_writes_what_a_race_came_to(
    short: Race,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(results, "RACES", {"short": short})
    monkeypatch.setattr(results, "Work", partial(Work, families=(SMALL,)))
    monkeypatch.setattr(Race, "path", tmp_path / "short.json")
    options = [f"--work={tmp_path}"]
    assert results.main([*options, "--collect"]) == 0  # nothing yet, and no file
    assert "small" not in capsys.readouterr().out and not Race.path.exists()
    assert results.main(options) == 0
    assert {r.name for r in load_ladder(Race.path).rungs} == {"small", "bigram"}
    out = capsys.readouterr().out
    assert str(seeds_table(load_ladder(Race.path))) in out


# -- what comes out ----------------------------------------------------------------


def race_ladder() -> Ladder:
    one = Interval(0.4, 0.39, 0.41)
    seeds = [
        {"seed": seed, "bits": bits, "relative": bits / 0.2 - 1, "true": true}
        for seed, bits, true in ((1, 0.42, 0.0), (2, 0.4, 0.1), (3, 0.39, 0.05))
    ]
    recipe = {"training_tokens": 1_500_000, "seconds": 60, "seed": 2, "seeds": seeds}
    rung = Rung("LSTM", one, one, one, one, recipe)
    floor = Interval(0.2, 0.19, 0.21)
    return Ladder(floor, 10, 5000, 10, 0, (rung,))


def test_seeds_are_shown_as_middle_and_range() -> None:
    lines = seeds_table(race_ladder()).splitlines()
    assert len({len(line) for line in lines}) == 1  # aligned
    cells = [cell.strip() for cell in lines[2].split("|")[1:-1]]
    assert cells == [
        "LSTM",
        "0.400 (0.390 to 0.420)",
        "100% (95% to 110%)",
        "5.0% (0.0% to 10.0%)",
        "1.5M tokens",
    ]


def test_a_race_that_is_not_there_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ValueError, match="there are one_minute, ten_minutes"):
        load_race("two_minutes")
    monkeypatch.setattr("llmbook_utils.ladder.races.race_path", tmp_path.joinpath)
    with pytest.raises(FileNotFoundError, match="make ladder"):
        load_race("one_minute")


@pytest.mark.parametrize("name", RACES)
def test_stored_races_are_of_three_seeds_and_above_the_floor(name: str) -> None:
    ladder = load_race(name)
    names = {family.name for family in FAMILIES} | counters.COUNTERS.keys()
    assert {rung.name for rung in ladder.rungs} == names
    for rung in ladder.rungs:
        assert rung.excess.low > 0 and len(rung.recipe["seeds"]) == 3
        assert {"setting", "training_tokens", "seconds"} <= rung.recipe.keys()
