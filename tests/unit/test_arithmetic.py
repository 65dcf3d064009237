"""The record of other processors' arithmetic: what has to be run again."""

import json
import subprocess
import sys

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output

from llmbook_press import arithmetic, notebooks

WHAT_THEY_COMPUTE = """
import hashlib, torch
a = torch.linspace(-3, 3, 90_000).view(300, 300)
torch.manual_seed(0)
recurrent = torch.nn.LSTM(300, 64, batch_first=True)
values = [a @ a.T, a.softmax(1), a.double() @ a.double().T, recurrent(a[None])[0]]
bits = b"".join(value.detach().numpy().tobytes() for value in values)
print(hashlib.sha256(bits).hexdigest())
"""


@pytest.fixture
def paths(tmp_path):
    """Write four notebooks with an output each."""
    made = []
    for number in range(4):
        output = new_output("stream", text=f"{number}\n")
        cell = new_code_cell(f"print({number})", outputs=[output], execution_count=1)
        made.append(tmp_path / f"0{number}_x.ipynb")
        nbformat.write(new_notebook(cells=[cell]), made[-1])
    return made


def test_what_changed_is_run_and_one_more_chosen_by_the_commit(paths):
    record = {path.stem: arithmetic.state(path) | {"more": 1} for path in paths}
    chosen = arithmetic.chosen_since
    assert [chosen(paths, record, f"{n:x}") for n in (0, 3, 5)] == [
        [paths[0]],
        [paths[3]],
        [paths[1]],
    ]
    nb = nbformat.read(paths[1], as_version=4)
    nb.cells[0].outputs[0].text = "2\n"
    nbformat.write(nb, paths[1])
    record[paths[2].stem]["notebook"] = "another hash"
    del record[paths[3].stem]
    assert chosen(paths, record, "7") == [*paths[1:], paths[0]]
    assert chosen(paths, {}, "7") == paths


def test_the_record_names_notebooks_that_there_are():
    record = json.loads(arithmetic.RECORD.read_text(encoding="utf8"))
    there = {path.stem for path in notebooks.notebook_paths(arithmetic.ROOT)}
    assert record and set(record) <= there
    for about in record.values():
        modes = {name.partition(",")[0] for name in about["cells_one_unit_away"]}
        assert modes == set(arithmetic.MODES) and about["processor"]


def test_the_modes_compute_otherwise_than_this_machine(tmp_path):
    """The plain one everywhere; another one may be what this machine does anyway."""

    def bits(mode):
        env = arithmetic.environment(mode, 1, str(tmp_path))
        command = [sys.executable, "-c", WHAT_THEY_COMPUTE]
        return subprocess.run(command, env=env, capture_output=True, check=True).stdout

    assert bits("native") == bits("native")
    assert bits("plain") != bits("native")
    assert "sitecustomize" not in str(list(tmp_path.iterdir()))
    assert len({bits(mode) for mode in arithmetic.MODES}) > 2
    assert (tmp_path / "sitecustomize.py").exists()


def test_a_red_run_is_no_pass(tmp_path, monkeypatch, paths):
    monkeypatch.setattr(arithmetic, "ROOT", tmp_path)
    monkeypatch.setattr(arithmetic, "RECORD", tmp_path / "arithmetic.json")
    monkeypatch.setattr(arithmetic, "state", lambda path: {"notebook": path.stem})
    tables = {path.stem: {"failed": [], "last_digit": 2} for path in paths}
    tables[paths[1].stem]["failed"] = [3]

    def run(what, mode, threads, jobs):
        if "numerical" in what:
            return True, {}
        return (mode, threads) != ("plain", 2), tables

    monkeypatch.setattr(arithmetic, "run", run)
    assert arithmetic.run_all(paths, jobs=2) == 1
    record = json.loads((tmp_path / "arithmetic.json").read_text())
    assert set(record) == {path.stem for path in paths} - {paths[1].stem}
    assert record[paths[0].stem]["cells_one_unit_away"]["plain, 2 threads"] == 2
    # A run that broke off says nothing of any notebook.
    monkeypatch.setattr(arithmetic, "run", lambda *args: (False, {}))
    (tmp_path / "arithmetic.json").unlink()
    assert arithmetic.run_all(paths, jobs=2) == 1
    assert json.loads((tmp_path / "arithmetic.json").read_text()) == {}
