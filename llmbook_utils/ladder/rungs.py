"""A rung: a model of texts, its bits per character, and the truth of its stories."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from llmbook_utils.evaluation.bits import neural_bits
from llmbook_utils.evaluation.intervals import Interval, compare_bits
from llmbook_utils.evaluation.stories import LONGEST, judge_stories, sample_texts
from llmbook_utils.models.sequences.ngram import LanguageModel
from llmbook_utils.tinyworld import sampling

STORED = Path(__file__).with_name("ladder.json")


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
        stories = list(sampling.stories(n, seed, split="test"))
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
    >>> from llmbook_utils.models.sequences.ngram import Uniform
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
        return [self.decode(self.model.sample(rng, LONGEST)) for _ in range(n)]


class Neural:
    """A neural model with its tokenizer.

    Parameters
    ----------
    model : GPT, NeuralLM, RecurrentLM or transformers.GPT2LMHeadModel
    tokenizer : BytePairTokenizer or transformers.GPT2Tokenizer
    """

    def __init__(self, model: Any, tokenizer: Any) -> None:
        from llmbook_utils.models.attention.gpt import GPT

        is_ours = isinstance(model, GPT) or hasattr(model, "new_cache")
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


def load_ladder(path: Path = STORED) -> Ladder:
    """Read the ladder that comes with the package, or that ``make ladder`` wrote.

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
        rungs = tuple(read_rung(rung) for rung in stored.pop("rungs"))
        return Ladder(floor=floor, rungs=rungs, **stored)
    except FileNotFoundError:
        raise FileNotFoundError(f"there is no {path}; `make ladder` makes it") from None
    except (AttributeError, KeyError, TypeError, json.JSONDecodeError) as error:
        raise ValueError(
            f"{path} is damaged ({error}); `make ladder` makes it anew"
        ) from error


def read_rung(stored: dict[str, Any]) -> Rung:
    """Make a rung of what `dataclasses.asdict` made of it."""
    intervals = ("bits", "excess", "relative", "true")
    return Rung(**stored | {name: Interval(**stored[name]) for name in intervals})
