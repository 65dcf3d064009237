"""The recurrent classifier: padding changes nothing; its files say what is wrong."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from llmbook_utils.models.sequences.recurrent.classifier import (
    ClassifierConfig,
    RecurrentClassifier,
    count_vocabulary,
)
from llmbook_utils.models.sequences.recurrent.classifier_files import (
    load_classifier,
    save_classifier,
)
from llmbook_utils.text.words import word_tokenize

TEXTS = ["Good, so good.", "a bad day", "不好！", "it isn't good"]
CLASSES = ["negative", "positive"]


def classifier(seed: int = 0, **shape: object) -> RecurrentClassifier:
    torch.manual_seed(seed)
    config = ClassifierConfig(**{"n_embd": 5, "n_hidden": 7, **shape})
    return RecurrentClassifier(config, count_vocabulary(TEXTS, 1), CLASSES).eval()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("It’s GOOD.", ["it's", "good", "."]),
        ("第3次来", ["第", "3", "次", "来"]),
        ("naïve café", ["naïve", "café"]),
        ("a_b", ["a", "b"]),
        ("  \n", []),
    ],
)
def test_words_by_hand(text: str, words: list[str]) -> None:
    assert word_tokenize(text) == words


@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
@pytest.mark.parametrize("bidirectional", [False, True])
def test_a_text_is_scored_alike_alone_and_padded(
    cell: str, bidirectional: bool
) -> None:
    model = classifier(cell=cell, bidirectional=bidirectional)
    together = model(*model.encode(TEXTS))
    alone = torch.cat([model(*model.encode([text])) for text in TEXTS])
    assert torch.allclose(together, alone, atol=1e-6)


def test_scores_are_those_of_torch() -> None:
    """Oracle: nn.LSTM over packed sequences, the mean over real words, within 1e-5."""
    model = classifier()
    ids, lengths = model.encode(TEXTS)
    theirs: nn.LSTM = model.recurrent.to_torch()
    packed = pack_padded_sequence(
        model.embed(ids), lengths, batch_first=True, enforce_sorted=False
    )
    outputs, _ = pad_packed_sequence(theirs(packed)[0], batch_first=True)
    wanted = model.head(outputs.sum(1) / lengths.unsqueeze(1))
    assert torch.allclose(model(ids, lengths), wanted, atol=1e-5)


def test_the_unknown_word_is_learned_and_the_padding_is_not() -> None:
    model = classifier()
    ids, lengths = model.encode(["good", "zebras are good"])
    assert (ids == 0).any() and (ids == 1).any()
    model(ids, lengths).sum().backward()
    grad = model.embed.weight.grad
    assert grad[1].abs().sum() > 0 and grad[0].abs().sum() == 0


def test_prediction_leaves_the_mode_as_it_was() -> None:
    model = classifier().train()
    assert model.predict(TEXTS) == model.predict(TEXTS)  # no dropout
    assert model.training
    assert all(
        name in CLASSES and 0.5 <= p <= 1 for name, p in model.predict(["", "?"])
    )


def test_a_text_in_place_of_a_list_is_refused() -> None:
    with pytest.raises(TypeError, match="a list of texts"):
        classifier().encode("good")
    with pytest.raises(ValueError, match="no text"):
        classifier().encode([])


@pytest.mark.parametrize(
    ("vocabulary", "classes", "message"),
    [
        (["good"], CLASSES, "begins with"),
        (["<pad>", "<unk>", "a", "a"], CLASSES, "once"),
        (["<pad>", "<unk>"], ["one"], "two classes"),
    ],
)
def test_impossible_vocabularies(
    vocabulary: list[str], classes: list[str], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        RecurrentClassifier(ClassifierConfig(), vocabulary, classes)


def test_saved_and_loaded_it_says_the_same(tmp_path: Path) -> None:
    model = classifier(cell="gru")
    save_classifier(model, tmp_path / "new" / "folder")
    again = load_classifier(tmp_path / "new" / "folder")
    assert again.predict(TEXTS) == model.predict(TEXTS)
    assert again.vocabulary == model.vocabulary and again.config == model.config
    assert not again.training


FRESH = """
import json, sys
from llmbook_utils.models.sequences.recurrent.classifier_files import load_classifier
model = load_classifier(sys.argv[1])
print(json.dumps(model.predict(json.loads(sys.stdin.buffer.read()))))
"""


def test_a_fresh_process_predicts_new_sentences(tmp_path: Path) -> None:
    """Trained here on two languages; another process knows the files and no more."""
    good = ["so good", "a good day", "很好", "真好"]
    bad = ["so bad", "a bad day", "很坏", "真坏"]
    texts, labels = good + bad, torch.tensor([1] * 4 + [0] * 4)
    torch.manual_seed(0)
    config = ClassifierConfig(n_embd=8, n_hidden=8, dropout=0)
    model = RecurrentClassifier(config, count_vocabulary(texts, 1), CLASSES)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.03)
    for _ in range(40):
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(*model.encode(texts)), labels).backward()
        optimizer.step()
    save_classifier(model, tmp_path)
    new = ["a good, good evening", "it was bad", "今天很好", "这里坏"]
    assert not set(new) & set(texts)
    run = subprocess.run(
        [sys.executable, "-c", FRESH, str(tmp_path)],
        input=json.dumps(new).encode(),
        capture_output=True,
        check=True,
    )
    found = json.loads(run.stdout)
    assert [name for name, _ in found] == ["positive", "negative"] * 2
    for (name, p), (here, p_here) in zip(found, model.predict(new), strict=True):
        assert name == here and abs(p - p_here) < 1e-6


def change(folder: Path, **values: object) -> None:
    path = folder / "classifier.json"
    about = json.loads(path.read_text(encoding="utf-8")) | values
    kept = {key: value for key, value in about.items() if value is not None}
    path.write_text(json.dumps(kept), encoding="utf-8")


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-9])


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[-2] ^= 1
    path.write_bytes(data)


DAMAGES = {
    "no weights": (lambda f: (f / "model.safetensors").unlink(), "there is no"),
    "no description": (lambda f: (f / "classifier.json").unlink(), "is not there"),
    "cut weights": (lambda f: cut(f / "model.safetensors"), "is damaged"),
    "empty weights": (lambda f: (f / "model.safetensors").write_bytes(b""), "damaged"),
    "a bit turned": (lambda f: flip(f / "model.safetensors"), "checksum"),
    "cut description": (lambda f: cut(f / "classifier.json"), "is damaged in line"),
    "another format": (lambda f: change(f, format="gpt2"), "format 'gpt2', expected"),
    "no classes": (lambda f: change(f, classes=None), "lacks classes"),
    "classes are a word": (lambda f: change(f, classes="ab"), "list of strings"),
    "three classes": (lambda f: change(f, classes=list("abc")), "another model"),
    "other words": (
        lambda f: change(f, vocabulary=["<pad>", "<unk>"]),
        "another model",
    ),
    "unknown setting": (lambda f: change(f, config={"heads": 2}), "must have the keys"),
    "impossible size": (lambda f: change(f, config={"n_hidden": 0}), "no classifier"),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_damaged_files_say_what_is_wrong(name: str, tmp_path: Path) -> None:
    save_classifier(classifier(), tmp_path)
    damage, message = DAMAGES[name]
    damage(tmp_path)
    with pytest.raises((ValueError, FileNotFoundError), match=message):
        load_classifier(tmp_path)


def test_weights_of_another_training_run_are_refused(tmp_path: Path) -> None:
    """They have the right shapes: only the checksum tells them apart."""
    for seed in (0, 1):
        save_classifier(classifier(seed), tmp_path / str(seed))
    weights = (tmp_path / "1" / "model.safetensors").read_bytes()
    (tmp_path / "0" / "model.safetensors").write_bytes(weights)
    with pytest.raises(ValueError, match="checksum differs"):
        load_classifier(tmp_path / "0")
