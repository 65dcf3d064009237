"""The tables that Canvas and Moodle import, and their own files filled in.

Canvas reads its own gradebook's columns: Student, ID, SIS User ID, SIS Login ID,
Section, then assignments, and a row "Points Possible"
(``lib/gradebook_importer.rb``). Moodle reads the columns Identifier, Grade and Last
modified (grade) of its offline grading worksheet, and feedback
(``mod/assign/feedback/offline/importgradeslib.php``). The safest way for both is
the file that the platform itself lets you download, filled in.
"""

import re
from collections.abc import Iterable
from pathlib import Path

from llmbook_homework.course import Assignment
from llmbook_homework.lms.filenames import Sender
from llmbook_homework.lms.roster import Roster, read_table
from llmbook_homework.lms.rows import Row, number, plain

Table = list[list[str]]
CANVAS_HEAD = ["Student", "ID", "SIS User ID", "SIS Login ID", "Section"]
MOODLE_HEAD = [
    "Identifier",
    "Full name",
    "Email address",
    "Status",
    "Grade",
    "Maximum Grade",
    "Last modified (grade)",
    "Feedback comments",
]


def as_canvas(rows: Iterable[Row], assignment: Assignment, column: str) -> Table:
    """Make the columns of Canvas's gradebook import."""
    table = [
        [*CANVAS_HEAD, column],
        ["    Points Possible", "", "", "", "", number(assignment.max_points)],
    ]
    for row in rows:
        if row.result:
            person = row.person
            number_there = row.number("canvas")
            who = [plain(person.name or person.id), number_there, "", person.id, ""]
            table.append([*who, number(row.score)])
    return table


def as_moodle(rows: Iterable[Row], assignment: Assignment) -> Table:
    """Make the columns of Moodle's offline grading worksheet."""
    table = [MOODLE_HEAD]
    for row in rows:
        if row.result and row.number("moodle"):
            who = [
                f"Participant {row.number('moodle')}",
                plain(row.person.name),
                plain(row.person.email),
            ]
            score, most = number(row.score), number(assignment.max_points)
            status = "Submitted for grading"
            table.append([*who, status, score, most, "-", row.comment])
    return table


def _column(head: list[str], name: str, path: Path) -> int:
    """Find a column by its title, with or without Canvas's number in brackets."""
    bare = [re.sub(r" \(\d+\)$", "", title) for title in head]
    for titles in (head, bare):
        if titles.count(name) == 1:
            return titles.index(name)
    raise ValueError(
        f"{path.name} has no column {name!r} (or has it twice); name one with "
        f"--column. There are: {', '.join(filter(None, head))}"
    )


def fill_in(
    rows: list[Row], assignment: Assignment, form: str, like: Path, column: str
) -> tuple[Table, list[str], str]:
    """Fill a platform's own file in.

    Parameters
    ----------
    rows : list of Row
        All students'.
    assignment : Assignment
        One of the course's.
    form : str
        ``"canvas"`` or ``"moodle"``.
    like : Path
        The file as downloaded.
    column : str
        Title of the column for the score.

    Returns
    -------
    table : list of list of str
        Of Canvas's file who people are and our column; of Moodle's all.
    missing : list of str
        Students with a grade who are not in the file.
    separator : str
    """
    table, separator = read_table(like)
    head = table[0] if table else []
    target = _column(head, column, like)
    comments = head.index(MOODLE_HEAD[-1]) if MOODLE_HEAD[-1] in head else None
    graded = {row.person.id: row for row in rows if row.result}
    roster = Roster(row.person for row in graded.values())
    numbers = {n: row for row in graded.values() if (n := row.number(form))}
    for line in table[1:]:
        line += [""] * (len(head) - len(line))
        row = _find(line, head, numbers, graded, roster, form)
        if row is None:
            continue
        graded.pop(row.person.id, None)
        line[target] = number(row.score)
        if comments is not None and row.result:
            line[comments] = row.comment
    if form == "canvas":
        last = head.index("Section") if "Section" in head else len(CANVAS_HEAD) - 1
        table = [[*line[: last + 1], line[target]] for line in table]
    return table, sorted(graded), separator


def _find(
    line: list[str],
    head: list[str],
    numbers: dict[str, Row],
    graded: dict[str, Row],
    roster: Roster,
    form: str,
) -> Row | None:
    """Find whose line of the platform's file this is."""
    cells = dict(zip((title.lower() for title in head), line, strict=False))
    digits = re.sub(r"^\D+", "", cells.get("identifier") or cells.get("id") or "")
    if digits in numbers:
        return numbers[digits]
    name = cells.get("full name") or cells.get("student") or ""
    login = cells.get("sis login id") or cells.get("email address") or digits
    person = roster.find(Sender(form, login, name, ""))
    by_mail = [r for r in graded.values() if login and r.person.email == login]
    if by_mail:
        return by_mail[0]
    return graded.get(person.id) if person else None


def same_maximum(like: Path, assignment: Assignment) -> None:
    """Refuse to write 14 points where the platform counts to 100."""
    table, _ = read_table(like)
    if not table or "Maximum Grade" not in table[0]:
        return
    place = table[0].index("Maximum Grade")
    told = {line[place].replace(",", ".") for line in table[1:] if len(line) > place}
    for text in filter(None, told):
        if abs(float(text) - assignment.max_points) > 1e-6:
            raise ValueError(
                f"{like.name} counts to {text}, the assignment to "
                f"{assignment.max_points:g}; scale with --out-of {float(text):g}"
            )
