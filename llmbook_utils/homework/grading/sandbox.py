"""Rooms in which worker and judge run: bubblewrap, or with ``--unsafe`` nothing.

Inside there is Python, this package without the book's notebooks, 64 MB of scratch
space, no network, no home, and no process of anybody else.
"""

import contextlib
import functools
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from llmbook_utils.chapters import PACKAGE
from llmbook_utils.homework.grading.confinement import MB, Limits
from llmbook_utils.homework.grading.values import ValueProblem
from llmbook_utils.homework.grading.wire import Channel, Closed

BOOK = "/book"
# subtle: where a path holds "..", the folder before it may not be there inside.
PYTHON = os.path.abspath(sys.executable)
SYSTEM = ("/usr/lib", "/usr/lib64", "/usr/lib32", "/usr/libx32", "/usr/bin")
SYSTEM_LINKS = ("/lib", "/lib64", "/lib32", "/libx32", "/bin")
SETTINGS = ("/etc/ld.so.cache", "/etc/alternatives", "/etc/localtime")
SHARED = {Path("/"), Path("/usr"), Path("/usr/local"), Path.home()}
ENVIRONMENT = {
    "CUDA_VISIBLE_DEVICES": "",
    "HOME": "/tmp",
    "HF_HUB_OFFLINE": "1",
    "LANG": "C.UTF-8",
    "LLMBOOK_DEVICE": "cpu",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "PATH": "/usr/bin:/bin",
    "PYTHONDONTWRITEBYTECODE": "1",
    "PYTHONHASHSEED": "0",
    "USER": "student",
}
PREPARE_SECONDS = 600  # for a chapter's own code, on a slow machine
REFUSAL = (
    "students' code is graded in a sandbox, and there is none: {reason}. Install "
    "bubblewrap (Debian, Ubuntu: apt install bubblewrap) and let users make "
    "namespaces, or add --unsafe: then a submission can read and change all that you "
    "can, other submissions, hidden tests and the gradebook among it"
)


class RoomFailed(Exception):
    """A room could not be opened, or broke down; the message says why."""


def _folders() -> list[Path]:
    """List the folders from which Python and its packages are read."""
    found: list[Path] = []
    executable = Path(os.path.realpath(sys.executable))
    # No other part of sys.path: it may be the repository, or the course's folder.
    sites = [p for p in sys.path if Path(p).name in ("site-packages", "dist-packages")]
    for name in [sys.prefix, sys.base_prefix, executable.parents[1], *sites]:
        folder = Path(os.path.abspath(name))
        parts = [folder / p for p in ("bin", "lib", "lib64")]
        for part in parts if folder in SHARED else [folder]:
            inside = any(part.is_relative_to(known) for known in found)
            if part.is_dir() and not inside:
                found.append(part)
    return [folder for folder in found if str(folder) not in SYSTEM]


def inside(path: Path) -> Path:
    """Say where a folder of this computer lies in the sandbox.

    Examples
    --------
    >>> inside(Path("/opt/venv")), inside(Path("/tmp/book/.venv/bin/python"))
    (PosixPath('/opt/venv'), PosixPath('/moved/tmp/book/.venv/bin/python'))
    """
    # There the sandbox has folders of its own, which would hide it.
    is_hidden = any(path.is_relative_to(top) for top in ("/tmp", "/dev", "/proc"))
    return Path("/moved", path.relative_to("/")) if is_hidden else path


def command(files_mb: int = 64) -> list[str]:
    """Give the call of Python in a sandbox; what it is to do comes after it.

    Parameters
    ----------
    files_mb : int
        Size of the scratch space; none with a bubblewrap too old to limit it.

    Returns
    -------
    list of str
    """
    call = [
        "bwrap",
        "--unshare-all",
        "--unshare-user",
        "--uid",
        "1000",
        "--gid",
        "1000",
    ]
    call += ["--die-with-parent", "--as-pid-1", "--new-session", "--cap-drop", "ALL"]
    call += ["--hostname", "sandbox"]
    for path in map(Path, SYSTEM):
        if path.is_dir():
            call += ["--ro-bind", str(path), str(path)]
    for path in map(Path, SYSTEM_LINKS):
        if path.is_symlink():
            call += ["--symlink", os.readlink(path), str(path)]
        elif path.is_dir():
            call += ["--ro-bind", str(path), str(path)]
    for path in [*map(Path, SETTINGS), *_folders()]:
        call += ["--ro-bind-try", str(path), str(inside(path))]
    call += ["--ro-bind", str(PACKAGE), f"{BOOK}/{PACKAGE.name}"]
    call += ["--proc", "/proc", "--dev", "/dev"]
    if "--size" in _help():
        size = ["--size", str(files_mb * MB), "--tmpfs"]
        call += [*size, "/tmp", *size, "/dev/shm", "--chdir", "/tmp"]
    # /proc too: where the grader is root, what runs inside owns the kernel's settings.
    for place in ("/proc", "/dev", "/"):
        call += ["--remount-ro", place]
    return [*call, "--", str(inside(Path(PYTHON)))]


@functools.cache
def _help() -> str:
    return subprocess.run(["bwrap", "--help"], capture_output=True, text=True).stdout


@functools.cache
def trouble() -> str:
    """Say why there is no sandbox here; empty if there is one."""
    if not sys.platform.startswith("linux"):
        return f"bubblewrap needs Linux, and this is {sys.platform}"
    if shutil.which("bwrap") is None:
        return "the program bwrap is not installed"
    tried = subprocess.run(
        [*command(), "-c", "print('inside')"],
        capture_output=True, text=True, env=environment(True), timeout=60,
    )  # fmt: skip
    if tried.stdout.strip() != "inside":
        said = (tried.stderr.strip() or f"exit code {tried.returncode}").splitlines()
        return f"bwrap does not work here ({said[-1]})"
    return ""


def require(unsafe: bool) -> str:
    """Make sure that there is a sandbox, or that none is wanted.

    Returns
    -------
    str
        ``"bubblewrap"`` or ``"none"``.

    Raises
    ------
    ValueError
        If there is none and ``unsafe`` is false.
    """
    if unsafe:
        return "none"
    reason = trouble()
    if reason:
        raise ValueError(REFUSAL.format(reason=reason))
    return "bubblewrap"


def environment(is_safe: bool) -> dict[str, str]:
    """Give the environment of a room: nothing of the grader's own."""
    return {**ENVIRONMENT, "PYTHONPATH": BOOK if is_safe else str(PACKAGE.parent)}


class Room:
    """A worker or a judge in its sandbox, which forks itself for each task.

    Parameters
    ----------
    role : str
        ``"worker"`` or ``"judge"``.
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
        return ["-m", f"llmbook_utils.homework.grading.{self.role}"]

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
