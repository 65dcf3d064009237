"""The worker runs a student's code in a sandbox. It knows no check and no solution.

It executes the student's cell among the chapter's names, then does what the checker
asks by number: call this function with these values, differentiate that result.
"""

import builtins
import contextlib
import json
import random
import re
import socket
import sys
import traceback
from typing import Any
from unittest import mock

import numpy as np
import torch

from llmbook_homework.exercises import slicing
from llmbook_homework.exercises.statements import Statement, statements
from llmbook_homework.grading.sandbox import fork_server
from llmbook_homework.grading.sandbox.codec import Encoder, ValueProblem
from llmbook_homework.grading.sandbox.rpc import Channel, Closed, Peer, described

MAGIC = re.compile(r"^\s*[%!].*$", re.M)
CELL = "<your cell>"


class Lent:
    """A function or object of the check, handed to the student's code."""

    def __init__(self, peer: "Worker", node: dict) -> None:
        self._peer, self._number = peer, node["n"]
        self.__name__ = node["name"]

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Ask the checker to call it."""
        return self._peer.call_back(self._number, args, kwargs)


class Worker(Peer):
    """Answers the checker's requests."""

    def __init__(self, channel: Channel, names: dict[str, Any], request: dict) -> None:
        super().__init__(channel, trusts=True, trusted=False)
        self.names, self.given = names, request
        self.graphs: dict[int, tuple[Any, list[Any]]] = {}

    def proxy(self, node: dict) -> Any:
        """Stand in for a function of the check."""
        return Lent(self, node)

    def handle(self, value: Any) -> Any:
        """Describe what stays here, and what is the checker's own."""
        if isinstance(value, Lent) and value._peer is self:
            return {"t": "yours", "n": value._number}
        return super().handle(value)

    def call_back(self, number: int, args: tuple, kwargs: dict) -> Any:
        """Call a function of the check."""
        encoder = self.encoder()
        tree = encoder.tree([number, list(args), kwargs])
        reply, buffers = self.request("call back", {"tree": tree}, encoder.buffers)
        if "error" in reply:
            raise _builtin_error(reply["error"])
        return self.decoder(buffers).value(reply["value"])

    def answer(self, message: dict, buffers: list[bytes]) -> tuple[dict, list[bytes]]:
        """Do a request; what the student's code raises is the reply."""
        try:
            return getattr(self, f"do_{message['do']}")(message, buffers)
        except Closed:
            raise
        except MemoryError:
            return {"error": {"type": "MemoryError", "message": "", "where": ""}}, []
        except BaseException as error:
            return {"error": described(error, where(error))}, []

    def do_define(self, message: dict, _: list[bytes]) -> tuple[dict, list[bytes]]:
        """Run the student's cell; tell what it made of the names asked for."""
        lend_names(self.given, self.names)
        run_cell(self.given["source"], self.names)
        encoder = self.encoder()
        found = {n: self.names[n] for n in message["names"] if n in self.names}
        values = {name: encoder.tree(value) for name, value in found.items()}
        return {"names": values}, encoder.buffers

    def do_call(self, message: dict, buffers: list[bytes]) -> tuple[dict, list[bytes]]:
        """Call an object; send the value, and arguments that were changed in place."""
        decoder = self.decoder(buffers)
        number, args, kwargs, state, patches = decoder.value(message["tree"])
        known = [args, kwargs], decoder.tensors
        before = self._seen(*known)
        with _as_in_the_checker(state, patches):
            value = self.lent[number](*args, **kwargs)
        inputs = [t for t in decoder.tensors if getattr(t, "requires_grad", False)]
        encoder = self.encoder(on_tensor=lambda t: self._keep(t, inputs))
        reply: dict[str, Any] = {"value": encoder.tree(value)}
        if self._seen(*known) != before:
            reply["args"], reply["tensors"] = self._arguments(encoder, *known)
        return reply, encoder.buffers

    def _keep(self, tensor: torch.Tensor, inputs: list[Any]) -> int | None:
        if tensor.grad_fn is None and not any(tensor is each for each in inputs):
            return None
        self.graphs[len(self.graphs)] = (tensor, inputs)
        return len(self.graphs) - 1

    def _arguments(self, encoder: Encoder, args: list, tensors: list) -> list:
        """Encode arguments as they are now; objects of other kinds are only named."""
        encoder.handle, encoder.on_tensor = self._kept, None
        return [encoder.tree(args), [encoder.tree(_plain(t)) for t in tensors]]

    def _kept(self, value: Any) -> Any:
        return self.handle(value) if isinstance(value, Lent) else {"t": "kept"}

    def _seen(self, args: list, tensors: list) -> tuple[str, list[bytes]]:
        encoder = self.encoder()
        try:
            return json.dumps(self._arguments(encoder, args, tensors)), encoder.buffers
        except ValueProblem as problem:  # say, put into itself: changed for certain
            return str(problem), []

    def do_slope(self, message: dict, buffers: list[bytes]) -> tuple[dict, list[bytes]]:
        """Send the gradients of a kept result with respect to the arguments."""
        output, inputs = self.graphs[message["graph"]]
        slope = self.decoder(buffers).value(message["tree"])
        with torch.enable_grad():
            found = torch.autograd.grad(
                output, inputs, slope, retain_graph=True, allow_unused=True
            )
        encoder = self.encoder()
        return {"value": encoder.tree(list(found))}, encoder.buffers

    def do_look(self, message: dict, buffers: list[bytes]) -> tuple[dict, list[bytes]]:
        """Get an attribute, an item, the length or all items of an object."""
        number, how, key = self.decoder(buffers).value(message["tree"])
        value = self.lent[number]
        if how == "attribute":
            found = getattr(value, key)
        elif how == "item":
            found = value[key]
        elif how == "length":
            found = len(value)
        else:
            found = [item for item, _ in zip(value, range(key), strict=False)]
        encoder = self.encoder()
        return {"value": encoder.tree(found)}, encoder.buffers


