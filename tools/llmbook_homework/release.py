"""Set a chapter: the student's notebook, made from the book's by nbgrader."""

import copy
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, time
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from llmbook_homework import generate
from llmbook_homework.course import Assignment, Course, replacing
from llmbook_homework.exercises import reading, tasks, vary
from llmbook_homework.exercises.tasks import Exercise
from llmbook_press import notebooks
from llmbook_press.dependencies import PACKAGE


@dataclass(frozen=True)
class Released:
    """What :func:`release` wrote.

    Attributes
    ----------
    assignment : Assignment
    notebook : Path
        The students' notebook.
    exercises : list of Exercise
        What is set, with its points.
    own : dict
        The notebooks of students with numbers of their own.
    """

    assignment: Assignment
    notebook: Path
    exercises: list[Exercise]
    own: dict[str, Path]


def book_of(book: Path | None = None) -> Path:
    """Find the book: where asked, around the working directory, or the package's.

    Raises
    ------
    ValueError
        If there is none.
    """
    for place in (book, Path.cwd(), PACKAGE.parent):
        try:
            return notebooks.book_root(place) if place else notebooks.book_root()
        except ValueError:
            if book:
                break
    raise ValueError(
        "the chapters' notebooks were not found; clone the book's repository and name "
        "its folder with --book"
    )


def parse_due(text: str, course: Course) -> datetime:
    """Read a due date; a day alone means its last second.

    Raises
    ------
    ValueError
        If it is no date.
    """
    try:
        due = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(
            f"--due is {text!r}; write 2026-11-27 or '2026-11-27 18:00'"
        ) from None
    if re.fullmatch(r"[\d-]+|\d{4}-?W\S+", text):
        due = datetime.combine(due.date(), time(23, 59, 59))
    return due if due.tzinfo else due.replace(tzinfo=course.zone)


def parse_points(texts: Iterable[str]) -> dict[str, float]:
    """Read points such as ``ex3=4`` or ``ex1=2,ex3=4``.

    Raises
    ------
    ValueError
        If one has another form or is not above 0.
    """
    points = {}
    for part in ",".join(texts).replace(" ", "").split(","):
        name, _, number = part.partition("=")
        try:
            points[name] = float(number)
        except ValueError:
            points[name] = -1.0
        if part and not 0 < points[name] < float("inf"):
            raise ValueError(f"--points {part!r}: write ex3=4, with points above 0")
    points.pop("", None)
    return points


def release(
    course: Course,
    chapter: str,
    only: Iterable[str] = (),
    points: Mapping[str, float] | None = None,
    due: datetime | None = None,
    seeds: Iterable[str] = (),
    book: Path | None = None,
) -> Released:
    """Write the students' notebook of a chapter.

    Parameters
    ----------
    course : Course
        Its folder.
    chapter : str
        Its number, ``"11"``.
    only : iterable of str
        Exercises to set, ``"ex3"``; none means all.
    points : mapping, optional
        Other points than the book's, by exercise.
    due : datetime, optional
        When it is due. A second release without one keeps the date.
    seeds : iterable of str
        Students who get numbers of their own, besides those who have them already.
    book : Path, optional
        The book's repository.

    Returns
    -------
    Released

    Raises
    ------
    ValueError
        If there is no such chapter or exercise, points are for one that is not set,
        or nbgrader refuses, as it does where graded submissions have other exercises.
    """
    every, seeds = reading.of(_two_digits(chapter), book_of(book)), list(seeds)
    chosen = _chosen(every, only, dict(points or {}))
    assignment = _assignment(course, every, chosen, due)
    source = _source(every.path, chosen, assignment)
    generate.refuse_other_exercises(course, assignment)
    with generate.restoring(course.source(assignment), course.release(assignment)):
        with replacing(course.source(assignment)) as draft:
            nbformat.write(source, draft)
        generate.generate(course, assignment)
    # A task may have changed: those who have numbers of their own get a new one too.
    students = [*seeds, *(s for s in assignment.seeded if s not in seeds)]
    own = {s: _own(course, assignment, source, chosen, s) for s in students}
    assignment.seeded = sorted({*assignment.seeded, *own})
    course.assignments[assignment.name] = assignment
    course.save()
    return Released(assignment, course.release(assignment), chosen, own)


