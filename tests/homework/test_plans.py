"""Course plans: what is chosen, what is left out, how it is dealt to days and weeks."""

import itertools
import re
from dataclasses import replace
from pathlib import Path

import nbformat
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmbook_homework import lessons, plans
from llmbook_homework.exercises.tasks import example
from llmbook_homework.lessons import Homework, Lesson, Section
from llmbook_homework.plans import Course
from llmbook_press import cli, notebooks

ROOT = Path(__file__).parents[2]


def lesson(number, *minutes, needs=(), tasks=()):
    """Make a chapter with sections and exercises of so many minutes."""
    sections = tuple(Section(number, (f"part {n}",), m) for n, m in enumerate(minutes))
    exercises = tuple(
        replace(
            example(), id=f"ch{number}-ex{n}", short=f"ex{n}", level=level, minutes=m
        )
        for n, (level, m) in enumerate(tasks, start=1)
    )
    return Lesson(number, "Title", f"{number}_slug", needs, sections, exercises)


def chapters_of(plan):
    return sorted({item.chapter for part in plan.parts for item in part})


def exercises_of(plan):
    every = [item for part in plan.parts for item in part if isinstance(item, Homework)]
    return [each.id for item in every for each in item.exercises]


@given(st.lists(st.integers(0, 9), min_size=1, max_size=7), st.integers(1, 4))
def test_split_is_the_most_even_one(loads, parts):
    found = plans.split(loads, parts)
    assert [n for a, b in found for n in range(a, b)] == list(range(len(loads)))
    starts = [n for n, load in enumerate(loads) if load or n == 0]

    def squares(cuts):
        ends = [*cuts[1:], len(loads)]
        return sum(sum(loads[a:b]) ** 2 for a, b in zip(cuts, ends, strict=True))

    k = min(parts, len(starts))
    every = [(0, *rest) for rest in itertools.combinations(starts[1:], k - 1)]
    assert squares([a for a, _ in found]) == min(map(squares, every))
    assert len(found) == k


def test_goal_and_its_needs_come_before_other_chapters():
    book = [
        lesson("01", 50),
        lesson("02", 50),
        lesson("03", 50, needs=("02",)),
        lesson("04", 50, needs=("03",)),
    ]
    plan = plans.make(book, Course("Week", 2, 75, 0, goal="04"))
    assert chapters_of(plan) == ["02", "03", "04"]
    assert [left.number for left in plan.left_out] == ["01"]
    short = plans.make(book, Course("Week", 1, 110, 0, goal="04"))
    assert chapters_of(short) == ["03", "04"]


def test_a_goal_that_is_not_written_yet_gives_the_first_chapters():
    book = [lesson("01", 50), lesson("02", 50)]
    plan = plans.make(book, Course("Week", 1, 60, 60, goal="15"))
    assert chapters_of(plan) == ["01"]


def test_easy_exercises_come_first_and_only_while_there_is_time():
    tasks = [("hard", 30), ("easy", 10), ("medium", 15)]
    book = [lesson("01", 40, tasks=tasks), lesson("02", 40, tasks=tasks)]
    in_class = plans.make(book, Course("Block", 2, 60, 0, goal="02"))
    assert exercises_of(in_class) == ["ch01-ex2", "ch01-ex3", "ch02-ex2"]
    at_home = plans.make(book, Course("Week", 2, 60, 100, goal="02"))
    assert exercises_of(at_home) == [f"ch0{c}-ex{n}" for c in (1, 2) for n in (1, 2, 3)]


def test_homework_follows_its_chapter_and_costs_no_time_in_class():
    book = [lesson("01", 30, 30, tasks=[("easy", 500)]), lesson("02", 30, 30)]
    plan = plans.make(book, Course("Week", 2, 60, 250, goal="02"))
    assert isinstance(plan.parts[0][-1], Homework), (
        "with the last section of its chapter"
    )
    assert [plan.minutes(part, at_home=False) for part in plan.parts] == [60, 60]
    assert [plan.minutes(part, at_home=True) for part in plan.parts] == [500, 0]


def test_all_exercises_need_no_only():
    whole = lesson("01", 1, tasks=[("easy", 1), ("easy", 1)])
    assert Homework("01", whole.exercises, 2).command == "llmbook homework release 01"
    some = Homework("01", whole.exercises[1:], 2)
    assert some.command == "llmbook homework release 01 --only ex2"


def notebook(text):
    return nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell(text)])


def test_needs_are_read_from_the_overview():
    needed = "You need a GPT ({doc}`11_gpt`) and\n{doc}`words <02_w>`."
    text = f"Words.\n\n{needed}\n\nSee {{doc}}`03_x`."
    assert lessons.prerequisites(notebook(text)) == ("11", "02")
    assert lessons.prerequisites(notebook("You need ({doc}`../book/to-come`).")) == ()
    with pytest.raises(ValueError, match="You need"):
        lessons.prerequisites(notebook("Nothing is needed."))


@pytest.fixture(scope="module")
def every():
    """The book's chapters."""
    return lessons.lessons(ROOT)


@pytest.mark.parametrize("name", plans.COURSES)
def test_the_book_fits_into_every_course(every, name):
    course = plans.COURSES[name]
    plan = plans.make(every, course)
    assert course.goal in chapters_of(plan) and len(plan.parts) == course.n_parts
    items = [item for part in plan.parts for item in part]
    assert plan.minutes(items, at_home=False) <= course.n_parts * course.in_class
    assert plan.minutes(items, at_home=True) <= course.n_parts * course.at_home
    for part in plan.parts:
        assert plan.minutes(part, at_home=False) <= 1.3 * course.in_class
    parser = cli.build_parser()
    for item in items:
        if isinstance(item, Homework):
            args = parser.parse_args(item.command.split()[1:])
            assert args.chapter == item.chapter


def test_needed_chapters_come_earlier(every):
    for each in every:
        assert all(number < each.number for number in each.needs)


def test_sections_take_the_reading_time_twice(every):
    for each in every:
        path = ROOT / "notebooks" / f"{each.slug}.ipynb"
        whole = notebooks.minutes_of(nbformat.read(path, as_version=4).cells)
        assert 0.6 * whole < each.minutes / lessons.TEACHING < whole
        titles = [title for section in each.sections for title in section.titles]
        assert titles[:2] == ["Overview", "Setup"] and titles[-1] == "Quiz"
        assert not re.search("Exercises|Further", " ".join(titles))
