"""What grading found out about one submission, as a JSON file that is never half."""

import contextlib
import json
import signal
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from llmbook_homework.course import write_json
from llmbook_homework.exercises.tasks import Exercise
from llmbook_homework.grading.sandbox.fork_server import MAX_FILES
from llmbook_homework.grading.sandbox.limits import Limits

# What may become of an exercise; all but the first give no points.
STATUSES = (
    "passed",  # every check ran and held
    "failed",  # a check did not hold; the reason is its message
    "error",  # the student's code, or the check on its answer, raised
    "stopped",  # the process ended: time, memory, exit, a crash
    "empty",  # the stub as it was handed out
    "missing",  # no cell with the exercise's id
    "changed",  # the task is another now than in this student's release
    "unread",  # the file could not be read at all
)


def clean(text: str) -> str:
    """Put a mark for each letter that no file can hold or that steers a terminal.

    Examples
    --------
    >>> clean("größer\\n\\ud800\\x1b[31m")
    'größer\\n??[31m'
    """
    return "".join(x if x.isprintable() or x in "\n\r\t" else "?" for x in text)


@dataclass
class ExerciseResult:
    """One exercise of one submission.

    Attributes
    ----------
    id : str
        ``"ch11-ex3"``.
    score, points : float
        Reached, and possible.
    status : str
        One of ``STATUSES``.
    reason : str
        Why, in words for the student; of a hidden test only its message.
    output : str
        What the student's code printed, at most 10 kB.
    is_hidden : bool
        The check that failed is a hidden one.
    notes : list of str
        What was odd and did not cost points, such as two cells with one id.
    seconds : float
        What it took.
    """

    id: str
    score: float
    points: float
    status: str
    reason: str = ""
    output: str = ""
    is_hidden: bool = False
    notes: list[str] = field(default_factory=list)
    seconds: float = 0.0


@dataclass
class Result:
    """One submission: a row of the gradebook, whatever was handed in.

    Attributes
    ----------
    student, assignment : str
    exercises : list of ExerciseResult
        One for each exercise of the assignment, in its order.
    file : str
        Name of the notebook that was graded; empty if there was none.
    submitted : str
        When, as an ISO time with its zone; empty if unknown.
    late : bool
    problem : str
        Why the file as a whole could not be graded; empty if it could.
    notes : list of str
        About the file: another one was handed in too, an old release.
    sandbox : str
        ``"bubblewrap"``, or ``"none"`` after ``--unsafe``.
    key : str
        Hash of submission, exercises and grader: equal keys, equal grades.
    seconds : float
    """

    student: str
    assignment: str
    exercises: list[ExerciseResult]
    file: str = ""
    submitted: str = ""
    late: bool = False
    problem: str = ""
    notes: list[str] = field(default_factory=list)
    sandbox: str = "bubblewrap"
    key: str = ""
    seconds: float = 0.0

    @property
    def score(self) -> float:
        """Sum of the exercises' scores."""
        return sum(each.score for each in self.exercises)

    @property
    def points(self) -> float:
        """Sum of what could be reached."""
        return sum(each.points for each in self.exercises)

    @property
    def remarks(self) -> list[str]:
        """What is to be said of the submission as a whole, in sentences."""
        told = filter(None, [self.problem, *self.notes])
        return [f"{text[0].upper()}{text[1:].rstrip('.')}." for text in told]

    def exercise(self, name: str) -> ExerciseResult:
        """Find an exercise's result by its id."""
        return next(each for each in self.exercises if each.id == name)

    def write(self, path: Path) -> None:
        """Write the result as JSON, in one step."""
        write_json(path, asdict(self))

    @classmethod
    def read(cls, path: Path) -> "Result":
        """Read what :meth:`write` wrote.

        Raises
        ------
        ValueError
            If the file is no result.
        """
        try:
            data = json.loads(path.read_text(encoding="utf8"))
            found = [ExerciseResult(**each) for each in data.pop("exercises")]
            return cls(exercises=found, **data)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise ValueError(
                f"{path.name} is no result of grading ({error}); delete it and "
                "grade again"
            ) from None


def all_zero(
    student: str,
    assignment: str,
    exercises: Sequence[Exercise],
    status: str,
    reason: str,
) -> Result:
    """Make the row of a submission of which nothing could be graded.

    Examples
    --------
    >>> from llmbook_homework.exercises.tasks import example
    >>> row = all_zero("ada", "ch00", [example()], "missing", "Nothing was handed in.")
    >>> row.score, row.points, row.exercises[0].reason
    (0, 2, 'Nothing was handed in.')
    """
    rows = [ExerciseResult(e.id, 0, e.points, status, reason) for e in exercises]
    return Result(student, assignment, rows, problem=reason)


def joined(
    said: dict, end: dict, limits: Limits, is_hidden: bool = False
) -> dict[str, Any]:
    """Join what the checker says with how the student's process ended."""
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
        reason = ending(end, limits, is_hidden)
    return {**verdict, "reason": clean(reason), "output": clean(output)}


def ending(end: dict, limits: Limits, is_hidden: bool = False) -> str:
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
    if why == "files":
        return f"Stopped: it made more than {MAX_FILES:,} files."
    if is_hidden:  # a number would be a word about what the test asked with
        return "The process ended in a hidden test."
    if isinstance(code, int) and code < 0:
        with contextlib.suppress(ValueError):
            name = signal.Signals(-code).name
            return f"The process crashed ({name}): nothing after it ran."
    return f"The process ended itself with exit code {code}: nothing after it ran."
