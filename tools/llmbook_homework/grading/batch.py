"""Submissions graded together: results as files, and what is done is not done again."""

import hashlib
import json
import queue
import threading
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from llmbook_homework.exercises.tasks import Chapter, Exercise
from llmbook_homework.grading import submissions
from llmbook_homework.grading.grader import Grader
from llmbook_homework.grading.results import Result, all_zero, clean
from llmbook_homework.grading.sandbox.limits import Limits
from llmbook_homework.grading.sandbox.room import RoomFailed
from llmbook_press.dependencies import package_files

# A change in one of these may change a grade.
HOMEWORK = Path(__file__).parents[1]
GRADING_FILES = [
    path
    for folder in ("exercises", "grading")
    for path in sorted((HOMEWORK / folder).rglob("*.py"))
]


@dataclass(frozen=True)
class Submission:
    """What is known of a submission before it is graded.

    Attributes
    ----------
    student, assignment : str
    path : Path or None
        The notebook; None if something else was handed in, or nothing.
    exercises : tuple of Exercise
        As this student got them.
    submitted : str
        ISO time with its zone; empty if unknown.
    late : bool
    notes : tuple of str
        From collecting.
    instead : str
        Name of the file that came in place of a notebook.
    """

    student: str
    assignment: str
    path: Path | None
    exercises: tuple[Exercise, ...]
    submitted: str = ""
    late: bool = False
    notes: tuple[str, ...] = ()
    instead: str = ""

    def data(self) -> bytes:
        """Read the file, no more of it than can be graded; empty if there is none."""
        return submissions.head(self.path) if self.path else b""


def grader_hash() -> str:
    """Hash what grades: the code that does, and versions that results rest on."""
    import numpy
    import torch

    digest = hashlib.sha256(f"{numpy.__version__} {torch.__version__}".encode())
    for path in GRADING_FILES:
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def key_of(one: Submission, data: bytes, limits: Limits, is_safe: bool) -> str:
    """Hash all that a grade depends on.

    Parameters
    ----------
    one : Submission
        What is to be graded.
    data : bytes
        Its file.
    limits : Limits
        Of each exercise.
    is_safe : bool
        In bubblewrap.

    Returns
    -------
    str
        32 hexadecimal digits.
    """
    about: list[Any] = [
        grader_hash(), one.student, one.late, one.notes, asdict(limits), is_safe,
    ]  # fmt: skip
    for each in one.exercises:
        about.append([each.id, each.points, each.check, each.solution, each.needs])
        about.append([each.checksum, each.metadata])
        for path in package_files("\n".join([*each.needs, each.check])):
            about.append(hashlib.sha256(path.read_bytes()).hexdigest())
    digest = hashlib.sha256(json.dumps(about, default=str).encode())
    digest.update(data)
    return digest.hexdigest()[:32]


def grade_file(grader: Grader, one: Submission, data: bytes) -> Result:
    """Grade one submission.

    Parameters
    ----------
    grader : Grader
        Opened.
    one : Submission
        What is known of it.
    data : bytes
        Its file.

    Returns
    -------
    Result
        With a row for each exercise, whatever the file holds.
    """
    asked = list(one.exercises)
    if one.path is None:
        came = f"; {clean(one.instead)} did" if one.instead else ""
        problem = f"No notebook came{came}."
        result = all_zero(one.student, one.assignment, asked, "unread", problem)
    else:
        try:
            answers = submissions.read(data, asked)
            result = grader.grade(one.student, one.assignment, answers, asked)
        except ValueError as error:
            reason = clean(str(error))
            result = all_zero(one.student, one.assignment, asked, "unread", reason)
    result.sandbox = "bubblewrap" if grader.is_safe else "none"
    result.file = clean(one.path.name if one.path else one.instead)
    result.submitted, result.late = one.submitted, one.late
    known = result.problem.rstrip(".").lower()
    result.notes[:0] = [clean(n) for n in one.notes if n.lower() != known]
    return result


@dataclass
class Batch:
    """Submissions that are graded together, in threads that each have a checker.

    Attributes
    ----------
    chapter : Chapter
    exercises : list of Exercise
        As the chapter has them.
    folder : Path
        Where results go, a file for each student.
    limits : Limits
    is_safe : bool
    """

    chapter: Chapter
    exercises: list[Exercise]
    folder: Path
    limits: Limits = field(default_factory=Limits)
    is_safe: bool = True

    def path(self, one: Submission) -> Path:
        """Where a submission's result is."""
        return self.folder / f"{one.student}.json"

    def done(self, one: Submission, key: str) -> Result | None:
        """Give the result that is there, if it is still good."""
        try:
            old = Result.read(self.path(one))
        except (OSError, ValueError):
            return None
        return old if old.key == key else None

    def sort(
        self, todo: Sequence[Submission], force: bool = False
    ) -> tuple[list[Result], list[tuple[Submission, bytes, str]]]:
        """Part what is graded already from what is not; that with data and key."""
        done, fresh = [], []
        for one in todo:
            data = one.data()
            key = key_of(one, data, self.limits, self.is_safe)
            old = None if force else self.done(one, key)
            if old:
                done.append(old)
            else:
                fresh.append((one, data, key))
        return done, fresh

    def run(
        self, todo: Sequence[Submission], jobs: int = 1, force: bool = False
    ) -> Iterator[tuple[Result, bool]]:
        """Grade submissions; yield each result, and whether it is new, as it comes.

        Parameters
        ----------
        todo : sequence of Submission
            What to grade.
        jobs : int
            At a time.
        force : bool
            Also those whose result is good.

        Yields
        ------
        tuple of Result and bool

        Raises
        ------
        ValueError
            If nothing can be graded here: a check fails on its own solution.
        """
        done, fresh = self.sort(todo, force)
        yield from ((result, False) for result in done)
        for result in self._grade(fresh, jobs):
            yield result, True

    def _grade(
        self, fresh: list[tuple[Submission, bytes, str]], jobs: int
    ) -> Iterator[Result]:
        waiting: queue.SimpleQueue = queue.SimpleQueue()
        ready: queue.SimpleQueue = queue.SimpleQueue()
        for item in fresh:
            waiting.put(item)
        stop = threading.Event()
        args = waiting, ready, stop
        threads = [
            threading.Thread(target=self._work, args=args, daemon=True)
            for _ in range(min(jobs, len(fresh)))
        ]
        for thread in threads:
            thread.start()
        try:
            for _ in fresh:
                found = ready.get()
                if isinstance(found, BaseException):
                    raise found
                yield found
        finally:
            stop.set()
            for thread in threads:
                thread.join()

    def _work(
        self,
        waiting: queue.SimpleQueue,
        ready: queue.SimpleQueue,
        stop: threading.Event,
    ) -> None:
        """Grade what waits, in one thread, with one checker."""
        try:
            with Grader(
                self.chapter, self.exercises, self.limits, self.is_safe
            ) as grader:
                while not stop.is_set():
                    try:
                        one, data, key = waiting.get_nowait()
                    except queue.Empty:
                        return
                    result = grade_file(grader, one, data)
                    result.key = key
                    result.write(self.path(one))
                    ready.put(result)
        except RoomFailed as error:
            ready.put(ValueError(f"grading had to stop: {error}"))
        except BaseException as error:
            ready.put(error)
