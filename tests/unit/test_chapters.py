"""Running notebooks: only stale ones, clean outputs, nothing lost on failure."""

import shutil
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from llmbook_press import dependencies, execution, notebooks

ROOT = Path(__file__).parents[2]


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
    with pytest.raises(notebooks.ChapterError, match="cell 1 failed"):
        execution.execute(path, tmp_path)
    assert path.read_bytes() == before


def test_outputs_come_from_one_thread_on_the_cpu(tmp_path, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    monkeypatch.setenv("LLMBOOK_DEVICE", "cuda")
    asked = "os.environ['OMP_NUM_THREADS'], os.environ['LLMBOOK_DEVICE']"
    path = make_book(tmp_path, f"import os\nprint({asked})")
    execution.execute(path, tmp_path)
    assert outputs(path)[0][0].text == "1 cpu\n"


def test_a_warning_fails_instead_of_being_stored(tmp_path):
    path = make_book(tmp_path, "import warnings\nwarnings.warn('old')")
    with pytest.raises(notebooks.ChapterError, match=r"cell 1 wrote to stderr"):
        execution.execute(path, tmp_path)
    assert outputs(path) == [[]]


def test_prose_keeps_outputs_fresh_and_code_or_constraints_do_not(tmp_path):
    path = make_book(tmp_path, "1 + 1")
    execution.execute(path, tmp_path)
    nb = nbformat.read(path, as_version=4)
    nb.cells[0].source = "# Another title"
    nbformat.write(nb, path)
    assert not notebooks.is_stale(path, tmp_path)
    nb.cells[1].source = "1 + 2"
    nbformat.write(nb, path)
    assert notebooks.is_stale(path, tmp_path)
    nb.cells[1].source = "1 + 1"
    nbformat.write(nb, path)
    (tmp_path / "constraints.txt").write_text("numpy==2.1\n")
    assert notebooks.is_stale(path, tmp_path)


def test_a_cell_that_lost_its_output_is_stale(tmp_path):
    path = make_book(tmp_path, "1 + 1")
    execution.execute(path, tmp_path)
    nb = nbformat.read(path, as_version=4)
    nb.cells[1].execution_count = None
    nbformat.write(nb, path)
    assert notebooks.is_stale(path, tmp_path)


ALL = "00 01 02 03 04 05 06 07 11 15"
# One file of each kind: the chapters that must become stale by it, all others not.
STANDS_ON = {
    "a model": ("models/words/embeddings.py", "02"),
    "a model under others": ("models/attention/fused.py", "00 05 06 07 11 15"),
    "the loop": ("training/__init__.py", "05 07 11 15"),
    "the village": ("tinyworld/world.py", "00 01 02 06 07 11 15"),
    "a checker of stories": ("tinyworld/checking/rules.py", "00 06 07 11 15"),
    "the plots' style": ("plots/style.py", ALL),
    "the quiz": ("explorers/quiz/quiz.py", ALL),
    "the quiz's script": ("explorers/quiz/quiz.js", ALL),
    "what explorers share": ("explorers/core/explorer.py", ALL),
    "a style sheet": ("explorers/core/explorer.css", ALL),
    "an explorer's style sheet": ("explorers/boundary/boundary.css", "03"),
    "an explorer": ("explorers/boundary/boundary.py", "03"),
    "an explorer's script": ("explorers/boundary/boundary.js", "03"),
    "a script of one of two maps": ("explorers/word_map/word_map.js", "02"),
    "an explorer's picture": ("explorers/word_map/picture.py", "02"),
    "the ladder": ("ladder/chart.py", "00 07 11"),
    "the ladder's numbers": ("ladder/ladder.json", "00 06 07 11"),
    "a race's numbers": ("ladder/one_minute.json", "07"),
    "stored runs": ("experiments/over_seeds.json", "03 05 07"),
    "a view": ("explorers/attention/views.py", "11"),
    "a view's script": ("explorers/attention/attention_draw.js", "11"),
    "labelled texts": ("text/labelled/reviews.jsonl", "03 05 07"),
    "trained weights": ("pretrained/tiny/model.safetensors", "07 11 15"),
    "a vocabulary": ("pretrained/tiny/vocab.json", "07 11 15"),
    "a text for people": ("text/labelled/reviews.md", ""),
    "the grader": ("../tools/llmbook_homework/grading/sandbox/checker.py", ""),
    "a page's extension": ("../tools/llmbook_press/sphinx_ext/status.py", ""),
    "the runner": ("../tools/llmbook_press/execution.py", ""),
    "a room's own text": ("explorers/__init__.py", ""),
    "the command": ("../tools/llmbook_press/cli.py", ""),
}


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    """Copy the package and the tools, to change them."""
    folder, ignore = tmp_path_factory.mktemp("tree"), shutil.ignore_patterns("*.pyc")
    for name in ("tools", "llmbook_utils"):
        shutil.copytree(ROOT / name, folder / name, ignore=ignore)
    return folder / "llmbook_utils"


@pytest.fixture(scope="module")
def hashes(package):
    """Give what hashes every chapter of the book as it stands on the copied package."""
    read = {
        path.name[:2]: nbformat.read(path, as_version=4)
        for path in notebooks.notebook_paths(ROOT)
    }
    return lambda: {k: notebooks.code_hash(nb, ROOT, package) for k, nb in read.items()}


@pytest.fixture(scope="module")
def unchanged(hashes):
    """Hash every chapter before anything is changed."""
    return hashes()


@pytest.mark.parametrize("kind", STANDS_ON)
def test_a_change_makes_those_stale_that_stand_on_it(kind, package, hashes, unchanged):
    name, stale = STANDS_ON[kind]
    path, before = package / name, unchanged
    assert " ".join(before) == ALL, "complete the table"
    whole = path.read_bytes()
    try:
        path.write_bytes(whole + b"\n")
        after = hashes()
    finally:
        path.write_bytes(whole)
    assert [n for n in before if before[n] != after[n]] == stale.split()


def test_a_new_explorer_makes_no_chapter_stale(package, hashes, unchanged):
    folder = package / "explorers" / "new"
    folder.mkdir()
    for name in ("__init__.py", "new.py", "new.js"):
        (folder / name).write_text("")
    assert hashes() == unchanged
    shutil.rmtree(folder)


def files_of(tmp_path, source, modules):
    """Follow a source through a package of given modules."""
    package = tmp_path / "package"
    for name, text in {"__init__.py": "", **modules}.items():
        path = package / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    found = dependencies.package_files(source, package)
    names = [path.relative_to(package).as_posix() for path in found]
    return [name for name in names if name != "__init__.py"]


def test_imports_are_followed_in_all_their_forms(tmp_path):
    modules = {
        "a.py": "from . import b\nfrom .c.d import x",
        "b.py": "import package.e",
        "c/__init__.py": "'''Text.'''",
        "c/d.py": "from ..g import z",
        "c/f.py": "x = 1",
        "e.py": "from importlib import import_module\nimport_module('package.h')",
        "g.py": "def f():\n    from . import i",
        "h.py": "if TYPE_CHECKING:\n    from .j import k",
        "i.py": "x = 1",
        "j.py": "x = 1",
        "k/__init__.py": "x = 1",
        "k/l.py": "x = 1",
    }
    every = ["a.py", "b.py", "c/d.py", "e.py", "g.py", "h.py", "i.py"]
    assert files_of(tmp_path, "from package.a import x", modules) == every
    for source in ("from package.c import f", "import package.c.f"):
        assert files_of(tmp_path, source, modules) == ["c/f.py"]
    assert files_of(tmp_path, "from package import c", modules) == []
    above = files_of(tmp_path, "from package.k.l import x", modules)
    assert above == ["k/__init__.py", "k/l.py"]


@pytest.mark.parametrize(
    "code, found",
    [
        ("read(here, 'static', 'x.js')", ["static/x.js"]),
        ("read(f'{name}.csv')", ["p.csv"]),
        ("read(f'{code(\"x.js\")} and more')", ["static/x.js"]),
        ("read('model/')", ["model/config.json"]),
        ("'''Reads x.js.'''\nprint(f'{x}.{y}', '.js', 'js', 'static', '/')", []),
    ],
)
def test_data_are_found_by_name_by_pattern_and_by_folder(tmp_path, code, found):
    names = ("static/x.js", "static/y.js", "p.csv", "model/config.json", "model/a.md")
    modules = {"a.py": code, **dict.fromkeys(names, "")}
    assert files_of(tmp_path, "import package.a", modules) == sorted(["a.py", *found])


def test_data_that_no_hash_knows_fail_the_run(tmp_path):
    path = make_book(
        tmp_path,
        "import llmbook_utils",
        "from pathlib import Path\n"
        "folder = Path(llmbook_utils.__file__).parent\n"
        "text = (folder / 'ladder' / ('ladder' + '.json')).read_text()",
    )
    with pytest.raises(notebooks.ChapterError, match=r"read .*ladder\.json, of which"):
        execution.execute(path, tmp_path)


def test_normalise_takes_out_what_differs_from_run_to_run():
    view = {notebooks.WIDGET_VIEW: {"model_id": "1f"}, "text/plain": "x"}
    cell = new_code_cell("x", outputs=[new_output("display_data", data=view)])
    cell.metadata["execution"] = {"iopub.execute_input": "2026-01-01"}
    nb = new_notebook(cells=[cell])
    nb.metadata["widgets"] = {"state": {}}
    nb.metadata["language_info"] = {"name": "python", "version": "3.11.7"}
    notebooks.normalise(nb)
    assert "widgets" not in nb.metadata and "execution" not in cell.metadata
    assert nb.metadata.language_info == {"name": "python"}
    assert cell.outputs[0].data == {"text/plain": "x"}


def test_cost_line_rounds_up():
    nb = new_notebook(cells=[new_markdown_cell("word " * 1600)])
    nb.metadata["llmbook"] = {"seconds": 30.1, "peak_mb": 801}
    said = "About 15 min to read, 40 s to run on 2 CPU cores, 0.9 GB, no download."
    assert notebooks.cost_line(nb) == said


def test_an_unknown_chapter_lists_what_there_is(tmp_path):
    make_book(tmp_path, "1")
    with pytest.raises(ValueError, match=r"no notebook begins with '7'.*01_x"):
        notebooks.notebook_paths(tmp_path, ["7"])
    with pytest.raises(ValueError, match="jobs is 0"):
        execution.run_stale(tmp_path, [], force=False, jobs=0)


def test_outside_a_book_the_error_says_where_to_go(tmp_path):
    with pytest.raises(ValueError, match=r"no _toc\.yml"):
        notebooks.book_root(tmp_path)
