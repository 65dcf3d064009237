"""Six tasks: questions, entities, sentiment, translation, summaries, instructions.

Each task is a function that takes a number of stories, a seed, a split and a village,
and gives its examples one by one; the splits share no story. Every right answer follows
from the state of the world, so none was labelled by hand and none is wrong. The
examples are dataclasses: ``dataclasses.asdict`` makes rows for ``datasets.Dataset``.
"""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from llmbook_utils.tinyworld.check import check
from llmbook_utils.tinyworld.chinese import chinese, chinese_sentences
from llmbook_utils.tinyworld.story import (
    LANGUAGES,
    Story,
    _check_count,
    lexicon,
    stories,
)
from llmbook_utils.tinyworld.telling import Teller
from llmbook_utils.tinyworld.village import COLOURS
from llmbook_utils.tinyworld.world import Event

LABELS = {"person": "PERSON", "place": "PLACE", "thing": "OBJECT"}
UNITS = ("sentence", "story")
_SETTING = frozenset({"weather", "person", "object"})  # before the first deed
_TOLD_ONLY = frozenset({"person", "object", "weather", "see", "question"})


def _pick(rng: random.Random, items: Sequence[Any]) -> Any:
    """Choose one item; Python promises to keep the sequence of ``random()``."""
    return items[int(rng.random() * len(items))]


class _Wanted:
    """A chooser for `Teller` that says what is in `wanted`."""

    def __init__(self) -> None:
        self.parts: list[str] = []
        self.emit = self.parts.append
        self.wanted: set[str] = set()

    def say(self, surfaces: Sequence[str], weights: Sequence[int] | None = None) -> int:
        choice = next(i for i, words in enumerate(surfaces) if words in self.wanted)
        self.parts.append(surfaces[choice])
        return choice


def _teller(story: Story, after: int | None = None) -> tuple[Teller, _Wanted]:
    """Return a teller that stands after a sentence (from 0), or after the last."""
    after = len(story.sentences) - 1 if after is None else after
    chooser = _Wanted()
    teller = Teller(lexicon(story.village), chooser)
    teller.world = story.states[after]
    past = [e for sentence in story.sentences[: after + 1] for e in sentence.events]
    teller.slept = sorted({e.who for e in past if e.kind == "sleep"})
    teller.broken = sorted({e.what for e in past if e.kind == "break"})
    return teller, chooser


def _body(story: Story) -> range:
    """Numbers of the sentences from the first deed to the last."""
    events = [sentence.events for sentence in story.sentences]
    end = story.text.index("\n")
    last = sum(sentence.end <= end for sentence in story.sentences)
    first = next(
        i for i, told in enumerate(events) if i and told[0].kind not in _SETTING
    )
    return range(first, last)


# -- questions -------------------------------------------------------------------------


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
        random, but is no question; its kind is drawn among those that make sense then.
        "Why" is asked only while the cause still holds. The story decides the draw.

    Returns
    -------
    list of QuestionAnswer
        Those of the story first.

    Raises
    ------
    ValueError
        If `extra` is negative.
    """
    _check_count("extra", extra, 0, 10**6)
    found = []
    for asked in story.questions:
        context = story.text[: story.sentences[asked.sentence].start].rstrip()
        found.append(
            QuestionAnswer(context, asked.question, asked.answer, asked.kind, True)
        )
    rng = random.Random(story.text)
    moments = [
        i for i in _body(story) if story.sentences[i].events[0].kind != "question"
    ]
    for _ in range(extra):
        moment = _pick(rng, moments)
        teller, _ = _teller(story, moment)
        possible: dict[str, list[tuple]] = {}
        for opening, kind, number in _askable(teller):
            possible.setdefault(kind, []).append((opening, kind, number))
        asked = _pick(rng, possible[_pick(rng, list(possible))])
        question, answer = _ask(story, moment, *asked)
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


def _ask(
    story: Story, after: int, opening: str, kind: str, number: int | None
) -> tuple[str, str]:
    """Ask after a sentence, and return question and answer."""
    teller, chooser = _teller(story, after)
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
    Built for chapter 19.

    Examples
    --------
    >>> for example in question_answering(1, extra=0):
    ...     assert example.question.endswith("?") and example.answer.endswith(".")
    """
    _check_count("extra", extra, 0, 10**6)
    found = stories(n, seed, split, village)
    return (example for story in found for example in questions(story, extra))


