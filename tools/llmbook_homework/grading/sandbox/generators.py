"""Generators of random numbers as values: their kind and their state."""

import random
from typing import Any

import numpy as np
import torch

BIT_GENERATORS = ("MT19937", "PCG64", "PCG64DXSM", "Philox", "SFC64")


def kind_of(value: Any) -> str:
    """Name the kind of a generator; empty for anything else."""
    if isinstance(value, torch.Generator):
        return "torch"
    if isinstance(value, np.random.Generator):
        name = type(value.bit_generator).__name__
        return name if name in BIT_GENERATORS else ""
    return "python" if type(value) is random.Random else ""


def state_of(value: Any) -> Any:
    """Read the state: a tensor, or plain numbers."""
    if isinstance(value, torch.Generator):
        return value.get_state()
    if isinstance(value, np.random.Generator):
        return value.bit_generator.state
    return value.getstate()


def set_state(value: Any, state: Any) -> None:
    """Put a generator into a state."""
    if isinstance(value, torch.Generator):
        value.set_state(state)
    elif isinstance(value, np.random.Generator):
        value.bit_generator.state = state
    else:
        value.setstate(state)


def with_state(kind: str, state: Any) -> Any:
    """Make a generator of a kind, in a state.

    Raises
    ------
    ValueError
        If there is no such kind, or it has no such state.

    Examples
    --------
    >>> known = np.random.default_rng(3)
    >>> twin = with_state(kind_of(known), state_of(known))
    >>> bool(known.normal() == twin.normal())
    True
    """
    if kind == "torch":
        made: Any = torch.Generator()
    elif kind in BIT_GENERATORS:
        made = np.random.Generator(getattr(np.random, kind)())
    elif kind == "python":
        made = random.Random()
    else:
        raise ValueError(f"no generator {kind!r}")
    set_state(made, state)
    return made
