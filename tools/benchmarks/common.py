"""What the benchmarks share: a fair clock, the machine's own speed, memory, a table."""

from __future__ import annotations

import argparse
import platform
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch


def synchronize(device: torch.device) -> None:
    """Wait until a GPU has done what it was told."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def clock_of(args: argparse.Namespace) -> Callable[[], float]:
    """Give the clock that the command line asks for."""
    return time.process_time if args.cpu_time else time.perf_counter


def seconds(
    work: Callable[[], object], device: torch.device, clock: Callable[[], float]
) -> float:
    """Time one call."""
    synchronize(device)
    start = clock()
    work()
    synchronize(device)
    return clock() - start


@dataclass
class Contestant:
    """Something that is timed against others.

    Attributes
    ----------
    name : str
        For the table, and for the command line of the memory run.
    prepare : callable
        Gives the work of one repetition; called in a process of its own for memory.
    settings : callable
        Gives a context manager that is entered around its repetitions.
    """

    name: str
    prepare: Callable[[], Callable[[], object]]
    settings: Callable


def race(
    contestants: list[Contestant], args: argparse.Namespace, device: torch.device
) -> dict[str, list[float]]:
    """Time all by turns, so that whatever else the machine does hits all alike.

    Parameters
    ----------
    contestants : list of Contestant
        Who takes part.
    args : Namespace
        With `rounds`, `repeats` in each, and `cpu_time`.
    device : torch.device
        Where it runs.

    Returns
    -------
    dict of lists of float
        For each name, the median seconds of each round. The first repetition in a round
        warms up and does not count, nor does the first round.
    """
    works = {c.name: c.prepare() for c in contestants}
    times: dict[str, list[float]] = {c.name: [] for c in contestants}
    clock = clock_of(args)
    for _ in range(args.rounds + 1):
        for c in contestants:
            work = works[c.name]
            with c.settings():
                work()
                taken = [seconds(work, device, clock) for _ in range(args.repeats)]
            times[c.name].append(statistics.median(taken))
    return {name: taken[1:] for name, taken in times.items()}


def ratio(times: dict[str, list[float]], slow: str, fast: str) -> float:
    """How many times as fast `fast` was: the median of the rounds."""
    pairs = zip(times[slow], times[fast], strict=True)
    return statistics.median(a / b for a, b in pairs)


def product_rate(
    shape: tuple[int, int, int],
    dtype: torch.dtype,
    device: torch.device,
    clock: Callable[[], float],
) -> float:
    """Measure the matrix product (m, k) by (k, n): 10 ** 9 operations a second."""
    m, k, n = shape
    a = torch.randn(m, k, device=device).to(dtype)
    b = torch.randn(n, k, device=device).to(dtype).T  # as weights lie in memory
    repeats = min(100, max(1, int(1e9 / (m * k * n))))

    def work() -> None:
        for _ in range(repeats):
            a @ b

    work()
    taken = statistics.median(seconds(work, device, clock) for _ in range(5))
    return 2e-9 * m * k * n * repeats / taken


def peak_memory(
    script: str, name: str, args: argparse.Namespace, arguments: list[str]
) -> str:
    """Run a contestant in a process of its own; its peak memory in MB.

    On a CPU the largest resident set, torch itself included; on a GPU the largest sum
    of tensors.
    """
    if args.memory == "no":
        return "-"
    command = [sys.executable, script, *arguments, "--memory-of", name]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} failed:\n{done.stderr[-2000:]}")
    return f"{float(done.stdout.splitlines()[-1]):.0f}"


def print_peak_memory(contestant: Contestant, device: torch.device) -> None:
    """Do the work a few times and print the peak in MB: the other end of the above."""
    work = contestant.prepare()
    with contestant.settings():
        for _ in range(3):
            work()
    synchronize(device)
    if device.type == "cuda":
        print(torch.cuda.max_memory_allocated(device) / 1e6)
    else:
        print(_largest_resident_set() / 1e6)


def _largest_resident_set() -> float:
    """Give this process's largest resident set in bytes."""
    status = Path("/proc/self/status")
    if status.exists():  # subtle: getrusage's is at least that of the parent process
        line = next(s for s in status.read_text().splitlines() if "VmHWM" in s)
        return 1024 * float(line.split()[1])
    unit = 1 if sys.platform == "darwin" else 1024
    return unit * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def machine(device: torch.device) -> str:
    """Describe what it runs on, in a line."""
    if device.type == "cuda":
        what = torch.cuda.get_device_name(device)
    else:
        what = platform.machine()
        info = Path("/proc/cpuinfo")
        if info.exists():
            names = [s for s in info.read_text().splitlines() if "model name" in s]
            what = names[0].split(":")[1].strip() if names else what
        what += f", {torch.backends.cpu.get_cpu_capability()}"
        what += f", {torch.get_num_threads()} threads"
    return f"{what}; torch {torch.__version__}"


def parser(description: str, numbers: dict[str, int]) -> argparse.ArgumentParser:
    """Make a parser for whole numbers, and for the options of all benchmarks."""
    parser = argparse.ArgumentParser(description=description)
    for name, value in numbers.items():
        parser.add_argument(f"--{name}", type=int, default=value)
    parser.add_argument(
        "--cpu-time",
        action="store_true",
        help="time the processor is busy with it, for a machine that is shared; with "
        "OMP_NUM_THREADS=1 only",
    )
    parser.add_argument(
        "--memory", choices=["yes", "no"], default="yes", help="whether to measure it"
    )
    parser.add_argument("--memory-of", help=argparse.SUPPRESS)
    return parser


def table(header: list[str], rows: list[list[str]]) -> str:
    """Write a Markdown table, the first column left, numbers right."""
    cells = [header, *rows]
    widths = [max(len(row[i]) for row in cells) for i in range(len(header))]

    def line(row: list[str]) -> str:
        padded = [row[0].ljust(widths[0])]
        padded += [x.rjust(w) for x, w in zip(row[1:], widths[1:], strict=True)]
        return f"| {' | '.join(padded)} |"

    rule = ["-" * widths[0], *("-" * (w - 1) + ":" for w in widths[1:])]
    return "\n".join([line(header), line(rule), *map(line, rows)])
