"""A check on stand-ins judges as a check in the notebook does."""

import contextlib
import socket
import struct
from dataclasses import replace

import numpy as np
import pytest
import torch
import toy
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from llmbook_homework.exercises.slicing import backwards, bound_names, free_places
from llmbook_homework.exercises.statements import statements
from llmbook_homework.exercises.tasks import example
from llmbook_homework.grading.sandbox.codec import Decoder, Encoder, ValueProblem
from llmbook_homework.grading.sandbox.remote import merge
from llmbook_homework.grading.sandbox.rpc import Channel, Closed, pack, unpack
from llmbook_homework.grading.submissions import Answer, Answers
from llmbook_press.regions import clear_hidden_tests


@pytest.fixture
def judged(grader, room):
    """Check a cell with a check, in the sandbox."""

    def checker(cell, check, others=(), solution=None):
        try:
            names = tuple(sorted(bound_names(cell)))
        except SyntaxError:
            names = ("f",)
        visible, hidden = clear_hidden_tests(check), "HIDDEN" in check
        each = replace(
            example(),
            solution=solution or cell,
            check=check,
            visible_check=visible,
            hidden=hidden,
        )
        each.__dict__["provides"] = names
        answers = Answers({each.id: Answer("", cell)}, list(others))
        return grader.grade_exercise(each, answers, room)

    return checker


