"""Hostile submissions: each is tried, gets nothing, and harms no other exercise."""

import contextlib
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
import toy

from llmbook_homework.grading.batch import Submission, grade_file
from llmbook_homework.grading.grader import Grader, Worker
from llmbook_homework.grading.sandbox import bubblewrap
from llmbook_homework.grading.sandbox.limits import Limits
from llmbook_homework.grading.sandbox.rpc import Channel

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("body", "status", "reason"),
    [
        ("import os\nos._exit(0)", "stopped", "exit code 0"),
        ("import sys\nsys.exit(0)", "stopped", "called exit (line 3 in total)"),
        ("raise KeyboardInterrupt", "stopped", "KeyboardInterrupt"),
        (  # more than its time by the processor, less by the clock
            "import time\nwhile time.process_time() < 2.7:\n    pass\nreturn 6",
            "stopped",
            "Stopped after 1 s",
        ),
        ("import time\ntime.sleep(1000)", "stopped", "Stopped after 1 s"),
        ("return bytearray(10**10)", "stopped", "memory"),
        ("import numpy\nreturn numpy.ones(10**10)", "stopped", "memory"),
        ("x = []\nwhile True:\n    x.append(bytes(10**6))", "stopped", "memory"),
        (
            "import mmap\nblocks = [mmap.mmap(-1, 10**8) for _ in range(9)]\n"
            "for block in blocks:\n    block.write(b'x' * 10**8)\nreturn 6",
            "error",
            "Cannot allocate memory",
        ),
        (
            "import os\nfiles = [os.dup(1) for _ in range(500)]\nreturn 6",
            "error",
            "Too many open files",
        ),
        ("import os\nos.fork()\nreturn 6", "error", "PermissionError"),
        ("import os\nwhile True:\n    os.fork()", "error", "PermissionError"),
        (
            "import subprocess\nsubprocess.run(['/bin/true'])\nreturn 6",
            "error",
            "PermissionError",
        ),
        ("import ctypes\nctypes.string_at(0)", "stopped", "SIGSEGV"),
        ("def f(n):\n    return f(n + 1)\nreturn f(0)", "error", "RecursionError"),
        ("import os\nos.kill(os.getpid(), 19)", "stopped", "Stopped after 1 s"),
        ("import os, signal\nos.kill(0, 9)", "stopped", "SIGKILL"),
        ("import os\nos.kill(1, 9)\nreturn None", "failed", "1 + 2 + 3"),
    ],
    ids=lambda value: value.replace("\n", "; ")[:40],
)
def test_code_that_ends_or_never_does(attack, body, status, reason):
    row = attack(body)
    assert (row.status, row.score) == (status, 0), row
    assert reason in row.reason, row


def test_limits_are_set_for_good(attack):
    """Each for itself: what one of them stops, another might have stopped later."""
    row = attack(
        "import resource\nfor name in ('CPU', 'FSIZE', 'NOFILE', 'CORE', 'AS'):\n"
        "    print(*resource.getrlimit(getattr(resource, 'RLIMIT_' + name)))\n"
        "print(*open('/proc/self/statm').read().split()[:1])\nreturn 6"
    )
    *limits, (pages,) = (line.split() for line in row.output.splitlines())
    assert all(soft == hard for soft, hard in limits), limits
    cpu, file, files, core, memory = (int(soft) for soft, _ in limits)
    assert (cpu, file, files, core) == (2, 64 * 2**20, 128, 0)
    now = int(pages) * os.sysconf("SC_PAGESIZE")
    assert 0 < memory - now <= 400 * 2**20


def test_many_threads_are_stopped(attack):
    row = attack(
        "import threading, time\nthreading.stack_size(32768)\nfor _ in range(200):\n"
        "    threading.Thread(target=time.sleep, args=(100,), daemon=True).start()\n"
        "time.sleep(1)\nreturn 6"
    )
    assert row.status == "stopped" and "more than 64 threads" in row.reason, row


