"""The scalar engine: every operation and every graph as in PyTorch, in float64."""

import inspect
import math
import subprocess
import sys

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from llmbook_utils.models.networks import autograd
from llmbook_utils.models.networks.autograd import Value, topological_order
from llmbook_utils.models.networks.descent import numeric_gradient

TOLERANCE = 1e-10

# Name, for Values, for tensors, and a range in which the function is defined.
UNARY = {
    "exp": (autograd.exp, torch.exp, (-5, 5)),
    "log": (autograd.log, torch.log, (0.01, 9)),
    "tanh": (autograd.tanh, torch.tanh, (-30, 30)),
    "sigmoid": (autograd.sigmoid, torch.sigmoid, (-30, 30)),
    "relu": (autograd.relu, torch.relu, (-3, 3)),
    "negative": (lambda x: -x, lambda x: -x, (-3, 3)),
    "square": (lambda x: x**2, lambda x: x**2, (-3, 3)),
    "root": (lambda x: x**0.5, lambda x: x**0.5, (0.01, 9)),
    "inverse": (lambda x: x**-1, lambda x: x**-1, (0.1, 9)),
    "power 0": (lambda x: x**0, lambda x: x**0, (-1, 1)),
    "1 - x": (lambda x: 1 - x, lambda x: 1 - x, (-3, 3)),
    "1 / x": (lambda x: 1 / x, lambda x: 1 / x, (0.1, 9)),
    "x / 3": (lambda x: x / 3, lambda x: x / 3, (-3, 3)),
    "2 + x": (lambda x: 2 + x, lambda x: 2 + x, (-3, 3)),
    "2 * x": (lambda x: 2 * x, lambda x: 2 * x, (-3, 3)),
}
BINARY = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b,
}


def close(a: float, b: float) -> bool:
    return abs(a - b) <= TOLERANCE * max(1.0, abs(b))


@pytest.mark.parametrize("name", UNARY)
@settings(max_examples=40, deadline=None)
@given(st.data())
def test_functions_equal_torch(name: str, data: st.DataObject) -> None:
    """Value and slope of each function of one number."""
    ours, theirs, (low, high) = UNARY[name]
    number = data.draw(st.floats(low, high))
    assume(name != "power 0" or number)
    x, t = Value(number), torch.tensor(number, dtype=torch.float64, requires_grad=True)
    y, u = ours(x), theirs(t)
    y.backward()
    u.backward()
    assert close(y.data, u.item()) and close(x.grad, t.grad.item())


@pytest.mark.parametrize("name", BINARY)
@given(st.floats(-9, 9), st.floats(0.1, 9))
def test_operators_equal_torch(name: str, first: float, second: float) -> None:
    values = Value(first), Value(second)
    tensors = [
        torch.tensor(v, dtype=torch.float64, requires_grad=True)
        for v in (first, second)
    ]
    y, u = BINARY[name](*values), BINARY[name](*tensors)
    y.backward()
    u.backward()
    assert close(y.data, u.item())
    assert all(
        close(v.grad, t.grad.item()) for v, t in zip(values, tensors, strict=True)
    )


STEPS = (
    "add",
    "subtract",
    "multiply",
    "divide",
    "exp",
    "log",
    "tanh",
    "sigmoid",
    "relu",
)
programs = st.lists(
    st.tuples(st.sampled_from(STEPS), st.integers(0, 99), st.integers(0, 99)),
    min_size=1,
    max_size=25,
)


def interpret(program: list, leaves: list, lib: object) -> tuple[object, float]:
    """Run a program on Values or tensors: each line may use all results before it."""
    made, largest = list(leaves), 0.0
    for step, i, j in program:
        a, b = made[i % len(made)], made[j % len(made)]
        made.append(
            {
                "add": lambda a=a, b=b: a + b,
                "subtract": lambda a=a, b=b: a - b,
                "multiply": lambda a=a, b=b: a * b,
                "divide": lambda a=a, b=b: a / (b**2 + 1),
                "exp": lambda a=a: lib.exp(lib.tanh(a)),
                "log": lambda a=a: lib.log(a**2 + 0.5),
                "tanh": lambda a=a: lib.tanh(a),
                "sigmoid": lambda a=a: lib.sigmoid(a),
                "relu": lambda a=a: lib.relu(a),
            }[step]()
        )
        largest = max(largest, abs(float(getattr(made[-1], "data", made[-1]))))
    return made[-1], largest


