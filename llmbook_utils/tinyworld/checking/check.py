"""Is a story grammatical, and is it true? Judged sentence by sentence, on any text.

`check` has a grammar of its own (`check_grammar`) and rules of its own for what may
happen (`check_rules`), and shares with the teller of stories (`telling`) no more than
the village and its state. So the two prove each other: what one tells, the other must
find true.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NamedTuple

from llmbook_utils.tinyworld.checking.grammar import Wrong, words_of
from llmbook_utils.tinyworld.checking.rules import Judge
from llmbook_utils.tinyworld.village import VILLAGES
from llmbook_utils.tinyworld.world import Event


class Verdict(NamedTuple):
    """What is to be said of one sentence; a question counts with its answer.

    Parameters
    ----------
    number : int
        From 1.
    text : str
        The sentence.
    status : str
        ``"true"``, ``"untrue"`` or ``"ungrammatical"``.
    reason : str
        Why it is not true, empty if it is.
    events : tuple of Event
        What happens in it; nothing unless it is true.
    """

    number: int
    text: str
    status: str
    reason: str
    events: tuple[Event, ...]


@dataclass(frozen=True)
class Report:
    """What `check` found out.

    Attributes
    ----------
    verdicts : tuple of Verdict
        One for each sentence.
    problems : tuple of str
        ``"sentence 7: Tom gives the lamp, but Mia holds it"``, and what is wrong with
        the story as a whole. Empty if all is well.
    """

    verdicts: tuple[Verdict, ...]
    problems: tuple[str, ...]

    @property
    def ok(self) -> bool:
        """Whether the text is a story, every sentence of which is true."""
        return not self.problems

    def __str__(self) -> str:
        count = f"{len(self.verdicts)} sentence{'s' * (len(self.verdicts) != 1)}"
        if self.ok:
            return f"a true story of {count}"
        return "\n".join([f"not a true story ({count}):", *self.problems])

    def __repr__(self) -> str:
        return f"<Report: {self}>"


def _sentences(text: str) -> list[str]:
    """Split a text into sentences; an answer stays with its question."""
    found: list[str] = []
    for line in text.split("\n"):
        is_asked = False
        for part in re.split(r"(?<=[.?])\s+", line.strip()):
            is_answer = is_asked and not part.endswith("?")
            if is_answer:
                found[-1] += f" {part}"
            elif part:
                found.append(part)
            is_asked = part.endswith("?")
    return found


def check(text: str, village: str = "home") -> Report:
    """Judge every sentence of a text: is it grammatical, and true where it stands?

    A sentence is true if what it tells can happen in the world as the sentences before
    it have left it, and if all that it states is so. A sentence that is untrue or
    ungrammatical does not change the world, and the rest is judged as if it were not
    there. A scene is true if it lists everybody who is at the place and every object
    that lies there, and nobody and nothing else. What concerns only probability or
    style is no fault: the length of the story, a question asked twice, a name where a
    pronoun would be usual, the order in which a scene lists, and a deed told out of its
    scene, of somebody who is elsewhere than the last scene: it can happen there.

    Parameters
    ----------
    text : str
        A story, or what somebody takes for one.
    village : str
        Whose words the text has to use: ``"home"`` or ``"away"``.

    Returns
    -------
    Report
        Its `ok` says whether the text is a true story from its setting to "The end.".

    Raises
    ------
    TypeError
        If `text` or `village` is not a string.
    ValueError
        If there is no such village.

    Examples
    --------
    >>> print(check("It is a sunny day. Tom is in the barn. Tom has a red lamp. "
    ...             "There is a blue kite in the shed. That day, in the barn is Tom. "
    ...             "Tom takes the kite. He is proud because he has the lamp.\\n"
    ...             "The end."))
    not a true story (8 sentences):
    sentence 6: Tom takes the kite, but it is in the shed and Tom is in the barn
    """
    if not isinstance(text, str):
        raise TypeError(f"text must be a string, got {type(text).__name__}")
    if not isinstance(village, str):
        raise TypeError(f"village must be a string, got {type(village).__name__}")
    if village not in VILLAGES:
        raise ValueError(
            f"village must be one of {', '.join(VILLAGES)}, got {village!r}"
        )
    judge = Judge(words_of(village))
    verdicts = []
    for number, sentence in enumerate(_sentences(text), start=1):
        try:
            events = judge.judge(sentence, number == 1)
            verdicts.append(Verdict(number, sentence, "true", "", events))
        except Wrong as wrong:
            verdicts.append(Verdict(number, sentence, *wrong.args, ()))
    problems = [f"sentence {v.number}: {v.reason}" for v in verdicts if v.reason]
    problems += judge.problems
    if not verdicts:
        problems.append("the text is empty")
    elif judge.stage != "end":
        problems.append("the story does not end with 'The end.'")
    return Report(tuple(verdicts), tuple(problems))