def test_a_gigabyte_of_output_is_cut(attack):
    row = attack("line = 'x' * 10**6\nfor _ in range(1000):\n    print(line)\nreturn 6")
    assert len(row.output) < 11_000
    assert row.output.endswith("more bytes were printed]") or row.status == "stopped"


def test_output_below_python_is_kept_too(attack):
    row = attack("import os\nos.write(1, b'to the pipe')\nprint('to python')\nreturn 6")
    assert row.score == 2
    assert "to the pipe" in row.output and "to python" in row.output


def test_a_daemon_cannot_be_left(attack):
    row = attack(
        "import os, time\nif os.fork() == 0:\n    os.setsid()\n    time.sleep(1000)\n"
        "return 6"
    )
    assert row.score == 0 and "PermissionError" in row.reason


def test_nothing_runs_on_after_grading(grade, chapter):
    """A thread that never ends is gone with its process."""
    loop = (
        "import threading\ndef total(numbers):\n"
        "    def forever():\n        while True: pass\n"
        "    threading.Thread(target=forever, daemon=False).start()\n    return 6"
    )
    before = workers()  # the room of other tests may be open
    assert grade({"ex2": loop}).exercise("ch90-ex2").score == 2
    assert workers() == before


def workers():
    """Ids of this process's workers; -ww: lines are not cut."""
    command = ["ps", "-ww", "-eo", "pid,ppid,args"]
    listed = subprocess.run(command, capture_output=True, text=True, check=True)
    return {
        line.split()[0]
        for line in listed.stdout.splitlines()[1:]
        if "homework.grading.worker" in line and int(line.split()[1]) == os.getpid()
    }


@pytest.mark.parametrize(
    "address", ["('1.1.1.1', 53)", "('127.0.0.1', 22)", "('localhost', 8888)"]
)
def test_there_is_no_network(attack, address):
    row = attack(
        f"import socket\nsocket.create_connection({address}, timeout=1)\nreturn 6"
    )
    assert row.score == 0
    assert "error" in row.reason.lower() or "unreachable" in row.reason


def test_a_server_of_this_machine_is_out_of_reach(attack):
    """A listener is there, and a control outside reaches it."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        socket.create_connection(("127.0.0.1", port), timeout=2).close()
        row = attack(
            f"import socket\nsocket.create_connection(('127.0.0.1', {port}), 1)\n"
            "return 6"
        )
    assert row.score == 0 and "Connection" in row.reason


def test_the_disk_cannot_be_filled(attack):
    row = attack(
        "n = 0\ntry:\n    for i in range(10):\n"
        "        with open(f'/tmp/{i}', 'wb') as file:\n"
        "            for _ in range(50):\n"
        "                n += file.write(bytes(10**6))\n"
        "except OSError as error:\n    print(error.strerror)\n"
        "print(n // 10**6, 'MB')\nreturn None"
    )
    assert "MB" in row.output
    assert int(row.output.split()[-2]) <= 70, row.output


@pytest.mark.parametrize("place", ["/", "/usr/lib", "/book", "/dev", "/etc", "/var/x"])
def test_nothing_but_scratch_is_writable(attack, place):
    row = attack(f"open({place!r} + '/mine', 'w').write('x')\nreturn 6")
    assert row.score == 0
    assert "Read-only" in row.reason or "No such file" in row.reason, row


def test_files_of_the_grader_are_not_there(attack, tmp_path):
    """No notebook of the book, no home, no course: the control sees them all."""
    secret = tmp_path / "gradebook.db"
    secret.write_text("x")
    places = [
        Path.home(), secret, ROOT / "notebooks", ROOT / "tests", ROOT / ".git",
        Path("/etc/passwd"), Path("/etc/shadow"), Path("/root/.ssh"), Path(__file__),
        ROOT / "pyproject.toml", *sorted((ROOT / "notebooks").glob("*.ipynb")),
    ]  # fmt: skip
    assert secret.exists() and (ROOT / "notebooks").exists()
    asked = [str(place) for place in places]
    row = attack(
        "import os\nfor place in " + repr(asked) + ":\n"
        "    if os.path.isfile(place) or os.path.isdir(place) and any(\n"
        "            os.path.isfile(os.path.join(place, n))\n"
        "            for n in os.listdir(place)):\n"
        "        print('sees', place)\nreturn None"
    )
    assert "sees" not in row.output, row.output


def test_no_solution_and_no_hidden_test_is_in_any_file_or_memory(attack):
    """All of the sandbox's own files and memory are searched for both."""
    row = attack(
        "import gc, sys\n"
        "needle = 'canary-of-the-' + 'hidden-tests'\n"
        "found = [x for x in gc.get_objects() if isinstance(x, (str, dict, list))\n"
        "         and needle in str(x)[:100000] and 'needle' not in str(x)[:100000]]\n"
        "print('objects', len(found))\n"
        "import os\nfor top, folders, files in os.walk('/book'):\n"
        "    for name in files:\n"
        "        data = open(os.path.join(top, name), 'rb').read()\n"
        "        if needle.encode() in data: print('file', name)\n"
        "print('environment', needle in str(os.environ))\nreturn None",
        seconds=20,  # every object is made a string
    )
    assert "objects 0" in row.output and "environment False" in row.output, row
    assert "file" not in row.output.replace("objects", "")


