"""The ladder: measured against the true model, kept, drawn, and made by one command."""

import json
import math
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import GPT2Config, GPT2LMHeadModel

from llmbook_recipes import store
from llmbook_recipes.ladder import rungs as measuring
from llmbook_utils import plots, pretrained
from llmbook_utils.evaluation.bits import neural_bits
from llmbook_utils.evaluation.intervals import Interval, proportion_interval
from llmbook_utils.ladder import chart as picture
from llmbook_utils.ladder.chart import chart, describe, table
from llmbook_utils.ladder.rungs import (
    Counting,
    HeldOut,
    Ladder,
    Neural,
    Rung,
    load_ladder,
    measure,
)
from llmbook_utils.ladder.training import SMOOTHING, Training
from llmbook_utils.models.sequences.ngram import NGram, Uniform
from llmbook_utils.plots import style
from llmbook_utils.pretrained import recipe
from llmbook_utils.text.bpe import BytePairTokenizer
from llmbook_utils.tinyworld.reading import score
from llmbook_utils.tinyworld.sampling import split_of, stories


def rung(name: str, bits: float, n_true: int = 0) -> Rung:
    made = {"training_tokens": 2_000_000, "seconds": 12.0, "seed": 0}
    exact, excess = Interval(bits, bits - 0.01, bits + 0.01), bits - 0.2
    return Rung(
        name,
        exact,
        Interval(excess, excess - 0.001, excess + 0.001),
        Interval(excess / 0.2, 0.0, 9.0),
        proportion_interval(n_true, 100),
        made if name != "uniform" else {},
    )


def example(*rungs: Rung) -> Ladder:
    floor = Interval(0.2, 0.195, 0.205)
    return Ladder(floor, stories=100, characters=60_000, samples=100, seed=0).plus(
        *(rungs or (rung("tiny", 0.21, 90), rung("uniform", 5.8), rung("bigram", 0.8)))
    )


class TrueModel:
    """TinyWorld itself."""

    def bits(self, texts: list[str]) -> np.ndarray:
        return np.array([-score(text) for text in texts])

    def sample(self, n: int, seed: int) -> list[str]:
        return [story.text for story in stories(n, seed)]


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder like the package's `tiny`, with an untrained model."""
    folder = tmp_path_factory.mktemp("tiny")
    texts = [story.text for story in stories(200, seed=5)]
    tokenizer = BytePairTokenizer.train(texts, vocab_size=600, fast=True)
    tokenizer.save(folder)
    torch.manual_seed(0)
    config = GPT2Config(
        vocab_size=len(tokenizer),
        n_positions=400,
        n_embd=8,
        n_layer=1,
        n_head=1,
        bos_token_id=0,
        eos_token_id=0,
    )
    GPT2LMHeadModel(config).save_pretrained(folder)
    about = {"tokens": 1234, "seconds": 56, "steps": 7, "recipe": {"seed": 8}}
    (folder / "recipe.json").write_text(json.dumps(about))
    return folder


