"""A small book, a course and its students, for the tests of homework."""

import functools
import json
import shutil
import tempfile
from pathlib import Path

import nbformat

from llmbook_homework import course as courses
from llmbook_homework.course import Assignment, Course
from llmbook_homework.grading.results import ExerciseResult, Result

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
TASK = """:::{{admonition}} Exercise {n}: {title} (easy, 5 min)
:class: exercise

{text}
:::"""
SETUP = "import math\n\n\ndef set_seed(n):\n    pass\n\n\nset_seed(0)"
DOUBLE = '''def double(x):
    """Twice."""
    ### BEGIN SOLUTION
    # add it to itself
    return x + x
    ### END SOLUTION'''
DOUBLE_CHECK = """assert double(2) == 4, "Twice 2 is 4."
assert double("a") == "aa", "Also words."
### BEGIN HIDDEN TESTS
assert double(-1.5) == -3
### END HIDDEN TESTS"""
POWER = '''def power(x):
    """1000 to the power of x."""
    ### BEGIN SOLUTION
    return 1_000.0 ** x
    ### END SOLUTION'''
POWER_CHECK = '''assert power(0) == 1, "To the power of 0."
assert math.isclose(power(1), base_of(1000)), "To the power of 1: 1000."'''


def cells(source, grade_id="", points=None, **llmbook):
    """Make a code cell, of an exercise if it has an id."""
    cell = nbformat.v4.new_code_cell(source)
    if grade_id:
        grade = points is not None
        cell.metadata["nbgrader"] = {
            "grade": grade,
            "grade_id": grade_id,
            "locked": grade,
            "schema_version": 3,
            "solution": not grade,
            "task": False,
            **({"points": points} if grade else {}),
        }
        cell.outputs = [nbformat.v4.new_output("stream", text="x + x is solved\n")]
        cell.execution_count = 3
    if llmbook:
        cell.metadata["llmbook"] = llmbook
    return cell


def small_chapter():
    """Make a chapter of two exercises; the numbers of the second one vary."""
    text = nbformat.v4.new_markdown_cell
    shown = cells("print('a figure')\n\n\ndef base_of(x):\n    return x")
    shown.outputs = [nbformat.v4.new_output("stream", text="a figure\n")]
    first = TASK.format(n=1, title="twice", text="Write `double(x)`.")
    second = TASK.format(n=2, title="power", text="Write `power(x)`: $1000^x$.")
    vary = {"1000": {"from": 1000, "to": 9000, "step": 1}}
    nb = nbformat.v4.new_notebook()
    nb.cells = [
        text("# A small chapter"),
        text("## Setup"),
        cells(SETUP),
        shown,
        text(f"## Exercises\n\nDo them all.\n\n{first}"),
        cells(DOUBLE, "ch00-ex1"),
        cells(DOUBLE_CHECK, "ch00-ex1-check", 2),
        text(second),
        cells(POWER, "ch00-ex2", vary=vary),
        cells(POWER_CHECK, "ch00-ex2-check", 3),
        text("## Quiz"),
    ]
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    nb.metadata["kernelspec"] = kernel
    nb.metadata["llmbook"] = {"code_hash": "0", "seconds": 1.0}
    return nb


def small_book(folder):
    """Write a book of one chapter."""
    (folder / "notebooks").mkdir(parents=True)
    (folder / "_toc.yml").write_text("format: jb-book\n")
    nbformat.write(small_chapter(), folder / "notebooks" / "00_small.ipynb")
    return folder


def with_salt(course):
    """Take chance out of a course: its students have the same numbers in each run."""
    course.salt = "of the tests"
    course.save()
    return course


@functools.cache
def _template():
    """Release the small chapter once; it takes seconds."""
    from llmbook_homework.release import parse_due, release

    folder = Path(tempfile.mkdtemp(prefix="llmbook-course-"))
    course = with_salt(courses.init(folder / "course", "small", "UTC"))
    due = parse_due("2026-11-20", course)
    release(course, "00", due=due, seeds=["ada"], book=small_book(folder / "book"))
    return folder


def released(folder):
    """Give a course in which the small chapter was released."""
    shutil.copytree(_template() / "course", folder / "course")
    return Course.open(folder / "course")


def unreleased(folder):
    """Give a course that believes in an assignment; quick, without nbgrader."""
    course = courses.init(folder / "course", "small", "UTC")
    points = {"ch00-ex1": 2.0, "ch00-ex2": 3.0}
    course.assignments["ch00"] = Assignment("ch00", "00", "00_small", points)
    course.save()
    return course


def notebook(course=None, **answers):
    """Write a student's notebook as bytes; ``ex1="def ..."`` sets an answer."""
    if course is None:
        nb = small_chapter()
    else:
        nb = nbformat.read(course.release(course.assignment("00")), as_version=4)
    for cell in nb.cells:
        name = cell.metadata.get("nbgrader", {}).get("grade_id", "")
        if name.rpartition("-")[2] in answers:
            cell.source = answers[name.rpartition("-")[2]]
    return nbformat.writes(nb).encode()


def hand_in(course, student, data, name="00_small.ipynb"):
    """Put a submission where collect puts it."""
    folder = course.folder("submitted", student, course.assignment("00"))
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(data)
    return folder


def graded(student, first=2.0, second=3.0, **more):
    """Make a result of the small chapter."""
    rows = [
        ExerciseResult("ch00-ex1", first, 2.0, "passed" if first else "failed"),
        ExerciseResult("ch00-ex2", second, 3.0, "passed" if second else "failed"),
    ]
    for row in rows:
        row.reason = "Right." if row.score else "Twice 2 is 4."
    return Result(student, "ch00", rows, **more)


def store(course, result):
    """Write a result where grading does."""
    result.write(course.root / "results" / "ch00" / f"{result.student}.json")


def about(course, student):
    """Read what collect wrote about a submission."""
    folder = course.folder("submitted", student, course.assignment("00"))
    return json.loads((folder / "collected.json").read_text(encoding="utf8"))
