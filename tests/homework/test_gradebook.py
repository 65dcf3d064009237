"""Results in nbgrader's gradebook: whole, repeatable, and of use to nbgrader."""

import re

import nbformat
import pytest
from classroom import graded, hand_in, notebook, released, store
from nbgrader.api import Gradebook
from nbgrader.plugins.export import CsvExportPlugin

from llmbook_homework import feedback, gradebook, status
from llmbook_homework.course import Course
from llmbook_homework.generate import nbgrader_api
from llmbook_homework.grading.results import all_zero
from llmbook_homework.lms import by_hand, rows
from llmbook_homework.lms.collect import collect
from llmbook_homework.lms.roster import Person, Roster

WORK = "def double(x):\n    return 2 * x"


@pytest.fixture
def course(tmp_path):
    """A course in which ada handed in."""
    course = released(tmp_path)
    roster = Roster([Person("ada", "Ada King Lovelace", "ada@x.org", "4711")])
    roster.save(course)
    hand_in(course, "ada", notebook(course, ex1=WORK))
    return course


def finish(course, result):
    store(course, result)
    gradebook.record(course, result)


def scores(course, student="ada"):
    with Gradebook(course.db_url) as book:
        notebooks = book.find_submission("ch00", student).notebooks
        return {g.name: g.score for nb in notebooks for g in nb.grades}


def dump(course):
    """All rows of the gradebook but those that nbgrader numbers at random."""
    with Gradebook(course.db_url) as book:
        rows = [s.to_dict() for s in book.students]
        for submission in book.assignment_submissions("ch00"):
            told = submission.to_dict()
            del told["id"]
            rows.append(told)
        return rows


def test_a_result_is_in_the_gradebook_as_nbgrader_knows_it(course):
    finish(course, graded("ada", 2, 0, submitted="2026-11-20T10:00:00+01:00"))
    assert scores(course) == {"ch00-ex1-check": 2, "ch00-ex2-check": 0}
    with Gradebook(course.db_url) as book:
        (row,) = book.submission_dicts("ch00")
        assert (row["score"], row["max_score"], row["needs_manual_grade"]) == (2, 5, 0)
        student = book.find_student("ada")
        assert (student.first_name, student.last_name) == ("Ada King", "Lovelace")
        assert (student.email, student.lms_user_id) == ("ada@x.org", "4711")
        comment = book.find_comment("ch00-ex2", "00_small", "ch00", "ada")
        assert comment.comment == "Twice 2 is 4."
        submission = book.find_submission("ch00", "ada")
        assert submission.timestamp.isoformat() == "2026-11-20T09:00:00"
        assert submission.total_seconds_late == 0


def test_nbgrader_sees_that_a_submission_is_late(course):
    finish(course, graded("ada", submitted="2026-11-21T12:00:00+00:00", late=True))
    with Gradebook(course.db_url) as book:
        late = book.find_submission("ch00", "ada").total_seconds_late
        assert late == pytest.approx(12 * 3600, abs=2)


def test_twice_is_once(course):
    finish(course, graded("ada", 2, 0))
    once = dump(course)
    finish(course, graded("ada", 2, 0))
    assert dump(course) == once


def test_new_grades_take_the_place_of_old_ones(course):
    finish(course, graded("ada", 2, 0))
    finish(course, graded("ada", 0, 3))
    assert scores(course) == {"ch00-ex1-check": 0, "ch00-ex2-check": 3}


@pytest.mark.parametrize("step", range(1, 7))
def test_a_crash_leaves_nothing_half_written(course, monkeypatch, step):
    """Whichever of nbgrader's steps fails, the rows are those of before."""
    finish(course, graded("ada", 2, 0))
    before = dump(course)
    steps = iter(range(1, 99))

    def breaking(method):
        def call(self, *args, **more):
            if next(steps) == step:
                raise KeyboardInterrupt
            return method(self, *args, **more)

        return call

    for name in ("update_or_create_student", "update_or_create_submission",
                 "find_grade", "find_comment"):  # fmt: skip
        monkeypatch.setattr(Gradebook, name, breaking(getattr(Gradebook, name)))
    for student in ("ada",):
        with pytest.raises(KeyboardInterrupt):
            gradebook.record(
                course, graded(student, 0, 3, submitted="2026-11-19T10:00Z")
            )
    monkeypatch.undo()
    assert dump(course) == before
    assert scores(course) == {"ch00-ex1-check": 2, "ch00-ex2-check": 0}


