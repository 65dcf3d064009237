"""What students get: all of the chapter, nothing of a solution."""

import json
import re
import subprocess
import sys
from datetime import datetime, timedelta

import nbformat
import pytest
from classroom import NOTEBOOKS, ROOT, hand_in, notebook, released, small_book
from nbgrader.api import Gradebook

from llmbook_homework import course as courses
from llmbook_homework.exercises import reading, vary
from llmbook_homework.nbgrader_steps import student_version
from llmbook_homework.release import book_of, parse_due, parse_points, release
from llmbook_press.regions import split_regions


def words(text):
    """Lines of a text with their spaces made alike; the empty ones left out."""
    lines = (" ".join(line.split()) for line in text.splitlines())
    return [line for line in lines if re.search(r"\w", line)]


def secrets(path):
    """Lines of solutions and hidden tests that stand nowhere else in a chapter."""
    hidden, shown = set(), set()
    for cell in nbformat.read(path, as_version=4).cells:
        grader = cell.metadata.get("nbgrader", {})
        if grader.get("solution") or grader.get("grade"):
            outside, inside = split_regions(cell.source, "SOLUTION")
            text, tests = split_regions("\n".join(outside), "HIDDEN TESTS")
            shown |= set(words("\n".join(text)))
            hidden |= set(words("\n".join([*inside, *tests])))
        else:
            shown |= set(words(cell.source))
    return hidden - shown


def everything(nb):
    """All strings of a notebook: sources, outputs, metadata, at any depth."""
    todo, texts = [json.loads(nbformat.writes(nb))], []
    while todo:
        value = todo.pop()
        if isinstance(value, dict):
            todo += [*value.keys(), *value.values()]
        elif isinstance(value, list):
            # a source is stored as lines, which belong together
            joined = "".join(map(str, value))
            todo += [*(v for v in value if not isinstance(v, str)), joined]
        else:
            texts.append(str(value))
    return "\n".join(texts)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_no_line_of_a_solution_or_a_hidden_test_is_released(path):
    """Whoever adds a chapter adds it to this test."""
    wanted = secrets(path)
    assert len(wanted) > 10, "the test has found no solutions to look for"
    nb = nbformat.read(path, as_version=4)
    seeded = student_version(nb)
    text = everything(seeded)
    lines = set(words(text))
    found = {
        line for line in wanted if line in lines or (len(line) > 20 and line in text)
    }
    assert not found
    assert "BEGIN SOLUTION" not in text and "HIDDEN TESTS" not in text


def test_the_search_for_leaks_finds_one(tmp_path):
    """A solution's comment in metadata, a printed line of it in an output."""
    book = small_book(tmp_path / "book")
    path = book / "notebooks" / "00_small.ipynb"
    wanted = secrets(path)
    assert wanted == {
        "# add it to itself",
        "return x + x",
        "return 1_000.0 ** x",
        "assert double(-1.5) == -3",
    }
    nb = student_version(nbformat.read(path, as_version=4))
    assert not wanted & set(words(everything(nb)))
    nb.cells[0].metadata["note"] = {"deep": ["a\n", "   return x  + x\n"]}
    assert wanted & set(words(everything(nb))) == {"return x + x"}


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_text_and_figures_stay(path):
    before = nbformat.read(path, as_version=4)
    after = student_version(nbformat.read(path, as_version=4))
    nbformat.validate(after)
    assert [c.id for c in after.cells] == [c.id for c in before.cells]
    for old, new in zip(before.cells, after.cells, strict=True):
        if "nbgrader" not in old.metadata:
            assert new == old
        else:
            assert new.outputs == [] and new.execution_count is None
    stubs = [
        c.source for c in after.cells if c.metadata.get("nbgrader", {}).get("solution")
    ]
    chapter = reading.load(path)
    assert stubs == [each.stub for each in chapter.exercises]


