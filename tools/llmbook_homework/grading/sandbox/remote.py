"""The checker's side of the wire: the student's functions as stand-ins.

A check calls ``pmi(1, 2, 4, 18)`` as it would in the notebook; the call runs in the
worker. Values come back as data. What is no data stays there, behind a
:class:`Remote`, which can be called and looked into, but is never true, and equal to
nothing but itself: a check cannot pass by an ``__eq__`` that a student wrote.
"""

import builtins
import pickle
import random
from collections.abc import Iterator
from typing import Any
from unittest import mock

import numpy as np
import torch
from torch import Tensor

from llmbook_homework.grading.sandbox import generators
from llmbook_homework.grading.sandbox.codec import Encoder, ValueProblem
from llmbook_homework.grading.sandbox.rpc import Channel, Peer, described

MAX_ITEMS = 100_000
KEPT = object()
# Exceptions that end the student's process are no errors to be caught by a check.
ENDING = {"SystemExit", "KeyboardInterrupt", "GeneratorExit", "MemoryError"}
SILENT = (StopIteration, StopAsyncIteration)


class Ended(BaseException):
    """The student's code ended the process, or cannot go on."""


class StudentError(Exception):
    """An exception of the student's code of a type that the checker does not know."""


class Remote:
    """An object that stays in the worker."""

    def __init__(self, checker: "Checker", node: dict) -> None:
        self._checker, self._number = checker, int(node["n"])
        self._type, self._calls = str(node["type"])[:80], bool(node["calls"])
        self.__name__ = str(node["name"])[:80]

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call it in the worker."""
        return self._checker.call(self._number, args, kwargs)

    def __getattr__(self, name: str) -> Any:
        """Read an attribute; special ones are not passed on."""
        if name.startswith("__"):
            raise AttributeError(name)
        return self._checker.look(self._number, "attribute", name)

    def __getitem__(self, key: Any) -> Any:
        """Read an item."""
        return self._checker.look(self._number, "item", key)

    def __len__(self) -> int:
        """Ask for its length."""
        return int(self._checker.look(self._number, "length", None))

    def __iter__(self) -> Iterator[Any]:
        """Fetch its items, at most ``MAX_ITEMS``."""
        return iter(self._checker.look(self._number, "items", MAX_ITEMS))

    def __bool__(self) -> bool:
        """Refuse: only values are true or false, and functions are there."""
        if self._calls:
            return True
        raise TypeError(f"a value was expected, not {self!r}")

    def __repr__(self) -> str:
        """Name its type."""
        return f"<an object of type {self._type}>"


class _Slope(torch.autograd.Function):
    """A tensor whose gradients the worker knows."""

    @staticmethod
    def forward(
        ctx: Any, checker: "Checker", graph: int, value: Tensor, *inputs: Tensor
    ):
        ctx.checker, ctx.graph = checker, graph
        return value.clone()

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, slope: Tensor):
        found = ctx.checker.slope(ctx.graph, slope)
        return None, None, None, *found


class Checker(Peer):
    """Calls the worker."""

    def __init__(self, channel: Channel) -> None:
        super().__init__(channel, trusts=False, trusted=True)
        self.sent_random = b""
        self.broken: AssertionError | None = None
        self.has_changed = self.withholds = False
        self.patches = _ActivePatches()

    def proxy(self, node: dict) -> Remote:
        """Stand in for an object of the worker."""
        return Remote(self, node)

    def resolve(self, node: dict) -> Any:
        """Decode a node that names an object; arguments come back as they were."""
        return KEPT if node["t"] == "kept" else super().resolve(node)

    def handle(self, value: Any) -> Any:
        """Describe what cannot be sent: a function of the check, or a stand-in."""
        if isinstance(value, Remote):
            return {"t": "yours", "n": value._number}
        return super().handle(value)

    def encoder(self, **how: Any) -> Encoder:
        """Make an encoder that knows stand-ins before it tries pickle."""
        return _RemoteFirst(self.handle, by_pickle=True, **how)

    def define(self, names: list[str]) -> dict[str, Any]:
        """Run the student's cell; return what it bound of the names."""
        reply, buffers = self._ask("define", {"names": names}, [])
        decoder = self.decoder(buffers)
        found = reply.get("names")
        if not isinstance(found, dict):
            raise ValueProblem("no names")
        return {name: decoder.value(found[name]) for name in names if name in found}

    def call(self, number: int, args: tuple, kwargs: dict) -> Any:
        """Call an object of the worker; write back arguments that it changed."""
        encoder = self.encoder()
        known = [list(args), kwargs]
        more = [self._state(), self.patches.described()]
        tree = encoder.tree([number, *known, *more])
        inputs = [t for t in encoder.tensors if getattr(t, "requires_grad", False)]
        reply, buffers = self._ask("call", {"tree": tree}, encoder.buffers)
        decoder = self.decoder(
            buffers, on_tensor=lambda t, graph: self._with_slope(t, graph, inputs)
        )
        value = decoder.value(reply["value"])
        self.has_changed = self.has_changed or "args" in reply
        if "args" in reply and not self.withholds:
            decoder.on_tensor = None
            merge(known, decoder.value(reply["args"]))
            for mine, theirs in zip(
                encoder.tensors, decoder.value(reply["tensors"]), strict=False
            ):
                merge(mine, theirs)
        return value

    def _with_slope(self, value: Tensor, graph: Any, inputs: list[Tensor]) -> Tensor:
        if not isinstance(graph, int) or not inputs or not torch.is_grad_enabled():
            return value
        return _Slope.apply(self, graph, value.detach(), *inputs)

    def slope(self, graph: int, slope: Tensor) -> list[Tensor | None]:
        """Ask for gradients."""
        encoder = self.encoder()
        message = {"graph": graph, "tree": encoder.tree(slope)}
        reply, buffers = self._ask("slope", message, encoder.buffers)
        return self.decoder(buffers).value(reply["value"])

    def look(self, number: int, how: str, key: Any) -> Any:
        """Read from an object of the worker."""
        encoder = self.encoder()
        message = {"tree": encoder.tree([number, how, key])}
        reply, buffers = self._ask("look", message, encoder.buffers)
        return self.decoder(buffers).value(reply["value"])

    def _ask(self, do: str, message: dict, buffers: list) -> tuple[dict, list[bytes]]:
        reply, buffers = self.request(do, message, buffers)
        if "error" in reply:
            raise _raised(reply["error"])
        if do != "define" and "value" not in reply:
            raise ValueProblem("a reply without a value")
        return reply, buffers

    def answer(self, message: dict, buffers: list[bytes]) -> tuple[dict, list[bytes]]:
        """Call a function of the check for the student's code."""
        try:
            if message["do"] != "call back":
                raise ValueProblem("an unknown request")
            number, args, kwargs = self.decoder(buffers).value(message["tree"])
            value = self.lent[number](*args, **kwargs)
            encoder = self.encoder()
            return {"value": encoder.tree(value)}, encoder.buffers
        except AssertionError as error:
            # The check's own: it counts, whatever the student's code makes of it.
            self.broken = self.broken or error
            return {"error": described(error)}, []
        except (Exception, ValueProblem) as error:
            return {"error": described(error)}, []

    def _state(self) -> dict[str, Any]:
        """Random numbers, if they moved since the last call, and the gradient mode."""
        states = random.getstate(), np.random.get_state(), torch.get_rng_state()
        now = pickle.dumps(states[:2]) + states[2].numpy().tobytes()
        moved, self.sent_random = now != self.sent_random, now
        return {"random": states if moved else None, "grad": torch.is_grad_enabled()}


