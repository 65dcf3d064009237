"""Trained models: ours, which comes with the package, and every GPT-2 on the hub.

Both are a `transformers` model and tokenizer, so what a chapter does with one it can do
with the other.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from llmbook_utils.text import hub
from llmbook_utils.text.files import read_json

if TYPE_CHECKING:
    from transformers import GPT2LMHeadModel, GPT2Tokenizer

TINY = Path(__file__).parent / "tiny/"

_WEIGHTS = ("model.safetensors", "model.safetensors.index.json")
_TOKENIZERS = (("vocab.json", "merges.txt"), ("tokenizer.json",))
_PATTERNS = (
    "config.json",
    "generation_config.json",
    *_WEIGHTS,
    "model-*.safetensors",
    "vocab.json",
    "merges.txt",
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
)


def load(
    name: str | Path | None = None,
    revision: str | None = None,
    attn_implementation: str = "eager",
) -> tuple[GPT2LMHeadModel, GPT2Tokenizer]:
    """Load a GPT-2 and its tokenizer.

    Parameters
    ----------
    name : str or Path, optional
        ``"tiny"``, our own model of TinyWorld's stories, which needs no network; a
        GPT-2 on the hub, such as ``"gpt2"`` or ``"owner/name"``; or a folder with the
        files of one. If not given, what ``LLMBOOK_MODEL`` says, else ``"tiny"``.
    revision : str, optional
        A branch, tag or commit of the hub's.
    attn_implementation : str
        ``"eager"`` can give the attention weights; ``"sdpa"`` is faster and cannot.

    Returns
    -------
    model : transformers.GPT2LMHeadModel
        In float32, in evaluation mode, on the CPU.
    tokenizer : transformers.GPT2Tokenizer

    Raises
    ------
    ValueError
        If there is no such model or revision, if it is no GPT-2, if its weights are
        not in safetensors (no other form is read: it could run code), or if a file is
        damaged.
    OSError
        If a folder lacks files, or the hub cannot be reached and its cache does not
        hold the model: ConnectionError, FileNotFoundError, PermissionError.

    Notes
    -----
    What comes from the hub is kept in its cache, and compared with its hash.

    Examples
    --------
    >>> model, tokenizer = load("tiny")  # doctest: +SKIP
    >>> type(model).__name__, type(tokenizer).__name__  # doctest: +SKIP
    ('GPT2LMHeadModel', 'GPT2Tokenizer')
    """
    if name is None:
        name = os.environ.get("LLMBOOK_MODEL", "").strip() or "tiny"
    if not isinstance(name, (str, Path)) or not str(name).strip():
        raise TypeError(f"name must be a model's name or a folder, got {name!r}")
    folder = _find_folder(name)
    if folder is None:
        folder = hub.fetch_model(str(name), revision, _PATTERNS)
        _check_fetched(folder, str(name), revision)
    elif revision is not None:
        raise ValueError(
            f"revision={revision!r} is for models on the hub; {folder} is a folder"
        )
    return _load_folder(folder, attn_implementation)


def _find_folder(name: str | Path) -> Path | None:
    """The folder that is meant, or None for a name on the hub."""
    if name == "tiny":
        if not (TINY / "config.json").is_file():
            raise FileNotFoundError(
                f"this installation lacks the model 'tiny' ({TINY}); install the "
                "package again, with all of its files"
            )
        return TINY
    folder = Path(name).expanduser()
    if (folder / "config.json").is_file():
        return folder
    text = str(name)
    is_path = isinstance(name, Path) or text.startswith((".", "/", "~", "\\"))
    if is_path or folder.is_absolute() or text.count("/") > 1:
        raise FileNotFoundError(
            f"there is no model in {folder}: a folder must hold config.json, "
            "model.safetensors, vocab.json and merges.txt"
        )
    return None


def _missing(names: set[str]) -> str:
    """What a model needs and `names` lacks; empty if nothing."""
    if "config.json" not in names:
        return "config.json"
    if names.isdisjoint(_WEIGHTS):
        return "model.safetensors"
    if not any(names.issuperset(files) for files in _TOKENIZERS):
        return "vocab.json and merges.txt"
    return ""


def _check_fetched(folder: Path, name: str, revision: str | None) -> None:
    """If a file is missing: does the hub lack it, or could it not be fetched?"""
    if _missing({path.name for path in folder.iterdir()}):
        names = hub.list_files(name, revision)  # raises if the hub is out of reach
        _refuse_incomplete(set(names), f"{name!r} on the hub")


def _refuse_incomplete(names: set[str], where: str) -> None:
    """Say what is missing, and why a pickle does not stand in for safetensors."""
    missing = _missing(names)
    if missing == "model.safetensors" and any(
        name.startswith("pytorch_model") for name in names
    ):
        raise ValueError(
            f"{where} has its weights in pytorch_model.bin alone, a pickle, which can "
            "run any code when it is read; take a model with model.safetensors, or "
            "one revision that has it (the hub's converter opens a pull request: "
            'revision="refs/pr/1"), or, if you trust it, convert it with '
            "GPT2LMHeadModel.from_pretrained(...).save_pretrained(folder)"
        )
    if missing:
        raise FileNotFoundError(f"{where} has no {missing}; is it a GPT-2, and whole?")


def _load_folder(
    folder: Path, attn_implementation: str
) -> tuple[GPT2LMHeadModel, GPT2Tokenizer]:
    """Load what lies in a folder. Everything that `load` gives comes through here."""
    _refuse_incomplete({path.name for path in folder.iterdir()}, str(folder))
    kind = read_json(folder / "config.json").get("model_type")
    if kind != "gpt2":
        raise ValueError(
            f"{folder} holds a model of type {kind!r}; the book's code is made for "
            "'gpt2': 'tiny', 'gpt2', 'distilgpt2' and others of that architecture"
        )
    tokenizer = _load_tokenizer(folder)
    model = _load_model(folder, attn_implementation)
    if len(tokenizer) > model.config.vocab_size:
        raise ValueError(
            f"{folder}: the tokenizer has {len(tokenizer)} tokens, the model knows "
            f"{model.config.vocab_size}; the files do not belong together"
        )
    return model, tokenizer


def _load_tokenizer(folder: Path) -> GPT2Tokenizer:
    from transformers import GPT2Tokenizer

    for name in _PATTERNS:
        if name.endswith(".json") and (folder / name).is_file():
            read_json(folder / name)  # says where it is damaged
    try:
        return GPT2Tokenizer.from_pretrained(str(folder), local_files_only=True)
    except Exception as error:  # `tokenizers` raises plain Exception
        raise ValueError(
            f"the tokenizer in {folder} is damaged: {error}; get its files again"
        ) from error


def _load_model(folder: Path, attn_implementation: str) -> GPT2LMHeadModel:
    """The model in float32, or an error; never one with weights left at random."""
    import torch
    from safetensors import SafetensorError
    from transformers import GPT2LMHeadModel
    from transformers.utils import logging

    shows_bars = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()  # a page's outputs hold no progress bar
    try:
        model, report = GPT2LMHeadModel.from_pretrained(
            str(folder),
            attn_implementation=attn_implementation,
            dtype=torch.float32,
            local_files_only=True,
            output_loading_info=True,
            use_safetensors=True,
        )
    except (SafetensorError, RuntimeError) as error:
        raise ValueError(
            f"the weights in {folder} are damaged or of another model: {error}; get "
            "the file again"
        ) from error
    finally:
        if shows_bars:
            logging.enable_progress_bar()
    if report["missing_keys"]:
        raise ValueError(
            f"the weights in {folder} lack {len(report['missing_keys'])} tensors, "
            f"{min(report['missing_keys'])!r} for one; get the file again"
        )
    model.loss_type = "ForCausalLM"  # else it warns, and Trainer miscounts
    return model.eval()