def _plain(value: Any) -> Any:
    """A tensor without its graph; an array as it is."""
    return value.detach() if isinstance(value, torch.Tensor) else value


@contextlib.contextmanager
def _as_in_the_checker(state: dict, patches: list) -> Any:
    """Take over the checker's random numbers, gradient mode and patches for a call."""
    if state["random"] is not None:
        python, numpy, torch_state = state["random"]
        random.setstate(python)
        np.random.set_state(numpy)
        torch.set_rng_state(torch_state)
    with contextlib.ExitStack() as stack:
        stack.enter_context(torch.set_grad_enabled(state["grad"]))
        for target, attribute, new, how in patches:
            if isinstance(target, str):
                target = sys.modules[target]
            stack.enter_context(mock.patch.object(target, attribute, *new, **how))
        yield


def run_cell(source: str, names: dict[str, Any]) -> None:
    """Execute a cell; lines for IPython alone are left out if it is no Python else.

    Raises
    ------
    BaseException
        Whatever the cell raises.
    """
    try:
        code = compile(source, CELL, "exec")
    except SyntaxError:
        plain = MAGIC.sub("pass", source)
        if plain == source:
            raise
        code = compile(plain, CELL, "exec")
    exec(code, names)


def lend_names(request: dict, names: dict[str, Any]) -> None:
    """Run what the student's cell uses beyond the exercise's needs.

    The rest of the chapter comes first, and changes no name that is there. For names
    that the chapter never binds, the student's other cells are run as far as needed.
    """
    try:
        wanted = slicing.free_places(request["source"])
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return
    missing = {place for place in wanted if place.name not in names}
    if not missing:
        return
    before = dict(names)
    chapter = [line for source in request["chapter"] for line in _read(source)]
    known = set(before).union(*(line.binds for line in chapter))
    own = [line for source in request["others"] for line in _read(source)]
    own = [line for line in own if line.binds - known]
    needed, _ = slicing.backwards(missing, [*chapter, *own])
    for line in needed:
        if line in chapter:
            run_cell(line.source, names)
    names.update(before)
    for line in needed:
        if line not in chapter:
            run_cell(line.source, names)


def _read(source: str) -> list[Statement]:
    try:
        return statements(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []


def where(error: BaseException) -> str:
    """Say in which line of the student's cell an exception arose."""
    if isinstance(error, SyntaxError) and error.filename == CELL:
        return f"line {error.lineno}"
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if frame.filename == CELL]
    if not own:
        return ""
    within = "" if own[-1].name == "<module>" else f" in {own[-1].name}"
    return f"line {own[-1].lineno}{within}"


def _builtin_error(node: dict) -> Exception:
    kind = getattr(builtins, str(node["type"]), RuntimeError)
    is_usable = isinstance(kind, type) and issubclass(kind, Exception)
    try:
        return (kind if is_usable else RuntimeError)(node["message"])
    except TypeError:
        return RuntimeError(node["message"])


def task(request: dict, own: socket.socket, names: dict[str, Any]) -> str:
    """Serve the checker until it hangs up."""
    worker = Worker(Channel(own), names, request)
    with contextlib.suppress(Closed, ValueProblem):
        worker.loop(until_reply=False)
    return ""


if __name__ == "__main__":
    fork_server.main(task)
