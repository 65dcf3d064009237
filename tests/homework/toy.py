"""A chapter of three exercises, and submissions to it."""

import json

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from llmbook_homework.exercises import reading

SETUP = """\
import numpy as np
import torch

from llmbook_utils.runtime import pick_device, set_seed

set_seed(0)
device = pick_device()"""
TASKS = {
    "double": (
        "def double(x):\n    ### BEGIN SOLUTION\n    return 2 * x\n"
        "    ### END SOLUTION",
        'assert double(2) == 4, "Twice 2 is 4."\n'
        "### BEGIN HIDDEN TESTS\n"
        'assert double(-1.5) == -3, "Negative numbers too."\n'
        'secret = "canary-of-the-hidden-tests"\n'
        "### END HIDDEN TESTS",
    ),
    "total": (
        "def total(numbers):\n    ### BEGIN SOLUTION\n    return int(np.sum(numbers))\n"
        "    ### END SOLUTION",
        'given = [1, 2, 3]\nassert total(given) == 6, "1 + 2 + 3 is 6."\n'
        'assert given == [1, 2, 3], "Leave the input as it is."',
    ),
    "scale": (
        "def scale(x):\n    ### BEGIN SOLUTION\n    return factor * x\n"
        "    ### END SOLUTION",
        "row = np.arange(3.0)\nassert np.allclose(scale(row), 5 * row), 'Five times.'",
    ),
}
RIGHT = {
    "ex1": "def double(x):\n    return x + x",
    "ex2": "def total(numbers):\n    return sum(numbers)",
    "ex3": "def scale(x):\n    return factor * x",
}


def grader(grade_id, **more):
    """Make nbgrader's metadata."""
    both = {"solution": False, "grade": False, "locked": False, "task": False}
    return {"nbgrader": {**both, "grade_id": grade_id, "schema_version": 3, **more}}


def chapter_notebook():
    """Make the chapter as the book would store it."""
    cells = [
        new_markdown_cell("# A toy"),
        new_markdown_cell("## Setup"),
        new_code_cell(SETUP),
        new_code_cell("factor = 3\nunused = np.zeros(factor)\nfactor = 5"),
        new_markdown_cell("## Exercises"),
    ]
    for number, (name, (solution, check)) in enumerate(TASKS.items(), start=1):
        head = f":::{{admonition}} Exercise {number}: {name} (easy, 2 min)"
        cells += [
            new_markdown_cell(f"{head}\n:class: exercise\n\nWrite `{name}`.\n:::"),
            new_code_cell(solution, metadata=grader(f"ch90-ex{number}", solution=True)),
            new_code_cell(
                check,
                metadata=grader(f"ch90-ex{number}-check", grade=True, points=number),
            ),
        ]
    return new_notebook(cells=cells)


def write_chapter(folder):
    """Write the chapter, and read it as the grader does."""
    path = folder / "90_toy.ipynb"
    nbformat.write(chapter_notebook(), path)
    return reading.load(path)


def submission(chapter, answers, extra=()):
    """Make a student's notebook: stubs, and answers where there are some.

    ``answers`` maps short names to sources; ``extra`` are cells put before.
    """
    cells = [new_code_cell(SETUP), new_code_cell("factor = 5"), *extra]
    for each in chapter.exercises:
        source = answers.get(each.short, each.stub)
        cells.append(new_markdown_cell(each.task))
        cells.append(new_code_cell(source, metadata=grader(each.id, solution=True)))
        metadata = grader(each.check_id, grade=True, points=each.points)
        cells.append(new_code_cell(each.visible_check, metadata=metadata))
    nb = new_notebook(cells=cells)
    nb.metadata["llmbook"] = {"release": reading.stamp(chapter.exercises)}
    return nb


def as_bytes(nb):
    """Give a notebook as a file's content."""
    return json.dumps(nb).encode()
