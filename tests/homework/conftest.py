"""One toy chapter and one grader for all tests of a file."""

from dataclasses import replace

import pytest
import toy

from llmbook_utils.homework.grading import sandbox, submissions
from llmbook_utils.homework.grading.confinement import Limits
from llmbook_utils.homework.grading.rooms import Grader, Worker
from llmbook_utils.homework.grading.submissions import Answer, Answers

LIMITS = Limits(seconds=1, memory_mb=400)


@pytest.fixture(scope="session")
def chapter(tmp_path_factory):
    """The toy chapter."""
    return toy.write_chapter(tmp_path_factory.mktemp("book"))


@pytest.fixture(scope="module")
def grader(chapter):
    """A grader for the toy chapter, with a judge at work."""
    trouble = sandbox.trouble()
    assert not trouble, f"{trouble}; install it: apt install bubblewrap"
    with Grader(chapter, chapter.exercises, LIMITS) as opened:
        yield opened


@pytest.fixture
def grade(chapter, grader):
    """Grade a notebook, or answers to the toy chapter."""

    def graded(answers, extra=()):
        data = answers
        if isinstance(answers, dict):
            data = toy.as_bytes(toy.submission(chapter, answers, extra))
        return grader.grade("ada", "ch90", submissions.read(data, chapter.exercises))

    return graded


@pytest.fixture(scope="module")
def room(chapter, grader):
    """One worker's room for many attacks: each is a fork of it, as exercises are."""
    with Worker(grader, chapter.exercises) as opened:
        yield opened


@pytest.fixture
def attack(chapter, grader, room):
    """Run hostile code as an exercise; another one after it must be right."""

    def attacked(body, **limits):
        code = "def total(numbers):\n" + "\n".join(
            f"    {line}" for line in body.splitlines()
        )
        rows = {}
        for short, source in [("ex2", code), ("ex3", toy.RIGHT["ex3"])]:
            each = chapter.exercise(short)
            each = replace(each, metadata={**each.metadata, **limits})
            answers = Answers({each.id: Answer("", source)})
            rows[short] = grader.grade_exercise(each, answers, room)
        assert rows["ex3"].status == "passed", rows
        return rows["ex2"]

    return attacked
