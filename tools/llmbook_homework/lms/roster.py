"""Who is in a course: names and numbers, from any platform's list."""

import csv
import io
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from llmbook_homework.course import Course, replacing
from llmbook_homework.lms.filenames import Sender

COLUMNS = ("id", "name", "email", "lms_id")
# Heads of the columns in Canvas's gradebook, Moodle's worksheet and list of
# participants, Blackboard's Grade Center and nbgrader's own csv.
HEADS = {
    "id": ("id", "student_id", "username", "sis login id", "email address", "email"),
    "name": ("name", "student", "full name"),
    "first": ("first_name", "first name"),
    "last": ("last_name", "last name", "surname"),
    "email": ("email", "email address"),
    "lms_id": ("lms_id", "lms_user_id", "username", "id number"),
    "participant": ("identifier",),
}


@dataclass(frozen=True)
class Person:
    """A student.

    Attributes
    ----------
    id : str
        The name of their folders and their key in the gradebook.
    name, email : str
        Empty if not known.
    lms_id : str
        What the platform calls them.
    participant : str
        Moodle's number in one assignment; it is no good for the next, and not stored.
    """

    id: str
    name: str = ""
    email: str = ""
    lms_id: str = ""
    participant: str = ""


def slug(text: str) -> str:
    """Make a name that is safe as a folder's: letters of any script, digits, ``.@-``.

    Examples
    --------
    >>> slug("Ada  Lovelace"), slug("../../etc"), slug("王小明"), slug("a+b@x.org")
    ('ada-lovelace', 'etc', '王小明', 'a-b@x.org')
    """
    text = unicodedata.normalize("NFC", text).casefold()
    return re.sub(r"[^\w.@-]+", "-", text).strip("-._")[:100]


def _same(name: str) -> set[str]:
    """Write a name in the ways platforms do: with the surname first or last."""
    parts = re.findall(r"\w+", unicodedata.normalize("NFKC", name).casefold())
    return {
        "".join(parts),
        "".join(parts[1:] + parts[:1]),
        "".join(parts[-1:] + parts[:-1]),
    }


def read_table(path: Path) -> tuple[list[list[str]], str]:
    """Read a csv as it is, with its separator.

    Raises
    ------
    ValueError
        If there is no such file, or it is no table.
    """
    if not path.is_file():
        raise ValueError(f"there is no file {path}; give a list as csv")
    text = _decoded(path.read_bytes())
    separator = max(",;\t", key=text.partition("\n")[0].count)
    try:
        return list(csv.reader(io.StringIO(text, ""), delimiter=separator)), separator
    except csv.Error as error:
        raise ValueError(f"{path.name} is no csv ({error}); save it as csv") from None


def _decoded(data: bytes) -> str:
    """Read what platforms write: UTF-8, Blackboard's UTF-16, an old Excel's cp1252."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", errors="replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", errors="replace")


def late_numbers(path: Path) -> set[str]:
    """Read from Moodle's grading worksheet, in English, whose submissions were late.

    Its archive says no times; its column Status says ``2 hours late``.
    """
    table, _ = read_table(path)
    head = [title.strip().lower() for title in table[0]] if table else []
    if not {"identifier", "status"} <= set(head):
        return set()
    number, status = head.index("identifier"), head.index("status")
    return {
        re.sub(r"^\D+", "", line[number])
        for line in table[1:]
        if len(line) > max(number, status) and re.search(r"\blate\b", line[status])
    }


def read_people(path: Path) -> list[Person]:
    """Read a csv of students: ours, Canvas's, Moodle's, Blackboard's, nbgrader's.

    Parameters
    ----------
    path : Path
        A file with a row of heads, of which one names an id or an address.

    Returns
    -------
    list of Person

    Raises
    ------
    ValueError
        If no column says who is who.
    """
    table, _ = read_table(path)
    head = table[0] if table else []
    rows = [dict(zip(head, line, strict=False)) for line in table[1:]]
    heads = {title.strip().lower(): title for title in head}
    is_canvas = "student" in heads and "section" in heads
    columns = {
        ours: [heads[h] for h in theirs if h in heads] for ours, theirs in HEADS.items()
    }
    if is_canvas:  # there "ID" is Canvas's number, and the login names the person
        logins = [heads[h] for h in ("sis login id", "sis user id") if h in heads]
        columns["id"], columns["lms_id"] = [*logins, heads["id"]], [heads["id"]]
    if not columns["id"]:
        raise ValueError(
            f"{path.name} has the columns {', '.join(filter(None, heads)) or 'none'}; "
            f"one must be called {', '.join(HEADS['id'])}. Rename the column, or set "
            "the platform to English and download the list again"
        )
    people = [_person(row, columns) for row in rows]
    # Canvas's row of maxima, and the student that it makes for trying things out
    nobody = {"points possible", "student, test"} if is_canvas else set()
    return [p for p in people if p.id and p.name.lower() not in nobody]


def _person(row: dict[str, str], columns: dict[str, list[str]]) -> Person:
    def value(ours: str) -> str:
        found = ((row.get(head) or "").strip() for head in columns[ours])
        return next(filter(None, found), "")

    name = value("name") or f"{value('first')} {value('last')}".strip()
    # Moodle writes "Participant 12345", in the words of its language.
    participant = re.sub(r"^\D+", "", value("participant"))
    return Person(slug(value("id")), name, value("email"), value("lms_id"), participant)


class Roster:
    """The people of a course; found again by number or by name.

    Parameters
    ----------
    people : iterable of Person
        Who is known.
    """

    def __init__(self, people: Iterable[Person] = ()) -> None:
        self.people = {person.id: person for person in people}

    def __repr__(self) -> str:
        return f"Roster of {len(self.people)}"

    @classmethod
    def of(cls, course: Course) -> "Roster":
        """Read a course's ``roster.csv``, empty if there is none."""
        path = course.root / "roster.csv"
        return cls(read_people(path) if path.is_file() else ())

    def save(self, course: Course) -> None:
        """Write ``roster.csv`` in one step."""
        people = sorted(self.people.values(), key=lambda person: person.id)
        with (
            replacing(course.root / "roster.csv") as draft,
            draft.open("w", encoding="utf8", newline="") as file,
        ):
            writer = csv.DictWriter(file, COLUMNS, extrasaction="ignore")
            writer.writeheader()
            writer.writerows(map(asdict, people))

    def add(self, person: Person) -> None:
        """Add a person, or what is newly known of one."""
        old = self.people.get(person.id, person)
        news = {key: value for key, value in asdict(person).items() if value}
        self.people[person.id] = replace(old, **news)

    def find(self, sender: Sender) -> Person | None:
        """Find who sent a file, if there is exactly one such person."""
        by_number = [p for p in self.people.values() if p.lms_id == sender.lms_id]
        # Moodle's number is another in each assignment: there the name decides.
        if sender.lms != "moodle" and len(by_number) == 1:
            return by_number[0]
        direct = self.people.get(slug(sender.lms_id))
        if sender.lms != "moodle" and direct:
            return direct
        if not sender.name:
            return None
        by_name = self._by_name(sender.name)
        if not by_name and sender.lms == "moodle":  # "Team 1-Ada Lovelace"
            starts = (found.end() for found in re.finditer("-", sender.name))
            parts = (self._by_name(sender.name[start:]) for start in starts)
            by_name = next(filter(None, parts), [])
        return by_name[0] if len(by_name) == 1 else None

    def _by_name(self, name: str) -> list[Person]:
        wanted = _same(name)
        return [p for p in self.people.values() if p.name and wanted & _same(p.name)]
