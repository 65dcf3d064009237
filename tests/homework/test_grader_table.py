"""The grader is graded: for every exercise of the book, right answers and wrong ones.

The reference solution gets full marks, the empty stub nothing, and so does each planted
mistake. The table is printed; a hole in it is a failure.
"""

from collections import Counter
from pathlib import Path

import pytest

from llmbook_utils.homework import exercises
from llmbook_utils.homework.exercises import mistakes
from llmbook_utils.homework.grading import sandbox
from llmbook_utils.homework.grading.rooms import Grader, Worker
from llmbook_utils.homework.grading.submissions import Answer, Answers

NOTEBOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))
LEAST_MISTAKES = 3


@pytest.fixture(params=NOTEBOOKS, ids=lambda path: path.stem, scope="module")
def table(request):
    """Rows of exercise, name of the answer, what it should get, what it got."""
    assert sandbox.trouble() == "", "these tests need bubblewrap"
    chapter, planted = exercises.load(request.param), mistakes.read(request.param)
    rows = []
    with (
        Grader(chapter, chapter.exercises) as grader,
        Worker(grader, chapter.exercises) as room,
    ):
        for each in chapter.exercises:
            wrong = [(m.name, m.source, 0) for m in planted if m.exercise == each.short]
            right = [("reference", each.solution, each.points), ("stub", each.stub, 0)]
            for name, source, expected in [*right, *wrong]:
                answers = Answers({each.id: Answer("", source)})
                row = grader.grade_exercise(each, answers, room)
                rows.append((each, name, expected, row))
    return rows


def test_every_answer_gets_what_it_should(table):
    text = [
        f"{each.short} {row.score:g}/{each.points:g} {name}: {row.reason}"
        for each, name, _, row in table
    ]
    print("\n".join(text))
    holes = [
        line
        for line, (_, _, expected, row) in zip(text, table, strict=True)
        if row.score != expected
    ]
    assert not holes, "\n".join(["the grader has holes:", *holes])


def test_every_exercise_has_mistakes_of_its_own(table):
    counts = Counter(each.id for each, name, _, _ in table)
    for each in {row[0].id for row in table}:
        assert counts[each] - 2 >= LEAST_MISTAKES, f"plant more mistakes for {each}"
    named = Counter((each.id, name) for each, name, _, _ in table)
    assert max(named.values()) == 1, "two mistakes of one name"


def test_every_mistake_is_told_with_a_reason(table):
    """Not a timeout, not a crash: the check finds it, and says something about it."""
    for _, name, expected, row in table:
        if expected == 0:
            assert row.status in ("failed", "error") and len(row.reason) > 5, (
                name,
                row,
            )


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_mistakes_are_for_exercises_that_there_are(notebook):
    shorts = {each.short for each in exercises.load(notebook).exercises}
    assert {mistake.exercise for mistake in mistakes.read(notebook)} == shorts
