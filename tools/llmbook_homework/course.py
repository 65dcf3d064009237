"""A course: a folder in nbgrader's layout, and what was set in it."""

import json
import os
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import datetime, tzinfo
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

COURSE_FILE = "llmbook_course.json"
FOLDERS = ("source", "release", "submitted", "autograded", "feedback", "results")
NBGRADER_CONFIG = '''\
"""nbgrader's own commands work in this folder; `llmbook homework` wrote this file."""

from llmbook_homework.nbgrader_steps import PREPROCESSORS

c = get_config()  # noqa: F821
c.CourseDirectory.course_id = {name!r}
# Solutions and hidden tests go; figures and the outputs of the text stay.
c.GenerateAssignment.preprocessors = PREPROCESSORS
# Not nbgrader's autograde: it runs students' code beside the gradebook.
# `llmbook homework grade` runs it in a sandbox.
'''


@dataclass
class Assignment:
    """What was set: one chapter, some of its exercises.

    Attributes
    ----------
    name : str
        nbgrader's name of the assignment, such as ``"ch11"``.
    chapter : str
        Two digits, ``"11"``.
    notebook : str
        The notebook's name without ``.ipynb``.
    points : dict
        Points of each exercise set, by its id (``"ch11-ex3"``).
    due : datetime or None
        With its zone.
    releases : dict
        For each version released, a checksum of each exercise as students saw it.
    seeded : list of str
        Students who have numbers of their own.
    """

    name: str
    chapter: str
    notebook: str
    points: dict[str, float]
    due: datetime | None = None
    releases: dict[str, dict[str, str]] = field(default_factory=dict)
    seeded: list[str] = field(default_factory=list)

    @property
    def max_points(self) -> float:
        """The sum of all points."""
        return sum(self.points.values())

    def as_json(self) -> dict[str, Any]:
        """Give the assignment as the course's file holds it."""
        return {**asdict(self), "due": self.due and self.due.isoformat()}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "Assignment":
        """Read an assignment as the course's file holds it."""
        due = data["due"] and datetime.fromisoformat(data["due"])
        return cls(**{**data, "due": due})


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a draft to write; it takes a file's place in one step, or leaves no trace.

    Parameters
    ----------
    path : Path
        The file that is to be there in the end.

    Yields
    ------
    Path
        A file beside it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".draft")
    os.close(handle)
    draft = Path(name)
    try:
        yield draft
        draft.chmod(0o644)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def write_json(path: Path, data: object) -> None:
    """Write JSON so that a reader sees the old file or the new one, no half."""
    text = json.dumps(data, indent=1, ensure_ascii=False, sort_keys=True) + "\n"
    with replacing(path) as draft:
        draft.write_text(text, encoding="utf8")


@dataclass
class Course:
    """A course folder.

    Attributes
    ----------
    root : Path
        The folder.
    name : str
        nbgrader's course id.
    salt : str
        Makes the numbers of ``release --seed`` this course's own.
    timezone : str
        Name of the zone of due dates without one; empty for this computer's.
    assignments : dict
        By name.
    """

    root: Path
    name: str
    salt: str
    timezone: str = ""
    assignments: dict[str, Assignment] = field(default_factory=dict)

    @classmethod
    def open(cls, root: Path | str) -> "Course":
        """Read a course that :func:`init` made.

        Raises
        ------
        ValueError
            If the folder holds none.
        """
        root = Path(root).resolve()
        file = root / COURSE_FILE
        if not file.is_file():
            raise ValueError(
                f"{root} holds no {COURSE_FILE}: go into the course's folder, name it "
                "with --course, or make one with `llmbook homework init FOLDER`"
            )
        data = json.loads(file.read_text(encoding="utf8"))
        found = {n: Assignment.from_json(a) for n, a in data["assignments"].items()}
        return cls(root, data["name"], data["salt"], data["timezone"], found)

    def save(self) -> None:
        """Write the course's file, in one step."""
        found = {name: each.as_json() for name, each in self.assignments.items()}
        own = {"name": self.name, "salt": self.salt, "timezone": self.timezone}
        write_json(self.root / COURSE_FILE, {**own, "assignments": found})

    @property
    def db_url(self) -> str:
        """The gradebook's address."""
        return f"sqlite:///{self.root / 'gradebook.db'}"

    @property
    def zone(self) -> tzinfo:
        """The zone in which people here write times."""
        here = datetime.now().astimezone().tzinfo
        assert here is not None
        return ZoneInfo(self.timezone) if self.timezone else here

    def assignment(self, name: str) -> Assignment:
        """Find an assignment by its name or its chapter's number.

        Raises
        ------
        ValueError
            If it was not released.
        """
        for each in self.assignments.values():
            if name in (each.name, each.chapter, each.notebook):
                return each
        there = ", ".join(self.assignments) or "none"
        raise ValueError(
            f"no assignment {name!r} in {self.root}; released are: {there}. "
            f"Set a chapter with `llmbook homework release NUMBER`"
        )

    def source(self, assignment: Assignment) -> Path:
        """The notebook as it was at the last release, with solutions."""
        return self._file("source", assignment)

    def release(self, assignment: Assignment) -> Path:
        """The students' notebook."""
        return self._file("release", assignment)

    def _file(self, step: str, assignment: Assignment) -> Path:
        return self.root / step / assignment.name / f"{assignment.notebook}.ipynb"

    def folder(self, step: str, student: str, assignment: Assignment) -> Path:
        """Where nbgrader's layout has a student's files of a step."""
        return self.root / step / student / assignment.name

    def seed_of(self, assignment: Assignment, student: str) -> str | None:
        """Give what a student's own numbers are made from, None if they have none."""
        return f"{self.salt}/{student}" if student in assignment.seeded else None

    def students_of(self, assignment: Assignment) -> list[str]:
        """Students of whom something was collected, sorted."""
        found = (self.root / "submitted").glob(f"*/{assignment.name}")
        return sorted(path.parent.name for path in found if path.is_dir())


def init(root: Path | str, name: str = "", timezone: str = "") -> Course:
    """Make a course folder in which nbgrader's commands work too.

    Parameters
    ----------
    root : Path or str
        The folder, made if it is not there.
    name : str
        nbgrader's course id; by default the folder's name.
    timezone : str
        Such as ``"Europe/Berlin"``; by default this computer's.

    Returns
    -------
    Course

    Raises
    ------
    ValueError
        If there is a course already, or the zone is unknown.
    """
    root = Path(root).resolve()
    if (root / COURSE_FILE).exists():
        raise ValueError(f"{root} holds a course already; nothing was changed")
    if timezone:
        try:
            ZoneInfo(timezone)
        except (ZoneInfoNotFoundError, ValueError):
            raise ValueError(
                f"no time zone {timezone!r}; give a name such as Europe/Berlin"
            ) from None
    for folder in FOLDERS:
        (root / folder).mkdir(parents=True, exist_ok=True)
    course = Course(root, name or root.name, secrets.token_hex(8), timezone)
    config = root / "nbgrader_config.py"
    if not config.exists():
        text = NBGRADER_CONFIG.format(name=course.name)
        config.write_text(text, encoding="utf8")
    course.save()
    return course
