"""Whatever is handed in gives a row, and a batch ends, goes on, and repeats itself."""

import copy
import dataclasses
import json
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import toy

from llmbook_homework.grading import batch
from llmbook_homework.grading import grader as grading
from llmbook_homework.grading.batch import Batch, Submission, grade_file
from llmbook_homework.grading.grader import Grader
from llmbook_homework.grading.results import Result
from llmbook_homework.grading.sandbox import bubblewrap
from llmbook_homework.grading.sandbox.limits import Limits

LIMITS = Limits(seconds=1, memory_mb=400)


def solved(chapter, **more):
    """A notebook with all answers right."""
    return toy.submission(chapter, {**toy.RIGHT, **more})


def cell_of(nb, grade_id):
    """Find a cell by its grade id."""
    for cell in nb.cells:
        if cell.metadata.get("nbgrader", {}).get("grade_id") == grade_id:
            return cell
    raise KeyError(grade_id)


def right(chapter):
    return solved(chapter)


def empty(chapter):
    return toy.submission(chapter, {})


def half(chapter):
    return toy.submission(chapter, {"ex1": toy.RIGHT["ex1"]})


def deleted(chapter):
    nb = solved(chapter)
    nb.cells.remove(cell_of(nb, "ch90-ex2"))
    return nb


def all_deleted(chapter):
    nb = solved(chapter)
    nb.cells = []
    return nb


def duplicated(chapter):
    nb = solved(chapter)
    nb.cells.append(copy.deepcopy(cell_of(nb, "ch90-ex2")))
    return nb


def duplicated_with_another_answer(chapter):
    nb = solved(chapter)
    nb.cells.append(copy.deepcopy(cell_of(nb, "ch90-ex2")))
    nb.cells[-1].source = "def total(numbers):\n    return 7"
    return nb


def duplicated_with_a_stub_below(chapter):
    nb = solved(chapter)
    nb.cells.append(copy.deepcopy(cell_of(nb, "ch90-ex2")))
    nb.cells[-1].source = chapter.exercise("ex2").stub
    return nb


def reordered(chapter):
    nb = solved(chapter)
    nb.cells.reverse()
    return nb


def changed_checks(chapter):
    nb = toy.submission(chapter, {"ex1": "def double(x):\n    return 5"})
    for each in chapter.exercises:
        cell_of(nb, each.check_id).source = "assert True"
        cell_of(nb, each.check_id).metadata.nbgrader.points = 100
    return nb


def answered_in_a_cell_below(chapter):
    nb = toy.submission(chapter, {})
    nb.cells.append(toy.new_code_cell(toy.RIGHT["ex3"]))
    return nb


def metadata_lost(chapter):
    nb = solved(chapter)
    nb.metadata = {}
    for cell in nb.cells:
        cell.metadata = {}
    return nb


def answer_turned_to_text(chapter):
    nb = solved(chapter)
    cell = cell_of(nb, "ch90-ex2")
    cell.cell_type = "markdown"
    del cell["outputs"], cell["execution_count"]
    return nb


def two_megabytes_in_a_cell(chapter):
    return solved(chapter, ex2=toy.RIGHT["ex2"] + "\n# " + "x" * 2_000_000)


def syntax_error(chapter):
    return solved(chapter, ex2="def total(numbers:\n    return 6")


def null_characters(chapter):
    return solved(chapter, ex2=toy.RIGHT["ex2"] + "\0")


def half_a_letter(chapter):
    return solved(chapter, ex2="def total(numbers):\n    return '\ud800'")


def half_a_letter_in_an_error(chapter):
    code = "def total(numbers):\n    raise ValueError('\\ud800 \\x1b[31m \\0')"
    return solved(chapter, ex2=code)


def no_letters_printed(chapter):
    code = "print('\\x1b[31m')\ndef total(numbers):\n    return 7"
    return solved(chapter, ex2=code)


def deep_code(chapter):
    return solved(
        chapter, ex2="def total(numbers):\n    return " + "(" * 5000 + ")" * 5000
    )


def old_release_of_the_same_task(chapter):
    nb = solved(chapter)
    nb.metadata.llmbook.release.checksum = "of another day"
    return nb


def old_release_of_another_task(chapter):
    nb = solved(chapter)
    nb.metadata.llmbook.release.tasks["ch90-ex2"] = "of another task"
    return nb


def nonsense_in_the_metadata(chapter):
    nb = solved(chapter)
    nb.metadata["llmbook"] = {"release": [{"tasks": 3}]}
    nb.cells[0].metadata["nbgrader"] = "x"
    nb.cells[1].metadata["nbgrader"] = {"grade_id": ["ch90-ex1"]}
    return nb


