"""The loop: against torch's own optimizers and schedules, and against itself."""

import json
import math
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
import torch
from torch import nn

from llmbook_utils.models.attention.gpt import GPT, GPTConfig
from llmbook_utils.training import (
    History,
    TrainingConfig,
    fit,
    lr_scale,
    make_optimizers,
    mean_loss,
    train_step,
)

TINY = GPTConfig(vocab_size=13, block_size=8, n_layer=2, n_head=2, n_embd=16)
QUICK = TrainingConfig(
    steps=12, lr=1e-2, warmup=3, validate_every=4, checkpoint_every=5, log_every=2
)


def changed(config: TrainingConfig, **changes: object) -> TrainingConfig:
    return TrainingConfig(**{**vars(config), **changes})


def make(dropout: float = 0.0, seed: int = 0) -> GPT:
    torch.manual_seed(seed)
    return GPT(GPTConfig(**{**vars(TINY), "dropout": dropout}))


def batch(step: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Counting modulo 13, with some targets ignored, more in some rows than others."""
    generator = torch.Generator().manual_seed(step)
    first = torch.randint(13, (8, 1), generator=generator)
    ids = (first + torch.arange(9)) % 13
    inputs, targets = ids[:, :-1], ids[:, 1:].clone()
    targets[torch.rand(8, 8, generator=generator) < torch.arange(8) / 10] = -100
    return inputs, targets


def validate(model: nn.Module) -> float:
    return mean_loss(model, [batch(1000), batch(1001)])


# what is learned


@pytest.mark.parametrize("optimizer", ["adamw", "muon"])
def test_a_model_learns_to_count(optimizer: str) -> None:
    model = make()
    config = changed(QUICK, steps=100, optimizer=optimizer)
    history = fit(model, batch, config, validate=validate)
    assert history.losses[0] == pytest.approx(math.log(13), abs=0.1)
    assert history.losses[-1] < 0.2
    assert history.steps == list(range(1, 101))
    assert len(history.losses) == 100
    assert history.validation_steps == list(range(4, 101, 4))
    assert validate(model) == pytest.approx(min(history.validation_losses))
    counted = sum(int((batch(i)[1] != -100).sum()) for i in range(100))
    assert history.tokens == counted
    assert not model.training


def test_the_loop_takes_the_steps_of_torch() -> None:
    """Against the shortest loop that says the same, with torch's own scheduler."""
    config = changed(QUICK, weight_decay=0.3, clip=0.5)
    ours, theirs = make(), make()
    history = fit(ours, batch, config)

    matrices = [p for n, p in theirs.named_parameters() if n.endswith("weight")]
    matrices = [p for p in matrices if p.ndim == 2][2:]  # wte and wpe come first
    rest = [p for p in theirs.parameters() if not any(p is m for m in matrices)]
    optimizer = torch.optim.AdamW(
        [{"params": matrices}, {"params": rest, "weight_decay": 0.0}],
        lr=1e-2,
        betas=(0.9, 0.95),
        weight_decay=0.3,
    )
    warmup = torch.optim.lr_scheduler.LinearLR(optimizer, 1 / 3, 1.0, total_iters=2)
    cosine = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 9, eta_min=1e-3)
    schedule = torch.optim.lr_scheduler.SequentialLR(optimizer, [warmup, cosine], [3])
    for step in range(12):
        inputs, targets = batch(step)
        loss = nn.functional.cross_entropy(
            theirs(inputs).flatten(0, 1), targets.flatten()
        )
        assert history.losses[step] == pytest.approx(loss.item(), abs=1e-5)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(theirs.parameters(), 0.5)
        optimizer.step()
        schedule.step()
    for a, b in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(a, b, atol=1e-4, rtol=0)


def test_transformers_models_are_trained_alike() -> None:
    ours = make()
    theirs = ours.to_transformers()
    config = changed(QUICK, steps=6)
    one, other = fit(ours, batch, config), fit(theirs, batch, config)
    assert one.losses == pytest.approx(other.losses, abs=1e-5)


