"""`llmbook check 11 ex3`: what a student reads, for each way of going wrong."""

import os
import subprocess
import sys

import nbformat
import pytest
from classroom import ROOT, notebook, released

from llmbook_homework.assertions import n_checks, run_check
from llmbook_homework.exercises import reading
from llmbook_homework.nbgrader_steps import student_version
from llmbook_homework.student_check import check, check_file, find_notebook
from llmbook_press import cli

EX3 = "ch11-ex3"


@pytest.fixture
def write(tmp_path):
    """Write a student's notebook with an answer."""
    course = released(tmp_path)

    def call(**answers):
        path = tmp_path / "00_small.ipynb"
        path.write_bytes(notebook(course, **answers))
        return path

    return call


@pytest.mark.parametrize(
    ("answer", "passed", "said"),
    [
        ("def double(x):\n    return 2 * x", 2, "all 2 checks passed; 1 more run"),
        ("def double(x):\n    return x ** 2", 1, "0 of 2"),
        ("def double(x):\n    return abs(x) * 2", 1, "TypeError"),
        ("def double(x):\n    return 5", 0, "Hint: Twice 2 is 4."),
        ("def double(x):\n    return 4", 1, "1 of 2 checks passed; 1 more"),
        ("def double(x):\n    return 4", 1, "Hint: Also words."),
        ("def double(x):\n    # YOUR CODE HERE\n    raise NotImplementedError()", 0,
         "There is no answer yet"),
        ("", 0, "'double' is not defined"),
        ("def double(x)\n    return 2 * x", 0, "line 1 of your cell: SyntaxError"),
        ("x = 1\ny = helper(x)", 0, "in line 2 of your cell. Is the name spelled"),
        ("import sys\nsys.exit(0)", 0, "ends Python"),
        ("def double(x):\n    import os\n    os._exit(0)", 0, "before the check"),
        ("def double(x):\n    return double(x)", 0, "without end"),
        ("while True:\n    pass", 0, "more than 3 s"),
        ("def double(x):\n    print('seen')\n    return 2 * x", 2, "all 2"),
        ("import base64 as math\n\n\ndef double(x):\n    return 2 * x", 2, "all 2"),
    ],
)  # fmt: skip
def test_what_a_student_reads(write, answer, passed, said):
    seconds = 3 if "while True" in answer else 120
    outcome = check_file(write(ex1=answer), "ex1", seconds)
    if "x ** 2" in answer:  # 2 squared is 4 and twice 2; "a" has no square
        said = "TypeError"
    assert said in str(outcome)
    assert outcome.passed == passed
    assert (outcome.checks, outcome.hidden) == (2, 1)
    assert outcome.is_good == (passed == 2)


def test_needed_cells_of_the_chapter_run(write):
    good = "def power(x):\n    return 1000.0 ** x"
    assert str(check_file(write(ex2=good), "2")) == "ex2: all 2 checks passed."


@pytest.mark.parametrize("where", [0, 1])
def test_helpers_in_cells_of_their_own_are_not_there_as_in_grading(write, where):
    path = write(ex1="def double(x):\n    return add(x, x)")
    nb = nbformat.read(path, as_version=4)
    helper = nbformat.v4.new_code_cell("def add(a, b):\n    return a + b")
    place = next(i for i, c in enumerate(nb.cells) if "add(x, x)" in c.source)
    nb.cells.insert(place + where, helper)
    nbformat.write(nb, path)
    outcome = check_file(path, "ex1")
    assert "'add' is not defined" in outcome.problem
    assert "that cell alone" in outcome.problem


def test_a_loop_that_fails_late_counts_only_what_held_throughout():
    source = "for n in [1, 2]:\n    assert n < 2, f'{n}'\nassert True"
    assert run_check(source, {}) == (0, "Hint: 2")
    assert run_check("assert 1\nassert 2 > 3", {}) == (1, "Not so: assert 2 > 3")
    assert n_checks(source) == 2


def test_own_numbers_are_checked(tmp_path):
    course = released(tmp_path)
    own = course.folder("seeded", "ada", course.assignment("00")) / "00_small.ipynb"
    nb = nbformat.read(own, as_version=4)
    cell = next(
        c
        for c in nb.cells
        if c.metadata.get("nbgrader", {}).get("grade_id") == "ch00-ex2"
    )
    cell.source = "def power(x):\n    return 1000.0 ** x"
    nbformat.write(nb, own)
    assert "To the power of 1" in check_file(own, "ex2").problem


