"""One line for each student: the person, what was handed in, the scores that count."""

import json
from dataclasses import dataclass, field
from typing import Any

from llmbook_homework import gradebook
from llmbook_homework.course import Assignment, Course
from llmbook_homework.grading.results import Result
from llmbook_homework.lms import by_hand
from llmbook_homework.lms.by_hand import ByHand
from llmbook_homework.lms.roster import Person, Roster


@dataclass(frozen=True)
class Row:
    """One student's line.

    Attributes
    ----------
    person : Person
    result : Result or None
        None if nothing was graded.
    scores : dict
        By exercise; what somebody scored by hand stands in place of ours.
    came : bool
        Something was handed in.
    told : dict
        What collecting wrote down about it.
    reasons : dict
        By exercise, why it has its score.
    comment : str
        The whole in a few lines, for a platform's comment box.
    """

    person: Person
    result: Result | None
    scores: dict[str, float]
    came: bool
    told: dict[str, Any] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)
    comment: str = ""

    def number(self, platform: str) -> str:
        """Give a platform's number of the student; Moodle's is this assignment's."""
        if self.told.get("lms") == platform:
            return str(self.told.get("lms_id") or "")
        return "" if platform == "moodle" else self.person.lms_id

    @property
    def late(self) -> str:
        """``"yes"`` or ``"no"``, nothing if nobody knows when it was handed in."""
        if self.result and self.result.late:
            return "yes"
        is_known = self.told.get("late") is False
        return "no" if self.result and (self.result.submitted or is_known) else ""

    @property
    def score(self) -> float | None:
        """The sum, None if there is no grade."""
        return sum(self.scores.values()) if self.result else None

    @property
    def remark(self) -> str:
        """Why there is no grade, or what was odd about the submission."""
        if self.result:
            return " ".join(self.result.remarks)
        return "not graded yet" if self.came else "nothing was handed in"


def rows_of(course: Course, assignment: Assignment) -> list[Row]:
    """List every student who is known or handed something in.

    Returns
    -------
    list of Row
        By student.
    """
    people = Roster.of(course).people
    results = gradebook.results_of(course, assignment)
    hands = by_hand.read(course, assignment)
    came = course.students_of(assignment)
    rows = []
    for student in sorted({*people, *results, *came}):
        file = course.folder("submitted", student, assignment) / "collected.json"
        told = json.loads(file.read_text(encoding="utf8")) if file.is_file() else {}
        person = people.get(student, Person(student, told.get("name", "")))
        result, hand = results.get(student), hands.get(student, ByHand())
        done = result.exercises if result else []
        rows.append(
            Row(
                person,
                result,
                {each.id: hand.score(each) for each in done},
                student in came,
                told,
                {each.id: hand.reason(each) for each in done},
                summary(result, hand) if result else "",
            )
        )
    return rows


def plain(text: object) -> str:
    """Make a cell that no spreadsheet takes for a formula.

    What a check says may quote a student's answer.

    Examples
    --------
    >>> plain("=HYPERLINK(1)"), plain("-0.5 is not 1"), plain(-0.5)
    ("'=HYPERLINK(1)", "'-0.5 is not 1", '-0.5')
    """
    if isinstance(text, int | float):
        return f"{text:g}"
    line = " ".join(str(text).split())
    return f"'{line}" if line[:1] in tuple("=+-@") else line


def number(value: float | None) -> str:
    return "" if value is None else f"{round(value, 4):g}"


def summary(result: Result, hand: ByHand | None = None) -> str:
    """Write a result in a few lines, for a platform's comment box."""
    hand = hand or ByHand()
    is_told = not result.problem or hand.scores or hand.comments
    lines = [
        f"{e.id.rpartition('-')[2]}: {hand.score(e):g} of {e.points:g}. "
        f"{hand.reason(e)}".strip()
        for e in (result.exercises if is_told else ())
    ]
    late = ["Handed in late."] if result.late else []
    return "\n".join([*lines, *result.remarks, *late])
