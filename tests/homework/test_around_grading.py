"""What surrounds grading: how Python was started, and the benchmark."""

import argparse
import subprocess
import sys
import venv
from pathlib import Path

from llmbook_homework.grading.sandbox import bubblewrap

ROOT = Path(__file__).parents[2]


def test_python_may_be_named_by_a_path_with_dots():
    python = Path(sys.executable)
    name = f"{python.parent}/../{python.parent.name}/{python.name}"
    code = "from llmbook_homework.grading.sandbox import bubblewrap as s"
    code += "; print(s.trouble())"
    done = subprocess.run([name, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert done.stdout == "\n", done.stdout + done.stderr


def test_the_benchmark_grades_a_class(chapter, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "tools/benchmarks")
    import grading

    args = argparse.Namespace(students=3, loops=0, jobs=2)
    assert grading.grade(chapter, args, tmp_path) > 0
    assert len(list(tmp_path.glob("*.json"))) == 3


def test_python_below_the_scratch_folder_is_found(tmp_path):
    venv.create(tmp_path / "venv", symlinks=True)
    names = "import sys; sys.executable, sys.prefix = sys.argv[1:3]"
    code = f"{names}; from llmbook_homework.grading.sandbox import bubblewrap as s"
    code += "; print(s.trouble() or s.command()[-1])"
    python = str(tmp_path / "venv" / "bin" / "python")
    call = [sys.executable, "-c", code, python, str(tmp_path / "venv")]
    done = subprocess.run(call, capture_output=True, text=True, cwd=ROOT)
    assert done.stdout == f"{bubblewrap.inside(Path(python))}\n", (
        done.stdout + done.stderr
    )
