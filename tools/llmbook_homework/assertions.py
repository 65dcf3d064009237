"""Run a check assertion by assertion, and explain what went wrong.

As a program, ``python -m llmbook_homework.assertions JOB RESULT`` does so for
an answer in a process of its own, which may die.
"""

import ast
import contextlib
import io
import json
import sys
import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from llmbook_homework.grading.sandbox import moved

STUB_MARK = "raise NotImplementedError()"


@dataclass(frozen=True, repr=False)
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
    note : str
        What else a student has to know.
    """

    exercise: str
    passed: int
    checks: int
    hidden: int
    problem: str = ""
    note: str = ""

    @property
    def is_good(self) -> bool:
        """Whether all checks held."""
        return not self.problem

    def __str__(self) -> str:
        more = f"; {self.hidden} more run at grading" if self.hidden else ""
        held = "all" if self.is_good else f"{self.passed} of"
        head = f"{self.exercise}: {held} {count(self.checks)} passed{more}."
        return "\n".join(filter(None, [head, self.problem, self.note]))

    __repr__ = __str__  # what a notebook shows below its cell


def count(number: int) -> str:
    """Write a number of checks."""
    return f"{number} check{'' if number == 1 else 's'}"


def n_checks(source: str) -> int:
    """Count the assertions of a check."""
    return sum(isinstance(node, ast.Assert) for node in ast.walk(ast.parse(source)))


class _Mark(ast.NodeTransformer):
    """After each assertion, note that it held."""

    def visit_Assert(self, node: ast.Assert) -> list[ast.stmt]:
        note = ast.parse(f"__llmbook_held__({node.lineno})").body[0]
        ast.copy_location(note, node)
        return [node, ast.fix_missing_locations(note)]


def run_check(source: str, names: dict[str, Any]) -> tuple[int, str]:
    """Run a check; give how many assertions held, and the first problem."""
    held: set[int] = set()
    tree = _Mark().visit(ast.parse(source))
    names["__llmbook_held__"] = held.add
    code = compile(tree, "<check>", "exec")
    try:
        exec(code, names)
    except AssertionError as error:
        line = _line_of(error, "<check>")
        failed = source.splitlines()[line - 1].strip() if line else "assert"
        # subtle: an assertion in a loop may have held before and fail now.
        return len(held - {line}), f"Hint: {error}" if str(
            error
        ) else f"Not so: {failed}"
    except (Exception, SystemExit) as error:
        return len(held), explain(error)
    finally:
        names.pop("__llmbook_held__", None)
    return len(held), ""


def _line_of(error: BaseException, file: str) -> int:
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.lineno for frame in frames if frame.filename == file]
    return (lines[-1] if lines else 0) or 0


def explain(error: BaseException) -> str:
    """Say what an error of a student's code most often means.

    Examples
    --------
    >>> explain(NotImplementedError())
    'There is no answer yet: put your code in place of `raise NotImplementedError()`.'
    """
    if isinstance(error, NotImplementedError):
        return f"There is no answer yet: put your code in place of `{STUB_MARK}`."
    if isinstance(error, SystemExit):
        return "Your code ends Python (exit or quit); leave that out."
    if isinstance(error, SyntaxError):
        return _explain_syntax(error)
    what = f"{type(error).__name__}: {error}".rstrip(".: ")
    line = _line_of(error, "<answer>")
    where = f" in line {line} of your cell" if line else ""
    hints = {
        NameError: "Is the name spelled as in the task, and defined in this very cell? "
        "Grading takes that cell alone.",
        EOFError: "Grading types nothing: leave input() out.",
        TypeError: "Does a function return nothing, or take other arguments?",
        RecursionError: "A function calls itself without end.",
    }
    hint = next((t for kind, t in hints.items() if isinstance(error, kind)), "")
    return f"{what}{where}. {hint}".strip()


def _explain_syntax(error: SyntaxError) -> str:
    hint = "Python cannot read that line, or the one above it."
    if (error.text or "").lstrip()[:1] in tuple("%!?"):
        hint = "Lines with % or ! are Jupyter's own; grading reads Python alone."
    what = f"{type(error).__name__}: {error.msg}"
    return f"line {error.lineno} of your cell: {what}. {hint}"


def _outcome(job: dict[str, Any]) -> tuple[int, str]:
    """Run the chapter's code, the answer and its check; explain what goes wrong."""
    names: dict[str, Any] = {"__name__": "__main__"}
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            for source in job["before"]:
                exec(compile(source, "<chapter>", "exec"), names)
    except BaseException as error:
        return 0, (
            "The chapter's own code above the exercises fails here with "
            f"{type(error).__name__}: {error}. Put it back as you got it"
        )
    try:
        exec(compile(job["answer"], "<answer>", "exec"), names)
        return run_check(job["check"], names)
    except BaseException as error:  # Ctrl-C raised by the answer, for one
        return 0, explain(error)


def _child(job_file: str, out_file: str) -> None:
    """Run one job in this process."""
    moved.install()
    passed, problem = _outcome(json.loads(Path(job_file).read_text(encoding="utf8")))
    draft = Path(f"{out_file}.draft")
    text = json.dumps({"passed": passed, "problem": problem})
    draft.write_text(text, encoding="utf8")
    draft.replace(out_file)


if __name__ == "__main__":
    _child(*sys.argv[1:])
