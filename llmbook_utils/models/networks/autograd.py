"""A scalar autograd engine: numbers that remember how they were made (chapter 04).

Each operation keeps its result, its inputs and the slope along each of them. To go
back is the same for all: multiply the slopes along a way, and add the ways up.
"""

import math


class Arithmetic:
    """What follows from +, * and **, and so needs no slopes of its own."""

    def __neg__(self) -> "Value":
        return self * -1

    def __sub__(self, other: "Value | float") -> "Value":
        return self + -as_value(other)

    def __rsub__(self, other: float) -> "Value":
        return as_value(other) - self

    def __truediv__(self, other: "Value | float") -> "Value":
        return self * as_value(other) ** -1

    def __rtruediv__(self, other: float) -> "Value":
        return as_value(other) / self


class Value(Arithmetic):
    """A number, the inputs it was computed from, and the slope along each.

    ``grad`` is the derivative of an output by this number. Every call of
    ``output.backward()`` adds to it, as in PyTorch. Source: chapter 04.

    >>> x = Value(3.0)
    >>> (x * x + x).backward()
    >>> x.grad
    7.0
    """

    def __init__(
        self, data: float, inputs: tuple["Value", ...] = (), slopes: tuple = ()
    ) -> None:
        self.data, self.grad = float(data), 0.0
        self.inputs, self.slopes = inputs, slopes

    def __repr__(self) -> str:
        return f"Value({self.data:.4g}, grad={self.grad:.4g})"

    def __add__(self, other: "Value | float") -> "Value":
        other = as_value(other)
        return Value(self.data + other.data, (self, other), (1.0, 1.0))

    def __mul__(self, other: "Value | float") -> "Value":
        other = as_value(other)
        return Value(self.data * other.data, (self, other), (other.data, self.data))

    def __pow__(self, power: float) -> "Value":
        slope = power * math.pow(self.data, power - 1) if power else 0.0
        return Value(math.pow(self.data, power), (self,), (slope,))

    __radd__, __rmul__ = __add__, __mul__

    def backward(self) -> None:
        """Add d self / d v to the grad of every v that self was computed from."""
        order = topological_order(self)
        arrived = dict.fromkeys(order, 0.0)  # d self / d node, as far as summed
        arrived[self] = 1.0
        for node in reversed(order):  # all ways to a node are summed before it goes on
            node.grad += arrived[node]
            for source, slope in zip(node.inputs, node.slopes, strict=True):
                arrived[source] += slope * arrived[node]


def as_value(number: Value | float) -> Value:
    """Wrap a plain number; leave a Value as it is."""
    return number if isinstance(number, Value) else Value(number)


def topological_order(output: "Value") -> "list[Value]":
    """List all that an output was computed from, inputs before results."""
    order, seen, stack = [], set(), [(output, False)]
    while stack:  # a loop, because Python's recursion ends at a depth of 1,000
        node, has_inputs_listed = stack.pop()
        if has_inputs_listed:
            order.append(node)
        elif node not in seen:
            seen.add(node)
            stack.append((node, True))
            stack.extend((source, False) for source in node.inputs)
    return order


def exp(x: Value) -> Value:
    """Raise e to the power x."""
    y = math.exp(x.data)
    return Value(y, (x,), (y,))


def log(x: Value) -> Value:
    """Take the natural logarithm of a positive x."""
    return Value(math.log(x.data), (x,), (1 / x.data,))


def tanh(x: Value) -> Value:
    """Squash x into -1 ... 1."""
    y = math.tanh(x.data)
    return Value(y, (x,), (1 - y**2,))


def sigmoid(x: Value) -> Value:
    """Squash x into 0 ... 1; written with tanh, it cannot overflow."""
    return 0.5 * tanh(0.5 * x) + 0.5


def relu(x: Value) -> Value:
    """Cut x off at 0; the slope at 0 itself is taken to be 0."""
    return Value(max(x.data, 0.0), (x,), (float(x.data > 0),))
