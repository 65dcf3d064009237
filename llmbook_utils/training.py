"""One loop that trains every model of the book, on a laptop or on many machines.

`fit` knows nothing of text: a model turns inputs into logits, and ``batch(step)`` gives
inputs and targets. Everything in a step depends on the number of the step alone: the
batch, the learning rate, the random numbers. So a run that was killed goes on from its
checkpoint as if nothing had been. And the loss is the mean over the targets of the whole
batch, so a batch may be cut into pieces, for one process after another
(``accumulation``) or for several at once (``accelerate launch``), with the same result.
"""

from __future__ import annotations

import copy
import ctypes
import functools
import math
import os
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import torch
import torch.distributed as dist
import torch.nn.functional as F
from torch import Tensor, nn

if TYPE_CHECKING:
    from accelerate import Accelerator

IGNORED = -100  # a target without a loss, as in torch and transformers
Batch = tuple[Tensor, Tensor]
LossFunction = Callable[[nn.Module, Tensor, Tensor], Tensor]


@dataclass(frozen=True)
class TrainingConfig:
    """How to train: all that `fit` is told besides the model and the data.

    Parameters
    ----------
    steps : int
        Updates of the weights.
    lr, final_lr : float
        The highest learning rate, and the part of it that is left at the end.
    warmup : int
        Steps in which the rate rises to `lr`.
    schedule : {"cosine", "linear", "trapezoid"}
        How it falls after that; the trapezoid stays up until the last fifth.
    optimizer : {"adamw", "muon"}
        Muon is for the matrices between embedding and head; the rest stays with AdamW.
    muon_lr : float, optional
        Muon's rate, `lr` if left out: its updates are made as large as AdamW's.
    betas, weight_decay : (float, float), float
        AdamW's memory of gradients and of their squares; the pull towards zero, from
        which biases, norms and embeddings are free.
    clip : float, optional
        Gradients with a larger norm are scaled down to it; None leaves them.
    accumulation : int
        Pieces that a batch is cut into, to save memory.
    precision : {"float32", "bf16", "best"}
        "best" is bf16 where the machine has it in hardware, else float32.
    validate_every : int
        Steps between two validations.
    patience : int, optional
        Validations in a row without a new best after which training stops.
    checkpoint_every, log_every : int
        Steps between checkpoints, and between reports of the loss.
    seed : int
        Of dropout and of whatever else draws from torch's generator in a step.

    Raises
    ------
    ValueError
        If a number is out of range or a name unknown.

    Examples
    --------
    >>> TrainingConfig(schedule="sine")
    Traceback (most recent call last):
    ValueError: schedule must be one of 'cosine', 'linear', 'trapezoid', got 'sine'
    """

    steps: int = 1000
    lr: float = 1e-3
    final_lr: float = 0.1
    warmup: int = 100
    schedule: Literal["cosine", "linear", "trapezoid"] = "cosine"
    optimizer: Literal["adamw", "muon"] = "adamw"
    muon_lr: float | None = None
    betas: tuple[float, float] = (0.9, 0.95)
    weight_decay: float = 0.1
    clip: float | None = 1.0
    accumulation: int = 1
    precision: Literal["float32", "bf16", "best"] = "float32"
    validate_every: int = 250
    patience: int | None = None
    checkpoint_every: int = 1000
    log_every: int = 25
    seed: int = 0

    def __post_init__(self) -> None:
        for name, known in {
            "schedule": ("cosine", "linear", "trapezoid"),
            "optimizer": ("adamw", "muon"),
            "precision": ("float32", "bf16", "best"),
        }.items():
            if getattr(self, name) not in known:
                raise ValueError(
                    f"{name} must be one of {', '.join(map(repr, known))}, got "
                    f"{getattr(self, name)!r}"
                )
        every = ("accumulation", "validate_every", "checkpoint_every", "log_every")
        least = {"steps": 0, "warmup": 0, "lr": 0, "final_lr": 0, "seed": 0}
        for name, low in (least | dict.fromkeys((*every, "patience"), 1)).items():
            value = getattr(self, name)
            if value is not None and value < low:
                raise ValueError(f"{name} must be {low} or more, got {value}")