def test_a_crash_at_a_first_submission_leaves_no_student(course, monkeypatch):
    def fail(*args, **more):
        raise KeyboardInterrupt

    monkeypatch.setattr(Gradebook, "find_comment", fail)
    with pytest.raises(KeyboardInterrupt):
        gradebook.record(course, graded("eve"))
    monkeypatch.undo()
    assert dump(course) == []


def test_a_hand_made_score_stays(course):
    finish(course, graded("ada", 0, 0))
    with Gradebook(course.db_url) as book:
        grade = book.find_grade("ch00-ex1-check", "00_small", "ch00", "ada")
        grade.manual_score, grade.extra_credit = 1.0, 0.5
        grade = book.find_grade("ch00-ex2-check", "00_small", "ch00", "ada")
        grade.manual_score = 0.0  # copied, say: a nought is a score, too
        book.db.commit()
    finish(course, graded("ada", 0, 3))
    assert scores(course) == {"ch00-ex1-check": 1.5, "ch00-ex2-check": 0}
    ours = by_hand.scores_of(course, course.assignment("00"))
    assert ours == {"ada": {"ch00-ex1": 1.5, "ch00-ex2": 0.0}}


def test_an_exercise_that_was_not_released_is_refused(course):
    result = graded("ada")
    result.exercises[0].id = "ch00-ex9"
    with pytest.raises(ValueError, match="release 00"):
        gradebook.record(course, result)
    assert dump(course) == []


def test_autograded_holds_answers_and_reasons_but_no_cell_of_a_students_making(course):
    nb = nbformat.reads(notebook(course, ex1=WORK).decode(), 4)
    nb.cells.append(nbformat.v4.new_markdown_cell("<script>alert(1)</script>"))
    nb.cells[4].source = "another task"
    hand_in(course, "ada", nbformat.writes(nb).encode())
    finish(course, graded("ada", 2, 0))
    path = (
        course.folder("autograded", "ada", course.assignment("00")) / "00_small.ipynb"
    )
    text = path.read_text(encoding="utf8")
    assert "2 * x" in text and "0 of 3 points. Twice 2 is 4." in text
    assert "alert" not in text and "another task" not in text
    assert "HIDDEN" not in text and "-1.5" not in text


@pytest.mark.parametrize("data", [b"", b"\xff\xfe", b"[]", b'{"cells": 3}', b"PK\3\4"])
def test_what_is_no_notebook_has_a_row_too(course, data):
    hand_in(course, "eve", data)
    asked = []
    result = all_zero("eve", "ch00", asked, "unread", "It is no notebook.")
    finish(course, result)
    assert [row["student"] for row in dump(course) if "student" in row] == ["eve"]
    assert gradebook.submitted_answers(course, course.assignment("00"), "eve") == {}


def test_the_last_of_two_cells_counts(course):
    nb = nbformat.reads(notebook(course, ex1="first").decode(), 4)
    again = nbformat.reads(notebook(course, ex1="second").decode(), 4)
    nb.cells += [c for c in again.cells if "nbgrader" in c.metadata]
    hand_in(course, "ada", nbformat.writes(nb).encode())
    found = gradebook.submitted_answers(course, course.assignment("00"), "ada")
    assert found["ch00-ex1"] == "second"


def test_nbgraders_own_feedback_and_export_work(course):
    """What its commands run, with the configuration that they read."""
    finish(course, graded("ada", 2, 0))
    api = nbgrader_api(course)
    done = api.generate_feedback("ch00")
    assert done["success"], done
    page = course.folder("feedback", "ada", course.assignment("00")) / "00_small.html"
    assert "Score: 2.0 / 5.0" in page.read_text(encoding="utf8")
    table = course.root / "grades.csv"
    with Gradebook(course.db_url) as book:
        CsvExportPlugin(to=str(table)).export(book)
    assert "ada,Lovelace,Ada King,ada@x.org,2.0" in table.read_text()


def test_feedback_pages_hold_nothing_that_runs(course):
    """What students write and what their code prints is text on the page."""
    evil = "def double(x):\n    return '</pre><script>alert(1)</script><img src=x>'"
    hand_in(course, "ada", notebook(course, ex1=evil))
    result = graded("ada", 0, 3, notes=["Two <b>notebooks</b> came."], late=True)
    result.exercises[0].reason = "Not <script>alert(2)</script>."
    result.exercises[0].output = "<script>alert(3)</script>"
    result.exercises[0].notes = ["The <b>last</b> cell counts."]
    finish(course, result)
    (path,) = feedback.write(course, course.assignment("00"))
    page = path.read_text(encoding="utf8")
    assert "<script" not in page and "<img" not in page and "<b>" not in page
    assert page.count("&lt;script&gt;") == 3
    assert "default-src 'none'" in page, "a browser runs and loads nothing"
    assert "3 of 5 points" in page and "Handed in late." in page
    assert "ex1, twice" in page and "http" not in page.replace("http-equiv", "")
    assert "-1.5" not in page, "a hidden test"


