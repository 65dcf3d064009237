"""Entities with their pronouns, and the sentiment of sentences."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass

from llmbook_utils.tinyworld.sampling import stories
from llmbook_utils.tinyworld.story import Story
from llmbook_utils.tinyworld.village import COLOURS

LABELS = {"person": "PERSON", "place": "PLACE", "thing": "OBJECT"}


@dataclass(frozen=True)
class Entity:
    """A name in a text.

    Attributes
    ----------
    start, end : int
        Characters. A colour that stands before the noun belongs to the name, article
        and preposition do not: "red lamp", "kitchen", "Mia".
    label : str
        ``"PERSON"``, ``"PLACE"`` or ``"OBJECT"``.
    entity : int
        Equal for all names of one entity; counted from 0 as they come.
    """

    start: int
    end: int
    label: str
    entity: int


@dataclass(frozen=True)
class Pronoun:
    """A pronoun in a text; `antecedent` is the number of the name it stands for.

    That is the last name of the entity before the pronoun.
    """

    start: int
    end: int
    antecedent: int


@dataclass(frozen=True)
class EntityText:
    """A story with its names and pronouns, both in the order of the text."""

    text: str
    entities: tuple[Entity, ...]
    pronouns: tuple[Pronoun, ...]


def entity_text(story: Story) -> EntityText:
    """Return where a story names people, places and objects, and what pronouns mean."""
    names: list[Entity] = []
    pronouns: list[Pronoun] = []
    numbers: dict[tuple[str, int], int] = {}
    index: dict[int, int] = {}  # a span's start -> number of the name
    for span in story.spans:
        if span.antecedent:
            before = index[span.antecedent.start]
            pronouns.append(Pronoun(span.start, span.end, before))
            continue
        number = numbers.setdefault((span.kind, span.number), len(numbers))
        index[span.start] = len(names)
        start = _name_start(story.text, span.start, span.end)
        names.append(Entity(start, span.end, LABELS[span.kind], number))
    return EntityText(story.text, tuple(names), tuple(pronouns))


def _name_start(text: str, start: int, end: int) -> int:
    """Move the start of a span behind an article, or before a colour."""
    if text[start : start + 4].lower() == "the ":
        return start + 4
    before = text[max(0, start - 10) : start].split()
    is_coloured = before and before[-1] in COLOURS
    return start - len(before[-1]) - 1 if is_coloured else start


def entities(
    n: int, seed: int | str = 0, split: str | None = None, village: str = "home"
) -> Iterator[EntityText]:
    """Make texts with labelled entities and with the antecedents of pronouns.

    Parameters
    ----------
    n : int
        Number of stories, and of examples.
    seed, split, village
        As in `question_answering`.

    Returns
    -------
    iterator of EntityText

    Raises
    ------
    ValueError
        If `n` is negative, or the split or the village is unknown.

    Notes
    -----
    Built for chapter 10.

    Examples
    --------
    >>> example = next(entities(1))
    >>> first = example.entities[0]
    >>> first.label, example.text[first.end :].startswith(" is ")
    ('PERSON', True)
    """
    return map(entity_text, stories(n, seed, split, village))


@dataclass(frozen=True)
class Sentiment:
    """A sentence, its sentiment and where that comes from.

    Attributes
    ----------
    sentence : str
    label : str
        ``"positive"``, ``"negative"`` or ``"neutral"``.
    cause : str or None
        The words that give the cause ("nobody is with him"); None if neutral.
    """

    sentence: str
    label: str
    cause: str | None


def sentiments(story: Story) -> list[Sentiment]:
    """Return the sentiment of each sentence that is no question; "The end." is none."""
    return [
        Sentiment(sentence.text, label, cause)
        for sentence, (label, cause) in zip(
            story.sentences, story.sentiments, strict=True
        )
        if sentence.events and sentence.events[0].kind != "question"
    ]


def sentiment(
    n: int, seed: int | str = 0, split: str | None = None, village: str = "home"
) -> Iterator[Sentiment]:
    """Make sentences with their sentiment.

    Most sentences of a story are neutral. So of each story come the sentences that
    tell a mood, and as many neutral ones drawn at random, in the order of the story.

    Parameters
    ----------
    n : int
        Number of stories.
    seed, split, village
        As in `question_answering`.

    Returns
    -------
    iterator of Sentiment

    Raises
    ------
    ValueError
        If `n` is negative, or the split or the village is unknown.

    Notes
    -----
    Built for chapter 10. Stories are never shared between splits, but a short sentence
    ("Tom is sad because nobody is with him.") may occur in several stories.

    Examples
    --------
    >>> labels = [example.label for example in sentiment(20)]
    >>> labels.count("neutral") / len(labels)
    0.5
    """
    found = stories(n, seed, split, village)
    return (example for story in found for example in _balanced(story))


def _balanced(story: Story) -> list[Sentiment]:
    """As many neutral sentences as others."""
    rng = random.Random(story.text)
    told = sentiments(story)
    neutral = [i for i, one in enumerate(told) if one.label == "neutral"]
    kept = set(range(len(told))) - set(neutral)
    for _ in range(min(len(kept), len(neutral))):
        kept.add(neutral.pop(int(rng.random() * len(neutral))))
    return [told[i] for i in sorted(kept)]
