"""Take submissions in: from a folder, a platform's zip, or nbgrader's exchange.

Every file that somebody sent ends in ``submitted/<student>/<assignment>/``: the
notebook under the assignment's name, whatever the student called it; where no
notebook came, what did come, so that grading can say so. What a newer submission
replaces is kept in ``earlier/``.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, tzinfo
from pathlib import Path, PurePosixPath

from llmbook_homework.course import Assignment, Course, replacing, write_json
from llmbook_homework.lms import delivery, filenames
from llmbook_homework.lms.choosing import LONG_AGO, Sent, choose
from llmbook_homework.lms.delivery import Item
from llmbook_homework.lms.filenames import Sender
from llmbook_homework.lms.roster import (
    Person,
    Roster,
    late_numbers,
    read_people,
    slug,
)


@dataclass
class Collected:
    """What :func:`collect` did.

    Attributes
    ----------
    new, replaced, unchanged : list of str
        Students, by what happened to their folder.
    unknown : list of str
        Files that no student can be named for.
    strangers : list of str
        Students who were in no list; they are now.
    notes : dict
        Sentences by student, where something was odd.
    """

    new: list[str] = field(default_factory=list)
    replaced: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    strangers: list[str] = field(default_factory=list)
    notes: dict[str, list[str]] = field(default_factory=dict)


def collect(
    course: Course, assignment: Assignment, place: Path, roster_file: Path | None = None
) -> Collected:
    """Collect the submissions of an assignment.

    Parameters
    ----------
    course : Course
        Where they go.
    assignment : Assignment
        What they are for.
    place : Path
        A folder, a zip archive, or an exchange's ``inbound`` folder.
    roster_file : Path, optional
        A platform's list of students, such as Moodle's grading worksheet. With it
        people are found by their numbers, and two of one name are told apart.

    Returns
    -------
    Collected

    Raises
    ------
    ValueError
        If the place holds no delivery.
    """
    roster, listed = Roster.of(course), read_people(roster_file) if roster_file else []
    items = list(delivery.read(place))
    if not items:
        raise ValueError(f"{place} holds no files; nothing was changed")
    sent, unknown = _sort(items, assignment, course.zone)
    if roster_file:
        sent = _with_lateness(sent, late_numbers(roster_file))
    for person in listed:
        roster.add(person)
    done, known = Collected(unknown=unknown), set(roster.people)
    senders = {one.sender.lms_id for one in sent}
    for person, files, notes in _by_student(sent, roster, listed):
        if known and person.id not in known:
            done.strangers.append(person.id)
        roster.add(person)
        best, more = choose(files, assignment)
        told = [*more, *_borrowed(best, senders)]
        if notes or told:
            done.notes[person.id] = [*notes, *told]
        what = _store(course, assignment, person, best, told)
        getattr(done, what).append(person.id)
    roster.save(course)
    return done


def _with_lateness(sent: list[Sent], late: set[str]) -> list[Sent]:
    """Mark what Moodle's worksheet calls late: its archive says no times."""
    return [
        replace(one, sender=replace(one.sender, is_late=one.sender.lms_id in late))
        if one.sender.lms == "moodle"
        else one
        for one in sent
    ]


def _sort(
    items: list[Item], assignment: Assignment, zone: tzinfo
) -> tuple[list[Sent], list[str]]:
    """Name the sender of each file; a student's archive becomes its files."""
    logs = {
        PurePosixPath(item.path).name: item.data.decode("utf8", errors="replace")
        for item in items
        if item.path.endswith(".txt")
    }
    paths = [item.path for item in items]
    senders, unknown = filenames.senders(
        paths, logs, assignment.notebook, zone, assignment.name
    )
    sent = []
    for item in items:
        if item.path in senders:
            sent += _opened(Sent(senders[item.path], item))
    return sent, unknown


def _opened(one: Sent) -> list[Sent]:
    if not delivery.is_archive(one.sender.file) or one.item.problem:
        return [one]
    try:
        inner = [i for i in delivery.unpack(one.item.data) if i.path.endswith(".ipynb")]
    except ValueError as error:
        return [Sent(one.sender, Item(one.item.path, b"", f"it is {error}"))]
    return [Sent(replace(one.sender, file=i.path), i) for i in inner] or [one]