def test_memory_of_the_parent_process_is_closed(attack):
    row = attack("return open('/proc/1/mem', 'rb').read(10)")
    assert row.score == 0 and ("Permission" in row.reason or "No such" in row.reason)


def test_other_processes_are_not_seen(attack):
    row = attack(
        "import os\nprint([p for p in os.listdir('/proc') if p.isdigit()])\nreturn None"
    )
    assert len(row.output.split(",")) <= 3, row.output


def test_the_kernels_settings_cannot_be_written(attack):
    """A grader that is root owns them: inside they must be read-only all the same."""
    row = attack(
        "import os\nfor top, folders, files in os.walk('/proc/sys'):\n"
        "    for name in files:\n        try:\n"
        "            os.close(os.open(os.path.join(top, name), os.O_WRONLY))\n"
        "            print('opened', name)\n        except OSError:\n"
        "            pass\nreturn 6"
    )
    assert row.status == "passed" and "opened" not in row.output, row


def test_no_file_of_the_first_process_is_left_open(attack):
    row = attack(
        "import os\nfor n in sorted(map(int, os.listdir('/proc/self/fd'))):\n"
        "    try:\n        print(os.readlink(f'/proc/self/fd/{n}').split(':')[0])\n"
        "    except OSError:\n        pass\nreturn 6"
    )
    assert row.output.split() == ["/dev/null", "pipe", "pipe", "socket"]


@pytest.mark.parametrize(
    "line",
    [
        "os.kill(1, 2)",
        "os.kill(1, 15)",
        "resource.prlimit(1, resource.RLIMIT_NOFILE, (0, 0))",
        "resource.prlimit(1, resource.RLIMIT_STACK, (4096 * 4321, -1))",
        "os.setpriority(os.PRIO_PROCESS, 1, 19)",
        "os.sched_setaffinity(1, {0})",
        "os.sched_setscheduler(1, os.SCHED_IDLE, os.sched_param(0))",
    ],
)
def test_the_first_process_of_the_sandbox_cannot_be_changed(attack, room, line):
    """Neither ended, nor given limits that the next exercise's process would have."""
    first = room.room().process.pid
    ask = "print(resource.getrlimit(resource.RLIMIT_STACK), os.getpriority(0, 1))\n"
    before = attack(f"import os, resource\n{ask}return 6").output
    row = attack(f"import os, resource\n{line}\nreturn None")
    assert row.score == 0 and ("kill" in line or "PermissionError" in row.reason), row
    assert attack(f"import os, resource\n{ask}return 6").output == before
    assert room.room().process.pid == first