# learning rate and who gets which


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        # 4 steps of warm-up, then 10 steps
        ("cosine", {3: 1.0, 4: 1.0, 9: 0.55, 13: 0.1 + 0.9 * 0.0245}),
        ("linear", {3: 1.0, 4: 1.0, 9: 0.55, 13: 0.19}),
    ],
)
def test_schedules_by_hand(schedule: str, expected: dict[int, float]) -> None:
    config = TrainingConfig(steps=14, warmup=4, schedule=schedule, final_lr=0.1)
    assert [lr_scale(i, config) for i in range(4)] == [0.25, 0.5, 0.75, 1.0]
    for step, scale in expected.items():
        assert lr_scale(step, config) == pytest.approx(scale, abs=1e-4)
    assert lr_scale(14, config) == pytest.approx(0.1)


def names_of(model: nn.Module, group: dict) -> set[str]:
    names = {p: name for name, p in model.named_parameters()}
    return {names[p] for p in group["params"]}


def test_embeddings_biases_and_norms_do_not_decay() -> None:
    model = make()
    (adamw,) = make_optimizers(model, QUICK)
    decayed, undecayed = adamw.param_groups
    assert decayed["weight_decay"] == 0.1
    assert undecayed["weight_decay"] == 0.0
    matrices = ("attn.c_attn", "attn.c_proj", "mlp.c_fc", "mlp.c_proj")
    expected = {f"h.{i}.{name}.weight" for i in range(2) for name in matrices}
    assert names_of(model, decayed) == expected
    everything = {name for name, _ in model.named_parameters()}
    assert names_of(model, undecayed) == everything - expected


def test_muon_takes_the_matrices_of_the_blocks() -> None:
    model = make()
    model.lm_head = nn.Linear(16, 13, bias=False)
    model.wpe.weight.requires_grad_(False)
    muon, adamw = make_optimizers(model, changed(QUICK, optimizer="muon", muon_lr=0.5))
    assert isinstance(muon, torch.optim.Muon)
    assert muon.param_groups[0]["initial_lr"] == 0.5
    assert len(muon.param_groups[0]["params"]) == 8
    assert names_of(model, adamw.param_groups[0]) == {"lm_head.weight"}
    assert "wte.weight" in names_of(model, adamw.param_groups[1])
    assert "wpe.weight" not in names_of(model, adamw.param_groups[1])


def test_muons_update_is_as_large_as_adamws() -> None:
    # AdamW's updates are about 0.2 lr (Liu et al. 2025, section 2.2)
    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Linear(64, 256, bias=False), nn.Linear(256, 64, bias=False)
    )
    before = [p.detach().clone() for p in model.parameters()]
    config = changed(QUICK, optimizer="muon", weight_decay=0.0, lr=1.0, muon_lr=0.01)
    (muon,) = make_optimizers(model, config)
    for p in model.parameters():
        p.grad = torch.randn_like(p)
    muon.step()
    for p, old in zip(model.parameters(), before, strict=True):
        update = (p - old).pow(2).mean().sqrt().item()
        assert update == pytest.approx(0.2 * 0.01, rel=0.2)


# pieces of a batch


@pytest.mark.parametrize("pieces", [2, 3, 8])
def test_a_batch_in_pieces_gives_the_same_run(pieces: int) -> None:
    whole, cut = make(), make()
    one = fit(whole, batch, QUICK)
    other = fit(cut, batch, changed(QUICK, accumulation=pieces))
    assert one.losses == pytest.approx(other.losses, abs=1e-5)


def test_the_loss_is_the_mean_over_targets_that_count() -> None:
    model = make()
    inputs, targets = batch(0)
    expected = nn.functional.cross_entropy(
        model(inputs).flatten(0, 1), targets.flatten()
    )
    assert mean_loss(model, [(inputs, targets)]) == pytest.approx(expected.item())
    halves = zip(inputs.split(3), targets.split(3), strict=True)
    assert mean_loss(model, halves) == pytest.approx(expected.item(), abs=1e-5)
    optimizers = make_optimizers(model, QUICK)
    loss = train_step(model, optimizers, inputs, targets, QUICK)
    assert loss.item() == pytest.approx(expected.item())


# precision and the machine's settings