def test_in_the_notebook_it_takes_what_is_defined(write, monkeypatch):
    path = write()
    main = sys.modules["__main__"]
    monkeypatch.setattr(main, "double", lambda x: 2 * x, raising=False)
    before = set(main.__dict__)
    assert check("ex1", path).is_good
    assert set(main.__dict__) == before, "the check leaves nothing behind"
    monkeypatch.chdir(path.parent)
    monkeypatch.setattr(main, "double", lambda x: 3 * x)
    assert "Hint: Twice 2 is 4." in str(check("ex1"))


def test_in_a_kernel(write):
    """As a student types it, with a real kernel in the notebook's folder."""
    from nbclient import NotebookClient

    path = write(ex1="def double(x):\n    return 2 * x")
    nb = nbformat.read(path, as_version=4)
    ask = "from llmbook_homework.student_check import check\nprint(check('ex1'))"
    nb.cells = [c for c in nb.cells if c.metadata.get("nbgrader", {}).get("solution")][
        :1
    ]
    nb.cells.append(nbformat.v4.new_code_cell(ask))
    NotebookClient(nb, resources={"metadata": {"path": str(path.parent)}}).execute()
    assert (
        nb.cells[-1].outputs[0].text
        == "ex1: all 2 checks passed; 1 more run at grading.\n"
    )


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda p: check_file(p, "ex9"), "there are ex1, ex2"),
        (lambda p: check_file(p.with_name("none.ipynb"), "ex1"), "no file"),
        (lambda p: find_notebook("77"), "there is none. Name yours: `llmbook check"),
    ],
)
def test_mistakes_say_what_to_do(write, monkeypatch, call, message):
    path = write()
    monkeypatch.chdir(path.parent)
    with pytest.raises(ValueError, match=message):
        call(path)


def test_a_deleted_check_is_named(write):
    path = write()
    nb = nbformat.read(path, as_version=4)
    nb.cells = [c for c in nb.cells if "-check" not in str(c.metadata.get("nbgrader"))]
    nbformat.write(nb, path)
    with pytest.raises(ValueError, match="deleted"):
        check_file(path, "ex1")


