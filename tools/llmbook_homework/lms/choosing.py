"""Which of the files that a student sent counts."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import PurePosixPath

from llmbook_homework.course import Assignment
from llmbook_homework.lms.delivery import Item
from llmbook_homework.lms.filenames import Sender

LONG_AGO = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Sent:
    """A file and who sent it."""

    sender: Sender
    item: Item

    @property
    def is_notebook(self) -> bool:
        """Whether its name says that it is a notebook; browsers add ``.txt``."""
        name = self.sender.file.lower()
        return bool(re.search(r"\.ipynb(\.txt|\.json)?$", name))


def _version(file: str) -> int:
    """Read the number that Canvas gives a file that is handed in again."""
    found = re.search(r"-(\d+)\.ipynb$", file)
    return int(found[1]) if found else 0


def choose(files: list[Sent], assignment: Assignment) -> tuple[Sent, list[str]]:
    """Take the newest notebook that is this assignment's; say what was left.

    Parameters
    ----------
    files : list of Sent
        One student's.
    assignment : Assignment
        What they are for.

    Returns
    -------
    best : Sent
    notes : list of str
        Sentences, where something was odd.
    """
    mark = f'"{assignment.name}-ex'.encode()

    def rank(one: Sent) -> tuple[object, ...]:
        name = PurePosixPath(one.sender.file).name
        return (
            one.is_notebook,
            not one.item.problem,
            mark in one.item.data,
            one.sender.time or LONG_AGO,
            name.startswith(assignment.notebook),
            _version(name),
            name,
        )

    best = max(files, key=rank)
    others = [one for one in files if one is not best and one.is_notebook]
    notes = []
    if others:
        left = ", ".join(sorted(map(_label, others)))
        notes.append(
            f"{len(others) + 1} notebooks came; {_label(best)} counts: the newest "
            f"that has this assignment's exercises. Left aside: {left}"
        )
    if best.item.problem:
        notes.append(f"{best.sender.file} was not read: {best.item.problem}")
    elif not best.is_notebook:
        notes.append(f"no notebook came; {best.sender.file} did")
    elif mark not in best.item.data:
        notes.append(f"{best.sender.file} has no cell of {assignment.name}")
    return best, notes


def _label(one: Sent) -> str:
    time = one.sender.time
    return f"{one.sender.file}{f' of {time:%Y-%m-%d %H:%M}' if time else ''}"
