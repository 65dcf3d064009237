"""Instructions whose answers can be verified."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from dataclasses import dataclass

from llmbook_utils.tinyworld.checking.check import check
from llmbook_utils.tinyworld.sampling import stories
from llmbook_utils.tinyworld.story import Story
from llmbook_utils.tinyworld.tasks.asking import ask
from llmbook_utils.tinyworld.tasks.common import (
    body_of,
    join_names,
    moments_of,
    pick,
    teller_after,
)
from llmbook_utils.tinyworld.village import VILLAGES
from llmbook_utils.tinyworld.world import Event, World


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
    names = join_names(
        [teller_after(story)[0].name(w) for w in range(len(story.world.people))]
    )
    made.append(("List the people in the story.", story.text, names, "people"))
    made.append(_has(story, rng))
    return [Instruction(*fields, story.village) for fields in made if fields]


def _input(story: Story, number: int) -> str:
    """The story before a sentence."""
    return story.text[: story.sentences[number - 1].end]


def _write(story: Story, rng: random.Random) -> tuple | None:
    """Ask for what the story does in one of its sentences."""
    # the one who acts is in the scene: the story tells the deed at this moment
    deeds = [i for i in body_of(story) if story.sentences[i].events[0].kind in _DEEDS]
    if not deeds:
        return None
    number = pick(rng, deeds)
    deed = story.sentences[number].events[0]
    teller, _ = teller_after(story, number - 1)
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
    # the first scene is left out: it needs the words "That day,"
    told = [
        i for i in body_of(story)[1:] if story.sentences[i].events[0].kind != "question"
    ]
    if not told:
        return None
    number = pick(rng, told)
    task = "Continue the story with one true sentence."
    return task, _input(story, number), story.sentences[number].text, "continue"


def _where(story: Story, rng: random.Random) -> tuple:
    number = pick(rng, moments_of(story))
    world = story.states[number]
    subjects = [("where_person", who) for who in range(len(world.people))]
    subjects += [("where", what) for what in range(len(world.things))]
    question, answer = ask(story, number, "Where is", *pick(rng, subjects))
    until = story.text[: story.sentences[number].end]
    count = until.count(".") + until.count("?")
    return f"{question[:-1]} after sentence {count}?", story.text, answer, "where"


def _has(story: Story, rng: random.Random) -> tuple:
    teller, _ = teller_after(story)
    world, words = teller.world, teller.lexicon.coloured
    who = pick(rng, range(len(world.people)))
    held = [words[world.things[what]][world.colour[what]] for what in world.held(who)]
    task = f"List what{teller.name(who)} has at the end, with colours."
    return task, story.text, join_names(held) or "nothing", "has"


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
    Built for chapter 19.

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
        input, and no question; who acts in it is in the scene. ``where`` wants the
        place ("in the barn"), with the holder or without; in a whole sentence or not.
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
    Built for chapter 19: a reward that nobody has to learn.

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
    """Return what one true sentence tells after the input.

    Nothing, if it is not one, or tells of somebody who is not in the scene.
    """
    village = instruction.village
    before = check(instruction.input, village).verdicts
    verdicts = check(f"{instruction.input} {answer.strip()}", village).verdicts
    if len(verdicts) != len(before) + 1 or not verdicts[-1].events:
        return ()
    world, here = World(VILLAGES[village]), None
    for event in (event for verdict in before for event in verdict.events):
        world.apply(event)
        here = event.where if event.kind == "scene" else here
    who = verdicts[-1].events[0].who
    return verdicts[-1].events if who is None or world.at[who] == here else ()
