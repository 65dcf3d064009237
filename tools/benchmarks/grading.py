"""A class's submissions to a chapter: seconds, and as a ratio to running the notebook.

``python tools/benchmarks/grading.py`` makes submissions to a chapter from its
solutions, its stubs and its planted wrong answers, a few of them with a loop that never
ends, and grades them in the sandbox. Then it runs the whole chapter once, as nbgrader's
own autograde would for each submission.
"""

from __future__ import annotations

import argparse
import itertools
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import nbformat
from common import table
from nbclient import NotebookClient

from llmbook_homework.exercises import mistakes, reading
from llmbook_homework.exercises.tasks import Chapter
from llmbook_homework.grading.batch import Batch, Submission
from llmbook_homework.grading.sandbox import bubblewrap
from llmbook_press import notebooks

FOREVER = "while True:\n    pass"


def answers(chapter: Chapter, loops: int) -> Iterator[dict[str, str]]:
    """Give each student's answers by exercise: every third one is wrong or empty."""
    planted = mistakes.read(chapter.path)
    for student in itertools.count():
        found = {}
        for number, each in enumerate(chapter.exercises):
            wrong = [m.source for m in planted if m.exercise == each.short]
            choices = [each.solution, each.solution, *wrong, each.stub]
            found[each.id] = choices[(student + 5 * number) % len(choices)]
        if student < loops:
            found[chapter.exercises[student % len(found)].id] = FOREVER
        yield found


def write(chapter: Chapter, left: dict[str, str], path: Path) -> None:
    """Write a student's notebook."""
    nb = nbformat.read(chapter.path, as_version=4)
    for cell in nb.cells:
        name = cell.metadata.get("nbgrader", {}).get("grade_id", "")
        cell.source = left.get(name, cell.source)
    nbformat.write(nb, path)


def grade(chapter: Chapter, args: argparse.Namespace, folder: Path) -> float:
    """Make and grade submissions; return the seconds that grading took."""
    todo = []
    for number, left in enumerate(
        itertools.islice(answers(chapter, args.loops), args.students)
    ):
        path = folder / f"student{number}.ipynb"
        write(chapter, left, path)
        todo.append(Submission(path.stem, "benchmark", path, chapter.exercises))
    batch = Batch(chapter, list(chapter.exercises), folder)
    began = time.perf_counter()
    results = [result for result, _ in batch.run(todo, args.jobs)]
    seconds = time.perf_counter() - began
    assert len(results) == args.students
    assert all(row.reason or row.score for r in results for row in r.exercises)
    return seconds


def run_whole(path: Path) -> float:
    """Run the chapter from top to bottom; return the seconds."""
    nb = nbformat.read(path, as_version=4)
    resources = {"metadata": {"path": str(path.parent)}}
    began = time.perf_counter()
    NotebookClient(nb, timeout=600, resources=resources).execute()
    return time.perf_counter() - began


def main(arguments: list[str]) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--chapter", default="11")
    parser.add_argument("--students", type=int, default=40)
    parser.add_argument("--loops", type=int, default=3, help="students who never end")
    parser.add_argument("--jobs", type=int, default=2)
    args = parser.parse_args(arguments)
    bubblewrap.require(unsafe=False)
    chapter = reading.of(args.chapter, notebooks.book_root(Path(__file__).parent))
    with tempfile.TemporaryDirectory() as folder:
        seconds = grade(chapter, args, Path(folder))
    whole = run_whole(chapter.path)
    each = seconds / args.students
    head = ["chapter", "submissions", "jobs", "seconds", "each", "whole", "ratio"]
    numbers = [f"{seconds:.0f}", f"{each:.1f}", f"{whole:.0f}", f"{whole / each:.1f}"]
    row = [chapter.number, str(args.students), str(args.jobs), *numbers]
    print(table(head, [row]))


if __name__ == "__main__":
    main(sys.argv[1:])
