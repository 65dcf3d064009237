"""What the file names of learning platforms say: who sent what, and when.

The forms are those of the platforms' own code, as of 2026:

- Moodle (``mod/assign/classes/downloader.php``), as folders
  ``Ada Lovelace_12345_assignsubmission_file/x.ipynb`` (up to 4.0 with ``_`` at the
  end) or flat ``Ada Lovelace_12345_assignsubmission_file_x.ipynb``. The number is a
  participant's in *one* assignment: it names nobody in the next.
- Canvas (``lib/content_zipper.rb``)
  ``lovelaceada_LATE_4711_88_x-1.ipynb``: name without spaces, user, file; the same
  for all assignments. Anonymous: ``anon_h4fEZ_88_x.ipynb``.
- Blackboard Learn ``Homework 11_alove_attempt_2026-11-20-10-11-12_x.ipynb``, with a
  ``.txt`` for each attempt whose first line names the student.
- The nbgrader exchange's inbound folder ``alove+ch11+2026-11-20 10:11:12 UTC+rand``.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from pathlib import PurePosixPath

MOODLE = re.compile(
    r"(?P<name>.+)_(?P<id>\d+)_assignsubmission_(?P<kind>[a-z]+)(?:_(?P<file>.*))?"
)
CANVAS = re.compile(
    r"(?:(?P<name>\w+?)_(?P<late>LATE_)?(?P<id>\d+)"
    r"|(?P<anonymous_late>LATE_)?anon_(?P<anonymous>[A-Za-z0-9]+))"
    r"_(?:\d+_(?P<file>.+)|(?P<page>text\.html|link\.html))",
    re.S,
)
BLACKBOARD = re.compile(
    r"(?P<head>.+)_attempt_(?P<time>\d{4}(?:-\d\d){5})(?:_(?P<file>.+)|(?P<log>\.txt))"
)
EXCHANGE = re.compile(
    r"(?P<id>.+)\+(?P<assignment>[^+]+)\+(?P<time>\d{4}-\d\d-\d\d [\d:.]+ \w+)(?:\+.*)?"
)
NAMED = re.compile(r"^[^:\n]{1,20}:\s*(?P<name>.*?)\s*\((?P<id>[^()]+)\)\s*$", re.M)


@dataclass(frozen=True)
class Sender:
    """Who sent a file, as far as its name says.

    Attributes
    ----------
    lms : str
        ``"moodle"``, ``"canvas"``, ``"blackboard"``, ``"exchange"`` or ``"folder"``.
    lms_id : str
        What the platform calls the student; for Moodle the participant's number.
    name : str
        The student's name, if the file's name holds one.
    file : str
        The file as the student called it.
    time : datetime or None
        When it was sent, with its zone.
    is_late : bool or None
        What the platform says; None if it says nothing.
    """

    lms: str
    lms_id: str
    name: str
    file: str
    time: datetime | None = None
    is_late: bool | None = None


def _moodle(path: PurePosixPath) -> Sender | None:
    for depth, part in enumerate(path.parts):
        found = MOODLE.fullmatch(part)
        if found:
            inside = "/".join(path.parts[depth + 1 :])
            file = inside or found["file"] or ""
            return Sender("moodle", found["id"], found["name"], file) if file else None
    return None


def _canvas(path: PurePosixPath) -> Sender | None:
    found = CANVAS.fullmatch(path.name)
    if not found:
        return None
    late = bool(found["late"] or found["anonymous_late"])
    who = found["id"] or f"anon-{found['anonymous']}"
    file = found["file"] or found["page"]
    return Sender("canvas", who, found["name"] or "", file, None, late)


def _blackboard_stem(names: Iterable[str]) -> str:
    """Find what all files' names begin with: the column's title and a ``_``."""
    heads = {found["head"] for n in names if (found := BLACKBOARD.fullmatch(n))}
    if len(heads) < 2:
        return max(heads, default="").rpartition("_")[0] + "_"
    first, last = min(heads), max(heads)
    same = 0
    while same < len(first) and first[same] == last[same]:
        same += 1
    return first[: first.rfind("_", 0, same) + 1]


def blackboard_people(logs: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    """Read who each attempt is by from the texts that Blackboard adds.

    Parameters
    ----------
    logs : mapping
        From the name of a ``.txt`` file to its text.

    Returns
    -------
    dict
        From what stands before ``_attempt_`` to (user, name).
    """
    people = {}
    for name, text in logs.items():
        found, who = BLACKBOARD.fullmatch(name), NAMED.search(text)
        if found and found["log"] and who:
            people[found["head"]] = who["id"], who["name"]
    return people


def _blackboard(
    path: PurePosixPath, stem: str, people: Mapping[str, tuple[str, str]], zone: tzinfo
) -> Sender | None:
    found = BLACKBOARD.fullmatch(path.name)
    if not found or found["log"]:
        return None
    user, name = people.get(found["head"], (found["head"].removeprefix(stem), ""))
    time = datetime.strptime(found["time"], "%Y-%m-%d-%H-%M-%S").replace(tzinfo=zone)
    return Sender("blackboard", user, name, found["file"], time)


def _exchange(path: PurePosixPath) -> Sender | None:
    from nbgrader.utils import parse_utc

    for depth, part in enumerate(path.parts[:-1]):
        found = EXCHANGE.fullmatch(part)
        if found:
            file = "/".join(path.parts[depth + 1 :])
            time = parse_utc(found["time"]).replace(tzinfo=UTC)
            return Sender("exchange", found["id"], "", file, time)
    return None


def _folder(path: PurePosixPath, notebook: str, above: int) -> Sender | None:
    """Read ``ada/x.ipynb`` or ``ada_x.ipynb`` or ``ada.ipynb``: whose it is."""
    if len(path.parts) > above + 1:
        file = "/".join(path.parts[above + 1 :])
        return Sender("folder", path.parts[above], "", file)
    who = re.sub(rf"[_\- ]*{re.escape(notebook)}[_\- ]*", "", path.stem)
    return Sender("folder", who, "", path.name) if who else None


def senders(
    paths: Iterable[str],
    logs: Mapping[str, str],
    notebook: str,
    zone: tzinfo,
    assignment: str = "",
) -> tuple[dict[str, Sender], list[str]]:
    """Tell for each file of a delivery who sent it.

    Parameters
    ----------
    paths : iterable of str
        Files, relative to the delivery's top, with ``/``.
    logs : mapping
        From a ``.txt`` file's name to its text, for Blackboard.
    notebook : str
        Name of the assignment's notebook without ``.ipynb``.
    zone : tzinfo
        The zone in which Blackboard writes its times.
    assignment : str
        The assignment; an exchange's folders for others are left out.

    Returns
    -------
    senders : dict
        From path to sender.
    unknown : list of str
        Files that nobody can be named for.

    Examples
    --------
    >>> from datetime import UTC
    >>> files = ["lovelaceada_LATE_4711_88_x-1.ipynb", "hopper_12_89_x.ipynb"]
    >>> who, unknown = senders(files, {}, "x", UTC)
    >>> [(s.lms_id, s.name, s.file, s.is_late) for s in who.values()]
    [('4711', 'lovelaceada', 'x-1.ipynb', True), ('12', 'hopper', 'x.ipynb', False)]
    """
    files = [PurePosixPath(p) for p in paths]
    stem, people = _blackboard_stem(f.name for f in files), blackboard_people(logs)
    readers = {
        "moodle": _moodle,
        "canvas": _canvas,
        "blackboard": lambda f: _blackboard(f, stem, people, zone),
        "exchange": _exchange,
    }
    mine = [f for f in files if not _is_log(f) and not _is_other(f, assignment)]
    read = {name: {f: reader(f) for f in mine} for name, reader in readers.items()}
    best = max(read, key=lambda name: sum(map(bool, read[name].values())))
    # subtle: one file that looks like Canvas's does not make a folder Canvas's.
    if 2 * sum(map(bool, read[best].values())) <= len(mine):
        best, above = "folder", _folders_above(mine, assignment)
        read["folder"] = {f: _folder(f, notebook, above) for f in mine}
    known = {str(f): sender for f, sender in read[best].items() if sender}
    return known, [str(f) for f in mine if str(f) not in known]


def _folders_above(files: list[PurePosixPath], assignment: str) -> int:
    """Count the folders that all files share, above the students' own."""
    above = 0
    while files and all(len(f.parts) > above + 2 for f in files):
        if len({f.parts[above] for f in files}) > 1:
            break
        if any(f.parts[above + 1] == assignment for f in files):
            break
        above += 1
    return above


def _is_other(path: PurePosixPath, assignment: str) -> bool:
    """Tell whether a file lies in an exchange's folder for another assignment."""
    found = [m for part in path.parts[:-1] if (m := EXCHANGE.fullmatch(part))]
    return bool(assignment and found and found[0]["assignment"] != assignment)


def _is_log(path: PurePosixPath) -> bool:
    found = BLACKBOARD.fullmatch(path.name)
    return bool(found and found["log"])
