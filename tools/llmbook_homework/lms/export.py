"""Write the scores of an assignment: for people, for Canvas, for Moodle."""

import csv
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from llmbook_homework.course import Assignment, Course, replacing
from llmbook_homework.lms import platforms
from llmbook_homework.lms.platforms import Table
from llmbook_homework.lms.rows import Row, number, plain, rows_of

FORMS = ("csv", "canvas", "moodle")


def as_csv(rows: Iterable[Row], assignment: Assignment) -> Table:
    """Make the full table: a score and a reason for each exercise."""
    shorts = {each: each.rpartition("-")[2] for each in assignment.points}
    head = [
        "student",
        "name",
        "email",
        "score",
        "points",
        "late",
        "submitted",
        "remark",
    ]
    for short in shorts.values():
        head += [short, f"{short}_reason"]
    table = [head]
    for row in rows:
        result = row.result
        line = [
            plain(row.person.id),
            plain(row.person.name),
            plain(row.person.email),
            number(row.score),
            number(assignment.max_points),
            row.late,
            result.submitted if result else "",
            plain(row.remark),
        ]
        for each in shorts:
            line += [number(row.scores.get(each)), plain(row.reasons.get(each, ""))]
        table.append(line)
    return table


def export(
    course: Course,
    assignment: Assignment,
    form: str,
    path: Path,
    like: Path | None = None,
    column: str = "",
    out_of: float | None = None,
) -> list[str]:
    """Write the scores of an assignment.

    Parameters
    ----------
    course : Course
        Its folder.
    assignment : Assignment
        One of the course's.
    form : str
        ``"csv"``, ``"canvas"`` or ``"moodle"``.
    path : Path
        The file to write.
    like : Path, optional
        The platform's own file, to be filled in.
    column : str
        The assignment's title there.
    out_of : float, optional
        The platform's maximum; scores are scaled to it.

    Returns
    -------
    list of str
        Students whose scores are not in the file.

    Raises
    ------
    ValueError
        If an option makes no sense, or the platform's maximum is another.
    """
    if form not in FORMS:
        raise ValueError(f"--format is {form!r}; there are {', '.join(FORMS)}")
    if like and form == "csv":
        raise ValueError("--like goes with --format canvas or --format moodle")
    if out_of is not None and not 0 < out_of < float("inf"):
        raise ValueError(f"--out-of is {out_of:g}; give a number above 0")
    rows = rows_of(course, assignment)
    if out_of:
        rows, assignment = _scaled(rows, assignment, out_of)
    missing, separator = [], ","
    if form == "csv":
        table = as_csv(rows, assignment)
    elif like:
        platforms.same_maximum(like, assignment)
        title = column or ("Grade" if form == "moodle" else assignment.name)
        table, missing, separator = platforms.fill_in(
            rows, assignment, form, like, title
        )
    elif form == "canvas":
        table = platforms.as_canvas(rows, assignment, column or assignment.name)
    else:
        table = platforms.as_moodle(rows, assignment)
        missing = [r.person.id for r in rows if r.result and not r.number(form)]
    with replacing(path) as draft, draft.open("w", encoding="utf8", newline="") as file:
        csv.writer(file, delimiter=separator).writerows(table)
    return missing


def _scaled(
    rows: list[Row], assignment: Assignment, out_of: float
) -> tuple[list[Row], Assignment]:
    factor = out_of / assignment.max_points
    scaled = [
        replace(row, scores={k: v * factor for k, v in row.scores.items()})
        for row in rows
    ]
    points = {key: value * factor for key, value in assignment.points.items()}
    return scaled, replace(assignment, points=points)
