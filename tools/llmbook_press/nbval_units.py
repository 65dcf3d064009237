"""A pytest plugin over nbval: numbers may differ by a unit, assertions are refuted.

``python -m pytest -p llmbook_press.nbval_units --nbval notebooks`` compares outputs by
:mod:`llmbook_press.comparison`. An assertion that stands for an output that is not
compared has to be able to fail: its cell's metadata names results that refute it ::

    "llmbook": {"refuted_by": ["accuracy = 0.5"]}

After the cell has run, each of its assertions is tried again on copies of its names
with one such result put in. One that no result turns red is an error. A lax run leaves
this out.
"""

import ast
import json
from pathlib import Path
from typing import Any

import pytest
from nbformat import NotebookNode
from nbval import plugin as nbval

from llmbook_press import comparison

HANGING = 600  # seconds without a word from a kernel that works
REFUTE = """
def _llmbook_refute(results, checks):
    import random, sys
    numpy, torch = sys.modules.get("numpy"), sys.modules.get("torch")
    before = random.getstate(), numpy and numpy.random.get_state()
    before += (torch and torch.get_rng_state(),)
    try:
        return _llmbook_standing(results, list(checks))
    finally:  # what the checks draw changes nothing for the cells to come
        random.setstate(before[0])
        numpy and numpy.random.set_state(before[1])
        torch and torch.set_rng_state(before[2])

def _llmbook_standing(results, standing):
    for result in results:
        for check in list(standing):
            names = dict(globals())
            try:
                exec(result, names)
            except Exception as error:
                return f"{{result!r}} cannot be put in: {{error!r}}"
            try:
                exec(check, names)
            except AssertionError:
                standing.remove(check)
            except Exception as error:
                return f"after {{result!r}}, {{check!r}} raises {{error!r}}"
    return "".join(f"nothing refutes {{check!r}}" for check in standing[:1])
_llmbook_refute({results!r}, {checks!r})
"""


def checks_of(source: str) -> list[str]:
    """Give the statements of a cell that assert something, loops around them included.

    Examples
    --------
    >>> checks_of("x = f()\\nassert x > 1\\nfor n in x:\\n    assert n")
    ['assert x > 1', 'for n in x:\\n    assert n']
    """
    return [
        ast.unparse(statement)
        for statement in ast.parse(source).body
        if any(isinstance(node, ast.Assert) for node in ast.walk(statement))
        and not isinstance(statement, ast.FunctionDef | ast.ClassDef)
    ]


def _compare_outputs(
    cell: nbval.IPyNbCell,
    test: list[NotebookNode],
    ref: list[NotebookNode],
    skip_compare: object = None,
) -> bool:
    """Take the place of nbval's comparison, which knows texts alone."""
    found = comparison.compare(ref, test)
    cell.comparison_traceback = found.differences
    cell.user_properties.append(("last_digits", found.last_digits))
    return not found.differences


def _ask(kernel: Any, code: str) -> str:
    """Evaluate code in a notebook's kernel, its last line as an expression."""
    *lines, last = code.strip().splitlines()
    request = kernel.kc.execute(
        "\n".join(lines),
        silent=True,
        store_history=False,
        user_expressions={"said": last},
    )
    while True:
        reply = kernel.kc.get_shell_msg(timeout=HANGING)
        if reply["parent_header"].get("msg_id") == request:
            break
    said = reply["content"].get("user_expressions", {}).get("said", reply["content"])
    if said["status"] != "ok":
        return f"{said['ename']}: {said['evalue']}"
    return ast.literal_eval(said["data"]["text/plain"])


run_cell = nbval.IPyNbCell.runtest


def _run_and_refute(cell: nbval.IPyNbCell) -> None:
    """Run a cell, compare its outputs, and try to refute what it asserts."""
    cell.output_timeout = HANGING
    run_cell(cell)
    if not cell.options["check"] and cell.cell.outputs:
        found = comparison.compare(cell.cell.outputs, cell.test_outputs)
        cell.user_properties.append(("is_free", bool(found.differences)))
    results = cell.cell.metadata.get("llmbook", {}).get("refuted_by")
    # Once is enough, and a lax run may have other claims: of a GPU, of another model.
    if results and cell.parent.compare_outputs:
        checks = checks_of(cell.cell.source)
        code = REFUTE.format(results=list(results), checks=checks)
        trouble = _ask(cell.parent.kernel, code)
        if trouble:
            cell.raise_cell_error(f"An assertion that cannot fail: {trouble}")


def pytest_configure(config: pytest.Config) -> None:
    """Put our comparison in the place of nbval's, and refute after it."""
    nbval.IPyNbCell.compare_outputs = _compare_outputs
    nbval.IPyNbCell.runtest = _run_and_refute


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the notebook that took longest, so that no worker idles at the end."""

    def seconds(item: pytest.Item) -> float:
        notebook = getattr(item.parent, "nb", None)
        about = notebook.metadata.get("llmbook", {}) if notebook else {}
        return about.get("seconds", 0.0)

    items.sort(key=seconds, reverse=True)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Name a file for what was found, by notebook."""
    parser.addoption("--units-report", help="write JSON: what differs, by notebook")


def _table(reporter: Any) -> dict[str, dict[str, Any]]:
    """Collect, for each notebook, how its cells ended."""
    table: dict[str, dict[str, Any]] = {}
    for ended in ("passed", "failed", "error"):
        for report in reporter.stats.get(ended, []):
            name, _, cell = report.nodeid.partition("::")
            if not name.endswith(".ipynb"):
                continue
            row = table.setdefault(
                Path(name).stem,
                {"cells": 0, "failed": [], "last_digit": 0, "free": {}},
            )
            found = dict(getattr(report, "user_properties", ()))
            number = int(cell.rpartition(" ")[2] or -1)
            row["cells"] += 1
            row["failed"] += [number] * (ended != "passed")
            row["last_digit"] += found.get("last_digits", 0) > 0
            if "is_free" in found:
                row["free"][number] = found["is_free"]
    return table


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Say in how many cells numbers differ from the stored ones."""
    table = _table(terminalreporter)
    if config.option.units_report:
        text = json.dumps(table, indent=1, sort_keys=True)
        Path(config.option.units_report).write_text(text, encoding="utf8")
    close = {
        name: row["last_digit"] for name, row in table.items() if row["last_digit"]
    }
    if close:
        said = ", ".join(f"{name[:2]}: {n}" for name, n in sorted(close.items()))
        terminalreporter.write_line(
            f"cells with numbers one unit away from the stored ones: {said}"
        )