class _RemoteFirst(Encoder):
    def _other(self, value: Any) -> Any:
        if isinstance(value, Remote):
            return self.handle(value)
        return super()._other(value)


class _ActivePatches:
    """Patches that hold now: what a check patches, it patches in the worker too."""

    def __init__(self) -> None:
        self.active: list[Any] = []
        enter, leave = mock._patch.__enter__, mock._patch.__exit__  # type: ignore[attr-defined]

        def entered(patch: Any) -> Any:
            found = enter(patch)
            self.active.append(patch)
            return found

        def left(patch: Any, *error: Any) -> Any:
            self.active.remove(patch)
            return leave(patch, *error)

        mock._patch.__enter__, mock._patch.__exit__ = entered, left  # type: ignore[attr-defined]

    def described(self) -> list[Any]:
        """List target, attribute and what takes its place."""
        found = []
        for patch in self.active:
            is_module = type(patch.target).__name__ == "module"
            target = patch.target.__name__ if is_module else patch.target
            new = [] if patch.new is mock.DEFAULT else [patch.new]
            found.append([target, patch.attribute, new, patch.kwargs])
        return found


def merge(mine: Any, theirs: Any) -> Any:
    """Change a value in place into what came back; return it, or what replaces it.

    Examples
    --------
    >>> inner = [1, 2]
    >>> outer = [inner, "a"]
    >>> merge(outer, [[1, 3], "a", 5]) is outer, inner, outer
    (True, [1, 3], [[1, 3], 'a', 5])
    """
    if theirs is KEPT:
        return mine
    if isinstance(mine, list) and isinstance(theirs, list):
        pairs = zip(mine, theirs, strict=False)
        mine[:] = [merge(a, b) for a, b in pairs] + theirs[len(mine) :]
    elif isinstance(mine, dict) and isinstance(theirs, dict):
        merged = {k: merge(mine[k], v) if k in mine else v for k, v in theirs.items()}
        mine.clear()
        mine.update(merged)
    elif isinstance(mine, set) and isinstance(theirs, set):
        mine.clear()
        mine.update(theirs)
    elif isinstance(mine, tuple) and isinstance(theirs, tuple):
        pairs = zip(mine, theirs, strict=False)
        return tuple(merge(a, b) for a, b in pairs) + theirs[len(mine) :]
    elif isinstance(mine, np.ndarray) and isinstance(theirs, np.ndarray):
        if mine.shape == theirs.shape and mine.flags.writeable:
            mine[...] = theirs
    elif isinstance(mine, Tensor) and isinstance(theirs, Tensor):
        if mine.shape == theirs.shape:
            mine.data.copy_(theirs)
    elif generators.kind_of(mine) and type(mine) is type(theirs):
        generators.set_state(mine, generators.state_of(theirs))
    else:
        return theirs
    return mine


def _raised(node: Any) -> BaseException:
    """Make the exception that the student's code raised."""
    node = node if isinstance(node, dict) else {}
    kind, message, place = (str(node.get(k, "")) for k in ("type", "message", "where"))
    if kind in ENDING:
        error: BaseException = Ended(kind)
    elif kind == "ValueProblem":
        return ValueProblem(message)
    else:
        known = getattr(builtins, kind, None)
        # subtle: a StopIteration would end a check's own `map` as if all were done.
        is_known = isinstance(known, type) and issubclass(known, Exception)
        is_known = is_known and not issubclass(known, SILENT)
        try:
            error = known(message) if is_known else StudentError(message)
        except TypeError:
            error = StudentError(message)
    error.of_student = {"type": kind, "message": message, "where": place}  # type: ignore[attr-defined]
    return error