def raw(make):
    """A submission that is made of bytes."""
    make.is_raw = True
    return make


@raw
def not_json(chapter):
    return b"\x89PNG\r\n\x1a\n" + bytes(range(256))


@raw
def cut_off(chapter):
    return toy.as_bytes(solved(chapter))[:-300]


@raw
def nothing_at_all(chapter):
    return b""


@raw
def json_that_is_no_notebook(chapter):
    return b'{"cells": 3}'


@raw
def a_list(chapter):
    return b"[1, 2]"


@raw
def deep_json(chapter):
    return b"[" * 200_000


@raw
def many_lists(chapter):
    return b'{"cells": [' + b"[]," * 2_000_000 + b"0]}"


@raw
def many_cells(chapter):
    return b'{"cells": [' + b"3," * 2_000_000 + b"0]}"


@raw
def many_megabytes(chapter):
    return toy.as_bytes(solved(chapter)) + b" " * 30_000_000


@raw
def a_kind_of_lists_in_lists(chapter):
    nb = toy.as_bytes(solved(chapter)).decode()
    kind = '"cell_type": ' + "[" * 900 + "]" * 900
    return nb.replace('"cell_type": "markdown"', kind).encode()


@raw
def with_a_byte_order_mark(chapter):
    return b"\xef\xbb\xbf" + toy.as_bytes(solved(chapter))


@raw
def utf16(chapter):
    return json.dumps(solved(chapter)).encode("utf-16")


@raw
def latin1(chapter):
    nb = solved(chapter, ex1=toy.RIGHT["ex1"] + "  # größer")
    return json.dumps(nb, ensure_ascii=False).encode("latin-1")


@raw
def cells_of_odd_kinds(chapter):
    nb = json.loads(toy.as_bytes(solved(chapter)))
    nb["cells"] += [None, 3, [], {}, {"cell_type": 3, "source": {"a": 1}},
                    {"source": [1, None, "x"], "metadata": []}]  # fmt: skip
    return json.dumps(nb).encode()


@raw
def lines_in_lists(chapter):
    nb = json.loads(toy.as_bytes(solved(chapter)))
    for cell in nb["cells"]:
        cell["source"] = cell["source"].splitlines(keepends=True)
    return json.dumps(nb).encode()


@raw
def format_three(chapter):
    nb = json.loads(toy.as_bytes(solved(chapter)))
    for cell in nb["cells"]:
        cell["input"] = cell.pop("source")
    return json.dumps({"worksheets": [{"cells": nb["cells"]}], "nbformat": 3}).encode()


FULL = [1, 2, 3]
TORTURES = [
    # what, scores, words of the exercise's reason or notes, or of the file's
    (right, FULL, ""),
    (empty, [0, 0, 0], "Nothing was written"),
    (half, [1, 0, 0], "Nothing was written"),
    (deleted, [1, 0, 3], "no cell for ex2"),
    (all_deleted, [0, 0, 0], "no cell for ex1"),
    (duplicated, FULL, ""),
    (duplicated_with_another_answer, [1, 0, 3], "2 cells answer ex2; the last counts"),
    (duplicated_with_a_stub_below, FULL, ""),
    (reordered, FULL, ""),
    (changed_checks, [0, 0, 0], "Twice 2 is 4."),
    (answered_in_a_cell_below, [0, 0, 3], "without id"),
    (metadata_lost, FULL, "without id"),
    (answer_turned_to_text, [1, 0, 3], "holds markdown text"),
    (two_megabytes_in_a_cell, FULL, ""),
    (syntax_error, [1, 0, 3], "SyntaxError"),
    (null_characters, [1, 0, 3], "null"),
    (half_a_letter, [1, 0, 3], "Unicode"),
    (half_a_letter_in_an_error, [1, 0, 3], "ValueError: ? ?[31m ?"),
    (no_letters_printed, [1, 0, 3], "1 + 2 + 3 is 6."),
    (deep_code, [1, 0, 3], "too many nested parentheses"),
    (old_release_of_the_same_task, FULL, ""),
    (old_release_of_another_task, [1, 0, 3], "the task was changed"),
    (nonsense_in_the_metadata, FULL, ""),
    (not_json, [0, 0, 0], "no notebook: its content is of another kind"),
    (cut_off, [0, 0, 0], "no notebook: its content is damaged"),
    (nothing_at_all, [0, 0, 0], "The file is empty"),
    (json_that_is_no_notebook, [0, 0, 0], "no cells"),
    (a_list, [0, 0, 0], "no cells"),
    (deep_json, [0, 0, 0], "no notebook"),
    (many_lists, [0, 0, 0], "more brackets"),
    (many_cells, [0, 0, 0], "more than 5,000 cells"),
    (many_megabytes, [0, 0, 0], "over 25 MB"),
    (a_kind_of_lists_in_lists, FULL, ""),
    (with_a_byte_order_mark, FULL, "utf-8-sig"),
    (utf16, FULL, "utf-16"),
    (latin1, FULL, "not stored as UTF-8"),
    (cells_of_odd_kinds, FULL, ""),
    (lines_in_lists, FULL, ""),
    (format_three, FULL, ""),
]


