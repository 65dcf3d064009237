"""Machine-written cells: package code, the Colab cell, links from one address."""

import importlib.util
import re
import subprocess
import sys
import types
from importlib import metadata
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from llmbook_press import sync

ADDRESS = "https://github.com/someone/llmbook"


@pytest.fixture
def book(tmp_path):
    """A book of one chapter with each kind of machine-written cell."""
    (tmp_path / "_config.yml").write_text(
        f"repository:\n  url: {ADDRESS}\n  branch: main\n"
    )
    (tmp_path / "README.md").write_text(
        "https://github.com/old/llmbook and [open](https://colab.research.google.com"
        "/github/old/llmbook/blob/dev/notebooks/01_x.ipynb)\n"
    )
    (tmp_path / "CITATION.cff").write_text(f"repository-code: {ADDRESS}\n")
    (tmp_path / "notebooks").mkdir()
    code = new_code_cell("")
    code.metadata["source"] = "llmbook_utils.doctor.Finding"
    setup = new_code_cell("", metadata={"tags": ["colab-setup"]})
    cost = new_markdown_cell("", metadata={"tags": ["cost"]})
    nb = new_notebook(cells=[cost, setup, code])
    nbformat.write(nb, tmp_path / "notebooks" / "01_x.ipynb")
    return tmp_path


def test_check_names_what_differs_and_writes_nothing(book):
    before = (book / "README.md").read_text()
    assert sync.sync_all(book, check=True) == ["01_x.ipynb", "README.md"]
    assert (book / "README.md").read_text() == before


def test_sync_writes_code_links_and_set_up_once(book):
    sync.sync_all(book, check=False)
    nb = nbformat.read(book / "notebooks" / "01_x.ipynb", as_version=4)
    link = (
        "https://colab.research.google.com/github/someone/llmbook/blob/main/"
        "notebooks/01_x.ipynb"
    )
    assert link in nb.cells[0].source
    assert f"git+{ADDRESS}@main" in nb.cells[1].source
    assert nb.cells[2].source.startswith("@dataclass(frozen=True)\nclass Finding:")
    assert (book / "README.md").read_text() == f"{ADDRESS} and [open]({link})\n"
    assert sync.sync_all(book, check=True) == []


def test_shown_code_keeps_the_first_line_of_each_docstring():
    shown = sync.package_source("llmbook_utils.doctor.check_requirement")
    assert '    """Compare an installed package with the range' in shown
    assert "Parameters" not in shown
    compile(shown, "shown", "exec")


@pytest.mark.parametrize("name", ["llmbook_utils.runtime.nothing", "llmbook_utils.x.y"])
def test_unknown_source_says_what_is_missing(name):
    with pytest.raises(ValueError, match=name.replace(".", r"\.")):
        sync.package_source(name)


def run_setup(monkeypatch, in_colab, is_installed):
    """Run the Colab cell with pip replaced, and return its calls."""
    calls = []
    if in_colab:
        monkeypatch.setitem(sys.modules, "google.colab", types.ModuleType("colab"))
    spec = object() if is_installed else None
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: spec)
    monkeypatch.setattr(subprocess, "run", lambda args, check: calls.append(args))
    exec(sync.COLAB_SETUP.format(url=ADDRESS, branch="main"), {})
    return calls


def test_colab_cell_does_nothing_elsewhere(monkeypatch, capsys):
    assert run_setup(monkeypatch, in_colab=False, is_installed=False) == []
    assert capsys.readouterr().out == ""


def test_colab_cell_installs_if_missing_and_keeps_torch_and_numpy(monkeypatch, capsys):
    keep = [f"{name}=={metadata.version(name)}" for name in ("torch", "numpy")]
    (call,) = run_setup(monkeypatch, in_colab=True, is_installed=False)
    assert call[1:4] == ["-m", "pip", "install"]
    assert call[-3] == f"llmbook @ git+{ADDRESS}@main"
    assert call[-2:] == keep
    assert "kept torch==" in capsys.readouterr().out


def test_colab_cell_says_so_if_the_package_is_there(monkeypatch, capsys):
    assert run_setup(monkeypatch, in_colab=True, is_installed=True) == []
    assert "nothing was installed" in capsys.readouterr().out


ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("name", ["README.md", "notebooks"])
def test_each_colab_link_names_a_notebook_of_the_tree(name):
    url, branch = sync.repository(ROOT)
    slug = url.removeprefix("https://github.com/")
    files = [ROOT / name] if name.endswith(".md") else (ROOT / name).glob("*.ipynb")
    links = [
        link
        for file in files
        for link in re.findall(rf"{sync.COLAB}/[^)\s\"\\]+", file.read_text("utf8"))
    ]
    assert links
    for link in links:
        path = link.removeprefix(f"{sync.COLAB}/{slug}/blob/{branch}/")
        assert path != link and path.endswith(".ipynb")
        assert (ROOT / path).is_file(), f"{link} names no notebook"


def test_the_address_stands_in_one_setting():
    """Everything else that names the repository is written by `llmbook sync`."""
    assert sync.sync_all(ROOT, check=True) == []
    url, _ = sync.repository(ROOT)
    for path in [*ROOT.glob("*.toml"), *ROOT.glob("llmbook_utils/**/*.py")]:
        assert url not in path.read_text(encoding="utf8"), path.name