def test_bf16_is_close_to_float32() -> None:
    exact = fit(make(), batch, QUICK).losses
    rough = fit(make(), batch, changed(QUICK, precision="bf16")).losses
    assert rough != exact
    assert rough == pytest.approx(exact, abs=0.05)


def test_best_is_bf16_where_it_is_fast(monkeypatch: pytest.MonkeyPatch) -> None:
    for is_fast, same_as in ((True, "bf16"), (False, "float32")):
        monkeypatch.setattr(
            "llmbook_utils.training.has_fast_bf16",
            lambda device, answer=is_fast: answer,
        )
        best = fit(make(), batch, changed(QUICK, precision="best"))
        named = fit(make(), batch, changed(QUICK, precision=same_as))
        assert best.losses == named.losses


def test_a_run_leaves_random_numbers_and_settings_alone() -> None:
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    model = make(dropout=0.5)
    torch.manual_seed(5)
    seen = []

    def look(step: int) -> tuple[torch.Tensor, torch.Tensor]:
        seen.append(torch.get_float32_matmul_precision())
        return batch(step)

    fit(model, look, QUICK)
    assert torch.equal(torch.rand(3), expected)
    assert torch.get_float32_matmul_precision() == "highest"
    assert set(seen) <= {"medium", "highest"}


# validation and early stopping


def scripted(values: list[float]) -> tuple[list[dict], object]:
    """A validation that gives these values, and remembers the weights it saw."""
    seen: list[dict] = []

    def validate(model: nn.Module) -> float:
        assert not model.training
        seen.append({name: w.clone() for name, w in model.state_dict().items()})
        return values[len(seen) - 1]

    return seen, validate


def test_the_best_weights_are_kept() -> None:
    model = make(dropout=0.1)
    seen, validate = scripted([3.0, 1.0, 2.0])
    history = fit(model, batch, QUICK, validate=validate)
    assert history.best_step == 8
    assert history.validation_losses == [3.0, 1.0, 2.0]
    assert not history.stopped_early
    for name, w in model.state_dict().items():
        assert torch.equal(w, seen[1][name])
        assert name.endswith("bias") or not torch.equal(w, seen[2][name])


def test_patience_ends_a_run() -> None:
    model = make()
    seen, validate = scripted([3.0, 1.0, 2.0, 1.5, 0.5])
    config = changed(QUICK, steps=40, patience=2)
    history = fit(model, batch, config, validate=validate)
    assert history.stopped_early
    assert history.steps[-1] == 16
    assert len(history.losses) == 16
    assert history.best_step == 8
    assert torch.equal(model.wte.weight, seen[1]["wte.weight"])
    assert repr(history).endswith("best 1.000 at 8)")


# checkpoints


def test_a_run_that_was_killed_goes_on_as_if_nothing_had_been(tmp_path: Path) -> None:
    """SIGKILL in the middle of step 9; the checkpoint is of step 5, dropout is on."""
    script = tmp_path / "run.py"
    script.write_text(
        textwrap.dedent(
            f"""
            import os, signal, sys
            sys.path[:0] = [{str(Path(__file__).parent)!r}]
            from test_training import QUICK, batch, changed, fit, make, validate

            def deadly(step):
                if step == 8:
                    os.kill(os.getpid(), signal.SIGKILL)
                return batch(step)

            config = changed(QUICK, optimizer="muon")
            fit(make(0.1), deadly, config, validate=validate, checkpoint="run.pt")
            """
        )
    )
    killed = subprocess.run([sys.executable, script], cwd=tmp_path, check=False)
    assert killed.returncode == -signal.SIGKILL

    config = changed(QUICK, optimizer="muon")
    file = tmp_path / "run.pt"
    resumed, straight = make(0.1, seed=99), make(0.1)  # another start: it is not used
    asked = []

    def recorded(step: int) -> tuple[torch.Tensor, torch.Tensor]:
        asked.append(step)
        return batch(step)

    one = fit(resumed, recorded, config, validate=validate, checkpoint=file)
    other = fit(straight, batch, config, validate=validate)
    assert asked == list(range(5, 12))
    assert one.losses == other.losses
    assert one.validation_losses == other.validation_losses
    assert one.tokens == other.tokens
    for a, b in zip(resumed.parameters(), straight.parameters(), strict=True):
        assert torch.equal(a, b)
    assert [f.name for f in tmp_path.iterdir() if f.suffix == ".tmp"] == []

    # a finished run is loaded, not trained
    again = make(seed=7)
    asked.clear()
    assert fit(again, recorded, config, validate=validate, checkpoint=file) == one
    assert asked == []
    assert torch.equal(again.wte.weight, resumed.wte.weight)


