"""Questions about any moment of a story."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass

from llmbook_utils.tinyworld.sampling import check_count, stories
from llmbook_utils.tinyworld.story import Story
from llmbook_utils.tinyworld.tasks.common import moments_of, pick, teller_after
from llmbook_utils.tinyworld.telling.teller import Teller


@dataclass(frozen=True)
class QuestionAnswer:
    """A question with its answer.

    Attributes
    ----------
    context : str
        The story up to the question. The answer holds at its end.
    question, answer : str
        In whole sentences.
    kind : str
        As in `World.answer`.
    is_asked : bool
        The story itself asks this question here.
    """

    context: str
    question: str
    answer: str
    kind: str
    is_asked: bool


def questions(story: Story, extra: int = 2) -> list[QuestionAnswer]:
    """Return the questions of a story, and some that it does not ask.

    Parameters
    ----------
    story : Story
        Of any village.
    extra : int
        How many to add. Each is asked after a sentence of the body that is drawn at
        random, but is neither a scene nor a question; its kind is drawn among those
        that make sense then. "Why" is asked only while the cause still holds. The story
        decides the draw.

    Returns
    -------
    list of QuestionAnswer
        Those of the story first.

    Raises
    ------
    ValueError
        If `extra` is negative.
    """
    check_count("extra", extra, 0, 10**6)
    found = []
    for asked in story.questions:
        context = story.text[: story.sentences[asked.sentence].start].rstrip()
        found.append(
            QuestionAnswer(context, asked.question, asked.answer, asked.kind, True)
        )
    rng = random.Random(story.text)
    moments = moments_of(story)
    for _ in range(extra):
        moment = pick(rng, moments)
        teller, _ = teller_after(story, moment)
        possible: dict[str, list[tuple]] = {}
        for opening, kind, number in _askable(teller):
            possible.setdefault(kind, []).append((opening, kind, number))
        asked = pick(rng, possible[pick(rng, list(possible))])
        question, answer = ask(story, moment, *asked)
        context = story.text[: story.sentences[moment].end]
        found.append(QuestionAnswer(context, question, answer, asked[1], False))
    return found


def _askable(teller: Teller) -> Iterator[tuple[str, str, int | None]]:
    """Give all questions that make sense now: first words, kind and subject."""
    for opening, _ in teller.question_openings():
        if opening.endswith("?"):
            yield opening, "weather", None
            continue
        for kind, number in teller.question_subjects(opening):
            yield opening, kind, number


def ask(
    story: Story, after: int, opening: str, kind: str, number: int | None
) -> tuple[str, str]:
    """Ask after a sentence, and return question and answer."""
    teller, chooser = teller_after(story, after)
    if number is not None:
        is_thing = kind in ("where", "who_has", "colour", "broken")
        name = teller.thing_name(number) if is_thing else teller.name(number)
        chooser.wanted = {name, {"song": " sing?"}.get(kind, " have?")}
    chooser.emit(opening)
    teller.question(opening)
    question, answer = "".join(chooser.parts).strip().split("? ")
    return question + "?", answer


def question_answering(
    n: int,
    seed: int | str = 0,
    split: str | None = None,
    village: str = "home",
    extra: int = 2,
) -> Iterator[QuestionAnswer]:
    """Make questions with answers.

    Parameters
    ----------
    n : int
        Number of stories, each with one question or more.
    seed : int or str
        The same seed gives the same examples.
    split : {None, "train", "validation", "test"}
        Of the stories, as in `stories`.
    village : {"home", "away"}
        Of the stories.
    extra : int
        Questions to add to those that each story asks; see `questions`.

    Returns
    -------
    iterator of QuestionAnswer

    Raises
    ------
    ValueError
        If `n` or `extra` is negative, or the split or the village is unknown.

    Notes
    -----
    Built for chapter 20.

    Examples
    --------
    >>> for example in question_answering(1, extra=0):
    ...     assert example.question.endswith("?") and example.answer.endswith(".")
    """
    check_count("extra", extra, 0, 10**6)
    found = stories(n, seed, split, village)
    return (example for story in found for example in questions(story, extra))
