"""A table for instructors: every exercise of the book, read from the notebooks."""

from pathlib import Path
from typing import Any, ClassVar

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from llmbook_homework.exercises import mistakes, reading
from llmbook_press import notebooks
from llmbook_press.sphinx_ext.status import build_table, link_to


class ExerciseTable(SphinxDirective):
    """``{exercise-table}``: every exercise of the book, and what grades it."""

    option_spec: ClassVar[dict[str, Any]] = {}

    def run(self) -> list[nodes.Node]:
        """Build the table; it is built again when a chapter changes."""
        titles = [
            "Chapter", "Exercise", "", "Level", "Minutes", "Points", "Checks", "Hidden",
            "Wrong answers",
        ]  # fmt: skip
        rows = []
        for path in notebooks.notebook_paths(Path(self.env.srcdir)):
            self.env.note_dependency(str(path))
            chapter = reading.load(path)
            planted = [each.exercise for each in mistakes.read(path)]
            for each in chapter.exercises:
                wrong = planted.count(each.short)
                about = [
                    each.short, each.title, each.level, each.minutes,
                    f"{each.points:g}", each.n_visible, each.n_hidden, wrong,
                ]  # fmt: skip
                cells = [nodes.Text(str(value)) for value in about]
                page = f"notebooks/{chapter.slug}"
                link = link_to(page, chapter.number, self.env.docname)
                rows.append([link, *cells])
        return [build_table(titles, rows, "llmbook-exercises")]


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the directives."""
    app.add_directive("exercise-table", ExerciseTable)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
