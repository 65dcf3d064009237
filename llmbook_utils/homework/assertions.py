"""Run a check assertion by assertion, and explain what went wrong.

As a program, ``python -m llmbook_utils.homework.assertions JOB RESULT`` does so for
an answer in a process of its own, which may die.
"""

import ast
import contextlib
import io
import json
import sys
import traceback
from pathlib import Path
from typing import Any

STUB_MARK = "raise NotImplementedError()"


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
    what = f"{type(error).__name__}: {error}"
    line = _line_of(error, "<answer>")
    where = f" in line {line} of your cell" if line else ""
    hints = {
        NameError: "Is the name spelled as in the task, and defined in this very cell? "
        "Grading takes that cell alone.",
        SyntaxError: "Python cannot read that line, or the one above it.",
        TypeError: "Does a function return nothing, or take other arguments?",
        RecursionError: "A function calls itself without end.",
    }
    hint = next((t for kind, t in hints.items() if isinstance(error, kind)), "")
    return f"{what}{where}. {hint}".strip()


def _child(job_file: str, out_file: str) -> None:
    """Run one job in this process; the answer's errors are explained."""
    job = json.loads(Path(job_file).read_text(encoding="utf8"))
    names: dict[str, Any] = {"__name__": "__main__"}
    with contextlib.redirect_stdout(io.StringIO()):
        for source in job["before"]:
            exec(compile(source, "<chapter>", "exec"), names)
    passed, problem = 0, ""
    try:
        exec(compile(job["answer"], "<answer>", "exec"), names)
    except (Exception, SystemExit) as error:
        problem = explain(error)
    if not problem:
        passed, problem = run_check(job["check"], names)
    draft = Path(f"{out_file}.draft")
    draft.write_text(json.dumps({"passed": passed, "problem": problem}))
    draft.replace(out_file)


if __name__ == "__main__":
    _child(*sys.argv[1:])
