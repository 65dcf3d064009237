"""On the student's side: run an exercise's check, and say what it means.

In a terminal ``llmbook check 11 ex3`` takes the answer from the notebook's file; in the
notebook ``from llmbook_homework.student_check import check; check("ex3")`` takes it
from the kernel. Neither needs nbgrader, and both know only the checks that the student
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
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llmbook_homework import assertions
from llmbook_homework.assertions import (
    STUB_MARK,
    Outcome,
    count,
    explain,
    n_checks,
    run_check,
)

if TYPE_CHECKING:
    from nbformat import NotebookNode

SECONDS = 120


def _two_digits(chapter: str) -> str:
    """Read ``"2"``, ``"02"``, ``"ch02"`` or ``"02_word_embeddings"``."""
    found = re.match(r"(?:ch)?(\d+)", chapter)
    return found[1].zfill(2) if found else chapter


def find_notebook(chapter: str = "", exercise: str | int = "") -> Path:
    """Find the student's notebook in the working directory.

    By its name, or, where it was renamed, by the exercises that it holds.

    Raises
    ------
    ValueError
        If there is none, or several.
    """
    running = os.environ.get("JPY_SESSION_NAME", "")
    if running.endswith(".ipynb") and Path(running).is_file():
        return Path(running)
    here, number = Path.cwd(), _two_digits(chapter)
    short = f"ex{_digits(exercise)}" if exercise else "ex3"
    mark = rf'"ch{number or "[0-9]+"}-{short if exercise else "ex[0-9]+"}"'
    found = sorted(here.glob(f"{number}_*.ipynb")) if number else []
    found = found or [p for p in sorted(here.glob("*.ipynb")) if _holds(p, mark)]
    if number and not found:
        found = sorted(here.glob(f"notebooks/{number}_*.ipynb"))
    if len(found) != 1:
        which = ", ".join(p.name for p in found) or "none"
        wanted = f"{number}_*.ipynb" if number else f"with {short}"
        raise ValueError(
            f"one notebook {wanted} was expected in {here.name}/; there is {which}. "
            f"Name yours: `llmbook check {number or 11} {short} --notebook FILE`, or "
            f"check('{short}', 'FILE') in the notebook. Where there is no file, as in "
            "Colab, run the check cell below your answer"
        )
    return found[0]


def _digits(exercise: str | int) -> str:
    """Read ``3``, ``"3"``, ``"ex3"`` or ``"ch11-ex3"``."""
    return str(exercise).lower().rpartition("ex")[2]


def _holds(path: Path, mark: str) -> bool:
    text = path.read_text(encoding="utf8", errors="replace")
    return bool(re.search(mark, text))


def _read(path: Path) -> "NotebookNode":
    import nbformat

    if not path.is_file():
        raise ValueError(f"there is no file {path}; name your notebook, with .ipynb")
    try:
        return nbformat.read(path, as_version=4)
    except Exception as error:
        raise ValueError(f"{path.name} is no notebook: {error}") from error


def _cells_of(
    nb: "NotebookNode", exercise: str | int, chapter: str = ""
) -> "tuple[NotebookNode, NotebookNode]":
    """Find an exercise's answer and check, chosen as in grading."""
    start = f"ch{_two_digits(chapter)}" if chapter else ""
    cells: dict[str, list[Any]] = {}
    for cell in nb.cells:
        name = cell.metadata.get("nbgrader", {}).get("grade_id", "")
        if cell.cell_type == "code" and name.startswith(start):
            cells.setdefault(name.rpartition("ex")[2], []).append(cell)
    number = _digits(exercise)
    answers, checks = cells.get(number, []), cells.get(f"{number}-check", [])
    if answers and checks:
        worked_on = [cell for cell in answers if STUB_MARK not in cell.source]
        return (worked_on or answers)[-1], checks[-1]
    if answers or checks:
        raise ValueError(
            f"the {'check' if answers else 'code cell'} of {exercise} was deleted; "
            "copy it from the notebook as you got it. Grading "
            + ("uses its own copy" if answers else "knows the cell by its metadata")
        )
    there = ", ".join(f"ex{n}" for n in sorted(cells) if n.isdigit())
    raise ValueError(
        f"no exercise {exercise!r} here; there are {there}"
        if there
        else f"this notebook has no exercises{f' of {start}' if start else ''}; take "
        "the one that you were given"
    )


