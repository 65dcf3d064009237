"""On the student's side: run an exercise's check, and say what it means.

In a terminal ``llmbook check 11 ex3`` takes the answer from the notebook's file; in
the notebook ``from llmbook_utils.homework import check; check("ex3")`` takes it from
the kernel. Neither needs nbgrader, and both know only the checks that the student
has: those that run at grading alone are counted, no more.
"""

import contextlib
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llmbook_utils.homework import assertions
from llmbook_utils.homework.assertions import explain, n_checks, run_check

if TYPE_CHECKING:
    from nbformat import NotebookNode

SECONDS = 120


@dataclass(frozen=True)
class Outcome:
    """What a check found.

    Attributes
    ----------
    exercise : str
        ``"ex3"``.
    passed, checks : int
        Assertions that held, and that the student's check has.
    hidden : int
        Further ones that run at grading.
    problem : str
        What was wrong first; empty if nothing was.
    """

    exercise: str
    passed: int
    checks: int
    hidden: int
    problem: str = ""

    @property
    def is_good(self) -> bool:
        """Whether all checks held."""
        return not self.problem

    def __str__(self) -> str:
        more = f"; {self.hidden} more run at grading" if self.hidden else ""
        if self.is_good:
            return f"{self.exercise}: all {_count(self.checks)} passed{more}."
        return (
            f"{self.exercise}: {self.passed} of {_count(self.checks)} passed{more}.\n"
            f"{self.problem}"
        )


def _count(number: int) -> str:
    return f"{number} check{'' if number == 1 else 's'}"


def find_notebook(chapter: str = "", exercise: str = "") -> Path:
    """Find the student's notebook in the working directory.

    Raises
    ------
    ValueError
        If there is none, or several.
    """
    running = os.environ.get("JPY_SESSION_NAME", "")
    if running.endswith(".ipynb") and Path(running).is_file():
        return Path(running)
    wanted = f"{chapter.zfill(2) if chapter.isdigit() else chapter}_*.ipynb"
    found = sorted(Path.cwd().glob(wanted if chapter else "*.ipynb"))
    if not found:
        found = sorted(Path.cwd().glob(f"notebooks/{wanted}")) if chapter else []
    if len(found) != 1:
        which = ", ".join(p.name for p in found) or "none"
        raise ValueError(
            f"one notebook {wanted if chapter else ''} was expected in "
            f"{Path.cwd().name}/; there is {which}. Name yours: `llmbook check 11 ex3 "
            "--notebook FILE`, or check('ex3', 'FILE') in the notebook. Where there is "
            "no file, as in Colab, run the check cell below your answer"
        )
    return found[0]


def _cells_of(nb: "NotebookNode", exercise: str) -> "tuple[NotebookNode, NotebookNode]":
    """Find an exercise's answer and check."""
    cells: dict[str, Any] = {}
    for cell in nb.cells:
        name = cell.metadata.get("nbgrader", {}).get("grade_id", "")
        cells[name] = cell
    number = exercise.lower().removeprefix("ex")
    for name in cells:
        if name == exercise or name.endswith(f"-ex{number}"):
            check = cells.get(f"{name}-check")
            if check is None:
                raise ValueError(
                    f"the check of {exercise} was deleted; copy its cell from the "
                    "notebook as you got it. Grading uses its own copy"
                )
            return cells[name], check
    there = sorted(n.rpartition("-")[2] for n in cells if re.search(r"-ex\d+$", n))
    raise ValueError(f"no exercise {exercise!r} here; there are {', '.join(there)}")


def _hidden(cell: "NotebookNode") -> int:
    from llmbook_utils.regions import clear_hidden_tests

    told = cell.metadata.get("llmbook", {}).get("hidden")
    if told is not None:
        return int(told)
    return n_checks(cell.source) - n_checks(clear_hidden_tests(cell.source))


