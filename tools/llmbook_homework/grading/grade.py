"""Grade submissions: every one gives a :class:`Result`, whatever it holds.

A result is a file of its own, written in one step by this process alone. A second run
leaves results alone whose submission, exercises and grader are as they were, so an
interrupted run goes on where it stopped.
"""

import json
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from llmbook_homework.course import Assignment, Course
from llmbook_homework.exercises.reading import load, with_points
from llmbook_homework.exercises.tasks import Exercise
from llmbook_homework.exercises.vary import personalise
from llmbook_homework.grading.batch import Batch, Submission
from llmbook_homework.grading.results import Result
from llmbook_homework.grading.sandbox import bubblewrap
from llmbook_homework.grading.sandbox.limits import Limits

Say = Callable[[str], object]


def submissions_of(
    course: Course,
    assignment: Assignment,
    exercises: Sequence[Exercise],
    students: Iterable[str] = (),
) -> list[Submission]:
    """List what was collected for an assignment.

    Parameters
    ----------
    course : Course
        Where it was collected.
    assignment : Assignment
        What it is for.
    exercises : sequence of Exercise
        With the assignment's points.
    students : iterable of str
        These alone; none means all.

    Returns
    -------
    list of Submission

    Raises
    ------
    ValueError
        If a student handed in nothing.
    """
    every = course.students_of(assignment)
    names = list(students) or every
    unknown = sorted(set(names) - set(every))
    if unknown:
        raise ValueError(f"{unknown[0]} handed in nothing for {assignment.name}")
    return [_submission(course, assignment, exercises, name) for name in names]


def _submission(
    course: Course, assignment: Assignment, exercises: Sequence[Exercise], student: str
) -> Submission:
    folder = course.folder("submitted", student, assignment)
    about: dict[str, Any] = {}
    if (folder / "collected.json").is_file():
        about = json.loads((folder / "collected.json").read_text(encoding="utf8"))
    path = folder / f"{assignment.notebook}.ipynb"
    ours = {"timestamp.txt", "collected.json"}
    files = sorted(
        p.name for p in folder.iterdir() if p.is_file() and p.name not in ours
    )
    if not path.is_file():  # put there by hand, under another name
        named = [name for name in files if name.endswith(".ipynb")]
        path = folder / named[-1] if named else path
    time = _time(folder)
    late = bool(about.get("late")) or bool(
        time and assignment.due and time > assignment.due
    )
    seed = course.seed_of(assignment, student)
    return Submission(
        student=student,
        assignment=assignment.name,
        path=path if path.is_file() else None,
        exercises=tuple(personalise(each, seed) for each in exercises),
        submitted=time.isoformat() if time else "",
        late=late,
        notes=tuple(str(note) for note in about.get("notes", [])),
        instead=files[0] if files else "",
    )


def _time(folder: Path) -> datetime | None:
    try:
        text = (folder / "timestamp.txt").read_text(encoding="utf8").strip()
        return datetime.fromisoformat(text.removesuffix(" UTC")).replace(tzinfo=UTC)
    except (OSError, ValueError):
        return None


def batch_of(
    course: Course, assignment: Assignment, limits: Limits, is_safe: bool
) -> Batch:
    """Make the batch of an assignment from the source that was released."""
    chapter = load(course.source(assignment))
    chosen = with_points(chapter.exercises, assignment.points)
    folder = course.root / "results" / assignment.name
    return Batch(chapter, chosen, folder, limits, is_safe)


def grade_all(
    course: Course,
    assignment: Assignment,
    students: Iterable[str] = (),
    jobs: int = 1,
    unsafe: bool = False,
    dask: str = "",
    force: bool = False,
    say: Say = lambda line: None,
    limits: Limits | None = None,
) -> list[Result]:
    """Grade what was collected for an assignment, and fill the gradebook.

    Parameters
    ----------
    course : Course
        Where it was collected, and where results go.
    assignment : Assignment
        What to grade.
    students : iterable of str
        These alone; none means all.
    jobs : int
        Submissions at a time.
    unsafe : bool
        Without bubblewrap.
    dask : str
        Address of a Dask scheduler; empty for this computer.
    force : bool
        Also what is graded.
    say : callable
        Gets a line for each submission.
    limits : Limits, optional
        Of each exercise.

    Returns
    -------
    list of Result

    Raises
    ------
    ValueError
        If there is no sandbox, or the checks fail on their own solutions here.
    """
    from llmbook_homework import gradebook

    if jobs < 1:
        raise ValueError(f"jobs is {jobs}; give 1 or more")
    is_safe = bubblewrap.require(unsafe) != "none"
    batch = batch_of(course, assignment, limits or Limits(), is_safe)
    todo = submissions_of(course, assignment, batch.exercises, students)
    if dask:
        from llmbook_homework.grading import cluster

        coming = cluster.run(batch, todo, dask, force)
    else:
        coming = batch.run(todo, jobs, force)
    results = []
    say(f"{len(todo)} to grade; first each check is tried on its own solution")
    for result, is_new in coming:
        gradebook.record(course, result)
        results.append(result)
        what = f"{result.seconds:.0f} s" if is_new else "as before"
        score = f"{result.score:g} of {result.points:g}"
        say(f"{len(results)}/{len(todo)} {result.student}: {score} ({what})")
    return sorted(results, key=lambda result: result.student)
