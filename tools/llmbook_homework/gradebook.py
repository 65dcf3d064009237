"""Write results into nbgrader's gradebook, each submission whole or not at all."""

import functools
import os
import re
import shutil
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import nbformat

from llmbook_homework.course import Assignment, Course, replacing
from llmbook_homework.exercises import reading
from llmbook_homework.exercises.tasks import Exercise
from llmbook_homework.grading import submissions
from llmbook_homework.grading.results import Result, clean
from llmbook_homework.lms.roster import Person, Roster


@contextmanager
def opened(course: Course) -> Iterator[Any]:
    """Open a course's gradebook; one that is not there is made.

    Yields
    ------
    nbgrader.api.Gradebook
    """
    from nbgrader.api import Gradebook

    # nbgrader calls `alembic` when it makes a gradebook: it lies beside this Python,
    # which need not be on the PATH.
    before = os.environ.get("PATH", "")
    beside = str(Path(sys.executable).parent)
    os.environ["PATH"] = os.pathsep.join([beside, before])
    try:
        book = Gradebook(course.db_url, course.name)
    finally:
        os.environ["PATH"] = before
    with book:
        yield book


def record(course: Course, result: Result) -> None:
    """Put one result into ``gradebook.db``, and its notebook into ``autograded/``.

    A score that somebody gave by hand stays, as in nbgrader. What nbgrader's methods
    commit in steps happens here in one transaction: after a crash a submission is in
    the gradebook as it was before, or as it is now.

    Parameters
    ----------
    course : Course
        Its folder.
    result : Result
        What grading found.

    Raises
    ------
    ValueError
        If the assignment was not released, or its exercises are others.
    """
    assignment = course.assignment(result.assignment)
    person = Roster.of(course).people.get(result.student, Person(result.student))
    with opened(course) as book:
        commit = book.db.commit
        # subtle: the methods of nbgrader commit; until the end they only flush.
        book.db.registry().commit = book.db.registry().flush
        try:
            with book.db.no_autoflush:  # else SQLAlchemy warns of nbgrader's order
                _fill(book, assignment, result, person)
            del book.db.registry().commit
            commit()
        except BaseException:
            book.db.registry().__dict__.pop("commit", None)
            book.db.rollback()
            raise
    _autograded(course, assignment, result)


def _fill(book: Any, assignment: Assignment, result: Result, person: Person) -> None:
    from nbgrader.api import MissingEntry

    first, _, last = person.name.rpartition(" ")
    known = {
        "first_name": first,
        "last_name": last,
        "email": person.email,
        "lms_user_id": person.lms_id,
    }
    book.update_or_create_student(
        result.student, **{key: value for key, value in known.items() if value}
    )
    time = datetime.fromisoformat(result.submitted) if result.submitted else None
    book.update_or_create_submission(
        assignment.name,
        result.student,
        timestamp=time and time.astimezone(UTC).replace(tzinfo=None),
    )
    for each in result.exercises:
        where = assignment.notebook, assignment.name, result.student
        try:
            grade = book.find_grade(f"{each.id}-check", *where)
            comment = book.find_comment(each.id, *where)
        except MissingEntry:
            raise ValueError(
                f"the gradebook has no exercise {each.id} in {assignment.name}; "
                f"run `llmbook homework release {assignment.chapter}` again"
            ) from None
        grade.auto_score = float(each.score)
        grade.needs_manual_grade = grade.manual_score is not None
        comment.auto_comment = _as_markdown(each.reason) or None


def _as_markdown(reason: str) -> str:
    """Write a reason so that nbgrader, which takes it for Markdown, shows the text."""
    is_plain = not re.search(r"[<>&\[\]$\\]", reason)
    return reason if is_plain else re.sub("^", "    ", reason, flags=re.M)  # as code


