"""Values that cross between checker and worker: as JSON and raw numbers, never pickle.

The worker runs a student's code: what comes from it is data of the kinds below or a
numbered handle, whatever the worker sends. Towards the worker the checker may also send
its own objects (a model, a configuration) as pickle: the worker has nothing to lose.
"""

import io
import pickle
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor

from llmbook_homework.grading.sandbox import generators

MAX_DEPTH = 60
MAX_BITS = 100_000  # of an integer
DTYPES = {str(d).removeprefix("torch."): d for d in [
    torch.bool, torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64,
    torch.float16, torch.bfloat16, torch.float32, torch.float64,
    torch.complex64, torch.complex128,
]}  # fmt: skip
ARRAY_KINDS = "biufcSUmM"
UNFIT = (LookupError, TypeError, ValueError, RuntimeError, ArithmeticError, MemoryError)
KINDS: tuple[Callable, ...] = (tuple, set, frozenset, deque)
SEQUENCES = {kind.__name__: kind for kind in KINDS}


class ValueProblem(BaseException):
    """A value that cannot cross; no exception that a check may expect."""


@dataclass
class Encoder:
    """Turns values into JSON and buffers.

    Attributes
    ----------
    handle : callable
        Gives JSON for an object that does not cross by value.
    tensors : list of Tensor
        Tensors met on the way, in order: their gradients are asked for by number.
    by_pickle : bool
        Whether objects of other kinds are pickled: towards the worker alone.
    """

    handle: Callable[[Any], Any]
    by_pickle: bool = False
    buffers: list[bytes] = field(default_factory=list)
    tensors: list[Any] = field(default_factory=list)
    on_tensor: Callable[[Tensor], Any] | None = None

    def _buffer(self, data: bytes) -> int:
        self.buffers.append(data)
        return len(self.buffers) - 1

    def tree(self, value: Any, depth: int = 0) -> Any:
        """Encode a value as JSON; raw numbers go to ``buffers``."""
        if depth > MAX_DEPTH:
            raise ValueProblem(f"a value nested deeper than {MAX_DEPTH}, or in itself")
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, np.generic):
            return {**self._array(np.asarray(value)), "t": "scalar"}
        if isinstance(value, int):
            small = abs(value) < 2**53
            return int(value) if small else {"t": "int", "v": self._integer(value)}
        if isinstance(value, float):
            return float(value)
        if isinstance(value, str):
            return str(value)
        if isinstance(value, list):
            return [self.tree(item, depth + 1) for item in value]
        return self._tagged(value, depth + 1)

    def _integer(self, value: int) -> str:
        if value.bit_length() > MAX_BITS:
            raise ValueProblem(f"an integer of {value.bit_length():,} bits")
        return hex(value)

    def _tagged(self, value: Any, depth: int) -> Any:
        if isinstance(value, complex):
            return {"t": "complex", "v": [value.real, value.imag]}
        if isinstance(value, bytes | bytearray):
            return {"t": "bytes", "b": self._buffer(bytes(value))}
        if isinstance(value, dict):
            tag = "counter" if isinstance(value, Counter) else "dict"
            pairs = [
                [self.tree(k, depth), self.tree(v, depth)] for k, v in value.items()
            ]
            return {"t": tag, "v": pairs}
        for tag, kind in SEQUENCES.items():
            if isinstance(value, kind):
                return {"t": tag, "v": [self.tree(item, depth) for item in value]}
        if isinstance(value, range | slice):
            parts = [value.start, value.stop, value.step]
            return {
                "t": type(value).__name__,
                "v": [self.tree(p, depth) for p in parts],
            }
        if isinstance(value, np.ndarray):
            return self._array(value)
        if isinstance(value, Tensor):
            return self._tensor(value)
        if isinstance(value, torch.dtype):
            return {"t": "dtype", "v": str(value).removeprefix("torch.")}
        return self._other(value)

    def _other(self, value: Any) -> Any:
        kind = generators.kind_of(value)
        if kind:
            state = self.tree(generators.state_of(value), 1)
            return {"t": "generator", "kind": kind, "state": state}
        if self.by_pickle:
            try:
                return self._pickled(value)
            except (pickle.PicklingError, TypeError, AttributeError):
                pass  # a function of the check, say: it is called back
        return self.handle(value)

    def _array(self, value: np.ndarray) -> Any:
        value = np.asarray(value)
        if value.dtype.kind not in ARRAY_KINDS:
            raise ValueProblem(f"an array of dtype {value.dtype}")
        data = np.ascontiguousarray(value).tobytes()
        self.tensors.append(value)
        shape = list(value.shape)
        number = len(self.tensors) - 1
        return {
            "t": "array", "dtype": value.dtype.str, "shape": shape, "n": number,
            "b": self._buffer(data),
        }  # fmt: skip

    def _tensor(self, value: Tensor) -> Any:
        for number, known in enumerate(self.tensors):
            if known is value:
                return {"t": "same", "n": number}
        name = str(value.dtype).removeprefix("torch.")
        if name not in DTYPES or value.layout != torch.strided or value.is_meta:
            raise ValueProblem(f"a tensor of {value.dtype}, {value.layout}")
        plain = value.detach().cpu().resolve_conj().resolve_neg().reshape(-1)
        plain = plain.contiguous().view(torch.uint8)
        self.tensors.append(value)
        shape = list(value.shape)
        node = {
            "t": "tensor", "dtype": name, "shape": shape, "n": len(self.tensors) - 1,
            "b": self._buffer(plain.numpy().tobytes()), "grad": value.requires_grad,
        }  # fmt: skip
        if isinstance(value, torch.nn.Parameter):
            node["parameter"] = True
        if self.on_tensor and value.requires_grad:
            node["graph"] = self.on_tensor(value)
        return node

    def _pickled(self, value: Any) -> Any:
        file = io.BytesIO()
        inner: list[Any] = []
        known = len(self.tensors), len(self.buffers)

        class Pickler(pickle.Pickler):
            def persistent_id(pickler, part: Any) -> Any:
                if isinstance(part, Tensor) and not part.is_meta:
                    inner.append(self._tensor(part))
                    return len(inner) - 1
                return None

        try:
            Pickler(file, protocol=5).dump(value)
        except BaseException:
            del self.tensors[known[0] :], self.buffers[known[1] :]
            raise
        return {"t": "pickle", "b": self._buffer(file.getvalue()), "parts": inner}