def test_a_checkpoint_is_whole_or_not_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "new" / "run.pt"
    fit(make(), batch, changed(QUICK, steps=2), checkpoint=file)
    before = file.read_bytes()

    def full_disk(state: dict, path: Path) -> None:
        path.write_bytes(b"half")
        raise OSError("no space left on device")

    monkeypatch.setattr(torch, "save", full_disk)
    with pytest.raises(OSError, match="no space"):
        fit(make(), batch, QUICK, checkpoint=file)
    assert file.read_bytes() == before
    assert list(file.parent.iterdir()) == [file]


def test_early_stopping_goes_on_over_a_checkpoint(tmp_path: Path) -> None:
    file = tmp_path / "run.pt"
    config = changed(QUICK, steps=40, patience=2, checkpoint_every=4)
    _, validate = scripted([1.0, 2.0, 3.0])
    history = fit(make(), batch, config, validate=validate, checkpoint=file)
    assert history.steps[-1] == 12
    _, validate = scripted([0.5, 4.0, 4.0, 4.0])
    config = changed(config, patience=3)  # more patience: it goes on
    history = fit(make(), batch, config, validate=validate, checkpoint=file)
    assert history.validation_losses == [1.0, 2.0, 3.0, 0.5, 4.0, 4.0, 4.0]
    assert history.best_step == 16
    assert history.stopped_early


def test_a_checkpoint_of_another_run_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "run.pt"
    fit(make(), batch, changed(QUICK, steps=2), checkpoint=file)
    with pytest.raises(
        ValueError, match=r"run.pt was made with lr=0.01, and now lr=0.5"
    ):
        fit(make(), batch, changed(QUICK, lr=0.5), checkpoint=file)
    more = changed(QUICK, steps=4, log_every=1, accumulation=2)
    assert fit(make(), batch, more, checkpoint=file).steps == [1, 2, 3, 4]


# who watches


def test_nothing_is_printed_where_nobody_watches(capsys: pytest.CaptureFixture) -> None:
    fit(make(), batch, QUICK)
    assert capsys.readouterr() == ("", "")


