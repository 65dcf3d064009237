"""Grade one exercise, with a worker for each submission and one judge for all."""

import contextlib
import json
import signal
import socket
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from llmbook_utils.homework.exercises import Chapter, Exercise, prelude
from llmbook_utils.homework.grading.confinement import Limits
from llmbook_utils.homework.grading.results import STATUSES, ExerciseResult, Result
from llmbook_utils.homework.grading.sandbox import Room, RoomFailed
from llmbook_utils.homework.grading.submissions import Answer, Answers

JUDGE_EXTRA_SECONDS = 10
UNJUDGED = "The answer could not be judged: the check broke down on it twice"


class Grader:
    """Grades submissions of one assignment, one at a time.

    Parameters
    ----------
    chapter : Chapter
        For code that an answer uses beyond its exercise's needs.
    exercises : sequence of Exercise
        What is set.
    limits : Limits
        Of each exercise, where it declares none of its own.
    is_safe : bool
        In bubblewrap.
    """

    def __init__(
        self,
        chapter: Chapter,
        exercises: Sequence[Exercise],
        limits: Limits | None = None,
        is_safe: bool = True,
    ) -> None:
        self.exercises, self.is_safe = list(exercises), is_safe
        self.limits = limits or Limits()
        self.chapter = [statement.source for statement in chapter.statements]
        self._judge: Room | None = None

    def __enter__(self) -> "Grader":
        """Open the judge's room: each check must pass on its own solution.

        Raises
        ------
        ValueError
            If one does not: then nothing can be graded here.
        """
        try:
            self._open_judge()
        except RoomFailed as error:
            raise ValueError(f"nothing can be graded here: {error}") from None
        return self

    def __exit__(self, *_: object) -> None:
        """Close the judge's room."""
        if self._judge:
            self._judge.close()

    def _open_judge(self) -> Room:
        if self._judge is None:
            trials = [
                (f"the check of {e.id} on its own solution", f"{e.solution}\n{e.check}")
                for e in self.exercises
            ]
            needs = prelude(self.exercises)
            self._judge = Room("judge", needs, self.limits, self.is_safe, trials)
        return self._judge

    def grade(
        self,
        student: str,
        assignment: str,
        answers: Answers,
        exercises: Sequence[Exercise] | None = None,
    ) -> Result:
        """Grade a submission.

        Parameters
        ----------
        student : str
            Whose it is.
        assignment : str
            What it is for.
        answers : Answers
            As :func:`llmbook_utils.homework.grading.submissions.read` found them.
        exercises : sequence of Exercise, optional
            As this student got them, if they differ.

        Returns
        -------
        Result
        """
        started = time.monotonic()
        rows = []
        asked = list(exercises or self.exercises)
        todo = [each for each in asked if not answers.by_id[each.id].status]
        with Worker(self, todo) as worker:
            for each in asked:
                rows.append(self.grade_exercise(each, answers, worker))
        safe = "bubblewrap" if self.is_safe else "none"
        seconds = round(time.monotonic() - started, 2)
        result = Result(student, assignment, rows, sandbox=safe, seconds=seconds)
        result.notes += answers.notes
        return result

    def grade_exercise(
        self, each: Exercise, answers: Answers, worker: "Worker"
    ) -> ExerciseResult:
        """Grade one exercise of a submission, whose worker is given."""
        answer = answers.by_id[each.id]
        row = ExerciseResult(each.id, 0, each.points, answer.status, answer.reason)
        row.notes += answer.notes
        if answer.status:
            return row
        started = time.monotonic()
        others = answers.besides(each.id)
        found = self._run(each, each.visible_check, answer, others, worker)
        if found["status"] == "passed" and each.hidden:
            # What is printed now may tell of hidden tests: it is thrown away.
            more = self._run(each, each.check, answer, others, worker)
            found = {**more, "output": found.get("output", "")}
        row.status, row.reason = found["status"], found["reason"]
        row.is_hidden = bool(found.get("is_hidden"))
        row.output = found.get("output", "")
        row.score = each.points if row.status == "passed" else 0
        row.seconds = round(time.monotonic() - started, 2)
        return row

    def _run(
        self,
        each: Exercise,
        check: str,
        answer: Answer,
        others: list[str],
        worker: "Worker",
    ) -> dict[str, Any]:
        """Run a check; once more, if a room breaks down."""
        for _ in range(2):
            found = self._try(each, check, answer, others, worker)
            if found:
                return found
        return {"status": "stopped", "reason": f"{UNJUDGED}."}

    def _try(
        self,
        each: Exercise,
        check: str,
        answer: Answer,
        others: list[str],
        worker: "Worker",
    ) -> dict[str, Any]:
        """Run a check; nothing if a room failed, not the student."""
        limits = limits_of(each, self.limits)
        to_judge, to_worker = socket.socketpair()
        patience = limits.clock + JUDGE_EXTRA_SECONDS
        with contextlib.closing(to_judge), contextlib.closing(to_worker):
            room = worker.room()
            rest = [line for line in self.chapter if line not in worker.needs]
            given = {"source": answer.source, "chapter": rest, "others": others}
            try:
                room.begin(given, to_worker, limits)
            except RoomFailed:
                worker.reopen()
                return {}
            try:
                judge = self._open_judge()
                asked = {"check": check, "provides": list(each.provides)}
                more = replace(limits, seconds=limits.seconds + JUDGE_EXTRA_SECONDS / 2)
                judge.begin({**asked, "report": True}, to_judge, more)
                said = judge.end(patience)
            except RoomFailed:
                said = {}
                self._close_judge()
        end = worker.end(room)
        return _joined(said, end, limits)

    def _close_judge(self) -> None:
        if self._judge:
            self._judge.close()
        self._judge = None


