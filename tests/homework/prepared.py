"""A grader for whom a chapter's code has run once, where it would run twice.

In grading, checker and worker are two sandboxes, and each runs what the exercises need.
Here they are forks of one process in one sandbox: the same code, the same check, the
same verdict, in half the time. The wall that is missing, the one between them, is
tested in ``test_sandbox``; who plants mistakes does not climb it.
"""

import contextlib
import functools
import socket

import pytest

from llmbook_homework.exercises.reading import prelude
from llmbook_homework.grading import grader as grading
from llmbook_homework.grading.grader import Grader, Worker
from llmbook_homework.grading.sandbox.limits import MB, Limits
from llmbook_homework.grading.sandbox.room import Room
from llmbook_homework.grading.sandbox.rpc import Channel
from llmbook_homework.grading.submissions import Answer, Answers

# Seconds: a busy machine stops no answer, what it may use of the processor does.
CLOCK = 1200
STEM = """
import os, socket, sys
from llmbook_homework.grading.sandbox import checker, fork_server, worker
from llmbook_homework.grading.sandbox.limits import Limits
from llmbook_homework.grading.sandbox.rpc import Channel

Limits.clock = CLOCK
tasks = {"checker": checker.task, "worker": worker.task}
control = Channel(socket.socket(fileno=int(sys.argv[1])))
names = fork_server.prepare(control)
while names is not None:
    request, _ = control.receive()
    own = control.receive_fd()
    if os.fork() == 0:
        control.sock.close()
        room = Channel(socket.socket(fileno=own))
        fork_server.tend(room, tasks[request["role"]], names)
        os._exit(0)
    os.close(own)
"""


class Stem(Room):
    """The process in which the chapter's code has run."""

    def program(self):
        """Run what forks rooms, in place of a room."""
        return ["-c", STEM.replace("CLOCK", str(CLOCK))]


class Fork(Room):
    """A room for a checker or a worker, forked from a stem."""

    def __init__(self, stem, role, _prelude, limits, *_):
        self.role, self.limits = role, limits
        ours, theirs = socket.socketpair()
        with contextlib.closing(theirs):
            stem.control.send({"role": role})
            stem.control.send_fd(theirs.fileno())
        self.control = Channel(ours, limit=32 * MB)

    def close(self):
        """Hang up: the room ends, and the stem's sandbox ends all."""
        self.control.sock.close()


@contextlib.contextmanager
def prepared(chapter):
    """Give a function that grades an answer to one of a chapter's exercises."""
    stem = Stem("stem", prelude(chapter.exercises), Limits())
    with contextlib.closing(stem), pytest.MonkeyPatch.context() as patch:
        patch.setattr(grading, "Room", functools.partial(Fork, stem))
        patch.setattr(Limits, "clock", CLOCK)
        with (
            Grader(chapter, chapter.exercises) as grader,
            Worker(grader, chapter.exercises) as room,
        ):

            def grade(each, source):
                answers = Answers({each.id: Answer("", source)})
                return grader.grade_exercise(each, answers, room)

            yield grade