PASS = {
    "a function that is returned": (
        "def make(n):\n    return lambda x: x + n",
        "assert make(2)(3) == 5",
    ),
    "a class": (
        "class Stack:\n    def __init__(self, *items):\n        self.items = [*items]\n"
        "    def push(self, x):\n        self.items.append(x)\n"
        "    def __len__(self):\n        return len(self.items)",
        "s = Stack(7)\ns.push([1])\nassert len(s) == 2 and s.items == [7, [1]]",
    ),
    "a generator": (
        "def count(n):\n    yield from range(n)",
        "assert list(count(3)) == [0, 1, 2]",
    ),
    "a function of the check is called": (
        "def twice(f, x):\n    return f(f(x))",
        "assert twice(lambda x: 3 * x, 2) == 18",
    ),
    "an error of the check's function is caught": (
        "def safe(f):\n    try:\n        return f()\n    except ZeroDivisionError:\n"
        "        return 'caught'",
        "assert safe(lambda: 1 / 0) == 'caught'",
    ),
    "changes in place come back": (
        "def fill(a, d, inner, t):\n    a[:] = 1\n    d['k'] = [2]\n"
        "    inner[0].append(3)\n    t += 1",
        "a, d, row, t = np.zeros(2), {}, [0], torch.zeros(2)\nouter = [row]\n"
        "fill(a, d, outer, t)\nassert a.sum() == 2 and d == {'k': [2]}\n"
        "assert row == [0, 3] and outer[0] is row and t.sum() == 2",
    ),
    "a model is changed in place": (
        "def clear(layer):\n    torch.nn.init.zeros_(layer.weight)",
        "layer = torch.nn.Linear(2, 2)\nclear(layer)\n"
        "assert (layer.weight == 0).all() and (layer.bias != 0).any()",
    ),
    "gradients of a vector, through what is no leaf": (
        "def square(x):\n    return x**2",
        "w = torch.tensor([1.0, 3.0], requires_grad=True)\ny = square(2 * w)\n"
        "y.sum().backward()\nassert torch.equal(w.grad, 8 * w)",
    ),
    "two results, one of them without a gradient": (
        "def both(x):\n    return x * 2, x.detach()",
        "w = torch.ones(2, requires_grad=True)\na, b = both(w)\n"
        "assert a.requires_grad and not b.requires_grad",
    ),
    "no gradient where the check wants none": (
        "def same(x):\n    return 1 * x",
        "w = torch.ones(2, requires_grad=True)\nwith torch.no_grad():\n"
        "    assert not same(w).requires_grad\nassert same(w).requires_grad",
    ),
    "seeds hold there too": (
        "import random\ndef draw():\n"
        "    return torch.rand(2), np.random.rand(), random.random()",
        "import random\ndef seed():\n    torch.manual_seed(3), np.random.seed(3)\n"
        "    random.seed(3)\nseed()\na = draw()\nb = draw()\nseed()\n"
        "assert torch.equal(a[0], torch.rand(2)) and a[1] == np.random.rand()\n"
        "assert a[2] == random.random() and a[1] != b[1]",
    ),
    "generators are used up": (
        "def draw(t, n, p):\n"
        "    return torch.rand(1, generator=t), n.random(), p.random()",
        "import random\n"
        "own = torch.Generator(), np.random.default_rng(1), random.Random(2)\n"
        "twin = torch.Generator(), np.random.default_rng(1), random.Random(2)\n"
        "for _ in range(2):\n    a = draw(*own)\n"
        "    assert a[0] == torch.rand(1, generator=twin[0])\n"
        "    assert a[1:] == (twin[1].random(), twin[2].random())",
    ),
    "a patch holds there too": (
        "import math\ndef root(x):\n    return math.sqrt(x)",
        "from unittest.mock import patch\n"
        "with patch('math.sqrt', lambda x: 'patched'):\n"
        "    assert root(4) == 'patched'\nassert root(4) == 2",
    ),
    "errors keep their type": (
        "def positive(x):\n    if x < 0:\n        raise ValueError('below 0')",
        "try:\n    positive(-1)\nexcept ValueError as error:\n"
        "    assert 'below' in str(error)\nelse:\n    raise AssertionError",
    ),
    "objects are handed back": (
        "class Box:\n    value = 3\ndef make():\n    return Box()\n"
        "def look(box):\n    return box.value",
        "assert look(make()) == 3",
    ),
    "a model of the package": (
        "def width(config, model):\n"
        "    return config.n_embd, model.wte.weight.shape[1]",
        "from llmbook_utils.models.attention.gpt import GPT, GPTConfig\n"
        "config = GPTConfig(5, 4, 1, 1, 6)\n"
        "assert width(config, GPT(config)) == (6, 6)",
    ),
    "values keep their type": (
        "def echo(x):\n    return x",
        "from collections import Counter, deque\n"
        "for x in [None, True, 0, -1, 2**70, 1.5, -0.0, float('inf'), 1 + 2j, '',"
        " 'ä\\ud800',"
        " b'x', [], (), {}, {1}, frozenset({2}), range(3), range(9, 0, -2),"
        " slice(1, None),"
        " Counter('aab'), deque([1]), {'a': (1, [2])}, {1: 2, (1, 2): 3},"
        " np.float32(1.5),"
        " np.int64(3), np.bool_(True), np.str_('x'), torch.float32]:\n"
        "    got = echo(x)\n"
        "    assert type(got) is type(x) and repr(got) == repr(x), (x, got)",
    ),
    "arrays and tensors keep their bits": (
        "def echo(x):\n    return x",
        "for x in [np.zeros((0, 3)), np.arange(6).reshape(2, 3).T, np.array('x'),"
        " np.array([True, False]), np.array([1j]), np.arange(3, dtype='>i2'),"
        " np.array(['2020-01-01'], 'M8[D]')]:\n"
        "    got = echo(x)\n"
        "    assert got.dtype == x.dtype and got.shape == x.shape\n"
        "    assert (got == x).all()\n"
        "for kind in [torch.bfloat16, torch.float16, torch.bool, torch.int8,"
        " torch.complex64]:\n"
        "    for x in [torch.eye(3).to(kind), torch.ones(2, 3).to(kind).T,"
        " torch.tensor(1).to(kind), torch.zeros(0, 2).to(kind)]:\n"
        "        got = echo(x)\n"
        "        assert got.dtype == kind and torch.equal(got, x)",
    ),
    "lines for IPython are left out": (
        "def f(x):\n    return x",
        "assert f(2) == 2",
    ),
}


