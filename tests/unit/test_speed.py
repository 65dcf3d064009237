"""Settings for speed: they hold inside, are gone outside, and change no result."""

import resource
import sys

import pytest
import torch

from llmbook_utils import speed
from llmbook_utils.speed import float32_products, has_fast_bf16, kept_memory

CPU = torch.device("cpu")


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
    speed._is_exact.cache_clear()
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
    speed._is_exact.cache_clear()


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
