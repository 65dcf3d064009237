"""The checker runs a check on what a student's names do, and says how it went.

It is our own code with data from outside: the student's runs in another process,
behind the stand-ins of ``remote``. Hidden tests never leave this process.
"""

import ast
import builtins
import contextlib
import functools
import io
import json
import socket
import traceback
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from llmbook_homework.exercises import slicing
from llmbook_homework.grading.sandbox import fork_server
from llmbook_homework.grading.sandbox.codec import Decoder, Encoder, ValueProblem
from llmbook_homework.grading.sandbox.remote import KEPT, Checker, Ended, merge
from llmbook_homework.grading.sandbox.rpc import Channel, Closed

CHECK = "<check>"
HIDDEN_FAILED = "A further test, which runs only at grading, does not hold."
MAX_REASON = 1500  # characters


def verdict(status: str, reason: str = "", is_hidden: bool = False) -> dict[str, Any]:
    """Put together what the checker says of one exercise."""
    if len(reason) > MAX_REASON:
        reason = reason[:MAX_REASON] + " [...]"
    return {"status": status, "reason": reason, "is_hidden": is_hidden}


def check_exercise(request: dict, checker: Checker, names: dict[str, Any]) -> dict:
    """Run a check; every way in which it can end gives a verdict.

    Parameters
    ----------
    request : dict
        ``check`` (source), ``provides`` (names that the student's cell should bind),
        ``is_hidden``: what the student may see of it has passed already, so that only
        hidden tests can fail, and the reason must not tell what they asked with.
        ``withholds``: what the student's code does to its arguments is left out.
    checker : Checker
        Connected to the worker.
    names : dict
        The chapter's names.

    Returns
    -------
    dict
        ``status``, ``reason``, ``is_hidden``, and of one that passed ``has_changed``:
        the student's code did something to its arguments.
    """
    asked = {place.name for place in slicing.free_places(request["check"])}
    is_hidden = bool(request.get("is_hidden"))
    checker.withholds = bool(request.get("withholds"))
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            found = checker.define(request["provides"])
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
            if checker.broken:
                raise checker.broken
    except Closed:
        return verdict("stopped", is_hidden=is_hidden)
    except Ended as error:
        return verdict("stopped", _ended(error, is_hidden), is_hidden)
    except ValueProblem as problem:
        reason = HIDDEN_FAILED if is_hidden else f"The answer holds {problem}."
        return verdict("error", reason, is_hidden)
    except Exception as error:
        return _failed(error, request["check"], is_hidden)
    return {**verdict("passed"), "has_changed": checker.has_changed}


def check_solution(request: dict, names: dict[str, Any]) -> dict:
    """Run a check on its own solution, and undo what that does to its arguments.

    Only functions of data can be seen through: where there are classes, or functions
    that give functions, the check does not pass.
    """
    own = dict(names)
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            exec(compile(request["solution"], "<solution>", "exec"), own)
            for name in request["provides"]:
                own[name] = undoing(own[name])
            exec(compile(request["check"], CHECK, "exec"), own)
    except (Exception, ValueProblem) as error:
        return verdict("failed", str(error))
    return verdict("passed")


def undoing(function: Any) -> Any:
    """Make a function that leaves its arguments as they are.

    Examples
    --------
    >>> numbers = [3, 1]
    >>> undoing(list.sort)(numbers), numbers
    (None, [3, 1])
    """

    def refuse(value: Any) -> Any:
        raise ValueProblem("an object that is no data")

    def kept(node: dict) -> Any:
        for part in node.get("parts", ()):  # tensors inside an object
            decoder.value(part)
        return KEPT

    def called(*args: Any, **kwargs: Any) -> Any:
        nonlocal decoder
        known = [list(args), kwargs]
        encoder = Encoder(lambda value: {"t": "kept"}, by_pickle=True)
        tree = encoder.tree(known)
        now = list(encoder.tensors)
        value = function(*args, **kwargs)
        Encoder(refuse).tree(value)
        decoder = Decoder(encoder.buffers, kept)
        merge(known, decoder.value(tree))
        for mine, before in zip(now, decoder.tensors, strict=True):
            merge(mine, before)
        return value

    decoder = Decoder([], kept)
    if isinstance(function, type):
        raise ValueProblem("a class")
    return called if callable(function) else function


def _code(names: list[str]) -> str:
    return " and no ".join(f"`{name}`" for name in names)


def _ended(error: BaseException, is_hidden: bool) -> str:
    node = error.of_student  # type: ignore[attr-defined]
    place = f" ({node['where']})" if node["where"] else ""
    if node["type"] == "MemoryError":
        return "The code asked for more memory than there is for an exercise."
    if is_hidden:
        return "The code ended its process in a hidden test."
    if node["type"] == "SystemExit":
        return f"The code called exit{place}: nothing after it ran."
    return f"The code raised {node['type']}{place}: nothing after it ran."


def _failed(error: Exception, check: str, is_hidden: bool) -> dict:
    """Give the reason for an exception: a check's, the student's, or between them."""
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
        if is_hidden:
            return verdict("failed", _told(error, check) or HIDDEN_FAILED, is_hidden)
        return verdict("failed", str(error) or "A check does not hold.")
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


def _told(error: BaseException, check: str) -> str:
    """Give a hidden assertion's message without values.

    A value may be the student's, and say with what the test asked.
    """
    frame, line = list(traceback.walk_tb(error.__traceback__))[-1]
    if frame.f_code.co_filename != CHECK:
        return ""
    nodes = list(ast.walk(ast.parse(check)))
    failed = [
        node
        for node in nodes
        if isinstance(node, ast.Assert)
        and node.lineno <= line <= (node.end_lineno or line)
    ]
    own = {node.value for node in nodes if isinstance(node, ast.Constant)}
    names = {**frame.f_globals, **frame.f_locals}
    text = _fixed(failed[-1].msg, names, own) if failed else ""
    return text if any(letter.isalpha() for letter in text) else ""


def _fixed(message: ast.expr | None, names: dict[str, Any], own: set) -> str:
    """Put together the parts of a message that stand in the check."""
    if isinstance(message, ast.Constant):
        return str(message.value)
    if isinstance(message, ast.JoinedStr):
        return "".join(_fixed(part, names, own) for part in message.values)
    if isinstance(message, ast.FormattedValue):
        return _fixed(message.value, names, own)
    value = names.get(message.id) if isinstance(message, ast.Name) else None
    return value if type(value) is str and value in own else "..."


def strict(close: Callable[..., bool], read: Callable[[Any], Any]) -> Callable:
    """Make an ``allclose`` for which nothing is not close to everything.

    Shapes (0, 3) and (3,) go together, and of no number all are close.

    Examples
    --------
    >>> np.allclose(np.zeros((0, 3)), np.ones(3))
    True
    >>> strict(np.allclose, np.asanyarray)(np.zeros((0, 3)), np.ones(3))
    False
    """

    @functools.wraps(close)
    def both(a: Any, b: Any, *args: Any, **kwargs: Any) -> bool:
        a, b = read(a), read(b)
        alike = (0 in a.shape) == (0 in b.shape)
        return alike and close(a, b, *args, **kwargs)

    return both


def task(request: dict, own: socket.socket, names: dict[str, Any]) -> str:
    """Check one exercise; the report is the verdict."""
    if "solution" in request:
        return json.dumps(check_solution(request, names))
    np.allclose = strict(np.allclose, np.asanyarray)
    torch.allclose = strict(torch.allclose, lambda tensor: tensor)
    checker = Checker(Channel(own))
    return json.dumps(check_exercise(request, checker, names))


if __name__ == "__main__":
    fork_server.main(task)