def test_sockets_are_of_kinds_that_end_in_the_sandbox(attack):
    """A vsock reaches the host of a virtual machine from any network namespace."""
    row = attack(
        "import socket\nfor family in range(64):\n    for kind in (1, 2, 3, 5):\n"
        "        try:\n            socket.socket(family, kind).close()\n"
        "        except OSError:\n            continue\n"
        "        print(family)\nreturn 6"
    )
    assert set(row.output.split()) <= {"1", "2", "10"}, row.output


@pytest.mark.parametrize(
    "leave",
    [
        "os.utime('/tmp', (4321, 4321))",
        "os.chmod('/tmp', 0o500)",
        "os.chmod('/dev/shm', 0)",
        "os.setxattr('/tmp', 'user.note', b'4321')",
        "os.makedirs('/tmp/a/b'); os.chmod('/tmp/a/b', 0); os.chmod('/tmp/a', 0)",
        "os.symlink('/usr', '/tmp/usr')",
    ],
)
def test_nothing_of_a_task_is_left_to_the_next(attack, leave):
    look = (
        "import os, stat\nfor folder in ('/tmp', '/dev/shm'):\n"
        "    found = os.stat(folder)\n"
        "    print(stat.filemode(found.st_mode), found.st_atime, found.st_mtime,\n"
        "          os.listdir(folder), os.listxattr(folder))\nreturn 6"
    )
    attack("return 6")
    before = attack(look).output
    assert "drwx" in before
    attack(f"import os\n{leave}\nreturn 6")
    assert attack(look).output == before


def test_a_room_that_cannot_be_emptied_is_left(attack, room):
    """Folders in folders, deeper than Python deletes: the next task has a new room."""
    first = room.room().process.pid
    row = attack(
        "import os\nos.chdir('/tmp')\nfor _ in range(3000):\n"
        "    os.mkdir('d')\n    os.chdir('d')\nreturn 6"
    )
    assert row.status == "passed"
    assert attack("import os\nprint(os.listdir('/tmp'))\nreturn 6").output == "[]\n"
    assert room.room().process.pid != first


def test_many_empty_files_are_stopped(attack):
    """They take no space of the disk, and a kilobyte each of the kernel's."""
    row = attack("import os\nn = 0\nwhile True:\n    os.mknod(f'/tmp/{n}')\n    n += 1")
    assert row.status == "stopped" and "files" in row.reason, row


def test_the_environment_is_the_sandboxs_own(attack):
    row = attack("import os\nprint(*os.environ)\nprint(os.environ['HOME'])\nreturn 6")
    *names, home = row.output.split()
    assert set(names) <= {*bubblewrap.ENVIRONMENT, "PYTHONPATH", "PWD", "LC_CTYPE"}
    assert home == "/tmp"


def test_a_room_loads_no_more_than_it_needs(attack):
    """Each submission opens one: a second of imports is a second for each student."""
    asked = {"torch", "nbformat", "nbgrader", "packaging.requirements"}
    row = attack(f"import sys\nprint(*{asked} & set(sys.modules))\nreturn 6")
    assert row.output == "torch\n"


def test_a_result_file_cannot_be_written(attack, tmp_path):
    """What lies outside is not there; what a submission says is not believed."""
    target = tmp_path / "results" / "ada.json"
    target.parent.mkdir()
    row = attack(
        f"import os\nos.makedirs({str(target.parent)!r}, exist_ok=True)\n"
        f"open({str(target)!r}, 'w').write('100')\nreturn 6"
    )
    assert not target.exists(), row


FORGED = """\
import json, os, struct
head = json.dumps({**MESSAGE, "sizes": []}).encode()
data = struct.pack("<I", len(head)) + head
for fd in range(3, 64):
    try:
        os.write(fd, struct.pack("<Q", len(data)) + data)
    except OSError:
        pass
return 0
"""


