"""A process that runs a chapter's own code once, then a copy of itself for each task.

Both the worker and the checker start here: imports and the statements that exercises
need take seconds, a fork takes milliseconds. In a sandbox this process has the number 1
there: nothing inside can end it, and what a task leaves behind it can end.
"""

import contextlib
import io
import os
import select
import shutil
import signal
import socket
import sys
import time
import traceback
import types
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from llmbook_homework.grading.sandbox import moved
from llmbook_homework.grading.sandbox.limits import (
    MB,
    Limits,
    adopt_orphans,
    close_files,
    confine,
    die_with_parent,
    hide_from_debuggers,
)
from llmbook_homework.grading.sandbox.rpc import Channel, Closed
from llmbook_utils.runtime import set_seed

Task = Callable[[dict, socket.socket, dict[str, Any]], str]
LOOK_EVERY = 0.1  # seconds
REPORT_LIMIT = 200_000  # bytes that a task may hand in as its report
SCRATCH = ("/tmp", "/dev/shm")
MAX_FILES = 20_000  # files there: each takes the kernel memory that no limit counts


def serve(control: Channel, task: Task) -> None:
    """Prepare the chapter's names, then run tasks until nobody asks for more.

    Parameters
    ----------
    control : Channel
        To the process that grades.
    task : callable
        What a fork does with a request, a socket of its own and the chapter's names;
        it returns its report.
    """
    names = prepare(control)
    if names is not None:
        tend(control, task, names)


def prepare(control: Channel) -> dict[str, Any] | None:
    """Run the chapter's own code, and say whether it does; nothing if it does not."""
    hide_from_debuggers()
    adopt_orphans()
    request, _ = control.receive()
    moved.install()
    names = _new_main()
    part = "the chapter"
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            for source in request["prelude"]:
                exec(compile(source, "<chapter>", "exec"), names)
            # Checks on their own solutions: what they import is read once, here.
            for name, source in request["trials"]:
                part = name
                exec(compile(source, "<trial>", "exec"), dict(names))
    except BaseException:
        broken = f"{part} fails here:\n{traceback.format_exc(limit=-2)}"
        control.send({"broken": broken})
        return None
    control.send({"ready": True})
    return names


def tend(control: Channel, task: Task, names: dict[str, Any]) -> None:
    """Run tasks until nobody asks for more."""
    with contextlib.suppress(Closed):
        while True:
            request, _ = control.receive()
            if "stop" not in request:  # a late "stop" of a task that has ended
                own = socket.socket(fileno=control.receive_fd())
                control.send(_run(request, own, control, task, names))


def _new_main() -> dict[str, Any]:
    """Make an empty ``__main__``, so that classes of the chapter can be pickled."""
    sys.modules["__main__"] = types.ModuleType("__main__")
    return vars(sys.modules["__main__"])


def _run(
    request: dict, own: socket.socket, control: Channel, task: Task, names: dict
) -> dict:
    """Fork, watch over the fork, and say how it ended."""
    limits = Limits(**request["limits"])
    output, report = os.pipe(), os.pipe()
    started = time.monotonic()
    child = os.fork()
    if child == 0:
        control.sock.close()
        _be_child(request, own, task, names, limits, output[1], report[1])
    own.close()
    os.close(output[1])
    os.close(report[1])
    watch = Watch(child, limits, output[0], report[0], control)
    try:
        watch.until_end()
    finally:
        end_descendants(child)
        clear_scratch()
        os.close(output[0])
        os.close(report[0])
    seconds = round(time.monotonic() - started, 3)
    return {**watch.found(), "seconds": seconds}


def _be_child(
    request: dict,
    own: socket.socket,
    task: Task,
    names: dict,
    limits: Limits,
    output: int,
    report: int,
) -> None:
    """Confine this process and do the task; never return."""
    code = 70
    try:
        os.setsid()
        die_with_parent()
        nothing = os.open(os.devnull, os.O_RDWR)
        for here, there in ((nothing, 0), (output, 1), (output, 2)):
            os.dup2(here, there)
        sys.stdin = io.StringIO()
        sys.stdout = os.fdopen(1, "w", 1, errors="backslashreplace", closefd=False)
        sys.stderr = sys.stdout
        close_files({own.fileno(), *([report] * ("report" in request))})
        set_seed(0)
        confine(limits)
        text = task(request, own, names)
        if "report" in request:
            os.write(report, text.encode(errors="replace")[:REPORT_LIMIT])
        sys.stdout.flush()
        code = 0
    except MemoryError:
        code = 71
    except BaseException:
        if "report" in request:
            os.write(report, b'{"broken": %s}' % ascii(_last_lines()).encode())
    finally:
        os._exit(code)


def _last_lines() -> str:
    return traceback.format_exc(limit=-3)[-1000:].replace("'", "").replace('"', "")


