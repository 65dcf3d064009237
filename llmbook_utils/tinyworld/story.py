"""Stories: sampled by chance, read from text, measured in bits.

A `Story` is its village and the choices that were made; everything else (text, events,
states, spans, questions) follows from them.
"""

from __future__ import annotations

import math
import random
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import Any, NamedTuple

from llmbook_utils.tinyworld.choosers import (
    Follower,
    Reader,
    Sampler,
    TextEnds,
    generator,
)
from llmbook_utils.tinyworld.telling import MAX_PEOPLE, MAX_THINGS, Lexicon, Teller
from llmbook_utils.tinyworld.village import VILLAGES
from llmbook_utils.tinyworld.world import SENTIMENTS, Event, World

SPLITS = ("train", "validation", "test")
LANGUAGES = ("en", "zh")


class Sentence(NamedTuple):
    """A sentence; a question stands with its answer.

    `start` and `end` are characters of the story, `events` what it tells.
    """

    text: str
    start: int
    end: int
    events: tuple[Event, ...]


class Span(NamedTuple):
    """A place in the text where an entity is named.

    Attributes
    ----------
    start, end : int
        Characters of the story; a noun's article and colour belong to the span.
    sentence : int
        Number of the sentence, from 0.
    kind : str
        ``"person"``, ``"thing"`` or ``"place"``.
    number : int
        Of the person or object in the story, of the place in the village.
    antecedent : Span or None
        Of a pronoun: the span of the last name that it stands for.
    """

    start: int
    end: int
    sentence: int
    kind: str
    number: int
    antecedent: Span | None


class Question(NamedTuple):
    """A question of the story with its answer.

    `kind` and `subject` are those of `World.answer`; `sentence` counts from 0.
    """

    question: str
    answer: str
    sentence: int
    kind: str
    subject: int | None


@cache
def lexicon(village: str) -> Lexicon:
    """Return the words of a village.

    Raises
    ------
    ValueError
        If there is no such village. The message lists those there are.
    """
    if village not in VILLAGES:
        raise ValueError(
            f"village must be one of {', '.join(map(repr, VILLAGES))}, got {village!r}"
        )
    return Lexicon(VILLAGES[village])


@dataclass(frozen=True)
class Story:
    """A story of TinyWorld.

    Attributes
    ----------
    text : str
        In English. It ends with "The end." and a new line.
    choices : tuple of int
        What was chosen wherever the story could have gone on in another way.
    log_prob : float
        Log2 of the text's probability, in bits: 0 or less.
    village : str
        ``"home"`` or ``"away"``.
    """

    text: str
    choices: tuple[int, ...] = field(repr=False)
    log_prob: float
    village: str = "home"

    @cached_property
    def told(self) -> Teller:
        """The procedure that told the story, with its events and final world."""
        teller = Teller(lexicon(self.village), Follower(self.choices))
        teller.tell()
        return teller

    @property
    def events(self) -> list[Event]:
        """What happens, in order."""
        return self.told.events

    @property
    def world(self) -> World:
        """The state of the world at the end."""
        return self.told.world

    @cached_property
    def _offsets(self) -> list[int]:
        """Where each part of the text begins, and where the last ends."""
        offsets = [0]
        for part in self.told.parts:
            offsets.append(offsets[-1] + len(part))
        return offsets

    @cached_property
    def sentences(self) -> list[Sentence]:
        """The sentences in order, the last is "The end."."""
        found = []
        for first, last, first_event, last_event in self.told.sentences:
            raw = "".join(self.told.parts[first:last])
            start = self._offsets[first] + len(raw) - len(raw.lstrip())
            text = raw.strip()
            events = tuple(self.told.events[first_event:last_event])
            found.append(Sentence(text, start, start + len(text), events))
        return found

    @cached_property
    def states(self) -> list[World]:
        """The state of the world after each sentence."""
        world = World(VILLAGES[self.village])
        states = []
        for sentence in self.sentences:
            for event in sentence.events:
                world.apply(event)
            states.append(world.copy())
        return states

    @cached_property
    def spans(self) -> list[Span]:
        """Every place where a person, an object or a place is named, in order."""
        parts, offsets = self.told.parts, self._offsets
        bounds = [last for _, last, _, _ in self.told.sentences]
        spans: dict[int, Span] = {}
        sentence = 0
        for mention in self.told.mentions:
            while mention.part >= bounds[sentence]:
                sentence += 1
            words = parts[mention.part]
            kind, number = mention.entity
            skip = words.index(" the ") if kind == "place" else 0
            before = mention.antecedent
            spans[mention.part] = Span(
                offsets[mention.part] + skip + 1,
                offsets[mention.part + 1],
                sentence,
                kind,
                number,
                spans[before.part] if before else None,
            )
        return list(spans.values())

    @property
    def pronouns(self) -> list[Span]:
        """The spans that are pronouns; each has its `antecedent`."""
        return [span for span in self.spans if span.antecedent]

    @cached_property
    def questions(self) -> list[Question]:
        """The questions that the story asks and answers."""
        found = []
        for number, sentence in enumerate(self.sentences):
            for event in sentence.events:
                if event.kind == "question":
                    question, answer = sentence.text.split("? ")
                    kind, subject, _ = event.value
                    found.append(
                        Question(question + "?", answer, number, kind, subject)
                    )
        return found

    @cached_property
    def sentiments(self) -> list[tuple[str, str | None]]:
        """Of each sentence, its sentiment and the words of the cause.

        ``"positive"`` and ``"negative"`` come from the mood that a sentence tells, with
        the words after "because"; all other sentences are ``"neutral"``.
        """
        found: list[tuple[str, str | None]] = []
        for sentence in self.sentences:
            told = [event for event in sentence.events if event.kind == "feel"]
            cause = sentence.text.partition(" because ")[2].rstrip(".") or None
            if told:
                found.append((SENTIMENTS[told[0].value[0]], cause))
            else:
                found.append(("neutral", None))
        return found

    @cached_property
    def chinese(self) -> str:
        """The same story in Chinese."""
        from llmbook_utils.tinyworld.chinese import chinese

        return chinese(self)

    @cached_property
    def summary(self) -> str:
        """One true sentence about the story."""
        from llmbook_utils.tinyworld.tasks import summary

        return summary(self)

    def render(self, language: str = "en") -> str:
        """Return the text in a language.

        Raises
        ------
        ValueError
            If `language` is neither ``"en"`` nor ``"zh"``.
        """
        if language not in LANGUAGES:
            raise ValueError(f"language must be 'en' or 'zh', got {language!r}")
        return self.text if language == "en" else self.chinese


