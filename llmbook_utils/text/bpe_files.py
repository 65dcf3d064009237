"""GPT-2's tokenizer files, read, checked and written for `llmbook_utils.text.bpe`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from llmbook_utils.text.files import read_json, read_text

Pair = tuple[str, str]

ENDOFTEXT = "<|endoftext|>"


def check_special_tokens(special_tokens: Sequence[str]) -> tuple[str, ...]:
    """Return them as a tuple, or say what is wrong."""
    if isinstance(special_tokens, str):
        raise TypeError(
            f"special_tokens must be a list, got the string {special_tokens!r}; pass "
            f"[{special_tokens!r}]"
        )
    special_tokens = tuple(special_tokens)
    if "" in special_tokens or len(set(special_tokens)) < len(special_tokens):
        raise ValueError(
            f"special_tokens must differ and not be empty, got {special_tokens!r}"
        )
    return special_tokens


def check_merges(
    vocab: Mapping[str, int],
    merges: Sequence[Pair],
    special_tokens: Sequence[str],
    alphabet: str,
) -> None:
    """Each token is a byte, a special token, or made by one merge of earlier ones."""
    if len(set(vocab.values())) < len(vocab):
        raise ValueError("two tokens have the same id")
    made = set(alphabet)
    if missing := made - vocab.keys():
        raise ValueError(
            f"{len(missing)} of the 256 bytes are missing in the vocabulary"
        )
    for number, (left, right) in enumerate(merges, start=1):
        if not {left, right} <= made or left + right in made:
            raise ValueError(
                f"merge {number}, {left!r} with {right!r}, needs a token that no "
                "earlier merge makes, or makes one again"
            )
        made.add(left + right)
    unequal = (vocab.keys() ^ made) - set(special_tokens)
    if unequal:
        raise ValueError(
            f"tokens and merges differ in {len(unequal)} tokens, {min(unequal)!r} for "
            "one: was a file cut short, or should special_tokens name it?"
        )


def special_token_roles(special_tokens: Sequence[str]) -> dict[str, object]:
    """What transformers wants to know of the special tokens."""
    end = ENDOFTEXT if ENDOFTEXT in special_tokens else None
    roles = dict.fromkeys(("bos_token", "eos_token", "unk_token"), end)
    others = [token for token in special_tokens if token != ENDOFTEXT]
    return {**roles, "extra_special_tokens": others}


def write(
    folder: Path,
    vocab: Mapping[str, int],
    merges: Sequence[Pair],
    special_tokens: Sequence[str],
) -> None:
    """Write the three files of a tokenizer."""
    by_id = dict(sorted(vocab.items(), key=lambda item: item[1]))
    lines = ["#version: 0.2", *(f"{left} {right}" for left, right in merges)]
    config = {"tokenizer_class": "GPT2Tokenizer", **special_token_roles(special_tokens)}
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in {
        "vocab.json": json.dumps(by_id, ensure_ascii=False),
        "merges.txt": "\n".join(lines),
        "tokenizer_config.json": json.dumps(config, ensure_ascii=False, indent=2),
    }.items():
        (folder / name).write_text(text + "\n", encoding="utf-8", newline="\n")


def read(folder: Path) -> tuple[dict[str, int], list[Pair], list[str]]:
    """Return vocabulary, merges and the names of the special tokens."""
    for name in ("vocab.json", "merges.txt"):
        if not (folder / name).is_file():
            raise FileNotFoundError(
                f"there is no {name} in {folder}; a tokenizer in GPT-2's form is a "
                "folder with vocab.json and merges.txt, as BytePairTokenizer.save "
                "writes them"
            )
    return (
        _read_vocab(folder / "vocab.json"),
        _read_merges(folder / "merges.txt"),
        _read_special_tokens(folder / "tokenizer_config.json"),
    )


def _read_vocab(path: Path) -> dict[str, int]:
    vocab = read_json(path)
    for token, i in vocab.items():
        if not isinstance(i, int) or isinstance(i, bool) or i < 0:
            raise ValueError(f"{path}: the id of {token!r} is no number >= 0: {i!r}")
    return vocab


def _read_merges(path: Path) -> list[Pair]:
    merges = []
    for number, line in enumerate(read_text(path).split("\n"), start=1):
        parts = line.split(" ")
        if line.startswith("#version") or parts == [""]:
            continue
        if len(parts) != 2 or "" in parts:
            raise ValueError(
                f"{path} is damaged: line {number} must hold two tokens with a space "
                f"between them, got {line!r:.60}"
            )
        merges.append((parts[0], parts[1]))
    return merges


def _read_special_tokens(path: Path) -> list[str]:
    """Those that `save` wrote, or that transformers takes when none are named."""
    config = read_json(path) if path.exists() else {}
    roles = [config.get(f"{role}_token", ENDOFTEXT) for role in ("bos", "eos", "unk")]
    named = [*roles, config.get("pad_token"), *config.get("extra_special_tokens", [])]
    contents = [t["content"] if isinstance(t, dict) else t for t in named if t]
    return list(dict.fromkeys(contents))
