"""One loop that trains every model of the book, on a laptop or on many machines.

`fit` knows nothing of text: a model turns inputs into logits, and ``batch(step)`` gives
inputs and targets. Everything in a step depends on the number of the step alone: the
batch, the learning rate, the random numbers. So a run that was killed goes on from its
checkpoint as if nothing had been. And the loss is the mean over the targets of the
whole batch, so a batch may be cut into pieces, for one process after another
(``accumulation``) or for several at once (``accelerate launch``), with the same result.
"""

from __future__ import annotations

import copy
import functools
import inspect
import math
import os
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import torch
import torch.distributed as dist
import torch.nn.functional as F
from torch import Tensor, nn

from llmbook_utils.models.attention.fused import IGNORED
from llmbook_utils.runtime import float32_products, has_fast_bf16, kept_memory

if TYPE_CHECKING:
    from accelerate import Accelerator

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
    schedule : {"cosine", "linear"}
        How it falls after that.
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
    ValueError: schedule must be one of 'cosine', 'linear', got 'sine'
    """

    steps: int = 1000
    lr: float = 1e-3
    final_lr: float = 0.1
    warmup: int = 100
    schedule: Literal["cosine", "linear"] = "cosine"
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
            "schedule": ("cosine", "linear"),
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


def summed_loss(model: nn.Module, inputs: Tensor, targets: Tensor) -> Tensor:
    """Give the cross-entropy (nats), summed over the targets that are not -100.

    Parameters
    ----------
    model : module
        Gives logits (..., V), or an object with `logits` as transformers' models do. A
        language model of ours, whose `forward` takes `targets`, is asked for the loss
        itself, which takes less memory.
    inputs : tensor
        What the model takes.
    targets : tensor of int64, (...)
        Tokens or classes; -100 is ignored.
    """
    if _takes_targets(type(getattr(model, "module", model))):  # distributed or not
        return model(inputs, targets=targets)
    output = model(inputs)
    logits = getattr(output, "logits", output)
    return F.cross_entropy(
        logits.flatten(0, -2).float(),
        targets.flatten(),
        ignore_index=IGNORED,
        reduction="sum",
    )


@functools.cache
def _takes_targets(kind: type[nn.Module]) -> bool:
    return "targets" in inspect.signature(kind.forward).parameters


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


def train_step(
    model: nn.Module,
    optimizers: list[torch.optim.Optimizer],
    inputs: Tensor,
    targets: Tensor,
    config: TrainingConfig,
    loss_fn: LossFunction = summed_loss,
) -> Tensor:
    """Update the weights once; of several processes, each works on its own rows.

    Parameters
    ----------
    model : module
        In several processes, wrapped in DistributedDataParallel.
    optimizers : list
        From `make_optimizers`.
    inputs, targets : tensors, (B, ...)
        The whole batch, on the model's device, the same in all processes.
    config : TrainingConfig
        Of it, `accumulation`, `precision` and `clip` are used.
    loss_fn : callable
        See `fit`.

    Returns
    -------
    tensor, ()
        Mean loss of all targets of the batch that are not -100.
    """
    rank, world = _rank_and_world()
    device, pieces = inputs.device, world * config.accumulation
    if not pieces <= len(inputs) == len(targets):
        raise ValueError(
            f"a batch of {len(inputs)} inputs and {len(targets)} targets cannot be cut "
            f"into {pieces} pieces (accumulation={config.accumulation} times {world} "
            "processes); give as many targets as inputs, and a row or more a piece"
        )
    use_bf16 = config.precision == "bf16" or (
        config.precision == "best" and has_fast_bf16(device)
    )
    count = (targets != IGNORED).sum()
    mean = torch.zeros((), device=device)
    for i in range(rank, pieces, world):
        x, y = (t.tensor_split(pieces)[i] for t in (inputs, targets))
        is_last = i + world >= pieces  # only then do processes exchange gradients
        with nullcontext() if is_last or world == 1 else model.no_sync():
            with torch.autocast(device.type, torch.bfloat16, enabled=use_bf16):
                loss = loss_fn(model, x, y) / count
            (loss * world).backward()  # the exchange divides by `world`
        mean += loss.detach()
    if config.clip is not None:
        nn.utils.clip_grad_norm_(model.parameters(), config.clip)
    for optimizer in optimizers:
        optimizer.step()
        optimizer.zero_grad()
    if world > 1:
        dist.all_reduce(mean)
    return mean


def fit(
    model: nn.Module,
    batch: Callable[[int], Batch],
    config: TrainingConfig,
    *,
    validate: Callable[[nn.Module], float] | None = None,
    checkpoint: str | os.PathLike[str] | None = None,
    log_dir: str | os.PathLike[str] | None = None,
    loss_fn: LossFunction = summed_loss,
    accelerator: Accelerator | None = None,
) -> History:
    """Train a model. Afterwards it holds the best weights, in evaluation mode.

    Parameters
    ----------
    model : module
        Trained in place, on the device that it is on.
    batch : callable
        Gives inputs and targets (B, ...) of update 0, 1, ...; the same ones whenever
        it is asked for the same number.
    config : TrainingConfig
        How to train.
    validate : callable, optional
        From the model, in evaluation mode, to a loss; the weights that have the least
        are kept. Without it, the last weights are.
    checkpoint : path, optional
        Where to save the state of the run. If the file is there, the run goes on from
        it. `steps` may be raised then.
    log_dir : path, optional
        Where TensorBoard looks.
    loss_fn : callable
        From model, inputs and targets to a loss that is summed over the targets.
    accelerator : Accelerator, optional
        Of a script that makes its own. Under ``accelerate launch`` one is made. On a
        machine without GPU, set ``ACCELERATE_USE_CPU=true`` and launch with
        ``--multi_gpu --num_processes 2``: with ``--cpu`` it starts one process alone.

    Returns
    -------
    History
        Losses, and how long it took.

    Raises
    ------
    ValueError
        If a batch cannot be cut as asked, the loss is no longer finite, or the
        checkpoint is of another run.

    Notes
    -----
    Built in chapter 11.

    Examples
    --------
    >>> _ = torch.manual_seed(0)
    >>> x = torch.randn(64, 2)
    >>> targets = (x.sum(dim=1) > 0).long()
    >>> config = TrainingConfig(steps=50, lr=0.1, warmup=5)
    >>> history = fit(nn.Linear(2, 2), lambda step: (x, targets), config)
    >>> history.losses[-1] < 0.2
    True
    """
    network = _distribute(model, accelerator)
    device = next(model.parameters()).device
    run = _Run(model, config)
    if checkpoint is not None and Path(checkpoint).exists():
        run.load(Path(checkpoint))
    history, first = run.history, len(run.history.steps)
    losses: list[Tensor] = []  # they and the number of tokens stay on the device
    tokens = torch.tensor(history.tokens, device=device)
    began = time.perf_counter() - history.seconds
    with _settings(device), _report(log_dir, first, config.steps) as report:
        for step in range(first, config.steps):
            if history.stopped_early:
                break
            model.train()
            scale = lr_scale(step, config)
            for group in (g for o in run.optimizers for g in o.param_groups):
                group["lr"] = group["initial_lr"] * scale
            inputs, targets = _draw(batch, step, config.seed, device)
            losses.append(
                train_step(network, run.optimizers, inputs, targets, config, loss_fn)
            )
            history.steps.append(step + 1)
            tokens += (targets != IGNORED).sum()

            done, is_last = step + 1, step + 1 == config.steps
            if validate and (is_last or done % config.validate_every == 0):
                run.add_validation(validate)
                report(done, {"loss/validation": history.validation_losses[-1]})
            is_last |= history.stopped_early
            should_save = is_last or done % config.checkpoint_every == 0
            if should_save or done % config.log_every == 0:
                run.add_losses(losses)
                for at in history.steps[-len(losses) :]:
                    lr = config.lr * lr_scale(at - 1, config)
                    report(at, {"loss/train": history.losses[at - 1], "lr": lr})
                losses.clear()
                history.tokens = int(tokens)
                history.seconds = time.perf_counter() - began
            if should_save and checkpoint is not None:
                run.save(Path(checkpoint))
    if run.best:
        model.load_state_dict(run.best)
    model.eval()
    return history


class _Run:
    """The state of a run: all that its checkpoint holds."""

    def __init__(self, model: nn.Module, config: TrainingConfig) -> None:
        self.model, self.config = model, config
        self.optimizers = make_optimizers(model, config)
        self.history = History()
        self.best: dict[str, Tensor] = {}

    def add_validation(self, validate: Callable[[nn.Module], float]) -> None:
        history, now = self.history, len(self.history.steps)
        self.model.eval()
        with torch.no_grad():
            value = torch.tensor(float(validate(self.model)), dtype=torch.float64)
        if _rank_and_world()[1] > 1:  # all must stop together
            value = value.to(next(self.model.parameters()).device)
            dist.broadcast(value, src=0)
        history.validation_steps.append(now)
        history.validation_losses.append(value.item())
        if value.item() <= min(history.validation_losses):
            history.best_step = now
            self.best = copy.deepcopy(self.model.state_dict())
        history.stopped_early = self._has_lost_patience()

    def _has_lost_patience(self) -> bool:
        best = self.history.best_step or 0
        since = sum(step > best for step in self.history.validation_steps)
        return self.config.patience is not None and since >= self.config.patience

    def add_losses(self, losses: list[Tensor]) -> None:
        self.history.losses += torch.stack(losses).tolist()
        for step in self.history.steps[-len(losses) :]:
            loss = self.history.losses[step - 1]
            if not math.isfinite(loss):
                raise ValueError(
                    f"the loss of update {step} is {loss}; lower lr={self.config.lr}, "
                    "lengthen warmup, or look for numbers in the inputs that are not "
                    "finite"
                )

    def save(self, path: Path) -> None:
        if _rank_and_world()[0]:
            return
        state = {
            "model": self.model.state_dict(),
            "optimizers": [o.state_dict() for o in self.optimizers],
            "history": asdict(self.history),
            "best": self.best,
            "config": asdict(self.config),
        }
        path.parent.mkdir(parents=True, exist_ok=True)
        # subtle: a file that is half written never has the name that is looked for
        half = path.with_name(f"{path.name}.{os.getpid()}.tmp")
        try:
            torch.save(state, half)
            os.replace(half, path)
        finally:
            half.unlink(missing_ok=True)

    def load(self, path: Path) -> None:
        device = next(self.model.parameters()).device
        state = torch.load(path, map_location=device, weights_only=True)
        now, free = asdict(self.config), {"steps", "patience", "accumulation"}
        for name, value in state.get("config", now).items():
            if name in free or name.endswith("_every") or now[name] == value:
                continue
            raise ValueError(
                f"{path} was made with {name}={value!r}, and now {name}={now[name]!r}; "
                "go on with the old settings, or give a new run another checkpoint"
            )
        self.model.load_state_dict(state["model"])
        for optimizer, saved in zip(self.optimizers, state["optimizers"], strict=True):
            optimizer.load_state_dict(saved)
        self.history, self.best = History(**state["history"]), state["best"]
        self.history.stopped_early = self._has_lost_patience()


def _rank_and_world() -> tuple[int, int]:
    """Number of this process, and of all."""
    if dist.is_available() and dist.is_initialized():
        return dist.get_rank(), dist.get_world_size()
    return 0, 1


def _distribute(model: nn.Module, accelerator: Accelerator | None) -> nn.Module:
    """Wrap the model for several processes, if there are several."""
    if accelerator is None and int(os.environ.get("WORLD_SIZE", "1")) > 1:
        from accelerate import Accelerator, DistributedDataParallelKwargs

        on_cpu = next(model.parameters()).device.type == "cpu"
        no_buffers = DistributedDataParallelKwargs(broadcast_buffers=False)
        accelerator = Accelerator(cpu=on_cpu, kwargs_handlers=[no_buffers])
    return model if accelerator is None else accelerator.prepare_model(model)


def _draw(
    batch: Callable[[int], Batch], step: int, seed: int, device: torch.device
) -> Batch:
    """Ask for a batch, and seed what the step will draw, dropout for example."""
    torch.manual_seed(seed * 10**9 + step)
    inputs, targets = batch(step)
    if (targets == IGNORED).all():
        raise ValueError(
            f"batch({step}) has no target that counts (of {targets.numel()}, all are "
            f"{IGNORED}); leave such rows out"
        )
    if rank := _rank_and_world()[0]:
        torch.manual_seed((seed + rank * 2**16) * 10**9 + step)
    return inputs.to(device), targets.to(device)


@contextmanager
def _settings(device: torch.device) -> Iterator[None]:
    """Make torch fast for the run, and leave its random numbers as they were."""
    gpus = [device] if device.type == "cuda" else []
    with (
        torch.random.fork_rng(gpus),
        float32_products(device, large=True),
        kept_memory(),
    ):
        yield


@contextmanager
def _report(
    log_dir: str | os.PathLike[str] | None, first: int, steps: int
) -> Iterator[Callable[[int, dict[str, float]], None]]:
    """Make a function that reports to who watches, and to TensorBoard if asked."""
    from tqdm import tqdm

    is_main = _rank_and_world()[0] == 0
    writer = None
    if log_dir is not None and is_main:
        from torch.utils.tensorboard import SummaryWriter

        writer = SummaryWriter(os.fspath(log_dir), purge_step=first + 1)

    # disable=None: shown where stderr is a terminal
    with tqdm(initial=first, total=steps, disable=None if is_main else True) as bar:

        def report(step: int, values: dict[str, float]) -> None:
            bar.update(max(0, step - bar.n))
            bar.set_postfix(values, refresh=False)
            for name, value in values.items() if writer else ():
                writer.add_scalar(name, value, step)

        try:
            yield report
        finally:
            if writer:
                writer.close()