def _count_checks(cell: "NotebookNode", short: str) -> dict[str, Any]:
    """Count a check's assertions; say so if they are not those of the release."""
    from llmbook_press.regions import clear_hidden_tests

    told = cell.metadata.get("llmbook", {})
    try:
        total, visible = (
            n_checks(cell.source),
            n_checks(clear_hidden_tests(cell.source)),
        )
    except SyntaxError as error:
        raise ValueError(
            f"the check of {short} was changed, and Python cannot read its line "
            f"{error.lineno}; copy it from the notebook as you got it"
        ) from None
    given, note = told.get("checks", total), ""
    if given != total and visible == total:
        note = f"This check was changed: it had {count(given)}. Grading has its own."
    hidden = int(told.get("hidden", total - visible))
    return {"checks": total, "hidden": hidden, "note": note}


def _before(nb: "NotebookNode", answer: "NotebookNode", check: str) -> list[str]:
    """Give the chapter's code that the answer and its check need, as in grading.

    Cells that a student adds among the exercises are left out: grading has the answer's
    cell alone.
    """
    from llmbook_homework.exercises import slicing, tasks
    from llmbook_homework.exercises.statements import statements

    declared = set(answer.metadata.get("llmbook", {}).get("needs", []))
    every, asked = [], []
    for position, cell in enumerate(nb.cells):
        if cell.cell_type == "markdown" and tasks.HEAD.search(cell.source):
            break
        if cell.cell_type != "code" or "colab-setup" in cell.metadata.get("tags", []):
            continue
        with contextlib.suppress(SyntaxError):  # a magic, or a cell left half-written
            found = statements(cell.source, position)
            every += found
            if "set_seed(0)" in cell.source or cell.get("id") in declared:
                asked += found
    wanted = slicing.free_places(f"{answer.source}\n{check}")
    chosen = [*asked, *slicing.backwards(wanted, every)[0]]
    for each in asked:
        before = [other for other in every if other.position < each.position]
        chosen += slicing.backwards(each.uses, before)[0]
    return [e.source for e in sorted(set(chosen), key=lambda e: e.position)]


def check_file(
    path: Path, exercise: str | int, seconds: float = SECONDS, chapter: str = ""
) -> Outcome:
    """Check an answer in a notebook's file, in a Python of its own.

    Parameters
    ----------
    path : Path
        The student's notebook.
    exercise : str
        ``"ex3"`` or ``"3"``.
    seconds : float
        How long it may take.
    chapter : str, optional
        The chapter that the notebook has to be of.

    Returns
    -------
    Outcome

    Raises
    ------
    ValueError
        If the file is no notebook or has no such exercise.
    """
    nb = _read(path)
    answer, check = _cells_of(nb, exercise, chapter)
    short = answer.metadata.nbgrader.grade_id.rpartition("-")[2]
    counts = _count_checks(check, short)
    try:
        before = _before(nb, answer, check.source)
    except SyntaxError as error:
        result = {"passed": 0, "problem": explain(error)}
    else:
        job = {"before": before, "answer": answer.source, "check": check.source}
        result = _run_apart(job, path.absolute().parent, seconds)
    if result["problem"].startswith("There is no answer yet"):
        result["problem"] += " If there is one, save the notebook first."
    return Outcome(short, **counts, **result)


def _run_apart(job: dict[str, Any], place: Path, seconds: float) -> dict[str, Any]:
    """Run a job in a Python of its own; say how many checks held, and the problem."""
    with tempfile.TemporaryDirectory() as folder:
        file, out = Path(folder, "job.json"), Path(folder, "out.json")
        file.write_text(json.dumps(job), encoding="utf8")
        command = [sys.executable, "-m", assertions.__name__, str(file), str(out)]
        nothing = subprocess.DEVNULL  # as at grading, nobody types
        problem = "Python ended before the check was done. Does your code call exit?"
        try:
            subprocess.run(
                command, timeout=seconds, cwd=place, check=False, stdin=nothing
            )
        except subprocess.TimeoutExpired:
            problem = f"It took more than {seconds:g} s. Does a loop never end?"
        if out.is_file():
            return json.loads(out.read_text(encoding="utf8"))
    return {"passed": 0, "problem": problem}


def check(exercise: str | int, notebook: str | Path | None = None) -> Outcome:
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
    from IPython import get_ipython

    shell = get_ipython()
    names: Mapping[str, Any] = (
        shell.user_ns if shell else sys.modules["__main__"].__dict__
    )
    path = Path(notebook) if notebook else find_notebook(exercise=exercise)
    answer, cell = _cells_of(_read(path), exercise)
    short = answer.metadata.nbgrader.grade_id.rpartition("-")[2]
    counts = _count_checks(cell, short)
    passed, problem = run_check(cell.source, dict(names))
    if problem.startswith("NameError"):
        problem += " Run the cell first, and Setup before it."
    return Outcome(short, passed, problem=problem, **counts)