class Worker:
    """The worker's room of one submission, opened when first needed."""

    def __init__(self, grader: Grader, todo: Sequence[Exercise]) -> None:
        self.grader, self.needs = grader, prelude(todo)
        self.open: Room | None = None

    def __enter__(self) -> "Worker":
        return self

    def __exit__(self, *_: object) -> None:
        self.reopen()

    def room(self) -> Room:
        """Give the room; a new one if the last one broke down."""
        if self.open is None:
            grader = self.grader
            self.open = Room("worker", self.needs, grader.limits, grader.is_safe)
        return self.open

    def reopen(self) -> None:
        """Close the room; the next exercise gets a new one."""
        if self.open:
            self.open.close()
        self.open = None

    def end(self, room: Room) -> dict[str, Any]:
        """End the student's process and hear how it ended."""
        try:
            return room.end(0.05)
        except RoomFailed:
            self.reopen()
            return {"why": "room", "code": 1, "output": ""}


def limits_of(each: Exercise, limits: Limits) -> Limits:
    """Give an exercise the limits that it declares in its cell's metadata."""
    names = {"seconds", "memory_mb"} & set(each.metadata)
    return replace(limits, **{name: each.metadata[name] for name in names})


def _joined(said: dict, end: dict, limits: Limits) -> dict[str, Any]:
    """Join what the judge says with how the student's process ended."""
    try:
        verdict = json.loads(said.get("report", ""))
        status, reason = verdict["status"], verdict["reason"]
    except (ValueError, KeyError, TypeError):
        return {}
    if status not in STATUSES:
        return {}
    output = end.get("output", "")
    output = output if isinstance(output, str) else ""
    if status == "stopped" and not reason:
        reason = ending(end, limits)
    return {**verdict, "reason": reason, "output": output}


def ending(end: dict, limits: Limits) -> str:
    """Say in words how a student's process ended.

    Examples
    --------
    >>> ending({"why": "", "code": 3, "seconds": 0.1}, Limits())
    'The process ended itself with exit code 3: nothing after it ran.'
    """
    why, code = end.get("why"), end.get("code")
    took = end.get("seconds", 0)
    is_slow = isinstance(took, int | float) and took >= limits.seconds
    if why == "time" or (code in (-signal.SIGKILL, -signal.SIGXCPU) and is_slow):
        return (
            f"Stopped after {limits.seconds:g} s: it may never end, or is far "
            "slower than it has to be."
        )
    if why == "memory" or code == 71:
        return f"Stopped: it used more than {limits.memory_mb} MB of memory."
    if why == "threads":
        return f"Stopped: it started more than {limits.threads} threads."
    if isinstance(code, int) and code < 0:
        with contextlib.suppress(ValueError):
            name = signal.Signals(-code).name
            return f"The process crashed ({name}): nothing after it ran."
    return f"The process ended itself with exit code {code}: nothing after it ran."
