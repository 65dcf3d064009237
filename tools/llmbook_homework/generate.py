"""Run nbgrader's generate_assignment, so that a failure leaves all as it was."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC
from pathlib import Path
from typing import Any

from llmbook_homework import gradebook
from llmbook_homework.course import Assignment, Course, replacing


@contextmanager
def restoring(*paths: Path) -> Iterator[None]:
    """Put files back as they were if something fails: nbgrader deletes its own."""
    before = {path: path.read_bytes() for path in paths if path.is_file()}
    try:
        yield
    except BaseException:
        for path, data in before.items():
            with replacing(path) as draft:
                draft.write_bytes(data)
        raise


def refuse_other_exercises(course: Course, assignment: Assignment) -> None:
    """Keep the set of exercises once there are grades, as nbgrader demands."""
    from nbgrader.api import MissingEntry

    with gradebook.opened(course) as book:
        try:
            known = book.find_notebook(assignment.notebook, assignment.name)
        except MissingEntry:
            return
        graded = {cell.name.removesuffix("-check") for cell in known.grade_cells}
        if known.submissions and graded != set(assignment.points):
            raise ValueError(
                f"{assignment.name} has graded submissions for the exercises "
                f"{', '.join(sorted(graded))}; set the same ones again, or drop the "
                f"grades: nbgrader db assignment remove --force {assignment.name}"
            )


def generate(course: Course, assignment: Assignment) -> None:
    """Run nbgrader's generate_assignment with the course's own configuration."""
    with gradebook.opened(course) as book:
        due = assignment.due and assignment.due.astimezone(UTC).replace(tzinfo=None)
        book.update_or_create_assignment(assignment.name, duedate=due)
    done = nbgrader_api(course).generate_assignment(assignment.name)
    if not done["success"]:
        log = f"{done.get('log', '')}\n{done.get('error', '')}"
        cause = [line for line in log.splitlines() if line.strip()][-1:]
        raise ValueError(
            f"nbgrader did not generate {assignment.name}, and all is as it was: "
            f"{' '.join(cause)}"
        )


def nbgrader_api(course: Course) -> Any:
    """Give nbgrader's library as its command line runs in the course's folder.

    Returns
    -------
    nbgrader.apps.api.NbGraderAPI
    """
    from nbgrader.apps.api import NbGraderAPI
    from traitlets.config.loader import PyFileConfigLoader

    loader = PyFileConfigLoader("nbgrader_config.py", path=str(course.root))
    config = loader.load_config()
    config.CourseDirectory.root = str(course.root)
    return NbGraderAPI(config=config)
