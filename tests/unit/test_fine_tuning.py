"""Chapter 15 with other models than `tiny`: from a hub, small; and GPT-2's own size.

A server on 127.0.0.1 stands for the hub. The cells are those of the notebook.
"""

import math
import os
import re
import resource
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
import torch
import torch.nn.functional as F
from hub_server import Hub, Reader, write_model
from nbclient import NotebookClient
from transformers import GPT2Config, GPT2LMHeadModel
from transformers.utils import logging

from llmbook_utils.pretrained import TINY

ROOT = Path(__file__).parents[2]
NOTEBOOK = ROOT / "notebooks" / "15_fine_tuning.ipynb"
# What the real repository holds besides the files that are needed.
NOT_NEEDED = (
    "README.md",
    "pytorch_model.bin",
    "tf_model.h5",
    "flax_model.msgpack",
    "rust_model.ot",
    "64.tflite",
    "onnx/decoder_model.onnx",
)


@pytest.fixture(scope="module")
def chapter() -> nbformat.NotebookNode:
    return nbformat.read(NOTEBOOK, as_version=4)


@pytest.fixture
def hub() -> Iterator[Hub]:
    hub = Hub()
    yield hub
    hub.stop()


def find_cell(chapter: nbformat.NotebookNode, beginning: str) -> str:
    """The source of the one code cell in which a line begins so."""
    found = [
        cell.source
        for cell in chapter.cells
        if cell.cell_type == "code" and f"\n{beginning}" in f"\n{cell.source}"
    ]
    assert len(found) == 1, f"{len(found)} cells begin a line with {beginning!r}"
    return found[0]


def fetched(requests: list[str]) -> set[str]:
    """The files that were sent, of all that a repository was asked for."""
    sent = [line.split("/", 3)[3] for line in requests if line.startswith("GET /cdn/")]
    sent += [
        line.split("/", 3)[3]
        for line in requests
        if line.startswith("GET /resolve/") and not line.endswith(".safetensors")
    ]
    return set(sent)


def test_gpt2_downloads_what_the_chapter_names(
    chapter: nbformat.NotebookNode, hub: Hub, tmp_path: Path
) -> None:
    """No pickle, no weights for other libraries: 550 MB and not some GB."""
    (tmp_path / "model").mkdir()
    files = write_model(tmp_path / "model")
    assert "tokenizer.json" not in files
    hub.add("gpt2", {**files, **dict.fromkeys(NOT_NEEDED, b"not needed")})
    reader = Reader(hub.url, tmp_path / "home")
    answer = reader.ask("model", "gpt2")
    reader.close()
    assert answer.get("types") == ["GPT2LMHeadModel", "GPT2Tokenizer"], answer
    came = fetched(hub.repositories["models", "gpt2"].requests)
    text = next(c.source for c in chapter.cells if "downloads 550 MB" in c.source)
    named = set(re.findall(r"`([\w.]+\.(?:json|txt|safetensors))`", text))
    settings = {"config.json", "generation_config.json", "tokenizer_config.json"}
    assert came - settings == named - {"tokenizer.json"}, came
    assert came == set(files) - {"README.md"}


def write_small_model(folder: Path) -> dict[str, bytes]:
    """A GPT-2 of one layer with random weights, and the tokenizer of `tiny`."""
    for name in ("vocab.json", "merges.txt", "tokenizer_config.json"):
        shutil.copy(TINY / name, folder)
    config = GPT2Config.from_pretrained(TINY)
    config.update({"n_layer": 1, "n_head": 2, "n_embd": 16})
    torch.manual_seed(0)
    logging.disable_progress_bar()
    GPT2LMHeadModel(config).save_pretrained(folder)
    logging.enable_progress_bar()
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_the_cells_run_with_a_model_of_the_hub(
    chapter: nbformat.NotebookNode,
    hub: Hub,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One name decides; what is claimed of `tiny` alone is asked of it alone."""
    (tmp_path / "model").mkdir()
    hub.add("village/small", write_small_model(tmp_path / "model"))
    for name in [name for name in os.environ if name.startswith("HF_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HF_ENDPOINT", hub.url)
    monkeypatch.setenv("HF_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("LLMBOOK_MODEL", "village/small")
    monkeypatch.setenv("LLMBOOK_DEVICE", "cpu")
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    where = {"metadata": {"path": str(NOTEBOOK.parent)}}
    nb = nbformat.from_dict(chapter)
    NotebookClient(nb, timeout=120, kernel_name="python3", resources=where).execute()
    card = next(c for c in nb.cells if c.source.startswith('about = f"""---'))
    assert "# village/small" in card.outputs[0].text
    assert "model.safetensors" in fetched(
        hub.repositories["models", "village/small"].requests
    )


@pytest.mark.slow
def test_one_step_of_gpt2s_own_size(chapter: nbformat.NotebookNode) -> None:
    """The chapter's loop, 124 million weights, two rows of 128 tokens."""
    here = {"torch": torch, "F": F, "name": "gpt2"}
    exec(find_cell(chapter, "def rate("), here)
    exec(find_cell(chapter, "def train("), here)
    promise = re.search(r'"memory in GB": (\d+)', find_cell(chapter, "gpt2_needs"))
    torch.manual_seed(0)
    model = GPT2LMHeadModel(GPT2Config())
    assert sum(p.numel() for p in model.parameters()) == 124_439_808
    before = model.transformer.h[11].mlp.c_fc.weight.detach().clone()
    rows = torch.randint(50_257, (1, 2, 128))
    (loss,) = here["train"](model, rows, lr=5e-5, warmup=0)
    assert abs(loss - math.log(50_257)) < 0.3  # it knows nothing yet
    moved = (model.transformer.h[11].mlp.c_fc.weight - before).abs()
    assert 4e-5 < moved.median() < 6e-5  # Adam's first step is as long as the rate
    assert not model.training
    unit = 1 if sys.platform == "darwin" else 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e9
    assert peak < float(promise[1]), f"{peak:.1f} GB"


def test_the_first_page_quotes_what_the_model_said(
    chapter: nbformat.NotebookNode,
) -> None:
    """The quotations of the overview stand in the stored outputs."""
    overview = next(c.source for c in chapter.cells if "## Overview" in c.source)
    quotes = [
        q.replace("\n> ", " ") for q in re.findall(r"^> .+(?:\n> .+)*", overview, re.M)
    ]
    assert len(quotes) == 2
    printed = " ".join(
        output.text
        for cell in chapter.cells
        if cell.cell_type == "code"
        for output in cell.outputs
        if output.output_type == "stream"
    )
    for quote in quotes:
        words = quote.removeprefix("> ").strip("… ")
        assert words in " ".join(printed.split()), words
