"""The exercises of a chapter, read from its notebook."""

import hashlib
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llmbook_homework.exercises import slicing
from llmbook_homework.exercises.statements import Statement, statements
from llmbook_homework.exercises.tasks import HEAD, Chapter, Exercise, Position
from llmbook_press.regions import (
    CODE_STUB,
    clear_hidden_tests,
    clear_solution,
    split_regions,
)

if TYPE_CHECKING:
    from nbformat import NotebookNode


def load(path: Path) -> Chapter:
    """Read the exercises of a chapter's notebook.

    Parameters
    ----------
    path : Path
        The book's notebook, with solutions.

    Returns
    -------
    Chapter

    Raises
    ------
    ValueError
        If a solution has no check, or no task says its difficulty and minutes.
    """
    import nbformat  # a second; checker and worker import this package and do not read

    nb = nbformat.read(path, as_version=4)
    number = path.name.split("_")[0]
    checks = {
        cell.metadata.nbgrader.grade_id: cell for cell in nb.cells if _is(cell, "grade")
    }
    found, earlier = [], []
    task = ""
    for position, cell in enumerate(nb.cells):
        if cell.cell_type == "markdown" and HEAD.search(cell.source):
            task = cell.source
        elif _is(cell, "solution"):
            check = checks.get(f"{cell.metadata.nbgrader.grade_id}-check")
            if check is None or not task:
                missing = "task" if check else "check cell"
                raise ValueError(
                    f"{path.name}: {cell.metadata.nbgrader.grade_id} has no {missing}"
                )
            found.append(_exercise(number, task, cell, check, tuple(earlier)))
            task = ""
        elif cell.cell_type == "code" and not _is(cell, "grade"):
            earlier += _chapter_code(cell, position)
    title = re.search(r"^# (.+)$", nb.cells[0].source, re.M) if nb.cells else None
    name = title[1].strip() if title else path.stem
    return Chapter(path, number, name, tuple(found), tuple(s for s, _ in earlier))


def of(number: str, root: Path | None = None) -> Chapter:
    """Read the exercises of a chapter of this repository, by its number.

    Raises
    ------
    ValueError
        If there is no such chapter.
    """
    from llmbook_press import notebooks

    (path, *_) = notebooks.notebook_paths(root or notebooks.book_root(), [number])
    return load(path)


def _is(cell: "NotebookNode", part: str) -> bool:
    return bool(cell.metadata.get("nbgrader", {}).get(part))


def _chapter_code(cell: "NotebookNode", position: int) -> list[tuple[Statement, str]]:
    """Read a cell's statements, each with the cell's id or, there, ``setup``."""
    tags = cell.metadata.get("tags", [])
    if "colab-setup" in tags or "quiz" in tags:
        return []
    mark = "setup" if "set_seed(0)" in cell.source else cell.get("id", "")
    return [(each, mark) for each in statements(cell.source, position)]


def _exercise(
    number: str,
    task: str,
    cell: "NotebookNode",
    check: "NotebookNode",
    earlier: Sequence[tuple[Statement, str]],
) -> Exercise:
    head = HEAD.search(task)
    assert head
    grade_id = cell.metadata.nbgrader.grade_id
    declared = dict(cell.metadata.get("llmbook", {}))
    needed = _needed(grade_id, cell.source, check.source, declared, earlier)
    return Exercise(
        id=grade_id,
        short=grade_id.rpartition("-")[2],
        title=head["title"],
        level=head["level"],
        minutes=int(head["minutes"]),
        points=check.metadata.nbgrader.points,
        task=task,
        solution=cell.source,
        stub=clear_hidden_tests(clear_solution(cell.source, CODE_STUB)),
        check=check.source,
        visible_check=clear_hidden_tests(check.source),
        hidden="\n".join(split_regions(check.source, "HIDDEN TESTS")[1]),
        needs=tuple(each.source for each in needed),
        positions=tuple(each.position for each in needed),
        chapter=number,
        metadata=declared,
    )


def _needed(
    grade_id: str,
    solution: str,
    check: str,
    declared: dict[str, Any],
    earlier: Sequence[tuple[Statement, str]],
) -> list[Statement]:
    """Find the chapter's statements that an exercise needs."""
    every = [statement for statement, _ in earlier]
    wanted = slicing.free_places(f"{solution}\n{check}")
    chosen, unknown = slicing.backwards(wanted, every)
    if unknown:
        raise ValueError(
            f"{grade_id} uses {', '.join(sorted(unknown))}, which no cell before it "
            "defines; exercises may not use each other's names"
        )
    cells = {"setup", *declared.get("needs", [])}
    missing = cells - {mark for _, mark in earlier} - {"setup"}
    if missing:
        raise ValueError(f"{grade_id} declares needs that are no cells: {missing}")
    asked = [statement for statement, mark in earlier if mark in cells]
    for statement in asked:
        before = [each for each in every if each.position < statement.position]
        chosen += slicing.backwards(statement.uses, before)[0]
    return sorted({*chosen, *asked}, key=lambda each: each.position)


def prelude(exercises: Iterable[Exercise]) -> list[str]:
    """Join the chapter code that several exercises need, each statement once.

    Parameters
    ----------
    exercises : iterable of Exercise
        Of one chapter.

    Returns
    -------
    list of str
        Python sources in the notebook's order.
    """
    found: dict[Position, str] = {}
    for each in exercises:
        found.update(zip(each.positions, each.needs, strict=True))
    return [found[position] for position in sorted(found)]


def stamp(exercises: Sequence[Exercise], **more: Any) -> dict[str, Any]:
    """Describe a release, for ``metadata.llmbook.release`` of its notebook.

    By ``tasks`` an old release is known: a checksum for each exercise's task and stub.

    Parameters
    ----------
    exercises : sequence of Exercise
        What is released.
    **more
        Further entries, such as a seed.

    Returns
    -------
    dict
        With ``chapter``, ``tasks`` and ``checksum``.
    """
    tasks = {each.id: each.checksum for each in exercises}
    whole = hashlib.sha256(json.dumps(tasks, sort_keys=True).encode()).hexdigest()[:16]
    chapter = exercises[0].chapter if exercises else ""
    return {"chapter": chapter, "tasks": tasks, "checksum": whole, **more}


def with_points(
    exercises: Iterable[Exercise], points: dict[str, float]
) -> list[Exercise]:
    """Give exercises other points, by id or short name; unnamed ones keep theirs."""
    return [
        replace(each, points=points.get(each.id, points.get(each.short, each.points)))
        for each in exercises
    ]
