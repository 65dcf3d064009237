"""Curves in TensorBoard's event files: written, and read back by its own reader."""

import subprocess
import sys

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.tensorboard import SummaryWriter

from llmbook_utils.training import TrainingConfig, fit
from llmbook_utils.training.event_files import read_curves


def test_curves_come_back(tmp_path):
    curves = {"loss/seen": np.linspace(2, 0, 500), "loss/fresh": [1.0, 0.5]}
    with SummaryWriter(tmp_path) as writer:
        for name, values in curves.items():
            for step, value in enumerate(values):
                writer.add_scalar(name, value, step)
    files = list(tmp_path.iterdir())
    assert len(files) == 1 and "tfevents" in files[0].name
    found = read_curves(tmp_path)
    assert found.keys() == curves.keys()
    for name, values in curves.items():
        steps, read = zip(*found[name], strict=True)
        assert list(steps) == list(range(len(values)))
        np.testing.assert_allclose(read, values, atol=1e-6)


def test_what_fit_logs_can_be_read(tmp_path):
    torch.manual_seed(0)
    x = torch.randn(20, 2)
    config = TrainingConfig(steps=4, warmup=0, log_every=1)
    history = fit(
        nn.Linear(2, 2),
        lambda step: (x, (x[:, 0] > 0).long()),
        config,
        log_dir=tmp_path,
    )
    read = read_curves(tmp_path)
    (losses,) = [points for name, points in read.items() if "loss" in name]
    np.testing.assert_allclose([v for _, v in losses], history.losses, rtol=1e-5)


def test_a_folder_without_events_is_named(tmp_path):
    for name in ("", "notes.txt"):
        if name:
            (tmp_path / name).write_text("no curve")
        with pytest.raises(FileNotFoundError, match="no event file"):
            read_curves(tmp_path)


def test_tensorflow_stays_out():
    """Neither the module nor what it imports needs TensorFlow."""
    code = (
        "import sys, tempfile; sys.modules['tensorflow'] = None\n"
        "from llmbook_utils.training.event_files import read_curves\n"
        "from torch.utils.tensorboard import SummaryWriter\n"
        "folder = tempfile.mkdtemp(); writer = SummaryWriter(folder)\n"
        "writer.add_scalar('a', 1.0, 0); writer.close()\n"
        "assert read_curves(folder) == {'a': [(0, 1.0)]}\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
