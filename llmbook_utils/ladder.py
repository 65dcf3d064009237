"""The ladder: every language model of the book, measured on the same stories.

A rung is a model with its bits per character on held-out stories of TinyWorld and the
share of its own stories that are true. At the foot is the entropy floor, which no model
can pass. ``python -m llmbook_utils.ladder`` measures all rungs and keeps them in
``ladder.json``; `load` reads them.

What makes it fair: all models are scored on whole stories with their end, in bits of
text, whatever their tokens are. All but `uniform`, which guesses characters, use the
tokenizer of `tiny`.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from llmbook_utils import tinyworld
from llmbook_utils.bpe import BytePairTokenizer
from llmbook_utils.evaluation import (
    Interval,
    compare_bits,
    end_id,
    neural_bits,
    ratio_interval,
)
from llmbook_utils.models.ngram import KneserNey, LanguageModel, NGram, Uniform
from llmbook_utils.story_scores import judge_stories, sample_texts
from llmbook_utils.tiny import recipe as tiny_recipe

if TYPE_CHECKING:
    import plotly.graph_objects as go

STORED = Path(__file__).with_name("ladder.json")
MAX_TOKENS = 1000  # of a sampled story; TinyWorld's have about 160
SMOOTHING = (1.0, 0.1, 0.01, 0.001, 0.0001)  # values of k that are tried


class TextModel(Protocol):
    """What a rung is measured with: a language model of texts."""

    def bits(self, texts: Sequence[str]) -> np.ndarray:
        """Return the bits of each text with its end, (N,)."""

    def sample(self, n: int, seed: int) -> list[str]:
        """Return n sampled texts."""


@dataclass(frozen=True)
class Rung:
    """A model that was measured.

    Attributes
    ----------
    name : str
    bits : Interval
        Bits per character on the held-out stories.
    excess : Interval
        Bits per character above the floor of the same stories.
    relative : Interval
        The excess as a share of the floor.
    true : Interval
        Share of sampled stories of which `tinyworld.check` finds every sentence true.
    recipe : dict
        How the model came about: training tokens, seconds, seed, ...
    """

    name: str
    bits: Interval
    excess: Interval
    relative: Interval
    true: Interval
    recipe: dict[str, Any]


@dataclass(frozen=True)
class Ladder:
    """Rungs that were measured on the same stories.

    Attributes
    ----------
    floor : Interval
        The stories' own entropy, bits per character.
    stories, characters, samples, seed : int
        Held-out stories, their characters, sampled stories of each model, and the
        seed of both.
    rungs : tuple of Rung
        From the worst to the best.
    """

    floor: Interval
    stories: int
    characters: int
    samples: int
    seed: int
    rungs: tuple[Rung, ...] = ()

    def plus(self, *rungs: Rung) -> Ladder:
        """Return the ladder with more rungs; a rung of the same name is replaced."""
        by_name = {rung.name: rung for rung in [*self.rungs, *rungs]}
        ordered = sorted(by_name.values(), key=lambda rung: -rung.bits.value)
        return replace(self, rungs=tuple(ordered))

    def only(self, *names: str) -> Ladder:
        """Return the ladder with the named rungs only.

        Raises
        ------
        ValueError
            If there is no rung of a name. The message lists those there are.
        """
        known = [rung.name for rung in self.rungs]
        for name in names:
            if name not in known:
                raise ValueError(f"no rung {name!r}; there are {', '.join(known)}")
        return replace(self, rungs=tuple(r for r in self.rungs if r.name in names))


class HeldOut:
    """Held-out stories with the bits that they truly have.

    Parameters
    ----------
    n : int
        How many stories of the test split.
    seed : int
        Of the stories.

    Attributes
    ----------
    texts : list of str
    floor : numpy array of float64, (n,)
        Bits.
    characters : numpy array of int64, (n,)

    Raises
    ------
    ValueError
        If there are fewer than two stories.
    """

    def __init__(self, n: int, seed: int = 0) -> None:
        if n < 2:
            raise ValueError(f"an interval needs two stories or more, got n={n}")
        stories = list(tinyworld.stories(n, seed, split="test"))
        self.seed = seed
        self.texts = [story.text for story in stories]
        self.floor = np.array([-story.log_prob for story in stories])
        self.characters = np.array([len(text) for text in self.texts])

    def __repr__(self) -> str:
        return f"HeldOut({len(self.texts)} stories, {self.characters.sum()} characters)"


def measure(
    name: str,
    model: TextModel,
    held_out: HeldOut,
    samples: int = 200,
    recipe: dict[str, Any] | None = None,
) -> Rung:
    """Measure one model.

    Parameters
    ----------
    name : str
        How the rung is called in table and chart.
    model : TextModel
        A `Counting` or `Neural`, or anything with their two methods.
    held_out : HeldOut
        The stories, the same for all rungs.
    samples : int
        How many stories the model tells, to see whether they are true.
    recipe : dict, optional
        Kept with the rung.

    Notes
    -----
    Built in chapter 06.
    """
    bits = model.bits(held_out.texts)
    report = compare_bits(bits, held_out.floor, held_out.characters)
    told = judge_stories(model.sample(samples, held_out.seed))
    return Rung(
        name=name,
        bits=report.bits,
        excess=report.excess,
        relative=report.relative,
        true=told.true,
        recipe=recipe or {},
    )


class Counting:
    """A counting model with what makes tokens of text and text of tokens.

    Examples
    --------
    >>> letters = "ab"
    >>> model = Uniform().fit([[0, 1]], vocab_size=3)
    >>> guess = Counting(model, lambda t: [*map(letters.index, t)],
    ...                  lambda ids: "".join(letters[i] for i in ids))
    >>> guess.bits(["ab"]).round(3)  # three times log2(3)
    array([4.755])
    """

    def __init__(
        self,
        model: LanguageModel,
        encode: Callable[[str], list[int]],
        decode: Callable[[list[int]], str],
    ) -> None:
        self.model, self.encode, self.decode = model, encode, decode

    def __repr__(self) -> str:
        return f"Counting({self.model!r})"

    def bits(self, texts: Sequence[str]) -> np.ndarray:
        """Return the bits of each text with its end, (N,)."""
        return np.array([-self.model.log_prob(self.encode(text)) for text in texts])

    def sample(self, n: int, seed: int) -> list[str]:
        """Return n sampled texts."""
        rng = random.Random(seed)
        return [self.decode(self.model.sample(rng, MAX_TOKENS)) for _ in range(n)]


class Neural:
    """A GPT with its tokenizer.

    Parameters
    ----------
    model : GPT or transformers.GPT2LMHeadModel
    tokenizer : BytePairTokenizer or transformers.GPT2Tokenizer
    """

    def __init__(self, model: Any, tokenizer: Any) -> None:
        from llmbook_utils.models.gpt import GPT

        is_ours = isinstance(model, GPT)
        self.model = model if is_ours else GPT.from_transformers(model)
        self.tokenizer = tokenizer

    def __repr__(self) -> str:
        size = sum(p.numel() for p in self.model.parameters())
        return f"Neural({type(self.model).__name__}, {size} parameters)"

    def bits(self, texts: Sequence[str]) -> np.ndarray:
        """Return the bits of each text with its end, (N,)."""
        return neural_bits(self.model, self.tokenizer, texts)

    def sample(self, n: int, seed: int) -> list[str]:
        """Return n sampled texts, at temperature 1."""
        return sample_texts(self.model, self.tokenizer, n, seed)


def save(ladder: Ladder, path: Path = STORED) -> None:
    """Write a ladder to a file, numbers to five significant digits."""
    path.write_text(json.dumps(_rounded(asdict(ladder)), indent=1) + "\n", "utf-8")


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(item) for item in value]
    return float(f"{value:.5g}") if isinstance(value, float) else value


def load(path: Path = STORED) -> Ladder:
    """Read the ladder that comes with the package, or that `save` wrote.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file is damaged.
    """
    try:
        stored = json.loads(path.read_text("utf-8"))
        floor = Interval(**stored.pop("floor"))
        rungs = tuple(_read_rung(rung) for rung in stored.pop("rungs"))
        return Ladder(floor=floor, rungs=rungs, **stored)
    except FileNotFoundError:
        raise FileNotFoundError(
            f"there is no {path}; python -m llmbook_utils.ladder makes it"
        ) from None
    except (AttributeError, KeyError, TypeError, json.JSONDecodeError) as error:
        raise ValueError(
            f"{path} is damaged ({error}); python -m llmbook_utils.ladder remakes it"
        ) from error


def _read_rung(stored: dict[str, Any]) -> Rung:
    intervals = ("bits", "excess", "relative", "true")
    return Rung(**stored | {name: Interval(**stored[name]) for name in intervals})


class Table(str):
    """A table in Markdown: a notebook shows it set, `print` as text."""

    def _repr_markdown_(self) -> str:
        return str(self)


def table(ladder: Ladder | None = None) -> Table:
    """Return the ladder as a table, the worst model first and the floor last.

    Parameters
    ----------
    ladder : Ladder, optional
        The stored one by default.

    Returns
    -------
    Table
        Markdown. In brackets, 95% confidence intervals.
    """
    ladder = load() if ladder is None else ladder
    lines = [
        ("model", "bits per character", "above the floor", "true stories", "trained"),
        ("---", "---:", "---:", "---:", "---"),
    ]
    for rung in ladder.rungs:
        share = [_percent(x) for x in (rung.true.value, rung.true.low, rung.true.high)]
        lines.append(
            (
                rung.name,
                str(rung.bits),
                f"{100 * rung.relative.value:,.0f}%",
                "{} ({} to {})".format(*share),
                _trained(rung.recipe),
            )
        )
    lines.append(("*entropy floor*", str(ladder.floor), "0%", "100%", ""))
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return Table(
        "\n".join(
            "| " + " | ".join(map(str.ljust, line, widths)) + " |" for line in lines
        )
    )


def _percent(share: float) -> str:
    """In percent: one digit after the point, none where it would be 0."""
    return f"{100 * share:.1f}".removesuffix(".0") + "%"


def _trained(recipe: dict[str, Any]) -> str:
    """Say how much a model was trained."""
    tokens, seconds = recipe.get("training_tokens"), recipe.get("seconds")
    if not tokens:
        return "not at all"
    duration = f"{seconds:.0f} s" if seconds < 600 else f"{seconds / 3600:.1f} h"
    return f"{tokens / 1e6:.1f}M tokens, {duration}"


HEIGHT, MARGIN = 440, {"l": 56, "r": 16, "t": 24, "b": 56}  # of the chart, in pixels
FLOOR, FLOOR_BAND = "#cf5b27", "rgba(207,91,39,0.3)"  # seen on light and on dark
LABEL = 19  # pixels from one label to the next


def chart(ladder: Ladder | None = None) -> go.Figure:
    """Draw the ladder: bits per character against the share of true stories.

    Each model is a point with its 95% confidence intervals. The entropy floor is a line
    at the foot, its interval a band. The scale of bits is logarithmic: a step down that
    saves half of the bits is as long anywhere.

    Parameters
    ----------
    ladder : Ladder, optional
        The stored one by default.

    Returns
    -------
    plotly.graph_objects.Figure
        For `plots.show`; `describe` gives its alt text.

    Raises
    ------
    ValueError
        If the ladder has no rung.
    """
    from llmbook_utils import plots

    ladder = load() if ladder is None else ladder
    if not ladder.rungs:
        raise ValueError("the ladder has no rung to draw; measure a model first")
    xy = [(100 * rung.true.value, rung.bits.value) for rung in ladder.rungs]
    names = [rung.name for rung in ladder.rungs]
    figure = plots.scatter(
        xy, labels=names, x_title="true stories (%)", y_title="bits per character"
    )
    figure.update_traces(
        mode="markers",
        hovertext=[_hover(rung) for rung in ladder.rungs],
        hoverinfo="text",
        error_x=_error([rung.true for rung in ladder.rungs], 100),
        error_y=_error([rung.bits for rung in ladder.rungs], 1),
    )
    _add_floor(figure, ladder.floor)
    low, high = np.log10([ladder.floor.low / 1.35, xy[0][1] * 1.25])
    ticks = [2.0**power for power in range(-6, 5) if low < np.log10(2.0**power) < high]
    figure.update_yaxes(type="log", range=[low, high], tickvals=ticks)
    figure.update_yaxes(ticktext=[f"{tick:g}" for tick in ticks])
    figure.update_xaxes(range=[-4, 104], tickvals=[0, 25, 50, 75, 100])
    pixels = (HEIGHT - MARGIN["t"] - MARGIN["b"]) / (high - low)
    for rung, height in zip(ladder.rungs, _label_heights(ladder, pixels), strict=True):
        _add_label(figure, rung, height)
    return figure.update_layout(height=HEIGHT, margin=MARGIN, showlegend=False)


def _hover(rung: Rung) -> str:
    return (
        f"{rung.name}<br>{rung.bits} bits per character<br>"
        f"{_percent(rung.true.value)} of its stories true"
    )


def _error(intervals: Sequence[Interval], scale: float) -> dict[str, Any]:
    """Plotly's error bars, which reach up and down from the value."""
    return {
        "array": [scale * (x.high - x.value) for x in intervals],
        "arrayminus": [scale * (x.value - x.low) for x in intervals],
        "thickness": 1.5,
        "width": 4,
    }


