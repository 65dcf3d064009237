"""An exercise and a chapter of exercises, as the rest of the package sees them."""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from llmbook_homework.exercises import slicing
from llmbook_homework.exercises.statements import Statement
from llmbook_press.regions import (
    clear_hidden_tests,
    clear_solution,
    split_regions,
)

HEAD = re.compile(
    r"^:{3,}\{admonition\} Exercise \d+: (?P<title>.+?) "
    r"\((?P<level>easy|medium|hard), (?P<minutes>\d+) min\)",
    re.M,
)
# Lines that a stub may hold and a student may take away or leave.
EMPTY_LINES = {"", "...", "pass", "raise NotImplementedError()", "# YOUR CODE HERE"}
Position = tuple[int, int]


@dataclass(frozen=True)
class Exercise:
    """One exercise: what students see, what grades them, what both need.

    Attributes
    ----------
    id : str
        nbgrader's grade id of the solution cell, ``"ch11-ex3"``; that of the check
        cell is ``check_id``.
    short : str
        ``"ex3"``.
    title, level : str
        ``"bug hunt"``, and ``"easy"``, ``"medium"`` or ``"hard"``.
    minutes : int
        What the book says that it takes.
    points : float
    task : str
        Markdown of the task.
    solution, stub : str
        The solution cell in full, and as a student gets it.
    check, visible_check : str
        The check cell in full, and without its hidden tests.
    hidden : str
        The lines of the hidden tests; empty if there are none.
    needs : tuple of str
        Chapter code to run before, in order: the Setup cell, then statements on
        which solution and check depend.
    positions : tuple of pairs of int
        For each of ``needs`` its cell and statement in the notebook; ``prelude``
        joins the needs of several exercises by them.
    chapter : str
        ``"11"``.
    metadata : dict
        ``metadata.llmbook`` of the solution cell: what the exercise declares.
    """

    id: str
    short: str
    title: str
    level: str
    minutes: int
    points: float
    task: str
    solution: str
    stub: str
    check: str
    visible_check: str
    hidden: str
    needs: tuple[str, ...]
    positions: tuple[Position, ...]
    chapter: str
    metadata: dict[str, Any] = field(default_factory=dict, hash=False)

    @property
    def check_id(self) -> str:
        """The grade id of the check cell."""
        return f"{self.id}-check"

    @cached_property
    def provides(self) -> tuple[str, ...]:
        """Names that the solution binds: those that the check asks for."""
        return tuple(sorted(slicing.bound_names(self.solution)))

    @property
    def checksum(self) -> str:
        """Hash of what a student is asked: task and stub, spaces aside."""
        asked = " ".join(self.task.split()) + "\0" + "\0".join(_lines(self.stub))
        return hashlib.sha256(asked.encode()).hexdigest()[:16]

    @cached_property
    def n_visible(self) -> int:
        """Assertions in the check that a student has."""
        return _n_assertions(self.visible_check)

    @cached_property
    def n_hidden(self) -> int:
        """Assertions that run only when it is graded."""
        return _n_assertions(self.check) - self.n_visible

    def is_untouched(self, source: str) -> bool:
        """Tell whether a student's cell is the stub still.

        Examples
        --------
        >>> from llmbook_homework.exercises.tasks import example
        >>> example().is_untouched("def double(x):\\n    ...\\n")
        True
        """
        return _lines(source) in (_lines(self.stub), [])


def _lines(source: str) -> list[str]:
    """Lines of a cell that say something."""
    lines = [line.rstrip() for line in source.splitlines()]
    return [line for line in lines if line.strip() not in EMPTY_LINES]


def _n_assertions(source: str) -> int:
    return len(re.findall(r"^\s*assert\b", source, re.M))


@dataclass(frozen=True)
class Chapter:
    """A chapter's exercises, and its statements for whoever uses more of it.

    Attributes
    ----------
    path : Path
        Its notebook.
    number, title : str
        ``"11"``, and the first heading.
    exercises : tuple of Exercise
    statements : tuple of Statement
        All of its code outside exercises, in order.
    """

    path: Path
    number: str
    title: str
    exercises: tuple[Exercise, ...]
    statements: tuple[Statement, ...]

    @property
    def slug(self) -> str:
        """The notebook's name without its ending, ``"11_gpt_from_scratch"``."""
        return self.path.stem

    def exercise(self, name: str) -> Exercise:
        """Find an exercise by its id, ``"ch11-ex3"``, or shortly, ``"ex3"`` or ``"3"``.

        Raises
        ------
        ValueError
            If there is none of that name.
        """
        for each in self.exercises:
            if name in (each.id, each.short, each.short.removeprefix("ex")):
                return each
        there = ", ".join(each.short for each in self.exercises)
        raise ValueError(f"chapter {self.number} has no exercise {name!r}, but {there}")

    def choose(self, names: Iterable[str] = ()) -> list[Exercise]:
        """List exercises in the chapter's order; no names means all of them."""
        chosen = {self.exercise(name).id for name in names}
        return [each for each in self.exercises if not chosen or each.id in chosen]


def example() -> Exercise:
    """Make a small exercise for tests and examples."""
    solution = (
        "def double(x):\n    ### BEGIN SOLUTION\n    return 2 * x\n    ### END SOLUTION"
    )
    check = (
        'assert double(2) == 4, "Twice 2 is 4."\n### BEGIN HIDDEN TESTS\n'
        "assert double(-1.5) == -3\n### END HIDDEN TESTS"
    )
    return Exercise(
        id="ch00-ex1",
        short="ex1",
        title="twice",
        level="easy",
        minutes=1,
        points=2,
        task=":::{admonition} Exercise 1: twice (easy, 1 min)\nWrite `double`.\n:::",
        solution=solution,
        stub=clear_solution(solution),
        check=check,
        visible_check=clear_hidden_tests(check),
        hidden=split_regions(check, "HIDDEN TESTS")[1][0],
        needs=(),
        positions=(),
        chapter="00",
    )
