"""Tables for instructors: course plans and exercises, from the notebooks themselves."""

from pathlib import Path
from typing import Any, ClassVar

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from llmbook_homework import lessons, plans
from llmbook_homework.exercises import mistakes
from llmbook_homework.lessons import Homework, Lesson, Section
from llmbook_press import notebooks
from llmbook_press.sphinx_ext.status import build_table, link_to

Cell = nodes.Node | list[nodes.Node]


class FromNotebooks(SphinxDirective):
    """A directive that reads every chapter."""

    option_spec: ClassVar[dict[str, Any]] = {}

    def lessons(self) -> list[Lesson]:
        """Read the chapters; the page is built again when one changes."""
        root = Path(self.env.srcdir)
        for path in notebooks.notebook_paths(root):
            self.env.note_dependency(str(path))
        return lessons.lessons(root)

    def link(self, lesson: Lesson, text: str = "") -> nodes.Node:
        """Link to a chapter, by number and title if there is no other text."""
        text = text or f"{lesson.number} {lesson.title}"
        return link_to(f"notebooks/{lesson.slug}", text, self.env.docname)


class CoursePlan(FromNotebooks):
    """``{course-plan} four-weeks``: a table of what happens when."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Build the table and a sentence on what it leaves out."""
        name = self.arguments[0]
        if name not in plans.COURSES:
            raise self.error(
                f"there is no plan {name!r}, but {', '.join(plans.COURSES)}"
            )
        every = self.lessons()
        self.known = {lesson.number: lesson for lesson in every}
        plan = plans.make(every, plans.COURSES[name])
        rows = [self.row(plan, n, part) for n, part in enumerate(plan.parts, 1)]
        home = ["At home", "Minutes"] if plan.course.at_home else []
        titles = [plan.course.part, "In class", "Minutes", *home]
        return [build_table(titles, rows, "llmbook-plan"), self.sum(plan)]

    def row(
        self, plan: plans.Plan, number: int, part: list[Section | Homework]
    ) -> list[Cell]:
        """Build a day's or a week's row."""
        at_home = plan.course.at_home > 0
        taught: list[nodes.Node] = []
        given: list[nodes.Node] = []
        for item in plans.grouped(part):
            if isinstance(item, Homework):
                (given if at_home else taught).append(exercises_of(item))
            else:
                taught.append(self.sections(item))
        cells: list[Cell] = [number_cell(number), taught]
        cells.append(number_cell(plan.minutes(part, at_home=False)))
        if at_home:
            minutes = plan.minutes(part, at_home=True)
            cells += [given, number_cell(minutes) if minutes else nodes.Text("")]
        return cells

    def sections(self, items: list[Section]) -> nodes.paragraph:
        """Name a chapter's sections, from the first to the last."""
        titles = [title for item in items for title in item.titles]
        named = nodes.paragraph("", "", self.link(self.known[items[0].chapter]))
        named += [nodes.Text(": "), nodes.emphasis("", titles[0])]
        if len(titles) > 1:
            named += [nodes.Text(" to "), nodes.emphasis("", titles[-1])]
        return named

    def sum(self, plan: plans.Plan) -> nodes.paragraph:
        """Say what the plan takes, what there would be, and what has no place."""
        course, all_parts = plan.course, [item for part in plan.parts for item in part]
        taken = plan.minutes(all_parts, at_home=False)
        text = f"In class {taken:.0f} of {course.n_parts * course.in_class:.0f} minutes"
        if course.at_home:
            text += (
                f", at home {plan.minutes(all_parts, at_home=True):.0f} of "
                f"{course.n_parts * course.at_home:.0f}"
            )
        found = nodes.paragraph("", nodes.Text(f"{text}."))
        for number, lesson in enumerate(plan.left_out):
            found += nodes.Text(", " if number else " No place is left for ")
            found += self.link(lesson)
        return found


def exercises_of(item: Homework) -> nodes.paragraph:
    """Give the command that sets exercises."""
    return nodes.paragraph("", "", nodes.literal("", item.command))


def number_cell(value: float) -> nodes.Text:
    """Write a whole number."""
    return nodes.Text(f"{value:.0f}")


class ExerciseTable(FromNotebooks):
    """``{exercise-table}``: every exercise of the book, and what grades it."""

    def run(self) -> list[nodes.Node]:
        """Build the table."""
        titles = [
            "Chapter", "Exercise", "", "Level", "Minutes", "Points", "Checks", "Hidden",
            "Wrong answers",
        ]  # fmt: skip
        rows = []
        for lesson in self.lessons():
            path = Path(self.env.srcdir, "notebooks", f"{lesson.slug}.ipynb")
            planted = [each.exercise for each in mistakes.read(path)]
            for each in lesson.exercises:
                wrong = planted.count(each.short)
                about = [
                    each.short, each.title, each.level, each.minutes,
                    f"{each.points:g}", each.n_visible, each.n_hidden, wrong,
                ]  # fmt: skip
                cells = [nodes.Text(str(value)) for value in about]
                rows.append([self.link(lesson, lesson.number), *cells])
        return [build_table(titles, rows, "llmbook-exercises")]


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the directives."""
    app.add_directive("course-plan", CoursePlan)
    app.add_directive("exercise-table", ExerciseTable)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
