"""Where an assignment stands: who handed in, what is graded, what needs a look."""

from llmbook_homework.course import Assignment, Course
from llmbook_homework.lms.rows import Row, rows_of


def state(course: Course, assignment: Assignment, row: Row) -> str:
    """Name what is next for a student.

    Returns
    -------
    str
        ``"nothing"``, ``"to grade"``, ``"again"`` (a newer submission, or a release
        with other points, came after the grade) or ``"graded"``.
    """
    if row.result is None:
        return "to grade" if row.came else "nothing"
    points = {each.id: float(each.points) for each in row.result.exercises}
    if points != assignment.points or (row.told.get("late") and not row.result.late):
        return "again"
    folder = course.folder("submitted", row.person.id, assignment)
    result = course.root / "results" / assignment.name / f"{row.person.id}.json"
    files = [p for p in folder.glob("*") if p.is_file() and p.name != "collected.json"]
    graded = result.stat().st_mtime
    return "again" if any(p.stat().st_mtime > graded for p in files) else "graded"


def as_text(course: Course, assignment: Assignment) -> str:
    """Write the state of an assignment as a table.

    Parameters
    ----------
    course : Course
        Its folder.
    assignment : Assignment
        One of the course's.

    Returns
    -------
    str
    """
    rows = rows_of(course, assignment)
    lines = []
    states = {row.person.id: state(course, assignment, row) for row in rows}
    width = max((len(row.person.id) for row in rows), default=7)
    for row in rows:
        score = "" if row.score is None else f"{row.score:g}"
        late = "late" if row.result and row.result.late else ""
        remark = row.remark if row.result else ""
        what = states[row.person.id]
        lines.append(
            f"{row.person.id:<{width}}  {what:<8} {score:>6} {late:<4}  {remark}"
        )
    counts = {what: list(states.values()).count(what) for what in set(states.values())}
    told = (
        ", ".join(f"{n} {what}" for what, n in sorted(counts.items())) or "nobody yet"
    )
    due = f", due {assignment.due:%Y-%m-%d %H:%M %Z}" if assignment.due else ""
    tasks = len(assignment.points)
    head = (
        f"{assignment.name}: {tasks} exercise{'' if tasks == 1 else 's'}, "
        f"{assignment.max_points:g} points{due}; {told}"
    )
    return "\n".join([head, *(line.rstrip() for line in lines)])
