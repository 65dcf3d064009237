"""What a student handed in, read as text: which cell answers which exercise.

Nothing here runs. The file may be anything: a notebook without metadata, half a file,
a picture with the wrong name.
"""

import itertools
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from llmbook_homework.exercises.tasks import Exercise

MAX_BYTES = 25_000_000
# What is cheap to write and dear to read: lists and objects, cells, text of the cells
# that answer nothing (those after it are left out).
MAX_PARTS, MAX_CELLS, MAX_OTHERS = 500_000, 5_000, 2_500_000
BYTE_ORDER_MARKS = {
    b"\xef\xbb\xbf": "utf-8-sig",
    b"\xff\xfe": "utf-16",
    b"\xfe\xff": "utf-16",
}


@dataclass(frozen=True)
class Answer:
    """A student's cell for one exercise.

    Attributes
    ----------
    status : str
        Empty if there is something to run; else what the exercise's status is.
    source : str
    reason : str
        Why there is nothing to run.
    notes : tuple of str
        What was odd.
    """

    status: str
    source: str = ""
    reason: str = ""
    notes: tuple[str, ...] = ()


@dataclass
class Answers:
    """A submission as read.

    Attributes
    ----------
    by_id : dict
        An :class:`Answer` for each exercise.
    others : list of str
        The student's other code cells, in order.
    notes : list of str
        About the file.
    """

    by_id: dict[str, Answer]
    others: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def besides(self, name: str) -> list[str]:
        """List what else the student wrote, which an answer may use."""
        more = [a.source for id_, a in self.by_id.items() if id_ != name and a.source]
        return [*self.others, *more]


@dataclass(frozen=True)
class _Cell:
    kind: str
    source: str
    grade_id: str


def head(path: Path) -> bytes:
    """Read a file, no more of it than tells that it is too large."""
    with path.open("rb") as file:
        return file.read(MAX_BYTES + 1)


def read(data: bytes, exercises: Sequence[Exercise]) -> Answers:
    """Find the answers to exercises in a file.

    Parameters
    ----------
    data : bytes
        The file.
    exercises : sequence of Exercise
        As this student got them.

    Returns
    -------
    Answers

    Raises
    ------
    ValueError
        If the file is no notebook; the message is for the student.
    """
    notebook, notes = _parse(data)
    cells = [_cell(cell) for cell in _cells(notebook)]
    told = _release(notebook)
    answers = {}
    for each in exercises:
        answer = _choose(each, cells)
        if told and answer.status in ("", "empty"):
            answer = _of_old_release(each, told, answer)
        answers[each.id] = answer
    if told and any(told.get(each.id) != each.checksum for each in exercises):
        notes.append("an older release of the assignment")
    own = {answer.source for answer in answers.values()}
    checks = {each.check_id for each in exercises}
    others = [
        cell.source
        for cell in cells
        if cell.kind == "code"
        and cell.source not in own
        and cell.grade_id not in checks
    ]
    lengths = itertools.accumulate(map(len, others))
    n_others = sum(length <= MAX_OTHERS for length in lengths)
    return Answers(answers, others[:n_others], notes)


def _parse(data: bytes) -> tuple[dict[str, Any], list[str]]:
    if not data.strip():
        raise ValueError("The file is empty.")
    if len(data) > MAX_BYTES:
        raise ValueError(
            f"The file has over {MAX_BYTES / 1e6:.0f} MB: no notebook is so big."
        )
    if data.count(b"[") + data.count(b"{") > MAX_PARTS:
        raise ValueError("The file has more brackets than any notebook.")
    text, notes = _decode(data)
    try:
        notebook = json.loads(text)
    except (ValueError, RecursionError, MemoryError) as error:
        kind = "damaged" if text.lstrip().startswith("{") else "of another kind"
        place = f" at line {error.lineno}" if hasattr(error, "lineno") else ""
        raise ValueError(
            f"The file is no notebook: its content is {kind} (no JSON{place}). Open it "
            "in Jupyter, save it, and hand in the .ipynb file itself."
        ) from None
    if not isinstance(notebook, dict) or not isinstance(_cells(notebook), list):
        raise ValueError("The file is no notebook: it holds JSON, but no cells.")
    if len(_cells(notebook)) > MAX_CELLS:
        raise ValueError(f"The file has more than {MAX_CELLS:,} cells.")
    return notebook, notes