@pytest.mark.parametrize("name", PASS)
def test_what_holds_in_the_notebook_holds_here(judged, name):
    cell, check = PASS[name]
    names = {"np": np, "torch": torch}
    exec(f"{cell}\n{check}", {**names, "__name__": "control"})  # in one process
    row = judged(cell, check)
    assert row.status == "passed", row


FAIL = {
    "an object is not true": (
        "class Yes:\n    def __bool__(self): return True\ndef f(): return Yes()",
        "assert f()",
        "error",
        "a value was expected, not <an object of type Yes>",
    ),
    "a name is missing": ("g = 1", "assert f(1)", "error", "NameError"),
    "syntax": ("def f(x):\n    return (x", "assert f(1)", "error", "SyntaxError"),
    "nothing written": (
        "def f(x):\n    raise NotImplementedError()",
        "f(1)",
        "failed",
        "Not written yet",
    ),
    "the message of a check": (
        "def f(x): return 3",
        "assert f(1) == 1, f'1, not {f(1)}.'",
        "failed",
        "1, not 3.",
    ),
    "an assertion of the student's": (
        "def f(x):\n    assert x > 5, 'mine'",
        "f(1)",
        "error",
        "The code raised AssertionError: mine (line 2 in f)",
    ),
    "a list in itself": (
        "def f():\n    x = []\n    x.append(x)\n    return x",
        "f()",
        "error",
        "nested",
    ),
    "an array of objects": (
        "def f(): return np.array([None, object()])",
        "f()",
        "error",
        "dtype object",
    ),
    "the check cannot use it": (
        "def f(): return None",
        "assert abs(f()) < 1",
        "error",
        "TypeError: bad operand",
    ),
    "in place where it should not": (
        "def f(x):\n    x.sort()\n    return x",
        "given = [3, 1]\nf(given)\nassert given == [3, 1], 'Leave it.'",
        "failed",
        "Leave it.",
    ),
    "no gradient": (
        "def f(x): return x.detach() * 2",
        "w = torch.ones(2, requires_grad=True)\n"
        "assert f(w).requires_grad, 'To train on.'",
        "failed",
        "To train on.",
    ),
    "wrong gradient": (
        "def f(x): return x.detach() * x",
        "w = torch.full((2,), 3.0, requires_grad=True)\nf(w).sum().backward()\n"
        "assert torch.equal(w.grad, 2 * w), 'Half of it.'",
        "failed",
        "Half of it.",
    ),
}


@pytest.mark.parametrize("name", FAIL)
def test_what_fails_says_why(judged, name):
    cell, check, status, reason = FAIL[name]
    row = judged(cell, check)
    assert (row.status, row.score) == (status, 0) and reason in row.reason, row


@pytest.mark.parametrize(
    ("cell", "check", "reason"),
    [
        (
            "def f(probe):\n    try:\n        return probe(5)\n"
            "    except Exception:\n        return 1",
            "def probe(x):\n    assert x == 4, 'Call it with 4.'\n    return 1\n"
            "assert f(probe) == 1",
            "Call it with 4.",
        ),
        ("def f(x):\n    raise StopIteration", "all(map(f, [1]))", "StopIteration"),
        (
            "import os\ndef f(x):\n    os._exit(0)",
            "try:\n    f(1)\nexcept Exception:\n    pass",
            "exit code 0",
        ),
        (
            "def f(x):\n    x = []\n    x.append(x)\n    return x",
            "try:\n    f(1)\nexcept Exception:\n    pass",
            "nested deeper",
        ),
        (
            "def f(x):\n    return np.zeros((0, 3))",
            "assert np.allclose(f(1), np.ones(3)), 'Ones.'",
            "Ones.",
        ),
        (
            "def f(x):\n    return torch.zeros(0, 1)",
            "assert torch.allclose(f(1), torch.ones(3)), 'Ones.'",
            "Ones.",
        ),
    ],
    ids=[
        "a swallowed assertion of the check's own function",
        "an exception that ends a loop as if all were done",
        "an exit where the check waits for an exception",
        "no value where the check waits for an exception",
        "an array of nothing, close to all",
        "a tensor of nothing, close to all",
    ],
)
def test_a_check_is_not_passed_by_what_it_did_not_ask_for(judged, cell, check, reason):
    row = judged(cell, check)
    assert row.score == 0 and reason in row.reason, row


