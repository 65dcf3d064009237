"""Plant the faults of the lists beside this file, one by one: the tests must go red.

A fault is a replacement in one file, and the tests that have to find it::

    [[fault]]
    name = "a future token can be seen"
    file = "llmbook_utils/models/attention/gpt.py"
    old = "is_causal=True"
    new = "is_causal=False"
    finds = ["tests/unit/test_gpt.py"]

``old`` stands in the file once. ``finds`` are arguments of pytest; without the fault
they are green. Where a fault needs a command of its own, ``command`` stands for it: the
command ends with 0 on the whole tree and with something else on the broken one.

Usage: ``python tests/faults [--jobs N] [LIST | part of a fault's name] ...``
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import Queue

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
FIELDS = {"name", "file", "old", "new", "finds", "command"}


def read(names: list[str]) -> list[dict]:
    """Read the faults of all lists, or those of the lists or names that are asked."""
    found = []
    for path in sorted(HERE.glob("*.toml")):
        for fault in tomllib.loads(path.read_text(encoding="utf8"))["fault"]:
            unknown = set(fault) - FIELDS
            assert not unknown, f"{path.name}: {fault['name']}: what is {unknown}?"
            if not names or any(n == path.stem or n in fault["name"] for n in names):
                found.append({"list": path.stem, **fault})
    return found


def copy_tree(folder: Path) -> Path:
    """Copy what git knows of, or would take in."""
    listing = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    done = subprocess.run(listing, cwd=ROOT, capture_output=True, check=True, text=True)
    for name in done.stdout.split("\0"):
        if name and (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    return folder


def command_of(fault: dict) -> list[str]:
    """Give the command that has to find a fault."""
    if "command" in fault:
        return [sys.executable if w == "python" else w for w in fault["command"]]
    pytest = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider"]
    return [*pytest, *fault["finds"]]


def run(fault: dict, tree: Path) -> subprocess.CompletedProcess[str]:
    """Run the command on a tree."""
    # The tree's own packages stand before those that are installed.
    path = f"{tree}{os.pathsep}{tree / 'tools'}"
    env = {**os.environ, "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"}
    env.setdefault("OMP_NUM_THREADS", "1")
    return subprocess.run(
        command_of(fault), cwd=tree, env=env, capture_output=True, text=True
    )


def plant(fault: dict, tree: Path) -> str:
    """Break a tree, run the tests, mend it; "red", or what is wrong."""
    path = tree / fault["file"]
    whole = path.read_text(encoding="utf8")
    if whole.count(fault["old"]) != 1:
        return f"`old` stands {whole.count(fault['old'])} times in {fault['file']}"
    try:
        path.write_text(whole.replace(fault["old"], fault["new"]), encoding="utf8")
        done = run(fault, tree)
    finally:
        path.write_text(whole, encoding="utf8")
    is_pytest = "command" not in fault
    if done.returncode == 1 or (done.returncode and not is_pytest):
        return "red"
    if done.returncode == 0:
        return "NOT FOUND"
    return f"pytest ended with {done.returncode}:\n{done.stdout[-2000:]}{done.stderr}"


def main() -> int:
    """Plant all that is asked, report each, and end with how many stayed hidden."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("names", nargs="*")
    parser.add_argument("--jobs", type=int, default=2)
    args = parser.parse_args()
    faults, trees, hidden = read(args.names), Queue(), 0
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(args.jobs) as pool:
        for number in range(args.jobs):
            trees.put(copy_tree(Path(folder) / str(number)))

        def with_tree(task, fault):
            tree, start = trees.get(), time.monotonic()
            try:
                return fault, task(fault, tree), time.monotonic() - start
            finally:
                trees.put(tree)

        whole = {tuple(command_of(f)): f for f in faults}.values()
        for fault, done, _ in pool.map(lambda f: with_tree(run, f), whole):
            if done.returncode:
                print(f"red on the whole tree: {command_of(fault)}\n{done.stdout}")
                return 2
        for fault, said, seconds in pool.map(lambda f: with_tree(plant, f), faults):
            hidden += said != "red"
            print(f"{fault['list']}: {fault['name']}: {said} ({seconds:.0f} s)")
            sys.stdout.flush()
    print(f"{len(faults) - hidden} of {len(faults)} planted faults were found")
    return int(hidden > 0)


if __name__ == "__main__":
    sys.exit(main())