def test_feedback_shows_a_students_own_numbers_and_hand_made_scores(course):
    finish(course, graded("ada", 0, 3))
    with Gradebook(course.db_url) as book:
        grade = book.find_grade("ch00-ex1-check", "00_small", "ch00", "ada")
        grade.manual_score = 1.0
        comment = book.find_comment("ch00-ex1", "00_small", "ch00", "ada")
        comment.manual_comment = "Well <tried>."
        book.db.commit()
    (path,) = feedback.write(course, course.assignment("00"))
    page = path.read_text(encoding="utf8")
    assert "4 of 5 points" in page and "1 of 2" in page
    assert "Scored by hand; the checks gave 0. Well &lt;tried&gt;." in page
    (row,) = rows.rows_of(course, course.assignment("00"))
    assert row.score == 4 and "ex1: 1 of 2. Scored by hand" in row.comment
    assert "Well <tried>." in row.reasons["ch00-ex1"]


def test_status_tells_what_is_next(course):
    assignment = course.assignment("00")
    Roster([*Roster.of(course).people.values(), Person("bob")]).save(course)
    hand_in(course, "eve", notebook(course))
    finish(course, graded("ada", 2, 3, late=True, notes=["An old release."]))
    text = status.as_text(course, assignment).splitlines()
    assert text[0] == (
        "ch00: 2 exercises, 5 points, due 2026-11-20 23:59 UTC; "
        "1 graded, 1 nothing, 1 to grade"
    )
    assert [line.split() for line in text[1:]] == [
        ["ada", "graded", "5", "late", "An", "old", "release."],
        ["bob", "nothing"],
        ["eve", "to", "grade"],
    ]
    place = course.root.parent / "in" / "ada"
    place.mkdir(parents=True)
    (place / "x.ipynb").write_bytes(notebook(course, ex1=WORK))
    assert collect(course, assignment, place.parent).unchanged == ["ada"]
    assert "1 graded" in status.as_text(course, assignment)
    (place / "x.ipynb").write_bytes(notebook(course, ex1="x = 1"))
    assert collect(course, assignment, place.parent).replaced == ["ada"]
    assert "again" in status.as_text(course, assignment)
    finish(course, graded("ada", 2, 3))
    assert "1 graded" in status.as_text(course, assignment)
    assignment.points["ch00-ex1"] = 4.0
    assert "1 again" in status.as_text(course, assignment)


@pytest.fixture
def careless():
    """Let SQLite leave deleted rows in its file, as many builds of it do."""
    from sqlalchemy import event
    from sqlalchemy.engine import Engine

    def connect(connection, record):
        connection.execute("PRAGMA secure_delete = OFF")

    event.listen(Engine, "connect", connect)
    yield
    event.remove(Engine, "connect", connect)


def test_forget_leaves_nothing_of_a_student(course, careless):
    finish(course, graded("ada"))
    hand_in(course, "eve", notebook(course))
    finish(course, graded("eve"))
    feedback.write(course, course.assignment("00"))
    export = course.root / "ch00-csv.csv"
    export.write_text("student,score\nada,5\n")
    gone = gradebook.forget(course, "ada")
    assert gradebook.still_named(course, "ada") == ["ch00-csv.csv"]
    export.unlink()
    assert {"gradebook.db", "roster.csv", "seeded/ada", "submitted/ada"} <= set(gone)
    left = [
        path
        for path in course.root.rglob("*")
        if path.is_file() and re.search(rb"\bada\b|Lovelace", path.read_bytes())
    ]
    assert left == []
    assert not [path for path in course.root.rglob("*ada*")]
    assert [row["student"] for row in dump(course) if "student" in row] == ["eve"]
    assert Course.open(course.root).assignment("00").seeded == []
    for wrong in ("ada", "..", "", "eve/ch00"):
        with pytest.raises(ValueError, match=r"student|stored"):
            gradebook.forget(course, wrong)
    assert course.students_of(course.assignment("00")) == ["eve"]