ZEROED = "def f(x, *more):\n    x[:] = 0\n    return x"
FIVE = "def f(x):\n    return 5 * x"


@pytest.mark.parametrize(
    ("cell", "solution", "check", "status"),
    [
        (ZEROED, FIVE, "x = np.ones(2)\nassert np.allclose(f(x), 5 * x)", "failed"),
        (ZEROED, FIVE, "x = torch.ones(2)\nassert (f(x) == 5 * x).all()", "failed"),
        (
            "def f(x):\n    x *= 5\n    return x",
            FIVE,
            "x = np.ones(2)\nwant = 5 * x\nassert np.allclose(f(x), want)",
            "passed",
        ),
        (
            ZEROED,
            "def f(x):\n    x[:] = 0",
            "x = np.ones(2)\nf(x)\nassert (x == 0).all()",
            "passed",
        ),
        (
            "def f(layer):\n    layer.weight.data[:] = 0",
            "def f(layer):\n    torch.nn.init.zeros_(layer.weight)",
            "layer = torch.nn.Linear(2, 2)\nf([layer][0])\n"
            "assert (layer.weight == 0).all()",
            "passed",
        ),
        (
            "def f(x):\n    def step():\n        x[0] = 0\n        return x\n"
            "    x[0] = 1\n    return step",
            "def f(x):\n    x[0] = 1\n    return lambda: x",
            "x = [3]\nf(x)()\nassert x == [1]",
            "passed",
        ),
    ],
    ids=[
        "zeroed array",
        "zeroed tensor",
        "changed, and right all the same",
        "changed as it should be",
        "a model changed as it should be",
        "a solution that gives a function",
    ],
)
def test_changing_the_input_does_not_make_an_answer_right(
    judged, cell, solution, check, status
):
    """Where the solution need not change it, the check must hold without the change."""
    row = judged(cell, check, solution=solution)
    assert row.status == status, row
    if status == "failed":
        assert "leave the arguments as they are" in row.reason


def test_nothing_is_close_to_nothing(judged):
    row = judged(
        "def f(x):\n    return x",
        "assert np.allclose(f(np.zeros((0, 3))), np.zeros((0, 3)))\n"
        "assert torch.allclose(f(torch.ones(2)), torch.ones(2), atol=0)",
    )
    assert row.status == "passed", row


HIDDEN = """\
assert f(1) == 1, "Seen."
### BEGIN HIDDEN TESTS
secret_number = 4321
{}
### END HIDDEN TESTS"""


@pytest.mark.parametrize(
    ("cell", "line", "reason", "is_hidden"),
    [
        ("def f(x): return 2", "assert f(2) == 2", "Seen.", False),
        (
            "def f(x): return 1",
            "assert f(2) == 2, 'Other numbers.'",
            "Other numb",
            True,
        ),
        ("def f(x): return 1", "assert f(2) == secret_number", "A further test", True),
        ("def f(x): return 1", "f(2)[secret_number]", "A further test", True),
        ("def f(x): return 1 // (2 - x)", "f(2)", "ZeroDivisionError", True),
    ],
)
def test_of_hidden_tests_only_the_message_is_told(
    judged, cell, line, reason, is_hidden
):
    row = judged(cell, HIDDEN.format(line))
    assert reason in row.reason and row.is_hidden is is_hidden, row
    assert "secret" not in row.reason and "4321" not in row.reason