def _check_count(name: str, value: int | None, low: int, high: int) -> None:
    if value is None:
        return
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{name} must be an integer, got {type(value).__name__}")
    if not low <= value <= high:
        raise ValueError(f"{name} must be from {low} to {high}, got {value}")


def sample_story(
    rng: random.Random | int,
    village: str = "home",
    n_people: int | None = None,
    n_objects: int | None = None,
) -> Story:
    """Sample a story.

    Parameters
    ----------
    rng : random.Random or int
        A generator, or the seed of one. The same seed gives the same story on every
        Python.
    village : {"home", "away"}
        Whose people, places and objects occur. ``"away"`` shares none with ``"home"``.
    n_people, n_objects : int, optional
        Sample among the stories with so many, 2 to 4. `Story.log_prob` stays the
        probability among all stories.

    Returns
    -------
    Story

    Raises
    ------
    ValueError
        If the village is unknown, or a number is out of range.

    Examples
    --------
    >>> story = sample_story(0)
    >>> story.text.splitlines()[-1]
    'The end.'
    >>> score(story.text) == story.log_prob
    True
    """
    _check_count("n_people", n_people, 2, MAX_PEOPLE)
    _check_count("n_objects", n_objects, 2, MAX_THINGS)
    words, draw = lexicon(village), generator(rng).random
    while True:
        chooser = Sampler(draw)
        teller = Teller(words, chooser)
        teller.tell()
        world = teller.world
        if n_people in (None, len(world.people)) and n_objects in (
            None,
            len(world.things),
        ):
            text = "".join(chooser.parts)
            return Story(text, tuple(chooser.choices), -chooser.bits, village)


def parse(text: str, village: str = "home") -> Story:
    """Return the story that a text tells: its choices and all that follows.

    Parameters
    ----------
    text : str
        In English, as a whole.
    village : {"home", "away"}
        To which its words belong.

    Returns
    -------
    Story

    Raises
    ------
    ValueError
        If TinyWorld could not have told this text: the message says at which character
        it departs, and what could stand there. `check` explains more.

    Examples
    --------
    >>> story = sample_story(1)
    >>> parse(story.text) == story
    True
    """
    reader = _read(text, village)
    if reader.position < len(text):
        raise ValueError(
            f"the text goes on after 'The end.', at character {reader.position}; "
            "parse one story at a time"
        )
    return Story(text, tuple(reader.choices), -reader.bits, village)


def _read(text: str, village: str) -> Reader:
    """Read a whole story; what may follow it is left."""
    if not isinstance(text, str):
        raise TypeError(f"text must be a string, got {type(text).__name__}")
    reader = Reader(text)
    try:
        Teller(lexicon(village), reader).tell()
    except TextEnds as end:
        shown = ", ".join(repr(words.strip() or words) for words, _ in end.rest[:6])
        raise ValueError(
            f"the text ends before the story does; it could go on with {shown}"
        ) from None
    return reader


