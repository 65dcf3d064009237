"""The notebooks as files: where they are, what they depend on, what they cost."""

import hashlib
import json
import math
from collections.abc import Iterable
from pathlib import Path

import nbformat

from llmbook_press.dependencies import PACKAGE, package_files

WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"
# Reading speed of technical prose, and the time a line of code takes.
WORDS_PER_MINUTE = 150
SECONDS_PER_CODE_LINE = 2.0


class ChapterError(Exception):
    """A notebook could not be run; the message names the cell and the cause."""


def book_root(start: Path | None = None) -> Path:
    """Find the repository: the nearest folder upwards that holds ``_toc.yml``.

    Parameters
    ----------
    start : Path, optional
        Where to start; the working directory by default.

    Returns
    -------
    Path

    Raises
    ------
    ValueError
        If there is none.
    """
    start = (start or Path.cwd()).resolve()
    for folder in (start, *start.parents):
        if (folder / "_toc.yml").is_file():
            return folder
    raise ValueError(f"no _toc.yml in {start} or above; run this in the repository")


def notebook_paths(root: Path, names: Iterable[str] = ()) -> list[Path]:
    """List the chapters' notebooks, or those whose file names begin as asked.

    Parameters
    ----------
    root : Path
        The repository.
    names : iterable of str
        Beginnings of file names, such as ``"02"``; none means all.

    Returns
    -------
    list of Path
        Sorted.

    Raises
    ------
    ValueError
        If a name fits no notebook.
    """
    every = sorted((root / "notebooks").glob("*.ipynb"))
    names = list(names)
    for name in names:
        if not any(path.name.startswith(name) for path in every):
            there = ", ".join(path.stem for path in every)
            raise ValueError(f"no notebook begins with {name!r}; there are: {there}")
    return [p for p in every if not names or p.name.startswith(tuple(names))]


def module_path(module: str) -> Path:
    """Say where the file of a module of the package is, or would be."""
    base = PACKAGE.parent.joinpath(*module.split("."))
    return base / "__init__.py" if base.is_dir() else base.with_suffix(".py")


def code_cells(nb: nbformat.NotebookNode) -> list[nbformat.NotebookNode]:
    """Return a notebook's code cells that hold any code."""
    return [c for c in nb.cells if c.cell_type == "code" and c.source.strip()]


def code_hash(nb: nbformat.NotebookNode, root: Path, package: Path = PACKAGE) -> str:
    """Hash what a chapter's outputs depend on: code, package files, constraints.

    Text is left out: a change of prose runs nothing.

    Parameters
    ----------
    nb : NotebookNode
        The chapter.
    root : Path
        The repository, for its constraints file.
    package : Path, optional
        The folder of the package.

    Returns
    -------
    str
        16 hexadecimal digits.
    """
    sources = [cell.source for cell in code_cells(nb)]
    digest = hashlib.sha256(json.dumps(sources).encode())
    for path in package_files("\n".join(sources), package):
        digest.update(path.relative_to(package).as_posix().encode())
        digest.update(path.read_bytes())
    digest.update((root / "constraints.txt").read_bytes())
    return digest.hexdigest()[:16]


def is_stale(path: Path, root: Path) -> bool:
    """Tell whether a notebook's outputs are missing or older than their sources."""
    nb = nbformat.read(path, as_version=4)
    if any(cell.execution_count is None for cell in code_cells(nb)):
        return True
    stored = nb.metadata.get("llmbook", {}).get("code_hash")
    return stored != code_hash(nb, root)


def _clean_output(output: nbformat.NotebookNode, where: str) -> None:
    if output.output_type == "stream" and output.name == "stderr":
        raise ChapterError(f"{where} wrote to stderr; mend the cause:\n{output.text}")
    if "data" in output:
        output.data.pop(WIDGET_VIEW, None)
    if "metadata" in output:
        output.metadata = {}


def normalise(nb: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """Take out of a notebook, in place, all that differs from run to run.

    Parameters
    ----------
    nb : NotebookNode
        An executed notebook.

    Returns
    -------
    NotebookNode
        The same object, without timings, widget state or view ids, and with
        the metadata of the kernel cut down to its name.

    Raises
    ------
    ChapterError
        If a cell wrote to stderr: a warning is mended, not hidden.
    """
    nb.metadata.pop("widgets", None)
    nb.metadata["kernelspec"] = {
        "display_name": "Python 3 (ipykernel)",
        "language": "python",
        "name": "python3",
    }
    nb.metadata["language_info"] = {"name": "python"}
    for number, cell in enumerate(nb.cells):
        cell.metadata.pop("execution", None)
        for output in cell.get("outputs", []):
            _clean_output(output, f"cell {number}")
    return nb


def minutes_of(cells: Iterable[nbformat.NotebookNode]) -> float:
    """Estimate how long cells take to read, in minutes: words and lines of code."""
    words = lines = 0
    for cell in cells:
        if cell.cell_type == "markdown":
            words += len(cell.source.split())
        elif cell.cell_type == "code" and cell.source.strip():
            lines += len(cell.source.splitlines())
    return words / WORDS_PER_MINUTE + lines * SECONDS_PER_CODE_LINE / 60


def reading_minutes(nb: nbformat.NotebookNode) -> int:
    """Estimate how long a chapter takes to read, in minutes, to the next 5."""
    return 5 * math.ceil(minutes_of(nb.cells) / 5)


def cost_line(nb: nbformat.NotebookNode) -> str:
    """Say what a chapter costs, from what its last run measured.

    Seconds are rounded up to the next ten, memory to the next tenth of a GB.
    """
    run = nb.metadata["llmbook"]
    seconds = 10 * math.ceil(run["seconds"] / 10)
    memory = math.ceil(run["peak_mb"] / 100) / 10
    return (
        f"About {reading_minutes(nb)} min to read, {seconds} s to run on "
        f"2 CPU cores, {memory:.1f} GB, no download."
    )


def write(nb: nbformat.NotebookNode, path: Path) -> None:
    """Check a notebook and put it in place of the old one in a single step."""
    nbformat.validate(nb)
    draft = path.with_suffix(".ipynb.tmp")
    nbformat.write(nb, draft)
    draft.replace(path)
