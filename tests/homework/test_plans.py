"""The course plans' minutes add up, and their chapters come after what they need."""

import re
from pathlib import Path

import nbformat
import pytest

from llmbook_homework.exercises import reading
from llmbook_press import cli, notebooks

ROOT = Path(__file__).parents[2]
PLANS = (ROOT / "book/instructors/plans.md").read_text(encoding="utf8")
TEACHING = 2  # as the page says
ROOM = 1.3  # a part may be so much fuller than its time in class
TAUGHT = re.compile(r"notebooks/(\d\d)_\w+>`: \*(.+?)\*(?: to \*(.+?)\*)?(?:;|$)")
SET = re.compile(r"`(llmbook homework release (\d\d).*?)`")
PATHS = {path.name[:2]: path for path in notebooks.notebook_paths(ROOT)}


def table(heading):
    """Read the rows of the table under a heading."""
    text = PLANS.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    rows = [line for line in text.splitlines() if re.match(r"\| \d", line)]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]


@pytest.fixture(scope="module")
def sections():
    """Minutes of each section of each chapter, in the chapter's order."""
    found = {}
    for number, path in PATHS.items():
        minutes, title = found.setdefault(number, {}), ""
        for cell in nbformat.read(path, as_version=4).cells:
            heading = re.match(r"## (.+)", cell.source)
            if heading and cell.cell_type == "markdown":
                title = heading[1].strip()
            if title:
                more = TEACHING * notebooks.minutes_of([cell])
                minutes[title] = minutes.get(title, 0) + more
    return found


def in_class(cell, sections):
    """List the sections that a cell of a plan names, with their minutes."""
    found = []
    for number, first, last in TAUGHT.findall(cell):
        titles = [
            t for t in sections[number] if t not in ("Exercises", "Further reading")
        ]
        end = titles.index(last or first)
        found += [
            (number, title, sections[number][title])
            for title in titles[titles.index(first) : end + 1]
        ]
    return found


def exercises(cell):
    """List the exercises that the commands of a cell set."""
    found, parser = [], cli.build_parser()
    for command, number in SET.findall(cell):
        args = parser.parse_args(command.split()[1:])
        only = [short for some in args.only or [] for short in some.split(",")]
        every = reading.load(PATHS[number]).exercises
        found += [each for each in every if not only or each.short in only]
    return found


def is_near(written, minutes):
    """Tell whether a number of the page is right, to five minutes or a tenth."""
    return abs(float(written) - minutes) <= max(5, 0.1 * minutes)


@pytest.mark.parametrize(
    ("heading", "parts", "time"),
    [("One day", 4, 90), ("Four weeks", 4, 180), ("Ten weeks", 10, 180)],
)
def test_the_minutes_of_a_plan_add_up(heading, parts, time, sections):
    rows, taught = table(heading), []
    assert [row[0] for row in rows] == [str(n) for n in range(1, parts + 1)]
    for row in rows:
        listed = in_class(row[1], sections)
        here = sum(minutes for *_, minutes in listed)
        here += sum(each.minutes for each in exercises(row[1]))
        assert is_near(row[2], here), f"{heading}, {row[0]}: write {here:.0f} in class"
        assert here <= ROOM * time
        if len(row) > 3:
            home = sum(each.minutes for each in exercises(row[3]))
            assert is_near(row[4], home), f"{heading}, {row[0]}: write {home} at home"
            assert home <= ROOM * time
        taught += [(number, title) for number, title, _ in listed]
    chapters = list(dict.fromkeys(number for number, _ in taught))
    assert chapters == sorted(chapters) and chapters[-1] == "15"
    for number in chapters:  # whole chapters, each section once
        every = [
            t for t in sections[number] if t not in ("Exercises", "Further reading")
        ]
        assert [title for n, title in taught if n == number] == every
    given = {each.id[2:4] for row in rows for cell in row for each in exercises(cell)}
    assert given <= {*chapters}


def test_a_plan_without_time_for_all_says_what_is_left_out(sections):
    rows = table("Four weeks")
    there = {number for row in rows for number, *_ in in_class(row[1], sections)}
    text = PLANS.partition("## Four weeks\n")[2].partition("\n|")[0]
    missing = sorted({*PATHS} - there)
    assert f"Chapters {' and '.join(missing)} have no place" in " ".join(text.split())