def hand_in(folder, chapter, make, student="ada"):
    """Write a submission."""
    made = make(chapter)
    path = folder / f"{student}.ipynb"
    path.write_bytes(made if hasattr(make, "is_raw") else toy.as_bytes(made))
    return Submission(student, "ch90", path, chapter.exercises)


@pytest.mark.parametrize(
    ("make", "scores", "words"),
    TORTURES,
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_every_file_gives_a_row(
    tmp_path, chapter, grader, one_room, make, scores, words
):
    one = hand_in(tmp_path, chapter, make)
    result = grade_file(grader, one, one.data())
    result.write(tmp_path / "ada.json")  # whatever it says, a file can hold it
    assert Result.read(tmp_path / "ada.json") == result
    assert "\x1b" not in str([(e.reason, e.output) for e in result.exercises])
    assert [row.score for row in result.exercises] == scores, result
    assert result.points == 6
    told = [result.problem, *result.notes]
    for row in result.exercises:
        told += [row.reason, *row.notes]
        assert (row.status == "passed") == (row.score == row.points)
        assert row.status == "passed" or row.reason, "no points without a reason"
    assert words in "\n".join(told), told
    if not words:
        assert not "".join(told), told


def test_nothing_handed_in_is_a_row_too(chapter, grader):
    one = Submission("ada", "ch90", None, chapter.exercises, instead="answers.docx")
    one = dataclasses.replace(one, late=True, submitted="2026-11-20T10:00:00+00:00")
    result = grade_file(grader, one, b"")
    assert result.late and result.submitted == one.submitted
    assert result.sandbox == "bubblewrap" and result.file == "answers.docx"
    assert result.score == 0 and len(result.exercises) == 3
    assert result.problem == "No notebook came; answers.docx did."


def test_a_name_that_is_no_text_gives_a_row(tmp_path, chapter, grader):
    odd = "a\udcff\n.docx"  # as Python reads the name of a file in another encoding
    one = Submission("ada", "ch90", None, chapter.exercises, instead=odd, notes=(odd,))
    grade_file(grader, one, b"").write(tmp_path / "ada.json")
    assert Result.read(tmp_path / "ada.json").file == "a?\n.docx"


def test_other_cells_are_taken_as_far_as_they_can_be_sent(chapter):
    """An answer needs no 10 MB of data; that they are there costs nothing."""
    from llmbook_homework.grading import submissions

    cells = [toy.new_code_cell(text) for text in ("small = 1", "x = '" + "0" * 10**7)]
    data = toy.as_bytes(toy.submission(chapter, toy.RIGHT, cells))
    found = submissions.read(data, chapter.exercises)
    assert "small = 1" in found.others and max(map(len, found.others)) < 1000


def test_what_students_wrote_is_no_markup_in_nbgraders_pages():
    from nbconvert.filters import markdown2html

    from llmbook_homework.gradebook import _as_markdown

    said = "The code raised E: <img src=x onerror=alert(1)>\n[a](http://x) <b>"
    page = markdown2html(_as_markdown(said))
    assert "<img" not in page and "<a" not in page and "<b>" not in page, page
    assert _as_markdown("Use `a`: 1 * 2.") == "Use `a`: 1 * 2."


def test_half_a_letter_does_not_stop_the_gradebook(tmp_path):
    import classroom

    from llmbook_homework import gradebook

    course = classroom.released(tmp_path)
    nb = json.loads(classroom.notebook(course))
    for cell in nb["cells"]:
        if cell["metadata"].get("nbgrader", {}).get("grade_id") == "ch00-ex1":
            cell["source"] = "def double(x):\n    return '\ud800'"
    classroom.hand_in(course, "ada", json.dumps(nb).encode())
    gradebook.record(course, classroom.graded("ada"))
    written = course.folder("autograded", "ada", course.assignment("00"))
    assert "return '?'" in (written / "00_small.ipynb").read_text(encoding="utf8")


def test_results_are_read_as_they_were_written(tmp_path, chapter, grader, one_room):
    one = hand_in(tmp_path, chapter, half)
    result = grade_file(grader, one, one.data())
    result.write(tmp_path / "x.json")
    assert Result.read(tmp_path / "x.json") == result
    (tmp_path / "x.json").write_text('{"student": "ada"')
    with pytest.raises(ValueError, match=r"x\.json is no result"):
        Result.read(tmp_path / "x.json")


def test_a_result_is_never_half_written(tmp_path, chapter, grader, monkeypatch):
    """The disk is full in the middle of it: the old result stays, and nothing else."""
    path, write = tmp_path / "results" / "ada.json", Path.write_text
    one = Submission("ada", "ch90", None, chapter.exercises)
    result = grade_file(grader, one, b"")
    result.write(path)

    def half(self, text, **how):
        write(self, text[: len(text) // 2], **how)
        raise OSError("no space left")

    monkeypatch.setattr(Path, "write_text", half)
    with pytest.raises(OSError, match="no space left"):
        result.write(path)
    assert Result.read(path) == result and list(path.parent.iterdir()) == [path]


def submissions_in(folder, chapter):
    """Write five submissions; give the batch that grades them, and what they are."""
    makes = [right, half, not_json, deleted]
    todo = [hand_in(folder, chapter, m, f"student{n}") for n, m in enumerate(makes)]
    loop = lambda chapter: solved(chapter, ex2="while True: pass")  # noqa: E731
    todo.append(hand_in(folder, chapter, loop, "student4"))
    return Batch(chapter, list(chapter.exercises), folder / "results", LIMITS), todo


@pytest.fixture
def course(tmp_path, chapter):
    """Five submissions, and the batch that grades them."""
    return submissions_in(tmp_path, chapter)


@pytest.fixture(scope="module")
def done(tmp_path_factory, chapter):
    """The same, graded two at a time; and what came."""
    own, todo = submissions_in(tmp_path_factory.mktemp("done"), chapter)
    return own, todo, list(own.run(todo, jobs=2))


def grades(results):
    """What must be the same in every run."""
    return {
        result.student: [(r.id, r.score, r.status, r.reason) for r in result.exercises]
        for result in results
    }


SCORES = {"student0": 6, "student1": 1, "student2": 0, "student3": 4, "student4": 4}


def test_a_batch_gives_every_row(done):
    own, _, first = done
    assert {result.student: result.score for result, _ in first} == SCORES
    assert all(is_new for _, is_new in first)
    assert {path.stem for path in own.folder.glob("*")} == set(SCORES)


def test_what_is_done_is_not_done_again(done, tmp_path, monkeypatch):
    folder, (before, todo, first) = tmp_path / "copy", done
    shutil.copytree(before.folder.parent, folder)
    todo = [dataclasses.replace(t, path=folder / t.path.name) for t in todo]
    own = dataclasses.replace(before, folder=folder / "results")
    with monkeypatch.context() as patch:
        patch.setattr(batch, "Grader", None)  # nothing may be graded now
        again = list(own.run(todo))
    assert grades(r for r, _ in again) == grades(r for r, _ in first)
    assert not any(is_new for _, is_new in again)
    todo[1].path.write_bytes(todo[0].path.read_bytes())  # a better submission
    (own.folder / "student2.json").write_text("{half a res")
    (own.folder / "student3.json").unlink()
    rest = list(own.run(todo))
    new = {result.student for result, is_new in rest if is_new}
    assert new == {"student1", "student2", "student3"}
    assert {r.student: r.score for r, _ in rest} == {**SCORES, "student1": 6}


PARTS = ["points", "check", "task", "metadata", "limits", "late", "grader"]


@pytest.mark.parametrize("what", PARTS)
def test_a_key_holds_all_that_a_grade_depends_on(course, chapter, monkeypatch, what):
    from dataclasses import replace

    _, (one, *_) = course
    old = batch.key_of(one, one.data(), LIMITS, True)
    assert old == batch.key_of(one, one.data(), LIMITS, True)
    limits, each = LIMITS, chapter.exercises[0]
    if what == "points":
        one = replace(one, exercises=(replace(each, points=9), *chapter.exercises[1:]))
    elif what == "check":
        one = replace(one, exercises=(replace(each, check="1"), *chapter.exercises[1:]))
    elif what in ("task", "metadata"):
        other = {"task": "Another."} if what == "task" else {"metadata": {"seconds": 9}}
        one = replace(one, exercises=(replace(each, **other), *chapter.exercises[1:]))
    elif what == "limits":
        limits = Limits(seconds=2)
    elif what == "late":
        one = replace(one, late=True)
    else:
        monkeypatch.setattr(batch, "grader_hash", lambda: "another")
    assert batch.key_of(one, one.data(), limits, True) != old


def test_a_killed_run_goes_on_where_it_stopped(done, course, chapter, tmp_path):
    """The grader is killed after its first result; the next run does the rest.

    One at a time it finds what two at a time found, and again as the first time.
    """
    _, _, first = done
    own, todo = course
    script = (
        "import sys\nfrom pathlib import Path\n"
        "from llmbook_homework.exercises import reading\n"
        "from llmbook_homework.grading.batch import Batch, Submission\n"
        "from llmbook_homework.grading.sandbox.limits import Limits\n"
        "chapter = reading.load(Path(sys.argv[1]))\nfolder = Path(sys.argv[2])\n"
        "todo = [Submission(p.stem, 'ch90', p, chapter.exercises)\n"
        "        for p in sorted(folder.glob('*.ipynb'))]\n"
        "own = Batch(chapter, list(chapter.exercises), folder / 'results',\n"
        "            Limits(seconds=1, memory_mb=400))\n"
        "for result, _ in own.run(todo):\n    print(result.student, flush=True)\n"
    )
    call = [sys.executable, "-c", script, str(chapter.path), str(tmp_path)]
    process = subprocess.Popen(call, stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline().strip() == "student0"
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    for path in own.folder.glob("*.json"):
        Result.read(path)  # none of them is half
    there = {path.stem for path in own.folder.glob("*.json")}
    assert "student0" in there and len(there) < len(todo)
    rest = list(own.run(todo))
    assert {result.student for result, is_new in rest if not is_new} == there
    assert grades(r for r, _ in rest) == grades(r for r, _ in first)
    forced = {r.student: is_new for r, is_new in own.run(todo[2:3], force=True)}
    assert forced == {"student2": True}


def test_a_check_that_fails_on_its_own_solution_stops_all(course, chapter):
    """Nobody gets a zero for our fault."""
    from dataclasses import replace

    own, todo = course
    broken = replace(chapter.exercises[0], check="assert double(2) == 5")
    own.exercises = [broken]
    with pytest.raises(ValueError, match="check of ch90-ex1 on its own solution fails"):
        list(own.run(todo))
    assert not list(own.folder.glob("*")), "no result was written"


def test_a_checker_that_breaks_down_is_replaced(chapter, one_room):
    """It is killed between two submissions; the second is graded all the same."""
    from llmbook_homework.grading import submissions

    answers = submissions.read(toy.as_bytes(solved(chapter)), chapter.exercises)
    with Grader(chapter, chapter.exercises, LIMITS) as own:
        assert own.grade("ada", "ch90", answers).score == 6
        own._checker.process.kill()
        own._checker.process.wait()
        assert own.grade("bob", "ch90", answers).score == 6


def test_a_checker_that_cannot_be_had_gives_nobody_a_zero(course, grader, monkeypatch):
    """The batch stops; what is not graded is graded by the next run."""
    own, todo = course

    def fail(self):
        raise grading.RoomFailed("no memory left")

    monkeypatch.setattr(Grader, "__enter__", lambda self: self)
    monkeypatch.setattr(Grader, "_open_checker", fail)
    with pytest.raises(ValueError, match="grading had to stop: no memory left"):
        list(own.run(todo))
    assert not [*own.folder.glob("student0.json")]


def test_a_worker_that_breaks_down_costs_one_exercise_at_most(chapter, grader):
    from llmbook_homework.grading import submissions
    from llmbook_homework.grading.grader import Worker

    answers = submissions.read(toy.as_bytes(solved(chapter)), chapter.exercises)
    with Worker(grader, chapter.exercises) as worker:
        worker.room().process.kill()
        rows = [grader.grade_exercise(e, answers, worker) for e in chapter.exercises]
    assert [row.status for row in rows][1:] == ["passed", "passed"]


def test_an_exercise_may_declare_its_own_limits(chapter, grader):
    from dataclasses import replace

    from llmbook_homework.grading.grader import limits_of

    slow = replace(chapter.exercises[0], metadata={"seconds": 90, "needs": []})
    assert limits_of(slow, LIMITS).seconds == 90
    assert limits_of(slow, LIMITS).memory_mb == LIMITS.memory_mb


def test_the_sandbox_is_there():
    """All of this file would mean little without it."""
    assert bubblewrap.trouble() == ""
