"""A Dask cluster of two workers, one of which is killed half-way."""

import json
import subprocess
import sys
import time

import pytest
import toy

from llmbook_homework.grading import cluster
from llmbook_homework.grading.batch import Batch, Submission
from llmbook_homework.grading.sandbox.limits import Limits


def start(module, *args):
    """Start a part of the cluster."""
    call = [sys.executable, "-m", f"distributed.cli.{module}", *args]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    return subprocess.Popen(call, **quiet)


@pytest.fixture
def two_workers(tmp_path):
    """A scheduler's address, and two workers without a nanny to revive them."""
    pytest.importorskip("distributed", reason="Dask is an option")
    file = tmp_path / "scheduler.json"
    quiet = ["--no-dashboard", "--host", "127.0.0.1"]
    parts = [
        start("dask_scheduler", *quiet, "--port", "0", "--scheduler-file", str(file))
    ]
    try:
        while not (file.exists() and file.stat().st_size):
            assert parts[0].poll() is None, "the scheduler ended"
            time.sleep(0.05)
        address = json.loads(file.read_text())["address"]
        own = ["--no-nanny", *quiet, "--nthreads", "1"]
        place = ["--local-directory", str(tmp_path)]
        parts += [start("dask_worker", address, *own, *place) for _ in range(2)]
        yield address, parts[1:]
    finally:
        for part in parts:
            part.kill()
            part.wait()


def test_no_submission_is_lost_when_a_worker_dies(tmp_path, chapter, two_workers):
    address, workers = two_workers
    todo = []
    for number in range(4):
        path = tmp_path / f"student{number}.ipynb"
        path.write_bytes(toy.as_bytes(toy.submission(chapter, toy.RIGHT)))
        todo.append(Submission(path.stem, "ch90", path, chapter.exercises))
    limits = Limits(seconds=5, memory_mb=400)
    own = Batch(chapter, list(chapter.exercises), tmp_path / "results", limits)
    results = []
    for result, _ in cluster.run(own, todo, address):
        if not results:
            workers[0].kill()
        results.append(result)
    assert sorted(result.student for result in results) == [s.student for s in todo]
    assert all(result.score == 6 for result in results)
    again = list(cluster.run(own, todo, "tcp://127.0.0.1:1"))
    assert len(again) == 4 and not any(is_new for _, is_new in again)


def test_a_scheduler_that_is_not_there(tmp_path, chapter, monkeypatch):
    """Dask tries again until its time is over; nobody will answer at any time."""
    pytest.importorskip("distributed", reason="Dask is an option")
    monkeypatch.setattr(cluster, "CONNECT_SECONDS", 0.1)
    path = tmp_path / "ada.ipynb"
    path.write_bytes(toy.as_bytes(toy.submission(chapter, {})))
    own = Batch(chapter, list(chapter.exercises), tmp_path / "results")
    todo = [Submission("ada", "ch90", path, chapter.exercises)]
    with pytest.raises(ValueError, match="no Dask scheduler answers"):
        list(cluster.run(own, todo, "tcp://127.0.0.1:1"))