@dataclass
class History:
    """What happened in a run.

    Attributes
    ----------
    steps, losses : list
        Updates done, from 1, and the training loss of each (nats a target).
    validation_steps, validation_losses : list
        After which updates `validate` was called, and what it gave.
    best_step : int or None
        After which update it gave least.
    tokens : int
        Targets trained on, without those ignored.
    seconds : float
        Time in the loop, validation and checkpoints included.
    stopped_early : bool
        Whether patience ran out.
    """

    steps: list[int] = field(default_factory=list)
    losses: list[float] = field(default_factory=list)
    validation_steps: list[int] = field(default_factory=list)
    validation_losses: list[float] = field(default_factory=list)
    best_step: int | None = None
    tokens: int = 0
    seconds: float = 0.0
    stopped_early: bool = False

    def __repr__(self) -> str:
        loss = f", loss {self.losses[-1]:.3f}" if self.losses else ""
        if self.best_step is not None:
            loss += f", best {min(self.validation_losses):.3f} at {self.best_step}"
        return f"History({len(self.steps)} steps, {self.tokens} tokens{loss})"


def lr_scale(step: int, config: TrainingConfig) -> float:
    """Give the part of the highest learning rate for the update after `step` others.

    Examples
    --------
    >>> config = TrainingConfig(steps=8, warmup=4, final_lr=0.0)
    >>> [round(lr_scale(step, config), 3) for step in range(8)]
    [0.25, 0.5, 0.75, 1.0, 1.0, 0.854, 0.5, 0.146]
    """
    if step < config.warmup:
        return (step + 1) / config.warmup
    done = (step - config.warmup) / max(1, config.steps - config.warmup)
    shape = {
        "cosine": (1 + math.cos(math.pi * done)) / 2,
        "linear": 1 - done,
        "trapezoid": min(1.0, (1 - done) / 0.2),
    }[config.schedule]
    return config.final_lr + (1 - config.final_lr) * shape


def make_optimizers(
    model: nn.Module, config: TrainingConfig
) -> list[torch.optim.Optimizer]:
    """Share the parameters out: what decays, what does not, what Muon takes.

    Embeddings, biases and norms do not decay. Muon takes matrices, except for
    embeddings and those with "head" in their name.

    Notes
    -----
    Source: Loshchilov and Hutter (2019) for AdamW; Jordan (2024), "Muon: an optimizer
    for hidden layers in neural networks". Built in chapter 11.
    """
    tables = {m.weight for m in model.modules() if isinstance(m, nn.Embedding)}
    hidden, decayed, undecayed = [], [], []
    for name, p in model.named_parameters():
        if not p.requires_grad:
            continue
        if p.ndim < 2 or p in tables:
            undecayed.append(p)
        elif p.ndim == 2 and "head" not in name and config.optimizer == "muon":
            hidden.append(p)
        else:
            decayed.append(p)
    optimizers: list[torch.optim.Optimizer] = []
    if hidden:
        lr = config.lr if config.muon_lr is None else config.muon_lr
        optimizers.append(
            torch.optim.Muon(
                hidden,
                lr,
                weight_decay=config.weight_decay,
                adjust_lr_fn="match_rms_adamw",
            )
        )
    groups = [
        {"params": decayed, "weight_decay": config.weight_decay},
        {"params": undecayed, "weight_decay": 0.0},
    ]
    groups = [group for group in groups if group["params"]]
    if groups:
        optimizers.append(
            torch.optim.AdamW(groups, config.lr, betas=config.betas, fused=True)
        )
    for group in (g for o in optimizers for g in o.param_groups):
        group["initial_lr"] = group["lr"]
    return optimizers


def has_fast_bf16(device: torch.device) -> bool:
    """Whether the device multiplies bf16 matrices in hardware."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    names = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
    return any(getattr(torch.cpu, name, bool)() for name in names)


def summed_loss(model: nn.Module, inputs: Tensor, targets: Tensor) -> Tensor:
    """Give the cross-entropy (nats), summed over the targets that are not -100.

    Parameters
    ----------
    model : module
        Gives logits (..., V), or an object with `logits` as transformers' models do.
    inputs : tensor
        What the model takes.
    targets : tensor of int64, (...)
        Tokens or classes; -100 is ignored.
    """
    output = model(inputs)
    logits = getattr(output, "logits", output)
    return F.cross_entropy(
        logits.flatten(0, -2).float(),
        targets.flatten(),
        ignore_index=IGNORED,
        reduction="sum",
    )


@torch.no_grad()
def mean_loss(
    model: nn.Module, batches: Iterable[Batch], loss_fn: LossFunction = summed_loss
) -> float:
    """Give the loss (nats) of a target, the mean over all that are not -100.

    The model is in evaluation mode for it, and in float32.
    """
    device = next(model.parameters()).device
    was_training = model.training
    model.eval()
    total, count = 0.0, 0
    for inputs, targets in batches:
        inputs, targets = inputs.to(device), targets.to(device)
        total += loss_fn(model, inputs, targets).item()
        count += int((targets != IGNORED).sum())
    model.train(was_training)
    if not count:
        raise ValueError("no targets: batches is empty, or all targets are -100")
    return total / count
