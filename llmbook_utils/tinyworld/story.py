"""A story and all that can be known of it.

A `Story` is its village and the choices that were made; everything else (text, events,
states, spans, questions) follows from them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import NamedTuple

from llmbook_utils.tinyworld.telling.choosers import Follower
from llmbook_utils.tinyworld.telling.teller import Teller
from llmbook_utils.tinyworld.telling.voice import Lexicon
from llmbook_utils.tinyworld.village import VILLAGES
from llmbook_utils.tinyworld.world import SENTIMENTS, Event, World


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
