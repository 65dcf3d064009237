"""One loop that trains every model of the book, on a laptop or on many machines.

`fit` knows nothing of text: a model gives logits, ``batch(step)`` gives inputs and
targets. As the batch, the learning rate and the random numbers of a step depend on the
step alone, a run that was stopped goes on from its checkpoint as if nothing had been,
and pieces of a batch can be worked on one after the other (accumulation) or by several
processes (``accelerate launch``) with the same result.
"""

from __future__ import annotations

import copy
import math
import os
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import torch
import torch.distributed as dist
import torch.nn.functional as F
from torch import Tensor, nn

if TYPE_CHECKING:
    from accelerate import Accelerator

IGNORED = -100  # a target that no loss is taken of
Batch = tuple[Tensor, Tensor]


@dataclass(frozen=True)
class TrainingConfig:
    """How to train: all that `fit` is told besides the model and the data.

    Attributes
    ----------
    steps : int
        Optimizer steps in all.
    lr, final_lr : float
        Highest learning rate, and the part of it that is left in the end.
    warmup : int
        Steps in which the rate rises from 0 to `lr`.
    schedule : {"cosine", "linear", "trapezoid"}
        How it falls afterwards; a trapezoid stays up and falls in the last fifth.
    optimizer : {"adamw", "muon"}
        With "muon", AdamW for embeddings, head, biases and norms alone.
    muon_lr : float, optional
        The matrices' rate under Muon, `lr` if left out; its updates are as large as
        AdamW's at the same rate.
    betas, weight_decay : (float, float), float
        Of the optimizer; biases, norms and embeddings do not decay.
    clip : float
        Largest norm of the gradient.
    accumulation : int
        Pieces that a batch is cut into, to save memory. The result is the same.
    precision : {"float32", "bf16", "best"}
        "best" is bf16 where the machine is made for it, else float32.
    validate_every, patience : int, int or None
        Steps between validations; validations without a new best before stopping.
    checkpoint_every, log_every : int
        Steps between checkpoints, and between looks at the losses.
    seed : int
        Of dropout, or whatever random numbers model and batch draw.

    Raises
    ------
    ValueError
        If a number is out of range or a name is unknown.
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
    clip: float = 1.0
    accumulation: int = 1
    precision: Literal["float32", "bf16", "best"] = "float32"
    validate_every: int = 250
    patience: int | None = None
    checkpoint_every: int = 1000
    log_every: int = 25
    seed: int = 0


@dataclass
class History:
    """What happened in a run.

    Attributes
    ----------
    steps, losses : list
        Each step done, from 1, and its training loss (nats a target).
    validation_steps, validation_losses : list
        After which step `validate` was called, and what it gave.
    best_step : int or None
        After which step it gave the least.
    tokens : int
        Targets seen that were not ignored.
    seconds : float
        Time in the loop, checkpoints and validation included.
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


def lr_scale(step: int, config: TrainingConfig) -> float:
    """Part of the highest learning rate that step 0, 1, ... is taken with."""
    if step < config.warmup:
        return (step + 1) / config.warmup
    done = (step - config.warmup) / max(1, config.steps - config.warmup)
    falling = {
        "cosine": (1 + math.cos(math.pi * done)) / 2,
        "linear": 1 - done,
        "trapezoid": min(1, (1 - done) / 0.2),
    }[config.schedule]
    return config.final_lr + (1 - config.final_lr) * falling


def split_parameters(model: nn.Module) -> tuple[list, list, list]:
    """Sort parameters into hidden matrices, other matrices, and those without decay."""
    tables = {p for m in model.modules() if isinstance(m, nn.Embedding)
              for p in m.parameters(recurse=False)}
    hidden, other, undecayed = [], [], []
    for name, p in model.named_parameters():
        if not p.requires_grad:
            continue
        if p.ndim < 2 or p in tables:
            undecayed.append(p)
        elif p.ndim > 2 or "head" in name:
            other.append(p)
        else:
            hidden.append(p)
    return hidden, other, undecayed


def make_optimizers(
    model: nn.Module, config: TrainingConfig
) -> list[torch.optim.Optimizer]:
    """AdamW for all, or Muon for hidden matrices and AdamW for the rest."""
    hidden, other, undecayed = split_parameters(model)
    optimizers: list[torch.optim.Optimizer] = []
    if config.optimizer == "muon" and hidden:
        muon_lr = config.lr if config.muon_lr is None else config.muon_lr
        optimizers.append(torch.optim.Muon(
            hidden, lr=muon_lr, weight_decay=config.weight_decay,
            adjust_lr_fn="match_rms_adamw",
        ))
        hidden = []
    groups = [
        {"params": hidden + other, "weight_decay": config.weight_decay},
        {"params": undecayed, "weight_decay": 0.0},
    ]
    groups = [g for g in groups if g["params"]]
    optimizers.append(
        torch.optim.AdamW(groups, lr=config.lr, betas=config.betas, fused=True)
    )
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            group["initial_lr"] = group["lr"]
    return optimizers


