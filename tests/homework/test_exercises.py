"""What is read of a chapter's exercises, for every chapter there is."""

from dataclasses import replace
from pathlib import Path

import nbformat
import pytest
import toy

from llmbook_homework.exercises import mistakes, reading, slicing
from llmbook_press.regions import clear_hidden_tests

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


@pytest.fixture(params=NOTEBOOKS, ids=lambda path: path.stem)
def book_chapter(request):
    """A chapter of the book."""
    return reading.load(request.param)


def test_each_exercise_is_complete(book_chapter):
    nb = nbformat.read(book_chapter.path, as_version=4)
    marked = [c for c in nb.cells if c.metadata.get("nbgrader", {}).get("solution")]
    assert len(book_chapter.exercises) == len(marked) >= 4
    for each in book_chapter.exercises:
        assert each.id == f"ch{book_chapter.number}-{each.short}"
        assert each.title and each.minutes > 0 and each.points > 0
        assert each.level in ("easy", "medium", "hard")
        assert each.task.startswith((":::", "## Exercises"))
        assert each.provides and each.n_visible >= 1
        assert "SOLUTION" in each.solution and "SOLUTION" not in each.stub
        assert "HIDDEN" not in each.visible_check
        assert each.is_untouched(each.stub) and not each.is_untouched(each.solution)


def test_needs_run_from_nothing_and_are_few(book_chapter):
    """They are the set-up cell, then far fewer statements than the chapter has."""
    every = len(book_chapter.statements)
    for each in book_chapter.exercises:
        assert "set_seed(0)" in each.needs and len(each.needs) < every / 2
        assert list(each.positions) == sorted(each.positions)
        source = "\n".join(each.needs)
        assert not slicing.free_places(source), "each need has its own needs before it"
        left = slicing.free_places(f"{source}\n{each.solution}\n{each.check}")
        assert not left, left


def test_checksum_is_of_what_is_asked_and_of_nothing_else(chapter):
    each = chapter.exercise("ex1")
    assert each.checksum == replace(each, check="", points=9).checksum
    spaced = replace(each, task=each.task.replace(" ", "  ") + "\n")
    assert each.checksum == spaced.checksum
    changed = replace(each, task=each.task.replace("Write", "Do not write"))
    assert each.checksum != changed.checksum
    assert each.checksum != replace(each, stub="def twice(x):").checksum


@pytest.mark.parametrize(
    ("source", "is_untouched"),
    [
        ("def double(x):\n    # YOUR CODE HERE\n    raise NotImplementedError()", True),
        ("def double(x):\n    ...\n", True),
        ("def double(x):\n\n    pass", True),
        ("", True),
        ("\n  \n", True),
        ("def double(x):\n    return x", False),
        ("def double(y):\n    ...", False),
        ("def double(x):\n    # YOUR CODE HERE\n    return 2 * x", False),
    ],
)
def test_a_stub_is_known(chapter, source, is_untouched):
    assert chapter.exercise("ex1").is_untouched(source) is is_untouched


def test_the_toy_chapter_is_read(chapter):
    first, _, third = chapter.exercises
    assert (first.short, first.points, first.n_visible, first.n_hidden) == (
        "ex1",
        1,
        1,
        1,
    )
    assert "canary" in first.hidden and "canary" not in first.visible_check
    assert first.visible_check == clear_hidden_tests(first.check)
    assert [s for s in third.needs if "factor" in s] == ["factor = 5"]
    assert not any("factor" in source for source in first.needs)
    assert reading.prelude([third, first]) == list(third.needs)
    assert chapter.exercise("2") is chapter.exercise("ch90-ex2") is chapter.exercises[1]
    with pytest.raises(ValueError, match="no exercise 'ex9', but ex1, ex2, ex3"):
        chapter.exercise("ex9")


def test_declared_needs_are_run_too(tmp_path):
    """A cell that is named in the metadata comes with what it needs itself."""
    nb = toy.chapter_notebook()
    nb.cells.insert(4, toy.new_code_cell("print(factor)", id="shown"))
    solution = next(c for c in nb.cells if "def double" in c.source)
    solution.metadata["llmbook"] = {"needs": ["shown"]}
    nbformat.write(nb, tmp_path / "90_toy.ipynb")
    first = reading.load(tmp_path / "90_toy.ipynb").exercise("ex1")
    assert first.needs[-2:] == ("factor = 5", "print(factor)")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda nb: nb.cells.pop(7), "ch90-ex1 has no check cell"),
        (lambda nb: nb.cells.pop(5), "ch90-ex1 has no task"),
        (lambda nb: nb.cells.pop(3), "ch90-ex3 uses factor, which no cell before"),
    ],
)
def test_a_faulty_chapter_is_refused(tmp_path, change, message):
    nb = toy.chapter_notebook()
    change(nb)
    nbformat.write(nb, tmp_path / "90_toy.ipynb")
    with pytest.raises(ValueError, match=message):
        reading.load(tmp_path / "90_toy.ipynb")


def test_points_are_given_by_either_name(chapter):
    given = reading.with_points(chapter.exercises, {"ex1": 7, "ch90-ex2": 8})
    assert [each.points for each in given] == [7, 8, 3]


def test_mistakes_have_titles(tmp_path):
    folder = tmp_path / "mistakes"
    folder.mkdir()
    (folder / "90_toy.py").write_text("# %% ex1: a\nx = 1\n\n# %% no exercise\ny\n")
    with pytest.raises(ValueError, match="2 cells, but 1 titles"):
        mistakes.read(tmp_path / "90_toy.ipynb")
    assert mistakes.read(tmp_path / "91_none.ipynb") == []