def _add_floor(figure: go.Figure, floor: Interval) -> None:
    """Add the floor's line, its band and its label."""
    wide = [-4, 104]
    band = {"mode": "lines", "hoverinfo": "skip", "line": {"width": 0}}
    figure.add_scatter(x=wide, y=[floor.low] * 2, **band)
    figure.add_scatter(
        x=wide, y=[floor.high] * 2, fill="tonexty", fillcolor=FLOOR_BAND, **band
    )
    figure.add_scatter(
        x=wide,
        y=[floor.value] * 2,
        mode="lines",
        line={"width": 2.5, "color": FLOOR},
        hovertext=f"entropy floor<br>{floor} bits per character",
        hoverinfo="text",
    )
    figure.add_annotation(
        x=0,
        y=float(np.log10(floor.low)),
        text=f"entropy floor <b>{_bits(floor.value)}</b>",
        showarrow=False,
        xanchor="left",
        yanchor="top",
    )


def _label_heights(ladder: Ladder, pixels: float) -> list[float]:
    """Return by how many pixels each label stands above its point, free of the others.

    `pixels` are those of a factor of ten. No two labels share a height, so that they
    don't meet on a narrow screen, either.
    """
    heights: list[float] = []
    highest = -np.inf
    for rung in reversed(ladder.rungs):
        at = pixels * float(np.log10(rung.bits.value))
        highest = max(at + LABEL / 2 + 2, highest + LABEL)
        heights.append(highest - at)
    return heights[::-1]