@pytest.mark.parametrize(
    ("line", "end"),
    [
        ("os._exit(x % 256)", ""),
        ("os.kill(os.getpid(), x % 31)", ""),
        ("raise SystemExit(x)", ""),
        ("raise type(f'E{x}', (BaseException,), {})(x)", ""),
        ("return np.zeros(2, [(f'f{x}', 'i4')])", ""),
        ("return Forged({'value': {'t': f'a{x}'}})", ""),
        ("return Forged({'error': {'type': 'SystemExit', 'where': str(x)}})", ""),
        ("return Forged({'error': {'type': 'MemoryError', 'where': str(x)}})", ""),
        ("return 1", "if 4321 in asked: raise ValueError(asked)"),
        ("return f'asked with {x}'", ""),
        ("return [x] * 1000", ""),
    ],
)
def test_no_way_to_fail_tells_what_a_hidden_test_asked_with(judged, line, end):
    """Nor does one that waits until the hidden tests are over."""
    cell = (
        "import os\nasked = []\n"
        "def Forged(message):\n"
        "    import gc, json, socket, struct\n"
        "    head = json.dumps({**message, 'sizes': []}).encode()\n"
        "    data = struct.pack('<QI', len(head) + 4, len(head)) + head\n"
        "    for each in gc.get_objects():\n"
        "        if type(each) is socket.socket and each.fileno() > 2:\n"
        "            each.sendall(data)\n"
        f"def f(x):\n    if x > 9:\n        asked.append(x)\n        {line}\n"
        f"    {end or 'pass'}\n    return x"
    )
    check = (
        "assert f(1) == 1, 'Seen.'\n### BEGIN HIDDEN TESTS\ngot = f(4321)\n"
        "assert got == 4321, f'{got}, not right.'\n### END HIDDEN TESTS\n"
        "assert f(2) == 3, 'Seen too.'"
    )
    row = judged(cell, check.replace("== 3", "== 2"))
    told = f"{row.reason} {row.output} {row.notes}"
    assert row.score == 0 and row.is_hidden and row.reason, row
    for secret in ("4321", str(4321 % 256), str(4321 % 31), "SIG"):
        assert secret not in told, row


def test_a_hidden_message_keeps_the_words_of_the_check(judged):
    check = (
        "f(1)\n### BEGIN HIDDEN TESTS\n"
        "for hint, x in [('Count from 0.', 77)]:\n"
        "    got = f(x)\n    assert got == 3, f'f({x}) is {got}. {hint}'\n"
        "### END HIDDEN TESTS"
    )
    row = judged("def f(x):\n    return f'for {x}'", check)
    assert row.reason == "f(...) is .... Count from 0."


def test_hidden_tests_run_after_all_that_is_shown(chapter, grader, monkeypatch):
    """What one leaves behind finds no later test whose output a student sees."""
    from llmbook_homework.grading import submissions

    order = []

    def run(each, answers, worker, is_hidden):
        order.append((is_hidden, each.short))
        return {"status": "passed", "reason": "", "output": ""}

    monkeypatch.setattr(grader, "_run", run)
    exercises = [replace(e, hidden="assert 1") for e in chapter.exercises]
    data = toy.as_bytes(toy.submission(chapter, toy.RIGHT))
    grader.grade("ada", "ch90", submissions.read(data, exercises), exercises)
    assert order == sorted(order) and len(order) == 6


def test_what_cannot_be_judged_gets_nothing(judged, grader, monkeypatch):
    monkeypatch.setattr(grader, "_try", lambda *args: {})
    row = judged("def f(x): return 1", "assert f(1) == 1")
    assert (row.status, row.score) == ("stopped", 0) and "twice" in row.reason


LEAK = """\
import os
def f(x):
    print("asked with", x)
    for folder in ("/tmp", "/dev/shm"):
        for name in os.listdir(folder):
            print("found", name)
        os.makedirs(f"{folder}/a/b{x}", exist_ok=True)
        open(f"{folder}/a/b{x}/c", "w").write(str(x))
        os.chmod(f"{folder}/a/b{x}", 0)
    if x == 4321:
        raise type(f"E{x}", (Exception,), {})(f"it was {x}")
    return x"""


def test_what_hidden_tests_ask_with_does_not_come_out(judged):
    """Not by printing, not by an error's name or message, not by a file."""
    for _ in range(2):
        row = judged(LEAK, HIDDEN.format("f(secret_number)"))
        assert row.reason == "The code raised an error in a hidden test."
        assert "asked with 1" in row.output
        assert "4321" not in str(row) and "found" not in row.output


