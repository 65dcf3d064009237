"""The notebooks as files: find the stale ones, run them, store clean outputs."""

import ast
import datetime
import hashlib
import json
import math
import os
import platform
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

import nbformat

if TYPE_CHECKING:
    from nbclient import NotebookClient

PACKAGE = Path(__file__).parent
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


def _imported_modules(source: str) -> set[str]:
    """Name the modules of this package that Python source imports."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module)
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return {name for name in found if name.split(".")[0] == PACKAGE.name}


def _module_files(name: str) -> list[Path]:
    """Give the files that importing a dotted name reads, its data files too."""
    base = PACKAGE.parent.joinpath(*name.split("."))
    if base.with_suffix(".py").is_file():
        return [base.with_suffix(".py")]
    if (base / "__init__.py").is_file():
        return [base / "__init__.py", *sorted((base / "static").glob("*"))]
    return []


def package_files(source: str) -> list[Path]:
    """Follow imports from notebook code through this package.

    Parameters
    ----------
    source : str
        Python code.

    Returns
    -------
    list of Path
        The package's files that the code depends on, sorted.

    Examples
    --------
    >>> [path.name for path in package_files("from llmbook_utils import runtime")]
    ['__init__.py', 'corpora.py', 'runtime.py']
    """
    todo, files = _imported_modules(source), set()
    seen: set[str] = set()
    while todo:
        name = todo.pop()
        if name in seen:
            continue
        seen.add(name)
        if "." in name:
            todo.add(name.rpartition(".")[0])
        for path in _module_files(name):
            files.add(path)
            if path.suffix == ".py":
                todo |= _imported_modules(path.read_text(encoding="utf8"))
    return sorted(files)


def code_cells(nb: nbformat.NotebookNode) -> list[nbformat.NotebookNode]:
    """Return a notebook's code cells that hold any code."""
    return [c for c in nb.cells if c.cell_type == "code" and c.source.strip()]


def code_hash(nb: nbformat.NotebookNode, root: Path) -> str:
    """Hash what a chapter's outputs depend on: code, package files, constraints.

    Text is left out: a change of prose runs nothing.

    Parameters
    ----------
    nb : NotebookNode
        The chapter.
    root : Path
        The repository, for its constraints file.

    Returns
    -------
    str
        16 hexadecimal digits.
    """
    sources = [cell.source for cell in code_cells(nb)]
    digest = hashlib.sha256(json.dumps(sources).encode())
    for path in package_files("\n".join(sources)):
        digest.update(path.relative_to(PACKAGE).as_posix().encode())
        digest.update(path.read_bytes())
    digest.update((root / "constraints.txt").read_bytes())
    return digest.hexdigest()[:16]


def is_stale(path: Path, root: Path) -> bool:
    """Tell whether a notebook's outputs are older than what they depend on."""
    nb = nbformat.read(path, as_version=4)
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


def reading_minutes(nb: nbformat.NotebookNode) -> int:
    """Estimate how long a chapter takes to read, in minutes, to the next 5."""
    words = sum(len(c.source.split()) for c in nb.cells if c.cell_type == "markdown")
    lines = sum(len(c.source.splitlines()) for c in code_cells(nb))
    minutes = words / WORDS_PER_MINUTE + lines * SECONDS_PER_CODE_LINE / 60
    return 5 * math.ceil(minutes / 5)


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


def _peak_memory_mb(client: "NotebookClient") -> float:
    """Ask a running kernel for the peak of its resident memory, in MB."""
    code = (
        "import resource, sys\n"
        "peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "print(peak * (1 if sys.platform == 'darwin' else 1024) / 1e6)"
    )
    client.nb.cells.append(nbformat.v4.new_code_cell(code))
    client.execute_cell(client.nb.cells[-1], len(client.nb.cells) - 1)
    return float(client.nb.cells.pop().outputs[0].text)


def execute(path: Path, root: Path) -> float:
    """Run a notebook in a fresh kernel on the CPU and store its outputs.

    The file is replaced only when every cell has run and the outputs are clean.

    Parameters
    ----------
    path : Path
        The notebook.
    root : Path
        The repository.

    Returns
    -------
    float
        Seconds that the cells took.

    Raises
    ------
    ChapterError
        If a cell failed, took too long, or wrote to stderr.
    """
    from nbclient import NotebookClient
    from nbclient.exceptions import (
        CellExecutionError,
        CellTimeoutError,
        DeadKernelError,
    )

    nb = nbformat.read(path, as_version=4)
    client = NotebookClient(
        nb,
        timeout=600,
        kernel_name="python3",
        resources={"metadata": {"path": str(path.parent)}},
        coalesce_streams=True,
    )
    start = time.perf_counter()
    position = 0
    try:
        with client.setup_kernel(env=_kernel_env()):
            start = time.perf_counter()
            for position, cell in enumerate(nb.cells):
                client.execute_cell(cell, position)
            seconds = time.perf_counter() - start
            peak = _peak_memory_mb(client)
        normalise(nb)
    except (CellExecutionError, CellTimeoutError, DeadKernelError) as error:
        head = nb.cells[position].source.strip().split("\n")[0]
        raise ChapterError(
            f"{path.name}: cell {position} failed ({head!r}); the file is as it was"
            f"\n{error}"
        ) from error
    except ChapterError as error:
        raise ChapterError(f"{path.name}: {error}\nthe file is as it was") from error
    nb.metadata["llmbook"] = _run_record(nb, root, seconds, peak)
    write(nb, path)
    return seconds


def _kernel_env() -> dict[str, str]:
    """Stored outputs come from the CPU, with one thread per kernel."""
    return {**os.environ, "LLMBOOK_DEVICE": "cpu", "OMP_NUM_THREADS": "1"}


def _run_record(
    nb: nbformat.NotebookNode, root: Path, seconds: float, peak_mb: float
) -> dict[str, object]:
    return {
        "code_hash": code_hash(nb, root),
        "seconds": round(seconds, 1),
        "peak_mb": round(peak_mb),
        "device": "cpu",
        "threads": 1,
        "python": platform.python_version(),
        "torch": metadata.version("torch").partition("+")[0],
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
    }


def write(nb: nbformat.NotebookNode, path: Path) -> None:
    """Check a notebook and put it in place of the old one in a single step."""
    nbformat.validate(nb)
    draft = path.with_suffix(".ipynb.tmp")
    nbformat.write(nb, draft)
    draft.replace(path)


def run_stale(root: Path, names: Iterable[str], force: bool, jobs: int) -> int:
    """Run the notebooks that are stale, several at a time, and report each.

    Parameters
    ----------
    root : Path
        The repository.
    names : iterable of str
        Beginnings of file names; none means all.
    force : bool
        Run also what is not stale.
    jobs : int
        Kernels at a time.

    Returns
    -------
    int
        How many notebooks failed.

    Raises
    ------
    ValueError
        If ``jobs`` is under 1 or a name fits no notebook.
    """
    if jobs < 1:
        raise ValueError(f"jobs is {jobs}; give 1 or more")
    paths = notebook_paths(root, names)
    todo = [path for path in paths if force or is_stale(path, root)]
    print(f"{len(todo)} of {len(paths)} notebooks to run", flush=True)

    def attempt(path: Path) -> int:
        try:
            print(f"{path.name}: ran in {execute(path, root):.1f} s", flush=True)
        except ChapterError as error:
            print(f"FAILED {error}", flush=True)
            return 1
        return 0

    with ThreadPoolExecutor(jobs) as pool:
        return sum(pool.map(attempt, todo))
