"""One line for each student: the person, what was handed in, the scores that count."""

import json
from dataclasses import dataclass

from llmbook_utils.homework import gradebook
from llmbook_utils.homework.course import Assignment, Course
from llmbook_utils.homework.grading.results import Result
from llmbook_utils.homework.lms.roster import Person, Roster


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
    number : str
        The platform's number of the student in this assignment.
    came : bool
        Something was handed in.
    """

    person: Person
    result: Result | None
    scores: dict[str, float]
    number: str
    came: bool

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
    scores = gradebook.scores_of(course, assignment)
    came = course.students_of(assignment)
    rows = []
    for student in sorted({*people, *results, *came}):
        file = course.folder("submitted", student, assignment) / "collected.json"
        told = json.loads(file.read_text(encoding="utf8")) if file.is_file() else {}
        person = people.get(student, Person(student, told.get("name", "")))
        number = told.get("lms_id") or person.lms_id
        rows.append(
            Row(
                person,
                results.get(student),
                scores.get(student, {}),
                number,
                student in came,
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


def summary(result: Result) -> str:
    """Write a result in a few lines, for a platform's comment box."""
    graded = () if result.problem else result.exercises
    lines = [
        f"{e.id.rpartition('-')[2]}: {e.score:g} of {e.points:g}. {e.reason}".strip()
        for e in graded
    ]
    late = ["Handed in late."] if result.late else []
    return "\n".join([*lines, *result.remarks, *late])
