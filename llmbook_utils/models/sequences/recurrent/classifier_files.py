"""Classifiers saved and loaded (chapter 07).

Two files in a folder: ``model.safetensors`` holds the weights, ``classifier.json`` what
gives them a meaning: the shape of the network, the vocabulary, the classes. Reading
them runs no code, whoever wrote them.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, fields
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load, save

from llmbook_utils.models.sequences.recurrent.classifier import (
    ClassifierConfig,
    RecurrentClassifier,
)
from llmbook_utils.text.files import read_json

FORMAT = "llmbook.recurrent_classifier.v1"
_KEYS = {"format", "config", "vocabulary", "classes", "sha256"}


def save_classifier(model: RecurrentClassifier, folder: str | Path) -> None:
    """Write the weights and what they mean into a folder, which is made.

    Parameters
    ----------
    model : RecurrentClassifier
        Saved as it is.
    folder : str or Path
        Files of an earlier model there are overwritten.

    Notes
    -----
    Built in chapter 07.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    weights = save({k: v.cpu().contiguous() for k, v in model.state_dict().items()})
    (folder / "model.safetensors").write_bytes(weights)
    about = {
        "format": FORMAT,
        "config": asdict(model.config),
        "vocabulary": model.vocabulary,
        "classes": model.classes,
        "sha256": hashlib.sha256(weights).hexdigest(),
    }
    text = json.dumps(about, ensure_ascii=False, indent=1)
    (folder / "classifier.json").write_text(text, encoding="utf-8")


def load_classifier(folder: str | Path) -> RecurrentClassifier:
    """Build the classifier that `save_classifier` wrote, ready to predict.

    Parameters
    ----------
    folder : str or Path
        With ``classifier.json`` and ``model.safetensors``.

    Returns
    -------
    RecurrentClassifier
        On the CPU, in evaluation mode.

    Raises
    ------
    FileNotFoundError
        If one of the two files is missing.
    ValueError
        If a file is damaged, of another model, or the two do not belong together. The
        message says which, and what to do.

    Notes
    -----
    Built in chapter 07.
    """
    folder = Path(folder)
    about = _read_about(folder / "classifier.json")
    path = folder / "model.safetensors"
    if not path.is_file():
        raise FileNotFoundError(
            f"there is no {path}; classifier.json needs the weights beside it"
        )
    data = path.read_bytes()
    try:
        weights = load(data)
    except SafetensorError as error:
        raise ValueError(
            f"{path} is damaged, or no safetensors file ({error}); copy it again"
        ) from None
    try:
        config = ClassifierConfig(**about["config"])
        model = RecurrentClassifier(config, about["vocabulary"], about["classes"])
    except (TypeError, ValueError, RuntimeError) as error:
        raise ValueError(
            f"{folder / 'classifier.json'} describes no classifier: {error}"
        ) from None
    wanted = {name: tuple(value.shape) for name, value in model.state_dict().items()}
    found = {name: tuple(value.shape) for name, value in weights.items()}
    if wanted != found:
        raise ValueError(
            f"{path} holds the weights of another model: {_difference(wanted, found)}; "
            "take both files from one save_classifier"
        )
    if hashlib.sha256(data).hexdigest() != about["sha256"]:
        raise ValueError(
            f"{path} fits, but is not the file that was saved with classifier.json: "
            "its checksum differs; take both files from one save_classifier"
        )
    model.load_state_dict(weights)
    return model.eval()


def _read_about(path: Path) -> dict[str, object]:
    """Read the description, and refuse one of something else."""
    about = read_json(path)
    if about.get("format") != FORMAT:
        raise ValueError(
            f"{path} has the format {about.get('format')!r}, expected {FORMAT!r}; "
            "is it of another model?"
        )
    if missing := sorted(_KEYS - about.keys()):
        raise ValueError(f"{path} lacks {', '.join(missing)}; save the model again")
    known = {field.name for field in fields(ClassifierConfig)}
    if not isinstance(about["config"], dict) or not about["config"].keys() <= known:
        raise ValueError(
            f"{path}: config must have the keys {sorted(known)}, got {about['config']}"
        )
    for key in ("vocabulary", "classes"):
        value = about[key]
        if not isinstance(value, list) or not all(isinstance(v, str) for v in value):
            raise ValueError(f"{path}: {key} must be a list of strings")
    return about


def _difference(wanted: dict[str, tuple], found: dict[str, tuple]) -> str:
    """Name the first tensor that differs."""
    for name in sorted(wanted.keys() | found.keys()):
        if wanted.get(name) != found.get(name):
            return (
                f"{name} has the shape {found.get(name, 'of nothing')}, expected "
                f"{wanted.get(name, 'none')}"
            )
    return "nothing"
