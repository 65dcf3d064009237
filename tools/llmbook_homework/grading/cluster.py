"""Grade a batch on a Dask cluster; results are written here, by this process alone.

Each machine needs this package and bubblewrap. A submission whose machine dies is
graded by another one.
"""

import importlib
from collections.abc import Iterator, Sequence

from llmbook_homework.grading.batch import Batch, Submission, grade_file
from llmbook_homework.grading.grader import Grader
from llmbook_homework.grading.results import Result
from llmbook_homework.grading.sandbox import bubblewrap

RETRIES = 3  # machines that may die under one submission
CONNECT_SECONDS = 10


def grade_there(batch: Batch, one: Submission, data: bytes) -> Result:
    """Grade one submission on whatever machine this runs.

    Raises
    ------
    ValueError
        If there is no sandbox on it, or the checks fail on their own solutions.
    """
    bubblewrap.require(unsafe=not batch.is_safe)
    with Grader(batch.chapter, batch.exercises, batch.limits, batch.is_safe) as grader:
        return grade_file(grader, one, data)


def run(
    batch: Batch, todo: Sequence[Submission], address: str, force: bool = False
) -> Iterator[tuple[Result, bool]]:
    """Grade submissions on a cluster, as :meth:`Batch.run` does here.

    Parameters
    ----------
    batch : Batch
        What is graded, and where results go.
    todo : sequence of Submission
        What was handed in.
    address : str
        Of the scheduler, ``tcp://host:8786``.
    force : bool
        Also those whose result is good.

    Yields
    ------
    tuple of Result and bool
        As they come.

    Raises
    ------
    ValueError
        If Dask is not installed, or no scheduler answers.
    """
    try:
        # An option that no extra installs: whoever has a cluster has Dask.
        dask = importlib.import_module("distributed")
    except ImportError:
        raise ValueError(
            "--dask needs Dask: pip install distributed, here and on the cluster"
        ) from None
    done, fresh = batch.sort(todo, force)
    yield from ((result, False) for result in done)
    if not fresh:
        return
    try:
        client = dask.Client(address, timeout=CONNECT_SECONDS)
    except (OSError, ValueError) as error:
        raise ValueError(f"no Dask scheduler answers at {address}: {error}") from None
    with client:
        futures = {
            client.submit(grade_there, batch, one, data, pure=False, retries=RETRIES): (
                one, key,
            )
            for one, data, key in fresh
        }  # fmt: skip
        for future in dask.as_completed(futures):
            result, (one, key) = future.result(), futures[future]
            result.key = key
            result.write(batch.path(one))
            yield result, True
