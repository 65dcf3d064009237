"""The grader is graded: for every exercise of the book, right answers and wrong ones.

The reference solution gets full marks, the empty stub nothing, and so does each planted
mistake. The table is printed; a hole in it is a failure. So is a student's own number
with which the solution is wrong, or with which the chapter's is right.
"""

from collections import Counter

import pytest
from classroom import NOTEBOOKS
from prepared import prepared

from llmbook_homework.exercises import mistakes, reading, vary
from llmbook_homework.grading.sandbox import bubblewrap

LEAST_MISTAKES = 3
# What varies in the chapters; each new one adds an exercise or more of its own.
VARYING = {
    "00_language_model": ["ch00-ex5"],
    "01_text_and_tokens": ["ch01-ex6"],
    "02_word_embeddings": ["ch02-ex5"],
    "03_multilayer_perceptrons": ["ch03-ex1"],
    "04_backpropagation": ["ch04-ex2"],
    "05_training_that_generalises": ["ch05-ex2"],
    "06_neural_language_models": ["ch06-ex4"],
    "07_recurrent_networks": ["ch07-ex1"],
    "11_gpt_from_scratch": ["ch11-ex4"],
    "15_fine_tuning": ["ch15-ex4"],
}


@pytest.fixture(params=NOTEBOOKS, ids=lambda path: path.stem, scope="module")
def chapter(request):
    """A chapter of the book."""
    return reading.load(request.param)


@pytest.fixture(scope="module")
def grade(chapter):
    """Grade an answer to one of the chapter's exercises."""
    assert bubblewrap.trouble() == "", "these tests need bubblewrap"
    with prepared(chapter) as graded:
        yield graded


def answers_to(chapter):
    """List exercise, name of an answer, the answer, and what it should get."""
    planted = mistakes.read(chapter.path)
    for each in chapter.exercises:
        yield each, "reference", each.solution, each.points
        yield each, "stub", each.stub, 0
        for mistake in planted:
            if mistake.exercise == each.short:
                yield each, mistake.name, mistake.source, 0


def test_every_answer_gets_what_it_should(chapter, grade):
    """A wrong one is told so with a reason: no timeout, no crash, the check's own."""
    holes = []
    for each, name, source, expected in answers_to(chapter):
        row = grade(each, source)
        line = f"{each.short} {row.score:g}/{each.points:g} {name}: {row.reason}"
        print(f"{line} ({row.seconds:.2f} s)")
        is_told = row.status in ("failed", "error") and len(row.reason) > 5
        if row.score != expected or (expected == 0 and not is_told):
            holes.append(f"{row.status}: {line}")
    assert not holes, "\n".join(["the grader has holes:", *holes])


def test_what_varies_can_be_solved_and_a_neighbours_answer_is_wrong(
    chapter, grade, monkeypatch
):
    """For each declared exercise: own solution right, the chapter's stored one not."""
    declared = [e for e in chapter.exercises if e.metadata.get("vary")]
    assert [each.id for each in declared] == VARYING[chapter.slug]
    for each in declared:
        students = [vary.personalise(each, f"salt/{n}") for n in range(8)]
        assert len({mine.task for mine in students}) > 4, "the task has the number"
        with monkeypatch.context() as patch:
            for end in (0, -1):
                patch.setattr(vary, "_pick", lambda found, _, end=end: found[end])
                students.insert(0, vary.personalise(each, "salt"))
        tried = students[:4]  # those with the first and last choices, and two more
        for mine in tried:
            row = grade(mine, mine.solution)
            assert row.score == each.points, (mine.task, row)
        solved = [mine.task for mine in tried if grade(mine, each.solution).score]
        assert len(solved) <= 1, "by chance one may have the chapter's number"


def test_every_exercise_has_mistakes_of_its_own(chapter):
    planted = mistakes.read(chapter.path)
    counts = Counter(mistake.exercise for mistake in planted)
    assert set(counts) == {each.short for each in chapter.exercises}
    assert min(counts.values()) >= LEAST_MISTAKES, f"plant more mistakes: {counts}"
    named = Counter((mistake.exercise, mistake.name) for mistake in planted)
    assert max(named.values()) == 1, "two mistakes of one name"