def test_a_progress_bar_is_shown_on_a_terminal(
    capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    fit(make(), batch, QUICK, validate=validate)
    shown = capsys.readouterr().err
    assert "12/12" in shown
    assert "loss" in shown


def test_tensorboard_can_read_the_log(tmp_path: Path) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    def broken(step: int) -> tuple[torch.Tensor, torch.Tensor]:
        if step == 8:
            raise OSError("the cable")
        return batch(step)

    paths = {"checkpoint": tmp_path / "run.pt", "log_dir": tmp_path / "log"}
    with pytest.raises(OSError, match="cable"):
        fit(make(), broken, QUICK, validate=validate, **paths)
    # steps 6 to 8 are logged, and taken again: the second time counts
    history = fit(make(), batch, QUICK, validate=validate, **paths)
    events = EventAccumulator(str(tmp_path / "log")).Reload()
    train = events.Scalars("loss/train")
    assert [e.step for e in train] == history.steps
    assert [e.value for e in train] == pytest.approx(history.losses)
    validation = events.Scalars("loss/validation")
    assert [e.step for e in validation] == history.validation_steps
    assert [e.value for e in validation] == pytest.approx(history.validation_losses)
    expected = [QUICK.lr * lr_scale(i, QUICK) for i in range(12)]
    assert [e.value for e in events.Scalars("lr")] == pytest.approx(expected)


# several processes


TWO_PROCESSES = """
import json, os, sys
sys.path[:0] = [{tests!r}]
import torch
torch.set_num_threads(1)
from test_training import QUICK, batch, changed, fit, make, validate

rank = int(os.environ["RANK"])
def run(**options):
    model = make(seed=rank)  # what process 0 has is copied to the others
    config = changed(QUICK, accumulation=2)
    def other(model):  # of process 0 alone it is what the others believe
        return validate(model) + rank
    history = fit(model, batch, config, validate=other, **options)
    weights = model.wte.weight.sum().item()
    return [history.losses, history.validation_losses, history.tokens, weights]

results = [run(checkpoint="run.pt")]
from accelerate import Accelerator
results.append(run(accelerator=Accelerator(cpu=True)))
with open(f"rank{{rank}}.json", "w") as file:
    json.dump(results, file)
"""


def test_two_processes_give_the_losses_of_one(tmp_path: Path) -> None:
    """Each works on half of the rows, with other numbers of targets that count."""
    script = tmp_path / "run.py"
    script.write_text(TWO_PROCESSES.format(tests=str(Path(__file__).parent)))
    # with --cpu for --multi_gpu it would start one process, and say nothing
    command = [sys.executable, "-m", "accelerate.commands.launch", "--multi_gpu"]
    command += ["--num_processes", "2", "--num_machines", "1", "--mixed_precision"]
    command += ["no", "--dynamo_backend", "no", "--main_process_port", "0", str(script)]
    done = subprocess.run(
        command,
        cwd=tmp_path,
        env={**os.environ, "OMP_NUM_THREADS": "1", "ACCELERATE_USE_CPU": "true"},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    model = make()
    alone = fit(model, batch, QUICK, validate=validate)
    for rank in range(2):
        results = json.loads((tmp_path / f"rank{rank}.json").read_text())
        for losses, validation_losses, tokens, weights in results:
            assert losses == pytest.approx(alone.losses, abs=1e-5)
            assert validation_losses == pytest.approx(alone.validation_losses, abs=1e-4)
            assert tokens == alone.tokens
            assert weights == pytest.approx(model.wte.weight.sum().item(), abs=1e-2)
    assert (tmp_path / "run.pt").exists()


# what goes wrong


def test_a_loss_that_is_not_finite_is_explained(tmp_path: Path) -> None:
    model = make()
    file = tmp_path / "run.pt"
    config = changed(QUICK, steps=20, clip=None, checkpoint_every=2)

    def poisoned(step: int) -> tuple[torch.Tensor, torch.Tensor]:
        if step == 4:
            with torch.no_grad():
                model.ln_f.bias += torch.inf
        return batch(step)

    with pytest.raises(ValueError, match=r"update 5 is (nan|inf); lower lr=0.01"):
        fit(model, poisoned, config, checkpoint=file)
    saved = torch.load(file, weights_only=True)
    assert len(saved["history"]["steps"]) == 4
    assert all(w.isfinite().all() for w in saved["model"].values())


def test_batches_that_cannot_be_cut_are_explained() -> None:
    with pytest.raises(ValueError, match=r"8 inputs and 8 targets.*into 9 pieces"):
        fit(make(), batch, changed(QUICK, accumulation=9))
    inputs, targets = batch(0)
    with pytest.raises(ValueError, match="8 inputs and 7 targets"):
        fit(make(), lambda step: (inputs, targets[1:]), QUICK)
    with pytest.raises(ValueError, match=r"batch\(0\) has no target.*of 64"):
        fit(make(), lambda step: (inputs, torch.full_like(targets, -100)), QUICK)
    with pytest.raises(ValueError, match="batches is empty"):
        mean_loss(make(), [])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"optimizer": "sgd"}, "optimizer must be one of 'adamw', 'muon', got 'sgd'"),
        ({"precision": "fp16"}, "precision must be one of .*, got 'fp16'"),
        ({"accumulation": 0}, "accumulation must be 1 or more, got 0"),
        ({"patience": 0}, "patience must be 1 or more, got 0"),
        ({"lr": -1.0}, "lr must be 0 or more, got -1.0"),
    ],
)
def test_impossible_settings_are_explained(change: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        TrainingConfig(**change)


def test_no_steps_are_no_mistake() -> None:
    assert fit(make(), batch, changed(QUICK, steps=0)).steps == []
    assert repr(History()) == "History(0 steps, 0 tokens)"
