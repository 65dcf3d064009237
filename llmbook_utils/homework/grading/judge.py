"""The judge runs a check on what a student's names do, and says how it went.

It is our own code with data from outside: the student's runs in another process,
behind the stand-ins of ``remote``. Hidden tests never leave this process.
"""

import builtins
import contextlib
import io
import json
import re
import socket
import traceback
from typing import Any

from llmbook_utils.homework.exercises import slicing
from llmbook_utils.homework.grading import nursery
from llmbook_utils.homework.grading.remote import Ended, Judge
from llmbook_utils.homework.grading.values import ValueProblem
from llmbook_utils.homework.grading.wire import Channel, Closed

CHECK = "<check>"
HIDDEN_FAILED = "A further test, which runs only at grading, does not hold."
MAX_REASON = 1500  # characters


def verdict(status: str, reason: str = "", is_hidden: bool = False) -> dict[str, Any]:
    """Put together what the judge says of one exercise."""
    if len(reason) > MAX_REASON:
        reason = reason[:MAX_REASON] + " [...]"
    return {"status": status, "reason": reason, "is_hidden": is_hidden}


def check_exercise(request: dict, judge: Judge, names: dict[str, Any]) -> dict:
    """Run a check; every way in which it can end gives a verdict.

    Parameters
    ----------
    request : dict
        ``check`` (source), ``provides`` (names that the student's cell should bind).
    judge : Judge
        Connected to the worker.
    names : dict
        The chapter's names.

    Returns
    -------
    dict
        ``status``, ``reason`` and ``is_hidden``.
    """
    asked = {place.name for place in slicing.free_places(request["check"])}
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            found = judge.define(request["provides"])
            missing = sorted(asked & set(request["provides"]) - set(found))
            if missing:
                is_are = (
                    "which its check uses" if len(missing) == 1 else "which are used"
                )
                return verdict(
                    "error", f"The cell defines no {_code(missing)}, {is_are}."
                )
            own = {k: v for k, v in names.items() if k not in request["provides"]}
            exec(compile(request["check"], CHECK, "exec"), {**own, **found})
    except Closed:
        return verdict("stopped")
    except Ended as error:
        return verdict("stopped", _ended(error))
    except ValueProblem as problem:
        return verdict("error", f"The answer holds {problem}.")
    except RecursionError as error:
        return _failed(error, request["check"])
    except Exception as error:
        return _failed(error, request["check"])
    return verdict("passed")


def _code(names: list[str]) -> str:
    return " and no ".join(f"`{name}`" for name in names)


def _ended(error: BaseException) -> str:
    node = error.of_student  # type: ignore[attr-defined]
    place = f" ({node['where']})" if node["where"] else ""
    if node["type"] == "MemoryError":
        return "The code asked for more memory than there is for an exercise."
    if node["type"] == "SystemExit":
        return f"The code called exit{place}: nothing after it ran."
    return f"The code raised {node['type']}{place}: nothing after it ran."


def _failed(error: Exception, check: str) -> dict:
    """Give the reason for an exception: a check's, the student's, or between them."""
    is_hidden = _is_hidden(error, check)
    node = getattr(error, "of_student", None)
    if node and is_hidden:  # its message may hold what the test asked with
        kind = node["type"] if hasattr(builtins, node["type"]) else "an error"
        return verdict("error", f"The code raised {kind} in a hidden test.", is_hidden)
    if node:
        place = f" ({node['where']})" if node["where"] else ""
        if node["type"] == "NotImplementedError" and not node["message"]:
            reason = f"Not written yet: `raise NotImplementedError()` is there{place}."
            return verdict("failed", reason, is_hidden)
        message = f": {node['message']}" if node["message"] else ""
        reason = f"The code raised {node['type']}{message}{place}"
        return verdict("error", reason, is_hidden)
    if isinstance(error, AssertionError):
        empty = HIDDEN_FAILED if is_hidden else "A check does not hold."
        return verdict("failed", str(error) or empty, is_hidden)
    if is_hidden:
        return verdict("error", HIDDEN_FAILED, is_hidden)
    line = _line(error)
    kind = type(error).__name__
    reason = f"The check cannot use the answer: {kind}: {error} (line {line} of it)"
    return verdict("error", reason)


def _line(error: BaseException) -> int:
    """Tell in which line of the check an exception passed through its top level."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [f for f in frames if f.filename == CHECK and f.name == "<module>"]
    return own[-1].lineno or 0 if own else 0


def _is_hidden(error: BaseException, check: str) -> bool:
    line = _line(error)
    before = "\n".join(check.splitlines()[: max(line, 0)])
    begun = len(re.findall("BEGIN HIDDEN TESTS", before))
    return begun > len(re.findall("END HIDDEN TESTS", before))


def task(request: dict, own: socket.socket, names: dict[str, Any]) -> str:
    """Check one exercise; the report is the verdict."""
    judge = Judge(Channel(own))
    return json.dumps(check_exercise(request, judge, names))


if __name__ == "__main__":
    nursery.main(task)