@dataclass
class Decoder:
    """Turns JSON and buffers into values, and trusts neither.

    Attributes
    ----------
    buffers : list of bytes
    handle : callable
        Gives an object for a node of another kind.
    by_pickle : bool
        Whether pickles are read: in the worker alone.
    """

    buffers: list[bytes]
    handle: Callable[[dict], Any]
    by_pickle: bool = False
    tensors: list[Any] = field(default_factory=list)
    on_tensor: Callable[[Tensor, Any], Tensor] | None = None

    def value(self, tree: Any, depth: int = 0) -> Any:
        """Decode what :meth:`Encoder.tree` made.

        Raises
        ------
        ValueProblem
            If the data contradict themselves.
        """
        try:
            return self._value(tree, depth)
        except UNFIT as error:
            raise ValueProblem(f"data that make no value: {error}") from None

    def _value(self, tree: Any, depth: int) -> Any:
        if depth > MAX_DEPTH + 2:
            raise ValueProblem("a value nested too deeply")
        if tree is None or isinstance(tree, bool | int | float | str):
            return tree
        if isinstance(tree, list):
            return [self._value(item, depth + 1) for item in tree]
        tag = tree["t"]
        if tag in SEQUENCES:
            return SEQUENCES[tag](self._value(item, depth + 1) for item in tree["v"])
        if tag in ("dict", "counter"):
            pairs = [
                [self._value(part, depth + 1) for part in pair] for pair in tree["v"]
            ]
            return dict(pairs) if tag == "dict" else Counter(dict(pairs))
        return self._tagged(tag, tree, depth)

    def _tagged(self, tag: str, tree: dict, depth: int) -> Any:
        if tag == "int":
            return int(tree["v"][: MAX_BITS // 2], 16)
        if tag == "complex":
            return complex(*tree["v"])
        if tag == "bytes":
            return self.buffers[tree["b"]]
        if tag in ("range", "slice"):
            parts = [self._value(part, depth + 1) for part in tree["v"]]
            return range(*parts) if tag == "range" else slice(*parts)
        if tag in ("array", "scalar"):
            array = self._array(tree)
            return array if tag == "array" else array[()]
        if tag == "tensor":
            return self._tensor(tree)
        if tag == "same":
            return self.tensors[tree["n"]]
        if tag == "dtype":
            return DTYPES[tree["v"]]
        return self._special(tag, tree)

    def _special(self, tag: str, tree: dict) -> Any:
        if tag == "generator":
            state = self._value(tree["state"], 1)
            return generators.with_state(tree["kind"], state)
        if self.by_pickle and tag == "pickle":
            return self._unpickled(tree)
        return self.handle(tree)

    def _array(self, tree: dict) -> np.ndarray:
        dtype = np.dtype(str(tree["dtype"]))
        if dtype.kind not in ARRAY_KINDS:
            raise ValueProblem(f"an array of dtype {dtype}")
        shape = tuple(int(n) for n in tree["shape"])
        array = np.frombuffer(self.buffers[tree["b"]], dtype=dtype).reshape(shape)
        if dtype.kind == "b":
            array = array.view(np.uint8) != 0  # a byte of 2 is no truth value
        elif dtype.kind == "U" and array.size:
            letters = np.frombuffer(self.buffers[tree["b"]], dtype.byteorder + "u4")
            if letters.max() > 0x10FFFF:
                raise ValueProblem("text of letters that do not exist")
        array = array.copy()
        self.tensors.append(array)
        return array

    def _tensor(self, tree: dict) -> Tensor:
        dtype = DTYPES[tree["dtype"]]
        shape = tuple(int(n) for n in tree["shape"])
        raw = torch.from_numpy(np.frombuffer(self.buffers[tree["b"]], np.uint8).copy())
        if dtype is torch.bool:
            tensor = (raw != 0).reshape(shape)
        else:
            flat = raw.view(dtype) if len(raw) else torch.empty(0, dtype=dtype)
            tensor = flat.reshape(shape)
        if tree.get("grad") and (dtype.is_floating_point or dtype.is_complex):
            tensor.requires_grad_()
        if tree.get("parameter"):
            tensor = torch.nn.Parameter(tensor, bool(tree.get("grad")))
        if self.on_tensor and "graph" in tree:
            tensor = self.on_tensor(tensor, tree["graph"])
        self.tensors.append(tensor)
        return tensor

    def _unpickled(self, tree: dict) -> Any:
        parts = [self._value(part, 0) for part in tree["parts"]]

        class Unpickler(pickle.Unpickler):
            def persistent_load(self, number: int) -> Any:
                return parts[number]

        return Unpickler(io.BytesIO(self.buffers[tree["b"]])).load()