# -- entities --------------------------------------------------------------------------


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


# -- sentiment -------------------------------------------------------------------------


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


# -- translation -----------------------------------------------------------------------


@dataclass(frozen=True)
class Translation:
    """A text and its translation."""

    source: str
    target: str


def translations(
    story: Story, source: str = "en", target: str = "zh", unit: str = "sentence"
) -> list[Translation]:
    """Return a story with its translation, sentence by sentence or as a whole.

    Parameters
    ----------
    story : Story
        Of any village.
    source, target : {"en", "zh"}
        The two languages.
    unit : {"sentence", "story"}
        What a pair is.

    Returns
    -------
    list of Translation
        As many as the story has sentences, or one.

    Raises
    ------
    ValueError
        If a language or the unit is unknown, or both languages are the same.
    """
    _check_languages(source, target, unit)
    if unit == "story":
        both = {"en": [story.text], "zh": [chinese(story)]}
    else:
        english = [sentence.text for sentence in story.sentences]
        both = {"en": english, "zh": chinese_sentences(story)}
    return list(map(Translation, both[source], both[target]))


def _check_languages(source: str, target: str, unit: str) -> None:
    for name, language in (("source", source), ("target", target)):
        if language not in LANGUAGES:
            raise ValueError(f"{name} must be 'en' or 'zh', got {language!r}")
    if source == target:
        raise ValueError(
            f"source and target must differ, got {source!r} twice; choose one of them "
            "'en' and the other 'zh'"
        )
    if unit not in UNITS:
        raise ValueError(f"unit must be 'sentence' or 'story', got {unit!r}")


def translation(
    n: int,
    seed: int | str = 0,
    split: str | None = None,
    village: str = "home",
    source: str = "en",
    target: str = "zh",
    unit: str = "sentence",
) -> Iterator[Translation]:
    """Make pairs of English and Chinese.

    Parameters
    ----------
    n : int
        Number of stories.
    seed, split, village
        As in `question_answering`.
    source, target : {"en", "zh"}
        From which language into which.
    unit : {"sentence", "story"}
        What a pair is.

    Returns
    -------
    iterator of Translation

    Raises
    ------
    ValueError
        If `n` is negative, an argument has an unknown value, or source and target are
        the same.

    Notes
    -----
    Built for chapter 08. A sentence may occur in several stories, and so in two splits.

    Examples
    --------
    >>> [*translation(1)][-1]
    Translation(source='The end.', target='完。')
    """
    _check_languages(source, target, unit)
    found = stories(n, seed, split, village)
    return (
        pair for story in found for pair in translations(story, source, target, unit)
    )


# -- summaries -------------------------------------------------------------------------


@dataclass(frozen=True)
class Summary:
    """A story and one true sentence about it."""

    text: str
    summary: str


def summary(story: Story) -> str:
    """Sum a story up in one sentence.

    The rule: the sentence is about the person who acts most often, the first of them if
    there are several. It says where this person is in the beginning and in the end, and
    what the person then has.

    Parameters
    ----------
    story : Story
        Of any village.

    Returns
    -------
    str
        For example "In the end Mia, who started in the kitchen, is in the barn and has
        the lamp." or "..., is still there and has nothing." (or "is there again").
    """
    deeds = Counter(e.who for e in story.events if e.kind not in _TOLD_ONLY)
    teller, _ = _teller(story)
    world, within = teller.world, teller.lexicon.within
    who = max(range(len(world.people)), key=lambda one: deeds[one])
    start = next(e.where for e in story.events if e.kind == "person" and e.who == who)
    if world.at[who] != start:
        now = within[world.at[who]]
    else:
        now = " still there" if world.came_from[who] is None else " there again"
    has = _and([teller.thing_name(what) for what in world.held(who)])
    return (
        f"In the end{teller.name(who)}, who started{within[start]}, is{now} "
        f"and has {has or 'nothing'}."
    )