def _decode(data: bytes) -> tuple[str, list[str]]:
    for mark, name in BYTE_ORDER_MARKS.items():
        if data.startswith(mark):
            return data.decode(name, "replace"), [f"the file was stored as {name}"]
    try:
        return data.decode("utf8"), []
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace"), ["the file was not stored as UTF-8"]


def _cells(notebook: dict[str, Any]) -> Any:
    """Give the cells of a notebook of format 4, or of 3 with its sheets."""
    if "cells" in notebook:
        return notebook["cells"]
    sheets = notebook.get("worksheets")
    if isinstance(sheets, list) and sheets and isinstance(sheets[0], dict):
        return sheets[0].get("cells")
    return None


def _cell(cell: Any) -> _Cell:
    """Read one cell; whatever it lacks is empty."""
    if not isinstance(cell, dict):
        return _Cell("", "", "")
    source = cell.get("source", cell.get("input", ""))
    if isinstance(source, list):
        source = "".join(line for line in source if isinstance(line, str))
    kind, metadata = cell.get("cell_type"), cell.get("metadata")
    grader = metadata.get("nbgrader") if isinstance(metadata, dict) else None
    grade_id = grader.get("grade_id") if isinstance(grader, dict) else None
    return _Cell(
        kind if isinstance(kind, str) else "",
        source if isinstance(source, str) else "",
        grade_id if isinstance(grade_id, str) else "",
    )


def _release(notebook: dict[str, Any]) -> dict[str, str]:
    """Read the checksums of the tasks that the notebook was released with."""
    node: Any = notebook.get("metadata")
    for key in ("llmbook", "release", "tasks"):
        node = node.get(key) if isinstance(node, dict) else None
    return node if isinstance(node, dict) else {}


def _of_old_release(each: Exercise, told: dict[str, str], answer: Answer) -> Answer:
    if each.id not in told or told[each.id] == each.checksum:
        return answer
    reason = (
        "The answer is to another question: the task was changed after this notebook "
        "was given out, or the notebook is not the one with your own numbers. Take "
        "the right one, or ask your instructor."
    )
    return Answer("changed", answer.source, reason, answer.notes)


def _choose(each: Exercise, cells: Sequence[_Cell]) -> Answer:
    """Choose the cell that answers an exercise."""
    notes: list[str] = []
    found = [cell for cell in cells if cell.grade_id == each.id]
    code = [cell for cell in found if cell.kind == "code"]
    worked_on = [cell for cell in code if not each.is_untouched(cell.source)]
    if not worked_on:
        worked_on = [cell for cell in cells if _defines(cell, each)]
        notes += ["the answer stands in a cell without id; it was found by its names"]
    if worked_on:
        if len({cell.source.strip() for cell in worked_on}) > 1:
            notes.append(f"{len(worked_on)} cells answer {each.short}; the last counts")
        return Answer("", worked_on[-1].source, notes=tuple(notes))
    if code:
        return Answer("empty", code[-1].source, "Nothing was written.")
    if found:
        reason = (
            f"The cell of {each.short} holds {found[-1].kind or 'no'} text, no code."
        )
        return Answer("missing", reason=reason)
    return Answer("missing", reason=f"The notebook has no cell for {each.short}.")


def _defines(cell: _Cell, each: Exercise) -> bool:
    """Tell by its text whether a cell without an id binds an exercise's names."""
    if cell.grade_id or cell.kind != "code" or each.is_untouched(cell.source):
        return False
    names = [n for n in each.provides if f"def {n}(" in each.solution] or each.provides
    return bool(names) and all(
        re.search(rf"^(def|class) {name}\b|^{name}\s*=", cell.source, re.M)
        for name in names
    )