def test_a_chapter_of_the_book_goes_through_nbgrader(tmp_path):
    """The whole way for chapter 11, with the options; nbgrader knows all of it."""
    course = courses.init(tmp_path / "c", timezone="Europe/Berlin")
    due = parse_due("2026-11-27", course)
    done = release(course, "11", ["ex5", "3"], {"ex3": 4}, due, book=ROOT)
    assert [(e.id, e.points) for e in done.exercises] == [
        ("ch11-ex3", 4),
        ("ch11-ex5", 1),
    ]
    nb = nbformat.read(done.notebook, as_version=4)
    wanted = secrets(ROOT / "notebooks" / "11_gpt_from_scratch.ipynb")
    assert not wanted & set(words(everything(nb)))
    graders = [c.metadata.nbgrader for c in nb.cells if "nbgrader" in c.metadata]
    assert [g.grade_id for g in graders] == [
        "ch11-ex3",
        "ch11-ex3-check",
        "ch11-ex5",
        "ch11-ex5-check",
    ]
    text = "\n".join(c.source for c in nb.cells if c.cell_type == "markdown")
    assert re.findall(r"Exercise (\d):", text) == ["3", "5"]
    assert "## Exercises\n\nWrite your answer" in text and "## Quiz" in text
    stamp = nb.metadata["llmbook"]["release"]
    assert (stamp["assignment"], stamp["seed"]) == ("ch11", None)
    assert set(nb.metadata["llmbook"]) == {"release"}
    with Gradebook(course.db_url) as book:
        known = book.find_assignment("ch11")
        assert known.max_score == 5
        assert known.duedate == datetime(2026, 11, 27, 22, 59, 59)
        source = book.find_source_cell("ch11-ex3-check", "11_gpt_from_scratch", "ch11")
        assert "HIDDEN TESTS" in source.source
    again = courses.Course.open(course.root).assignment("11")
    assert (
        again == done.assignment and again.releases[stamp["checksum"]] == stamp["tasks"]
    )


def test_the_check_says_how_many_more_there_are(tmp_path):
    course = released(tmp_path)
    nb = nbformat.read(course.release(course.assignment("00")), as_version=4)
    told = [
        c.metadata["llmbook"]
        for c in nb.cells
        if "checks" in c.metadata.get("llmbook", {})
    ]
    assert told == [{"checks": 2, "hidden": 1}, {"checks": 2, "hidden": 0}]
    (figure,) = [c for c in nb.cells if c.get("outputs")]
    assert figure.outputs[0].text == "a figure\n"


def test_nbgraders_command_line_makes_the_same(tmp_path):
    course = released(tmp_path)
    path = course.release(course.assignment("00"))
    before = path.read_bytes()
    path.unlink()
    command = [sys.executable, "-m", "nbgrader", "generate_assignment", "ch00"]
    subprocess.run([*command, "--force"], cwd=course.root, check=True)
    assert path.read_bytes() == before


def test_a_second_release_keeps_what_was(tmp_path):
    course = released(tmp_path)
    old = course.assignment("00")
    book = small_book(tmp_path / "book")
    done = release(course, "00", points={"ex1": 7}, book=book)
    assert done.assignment.due == old.due and done.assignment.seeded == ["ada"]
    assert done.assignment.points["ch00-ex1"] == 7
    path = book / "notebooks" / "00_small.ipynb"
    path.write_text(
        path.read_text(encoding="utf8").replace("Write `double", "Make `double")
    )
    own = course.folder("seeded", "ada", old) / "00_small.ipynb"
    assert "Write `double" in own.read_text(encoding="utf8")
    third = release(course, "00", book=book).assignment
    assert "Make `double" in own.read_text(encoding="utf8"), "ada has numbers already"
    assert len(third.releases) == 2
    first, second = third.releases.values()
    assert first["ch00-ex1"] != second["ch00-ex1"]
    assert first["ch00-ex2"] == second["ch00-ex2"]


