"""One toy chapter and one grader for all tests of a file."""

import contextlib
from dataclasses import replace

import pytest
import toy

from llmbook_homework.grading import grader as grading
from llmbook_homework.grading import submissions
from llmbook_homework.grading.grader import Grader, Worker
from llmbook_homework.grading.sandbox import bubblewrap
from llmbook_homework.grading.sandbox.limits import Limits
from llmbook_homework.grading.submissions import Answer, Answers

LIMITS = Limits(seconds=1, memory_mb=400)


@pytest.fixture(scope="session")
def chapter(tmp_path_factory):
    """The toy chapter."""
    return toy.write_chapter(tmp_path_factory.mktemp("book"))


@pytest.fixture(scope="module")
def grader(chapter):
    """A grader for the toy chapter, with a checker at work."""
    trouble = bubblewrap.trouble()
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
def one_room(room, monkeypatch):
    """Grade submissions in that room, where none needs to be a student's own."""
    monkeypatch.setattr(grading, "Worker", lambda *_: contextlib.nullcontext(room))


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


# What takes long begins first, and no worker is idle at the end.
FIRST = ("test_cluster", "test_walkthrough", "test_grader_table", "test_grading")


def pytest_collection_modifyitems(items):
    """Put the long files first; the others stay in their order."""

    def rank(item):
        name = item.path.stem
        return FIRST.index(name) if name in FIRST else len(FIRST)

    items.sort(key=rank)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """Hand out whole files, and of the table whole chapters: each is set up once."""
    if config.getvalue("dist") != "load":
        return None
    from xdist.scheduler import LoadScopeScheduling

    class ByChapter(LoadScopeScheduling):
        def _split_scope(self, nodeid):
            file, _, test = nodeid.partition("::")
            return file + (test.partition("[")[2] if "grader_table" in file else "")

    config.option.loadscopereorder = False
    return ByChapter(config, log)
