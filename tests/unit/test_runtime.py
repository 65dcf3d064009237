"""Seeds repeat, devices are checked, and the doctor has a cure for each fault."""

import random
import subprocess
import sys

import numpy as np
import pytest
import torch

from llmbook_utils import runtime


def draw():
    return random.random(), np.random.rand(), torch.rand(1).item()


def test_seed_repeats_all_three_generators():
    runtime.set_seed(7)
    first = draw()
    runtime.set_seed(7)
    assert draw() == first
    runtime.set_seed(8)
    assert all(a != b for a, b in zip(draw(), first, strict=True))


@pytest.mark.parametrize("seed", [-1, 2**32])
def test_seed_out_of_range_names_the_range(seed):
    with pytest.raises(ValueError, match=r"0 to 2\*\*32 - 1"):
        runtime.set_seed(seed)


def test_device_obeys_the_environment(monkeypatch):
    monkeypatch.setenv("LLMBOOK_DEVICE", "cpu")
    assert runtime.pick_device() == torch.device("cpu")
    monkeypatch.setenv("LLMBOOK_DEVICE", "tpu")
    with pytest.raises(ValueError, match="'tpu'; set it to 'cpu' or 'cuda'"):
        runtime.pick_device()


def test_cuda_without_a_gpu_is_an_error_with_a_cure(monkeypatch):
    monkeypatch.setenv("LLMBOOK_DEVICE", "cuda")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ValueError, match="unset it"):
        runtime.pick_device()


def test_device_without_wishes_is_the_gpu_if_there_is_one(monkeypatch):
    monkeypatch.delenv("LLMBOOK_DEVICE", raising=False)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert runtime.pick_device().type == "cuda"
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert runtime.pick_device().type == "cpu"


def test_missing_and_outdated_packages_get_a_cure():
    missing = runtime.check_requirement("no-such-package-here>=1")
    assert missing.value.startswith("missing")
    assert missing.cure == "pip install 'no-such-package-here>=1'"
    outdated = runtime.check_requirement("numpy>=99")
    assert outdated.cure == "pip install 'numpy>=99'"


def test_offline_is_no_fault(monkeypatch):
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    finding = runtime._check_network()
    assert finding.value.startswith("offline") and not finding.cure
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert "HF_HUB_OFFLINE=1" in runtime._check_network().value


def test_low_memory_is_a_fault(monkeypatch):
    import psutil

    class Memory:
        available, total = 1 * runtime.GIB, 8 * runtime.GIB

    monkeypatch.setattr(psutil, "virtual_memory", Memory)
    finding = runtime._check_memory()
    assert finding.value == "1.0 GiB free of 8.0 GiB"
    assert "close programs" in finding.cure


def test_doctor_command_reports_every_core_package():
    run = subprocess.run(
        [sys.executable, "-m", "llmbook_utils.cli", "doctor"],
        capture_output=True,
        text=True,
        check=False,
    )
    for word in ("Python", "torch", "plotly", "device", "memory", "network", "pydocs"):
        assert word in run.stdout
    assert run.returncode == int("FAULT" in run.stdout)


@pytest.mark.parametrize("module", ["cli", "corpora", "tokenizers", "runtime"])
def test_import_brings_no_torch(module):
    code = f"import sys, llmbook_utils.{module}; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