def test_other_exercises_after_grades_are_refused(tmp_path):
    """nbgrader refuses to forget grades; the message says what to do."""
    course = released(tmp_path)
    hand_in(course, "ada", notebook(course))
    with Gradebook(course.db_url) as gradebook:
        gradebook.add_student("ada")
        gradebook.add_submission("ch00", "ada")
    before = course.release(course.assignment("00")).read_bytes()
    with pytest.raises(ValueError, match="graded submissions") as error:
        release(course, "00", only=["ex1"], book=small_book(tmp_path / "book"))
    assert "set the same ones again" in str(error.value)
    assert course.release(course.assignment("00")).read_bytes() == before
    assert courses.Course.open(course.root).assignment("00").max_points == 5
    kept = reading.load(course.source(course.assignment("00")))
    assert len(kept.exercises) == 2


def test_what_nbgrader_refuses_leaves_all_as_it_was(tmp_path):
    course = released(tmp_path)
    before = course.release(course.assignment("00")).read_bytes()
    book = small_book(tmp_path / "book")
    path = book / "notebooks" / "00_small.ipynb"
    nb = nbformat.read(path, as_version=4)
    nb.cells[3].source += "\n### BEGIN SOLUTION\n### END SOLUTION"
    nbformat.write(nb, path)
    with pytest.raises(ValueError, match="as it was"):
        release(course, "00", book=book)
    assert course.release(course.assignment("00")).read_bytes() == before
    kept = reading.load(course.source(course.assignment("00")))
    assert "BEGIN SOLUTION" not in kept.statements[-1].source


def test_own_numbers(tmp_path):
    """Task, stub, check and solution change alike; the release for all does not."""
    course = released(tmp_path)
    assignment = course.assignment("00")
    own = course.folder("seeded", "ada", assignment) / "00_small.ipynb"
    mine = nbformat.read(own, as_version=4)
    plain = nbformat.read(course.release(assignment), as_version=4)
    assert mine.metadata["llmbook"]["release"]["seed"] == "ada"
    changed = [
        (new.source, old.source)
        for new, old in zip(mine.cells, plain.cells, strict=True)
        if new.source != old.source
    ]
    (task, old_task), (stub, _), (check, old_check) = changed
    for nb in (mine, plain):  # the choices are for us alone
        assert not any("vary" in c.metadata.get("llmbook", {}) for c in nb.cells)
    number = re.search(r"\$(\d+)\^x\$", task)[1]
    assert "$1000^x$" in old_task and number != "1000"
    assert f"base_of({number})" in check and "base_of(1000)" in old_check
    chapter = reading.load(course.source(assignment))
    seeded = vary.personalise(
        chapter.exercise("ex2"), course.seed_of(assignment, "ada")
    )
    assert (seeded.task, seeded.stub, seeded.visible_check) == (task, stub, check)
    assert f"{int(number):_}.0 ** x" in seeded.solution
    assert f"base_of({number})" in seeded.check
    # by its stamp grading knows whether somebody answered a neighbour's notebook
    tasks = [nb.metadata["llmbook"]["release"]["tasks"] for nb in (mine, plain)]
    assert tasks[0]["ch00-ex2"] == seeded.checksum != tasks[1]["ch00-ex2"]
    assert tasks[0]["ch00-ex1"] == tasks[1]["ch00-ex1"]
    assert course.seed_of(assignment, "eve") is None


def test_seeds_differ_between_students_and_courses(tmp_path):
    """Else last year's answers, or a neighbour's, are right."""
    made = [courses.init(tmp_path / name, "nlp") for name in ("this", "next")]
    points = {"ch00-ex1": 1.0}
    each = courses.Assignment("ch00", "00", "x", points, seeded=["ada", "eve"])
    seeds = {c.seed_of(each, student) for c in made for student in each.seeded}
    assert len(seeds) == 4
    again = courses.Course.open(made[0].root)
    assert again.seed_of(each, "ada") == made[0].seed_of(each, "ada")