def _autograded(course: Course, assignment: Assignment, result: Result) -> None:
    """Write the notebook from which nbgrader's own feedback and formgrader work.

    The student's answers stand in the released notebook, so that no cell of a
    student's making is in it; below each answer stands what the check said.
    """
    folder = course.folder("autograded", result.student, assignment)
    nb = nbformat.read(course.release(assignment), as_version=4)
    answers = submitted_answers(course, assignment, result.student)
    rows = {each.id: each for each in result.exercises}
    for cell in nb.cells:
        name = cell.metadata.get("nbgrader", {}).get("grade_id", "")
        if name in answers:
            cell.source = answers[name]
        row = rows.get(name.removesuffix("-check"))
        if row and name.endswith("-check"):
            text = f"{row.score:g} of {row.points:g} points. {row.reason}".strip()
            cell.outputs = [nbformat.v4.new_output("stream", name="stdout", text=text)]
    with replacing(folder / f"{assignment.notebook}.ipynb") as draft:
        nbformat.write(nb, draft)
    stamp = course.folder("submitted", result.student, assignment) / "timestamp.txt"
    if stamp.is_file():
        with replacing(folder / "timestamp.txt") as draft:
            draft.write_bytes(stamp.read_bytes())


def submitted_answers(
    course: Course, assignment: Assignment, student: str
) -> dict[str, str]:
    """Read a student's answers by exercise, chosen as grading chooses them.

    Parameters
    ----------
    course : Course
        Its folder.
    assignment : Assignment
        One of the course's.
    student : str
        Their id.

    Returns
    -------
    dict
        Empty if there is no readable notebook.
    """
    folder = course.folder("submitted", student, assignment)
    path = folder / f"{assignment.notebook}.ipynb"
    source = course.source(assignment)
    asked = _asked(source, source.stat().st_mtime_ns)
    try:
        found = submissions.read(submissions.head(path), asked).by_id
    except (OSError, ValueError):
        return {}
    return {n: clean(answer.source) for n, answer in found.items() if answer.source}


@functools.lru_cache(maxsize=4)
def _asked(source: Path, changed: int) -> tuple[Exercise, ...]:
    """Read an assignment's exercises, once for a batch."""
    return reading.load(source).exercises


def results_of(course: Course, assignment: Assignment) -> dict[str, Result]:
    """Read all results of an assignment.

    Returns
    -------
    dict
        By student, sorted.
    """
    found = (course.root / "results" / assignment.name).glob("*.json")
    results = (Result.read(path) for path in sorted(found))
    return {result.student: result for result in results}


def forget(course: Course, student: str) -> list[str]:
    """Delete all that a course stores about a student.

    Parameters
    ----------
    course : Course
        Its folder.
    student : str
        Their id.

    Returns
    -------
    list of str
        What was deleted. What names the student still, such as exports, is found by
        :func:`still_named`.

    Raises
    ------
    ValueError
        If nothing is stored about such a student.
    """
    from nbgrader.api import MissingEntry

    # subtle: Path("..").name is ".."
    if not student or student.startswith(".") or Path(student).name != student:
        raise ValueError(f"{student!r} is no student's id")
    gone = []
    for step in ("submitted", "autograded", "feedback", "seeded"):
        folder = course.root / step / student
        if folder.is_dir():
            shutil.rmtree(folder)
            gone.append(f"{step}/{student}")
    for path in sorted((course.root / "results").glob(f"*/{student}.json")):
        path.unlink()
        gone.append(path.relative_to(course.root).as_posix())
    with opened(course) as book:
        try:
            book.remove_student(student)
            gone.append("gradebook.db")
        except MissingEntry:
            pass
    with closing(sqlite3.connect(course.root / "gradebook.db")) as db:
        db.execute("VACUUM")  # deleted rows stay in the file until then
    roster = Roster.of(course)
    if roster.people.pop(student, None):
        roster.save(course)
        gone.append("roster.csv")
    seeded = [a for a in course.assignments.values() if student in a.seeded]
    for each in seeded:
        each.seeded.remove(student)
    course.save()
    if not gone:
        raise ValueError(f"nothing is stored about {student!r} in {course.root}")
    return gone


def still_named(course: Course, student: str) -> list[str]:
    """Find csv files, such as exports, that name a student."""
    files = sorted(course.root.rglob("*.csv"))
    return [
        path.relative_to(course.root).as_posix()
        for path in files
        if student in path.read_text(encoding="utf8", errors="replace")
    ]