@pytest.mark.parametrize(
    "message",
    [
        {"why": "", "code": 0, "report": '{"status": "passed", "reason": ""}'},
        {"value": {"t": "pickle", "b": 0, "parts": []}},
        {"do": "call", "tree": []},
        {"value": {"t": "lent", "n": "x"}},
        {"value": {"t": "array", "dtype": "O", "shape": [1], "b": 0}},
        {"value": {"t": "array", "dtype": "<f8", "shape": [10**12], "b": 0}},
        {"value": {"t": "range", "v": [0, "a", None]}},
        {"value": {"t": "range", "v": [0, 10**12]}},
        {"value": {"t": "yours", "n": 0}},
        {"value": {"t": "kept"}},
        {"value": {"t": "tensor", "dtype": "int8", "shape": [0, 2**62], "b": 0}},
        {"names": {"total": 6}},
        {"error": None},
        {"error": {"type": "AssertionError", "message": "", "where": "6 of 6"}},
        {"error": {"type": "BaseException"}},
        {"do": "call back", "tree": [0, [], {}]},
        {"ready": True},
    ],
    ids=str,
)
def test_forged_messages_give_no_points(attack, message):
    row = attack(FORGED.replace("**MESSAGE", f"**{message!r}"))
    assert row.score == 0 and row.status in ("error", "failed", "stopped"), row


def test_a_pickle_from_the_worker_is_never_read(attack):
    """It would give 6, or anything else, in the checker's own process."""
    row = attack(
        "import json, os, pickle, struct\n"
        "class Six:\n    def __reduce__(self):\n        return int, ('6',)\n"
        "body = pickle.dumps(Six())\n"
        "value = {'t': 'pickle', 'b': 0, 'parts': []}\n"
        "head = json.dumps({'value': value, 'sizes': [len(body)]}).encode()\n"
        "data = struct.pack('<I', len(head)) + head + body\n"
        "for fd in range(3, 64):\n    try:\n"
        "        os.write(fd, struct.pack('<Q', len(data)) + data)\n"
        "    except OSError:\n        pass\nreturn 0"
    )
    assert row.status == "error" and "unknown kind 'pickle'" in row.reason, row


def test_the_checker_cannot_be_patched(grade, one_room):
    """Whatever is patched is patched in the student's own process."""
    code = (
        "import builtins, sys, numpy, unittest.mock\n"
        "import llmbook_homework.grading.sandbox.checker as checker\n"
        "checker.verdict = lambda *a, **k: {'status': 'passed', 'reason': ''}\n"
        "checker.check_exercise = checker.verdict\n"
        "builtins.abs = lambda x: 0\n"
        "numpy.allclose = lambda *a, **k: True\n"
        "sys.modules['llmbook_utils'] = None\n"
        "class Six(int):\n"
        "    def __eq__(self, other): return True\n"
        "    __hash__ = int.__hash__\n"
        "def total(numbers):\n    return Six(7)\n"
        "def scale(x):\n    return 0 * x\n"
    )
    result = grade({**toy.RIGHT, "ex2": code, "ex3": code})
    assert [row.score for row in result.exercises] == [1, 0, 0]
    assert result.exercises[1].reason == "1 + 2 + 3 is 6."


def test_an_object_that_equals_everything_equals_nothing(grade, one_room):
    code = (
        "class Any:\n    def __eq__(self, other): return True\n"
        "    def __ne__(self, other): return False\n"
        "    def __bool__(self): return True\n"
        "def double(x):\n    return Any()\n"
        "def total(numbers):\n    return Any()\n"
    )
    result = grade({"ex1": code, "ex2": code})
    assert result.score == 0
    assert result.exercises[0].reason == "Twice 2 is 4."


def test_replacing_the_package_changes_nothing_for_the_checker(grade, one_room):
    code = (
        "import sys, types\n"
        "fake = types.ModuleType('llmbook_utils')\n"
        "sys.modules['llmbook_utils'] = fake\n"
        "for name in list(sys.modules):\n"
        "    if name.startswith('llmbook_homework'):\n"
        "        sys.modules[name] = fake\n"
        "def total(numbers):\n    return 5"
    )
    result = grade({**toy.RIGHT, "ex2": code})
    assert [row.score for row in result.exercises] == [1, 0, 3]