def test_numbers_differ_between_students_and_courses_and_stay(tmp_path):
    course = released(tmp_path)
    exercise = reading.load(course.source(course.assignment("00"))).exercise("ex2")
    chosen = [vary.choose(exercise, f"salt/{n}")["1000"] for n in range(40)]
    assert len(set(chosen)) > 35
    assert chosen == [vary.choose(exercise, f"salt/{n}")["1000"] for n in range(40)]
    assert chosen != [vary.choose(exercise, f"other/{n}")["1000"] for n in range(40)]
    plain = reading.load(course.source(course.assignment("00"))).exercise("ex1")
    assert vary.personalise(plain, "salt/1") is plain
    assert vary.personalise(exercise, None) is exercise


@pytest.mark.parametrize(
    ("text", "chosen", "new"),
    [
        ("1000, 1000.0, 1_000 and 1_000.00", {"1000": 7}, "7, 7.0, 7 and 7.00"),
        ("x1000 1000x 10000 1.1000 1000.5", {"1000": 7}, None),
        ("10^{1000}", {"1000": 12345}, "10^{12345}"),
        ("red and blue", {"red": "blue", "blue": "red"}, "blue and red"),
        ("reddish", {"red": "blue"}, None),
        ("0.25 of 1", {"0.25": 0.75}, "0.75 of 1"),
    ],
)
def test_rewriting(text, chosen, new):
    assert vary.rewrite(text, chosen) == (new or text)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda c: release(c, "77", book=ROOT), "no notebook begins with '77'"),
        (lambda c: release(c, "11", ["ex99"], book=ROOT), "no exercise 'ex99'"),
        (lambda c: release(c, "11", points={"ex9": 1}, book=ROOT), "no exercise 'ex9'"),
        (
            lambda c: release(c, "11", ["ex1"], {"3": 4, "ex1": 1}, book=ROOT),
            "--points names ch11-ex3, which is not set",
        ),
        (lambda c: parse_due("soon", c), "2026-11-27"),
        (lambda c: parse_points(["ex3=0"]), "above 0"),
        (lambda c: parse_points(["ex3"]), "write ex3=4"),
        (lambda c: book_of(c.root), "--book"),
        (lambda c: courses.init(c.root), "holds a course already"),
        (lambda c: courses.init(c.root / "x", timezone="Mars/Base"), "Europe/Berlin"),
        (lambda c: courses.Course.open(c.root.parent), "homework init"),
        (lambda c: c.assignment("11"), "homework release"),
    ],
)
def test_mistakes_say_what_to_do(tmp_path, call, message):
    course = courses.init(tmp_path / "c")
    with pytest.raises(ValueError, match=message):
        call(course)


def test_options():
    assert parse_points(["ex1=2, ex3=4.5", "ex2=1"]) == {"ex1": 2, "ex3": 4.5, "ex2": 1}
    assert parse_points([]) == {}


def test_due_dates(tmp_path):
    course = courses.init(tmp_path / "c", timezone="Europe/Berlin")
    day = parse_due("2026-11-27", course)
    assert (day.hour, day.minute, day.utcoffset()) == (23, 59, timedelta(hours=1))
    assert parse_due("2026-07-01 18:00", course).utcoffset() == timedelta(hours=2)
    assert parse_due("2026-11-27T12:00+00:00", course).utcoffset() == timedelta(0)


def test_a_half_written_file_is_never_seen(tmp_path):
    path = tmp_path / "x.json"
    courses.write_json(path, {"a": 0})
    with path.open() as reader:
        courses.write_json(path, {"a": 1})
        assert json.load(reader) == {"a": 0}, "who reads the old file reads it whole"
    with pytest.raises(TypeError):
        courses.write_json(path, {"a": object()})
    with pytest.raises(RuntimeError), courses.replacing(path) as draft:
        draft.write_text("half")
        raise RuntimeError
    assert json.loads(path.read_text()) == {"a": 1}
    assert list(tmp_path.iterdir()) == [path]