def _by_student(
    sent: Iterable[Sent], roster: Roster, listed: list[Person]
) -> list[tuple[Person, list[Sent], list[str]]]:
    """Group files by person; two people of one name stay two."""
    numbers: dict[str, set[str]] = defaultdict(set)
    groups: dict[tuple[str, str], list[Sent]] = defaultdict(list)
    by_number = {p.participant or p.lms_id: p for p in listed}
    by_number.pop("", None)
    for one in sent:
        groups[one.sender.lms_id, one.sender.name].append(one)
        numbers[slug(one.sender.name)].add(one.sender.lms_id)
    is_blind = len(groups) > 2 and len(numbers) == 1  # Moodle's "Participant"
    found = []
    for (number, _), files in groups.items():
        sender, notes = files[0].sender, []
        person = by_number.get(number) or roster.find(sender)
        twins = numbers[slug(sender.name)] if sender.name else {number}
        is_twin = len(twins) > 1 and number not in by_number and sender.lms == "moodle"
        if is_twin:
            person = _stranger(sender, is_twin)
        if is_twin and not is_blind:
            notes.append(
                f"{len(twins)} people are called {sender.name}; Moodle's number "
                f"{number} is good for this assignment alone. To tell them apart, "
                f"`llmbook homework forget {person.id}`, and collect with --roster "
                "and Moodle's grading worksheet"
            )
        person = person or _stranger(sender, is_twin)
        if sender.lms in ("canvas", "blackboard"):
            person = replace(person, lms_id=number)
        found.append((person, files, notes))
    return found


def _stranger(sender: Sender, is_twin: bool) -> Person:
    """Make an id for somebody who is in no list."""
    if sender.lms == "moodle":
        id_ = f"{sender.name} {sender.lms_id}" if is_twin else sender.name
    elif sender.lms == "canvas" and sender.name:
        id_ = f"{sender.name}-{sender.lms_id}"
    else:
        id_ = sender.lms_id
    return Person(slug(id_) or f"student-{slug(sender.lms_id)}", sender.name)


def _borrowed(one: Sent, senders: set[str]) -> list[str]:
    """Warn if a file of an exchange is another student's: anyone may write there."""
    owner, named = one.item.owner, one.sender.lms_id
    if one.sender.lms != "exchange" or owner == named or owner not in senders:
        return []
    return [f"the submission says {named}, but the file is {owner}'s"]


def _store(
    course: Course, assignment: Assignment, person: Person, one: Sent, notes: list[str]
) -> str:
    """Put a submission into nbgrader's layout; never lose the one before."""
    folder = course.folder("submitted", person.id, assignment)
    original = PurePosixPath(one.sender.file).name
    plain = slug(original) or "file"
    target = folder / (f"{assignment.notebook}.ipynb" if one.is_notebook else plain)
    present = [p for p in folder.glob("*") if p.is_file() and not _is_ours(p.name)]
    if target in present and target.read_bytes() == one.item.data:
        _describe(folder, person, one, notes)
        return "unchanged"
    if present and one.sender.time and _time_of(folder) > one.sender.time:
        return "unchanged"
    for old in present:
        stamp = datetime.fromtimestamp(old.stat().st_mtime, UTC)
        earlier = folder / "earlier"
        earlier.mkdir(exist_ok=True)
        old.replace(earlier / f"{stamp:%Y%m%d-%H%M%S-%f}-{old.name}")
    with replacing(target) as draft:
        draft.write_bytes(one.item.data)
    _describe(folder, person, one, notes)
    return "replaced" if present else "new"


def _is_ours(name: str) -> bool:
    return name in ("timestamp.txt", "collected.json") or name.startswith(".")


def _time_of(folder: Path) -> datetime:
    """Read when the present submission was sent, long ago if nobody knows."""
    file = folder / "timestamp.txt"
    if not file.is_file():
        return LONG_AGO
    text = file.read_text(encoding="utf8").strip().removesuffix(" UTC")
    try:
        return datetime.fromisoformat(text).replace(tzinfo=UTC)
    except ValueError:
        return LONG_AGO


def _describe(folder: Path, person: Person, one: Sent, notes: list[str]) -> None:
    sender = one.sender
    if sender.time:
        text = f"{sender.time.astimezone(UTC):%Y-%m-%d %H:%M:%S.%f} UTC"
        file = folder / "timestamp.txt"
        # A file that was written again is a submission to be graded again.
        if not file.is_file() or file.read_text(encoding="utf8") != text:
            with replacing(file) as draft:
                draft.write_text(text, encoding="utf8")
    about = {
        "original": sender.file,
        "lms": sender.lms,
        "lms_id": sender.lms_id,
        "name": person.name or sender.name,
        "late": sender.is_late,
        "notes": notes,
    }
    write_json(folder / "collected.json", about)