def test_a_cell_that_kills_its_worker_from_the_start(grade, one_room):
    """Code at the top level of a cell is as confined as in a function."""
    result = grade({**toy.RIGHT, "ex1": "import os\nos._exit(3)"})
    assert [row.score for row in result.exercises] == [0, 2, 3]
    assert "exit code 3" in result.exercises[0].reason


def test_endless_data_do_not_end_the_checker(grade, one_room):
    """A range that is cheap to send and endless to list costs its own points only."""
    code = "def total(numbers):\n    return [range(10**15)] * 1000"
    result = grade({**toy.RIGHT, "ex2": code})
    assert [row.score for row in result.exercises] == [1, 0, 3]


def test_two_students_do_not_see_each_other(chapter, grader, attack):
    """While one student's code waits, another's looks for its processes and files."""
    wait = "open('/tmp/canary', 'w').write('x')\nopen('/dev/shm/canary', 'w')"
    ours, theirs = socket.socketpair()
    with Worker(grader, chapter.exercises) as first, contextlib.closing(ours):
        room, channel = first.room(), Channel(ours)
        limits = Limits(seconds=600, memory_mb=400)
        room.begin({"source": wait, "chapter": [], "others": []}, theirs, limits)
        channel.send({"do": "define", "names": []})
        assert channel.receive() == ({"names": {}}, []), "the first one's code has run"
        found = attack(
            "import os\nprint(os.listdir('/tmp'), os.listdir('/dev/shm'))\n"
            "print(len([p for p in os.listdir('/proc') if p.isdigit()]))\nreturn 6"
        )
        assert room.end()["why"] == "asked", "the first one was there all the time"
    assert found.score == 2 and "canary" not in found.output
    assert int(found.output.split()[-1]) <= 2, found.output


def test_all_ends_with_the_grader(tmp_path):
    """A grader that is killed leaves no process behind."""
    script = (
        "import sys, time\n"
        "from llmbook_homework.grading.sandbox.room import Room\n"
        "from llmbook_homework.grading.sandbox.limits import Limits\n"
        "room = Room('worker', [], Limits())\n"
        "print(room.process.pid, flush=True)\n"
        "time.sleep(100)\n"
    )
    call = [sys.executable, "-c", script]
    process = subprocess.Popen(call, stdout=subprocess.PIPE, text=True)
    inner = int(process.stdout.readline())
    assert Path(f"/proc/{inner}").exists()
    process.kill()
    process.wait()
    process.stdout.close()
    deadline = time.monotonic() + 300
    while _is_alive(inner) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not _is_alive(inner)


def _is_alive(pid):
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().split(")")[1].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_without_bubblewrap_grading_is_refused(monkeypatch):
    monkeypatch.setattr(bubblewrap.shutil, "which", lambda name: None)
    bubblewrap.trouble.cache_clear()
    try:
        with pytest.raises(ValueError, match=r"apt install bubblewrap.*--unsafe"):
            bubblewrap.require(unsafe=False)
        assert bubblewrap.require(unsafe=True) == "none"
    finally:
        bubblewrap.trouble.cache_clear()


def test_unsafe_grades_too_and_says_so(chapter):
    from llmbook_homework.grading import submissions

    large = "def scale(x):\n    open('x', 'wb').truncate(10**8)\n    return 5 * x"
    answers = {**toy.RIGHT, "ex1": "import os\nos._exit(0)", "ex3": large}
    data = toy.as_bytes(toy.submission(chapter, answers))
    read = submissions.read(data, chapter.exercises)
    with Grader(chapter, chapter.exercises, Limits(seconds=2), is_safe=False) as own:
        result = own.grade("ada", "ch90", read)
        nothing = grade_file(own, Submission("bob", "ch90", None, own.exercises), b"")
    assert [row.score for row in result.exercises] == [0, 2, 0]
    assert "File too large" in result.exercises[2].reason
    assert result.sandbox == nothing.sandbox == "none"
