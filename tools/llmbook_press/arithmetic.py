"""Run notebooks and numerical unit tests as other processors would compute them.

One machine can compute as several do: each of the libraries that multiply and add takes
another path when told so. ``python -m llmbook_press.arithmetic`` runs everything under
all of them, with one thread and with two, and writes ``tests/arithmetic.json``: which
notebooks passed, with which outputs, on which processor. Nothing else writes it.

``--since`` is for every day: as AVX2, the notebooks that changed since their record,
and one of the others, chosen by the commit, as a check of the record itself.
"""

import argparse
import hashlib
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import nbformat

from llmbook_press import notebooks

ROOT = Path(__file__).resolve().parents[2]
RECORD = ROOT / "tests" / "arithmetic.json"
# What each library listens to. On AMD, MKL_ENABLE_INSTRUCTIONS changes nothing; there
# MKL_CBWR does. OpenBLAS is NumPy's.
MODES = {
    "AVX2": {
        "ATEN_CPU_CAPABILITY": "avx2",
        "ONEDNN_MAX_CPU_ISA": "AVX2",
        "MKL_ENABLE_INSTRUCTIONS": "AVX2",
        "MKL_CBWR": "AVX2",
        "OPENBLAS_CORETYPE": "Haswell",
    },
    "plain": {
        "ATEN_CPU_CAPABILITY": "default",
        "ONEDNN_MAX_CPU_ISA": "SSE41",
        "MKL_ENABLE_INSTRUCTIONS": "SSE4_2",
        "MKL_CBWR": "COMPATIBLE",
        "OPENBLAS_CORETYPE": "Nehalem",
    },
    "MKL alone": {"without": "oneDNN"},
    "native": {},
}
WAYS = [(mode, threads) for threads in (1, 2) for mode in MODES]
WITHOUT_ONEDNN = "import torch\n\ntorch.backends.mkldnn.enabled = False\n"
PYTEST = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-q"]
SCHEDULE = ["--dist", "loadfile", "--no-loadscope-reorder"]
NBVAL = ["--nbval", "--nbval-current-env", "-p", "llmbook_press.nbval_units"]


def processor() -> str:
    """Name the processor of this machine."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf8").splitlines()
    except OSError:
        return "unknown"
    about = dict(line.split(":", 1) for line in lines if ":" in line)
    about = {key.strip(): value.strip() for key, value in about.items()}
    bf16 = "with" if "avx512_bf16" in about.get("flags", "") else "without"
    family, model = about.get("cpu family", "?"), about.get("model", "?")
    name = about.get("model name", "unknown")
    return f"{name}, family {family}, model {model}, {bf16} AVX-512 BF16"


def state(path: Path) -> dict[str, str]:
    """Hash what a notebook stands on, and those of its outputs that are compared."""
    nb = nbformat.read(path, as_version=4)
    outputs = [
        cell.outputs
        for cell in notebooks.code_cells(nb)
        if "nbval-ignore-output" not in cell.metadata.get("tags", [])
    ]
    text = json.dumps(outputs, sort_keys=True)
    digest = hashlib.sha256(text.encode()).hexdigest()[:16]
    return {"notebook": notebooks.code_hash(nb, ROOT), "outputs": digest}


def environment(mode: str, threads: int, folder: str) -> dict[str, str]:
    """Give the environment in which libraries compute in a mode."""
    env = {**os.environ, **MODES[mode]}
    env |= {"LLMBOOK_DEVICE": "cpu", "OMP_NUM_THREADS": str(threads)}
    if env.pop("without", ""):
        Path(folder, "sitecustomize.py").write_text(WITHOUT_ONEDNN, encoding="utf8")
        paths = [folder, env.get("PYTHONPATH", "")]
        env["PYTHONPATH"] = os.pathsep.join(filter(None, paths))
    return env


def run(what: list[str], mode: str, threads: int, jobs: int) -> tuple[bool, dict]:
    """Run pytest in a mode; whether it is green, and the plugin's table."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "units.json"
        done = subprocess.run(
            [*PYTEST, *SCHEDULE, "-n", str(jobs), *what]
            + (["--units-report", str(report)] if NBVAL[-1] in what else []),
            cwd=ROOT,
            env=environment(mode, threads, folder),
            check=False,
        )
        table = json.loads(report.read_text()) if report.exists() else {}
    return done.returncode == 0, table


def run_all(paths: list[Path], jobs: int) -> int:
    """Run everything in all modes; record the notebooks that are green in all."""
    bad: set[str] = set()
    close: dict[str, dict[str, int]] = {path.stem: {} for path in paths}
    for mode, threads in WAYS:
        name = f"{mode}, {threads} thread{'s'[: threads - 1]}"
        print(f"== {name}: notebooks", flush=True)
        command = [*NBVAL, *map(str, paths)]
        green, table = run(command, mode, threads, max(1, jobs // threads))
        failed = {stem for stem, row in table.items() if row["failed"]}
        bad |= failed if green or failed else set(close)
        for stem, row in table.items():
            close[stem][name] = row["last_digit"]
    record = json.loads(RECORD.read_text()) if RECORD.exists() else {}
    for path in (p for p in paths if p.stem not in bad):
        about = {"processor": processor(), "cells_one_unit_away": close[path.stem]}
        record[path.stem] = state(path) | about
    text = json.dumps(record, indent=1, sort_keys=True)
    RECORD.write_text(text + "\n", encoding="utf8")
    print(f"recorded: {len(paths) - len(bad)} of {len(paths)}; red: {sorted(bad)}")
    return int(bool(bad) | (not units_are_green(jobs)))


def units_are_green(jobs: int) -> bool:
    """Run the numerical unit tests in all modes."""
    red = []
    for mode, threads in WAYS:
        print(f"== {mode}, {threads}: unit tests", flush=True)
        what = ["-m", "numerical", "tests/unit"]
        if not run(what, mode, threads, max(1, jobs // threads))[0]:
            red.append((mode, threads))
    print(f"numerical unit tests: {f'RED in {red}' if red else 'green'}")
    return not red


def commit() -> str:
    """Give the hash of the commit, or of the record where there is no git."""
    command = ["git", "rev-parse", "HEAD"]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=False
    )
    return done.stdout.strip() or hashlib.sha256(RECORD.read_bytes()).hexdigest()


def chosen_since(paths: list[Path], record: dict[str, dict], by: str) -> list[Path]:
    """Choose what has changed since its record, and one of the others by a hash."""
    current = {path: state(path) for path in paths}
    kept = [
        path
        for path in paths
        if current[path].items() <= record.get(path.stem, {}).items()
    ]
    again = [kept[int(by, 16) % len(kept)]] if kept else []
    return [path for path in paths if path not in kept] + again


def run_since(paths: list[Path], jobs: int) -> int:
    """Run as AVX2 what has no record, and one notebook that has."""
    record = json.loads(RECORD.read_text()) if RECORD.exists() else {}
    todo = chosen_since(paths, record, commit())
    print("as AVX2:", ", ".join(path.stem for path in todo), flush=True)
    green, _ = run([*NBVAL, *map(str, todo)], "AVX2", 1, jobs)
    return int(not green)


def main() -> int:
    """Parse the command line and run."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("chapters", nargs="*", help="beginnings of names, such as 02")
    parser.add_argument("--since", action="store_true", help="AVX2, what has changed")
    parser.add_argument("--jobs", type=int, default=2)
    args = parser.parse_args()
    paths = notebooks.notebook_paths(ROOT, args.chapters)
    return (run_since if args.since else run_all)(paths, args.jobs)


if __name__ == "__main__":
    sys.exit(main())
