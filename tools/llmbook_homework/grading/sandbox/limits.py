"""What a process may use: memory, time, files, and no other process.

Without bubblewrap these limits hold too, but they hide nothing: they are not the
sandbox, only its inner wall.
"""

import contextlib
import ctypes
import os
import platform
import resource
import struct
from dataclasses import dataclass

MB = 1024**2
PR_SET_DUMPABLE, PR_SET_SECCOMP, PR_SET_NO_NEW_PRIVS = 4, 22, 38
PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36
ALLOW, EPERM_, ENOSYS_, KILL = 0x7FFF0000, 0x00050001, 0x00050026, 0x80000000
CLONE_THREAD = 0x10000
X32 = 0x40000000
OWN_SOCKETS = (1, 2, 10)  # AF_UNIX, AF_INET, AF_INET6; vsock reaches a host's VMs
# Numbers of the kernel's calls: AUDIT_ARCH, clone, clone3, socket, prlimit64, and those
# that are refused: other processes (fork, vfork, ptrace, process_vm_*, pidfd_getfd,
# setpriority, sched_set*, ioprio_set, migrate_pages, move_pages), memory that no limit
# counts (memfd_create, shmget), what a sandbox is left by (unshare, setns, mount, bpf,
# perf_event_open, userfaultfd, io_uring_setup), and what outlives a process (semget,
# msgget, mq_open, keyctl, add_key, request_key, *setxattr).
CALLS = {
    "x86_64": (0xC000003E, 56, 435, 41, 302, [
        57, 58, 101, 310, 311, 438, 319, 447, 29, 272, 308, 165, 321, 298, 250, 323,
        425, 64, 68, 240, 248, 249, 141, 142, 144, 203, 314, 251, 256, 279, 188, 189,
        190,
    ]),
    "aarch64": (0xC00000B7, 220, 435, 198, 261, [
        117, 270, 271, 438, 279, 447, 194, 97, 268, 40, 280, 241, 219, 282, 425,
        190, 186, 180, 217, 218, 140, 118, 119, 122, 274, 30, 238, 239, 5, 6, 7,
    ]),
}  # fmt: skip


@dataclass(frozen=True)
class Limits:
    """What one exercise of one student may use.

    Attributes
    ----------
    seconds : float
        Of processor time; twice that by the clock.
    memory_mb : int
        On top of what the chapter's own code takes.
    files_mb : int
        Scratch space, and the largest file.
    output_kb : int
        Of what is printed; the rest is thrown away.
    threads : int
    """

    seconds: float = 30.0
    memory_mb: int = 2048
    files_mb: int = 64
    output_kb: int = 10
    threads: int = 64

    @property
    def clock(self) -> float:
        """Seconds by the clock after which a process is ended."""
        return 2 * self.seconds + 1


def close_files(kept: set[int]) -> None:
    """Close the files of the process that this one is a copy of."""
    for name in os.listdir("/proc/self/fd"):
        if int(name) > 2 and int(name) not in kept:
            with contextlib.suppress(OSError):  # the listing's own
                os.close(int(name))


def _prctl(option: int, *values: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(option, *(ctypes.c_ulong(v) for v in (*values, 0, 0, 0, 0)[:4])):
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error), f"prctl({option})")


def hide_from_debuggers() -> None:
    """Let no process of the same user look into this one's memory."""
    _prctl(PR_SET_DUMPABLE, 0)


def adopt_orphans() -> None:
    """Become the parent of descendants whose own parent ends."""
    _prctl(PR_SET_CHILD_SUBREAPER, 1)


def die_with_parent() -> None:
    """Be killed when the parent ends."""
    _prctl(PR_SET_PDEATHSIG, 9)


def _only(call: int, allowed: tuple[int, ...]) -> list[tuple[int, int, int, int]]:
    """Allow a call if its first argument is one of a few numbers."""
    load, equal, give = 0x20, 0x15, 0x06
    n = len(allowed)
    tests = [(equal, n - i, 0, value) for i, value in enumerate(allowed)]
    refuse, allow = (give, 0, 0, EPERM_), (give, 0, 0, ALLOW)
    return [(equal, 0, n + 3, call), (load, 0, 0, 16), *tests, refuse, allow]


def _filter(
    arch: int, clone: int, clone3: int, socket: int, prlimit: int, refused: list[int]
) -> bytes:
    """Assemble the seccomp program: a list of (code, jump if true, if false, value)."""
    load, equal, at_least, all_bits, give = 0x20, 0x15, 0x35, 0x45, 0x06
    program = [
        (load, 0, 0, 4),  # the architecture of the call
        (equal, 1, 0, arch),
        (give, 0, 0, KILL),
        (load, 0, 0, 0),  # its number
        (at_least, 0, 1, X32),
        (give, 0, 0, KILL),
        (equal, 0, 1, clone3),
        (give, 0, 0, ENOSYS_),  # libc then takes clone, whose flags can be read
        (equal, 0, 4, clone),
        (load, 0, 0, 16),  # its flags, lower half
        (all_bits, 0, 1, CLONE_THREAD),
        (give, 0, 0, ALLOW),
        (give, 0, 0, EPERM_),
    ]
    program += _only(socket, OWN_SOCKETS) + _only(prlimit, (0,))  # 0: of itself
    for number in refused:
        program += [(equal, 0, 1, number), (give, 0, 0, EPERM_)]
    program.append((give, 0, 0, ALLOW))
    return b"".join(struct.pack("HBBI", *line) for line in program)


def forbid_processes() -> bool:
    """Refuse, from now on and for good, to start or touch another process.

    Returns
    -------
    bool
        Whether it could be done: on 64-bit x86 and ARM with Linux.
    """
    if platform.machine() not in CALLS:
        return False
    code = _filter(*CALLS[platform.machine()])
    store = ctypes.create_string_buffer(code, len(code))
    program = struct.pack("HxxxxxxQ", len(code) // 8, ctypes.addressof(store))
    buffer = ctypes.create_string_buffer(program, len(program))
    try:
        _prctl(PR_SET_NO_NEW_PRIVS, 1)
        _prctl(PR_SET_SECCOMP, 2, ctypes.addressof(buffer))
    except OSError:
        return False
    return True


def _lower(kind: int, value: int) -> None:
    hard = resource.getrlimit(kind)[1]
    value = value if hard == resource.RLIM_INFINITY else min(value, hard)
    resource.setrlimit(kind, (value, value))


def confine(limits: Limits) -> None:
    """Set this process's limits, for good.

    Parameters
    ----------
    limits : Limits
        What is left to it.
    """
    with open("/proc/self/statm") as file:
        now = int(file.read().split()[0]) * resource.getpagesize()
    _lower(resource.RLIMIT_AS, now + limits.memory_mb * MB)
    _lower(resource.RLIMIT_FSIZE, limits.files_mb * MB)
    _lower(resource.RLIMIT_CPU, int(limits.seconds) + 1)
    _lower(resource.RLIMIT_NOFILE, 128)
    _lower(resource.RLIMIT_CORE, 0)
    _lower(resource.RLIMIT_MSGQUEUE, 0)
    hide_from_debuggers()
    if not forbid_processes():
        _lower(resource.RLIMIT_NPROC, limits.threads)