@dataclass
class Watch:
    """Looks after one fork: collects what it says, ends it at its limits."""

    child: int
    limits: Limits
    output: int
    report: int
    control: Channel
    said: bytearray = field(default_factory=bytearray)
    n_said: int = 0
    reported: bytearray = field(default_factory=bytearray)
    why: str = ""
    status: int | None = None

    def until_end(self) -> None:
        """Wait until the child ends, by itself or not."""
        deadline = time.monotonic() + self.limits.clock
        next_look = 0.0
        files = {self.output, self.report, self.control.sock.fileno()}
        while self.status is None:
            is_open = self.output in files or self.report in files
            patience = LOOK_EVERY if is_open else 0.005
            ready, _, _ = select.select(list(files), [], [], patience)
            for file in ready:
                if not self._read(file):
                    files.discard(file)
            if time.monotonic() > deadline:
                self.end("time")
            elif not self.why and time.monotonic() > next_look:
                self._measure()
                next_look = time.monotonic() + LOOK_EVERY
            pid, status = os.waitpid(self.child, os.WNOHANG)
            if pid:
                self.status = status
        for file in files & {self.output, self.report}:
            os.set_blocking(file, False)
            while self._read(file):
                pass

    def end(self, why: str) -> None:
        """Kill the child, once."""
        self.why = self.why or why
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.child, signal.SIGKILL)

    def _read(self, file: int) -> bool:
        """Take what is there; False if nothing will come any more."""
        if file == self.control.sock.fileno():
            with contextlib.suppress(Closed):
                self.control.receive()  # the grader says: stop
            self.end("asked")
            return False
        try:
            data = os.read(file, 1 << 16)
        except BlockingIOError:
            return False
        if file == self.report:
            self.reported += data[: REPORT_LIMIT - len(self.reported)]
        else:
            self.n_said += len(data)
            self.said += data[: self.limits.output_kb * 1024 - len(self.said)]
        return bool(data)

    def _measure(self) -> None:
        """End a child whose memory, threads or files have grown too far."""
        try:
            with open(f"/proc/{self.child}/status") as file:
                lines = dict(line.split(":", 1) for line in file if ":" in line)
        except (OSError, ValueError):
            return
        if int(lines.get("Threads", "0")) > self.limits.threads:
            self.end("threads")
        if any(_n_files(folder) > MAX_FILES for folder in scratch()):
            self.end("files")
        used = int(lines.get("RssAnon", "0 kB").split()[0]) // 1024
        if used * MB > self._allowed():
            self.end("memory")

    def _allowed(self) -> int:
        with open("/proc/self/status") as file:
            lines = dict(line.split(":", 1) for line in file if ":" in line)
        own = int(lines.get("RssAnon", "0 kB").split()[0]) * 1024
        return own + self.limits.memory_mb * MB

    def found(self) -> dict[str, Any]:
        """Say how it ended, and what it wrote."""
        assert self.status is not None
        said = bytes(self.said).decode("utf8", "replace")
        cut = self.n_said - len(self.said)
        if cut > 0:
            said += f"\n[{cut:,} more bytes were printed]"
        return {
            "why": self.why,
            "code": os.waitstatus_to_exitcode(self.status),
            "output": said,
            "report": bytes(self.reported).decode("utf8", "replace"),
        }


def _n_files(folder: str) -> int:
    found = os.statvfs(folder)
    return found.f_files - found.f_ffree


def scratch() -> list[str]:
    """List the folders that are the sandbox's own to write in."""
    if os.getpid() != 1:
        return []  # no sandbox: they belong to everybody
    there = [folder for folder in SCRATCH if os.path.isdir(folder)]
    return [f for f in there if not os.statvfs(f).f_flag & os.ST_RDONLY]


def end_descendants(child: int) -> None:
    """Kill what a task may have left: all there is in a sandbox, else its group."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if os.getpid() == 1:
            os.kill(-1, signal.SIGKILL)
        else:
            os.killpg(child, signal.SIGKILL)
    with contextlib.suppress(ChildProcessError):
        while os.getpid() == 1 and os.waitpid(-1, 0)[0]:
            pass


def clear_scratch() -> None:
    """Delete what a task wrote, so that the next one finds nothing of it.

    Raises
    ------
    OSError
        If something stays: then this room is of no more use, and a new one opens.
    """
    for folder in scratch():
        os.chmod(folder, 0o755)
        for top, folders, _ in os.walk(folder):
            for name in folders:
                with contextlib.suppress(OSError):
                    os.chmod(os.path.join(top, name), 0o700, follow_symlinks=False)
        for entry in list(os.scandir(folder)):
            if entry.is_dir(follow_symlinks=False):
                shutil.rmtree(entry.path, ignore_errors=True)
            else:
                os.unlink(entry.path)
        if os.listdir(folder):
            raise OSError(f"{folder} cannot be emptied")
        os.utime(folder, (0, 0))  # times can be set: a message to the next task


def main(task: Task) -> None:
    """Serve on the file whose number is the first argument."""
    die_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # number 1 gets what it handles alone
    control = Channel(socket.socket(fileno=int(sys.argv[1])))
    with contextlib.suppress(Closed):
        serve(control, task)
