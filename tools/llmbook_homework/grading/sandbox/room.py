"""A room: one sandbox, in which worker or checker waits for tasks."""

import contextlib
import socket
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from llmbook_homework.grading.sandbox.bubblewrap import PYTHON, command, environment
from llmbook_homework.grading.sandbox.codec import ValueProblem
from llmbook_homework.grading.sandbox.limits import MB, Limits
from llmbook_homework.grading.sandbox.rpc import Channel, Closed

PREPARE_SECONDS = 600  # for a chapter's own code, on a slow machine


class RoomFailed(Exception):
    """A room could not be opened, or broke down; the message says why."""


class Room:
    """A worker or a checker in its sandbox, which forks itself for each task.

    Parameters
    ----------
    role : str
        ``"worker"`` or ``"checker"``.
    prelude : sequence of str
        The chapter's code to run at the beginning.
    limits : Limits
        Of each task.
    is_safe : bool
        In bubblewrap.
    trials : sequence of pairs of str
        Names and sources of our own that must run after the prelude.

    Raises
    ------
    RoomFailed
        If the chapter's own code does not run in it.
    """

    def __init__(
        self,
        role: str,
        prelude: Sequence[str],
        limits: Limits,
        is_safe: bool = True,
        trials: Sequence[tuple[str, str]] = (),
    ) -> None:
        self.role, self.limits = role, limits
        self.scratch = None if is_safe else tempfile.TemporaryDirectory()
        ours, theirs = socket.socketpair()
        self.errors = tempfile.TemporaryFile()  # noqa: SIM115
        start = command(limits.files_mb) if is_safe else [PYTHON]
        self.process = subprocess.Popen(
            [*start, *self.program(), str(theirs.fileno())],
            pass_fds=[theirs.fileno()],
            env=environment(is_safe),
            cwd=self.scratch.name if self.scratch else "/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=self.errors,
        )
        theirs.close()
        self.control = Channel(ours, limit=32 * MB)
        self._prepare({"prelude": list(prelude), "trials": list(trials)})

    def program(self) -> list[str]:
        """Say what Python runs in the room."""
        return ["-m", f"llmbook_homework.grading.sandbox.{self.role}"]

    def _prepare(self, request: dict[str, Any]) -> None:
        try:
            self.control.send(request)
            reply = self._receive(PREPARE_SECONDS)
        except (Closed, ValueProblem, TimeoutError):
            self.errors.seek(0)
            said = self.errors.read().decode("utf8", "replace")[-2000:]
            self.close()
            raise RoomFailed(f"the {self.role} did not start:\n{said}") from None
        if "broken" in reply:
            self.close()
            raise RoomFailed(reply["broken"])

    def _receive(self, seconds: float) -> dict[str, Any]:
        self.control.sock.settimeout(seconds)
        try:
            return self.control.receive()[0]
        finally:
            self.control.sock.settimeout(None)

    def begin(
        self, request: dict[str, Any], own: socket.socket, limits: Limits | None = None
    ) -> None:
        """Start a task in a fork, and hand it a socket."""
        try:
            self.control.send({**request, "limits": asdict(limits or self.limits)})
            self.control.send_fd(own.fileno())
        except (OSError, Closed, ValueProblem):
            raise RoomFailed(f"the {self.role} is gone") from None
        finally:
            own.close()

    def end(self, wait: float = 0.0) -> dict[str, Any]:
        """Wait for a task's end, then end it.

        Parameters
        ----------
        wait : float
            Seconds for which it may still go on.

        Returns
        -------
        dict
            ``why`` it was ended (or ``""``), exit ``code``, ``output``, ``report``.

        Raises
        ------
        RoomFailed
            If there is no answer.
        """
        try:
            if wait:
                with contextlib.suppress(TimeoutError):
                    return self._receive(wait)
            self.control.send({"stop": True})
            return self._receive(30)
        except (Closed, ValueProblem, OSError):
            raise RoomFailed(f"the {self.role} is gone") from None

    def close(self) -> None:
        """End all that runs in the room."""
        self.control.sock.close()
        self.process.kill()
        self.process.wait()
        self.errors.close()
        if self.scratch:
            self.scratch.cleanup()
