"""Models out of a folder: the right types, and a word on each thing that can be wrong.

The way to the hub is tested in `test_hub`.
"""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from hub_server import write_model
from safetensors.torch import load_file, save_file
from transformers import GPT2LMHeadModel, GPT2Tokenizer

from llmbook_utils import pretrained
from llmbook_utils.pretrained import load


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("original")
    write_model(folder)
    return folder


@pytest.fixture
def folder(original: Path, tmp_path: Path) -> Path:
    """A copy that a test may damage."""
    return shutil.copytree(original, tmp_path / "model")


@pytest.fixture
def tiny(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package whose model is the one in the folder."""
    monkeypatch.setattr(pretrained, "TINY", folder)
    return folder


@pytest.mark.parametrize("how", ["name", "nothing", "variable", "path", "home"])
def test_each_way_gives_the_same_model(
    how: str, tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Oracle: transformers' own loading of the same folder."""
    monkeypatch.delenv("LLMBOOK_MODEL", raising=False)
    if how == "variable":
        monkeypatch.setenv("LLMBOOK_MODEL", str(tiny))
        monkeypatch.setattr(pretrained, "TINY", Path("nowhere"))
    monkeypatch.setenv("HOME", str(tiny.parent))
    name = {"name": "tiny", "path": tiny, "home": f"~/{tiny.name}"}.get(how)
    model, tokenizer = load(name)
    assert type(model) is GPT2LMHeadModel and type(tokenizer) is GPT2Tokenizer
    expected = GPT2LMHeadModel.from_pretrained(tiny).state_dict()
    assert model.state_dict().keys() == expected.keys()
    for key, value in model.state_dict().items():
        torch.testing.assert_close(value, expected[key], rtol=0, atol=0)
    assert len(tokenizer) == model.config.vocab_size == 260


def test_model_is_ready_for_the_book(folder: Path) -> None:
    """Float32 whatever the file has, no dropout, attention weights that can be seen.

    Other files beside the model, such as its curves, are nobody's concern.
    """
    (folder / "curves.json").write_text("[1, 2]")
    weights = load_file(folder / "model.safetensors")
    half = {name: value.half() for name, value in weights.items()}
    save_file(half, folder / "model.safetensors", {"format": "pt"})
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "dtype": "float16"}))
    model, tokenizer = load(folder)
    assert {p.dtype for p in model.parameters()} == {torch.float32}
    assert not model.training
    ids = tokenizer("the lamp", return_tensors="pt")["input_ids"]
    attentions = model(ids, output_attentions=True).attentions
    total = attentions[0].sum(-1)  # (B, n_head, T)
    torch.testing.assert_close(total, torch.ones_like(total))
    assert load(folder, attn_implementation="sdpa")[0].config._attn_implementation == (
        "sdpa"
    )


def test_loading_prints_nothing(folder: Path, capfd: pytest.CaptureFixture) -> None:
    """No progress bar in a notebook's output; the setting of others is kept."""
    from transformers.utils import logging

    for is_on in (True, False):
        (logging.enable_progress_bar if is_on else logging.disable_progress_bar)()
        load(folder)
        assert logging.is_progress_bar_enabled() == is_on
    logging.enable_progress_bar()
    assert capfd.readouterr() == ("", "")


def edit(name: str, change: Callable[[bytes], bytes]) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        (folder / name).write_bytes(change((folder / name).read_bytes()))

    return damage


def remove(name: str) -> Callable[[Path], None]:
    return lambda folder: (folder / name).unlink()


def rename_weights(folder: Path) -> None:
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")


def drop_a_tensor(folder: Path) -> None:
    weights = load_file(folder / "model.safetensors")
    del weights["transformer.h.0.attn.c_attn.bias"]
    save_file(weights, folder / "model.safetensors", {"format": "pt"})


def set_config(**values: object) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        config = json.loads((folder / "config.json").read_text())
        (folder / "config.json").write_text(json.dumps({**config, **values}))

    return damage


@pytest.mark.parametrize(
    ("damage", "kind", "message"),
    [
        (rename_weights, ValueError, "pytorch_model.bin alone, a pickle"),
        (remove("model.safetensors"), FileNotFoundError, "has no model.safetensors"),
        (remove("merges.txt"), FileNotFoundError, "no vocab.json and merges.txt"),
        (remove("config.json"), FileNotFoundError, "must hold config.json"),
        (edit("config.json", lambda b: b[:60]), ValueError, r"damaged in line \d"),
        (edit("vocab.json", lambda b: b[:60]), ValueError, "vocab.json is damaged in"),
        (edit("merges.txt", lambda b: b"a b c"), ValueError, "tokenizer .* is damaged"),
        (edit("model.safetensors", lambda b: b[:-8]), ValueError, "damaged or of an"),
        (edit("model.safetensors", lambda b: b[:5]), ValueError, "damaged or of an"),
        (edit("model.safetensors", lambda b: b""), ValueError, "damaged or of an"),
        (drop_a_tensor, ValueError, "lack 1 tensors, .*c_attn.bias"),
        (set_config(n_embd=4), ValueError, "damaged or of another model"),
        (set_config(model_type="llama"), ValueError, "a model of type 'llama'"),
        (set_config(n_layer=2), ValueError, r"lack 12 tensors"),
    ],
)
def test_what_is_wrong_with_a_folder_is_said(
    damage: Callable[[Path], None], kind: type[Exception], message: str, folder: Path
) -> None:
    damage(folder)
    with pytest.raises(kind, match=message) as raised:
        load(folder)
    assert "model" in str(raised.value)


def test_tokenizer_and_model_must_belong_together(folder: Path) -> None:
    vocab = json.loads((folder / "vocab.json").read_text())
    (folder / "vocab.json").write_text(json.dumps({**vocab, "extra": 260}))
    with pytest.raises(ValueError, match="has 261 tokens, the model knows 260"):
        load(folder)


@pytest.mark.parametrize("name", ["./nowhere", "~/nowhere", "/no/where", "a/b/c"])
def test_a_folder_that_is_not_there_is_named(name: str) -> None:
    with pytest.raises(FileNotFoundError, match=r"no model in .*: a folder must hold"):
        load(name)
    with pytest.raises(FileNotFoundError, match="no model in"):
        load(Path(name))


def test_mistakes_in_the_call_are_named(folder: Path) -> None:
    with pytest.raises(ValueError, match=r"revision='v1' is for models on the hub"):
        load(folder, revision="v1")
    for wrong in (7, ""):
        with pytest.raises(TypeError, match=f"got {wrong!r}"):
            load(wrong)


def test_a_package_without_its_model_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pretrained, "TINY", tmp_path)
    with pytest.raises(FileNotFoundError, match=r"lacks the model 'tiny'.*again"):
        load("tiny")