def score(text: str, village: str = "home", is_prefix: bool = False) -> float:
    """Return the exact log-probability of a text, in bits.

    Parameters
    ----------
    text : str
        A story in English, or with `is_prefix` the beginning of one, up to the end of
        a word.
    village : {"home", "away"}
        To which its words belong.
    is_prefix : bool
        Return the probability that a story begins with the text.

    Returns
    -------
    float
        Log2 of the probability, 0 or less; ``-inf`` if TinyWorld cannot tell it.

    Examples
    --------
    >>> score("It is a", is_prefix=True)
    0.0
    >>> round(2 ** score("It is a rainy day.", is_prefix=True), 4)  # six weathers
    0.1667
    """
    reader = Reader(text)
    try:
        Teller(lexicon(village), reader).tell()
    except TextEnds:
        return 0.0 - reader.bits if is_prefix else -math.inf
    except ValueError:
        return -math.inf
    return 0.0 - reader.bits if reader.position == len(text) else -math.inf


def next_words(prefix: str, village: str = "home") -> dict[str, float]:
    """Return what may follow a beginning, with exact probabilities.

    This is the prediction that no model can beat.

    Parameters
    ----------
    prefix : str
        The beginning of a story, up to the end of a word or a sign.
    village : {"home", "away"}
        To which its words belong.

    Returns
    -------
    dict of str to float
        Each next word with its space before, or a sign such as ``"."``, and its
        probability; empty at the end of a story. The probabilities sum to 1.

    Raises
    ------
    ValueError
        If no story begins so.

    Examples
    --------
    >>> sorted(next_words("It is a")) == sorted(
    ...     [" sunny", " rainy", " windy", " snowy", " foggy", " stormy"])
    True
    """
    reader = Reader(prefix)
    try:
        Teller(lexicon(village), reader).tell()
    except TextEnds as end:
        total = sum(weight for _, weight in end.rest)
        words: dict[str, float] = {}
        for rest, weight in end.rest:
            word = _first_word(rest)
            words[word] = words.get(word, 0.0) + weight / total
        return words
    return {}


def _first_word(text: str) -> str:
    """The first word of a text with the space before it, or its first sign."""
    start = 1 if text[0] == " " else 0
    end = start
    while end < len(text) and text[end].isalnum():
        end += 1
    return text[: max(end, start + 1)]


def split_of(text: str) -> str:
    """Return the split to which a text belongs; the text alone decides.

    An eighth of all stories are for test, an eighth for validation. As a story can be in
    one split only, no two splits ever share one.
    """
    return {0: "test", 1: "validation"}.get(zlib.crc32(text.encode()) % 8, "train")


def stories(
    n: int,
    seed: int | str = 0,
    split: str | None = None,
    village: str = "home",
) -> Iterator[Story]:
    """Sample stories one after the other, in bounded memory.

    Parameters
    ----------
    n : int
        How many.
    seed : int or str
        The same seed gives the same stories.
    split : {None, "train", "validation", "test"}
        Only stories of one split, or all. The splits share no story.
    village : {"home", "away"}

    Yields
    ------
    Story

    Raises
    ------
    ValueError
        If `n` is negative, or the split or the village is unknown.

    Examples
    --------
    >>> len({story.text for story in stories(3, seed=1, split="test")})
    3
    """
    _check_count("n", n, 0, 2**63)
    if split is not None and split not in SPLITS:
        raise ValueError(
            f"split must be one of {', '.join(map(repr, SPLITS))} or None, got {split!r}"
        )
    lexicon(village)
    return _stories(n, random.Random(f"{village} {split} {seed}"), split, village)


def _stories(
    n: int, rng: random.Random, split: str | None, village: str
) -> Iterator[Story]:
    while n:
        story = sample_story(rng, village)
        if split is None or split_of(story.text) == split:
            n -= 1
            yield story


def rows(
    seeds: Sequence[int | str], n: int, split: str = "train", village: str = "home"
) -> Iterator[dict[str, Any]]:
    """Sample stories as rows, for ``datasets.Dataset.from_generator``.

    Parameters
    ----------
    seeds : list of int or str
        One for each part; the list is what several processes divide between them.
    n : int
        Stories for each seed.
    split : {"train", "validation", "test"}
    village : {"home", "away"}

    Yields
    ------
    dict
        ``text`` and ``log_prob`` (bits).

    Examples
    --------
    >>> [sorted(row) for row in rows([0], n=1)]
    [['log_prob', 'text']]
    """
    for seed in seeds:
        for story in stories(n, seed, split, village):
            yield {"text": story.text, "log_prob": story.log_prob}