def _add_label(figure: go.Figure, rung: Rung, height: float) -> None:
    """Write a rung's name and bits above its point, with a line if far above."""
    is_right = rung.true.value > 0.5  # then there is room on the left
    figure.add_annotation(
        x=100 * rung.true.value,
        y=float(np.log10(rung.bits.value)),
        text=f"{rung.name} <b>{_bits(rung.bits.value)}</b>",
        ax=-8 if is_right else 8,
        ay=-height,
        xanchor="right" if is_right else "left",
        showarrow=True,
        arrowhead=0,
        arrowwidth=1 if height > LABEL else 0.1,
        standoff=6,
    )


def _bits(value: float) -> str:
    return f"{value:.3f}" if value < 1 else f"{value:.2f}"


def describe(ladder: Ladder | None = None) -> str:
    """Return the chart in words, as alt text.

    Parameters
    ----------
    ladder : Ladder, optional
        The stored one by default.
    """
    ladder = load() if ladder is None else ladder
    models = "; ".join(
        f"{rung.name} {_bits(rung.bits.value)} bits per character, "
        f"{_percent(rung.true.value)} of stories true"
        for rung in ladder.rungs
    )
    return (
        "A chart of models by bits per character and share of true stories, from the "
        f"top: {models}; at the foot the entropy floor, {_bits(ladder.floor.value)}."
    )