def _and(names: Sequence[str]) -> str:
    """Join names that begin with a space: "the lamp, the ball and the key"."""
    *head, last = [name.strip() for name in names] or [""]
    return f"{', '.join(head)} and {last}" if head else last


def summaries(
    n: int, seed: int | str = 0, split: str | None = None, village: str = "home"
) -> Iterator[Summary]:
    """Make stories with a summary of one sentence.

    Parameters
    ----------
    n : int
        Number of stories, and of examples.
    seed, split, village
        As in `question_answering`.

    Returns
    -------
    iterator of Summary
        By the rule of `summary`.

    Raises
    ------
    ValueError
        If `n` is negative, or the split or the village is unknown.

    Notes
    -----
    Built for chapter 19.

    Examples
    --------
    >>> next(summaries(1)).summary.startswith("In the end ")
    True
    """
    found = stories(n, seed, split, village)
    return (Summary(story.text, summary(story)) for story in found)


# -- instructions ----------------------------------------------------------------------


@dataclass(frozen=True)
class Instruction:
    """Something to do, and one right way to do it.

    Attributes
    ----------
    instruction : str
        What to do, in one sentence.
    input : str
        The story, or its beginning.
    output : str
        A right answer. There may be others: `verify` knows.
    kind : str
        ``"write"``, ``"continue"``, ``"where"``, ``"people"`` or ``"has"``.
    village : str
        Of the story.
    """

    instruction: str
    input: str
    output: str
    kind: str
    village: str


def instructions_for(story: Story) -> list[Instruction]:
    """Return one instruction of each kind that a story allows; the story decides which.

    - ``write``: "Write one sentence in which Mia takes the lamp."
    - ``continue``: "Continue the story with one true sentence."
    - ``where``: "Where is Mia after sentence 5?"
    - ``people``: "List the people in the story."
    - ``has``: "List what Mia has at the end, with colours."
    """
    rng = random.Random(story.text)
    made = [_write(story, rng), _continue(story, rng), _where(story, rng)]
    names = _and([_teller(story)[0].name(w) for w in range(len(story.world.people))])
    made.append(("List the people in the story.", story.text, names, "people"))
    made.append(_has(story, rng))
    return [Instruction(*fields, story.village) for fields in made if fields]


def _input(story: Story, number: int) -> str:
    """The story before a sentence."""
    return story.text[: story.sentences[number - 1].end]


def _write(story: Story, rng: random.Random) -> tuple | None:
    """Ask for what the story does in one of its sentences."""
    # the first sentence of the body is left out: it needs the words "That day,"
    deeds = [i for i in _body(story)[1:] if story.sentences[i].events[0].kind in _DEEDS]
    if not deeds:
        return None
    number = _pick(rng, deeds)
    deed = story.sentences[number].events[0]
    teller, _ = _teller(story, number - 1)
    words = _DEEDS[deed.kind].format(
        what="" if deed.what is None else teller.thing_name(deed.what),
        whom="" if deed.whom is None else teller.name(deed.whom),
        where="" if deed.where is None else teller.lexicon.place[deed.where],
        value=deed.value,
    )
    task = f"Write one sentence in which{teller.name(deed.who)}{words}."
    return task, _input(story, number), story.sentences[number].text, "write"


_DEEDS = {
    "move": " walks or runs to{where}",
    "take": " takes{what}",
    "drop": " drops{what}",
    "give": " gives{what} to{whom}",
    "paint": " paints{what} {value}",
    "break": " breaks{what}",
    "mend": " mends{what}",
}


def _continue(story: Story, rng: random.Random) -> tuple | None:
    told = [
        i for i in _body(story)[1:] if story.sentences[i].events[0].kind != "question"
    ]
    if not told:
        return None
    number = _pick(rng, told)
    task = "Continue the story with one true sentence."
    return task, _input(story, number), story.sentences[number].text, "continue"


def _where(story: Story, rng: random.Random) -> tuple:
    number = _pick(rng, _body(story))
    world = story.states[number]
    subjects = [("where_person", who) for who in range(len(world.people))]
    subjects += [("where", what) for what in range(len(world.things))]
    question, answer = _ask(story, number, "Where is", *_pick(rng, subjects))
    until = story.text[: story.sentences[number].end]
    count = until.count(".") + until.count("?")
    return f"{question[:-1]} after sentence {count}?", story.text, answer, "where"