def test_chapter_11_in_a_terminal(tmp_path, monkeypatch, capsys):
    """From the released notebook alone: setup, needed cells, hint, counts."""
    source = ROOT / "notebooks" / "11_gpt_from_scratch.ipynb"
    right = reading.load(source).exercise("ex3").solution
    late = right.replace(
        "scores.masked_fill(future, -torch.inf).softmax(dim=-1)",
        "scores.softmax(dim=-1).masked_fill(future, 0)",
    )
    nb = student_version(nbformat.read(source, as_version=4))
    path = tmp_path / "11_gpt_from_scratch.ipynb"
    (cell,) = [
        c for c in nb.cells if c.metadata.get("nbgrader", {}).get("grade_id") == EX3
    ]
    cell.source = right
    nbformat.write(nb, path)
    command = [sys.executable, "-m", "llmbook_press.cli", "check", "11", "ex3"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert "ex3: all 6 checks passed; 1 more run at grading." in done.stdout
    cell.source = late
    nbformat.write(nb, path)
    monkeypatch.chdir(tmp_path)
    assert cli.main(command[3:]) == 1
    hint = "Hint: The future still reaches the past: where does the mask"
    assert hint in capsys.readouterr().out


def edited(path, change):
    """Change a notebook's cells: ``change`` gets them by grade id, and the list."""
    nb = nbformat.read(path, as_version=4)
    by_id = {c.metadata.get("nbgrader", {}).get("grade_id", ""): c for c in nb.cells}
    change(by_id, nb.cells)
    nbformat.write(nb, path)
    return path


def break_chapter(by_id, cells):
    setup = next(cell for cell in cells if "set_seed(0)" in cell.source)
    setup.source += "\n1 / 0"


def break_check(by_id, cells):
    by_id["ch00-ex2-check"].source = "assert (power(0)"


def weaken_check(by_id, cells):
    by_id["ch00-ex2-check"].source = "assert power(0)"


def add_stub_again(by_id, cells):
    again = nbformat.from_dict(dict(by_id["ch00-ex2"], id="again"))
    again.source = (
        "def power(x):\n    # YOUR CODE HERE\n    raise NotImplementedError()"
    )
    cells.append(again)


def answer_again(by_id, cells):
    again = nbformat.from_dict(dict(by_id["ch00-ex2"], id="again"))
    by_id["ch00-ex2"].source = "def power(x):\n    return 7"
    cells.append(again)


def make_it_text(by_id, cells):
    by_id["ch00-ex2"].cell_type = "markdown"
    for key in ("outputs", "execution_count"):
        del by_id["ch00-ex2"][key]


def delete_answer(by_id, cells):
    cells.remove(by_id["ch00-ex2"])


def delete_metadata(by_id, cells):
    for cell in cells:
        cell.metadata.pop("nbgrader", None)


POWER = "def power(x):\n    return 1000.0 ** x"


@pytest.mark.parametrize(
    ("answer", "change", "said"),
    [
        (POWER, break_chapter, "own code above the exercises"),
        (POWER, break_check, "the check of ex2 was changed"),
        (POWER, weaken_check, "passed.\nThis check was changed: it had 2 checks."),
        (POWER, add_stub_again, "all 2 checks passed."),
        (POWER, answer_again, "all 2 checks passed."),
        (POWER, make_it_text, "code cell of ex2 was deleted"),
        (POWER, delete_answer, "code cell of ex2 was deleted"),
        (POWER, delete_metadata, "this notebook has no exercises; take"),
        ("%time\n" + POWER, None, "line 1 of your cell: SyntaxError: invalid syntax. "
         "Lines with % or ! are Jupyter's own"),
        ("def power(x)\n    pass", None, "SyntaxError: expected ':'. Python"),
        ("raise KeyboardInterrupt", None, "KeyboardInterrupt in line 1 of your cell."),
        ("def power(x):\n    return input()", None, "Grading types nothing"),
        ("raise ValueError('Why.')", None, "ValueError: Why in line 1 of your cell."),
        ("raise NotImplementedError()", None, "is one, save the notebook first."),
    ],
)  # fmt: skip
def test_what_students_do_to_a_notebook(write, capfd, answer, change, said):
    path = write(ex2=answer)
    if change:
        edited(path, change)
    try:
        told = str(check_file(path, "ex2"))
    except ValueError as error:
        told = str(error)
    assert said in told
    assert "Traceback" not in capfd.readouterr().err


def test_nobody_types_during_a_check(write):
    """``input()`` would wait for ever in a terminal; at grading nobody answers."""
    path = write(ex2="input()\n" + POWER)
    read, typed = os.pipe()
    os.write(typed, b"5\n")
    before = os.dup(0)
    os.dup2(read, 0)
    try:
        assert "leave input() out" in check_file(path, "ex2").problem
    finally:
        os.dup2(before, 0)
        for handle in (before, read, typed):
            os.close(handle)


def test_a_notebook_is_found(write, monkeypatch):
    """By its name, by its exercises if it was renamed; never one of two."""
    path = write()
    monkeypatch.chdir(path.parent)
    for chapter in ("00", "0", "ch00", "00_small"):
        assert find_notebook(chapter) == path
    nbformat.write(nbformat.v4.new_notebook(), path.parent / "Untitled.ipynb")
    assert find_notebook(exercise="ex1") == find_notebook(exercise=1) == path
    mine = path.rename(path.with_name("mine.ipynb"))
    assert find_notebook("00") == find_notebook(exercise="ch00-ex1") == mine
    mine.with_name("mine-Copy1.ipynb").write_bytes(mine.read_bytes())
    with pytest.raises(ValueError, match=r"Copy1.ipynb, mine.ipynb.*check 00 ex2"):
        find_notebook("00", "ex2")
    with pytest.raises(ValueError, match=r"with ex9 was expected.*there is none"):
        find_notebook(exercise="ex9")
    with pytest.raises(ValueError, match="no exercises of ch07"):
        check_file(mine, "ex1", chapter="7")


def test_a_result_shows_itself(write):
    """Below a cell that ends in ``check("ex1")`` stands a sentence, no dataclass."""
    outcome = check(1, write())
    assert repr(outcome) == str(outcome) and repr(outcome).startswith("ex1: 0 of 2 ")
    assert "NameError" in outcome.problem and "Setup before it" in outcome.problem