class Training:
    """What the lower rungs learn from: stories, cut by the tokenizer of `tiny`.

    Parameters
    ----------
    n : int
        Stories of the training split.
    seed : int
        Of the stories.
    """

    def __init__(self, n: int, seed: int = 0) -> None:
        is_made = (tiny_recipe.TINY / "vocab.json").exists()
        self.seed, self.stories = seed, n
        self.tokenizer = (
            BytePairTokenizer.load(tiny_recipe.TINY)
            if is_made
            else tiny_recipe.make_tokenizer(tiny_recipe.Recipe())
        )
        self.end = end_id(self.tokenizer)
        self.texts = [s.text for s in tinyworld.stories(n, seed, split="train")]
        fast = self.tokenizer.to_tokenizers()
        self.documents = [found.ids for found in fast.encode_batch(self.texts)]

    @cached_property
    def validation(self) -> list[list[int]]:
        """Token ids of stories of the validation split."""
        sampled = tinyworld.stories(100, self.seed, split="validation")
        return [self.tokenizer.encode(story.text) for story in sampled]

    def fit(
        self, model: LanguageModel, **details: Any
    ) -> tuple[TextModel, dict[str, Any]]:
        """Fit a model of tokens, and return it with its recipe."""
        started = time.process_time()
        model.fit(self.documents, len(self.tokenizer), self.end)
        return Counting(model, self.tokenizer.encode, self.tokenizer.decode), {
            "training_tokens": sum(map(len, self.documents)) + len(self.documents),
            "training_stories": self.stories,
            "seconds": time.process_time() - started,  # of one core
            "seed": self.seed,
            "vocab_size": len(self.tokenizer),
            **details,
        }

    def best_smoothing(self, n: int) -> float:
        """Return the k of `NGram` with which validation stories cost least."""

        def cost(k: float) -> float:
            model.k = k
            return -sum(map(model.log_prob, self.validation))

        model = NGram(n, k=1).fit(self.documents, len(self.tokenizer), self.end)
        return min(SMOOTHING, key=cost)