def _has(story: Story, rng: random.Random) -> tuple:
    teller, _ = _teller(story)
    world, words = teller.world, teller.lexicon.coloured
    who = _pick(rng, range(len(world.people)))
    held = [words[world.things[what]][world.colour[what]] for what in world.held(who)]
    task = f"List what{teller.name(who)} has at the end, with colours."
    return task, story.text, _and(held) or "nothing", "has"


def instructions(
    n: int, seed: int | str = 0, split: str | None = None, village: str = "home"
) -> Iterator[Instruction]:
    """Make instructions whose answers can be verified.

    Parameters
    ----------
    n : int
        Number of stories, each with up to five instructions: see `instructions_for`.
    seed, split, village
        As in `question_answering`.

    Returns
    -------
    iterator of Instruction

    Raises
    ------
    ValueError
        If `n` is negative, or the split or the village is unknown.

    Notes
    -----
    Built for chapter 18.

    Examples
    --------
    >>> all(verify(example, example.output) for example in instructions(2))
    True
    """
    found = stories(n, seed, split, village)
    return (example for story in found for example in instructions_for(story))


def verify(instruction: Instruction, answer: str) -> bool:
    """Tell whether an answer does what an instruction asks.

    Parameters
    ----------
    instruction : Instruction
        From `instructions`.
    answer : str
        ``write`` and ``continue`` want one sentence that `check` finds true after the
        input, and no question. ``where`` wants the place
        ("in the barn"), with the holder or without; in a whole sentence or not.
        ``people`` and ``has`` want a list: commas and "and", in any order. Capitals,
        articles and the last full stop of ``where`` and of lists don't matter.

    Returns
    -------
    bool

    Raises
    ------
    TypeError
        If the answer is not a string.

    Notes
    -----
    Built for chapter 18: a reward that nobody has to learn.

    Examples
    --------
    >>> task = Instruction("List the people in the story.", "", "Mia, Tom and Eva",
    ...                    "people", "home")
    >>> verify(task, "Eva, Mia, Tom"), verify(task, "Eva and Tom")
    (True, False)
    """
    if not isinstance(answer, str):
        raise TypeError(f"answer must be a string, got {type(answer).__name__}")
    if instruction.kind in ("people", "has"):
        return _items(answer) == _items(instruction.output)
    if instruction.kind == "where":
        return _words(answer) in _places(instruction.output)
    events = _next_events(instruction, answer)
    if not events or events[0].kind == "question":
        return False
    if instruction.kind == "continue":
        return True
    wanted = _next_events(instruction, instruction.output)[0]
    return any(_key(event) == _key(wanted) for event in events)


def _words(answer: str) -> tuple[str, ...]:
    """The words without capitals, signs and articles."""
    return tuple(w for w in re.findall(r"\w+", answer.lower()) if w != "the")


def _items(answer: str) -> list[tuple[str, ...]]:
    """The members of a list in order of the alphabet."""
    return sorted(filter(None, map(_words, re.split(r",|\band\b", answer.lower()))))


def _places(output: str) -> set[tuple[str, ...]]:
    """The ways to say where something is: "lamp is with Mia in barn", "in barn", ..."""
    words = _words(output)
    verb = words.index("is") + 1
    tails = words[verb:], words[-2:]
    return {head + tail for head in (words[:verb], ()) for tail in tails}


def _key(event: Event) -> tuple:
    """What makes two events the same deed; to put down is to drop."""
    where = event.where if event.kind == "move" else None
    value = event.value if event.kind == "paint" else None
    return event.kind, event.who, event.what, event.whom, where, value


def _next_events(instruction: Instruction, answer: str) -> tuple[Event, ...]:
    """Return what one true sentence tells after the input; nothing if it is not one."""
    village = instruction.village
    before = check(instruction.input, village).verdicts
    verdicts = check(f"{instruction.input} {answer.strip()}", village).verdicts
    return verdicts[-1].events if len(verdicts) == len(before) + 1 else ()
