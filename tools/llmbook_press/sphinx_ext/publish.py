"""What a notebook becomes on the page: stubs, folded solutions, no set-up for Colab.

The marks are nbgrader's, and so are the results: a reader sees what a student gets.
Unlike nbgrader, the page keeps the solution, folded behind the task.
"""

import copy
import json
from typing import Any

from sphinx.application import Sphinx

from llmbook_press.regions import (
    clear_hidden_tests,
    clear_solution,
    split_regions,
)
from llmbook_utils.explorers.core.explorer import MIME
from llmbook_utils.explorers.quiz.quiz import Quiz

TEXT_STUB = "YOUR ANSWER HERE"
SETUP_TAG = "colab-setup"
SOLUTION_TAG = "solution"
CHECK_TAG = "check"
TASK_TAG = "task"
Cell = dict[str, Any]


def source_of(cell: Cell) -> str:
    """Give a cell's source, which the format stores as text or as lines."""
    source = cell["source"]
    return source if isinstance(source, str) else "".join(source)


def publish(notebook: dict[str, Any]) -> dict[str, Any]:
    """Make the notebook that the page shows from the one that is stored.

    Parameters
    ----------
    notebook : dict
        A notebook of format 4; it stays as it is.

    Returns
    -------
    dict
        Its copy: no cell tagged ``colab-setup``; each solution cell as a task with
        a stub, followed by the solution, tagged ``solution``; check cells without
        hidden tests, tagged ``check``.

    Raises
    ------
    ValueError
        If a solution or a hidden test is marked in a cell that nbgrader would not
        clear, or a mark has no partner.
    """
    result = copy.deepcopy(notebook)
    cells: list[Cell] = []
    for number, cell in enumerate(result["cells"], start=1):
        try:
            cells += _publish_cell(cell)
        except ValueError as error:
            raise ValueError(f"cell {number}: {error}") from None
    result["cells"] = cells
    return result


def _publish_cell(cell: Cell) -> list[Cell]:
    metadata = cell.setdefault("metadata", {})
    tags = metadata.get("tags", [])
    grader = metadata.get("nbgrader", {})
    source = source_of(cell)
    if SETUP_TAG in tags:
        return []
    if "BEGIN SOLUTION" in source and not grader.get("solution"):
        raise ValueError("a solution region needs nbgrader metadata, solution: true")
    if "BEGIN HIDDEN TESTS" in source and not grader.get("grade"):
        raise ValueError("hidden tests need nbgrader metadata, grade: true")
    if cell["cell_type"] == "markdown":
        return _publish_text(cell, source, SOLUTION_TAG in tags, grader)
    if grader.get("solution"):
        return _publish_solution(cell, source)
    if grader.get("grade"):
        cell["source"] = clear_hidden_tests(source)
        _tag(cell, CHECK_TAG)
    if _shows_quiz(cell):
        _tag(cell, "remove-input")  # the code names the right answers
    return [cell]


def _shows_quiz(cell: Cell) -> bool:
    layers = [output.get("data", {}).get(MIME) for output in cell["outputs"]]
    return any(layer and layer.get("kind") == Quiz.kind for layer in layers)


def _publish_solution(cell: Cell, source: str) -> list[Cell]:
    """Show the task with its stub, then the solution with its output."""
    task = copy.deepcopy(cell)
    task["source"] = clear_hidden_tests(clear_solution(source))
    task["outputs"] = []
    task["execution_count"] = None
    _tag(task, TASK_TAG)
    solved = [line for line in source.split("\n") if not _is_mark(line)]
    cell["source"] = clear_hidden_tests("\n".join(solved))
    if "id" in cell:  # a notebook's cell ids are unique
        cell["id"] = f"{cell['id'][:55]}-solved"
    _tag(cell, SOLUTION_TAG)
    return [task, cell]


def _publish_text(
    cell: Cell, source: str, is_tagged: bool, grader: dict[str, Any]
) -> list[Cell]:
    """Fold a written answer; what stands outside its region is the question."""
    outside, inside = split_regions(source, "SOLUTION")
    question = [line for line in outside if not line.endswith("\0")]
    if len(question) < len(outside):
        cell["source"] = "\n".join([*question, "", _fold(inside)])
    elif is_tagged or grader.get("solution"):
        cell["source"] = _fold(question)
    return [cell]


def _is_mark(line: str) -> bool:
    return "BEGIN SOLUTION" in line or "END SOLUTION" in line


def _fold(lines: list[str]) -> str:
    # Seven colons: a solution may itself hold admonitions, whose fences are shorter.
    return "\n".join([":::::::{folded} Worked solution", *lines, ":::::::"])


def _tag(cell: Cell, tag: str) -> None:
    tags = cell["metadata"].setdefault("tags", [])
    if tag not in tags:
        tags.append(tag)


def publish_source(app: Sphinx, docname: str, source: list[str]) -> None:
    """Publish a notebook's text before MyST-NB reads it."""
    if not str(app.env.doc2path(docname)).endswith(".ipynb"):
        return
    try:
        source[0] = json.dumps(publish(json.loads(source[0])))
    except ValueError as error:
        raise ValueError(f"{docname}: {error}") from None


def connect(app: Sphinx) -> None:
    """Publish when a source is read."""
    app.connect("source-read", publish_source)
