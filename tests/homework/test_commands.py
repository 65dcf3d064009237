"""The command line: a course from the first command to the last."""

import json
import subprocess
import sys
import zipfile

import pytest
from classroom import graded, hand_in, notebook, released, small_book, store

from llmbook_homework.course import Course
from llmbook_homework.grading import grade
from llmbook_press import cli


def run(capsys, *words):
    """Run ``llmbook``; give its exit code and what it said."""
    code = cli.main(["homework", *map(str, words)])
    said = capsys.readouterr()
    return code, said.out + said.err


def test_from_init_to_forget(tmp_path, capsys, monkeypatch):
    book, root = small_book(tmp_path / "book"), tmp_path / "course"
    assert run(capsys, "init", root, "--timezone", "UTC")[0] == 0
    monkeypatch.chdir(root)
    (tmp_path / "people.csv").write_text("id,name\nada,Ada\neve,Eve\n")
    assert run(capsys, "roster", tmp_path / "people.csv") == (
        0,
        "roster.csv: 2 students\n",
    )
    options = ["--due", "2026-11-20", "--points", "ex1=4", "--seed", "all"]
    code, said = run(capsys, "release", "0", "--book", book, *options)
    assert code == 0 and "7  points, due 2026-11-20 23:59:59+00:00" in said
    assert "seeded/eve/ch00" in said and "power  varies" in said
    with zipfile.ZipFile(tmp_path / "in.zip", "w") as archive:
        archive.writestr("ada/x.ipynb", notebook())
        archive.writestr("eve/x.pdf", b"%PDF")
    code, said = run(capsys, "collect", "ch00", tmp_path / "in.zip")
    assert code == 0 and said.startswith("2 new, 0 newer than before, 0 as before")
    assert "eve: no notebook came; x.pdf did" in said
    code, said = run(capsys, "status")
    assert code == 0 and "2 to grade" in said

    asked = {}

    def grade_all(course, assignment, **options):
        asked.update(options)
        results = [graded("ada", 2, 0), graded("eve", 0, 0, problem="No notebook.")]
        for result in results:
            store(course, result)
        return results

    monkeypatch.setattr(grade, "grade_all", grade_all)
    code, said = run(
        capsys, "grade", "00", "--jobs", 2, "--student", "ada, eve", "--force"
    )
    assert code == 0 and "2 graded" in said
    assert (asked["jobs"], asked["students"]) == (2, ["ada", "eve"])
    assert (asked["unsafe"], asked["force"]) == (False, True)
    assert run(capsys, "feedback", "00")[1].startswith("2 pages in")
    for form in ("csv", "canvas", "moodle"):
        code, said = run(capsys, "export", "00", "--format", form)
        assert (root / f"ch00-{form}.csv").is_file()
    code, said = run(capsys, "similar", "00")
    assert code == 0 and "not a verdict" in said
    code, said = run(capsys, "forget", "eve")
    assert code == 0 and "deleted submitted/eve" in said
    assert "still named in ch00-csv.csv: delete it" in said


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["status"], "homework init FOLDER"),
        (["collect", "11", "nothing.zip"], "homework init FOLDER"),
        (["release", "11"], "homework init FOLDER"),
    ],
)
def test_outside_a_course(tmp_path, capsys, monkeypatch, words, message):
    monkeypatch.chdir(tmp_path)
    code, said = run(capsys, *words)
    assert code == 2 and message in said and "Traceback" not in said


def test_mistakes(tmp_path, capsys, monkeypatch):
    course = released(tmp_path)
    monkeypatch.chdir(course.root)
    (tmp_path / "head.csv").write_text("id,name\n")
    for words, message in [
        (["collect", "11", "x.zip"], "released are: ch00"),
        (["collect", "00", "x.zip"], "nothing there"),
        (["release", "00", "--due", "soon"], "--due is 'soon'"),
        (["release", "00", "--seed", "all"], "homework roster"),
        (["release", "00", "--seed", "../x"], "write 'x'"),
        (["export", "00", "--format", "excel"], "csv, canvas, moodle"),
        (["forget", "nobody"], "nothing is stored"),
        (["grade", "00"], "homework collect 00 PLACE"),
        (["similar", "00", "--least", "60"], "from 0 to 1"),
        (["roster", "none.csv"], "there is no file none.csv"),
        (["roster", tmp_path / "head.csv"], "names nobody"),
        (["export", "00", "--to", tmp_path / "head.csv" / "x"], "head.csv: "),
    ]:
        code, said = run(capsys, *words)
        assert code == 2 and message in said, (words, said)


def test_a_stray_file_is_an_exit_code(tmp_path, capsys, monkeypatch):
    course = released(tmp_path)
    monkeypatch.chdir(course.root)
    with zipfile.ZipFile(tmp_path / "in.zip", "w") as archive:
        for name in ("ada_1_2_x.ipynb", "eve_2_3_x.ipynb", "stray.ipynb"):
            archive.writestr(name, notebook())
    code, said = run(capsys, "collect", "00", tmp_path / "in.zip")
    assert code == 1 and "whose is it? stray.ipynb" in said


def test_the_start_is_quick_and_help_needs_no_torch():
    """The command line imports what it needs when it needs it."""
    code = (
        "import sys\nfrom llmbook_press import cli\ncli.build_parser()\n"
        "heavy = {'torch', 'nbgrader', 'numpy', 'nbformat'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout == "[]\n", done.stderr


def test_the_course_file_is_readable(tmp_path):
    course = released(tmp_path)
    data = json.loads((course.root / "llmbook_course.json").read_text())
    assert data["assignments"]["ch00"]["points"] == {"ch00-ex1": 2.0, "ch00-ex2": 3.0}
    assert Course.open(course.root) == course


def test_ctrl_c_is_answered_in_words(tmp_path, capsys, monkeypatch):
    course = released(tmp_path)
    hand_in(course, "ada", notebook())

    def stopped(*args, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr(grade, "grade_all", stopped)
    code, said = run(capsys, "grade", "00", "--course", course.root)
    assert code == 130 and said == "Stopped. What was done is kept; run it again.\n"


def test_a_list_of_many_and_what_is_in_none(tmp_path, capsys, monkeypatch):
    course = released(tmp_path)
    monkeypatch.chdir(course.root)
    ids = ",".join(f"s{n}" for n in range(9))
    book = ["--book", small_book(tmp_path / "book")]
    code, said = run(capsys, "release", "00", "--seed", ids, *book)
    assert code == 0 and said.endswith("seeded: 10, for one student each\n")
    (tmp_path / "people.csv").write_text("id\nada\n")
    run(capsys, "roster", tmp_path / "people.csv")
    with zipfile.ZipFile(tmp_path / "in.zip", "w") as archive:
        archive.writestr("eve/x.ipynb", notebook())
    code, said = run(capsys, "collect", "00", tmp_path / "in.zip")
    assert code == 0 and "eve: in no list so far" in said
    store(course, graded("ada"))
    code, said = run(capsys, "export", "00", "--format", "moodle")
    assert code == 1 and "ada: Moodle's number is not known; fill" in said


def test_a_folder_with_a_space_is_quoted(tmp_path, capsys):
    said = run(capsys, "init", tmp_path / "my course")[1]
    assert f"cd '{tmp_path / 'my course'}' &&" in said
