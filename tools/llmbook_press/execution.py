"""Run notebooks: fresh kernels, clean outputs, nothing lost when a cell fails."""

import datetime
import os
import platform
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

import nbformat

from llmbook_press.dependencies import NO_DATA, PACKAGE, package_files
from llmbook_press.notebooks import (
    ChapterError,
    code_cells,
    code_hash,
    is_stale,
    normalise,
    notebook_paths,
    write,
)

if TYPE_CHECKING:
    from nbclient import NotebookClient


# The kernel notes what it opens: a data file that the hash does not know would change
# and mark no notebook. Libraries that open files without Python are not seen.
NOTE_OPENED = (
    "import sys; sys.llmbook_opened = set(); sys.addaudithook(lambda event, args: "
    "event == 'open' and sys.llmbook_opened.add(str(args[0])))"
)
# subtle: on Linux getrusage tells at least the peak of the process that began it
MEASURE = """
import resource, sys
from pathlib import Path
if (status := Path('/proc/self/status')).exists():
    peak = int(status.read_text().partition('VmHWM:')[2].split()[0])
else:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
peak_mb = peak * (1 if sys.platform == 'darwin' else 1024) / 1e6
opened = sorted(name for name in sys.llmbook_opened if {package!r} in name)
print(peak_mb, *opened, sep="\\n")  # nbclient takes minutes for one long line
"""


def _measure(client: "NotebookClient") -> tuple[float, list[str]]:
    """Ask a running kernel for the peak of its memory, in MB, and what it opened."""
    code = MEASURE.format(package=str(PACKAGE))
    client.nb.cells.append(nbformat.v4.new_code_cell(code))
    client.execute_cell(client.nb.cells[-1], len(client.nb.cells) - 1)
    peak, *opened = client.nb.cells.pop().outputs[0].text.splitlines()
    return float(peak), opened


def _check_opened(nb: nbformat.NotebookNode, opened: Iterable[str]) -> None:
    """Raise ChapterError if the kernel read data of the package that no hash knows."""
    known = set(package_files("\n".join(cell.source for cell in code_cells(nb))))
    for path in map(Path, opened):
        is_data = path.suffix not in NO_DATA and path.is_relative_to(PACKAGE)
        if is_data and path.is_file() and path not in known:
            raise ChapterError(
                f"the notebook read {path.relative_to(PACKAGE.parent)}, of which its "
                "hash knows nothing: write the file's name as a string into the "
                "module that opens it (rules: llmbook_press.dependencies)"
            )


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
        extra_arguments=[f"--IPKernelApp.exec_lines={NOTE_OPENED}"],
    )
    start = time.perf_counter()
    position = 0
    try:
        with client.setup_kernel(env=_kernel_env()):
            start = time.perf_counter()
            for position, cell in enumerate(nb.cells):
                client.execute_cell(cell, position)
            seconds = time.perf_counter() - start
            peak, opened = _measure(client)
        _check_opened(nb, opened)
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