@settings(max_examples=300, deadline=None)
@given(programs, st.lists(st.floats(-2, 2), min_size=3, max_size=3))
def test_random_graphs_equal_torch(program: list, numbers: list[float]) -> None:
    """Whatever is computed, with results used many times, the gradient is torch's."""
    leaves = [Value(n) for n in numbers]
    tensors = [
        torch.tensor(n, dtype=torch.float64, requires_grad=True) for n in numbers
    ]
    y, largest = interpret(program, leaves, autograd)
    assume(largest < 1e3)
    u, _ = interpret(program, tensors, torch)
    y.backward()
    assert close(y.data, u.item())
    grads = torch.autograd.grad(u, tensors, allow_unused=True)
    for leaf, grad in zip(leaves, grads, strict=True):
        assert close(leaf.grad, 0.0 if grad is None else grad.item())


def test_worked_example() -> None:
    """y = 2, prediction 1.5: loss 0.125, slope (1.5 - 2) x, and no sigmoid's factor."""
    w, b, x = Value(0.4), Value(0.3), 3.0
    loss = (w * x + b - 2) ** 2 * 0.5
    loss.backward()
    assert loss.data == pytest.approx(0.125)
    assert (w.grad, b.grad) == pytest.approx((-1.5, -0.5))


def test_softmax_with_cross_entropy_gives_p_minus_onehot() -> None:
    scores = [Value(z) for z in (2.0, 1.0, 0.0)]
    powers = [autograd.exp(z) for z in scores]
    total = sum(powers, Value(0.0))
    (-autograd.log(powers[1] / total)).backward()
    p = [power.data / total.data for power in powers]
    assert [z.grad for z in scores] == pytest.approx([p[0], p[1] - 1, p[2]])


def test_a_value_used_twice_gets_both_slopes() -> None:
    x = Value(3.0)
    (x * x + x).backward()
    assert x.grad == 7


def test_second_backward_adds_the_same_once_more() -> None:
    """As in torch: grads of leaves double; what lies between does not compound."""
    x = Value(2.0)
    y = (x * x) * x
    y.backward()
    y.backward()
    t = torch.tensor(2.0, requires_grad=True)
    u = (t * t) * t
    u.backward(retain_graph=True)
    u.backward()
    assert x.grad == t.grad.item() == 24


def test_order_has_inputs_before_results_and_each_once() -> None:
    x = Value(1.0)
    y = x
    for _ in range(5000):  # deeper than Python's recursion allows
        y = y + y * 0.5
    order = topological_order(y)
    place = {node: i for i, node in enumerate(order)}
    assert len(place) == len(order)
    assert all(place[i] < place[n] for n in order for i in n.inputs)
    assert order[-1] is y


def test_far_scores_do_not_overflow() -> None:
    for number, answer in [(1000.0, 1.0), (-1000.0, 0.0)]:
        x = Value(number)
        y = autograd.sigmoid(x)
        y.backward()
        assert y.data == answer and x.grad == 0


def test_gradient_check_of_a_network() -> None:
    """Two layers of tanh on one example, against central differences."""

    def loss(theta: list) -> Value:
        h = [autograd.tanh(theta[i] * 0.7 + theta[i + 1] * -1.2) for i in (0, 2)]
        return (h[0] * theta[4] + h[1] * theta[5] + theta[6] - 1) ** 2

    numbers = [0.3, -0.8, 1.1, 0.5, -0.6, 0.9, 0.1]
    values = [Value(n) for n in numbers]
    loss(values).backward()
    measured = numeric_gradient(lambda t: loss([Value(v) for v in t]).data, numbers)
    assert [v.grad for v in values] == pytest.approx(measured, abs=1e-8)


@pytest.mark.parametrize(
    "make", [lambda: autograd.log(Value(0.0)), lambda: Value(-2.0) ** 0.5]
)
def test_what_is_undefined_is_refused(make: object) -> None:
    with pytest.raises(ValueError):
        make()


def test_repr_shows_number_and_slope() -> None:
    assert repr(Value(math.pi)) == "Value(3.142, grad=0)"


def test_the_engine_is_short_and_needs_no_torch() -> None:
    assert len(inspect.getsource(autograd).splitlines()) <= 120
    code = (
        "import sys; from llmbook_utils.models.networks import autograd, descent; "
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