def test_a_student_may_use_other_code_of_the_chapter_and_own_cells(grade):
    """What a notebook would have defined is there: each name as far as it is used."""
    own = [
        toy.new_code_cell("import statistics\nhelper = statistics.fmean\n1 / 0"),
        toy.new_code_cell("def more(x):\n    return helper([x, x]) + unused.sum()"),
    ]
    answers = {
        "ex1": "def double(x):\n    return 2 * more(x)",
        "ex2": "def total(numbers):\n    return double(sum(numbers)) / 2",
    }
    result = grade(answers, own)
    assert [row.status for row in result.exercises] == ["passed", "passed", "empty"]


def test_a_students_version_of_the_chapter_is_not_taken(grade, one_room):
    """A changed setup cell of the student's own counts for nothing."""
    result = grade({"ex3": toy.RIGHT["ex3"]}, [toy.new_code_cell("factor = 7")])
    assert result.exercise("ch90-ex3").status == "passed"
    cells = [toy.new_code_cell("factor = 7\nhelper = factor")]
    result = grade({"ex3": "def scale(x):\n    return helper * x"}, cells)
    assert result.exercise("ch90-ex3").status == "passed"


def test_more_of_the_chapter_changes_no_name_that_is_there(grade, one_room):
    """What `unused` is made from has another value by the time of the exercise."""
    answers = {"ex3": "def scale(x):\n    return factor * x + unused.sum()"}
    assert grade(answers).exercise("ch90-ex3").status == "passed"


def test_magics_are_left_out(grade, one_room):
    answers = {"ex1": "%matplotlib inline\n!ls\ndef double(x):\n    return 2 * x"}
    assert grade(answers).exercise("ch90-ex1").status == "passed"


def code(value):
    """Encode and decode, as towards the checker."""
    encoder = Encoder(lambda v: {"t": "lent"})
    message, buffers = unpack(pack({"x": encoder.tree(value)}, encoder.buffers))
    return Decoder(buffers, lambda node: pytest.fail("a handle")).value(message["x"])


plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: (
        st.lists(inner)
        | st.lists(inner).map(tuple)
        | st.dictionaries(st.text() | st.integers(), inner)
    ),
    max_leaves=20,
)


@settings(max_examples=200, deadline=None)
@given(plain)
def test_plain_values_come_back_equal(value):
    assert repr(code(value)) == repr(value)


@settings(max_examples=100, deadline=None)
@given(hnp.arrays(hnp.scalar_dtypes(), hnp.array_shapes(min_dims=0, max_side=4)))
def test_arrays_come_back_equal(array):
    back = code(array)
    assert back.dtype == array.dtype and back.tobytes() == array.tobytes()


TAGS = [
    "int", "complex", "bytes", "dict", "tuple", "range", "slice", "array", "scalar",
    "tensor", "same", "dtype", "generator", "pickle", "kept",
]  # fmt: skip
BAD_DTYPES = ["<f8", "O", "<U3", "b1", "float32", "x", "V8"]
BAD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.fixed_dictionaries(
            {"t": st.sampled_from(TAGS)},
            optional={
                "v": inner, "b": inner, "n": inner, "shape": inner, "state": inner,
                "dtype": st.sampled_from(BAD_DTYPES),
                "kind": st.sampled_from(["torch", "python", "PCG64", "x"]),
                "grad": inner, "parts": inner, "parameter": inner,
            },
        )
    ),
    max_leaves=15,
)  # fmt: skip


def test_a_message_may_not_be_of_any_size():
    """Its length is read first, and nothing after it if it is too much."""
    ours, theirs = socket.socketpair()
    with contextlib.closing(ours), contextlib.closing(theirs):
        theirs.sendall(struct.pack("<Q", 1001) + bytes(8))
        ours.settimeout(5)
        with pytest.raises(Closed):
            Channel(ours, limit=1000).receive()
        assert len(ours.recv(100)) == 8


