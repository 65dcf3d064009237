"""The sandbox: bubblewrap, or with ``--unsafe`` nothing.

Inside there is Python, the book's package, the grader's own code, 64 MB of scratch
space, no network, no home, and no process of anybody else.
"""

import functools
import os
import shutil
import subprocess
import sys
from pathlib import Path

import llmbook_homework
import llmbook_utils
from llmbook_homework.grading.sandbox.limits import MB

BOOK = "/book"
PACKAGES = [Path(p.__file__).parent for p in (llmbook_homework, llmbook_utils)]
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
REFUSAL = (
    "students' code is graded in a sandbox, and there is none: {reason}. Install "
    "bubblewrap (Debian, Ubuntu: apt install bubblewrap) and let users make "
    "namespaces, or add --unsafe: then a submission can read and change all that you "
    "can, other submissions, hidden tests and the gradebook among it"
)


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
    for package in PACKAGES:
        call += ["--ro-bind", str(package), f"{BOOK}/{package.name}"]
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
    here = os.pathsep.join(str(package.parent) for package in PACKAGES)
    return {**ENVIRONMENT, "PYTHONPATH": BOOK if is_safe else here}
