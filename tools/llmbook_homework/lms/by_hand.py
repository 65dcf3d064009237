"""What somebody scored or wrote by hand, with nbgrader's formgrader or library."""

import sqlite3
from contextlib import closing
from dataclasses import dataclass, field

from llmbook_homework import gradebook
from llmbook_homework.course import Assignment, Course
from llmbook_homework.grading.results import ExerciseResult

JOINED = """
    JOIN base_cell ON base_cell.id = found.cell_id
    JOIN submitted_notebook ON submitted_notebook.id = found.notebook_id
    JOIN submitted_assignment
      ON submitted_assignment.id = submitted_notebook.assignment_id
    JOIN assignment ON assignment.id = submitted_assignment.assignment_id
    JOIN student ON student.id = submitted_assignment.student_id
    WHERE assignment.name = ?
"""
SCORES = f"""
    SELECT student.id, base_cell.name, found.manual_score, found.extra_credit,
           found.auto_score
    FROM grade AS found {JOINED}
      AND (found.manual_score IS NOT NULL OR found.extra_credit IS NOT NULL)
"""
COMMENTS = f"""
    SELECT student.id, base_cell.name, found.manual_comment
    FROM comment AS found {JOINED} AND found.manual_comment IS NOT NULL
"""


@dataclass
class ByHand:
    """What stands for one student in place of what the checks gave, or beside it.

    Attributes
    ----------
    scores : dict
        By exercise, in place of ours.
    comments : dict
        By exercise.
    """

    scores: dict[str, float] = field(default_factory=dict)
    comments: dict[str, str] = field(default_factory=dict)

    def score(self, row: ExerciseResult) -> float:
        """Give the score that counts."""
        return self.scores.get(row.id, row.score)

    def reason(self, row: ExerciseResult) -> str:
        """Say why an exercise has its score."""
        told = [self.comments.get(row.id, ""), row.reason]
        if self.score(row) != row.score:
            told.insert(0, f"Scored by hand; the checks gave {row.score:g}.")
        return " ".join(filter(None, told))


def read(course: Course, assignment: Assignment) -> dict[str, ByHand]:
    """Read it from the gradebook, for each graded student.

    Returns
    -------
    dict
        By student.
    """
    results = gradebook.results_of(course, assignment)
    found = {student: ByHand() for student in results}
    path = course.root / "gradebook.db"
    if not path.is_file():
        return found
    with closing(sqlite3.connect(path)) as db:
        for student, cell, manual, extra, auto in db.execute(SCORES, [assignment.name]):
            base = auto or 0.0 if manual is None else manual
            scores = found.setdefault(student, ByHand()).scores
            scores[cell.removesuffix("-check")] = base + (extra or 0.0)
        for student, cell, comment in db.execute(COMMENTS, [assignment.name]):
            comments = found.setdefault(student, ByHand()).comments
            comments[cell.removesuffix("-check")] = comment.strip()
    return found


def scores_of(course: Course, assignment: Assignment) -> dict[str, dict[str, float]]:
    """Give each student's score by exercise: the check's, or a person's instead."""
    by_hand = read(course, assignment)
    return {
        student: {each.id: by_hand[student].score(each) for each in result.exercises}
        for student, result in gradebook.results_of(course, assignment).items()
    }