def _chosen(
    chapter: tasks.Chapter, only: Iterable[str], points: dict[str, float]
) -> list[Exercise]:
    """Choose what is set, with its points."""
    names = list(only)
    chosen = chapter.choose(names)
    if not chosen:
        raise ValueError(f"chapter {chapter.number} has no exercises")
    worth = {chapter.exercise(name).id: number for name, number in points.items()}
    left_out = set(worth) - {each.id for each in chosen}
    if left_out:
        raise ValueError(
            f"--points names {', '.join(sorted(left_out))}, which is not set; add it "
            f"to --only {','.join(names)}"
        )
    return reading.with_points(chosen, worth)


def _two_digits(chapter: str) -> str:
    number = chapter.removeprefix("ch")
    return number.zfill(2) if number.isdigit() else number


def _assignment(
    course: Course,
    chapter: tasks.Chapter,
    chosen: list[Exercise],
    due: datetime | None,
) -> Assignment:
    """Describe the assignment; what earlier releases left is kept."""
    name = f"ch{chapter.number}"
    old = course.assignments.get(name)
    stamp = reading.stamp(chosen)
    return Assignment(
        name=name,
        chapter=chapter.number,
        notebook=chapter.slug,
        points={each.id: float(each.points) for each in chosen},
        due=due or (old.due if old else None),
        releases={**(old.releases if old else {}), stamp["checksum"]: stamp["tasks"]},
        seeded=list(old.seeded) if old else [],
    )


def _source(path: Path, chosen: list[Exercise], assignment: Assignment) -> NotebookNode:
    """Cut the chapter down to the exercises that are set."""
    nb = nbformat.read(path, as_version=4)
    kept = {each.id: each for each in chosen}
    cells: list[NotebookNode] = []
    for cell in nb.cells:
        grader = cell.metadata.get("nbgrader", {})
        name = grader.get("grade_id", "").removesuffix("-check")
        if name and name not in kept:
            if grader.get("solution"):
                _cut_task(cells)
            continue
        if grader.get("grade"):
            grader["points"] = kept[name].points
        cells.append(cell)
    nb.cells = [*cells[:2], _cover(chosen, assignment), *cells[2:]]
    nb.metadata["llmbook"] = {
        "release": reading.stamp(chosen, assignment=assignment.name, seed=None)
    }
    return nb


def _cover(chosen: list[Exercise], assignment: Assignment) -> NotebookNode:
    """Tell students what is asked, until when, and how to check and hand in."""
    names = ", ".join(each.short for each in chosen)
    due = f", due {assignment.due:%Y-%m-%d %H:%M %Z}" if assignment.due else ""
    one = chosen[0].short
    text = f"""\
**Homework: {names}; {assignment.max_points:g} points{due}.**

Write each answer into its own cell among the exercises, in place of
`raise NotImplementedError()`, and run the check below it. In a code cell,

    from llmbook_homework.student_check import check
    check("{one}")

says how many checks hold, and how many more run at grading. In a terminal,
`llmbook check {assignment.chapter} {one}` does so with the file as you saved it.
Grading takes the exercises' cells alone, each for itself, after the chapter's own code.
Save, and hand in this file."""
    return nbformat.v4.new_markdown_cell(text, id="homework")


def _cut_task(cells: list[NotebookNode]) -> None:
    """Take the last task out; the text around it stays."""
    for position in reversed(range(len(cells))):
        cell = cells[position]
        if cell.cell_type == "markdown" and tasks.HEAD.search(cell.source):
            box = r"^(:{3,})\{admonition\} Exercise \d+:.*?^\1[ \t]*$\n?"
            cell.source = re.sub(box, "", cell.source, flags=re.M | re.S).strip()
            if not cell.source:
                del cells[position]
            return


def _own(
    course: Course,
    assignment: Assignment,
    source: NotebookNode,
    chosen: list[Exercise],
    student: str,
) -> Path:
    """Write the notebook of a student with numbers of their own."""
    from llmbook_homework.nbgrader_steps import student_version

    seeded = Assignment(**{**assignment.__dict__, "seeded": [student]})
    seed = course.seed_of(seeded, student)
    nb = copy.deepcopy(source)
    own = [vary.personalise(each, seed) for each in chosen]
    for each, mine in zip(chosen, own, strict=True):
        texts = {
            each.task: mine.task,
            each.solution: mine.solution,
            each.check: mine.check,
        }
        for cell in nb.cells:
            cell.source = texts.get(cell.source, cell.source)
    # Whoever answers a neighbour's notebook answers other tasks: the stamp tells.
    stamp = reading.stamp(own, assignment=assignment.name, seed=student)
    nb.metadata["llmbook"]["release"] = stamp
    path = course.folder("seeded", student, assignment) / f"{assignment.notebook}.ipynb"
    with replacing(path) as draft:
        nbformat.write(student_version(nb), draft)
    return path
