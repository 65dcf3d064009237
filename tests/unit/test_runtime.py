"""Seeds repeat, devices are checked, and what makes products fast changes no result."""

import random
import resource
import subprocess
import sys

import numpy as np
import pytest
import torch

from llmbook_utils import runtime
from llmbook_utils.runtime import float32_products, has_fast_bf16, kept_memory

CPU = torch.device("cpu")


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


@pytest.mark.parametrize(
    "module",
    [
        "llmbook_press.cli",
        "llmbook_utils.doctor",
        "llmbook_utils.runtime",
        "llmbook_utils.text.corpora",
        "llmbook_utils.text.words",
        "llmbook_utils.tinyworld.sampling",
    ],
)
def test_import_brings_no_torch(module):
    code = f"import sys, {module}; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("shape", [(2048, 128, 384), (300, 500, 700), (64, 2048, 64)])
def test_products_in_training_are_float32(shape: tuple[int, int, int]) -> None:
    m, k, n = shape
    generator = torch.Generator().manual_seed(0)
    a, b = (
        torch.randn(m, k, generator=generator),
        torch.randn(k, n, generator=generator),
    )
    exact = a.double() @ b.double()
    with float32_products(CPU, large=True):
        error = (a @ b - exact).norm() / exact.norm()
    assert error < 1e-6  # bf16's would be 2e-3


def test_a_cpu_that_would_round_to_bf16_is_found_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    runtime._is_exact.cache_clear()
    product = torch.Tensor.__matmul__

    def rough(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        if (
            torch.get_float32_matmul_precision() == "medium"
            and a.dtype == torch.float32
        ):
            a, b = a.bfloat16().float(), b.bfloat16().float()
        return product(a, b)

    monkeypatch.setattr(torch.Tensor, "__matmul__", rough)
    with float32_products(CPU, large=True):
        assert torch.get_float32_matmul_precision() == "highest"
    runtime._is_exact.cache_clear()


def test_settings_are_put_back_after_an_error() -> None:
    torch.set_float32_matmul_precision("high")
    try:
        with pytest.raises(KeyError), float32_products(CPU, large=False):
            assert torch.get_float32_matmul_precision() == "highest"
            raise KeyError
        assert torch.get_float32_matmul_precision() == "high"
        with float32_products(torch.device("cuda"), large=True):
            assert torch.get_float32_matmul_precision() == "high"
    finally:
        torch.set_float32_matmul_precision("highest")


def test_freed_memory_is_used_again() -> None:
    def faults() -> int:
        """Pages that the kernel hands out for ten times a tensor of 48 MB."""
        before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
        for _ in range(10):
            torch.zeros(12_000_000)
        return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

    with kept_memory():
        faults()
        kept = faults()
    usual = faults()  # 12,000 pages of 4 kB each time, fewer where pages are larger
    if sys.platform == "linux":  # elsewhere it does nothing
        assert kept < 1000 < usual


def test_bf16_is_asked_of_the_hardware(monkeypatch: pytest.MonkeyPatch) -> None:
    for answer in (True, False):
        for name in ("_is_avx512_bf16_supported", "_is_amx_tile_supported"):
            monkeypatch.setattr(torch.cpu, name, lambda answer=answer: answer)
        assert has_fast_bf16(CPU) is answer
    for name in ("_is_avx512_bf16_supported", "_is_amx_tile_supported"):
        monkeypatch.delattr(torch.cpu, name)  # another version of torch
    assert has_fast_bf16(CPU) is False
