"""What chapters run on: seeds, the device, fast products on it.

Nothing here changes a result beyond rounding: all products stay float32.
"""

from __future__ import annotations

import ctypes
import functools
import os
import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch


def set_seed(seed: int) -> None:
    """Seed Python, NumPy and torch, so that a run can be repeated.

    Parameters
    ----------
    seed : int
        Any integer from 0 to 2**32 - 1.

    Raises
    ------
    ValueError
        If NumPy cannot take the seed.

    Examples
    --------
    >>> set_seed(0); a = random.random()
    >>> set_seed(0); a == random.random()
    True
    """
    import numpy as np
    import torch

    if not 0 <= seed < 2**32:
        raise ValueError(f"seed is {seed}; choose an integer from 0 to 2**32 - 1")
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)


def pick_device() -> torch.device:
    """Choose where tensors live: ``LLMBOOK_DEVICE``, else CUDA if there is one.

    Apple's MPS is left out on purpose: it has given wrong numbers without a
    word of warning, and every number in the book is from float32 on the CPU.

    Returns
    -------
    torch.device
        ``cpu`` or ``cuda``.

    Raises
    ------
    ValueError
        If ``LLMBOOK_DEVICE`` is neither ``cpu`` nor ``cuda``, or asks for a GPU
        that torch cannot see.
    """
    import torch

    wanted = os.environ.get("LLMBOOK_DEVICE", "").strip().lower()
    if wanted not in {"", "cpu", "cuda"}:
        raise ValueError(f"LLMBOOK_DEVICE is {wanted!r}; set it to 'cpu' or 'cuda'")
    if wanted == "cuda" and not torch.cuda.is_available():
        raise ValueError(
            "LLMBOOK_DEVICE is 'cuda', but torch sees no GPU; unset it to run on "
            "the CPU, or install a torch build with CUDA"
        )
    has_cuda = wanted != "cpu" and torch.cuda.is_available()
    return torch.device("cuda" if has_cuda else "cpu")


def has_fast_bf16(device: torch.device) -> bool:
    """Tell whether a device multiplies bf16 matrices in hardware.

    Parameters
    ----------
    device : torch.device
        A CPU needs AVX-512 BF16 or AMX for it. Others have bf16 too, but slower than
        float32.
    """
    import torch

    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    names = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
    return any(getattr(torch.cpu, name, bool)() for name in names)


@functools.cache
def _is_exact(precision: str) -> bool:
    """Whether the CPU multiplies in float32 under this setting, which must be set."""
    import torch

    generator = torch.Generator().manual_seed(0)
    a, b = torch.randn(2, 256, 256, generator=generator)
    exact = a.double() @ b.double()
    return bool((a @ b - exact).norm() < 1e-6 * exact.norm())


@contextmanager
def float32_products(device: torch.device, *, large: bool) -> Iterator[None]:
    """Choose the library that multiplies float32 matrices on the CPU.

    torch takes MKL for the precision "highest" and oneDNN for "medium". oneDNN is up to
    1.6 times as fast for large matrices (seen with AVX-512) and slower for small ones.
    "medium" also allows it to round to bf16; where it does, "highest" is taken.

    Parameters
    ----------
    device : torch.device
        On a GPU nothing is changed.
    large : bool
        Whether the products are large: in training yes, for single tokens no.

    Examples
    --------
    >>> import torch
    >>> with float32_products(torch.device("cpu"), large=False):
    ...     torch.get_float32_matmul_precision()
    'highest'
    """
    import torch

    before = torch.get_float32_matmul_precision()
    try:
        if device.type == "cpu":
            torch.set_float32_matmul_precision("medium" if large else "highest")
            if large and not _is_exact("medium"):
                torch.set_float32_matmul_precision("highest")
        yield
    finally:
        torch.set_float32_matmul_precision(before)


@contextmanager
def kept_memory() -> Iterator[None]:
    """Keep the memory of tensors that are freed, for those of the next step.

    The C library of Linux gives large pieces back and asks for them again, and the
    kernel fills them with zeros each time: up to a fifth of a training step on the CPU.
    Elsewhere nothing is done. Afterwards what is free is given back.
    """
    try:
        libc = ctypes.CDLL("libc.so.6")
        mallopt, malloc_trim = libc.mallopt, libc.malloc_trim
    except (OSError, AttributeError):  # not glibc
        yield
        return
    trim_threshold, mmap_threshold, mmap_max = -1, -3, -4  # as named in malloc.h
    mallopt(mmap_max, 0)
    mallopt(trim_threshold, 2**31 - 1)
    try:
        yield
    finally:
        # glibc's defaults; the thresholds as high as they would have grown by now
        mallopt(mmap_max, 2**16)
        mallopt(mmap_threshold, 2**25)
        mallopt(trim_threshold, 2**26)
        malloc_trim(0)