@pytest.fixture
def shipped(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("llmbook_utils.ladder.training.TINY", tiny)
    monkeypatch.setattr(pretrained, "TINY", tiny)
    return tiny


# -- measuring ---------------------------------------------------------------------


def test_the_true_model_stands_on_the_floor_and_tells_the_truth() -> None:
    """Oracle: TinyWorld's own probabilities need no bit more than the floor."""
    held_out = HeldOut(20, seed=3)
    found = measure("truth", TrueModel(), held_out, samples=20)
    assert found.excess.value == pytest.approx(0, abs=1e-9)
    assert found.relative.high == pytest.approx(0, abs=1e-9)
    total = sum(-score(text) for text in held_out.texts)
    assert found.bits.value == pytest.approx(total / sum(map(len, held_out.texts)))
    assert found.true.value == 1 and found.true.low > 0.8


def test_held_out_stories_are_of_the_test_split() -> None:
    held_out = HeldOut(10, seed=1)
    assert {split_of(text) for text in held_out.texts} == {"test"}
    assert held_out.characters.tolist() == [len(text) for text in held_out.texts]
    assert HeldOut(10, seed=1).texts == held_out.texts != HeldOut(10, seed=2).texts
    assert repr(held_out).startswith("HeldOut(10 stories, ")
    with pytest.raises(ValueError, match="two stories or more, got n=1"):
        HeldOut(1)


def test_uniform_guessing_by_hand() -> None:
    """Of 4 letters and an end: log2(5) bits for each of n + 1 tokens."""
    letters = "abcd"
    model = Counting(
        Uniform().fit([[]], vocab_size=5),
        lambda text: [letters.index(letter) for letter in text],
        lambda ids: "".join(letters[i] for i in ids),
    )
    expected = [math.log2(5), 4 * math.log2(5)]
    assert model.bits(["", "abc"]) == pytest.approx(expected)
    told = model.sample(300, seed=0)
    assert told == model.sample(300, seed=0) != model.sample(300, seed=1)
    assert set("".join(told)) == set(letters)
    assert 3 < np.mean([len(text) for text in told]) < 5  # 4 on average


def test_neural_model_is_the_same_from_transformers_and_ours(tiny: Path) -> None:
    model, tokenizer = pretrained.load(tiny)
    theirs = Neural(model, tokenizer)
    ours = Neural(theirs.model, BytePairTokenizer.load(tiny))
    texts = HeldOut(3).texts
    np.testing.assert_allclose(theirs.bits(texts), ours.bits(texts), rtol=1e-5)
    np.testing.assert_allclose(
        ours.bits(texts), neural_bits(model, tokenizer, texts), rtol=1e-4
    )
    assert ours.sample(3, seed=1) == theirs.sample(3, seed=1) != ours.sample(3, seed=2)


def test_training_cuts_stories_of_the_training_split(shipped: Path) -> None:
    training = Training(30, seed=2)
    assert len(training.tokenizer) == len(BytePairTokenizer.load(shipped))
    assert {split_of(text) for text in training.texts} == {"train"}
    for text, ids in zip(training.texts, training.documents, strict=True):
        assert training.tokenizer.encode(text) == ids
    model, made = training.fit(NGram(1, k=1), k=1)
    assert made["training_tokens"] == sum(map(len, training.documents)) + 30
    assert (made["k"], made["seed"], made["training_stories"]) == (1, 2, 30)
    assert model.bits(["Tom"])[0] > 0


def test_smoothing_is_the_best_on_validation_stories(shipped: Path) -> None:
    training = Training(40)
    for n in (1, 2):
        chosen = training.best_smoothing(n)
        costs = {}
        for k in SMOOTHING:
            model, _ = training.fit(NGram(n, k))
            texts = map(training.tokenizer.decode, training.validation)
            costs[k] = model.bits(list(texts)).sum()
        assert costs[chosen] == min(costs.values())


# -- the ladder --------------------------------------------------------------------


def test_rungs_are_in_order_and_replaced_by_name() -> None:
    ladder = example()
    assert [r.name for r in ladder.rungs] == ["uniform", "bigram", "tiny"]
    better = ladder.plus(rung("bigram", 0.205), rung("new", 1.0))
    assert [r.name for r in better.rungs] == ["uniform", "new", "tiny", "bigram"]
    assert len(ladder.rungs) == 3
    assert [r.name for r in better.only("bigram", "new").rungs] == ["new", "bigram"]
    with pytest.raises(ValueError, match="no rung 'gpt'; there are uniform, bigram"):
        ladder.only("gpt")


def test_ladder_can_be_kept(tmp_path: Path) -> None:
    path = tmp_path / "ladder.json"
    ladder = example(rung("a", 0.123456789))
    store.write(path, asdict(ladder))
    found = load_ladder(path)
    assert found.rungs[0].bits.value == 0.12346
    assert replace(found, rungs=()) == replace(ladder, rungs=())
    store.write(tmp_path / "again.json", asdict(found))
    assert (tmp_path / "again.json").read_text() == path.read_text()
    assert load_ladder(tmp_path / "again.json") == found


def test_damaged_or_missing_ladders_are_named(tmp_path: Path) -> None:
    path = tmp_path / "ladder.json"
    with pytest.raises(FileNotFoundError, match="make ladder"):
        load_ladder(path)
    store.write(path, asdict(example()))
    text = path.read_text()
    for wrong in (text[:-9], "[]", text.replace('"floor"', '"flour"'), '{"floor": 1}'):
        path.write_text(wrong)
        with pytest.raises(ValueError, match=r"ladder\.json is damaged"):
            load_ladder(path)


def test_stored_ladder_was_measured_on_this_tinyworld() -> None:
    """If this fails, TinyWorld has changed: run ``make ladder``."""
    ladder = load_ladder()
    held_out = HeldOut(ladder.stories, ladder.seed)
    assert ladder.characters == held_out.characters.sum()
    floor = held_out.floor.sum() / ladder.characters
    assert ladder.floor.value == pytest.approx(floor, rel=1e-4)


def test_stored_rungs_are_above_the_floor_and_have_their_recipes() -> None:
    ladder = load_ladder()
    names = [r.name for r in ladder.rungs]
    assert names[:4] == ["uniform", "unigram", "bigram", "Kneser-Ney 5-gram"]
    assert set(names) <= set(measuring.BUILDERS)
    for found in ladder.rungs:
        assert found.excess.low > 0
        excess = found.bits.value - ladder.floor.value
        assert found.excess.value == pytest.approx(excess, abs=1e-4)
        assert found.true.low <= found.true.value <= found.true.high
        if found.name != "uniform":
            assert {"training_tokens", "seconds", "seed"} <= found.recipe.keys()


# -- table and chart ---------------------------------------------------------------


def test_table_says_what_was_measured() -> None:
    text = table(example())
    lines = text.splitlines()
    assert len({len(line) for line in lines}) == 1  # aligned
    cells = [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines]
    assert [row[0] for row in cells[2:]] == [
        "uniform",
        "bigram",
        "tiny",
        "*entropy floor*",
    ]
    assert cells[4][1:] == [
        "0.210 (0.200 to 0.220)",
        "5%",
        "90% (82.6% to 94.5%)",
        "2.0M tokens, 12 s",
    ]
    assert cells[2][4] == "not at all"
    assert cells[5][1] == "0.200 (0.195 to 0.205)"
    assert text._repr_markdown_() == text


def test_long_training_is_told_in_hours() -> None:
    made = {"training_tokens": 80_000_000, "seconds": 9000}
    ladder = example(replace(rung("tiny", 0.21), recipe=made))
    assert "80.0M tokens, 2.5 h" in table(ladder)


def traces(ladder: Ladder) -> tuple[dict, list[dict], list[dict]]:
    """Points, floor, and labels of the stored chart."""
    data = plots.figure_data(chart(ladder), "fig-x", "Caption.", describe(ladder))
    points, *floor = data["data"]
    return points, floor, data["layout"]["annotations"]


def test_chart_shows_each_model_with_its_intervals() -> None:
    points, floor, labels = traces(example())
    assert points["x"] == [0, 0, 90] and points["y"] == [5.8, 0.8, 0.21]
    assert points["error_x"]["array"][2] == pytest.approx(4.478, abs=0.001)
    assert points["error_x"]["arrayminus"][2] == pytest.approx(7.437, abs=0.001)
    assert points["error_y"]["array"] == pytest.approx([0.01] * 3)
    assert [trace["y"][0] for trace in floor] == [0.195, 0.205, 0.2]
    texts = [label["text"] for label in labels]
    assert texts == [
        "entropy floor <b>0.200</b>",
        "uniform <b>5.80</b>",
        "bigram <b>0.800</b>",
        "tiny <b>0.210</b>",
    ]
    assert [label["xanchor"] for label in labels[1:]] == ["left", "left", "right"]
    assert "90% of its stories true" in points["hovertext"][2]


def test_all_of_the_chart_is_in_sight() -> None:
    figure = chart(example())
    low, high = figure.layout.yaxis.range
    for bits in (0.195, 0.2, 5.81):
        assert low < math.log10(bits) < high
    ticks = figure.layout.yaxis.tickvals
    assert ticks == (0.25, 0.5, 1, 2, 4)
    assert [float(text) for text in figure.layout.yaxis.ticktext] == list(ticks)
    assert figure.layout.xaxis.range[0] < 0 and figure.layout.xaxis.range[1] > 100


def test_labels_keep_apart_and_stand_above_their_points() -> None:
    """Ten models between 0.21 and 0.26 bits, in pixels of the chart."""
    ladder = example(*(rung(f"m{i}", 0.21 + 0.005 * i, 9 * i) for i in range(10)))
    figure = chart(ladder)
    low, high = figure.layout.yaxis.range
    inside = figure.layout.height - figure.layout.margin.t - figure.layout.margin.b
    labels = [label for label in figure.layout.annotations if label.showarrow]
    heights = [inside / (high - low) * label.y - label.ay for label in labels]
    assert all(label.ay < -picture.LABEL / 2 for label in labels)
    gaps = -np.diff(heights)
    assert (gaps >= picture.LABEL - 1e-6).all() and len(gaps) == 9


def test_floor_is_seen_on_light_and_dark() -> None:
    """It is a colour of the palette, whose contrast is tested with the palette."""
    assert picture.FLOOR in style.PALETTE
    red, green, blue = (int(picture.FLOOR[i : i + 2], 16) for i in (1, 3, 5))
    assert picture.FLOOR_BAND.startswith(f"rgba({red},{green},{blue},")


def test_chart_in_words_and_without_rungs() -> None:
    words = describe(example())
    assert "uniform 5.80 bits per character, 0% of stories true" in words
    assert words.endswith("at the foot the entropy floor, 0.200.")
    with pytest.raises(ValueError, match="no rung to draw"):
        chart(replace(example(), rungs=()))


def test_table_and_chart_are_of_the_stored_ladder_by_default() -> None:
    assert table() == table(load_ladder())
    assert chart() == chart(load_ladder())
    assert describe() == describe(load_ladder())


# -- the command -------------------------------------------------------------------


def run(out: Path) -> int:
    options = ["--stories=12", "--samples=4", "--training-stories=60", "--seed=1"]
    return measuring.main([*options, f"--out={out}"])


def test_command_measures_all_rungs(
    shipped: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """More memory, fewer bits; all above the floor; nothing true in so little text."""
    out = tmp_path / "ladder.json"
    assert run(out) == 0
    ladder = load_ladder(out)
    by_name = {r.name: r for r in ladder.rungs}
    assert set(by_name) == set(measuring.BUILDERS)
    bits = [
        by_name[name].bits.value
        for name in ("uniform", "unigram", "bigram", "Kneser-Ney 5-gram")
    ]
    assert bits == sorted(bits, reverse=True) and bits[-1] > 2 * ladder.floor.value
    letters = by_name["uniform"].recipe["characters"]
    per_character = (ladder.characters + 12) / ladder.characters  # 12 ends
    assert bits[0] == pytest.approx(math.log2(letters + 1) * per_character, rel=1e-4)
    assert by_name["bigram"].true.value == 0
    assert by_name["tiny"].recipe["training_tokens"] == 1234
    assert by_name["tiny"].bits.value > 2  # it was never trained
    assert (ladder.stories, ladder.samples, ladder.seed) == (12, 4, 1)
    assert capsys.readouterr().out == str(table(ladder)) + "\n"


def test_command_without_tiny_says_so(
    shipped: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(pretrained, "TINY", tmp_path)
    assert run(tmp_path / "ladder.json") == 0
    assert "tiny" not in [r.name for r in load_ladder(tmp_path / "ladder.json").rungs]
    assert "tiny is not in the package" in capsys.readouterr().out


def test_command_refuses_what_cannot_be_measured(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "ladder.json"
    assert measuring.main(["--stories=1", f"--out={out}"]) == 2
    assert "two stories or more" in capsys.readouterr().err
    assert not out.exists()


def test_tokenizer_is_made_by_the_recipe_where_tiny_is_missing(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = BytePairTokenizer.load(tiny)
    monkeypatch.setattr("llmbook_utils.ladder.training.TINY", tmp_path)
    monkeypatch.setattr(recipe, "make_tokenizer", lambda _: made)
    assert Training(2).tokenizer is made