def has_fast_bf16(device: torch.device) -> bool:
    """Whether the device multiplies bf16 matrices faster than float32 ones."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    names = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
    return any(getattr(torch.cpu, name, bool)() for name in names)


def summed_loss(model: nn.Module, inputs: Tensor, targets: Tensor) -> Tensor:
    """Cross-entropy (nats), summed over the targets that are not -100."""
    logits = model(inputs)
    logits = getattr(logits, "logits", logits)  # transformers' models wrap them
    return F.cross_entropy(
        logits.flatten(0, -2), targets.flatten(), ignore_index=IGNORED, reduction="sum"
    )


@torch.no_grad()
def mean_loss(model: nn.Module, batches: Iterable[Batch]) -> float:
    """Mean loss (nats a target) over batches, in evaluation mode."""
    device = next(model.parameters()).device
    was_training = model.training
    model.eval()
    total, count = 0.0, 0
    for inputs, targets in batches:
        inputs, targets = inputs.to(device), targets.to(device)
        total += summed_loss(model, inputs, targets).item()
        count += int((targets != IGNORED).sum())
    model.train(was_training)
    return total / count


@contextmanager
def _keep_freed_memory() -> Iterator[None]:
    import ctypes
    try:
        libc = ctypes.CDLL("libc.so.6")
        mallopt, trim = libc.mallopt, libc.malloc_trim
    except (OSError, AttributeError):
        yield
        return
    mallopt(-4, 0)
    mallopt(-1, 2**31 - 1)
    try:
        yield
    finally:
        mallopt(-4, 65536)
        mallopt(-3, 2**25)
        mallopt(-1, 2**26)
        trim(0)


@contextmanager
def _run_settings(device: torch.device) -> Iterator[None]:
    precision = torch.get_float32_matmul_precision()
    with torch.random.fork_rng(), _keep_freed_memory():
        try:
            if device.type == "cpu":
                torch.set_float32_matmul_precision("medium")
            yield
        finally:
            torch.set_float32_matmul_precision(precision)


def _place() -> tuple[int, int]:
    if dist.is_available() and dist.is_initialized():
        return dist.get_rank(), dist.get_world_size()
    return 0, 1


def train_step(
    model: nn.Module,
    optimizers: list[torch.optim.Optimizer],
    inputs: Tensor,
    targets: Tensor,
    config: TrainingConfig,
    loss_fn: Callable = summed_loss,
) -> Tensor:
    """Take one step on a batch, of which each process works on its own rows."""
    rank, world = _place()
    pieces = config.accumulation * world
    device = inputs.device
    use_bf16 = config.precision == "bf16" or (
        config.precision == "best" and has_fast_bf16(device)
    )
    count = (targets != IGNORED).sum()
    mean = torch.zeros((), device=device)
    mine = zip(
        inputs.tensor_split(pieces)[rank::world],
        targets.tensor_split(pieces)[rank::world],
        strict=True,
    )
    for i, (x, y) in enumerate(mine):
        is_last = i == config.accumulation - 1
        wait = nullcontext() if is_last or world == 1 else model.no_sync()
        with wait:
            with torch.autocast(device.type, torch.bfloat16, enabled=use_bf16):
                loss = loss_fn(model, x, y) / count
            (loss * world).backward()  # processes average their gradients
        mean += loss.detach()
    nn.utils.clip_grad_norm_(model.parameters(), config.clip)
    for optimizer in optimizers:
        optimizer.step()
        optimizer.zero_grad()
    if world > 1:
        dist.all_reduce(mean)
    return mean


def _save(path: Path, state: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    torch.save(state, temporary)
    os.replace(temporary, path)


def fit(
    model: nn.Module,
    batch: Callable[[int], Batch],
    config: TrainingConfig,
    *,
    validate: Callable[[nn.Module], float] | None = None,
    checkpoint: str | os.PathLike | None = None,
    log_dir: str | os.PathLike | None = None,
    loss_fn: Callable = summed_loss,
    accelerator: Accelerator | None = None,
) -> History:
    from tqdm import tqdm

    device = next(model.parameters()).device
    optimizers = make_optimizers(model, config)
    history = History()
    best: dict[str, Tensor] = {}
    path = None if checkpoint is None else Path(checkpoint)
    if path and path.exists():
        state = torch.load(path, map_location=device, weights_only=True)
        model.load_state_dict(state["model"])
        for optimizer, saved in zip(optimizers, state["optimizers"], strict=True):
            optimizer.load_state_dict(saved)
        history, best = History(**state["history"]), state["best"]
    module = model
    rank, world = _place()
    pending: list[Tensor] = []
    start = len(history.steps)
    begin = time.perf_counter() - history.seconds
    bar = tqdm(total=config.steps, initial=start, disable=None, unit="step")
    model.train()
    with _run_settings(device), bar:
        for step in range(start, config.steps):
            if history.stopped_early:
                break
            torch.manual_seed(config.seed + step * world + rank)
            for optimizer in optimizers:
                for group in optimizer.param_groups:
                    group["lr"] = group["initial_lr"] * lr_scale(step, config)
            inputs, targets = (t.to(device) for t in batch(step))
            pending.append(
                train_step(model, optimizers, inputs, targets, config, loss_fn)
            )
            history.steps.append(step + 1)
            history.tokens += int((targets != IGNORED).sum())
            bar.update()
            done = step + 1
            is_last = done == config.steps
            if validate and (done % config.validate_every == 0 or is_last):
                model.eval()
                with torch.no_grad():
                    value = float(validate(module))
                model.train()
                history.validation_steps.append(done)
                history.validation_losses.append(value)
                if value <= min(history.validation_losses):
                    history.best_step = done
                    best = copy.deepcopy(module.state_dict())
                since = [s for s in history.validation_steps if s > history.best_step]
                if config.patience is not None and len(since) >= config.patience:
                    history.stopped_early = True
            if done % config.log_every == 0 or is_last or history.stopped_early \
                    or done % config.checkpoint_every == 0:
                history.losses += torch.stack(pending).tolist()
                pending.clear()
                bar.set_postfix(loss=history.losses[-1])
                history.seconds = time.perf_counter() - begin
            if path and (done % config.checkpoint_every == 0 or is_last
                         or history.stopped_early) and rank == 0:
                _save(path, {
                    "model": module.state_dict(),
                    "optimizers": [o.state_dict() for o in optimizers],
                    "history": asdict(history),
                    "best": best,
                })
    if best:
        module.load_state_dict(best)
    return history
