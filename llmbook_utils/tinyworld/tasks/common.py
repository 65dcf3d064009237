"""What several tasks need: a moment of a story, and a choice."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

from llmbook_utils.tinyworld.story import Story, lexicon
from llmbook_utils.tinyworld.telling.teller import Teller

_SETTING = frozenset({"weather", "person", "object"})  # before the first scene
_NO_MOMENT = frozenset({"scene", "question"})  # these are followed by a deed


def pick(rng: random.Random, items: Sequence[Any]) -> Any:
    """Choose one item; Python promises to keep the sequence of ``random()``."""
    return items[int(rng.random() * len(items))]


class Wanted:
    """A chooser for `Teller` that says what is in `wanted`."""

    def __init__(self) -> None:
        self.parts: list[str] = []
        self.emit = self.parts.append
        self.wanted: set[str] = set()

    def say(self, surfaces: Sequence[str], weights: Sequence[int] | None = None) -> int:
        choice = next(i for i, words in enumerate(surfaces) if words in self.wanted)
        self.parts.append(surfaces[choice])
        return choice


def teller_after(story: Story, after: int | None = None) -> tuple[Teller, Wanted]:
    """Return a teller that stands after a sentence (from 0), or after the last.

    It stands in the scene that the sentence belongs to: `Teller.here`.
    """
    after = len(story.sentences) - 1 if after is None else after
    chooser = Wanted()
    teller = Teller(lexicon(story.village), chooser)
    teller.world = story.states[after]
    past = [e for sentence in story.sentences[: after + 1] for e in sentence.events]
    scenes = [event.where for event in past if event.kind == "scene"]
    teller.here = scenes[-1] if scenes else None
    teller.slept = sorted({e.who for e in past if e.kind == "sleep"})
    teller.broken = sorted({e.what for e in past if e.kind == "break"})
    return teller, chooser


def body_of(story: Story) -> range:
    """Numbers of the sentences from the first scene to the last deed."""
    events = [sentence.events for sentence in story.sentences]
    end = story.text.index("\n")
    last = sum(sentence.end <= end for sentence in story.sentences)
    first = next(
        i for i, told in enumerate(events) if i and told[0].kind not in _SETTING
    )
    return range(first, last)


def moments_of(story: Story) -> list[int]:
    """Numbers of the sentences of the body after which a question may be asked."""
    told = story.sentences
    return [i for i in body_of(story) if told[i].events[0].kind not in _NO_MOMENT]


def join_names(names: Sequence[str]) -> str:
    """Join names that begin with a space: "the lamp, the ball and the key"."""
    *head, last = [name.strip() for name in names] or [""]
    return f"{', '.join(head)} and {last}" if head else last
