"""Running notebooks: only stale ones, clean outputs, nothing lost on failure."""

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from llmbook_utils import chapters, execution


def make_book(tmp_path, *sources):
    """Write a book of one chapter into a folder."""
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "_toc.yml").write_text("root: x\n")
    (tmp_path / "constraints.txt").write_text("numpy==2.0\n")
    path = tmp_path / "notebooks" / "01_x.ipynb"
    cells = [new_markdown_cell("# Title"), *map(new_code_cell, sources)]
    nbformat.write(new_notebook(cells=cells), path)
    return path


def outputs(path):
    nb = nbformat.read(path, as_version=4)
    return [cell.outputs for cell in nb.cells if cell.cell_type == "code"]


def test_run_stores_outputs_and_a_second_run_does_nothing(tmp_path, capsys):
    path = make_book(
        tmp_path, "import time\nx = 2\nprint(x)\ntime.sleep(0.2)\nprint(x)", "x + 1"
    )
    assert execution.run_stale(tmp_path, [], force=False, jobs=2) == 0
    assert outputs(path)[0][0].text == "2\n2\n"
    assert outputs(path)[1][0].data["text/plain"] == "3"
    record = nbformat.read(path, as_version=4).metadata["llmbook"]
    assert record["seconds"] > 0 and 10 < record["peak_mb"] < 1000
    before = path.read_bytes()
    assert execution.run_stale(tmp_path, [], force=False, jobs=2) == 0
    assert "0 of 1 notebooks to run" in capsys.readouterr().out
    assert path.read_bytes() == before


def test_a_failed_run_leaves_the_file_and_names_the_cell(tmp_path, capsys):
    path = make_book(tmp_path, "a = 1", "b = a / 0", "c = 3")
    before = path.read_bytes()
    assert execution.run_stale(tmp_path, [], force=False, jobs=1) == 1
    assert path.read_bytes() == before
    said = capsys.readouterr().out
    assert "01_x.ipynb: cell 2 failed ('b = a / 0')" in said
    assert "ZeroDivisionError" in said


def test_a_dead_kernel_is_a_failure_that_names_the_cell(tmp_path):
    path = make_book(tmp_path, "import os\nos._exit(1)")
    before = path.read_bytes()
    with pytest.raises(chapters.ChapterError, match="cell 1 failed"):
        execution.execute(path, tmp_path)
    assert path.read_bytes() == before


def test_a_warning_fails_instead_of_being_stored(tmp_path):
    path = make_book(tmp_path, "import warnings\nwarnings.warn('old')")
    with pytest.raises(chapters.ChapterError, match=r"cell 1 wrote to stderr"):
        execution.execute(path, tmp_path)
    assert outputs(path) == [[]]


def test_prose_keeps_outputs_fresh_and_code_or_constraints_do_not(tmp_path):
    path = make_book(tmp_path, "1 + 1")
    execution.execute(path, tmp_path)
    nb = nbformat.read(path, as_version=4)
    nb.cells[0].source = "# Another title"
    nbformat.write(nb, path)
    assert not chapters.is_stale(path, tmp_path)
    nb.cells[1].source = "1 + 2"
    nbformat.write(nb, path)
    assert chapters.is_stale(path, tmp_path)
    nb.cells[1].source = "1 + 1"
    nbformat.write(nb, path)
    (tmp_path / "constraints.txt").write_text("numpy==2.1\n")
    assert chapters.is_stale(path, tmp_path)


def test_a_cell_that_lost_its_output_is_stale(tmp_path):
    path = make_book(tmp_path, "1 + 1")
    execution.execute(path, tmp_path)
    nb = nbformat.read(path, as_version=4)
    nb.cells[1].execution_count = None
    nbformat.write(nb, path)
    assert chapters.is_stale(path, tmp_path)


def test_hash_follows_imports_through_the_package():
    names = {p.name for p in chapters.package_files("from llmbook_utils import cli")}
    assert {"cli.py", "chapters.py", "sync.py", "runtime.py"} <= names
    names = {p.name for p in chapters.package_files("import llmbook_utils.tokenizers")}
    assert "cli.py" not in names and "tokenizers.py" in names


def test_normalise_takes_out_what_differs_from_run_to_run():
    view = {chapters.WIDGET_VIEW: {"model_id": "1f"}, "text/plain": "x"}
    cell = new_code_cell("x", outputs=[new_output("display_data", data=view)])
    cell.metadata["execution"] = {"iopub.execute_input": "2026-01-01"}
    nb = new_notebook(cells=[cell])
    nb.metadata["widgets"] = {"state": {}}
    nb.metadata["language_info"] = {"name": "python", "version": "3.11.7"}
    chapters.normalise(nb)
    assert "widgets" not in nb.metadata and "execution" not in cell.metadata
    assert nb.metadata.language_info == {"name": "python"}
    assert cell.outputs[0].data == {"text/plain": "x"}


def test_cost_line_rounds_up():
    nb = new_notebook(cells=[new_markdown_cell("word " * 1600)])
    nb.metadata["llmbook"] = {"seconds": 30.1, "peak_mb": 801}
    said = "About 15 min to read, 40 s to run on 2 CPU cores, 0.9 GB, no download."
    assert chapters.cost_line(nb) == said


def test_an_unknown_chapter_lists_what_there_is(tmp_path):
    make_book(tmp_path, "1")
    with pytest.raises(ValueError, match=r"no notebook begins with '7'.*01_x"):
        chapters.notebook_paths(tmp_path, ["7"])
    with pytest.raises(ValueError, match="jobs is 0"):
        execution.run_stale(tmp_path, [], force=False, jobs=0)


def test_outside_a_book_the_error_says_where_to_go(tmp_path):
    with pytest.raises(ValueError, match=r"no _toc\.yml"):
        chapters.book_root(tmp_path)