def _before(nb: "NotebookNode", answer: "NotebookNode", check: str) -> list[str]:
    """Give the chapter's code that the answer and its check need, as in grading.

    Cells that a student adds among the exercises are left out: grading has the answer's
    cell alone.
    """
    from llmbook_utils.homework import exercises
    from llmbook_utils.homework.exercises import slicing

    declared = set(answer.metadata.get("llmbook", {}).get("needs", []))
    every, asked = [], []
    for position, cell in enumerate(nb.cells):
        if cell.cell_type == "markdown" and exercises.HEAD.search(cell.source):
            break
        if cell.cell_type != "code" or "colab-setup" in cell.metadata.get("tags", []):
            continue
        with contextlib.suppress(SyntaxError):  # a magic, or a cell left half-written
            found = slicing.statements(cell.source, position)
            every += found
            if "set_seed(0)" in cell.source or cell.get("id") in declared:
                asked += found
    wanted = slicing.free_places(f"{answer.source}\n{check}")
    chosen = [*asked, *slicing.backwards(wanted, every)[0]]
    for each in asked:
        before = [other for other in every if other.position < each.position]
        chosen += slicing.backwards(each.uses, before)[0]
    return [e.source for e in sorted(set(chosen), key=lambda e: e.position)]


def check_file(path: Path, exercise: str, seconds: float = SECONDS) -> Outcome:
    """Check an answer in a notebook's file, in a Python of its own.

    Parameters
    ----------
    path : Path
        The student's notebook.
    exercise : str
        ``"ex3"`` or ``"3"``.
    seconds : float
        How long it may take.

    Returns
    -------
    Outcome

    Raises
    ------
    ValueError
        If the file is no notebook or has no such exercise.
    """
    import nbformat

    try:
        nb = nbformat.read(path, as_version=4)
    except Exception as error:
        raise ValueError(f"{path.name} is no notebook: {error}") from error
    answer, check = _cells_of(nb, exercise)
    short = answer.metadata.nbgrader.grade_id.rpartition("-")[2]
    total, hidden = n_checks(check.source), _hidden(check)
    try:
        before = _before(nb, answer, check.source)
    except SyntaxError as error:
        problem = f"line {error.lineno} of your cell: {explain(error)}"
        return Outcome(short, 0, total, hidden, problem)
    job = {"before": before, "answer": answer.source, "check": check.source}
    with tempfile.TemporaryDirectory() as folder:
        file, out = Path(folder, "job.json"), Path(folder, "out.json")
        file.write_text(json.dumps(job), encoding="utf8")
        command = [sys.executable, "-m", assertions.__name__, str(file), str(out)]
        try:
            subprocess.run(command, timeout=seconds, cwd=path.parent, check=False)
        except subprocess.TimeoutExpired:
            problem = f"It took more than {seconds:g} s. Does a loop never end?"
            return Outcome(short, 0, total, hidden, problem)
        if not out.is_file():
            problem = (
                "Python ended before the check was done. Does your code call exit?"
            )
            return Outcome(short, 0, total, hidden, problem)
        result = json.loads(out.read_text(encoding="utf8"))
    return Outcome(short, checks=total, hidden=hidden, **result)


def check(exercise: str, notebook: str | Path | None = None) -> Outcome:
    """Check an answer with the names that are defined in this notebook now.

    Parameters
    ----------
    exercise : str
        ``"ex3"``.
    notebook : str or Path, optional
        The notebook's file, which holds the check; found by itself in JupyterLab, or
        where it is the only one in its folder.

    Returns
    -------
    Outcome
        It shows itself as text.

    Raises
    ------
    ValueError
        If the notebook is not found, or has no such exercise.
    """
    import nbformat
    from IPython import get_ipython

    shell = get_ipython()
    names: Mapping[str, Any] = (
        shell.user_ns if shell else sys.modules["__main__"].__dict__
    )
    path = Path(notebook) if notebook else find_notebook(exercise=exercise)
    answer, cell = _cells_of(nbformat.read(path, as_version=4), exercise)
    short = answer.metadata.nbgrader.grade_id.rpartition("-")[2]
    passed, problem = run_check(cell.source, dict(names))
    return Outcome(short, passed, n_checks(cell.source), _hidden(cell), problem)