@settings(max_examples=500, deadline=None)
@given(BAD, st.lists(st.binary(max_size=40), max_size=3))
def test_nonsense_is_refused_or_harmless(tree, buffers):
    """Whatever a worker sends, the checker gets a value or a ValueProblem."""

    def refuse(node):
        raise ValueProblem("unknown")

    with contextlib.suppress(ValueProblem):
        Decoder(buffers, refuse).value(tree)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200))
def test_messages_of_noise_are_refused(data):
    with contextlib.suppress(ValueProblem):
        unpack(data)


def test_pickles_are_never_read_from_the_worker():
    import pickle

    tree = {"t": "pickle", "b": 0, "parts": []}
    with pytest.raises(ValueProblem):
        decoder = Decoder([pickle.dumps(print)], resolve_none)
        decoder.value(tree)
    trusting = Decoder([pickle.dumps(3.5)], resolve_none, by_pickle=True)
    assert trusting.value(tree) == 3.5


def resolve_none(node):
    """Know no object."""
    raise ValueProblem(node["t"])


def test_merge_keeps_what_is_the_checkers_own():
    inner, array = [1], np.zeros(2)
    mine = {"a": inner, "b": array, "c": (inner, 3)}
    merge(mine, {"a": [1, 2], "b": np.ones(2), "c": ([1, 2], 3), "d": None})
    assert mine["a"] is inner == [1, 2] or inner == [1, 2]
    assert array.sum() == 2 and mine["d"] is None and mine["c"][0] is inner


def lines(source):
    """Read statements, one cell a line break."""
    return [
        s for n, cell in enumerate(source.split("\n\n")) for s in statements(cell, n)
    ]


@pytest.mark.parametrize(
    ("chapter", "use", "needed"),
    [
        ("a = 1\nb = 2\nc = a", "print(c)", "a = 1|c = a"),
        ("a = 1\na = 2", "a", "a = 2"),
        ("a = 1\na = a + 1", "a", "a = 1|a = a + 1"),
        ("d = {}\nd['x'] = 1\nd['y'] = 2", "d['x']", "d = {}|d['x'] = 1"),
        ("d = {}\nd['x'] = 1\nd['y'] = 2", "d", "d = {}|d['x'] = 1|d['y'] = 2"),
        ("d = []\nd.sort()\nprint(d)\nassert d == []", "d", "d = []|d.sort()"),
        ("def f():\n    return g()\ndef g():\n    return h\nh = 1", "f()",
         "def f():\n    return g()|def g():\n    return h|h = 1"),
        ("x = 3\ndef f(x):\n    return x", "f(1)", "def f(x):\n    return x"),
        ("x = 3\ny = [x for x in [1]]", "y", "y = [x for x in [1]]"),
        ("n = 2\ny = [n for x in [1]]", "y", "n = 2|y = [n for x in [1]]"),
        ("i = 9\nfor i in [1]:\n    k = i", "k", "for i in [1]:\n    k = i"),
        ("t = 0\nfor i in [1]:\n    t += i", "t", "t = 0|for i in [1]:\n    t += i"),
        ("import os\nos.remove", "os.sep", "import os"),
        ("class A(object):\n    z = 1\n    w = z", "A",
         "class A(object):\n    z = 1\n    w = z"),
        ("e = 1\ntry:\n    r = e\nexcept ValueError as e:\n    r = 2", "r",
         "e = 1|try:\n    r = e\nexcept ValueError as e:\n    r = 2"),
        ("@print\ndef f(): pass", "f", "@print\ndef f(): pass"),
    ],
)  # fmt: skip
def test_slices_hold_what_is_needed_and_no_more(chapter, use, needed):
    chosen, unknown = backwards(free_places(use), lines(chapter))
    assert "|".join(s.source for s in chosen) == needed
    assert not unknown


def test_unknown_names_are_told():
    assert backwards(free_places("a + b + len([])"), lines("a = 1"))[1] == {"b"}