def _uniform(training: Training) -> tuple[TextModel, dict[str, Any]]:
    letters = sorted(set("".join(training.texts)))
    ids = {letter: i for i, letter in enumerate(letters)}
    model = Uniform().fit([[]], vocab_size=len(letters) + 1)  # and the end
    guess = Counting(
        model,
        lambda text: [ids[letter] for letter in text],
        lambda found: "".join(letters[i] for i in found),
    )
    return guess, {"characters": len(letters)}


def _ngram(n: int) -> Callable[[Training], tuple[TextModel, dict[str, Any]]]:
    def build(training: Training) -> tuple[TextModel, dict[str, Any]]:
        k = training.best_smoothing(n)
        return training.fit(NGram(n, k), k=k)

    return build


def _kneser_ney(training: Training) -> tuple[TextModel, dict[str, Any]]:
    model = KneserNey(5)
    built, recipe = training.fit(model)
    discounts = [[round(d, 3) for d in three[1:]] for three in model.discounts]
    return built, recipe | {"discounts": discounts}


def _tiny(training: Training) -> tuple[TextModel, dict[str, Any]] | None:
    from llmbook_utils import pretrained

    about = pretrained.TINY / "recipe.json"
    if not about.exists():
        return None
    made = json.loads(about.read_text("utf-8"))
    return Neural(*pretrained.load("tiny")), {
        "training_tokens": made["tokens"],
        "seconds": made["seconds"],
        "seed": made["recipe"]["seed"],
        "steps": made["steps"],
        "vocab_size": len(training.tokenizer),
    }


BUILDERS = {
    "uniform": _uniform,
    "unigram": _ngram(1),
    "bigram": _ngram(2),
    "Kneser-Ney 5-gram": _kneser_ney,
    "tiny": _tiny,
}


def measure_all(
    stories: int = 1000,
    samples: int = 1000,
    training_stories: int = 20_000,
    seed: int = 0,
) -> Ladder:
    """Build and measure every rung.

    `tiny` is left out where the package comes without it.

    Parameters
    ----------
    stories : int
        Held-out stories that all models are scored on.
    samples : int
        Stories that each model tells.
    training_stories : int
        What the counting models learn from.
    seed : int
        Of held-out, training and sampled stories, which never share one.
    """
    held_out = HeldOut(stories, seed)
    training = Training(training_stories, seed)
    ladder = Ladder(
        floor=ratio_interval(held_out.floor, held_out.characters),
        stories=stories,
        characters=int(held_out.characters.sum()),
        samples=samples,
        seed=seed,
    )
    for name, build in BUILDERS.items():
        if found := build(training):
            model, recipe = found
            ladder = ladder.plus(measure(name, model, held_out, samples, recipe))
    return ladder


def main(argv: Sequence[str] | None = None) -> int:
    """Measure all rungs anew, write them down, and print the table."""
    parser = argparse.ArgumentParser(
        prog="python -m llmbook_utils.ladder", description=main.__doc__
    )
    parser.add_argument("--stories", type=int, default=1000, help="held-out stories")
    parser.add_argument("--samples", type=int, default=1000, help="stories each tells")
    parser.add_argument(
        "--training-stories", type=int, default=20_000, help="for the counting models"
    )
    parser.add_argument("--seed", type=int, default=0, help="of all stories")
    parser.add_argument("--out", type=Path, default=STORED, help="the file to write")
    args = parser.parse_args(argv)
    try:
        ladder = measure_all(
            args.stories, args.samples, args.training_stories, args.seed
        )
    except ValueError as error:
        print(f"ladder: {error}", file=sys.stderr)
        return 2
    save(ladder, args.out)
    print(table(load(args.out)))
    if "tiny" not in [rung.name for rung in ladder.rungs]:
        print("tiny is not in the package, so its rung is missing")
    return 0


if __name__ == "__main__":
    sys.exit(main())
