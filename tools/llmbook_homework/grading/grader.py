"""Grade one exercise, with a worker for each submission and one checker for all."""

import contextlib
import socket
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from llmbook_homework.exercises.reading import prelude
from llmbook_homework.exercises.tasks import Chapter, Exercise
from llmbook_homework.grading.results import ExerciseResult, Result, joined
from llmbook_homework.grading.sandbox.limits import Limits
from llmbook_homework.grading.sandbox.room import Room, RoomFailed
from llmbook_homework.grading.submissions import Answers

CHECKER_EXTRA_SECONDS = 10
CHANGED = (
    "The check holds only because the code changes what it is given: leave the "
    "arguments as they are, and return the result."
)
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
        self._checker: Room | None = None
        self._tried: dict[tuple[str, str], bool] = {}

    def __enter__(self) -> "Grader":
        """Open the checker's room: each check must pass on its own solution.

        Raises
        ------
        ValueError
            If one does not: then nothing can be graded here.
        """
        try:
            self._open_checker()
        except RoomFailed as error:
            raise ValueError(f"nothing can be graded here: {error}") from None
        return self

    def __exit__(self, *_: object) -> None:
        """Close the checker's room."""
        if self._checker:
            self._checker.close()

    def _open_checker(self) -> Room:
        if self._checker is None:
            trials = [
                (f"the check of {e.id} on its own solution", f"{e.solution}\n{e.check}")
                for e in self.exercises
            ]
            needs = prelude(self.exercises)
            self._checker = Room("checker", needs, self.limits, self.is_safe, trials)
        return self._checker

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
            As :func:`llmbook_homework.grading.submissions.read` found them.
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
                rows.append(self.grade_visible(each, answers, worker))
            # After all that a student gets to see: nothing left behind can tell.
            for each, row in zip(asked, rows, strict=True):
                self.grade_hidden(each, answers, worker, row)
        safe = "bubblewrap" if self.is_safe else "none"
        seconds = round(time.monotonic() - started, 2)
        result = Result(student, assignment, rows, sandbox=safe, seconds=seconds)
        result.notes += answers.notes
        return result

    def grade_exercise(
        self, each: Exercise, answers: Answers, worker: "Worker"
    ) -> ExerciseResult:
        """Grade one exercise of a submission, whose worker is given."""
        row = self.grade_visible(each, answers, worker)
        self.grade_hidden(each, answers, worker, row)
        return row

    def grade_visible(
        self, each: Exercise, answers: Answers, worker: "Worker"
    ) -> ExerciseResult:
        """Run the tests that a student has; they may show what the code printed."""
        answer = answers.by_id[each.id]
        row = ExerciseResult(each.id, 0, each.points, answer.status, answer.reason)
        row.notes += answer.notes
        if answer.status:
            return row
        started = time.monotonic()
        found = self._run(each, answers, worker, is_hidden=False)
        row.status, row.reason = found["status"], found["reason"]
        row.output = found.get("output", "")
        row.score = each.points if row.status == "passed" else 0
        row.seconds = round(time.monotonic() - started, 2)
        return row

    def grade_hidden(
        self, each: Exercise, answers: Answers, worker: "Worker", row: ExerciseResult
    ) -> None:
        """Run all tests where the visible ones hold; what is printed is thrown away."""
        if row.status != "passed" or not each.hidden:
            return
        started = time.monotonic()
        found = self._run(each, answers, worker, is_hidden=True)
        row.status, row.reason = found["status"], found["reason"]
        row.is_hidden = row.status != "passed"
        row.score = each.points if row.status == "passed" else 0
        row.seconds = round(row.seconds + time.monotonic() - started, 2)

    def _run(
        self, each: Exercise, answers: Answers, worker: "Worker", is_hidden: bool
    ) -> dict[str, Any]:
        """Run a check; once more without what the code does to its arguments.

        What zeroes its input and returns it would else be right wherever a check
        works out afterwards what the result should be.
        """
        found = self._twice(each, answers, worker, is_hidden)
        if found["status"] != "passed" or not found.get("has_changed"):
            return found
        again = self._twice(each, answers, worker, is_hidden, withholds=True)
        if again["status"] == "passed" or not self._leaves_arguments(each, is_hidden):
            return found
        return {**found, "status": "failed", "reason": CHANGED}

    def _leaves_arguments(self, each: Exercise, is_hidden: bool) -> bool:
        """Tell whether a check holds for its solution with changes in place undone."""
        check = each.check if is_hidden else each.visible_check
        asked = {"check": check, "provides": each.provides, "solution": each.solution}
        key = each.solution, check
        if key not in self._tried:
            ours, theirs = socket.socketpair()
            checker = self._open_checker()
            with contextlib.closing(ours):
                checker.begin({**asked, "report": True}, theirs)
                said = checker.end(self.limits.clock)
            self._tried[key] = joined(said, {}, self.limits).get("status") == "passed"
        return self._tried[key]

    def _twice(
        self,
        each: Exercise,
        answers: Answers,
        worker: "Worker",
        is_hidden: bool,
        withholds: bool = False,
    ) -> dict[str, Any]:
        """Run a check; once more, if a room breaks down."""
        for _ in range(2):
            found = self._try(each, answers, worker, is_hidden, withholds)
            if found:
                return found
        return {"status": "stopped", "reason": f"{UNJUDGED}."}

    def _try(
        self,
        each: Exercise,
        answers: Answers,
        worker: "Worker",
        is_hidden: bool,
        withholds: bool,
    ) -> dict[str, Any]:
        """Run a check; nothing if a room failed, not the student."""
        answer, others = answers.by_id[each.id], answers.besides(each.id)
        checker = self._open_checker()
        limits = limits_of(each, self.limits)
        to_checker, to_worker = socket.socketpair()
        patience = limits.clock + CHECKER_EXTRA_SECONDS
        with contextlib.closing(to_checker), contextlib.closing(to_worker):
            room = worker.room()
            rest = [line for line in self.chapter if line not in worker.needs]
            given = {"source": answer.source, "chapter": rest, "others": others}
            try:
                room.begin(given, to_worker, limits)
            except RoomFailed:
                worker.reopen()
                return {}
            try:
                check = each.check if is_hidden else each.visible_check
                asked = {"check": check, "provides": list(each.provides)}
                asked |= {"is_hidden": is_hidden, "withholds": withholds}
                more = replace(
                    limits, seconds=limits.seconds + CHECKER_EXTRA_SECONDS / 2
                )
                checker.begin({**asked, "report": True}, to_checker, more)
                said = checker.end(patience)
            except RoomFailed:
                said = {}
                self._close_checker()
        end = worker.end(room)
        return joined(said, end, limits, is_hidden)

    def _close_checker(self) -> None:
        if self._checker:
            self._checker.close()
        self._checker = None


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
