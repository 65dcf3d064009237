"""Outputs are compared as strictly as processors allow: what differs more is found."""

import base64
import json
import subprocess
import sys

import nbformat
import numpy as np
import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output

from llmbook_press.comparison import compare
from llmbook_press.nbval_units import checks_of
from llmbook_utils import plots
from llmbook_utils.explorers.word_map.word_map import WordMap

PLOTLY = "application/vnd.plotly.v1+json"


def printed(text):
    return [new_output("stream", name="stdout", text=text)]


def shown(**data):
    return [new_output("display_data", data=data)]


def html(svg):
    """Hide a drawing in an image, as an explorer's fallback does."""
    text = base64.b64encode(svg.encode()).decode()
    return shown(**{"text/html": f'<img src="data:image/svg+xml;base64,{text}">'})


def figure(**trace):
    data = {"data": [{"type": "scatter", **trace}], "layout": {"title": "a loss"}}
    return shown(**{PLOTLY: data})


SAME = {
    "a text": (printed("3 words\n"), printed("3 words\n")),
    "a last digit": (printed("loss 0.123"), printed("loss 0.124")),
    "one digit fewer": (printed("r = 0.9996"), printed("r = 1.000")),
    "an integer beside a decimal": (printed("p = 0.99"), printed("p = 1")),
    "a column": (printed("  9.99 nats"), printed(" 10.00 nats")),
    "a sign": (printed("mean -0.00"), printed("mean 0.00")),
    "an exponent": (printed("rate 1.234e-05"), printed("rate 1.235e-05")),
    "thousands": (printed("1,234.5 MB"), printed("1,234.6 MB")),
    "a drawing": (html('<path d="M1.5L3.1-4.0"/>'), html('<path d="M1.6L3.1-4.1"/>')),
    "a fourth digit": (figure(y=[0.1234, 12.34]), figure(y=[0.1235, 12.35])),
    "a ten more": (figure(y=[0.9999]), figure(y=[1.0])),
    "three decimals": (figure(y=[0.001, -0.5, 0.125]), figure(y=[0.002, -0.5, 0.125])),
    "no picture": (shown(**{"image/png": "AA=="}), shown(**{"image/png": "BB=="})),
}  # fmt: skip
PLANTED = {
    "two units": (printed("loss 0.123"), printed("loss 0.125")),
    "two units, other digits": (printed("r = 0.9979"), printed("r = 1.000")),
    "an integer": (printed("12 words"), printed("13 words")),
    "an integer by thousands": (printed("1,234 words"), printed("1,235 words")),
    "an integer in a decimal's place": (printed("p = 1"), printed("p = 0")),
    "a sign": (printed("mean -0.5"), printed("mean 0.5")),
    "an exponent": (printed("rate 1.5e-05"), printed("rate 1.5e-04")),
    "a version": (printed("plotly 6.1.2"), printed("plotly 6.2.2")),
    "a word": (printed("a green glove"), printed("a blue glove")),
    "a capital": (printed("Yes"), printed("yes")),
    "a unit": (printed("0.5 bits"), printed("0.5 nats")),
    "a line more": (printed("a\nb\n"), printed("a\nb\nc\n")),
    "a line fewer": (printed("a\nb\n"), printed("a\n")),
    "an empty line": (printed("a\nb\n"), printed("a\n\nb\n")),
    "a number more": (printed("0.5"), printed("0.5 0.5")),
    "an indent": (printed("def f():\n    pass"), printed("def f():\n  pass")),
    "a column's place": (printed("a  0.5"), printed("a   0.6")),
    "nothing": (printed("text"), []),
    "something": ([], printed("text")),
    "another stream": (
        printed("x"), [new_output("stream", name="stderr", text="x")],
    ),
    "an output missing": (printed("x") + figure(y=[0.5]), printed("x")),
    "outputs in another order": (
        printed("x") + figure(y=[0.5]), figure(y=[0.5]) + printed("x"),
    ),
    "a layer missing": (
        shown(**{"text/plain": "x", "text/html": "x"}), shown(**{"text/plain": "x"}),
    ),
    "a point moved": (figure(y=[0.1234, 0.2]), figure(y=[0.1236, 0.2])),
    "a small point moved": (figure(y=[0.0001234, 120.0]), figure(y=[0.0001236, 120.0])),
    "a point more": (figure(y=[0.5]), figure(y=[0.5, 0.5])),
    "a gap": (figure(y=[0.5, 0.5]), figure(y=[0.5, None])),
    "a count": (figure(y=[12]), figure(y=[13])),
    "a label": (figure(text=["cat"]), figure(text=["cut"])),
    "a kind": (figure(mode="lines"), figure(mode="markers")),
    "a key": (figure(name="a"), figure(names="a")),
    "a drawing": (html('<path d="M1.5 2.5"/>'), html('<path d="M1.5 2.8"/>')),
    "a drawing's word": (html("<text>cat</text>"), html("<text>cut</text>")),
    "a colour": (html('<g fill="#a11"/>'), html('<g fill="#a12"/>')),
    "markup": (shown(**{"text/html": "<b>x</b>"}), shown(**{"text/html": "<i>x</i>"})),
}  # fmt: skip


