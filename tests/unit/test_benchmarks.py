"""The benchmarks run and say what they are asked for; tiny, so figures mean nothing."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "tools/benchmarks"
TINY = "--vocab 32 --layers 1 --heads 2 --width 8 --rounds 1 --repeats 1 --cpu-time"


def run(script: str, options: str) -> str:
    done = subprocess.run(
        [sys.executable, FOLDER / script, *TINY.split(), *options.split()],
        env={**os.environ, "OMP_NUM_THREADS": "1", "LLMBOOK_DEVICE": "cpu"},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def rows_of(text: str, heading: str) -> dict[str, list[str]]:
    """The Markdown table under this heading: first column to the others."""
    block = next(b for b in text.strip().split("\n\n") if b.startswith(f"| {heading} "))
    lines = [
        [x.strip() for x in line.strip("|").split("|")] for line in block.split("\n")
    ]
    assert all(len(line) == len(lines[0]) for line in lines)
    return {line[0]: line[1:] for line in lines if line[0]}


@pytest.mark.parametrize(
    ("script", "options", "heading", "names"),
    [
        (
            "train.py",
            "--block 8 --batch 2 --square 32 --memory no",
            "training",
            ["transformers, eager", "transformers, SDPA", "ours, float32"],
        ),
        (
            "generate.py",
            "--tokens 4 --many 2 --memory no",
            "generation",
            ["transformers, batch 1", "ours, batch 1", "ours, batch 2"],
        ),
    ],
)
def test_a_benchmark_prints_its_table(
    script: str, options: str, heading: str, names: list[str]
) -> None:
    text = run(script, options)
    rows = rows_of(text, heading)
    for name in names:
        speed, *ratios = rows[name]
        assert float(speed) > 0
        assert float(ratios[0]) > 0
    assert float(rows[names[0]][1]) == 1.0  # the first is compared with itself
    if script == "train.py":
        assert re.search(r"\| bf16 +\|", text)
        assert "32 x 32 x 32" in text


def test_operations_of_a_token_by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    # 1 layer, 2 wide, 3 tokens, vocabulary 5: c_attn 2 x 6, c_proj 2 x 2, c_fc 2 x 8,
    # c_proj 8 x 2, head 2 x 5 are 58 weights; scores and their sum 2 x 3 x 2 = 12.
    # Each is a product and a sum, once forward and twice backward: 6 (58 + 12) = 420
    monkeypatch.syspath_prepend(str(FOLDER))
    import train

    from llmbook_utils.models.attention.gpt import GPTConfig

    assert train.operations_per_token(GPTConfig(5, 3, 1, 1, 2)) == 420


def test_peak_memory_is_the_processs_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(FOLDER))
    import common

    code = "import sys; sys.path.insert(0, sys.argv[1]); import common; "
    code += "print(common._largest_resident_set())"
    ballast = bytearray(os.urandom(1)) * 400_000_000  # a large parent
    child = subprocess.run(
        [sys.executable, "-c", code, str(FOLDER)], capture_output=True, check=True
    )
    assert float(child.stdout) < 400_000_000 < common._largest_resident_set()
    assert len(ballast) == 400_000_000


def test_the_benchmark_of_tinyworld_prints_its_tables() -> None:
    done = subprocess.run(
        [sys.executable, FOLDER / "tinyworld.py", "--stories=20", "--megabytes=0.1"],
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    amounts = rows_of(done.stdout, "stories")
    amounts.pop("stories", None)
    assert {"20", "40", "80"} <= set(amounts)
    assert all(float(amounts[count][-1]) > 0 for count in ("20", "40", "80"))
    assert len(rows_of(done.stdout, "dataset, MB")) >= 2


def test_the_benchmark_of_skipgram_prints_speed_and_quality() -> None:
    options = ["--rounds=1", "--epochs", "1", "2", "--documents=1500", "--width=16"]
    done = subprocess.run(
        [sys.executable, FOLDER / "skipgram.py", *options],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    rows = rows_of(done.stdout, "skip-gram")
    names = {"gensim", "ours, shared noise", "ours, own noise"}
    assert names <= set(rows)
    assert all(float(rows[name][1]) > 0 for name in names)
    assert all(0 <= float(rows[name][4]) <= 1 for name in names)
    assert float(rows["gensim"][3]) == 1.0  # compared with itself
    parts = rows_of(done.stdout, "share of a step")["own noise"]
    assert abs(sum(float(part.strip("%")) for part in parts) - 100) <= 2
