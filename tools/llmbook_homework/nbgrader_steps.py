"""The steps by which nbgrader makes the student's notebook from the chapter.

Most are nbgrader's own. Unlike its default, outputs outside the exercises stay: a
chapter without its figures is half a chapter.
"""

from typing import Any

from nbformat import NotebookNode
from nbgrader.preprocessors import (
    CheckCellMetadata,
    ClearHiddenTests,
    ClearSolutions,
    ComputeChecksums,
    LockCells,
    NbGraderPreprocessor,
    SaveCells,
)
from nbgrader.utils import is_grade, is_solution

from llmbook_homework.assertions import n_checks
from llmbook_press.regions import clear_hidden_tests

Step = tuple[NotebookNode, dict[str, Any]]


class CountChecks(NbGraderPreprocessor):
    """Write down how many checks a student has, and how many run at grading."""

    def preprocess_cell(
        self, cell: NotebookNode, resources: dict[str, Any], cell_index: int
    ) -> Step:
        """Count the assertions of a check cell."""
        if is_grade(cell):
            visible = n_checks(clear_hidden_tests(cell.source))
            hidden = n_checks(cell.source) - visible
            cell.metadata["llmbook"] = {"checks": visible, "hidden": hidden}
        return cell, resources


class ClearSolved(NbGraderPreprocessor):
    """Clear what solved cells printed, and what exercises declare for us alone."""

    def preprocess_cell(
        self, cell: NotebookNode, resources: dict[str, Any], cell_index: int
    ) -> Step:
        """Clear a cell of an exercise; leave the others."""
        if is_solution(cell) or is_grade(cell):
            if cell.cell_type == "code":
                cell.outputs, cell.execution_count = [], None
            cell.metadata.get("llmbook", {}).pop("vary", None)
        return cell, resources


# The checksums of the first time are for the gradebook, which holds hidden tests.
PREPROCESSORS = [
    LockCells,
    CountChecks,
    ClearSolutions,
    ClearSolved,
    CheckCellMetadata,
    ComputeChecksums,
    SaveCells,
    ClearHiddenTests,
    ComputeChecksums,
    CheckCellMetadata,
]


def student_version(nb: NotebookNode) -> NotebookNode:
    """Make a student's notebook, without an entry in the gradebook.

    Parameters
    ----------
    nb : NotebookNode
        With solutions; it is changed in place.

    Returns
    -------
    NotebookNode
    """
    resources: dict[str, Any] = {}
    for step in PREPROCESSORS:
        if step is not SaveCells:
            nb, resources = step().preprocess(nb, resources)
    return nb