@pytest.mark.parametrize("case", SAME)
def test_what_processors_change_is_allowed(case):
    stored, fresh = SAME[case]
    assert compare(stored, fresh).differences == []
    assert compare(fresh, stored).differences == []


@pytest.mark.parametrize("case", PLANTED)
def test_a_planted_change_is_found(case):
    stored, fresh = PLANTED[case]
    assert compare(stored, fresh).differences
    assert compare(fresh, stored).differences


def test_last_digits_are_counted():
    stored, fresh = printed("0.12 0.50 3\n0.7"), printed("0.13 0.50 3\n0.8")
    assert compare(stored, fresh).last_digits == 2
    assert compare(stored, stored).last_digits == 0


def word_map(nudge):
    vectors = np.random.default_rng(0).normal(size=(12, 8))
    vectors[3] += nudge
    words = {"name": "map", "caption": "Words.", "alt": "A map of twelve words."}
    made = WordMap([f"w{n}" for n in range(12)], vectors, **words)
    return [new_output("display_data", data=made._repr_mimebundle_())]


def test_an_explorer_may_move_by_a_unit_though_its_id_is_made_from_its_data():
    first, close, far = map(word_map, (0.0, 2e-4, 0.1))
    assert json.dumps(first) != json.dumps(close)
    found = compare(first, close)
    assert found.differences == [] and found.last_digits > 0
    assert compare(first, far).differences


def test_a_figure_is_compared_in_the_numbers_that_it_stores():
    def drawn(last):
        made = plots.lines({"loss": [3.0, 2.0, last]}, x_title="step", y_title="nats")
        words = {"name": "fig-x", "caption": "A loss.", "alt": "A loss that falls."}
        return shown(**{PLOTLY: plots.figure_data(made, **words)})

    assert compare(drawn(1.23449), drawn(1.23451)).differences == []
    assert compare(drawn(1.234), drawn(1.236)).differences


def test_statements_that_assert_are_found():
    source = "x = 1\nfor n in [x]:\n    assert n\nassert x\ndef f():\n    assert 0"
    assert checks_of(source) == ["for n in [x]:\n    assert n", "assert x"]


def run_nbval(folder, cells):
    """Run nbval as the Makefile does; how each cell ended, and the whole report."""
    nb = new_notebook(cells=cells)
    nb.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3"}
    for number, cell in enumerate(nb.cells, start=1):
        cell.execution_count = number
    nbformat.write(nb, folder / "01_x.ipynb")
    command = [sys.executable, "-m", "pytest", "-p", "llmbook_press.nbval_units"]
    options = ["--nbval", "--nbval-current-env", "-v", "-p", "no:cacheprovider"]
    done = subprocess.run(
        [*command, *options, "--units-report", "report.json", "01_x.ipynb"],
        cwd=folder, capture_output=True, text=True,
    )  # fmt: skip
    lines = [x for x in done.stdout.splitlines() if "::Cell" in x and "%]" in x]
    report = json.loads((folder / "report.json").read_text())
    return ["PASSED" in line for line in lines], report, done.stdout


def test_nbval_compares_and_refutes_as_told(tmp_path):
    refuted = {"llmbook": {"refuted_by": ["x = 0.5", "y = 0"]}}
    half = {"llmbook": {"refuted_by": ["x = 0.5"]}}
    # The second number of this seed: the cells draw one, and refuting draws none.
    second = {"text/plain": "0.7579544029403025"}
    drawn = new_output("execute_result", data=second, execution_count=12)
    cells = {
        "print(0.12345)": [True, printed("0.12346\n"), {}],
        "print(0.1234)": [False, printed("0.1236\n"), {}],
        "import random\nrandom.seed(0)\nx, y = 0.9, 2": [True, [], {}],
        "assert x > 0.8\nfor n in [y]:\n    assert n": [True, [], refuted],
        "assert x > 0.7\nassert y > 1": [False, [], half],
        "assert x > 0.4": [False, [], half],
        "assert x > 0.6 + 0 * random.random()\nprint(x)": [
            True,
            printed("0.9\n"),
            half,
        ],
        "assert x < 0": [False, [], half],
        "print(x)": [True, printed("0.9\n"), {}],
        "print(1.3)": [True, printed("1.5\n"), {"tags": ["nbval-ignore-output"]}],
        "print(1.4)": [True, printed("1.4\n"), {"tags": ["nbval-ignore-output"]}],
        "random.random()": [True, [drawn], {}],
    }
    made = [new_code_cell(source, metadata=about, outputs=outputs)
            for source, (_, outputs, about) in cells.items()]  # fmt: skip
    ended, report, said = run_nbval(tmp_path, made)
    assert ended == [is_right for is_right, *_ in cells.values()], said
    assert report["01_x"] == {
        "cells": 12, "failed": [1, 4, 5, 7], "last_digit": 1,
        "free": {"9": True, "10": False},
    }  # fmt: skip
    assert "nothing refutes 'assert y > 1'" in said
    assert "nothing refutes 'assert x > 0.4'" in said
