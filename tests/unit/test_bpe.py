"""Byte-pair encoding: the merges of `tokenizers`, the ids of transformers' GPT-2."""

import json
import subprocess
import sys
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from llmbook_utils.text import bpe
from llmbook_utils.text.bpe import (
    BytePairTokenizer,
    learn_merges,
    merge_pair,
    split_text,
)
from llmbook_utils.text.corpora import load_corpus

LESSON = [
    "Tom takes the lamp to the shed.  Mia's lamp isn't there: she looks for it!",
    "汤姆把灯拿到棚子里。米娅在找灯。灯在哪里？灯在棚子里。" * 3,
    "def f(x):\n    return x ** 2  # 1000 times 🙂🙂\n" * 3,
    "aaaa aaaaa aaaaaaa --------- ========= \t\t\t 00000 \x00\x01",
]
# Unassigned characters are left out: the tables of `regex` and `tokenizers` may differ
# in what Unicode added last.
CHARACTERS = st.characters(exclude_categories=("Cs", "Cn"))
CHUNKS = st.one_of(
    st.text(CHARACTERS, max_size=10),
    st.text(st.sampled_from("灯在哪里汤姆，。"), max_size=6),
    st.text(st.sampled_from("🙂👩‍🔬🇨🇳\ufe0f\u200d"), max_size=4),
    st.text(st.characters(categories=("Cc",)), max_size=4),
    st.text(st.sampled_from(" \n\t\r\u3000\xa0\x85\u2028"), max_size=5),
    st.text(st.sampled_from("a'-=0 "), max_size=12),
    st.sampled_from(["<|endoftext|>", "<|endoftext", "|>", "lamp", " the", "'s", "'S"]),
)
TEXTS = st.lists(CHUNKS, max_size=8).map("".join)


def train_by_library(
    texts: list[str], vocab_size: int, special_tokens: list[str]
) -> tuple[dict[str, int], list[tuple[str, str]]]:
    """Oracle: vocabulary and merges of the `tokenizers` library's own trainer."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size,
        special_tokens=special_tokens,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    model = json.loads(tokenizer.to_str())["model"]
    return model["vocab"], [tuple(pair) for pair in model["merges"]]


@pytest.fixture(scope="module")
def tokenizer() -> BytePairTokenizer:
    return BytePairTokenizer.train(LESSON, vocab_size=340)


@pytest.fixture(scope="module")
def folder(
    tokenizer: BytePairTokenizer, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """The two files of GPT-2's form, and no other."""
    folder = tmp_path_factory.mktemp("tokenizer")
    tokenizer.save(folder)
    (folder / "tokenizer_config.json").unlink()
    return folder


@pytest.fixture(scope="module")
def reference(folder: Path):
    """Oracle: transformers' GPT-2 tokenizer from the same two files."""
    from transformers import GPT2Tokenizer

    return GPT2Tokenizer.from_pretrained(folder)


def test_merges_of_the_textbook() -> None:
    """Sennrich et al. (2016): low 5, lower 2, newest 6, widest 3, without "·".

    By hand: "e s" and "s t" occur 9 times and e has the smaller id; then "es t" 9;
    "l o" and "o w" 7, l first; "lo w" 7; then "n e", "e w" and "w est" 6, e first;
    "n ew" and "ew est" 6, n first; "new est" 6.
    """
    vocab = {character: i for i, character in enumerate("deilnorstw")}
    pieces = {"low": 5, "lower": 2, "newest": 6, "widest": 3}
    merges = learn_merges(pieces, vocab, vocab_size=17)
    assert merges == [
        ("e", "s"),
        ("es", "t"),
        ("l", "o"),
        ("lo", "w"),
        ("e", "w"),
        ("n", "ew"),
        ("new", "est"),
    ]
    assert list(vocab)[10:] == ["es", "est", "lo", "low", "ew", "new", "newest"]


def test_merge_pair_goes_from_left_to_right() -> None:
    assert merge_pair(list("aaaaab"), ("a", "a")) == ["aa", "aa", "a", "b"]
    assert merge_pair(list("abcab"), ("a", "b")) == ["ab", "c", "ab"]
    assert merge_pair([], ("a", "b")) == []


def test_training_on_pydocs_agrees_with_the_library() -> None:
    documents, vocab_size = load_corpus("pydocs"), 1024
    vocab, merges = train_by_library(documents, vocab_size, ["<|endoftext|>"])
    for fast in (False, True):
        ours = BytePairTokenizer.train(documents, vocab_size, fast=fast)
        assert ours.merges == merges
        assert ours.vocab == vocab
        assert len(ours) == vocab_size


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.one_of(st.text(st.sampled_from("aab '"), max_size=40), TEXTS)),
    st.integers(0, 40),
    st.sampled_from([[], ["<|endoftext|>"], ["<|user|>", "<|endoftext|>"], ["ab"]]),
)
def test_training_agrees_with_the_library(
    texts: list[str], n_merges: int, special_tokens: list[str]
) -> None:
    """Ties above all: few letters, short texts."""
    vocab_size = 256 + len(special_tokens) + n_merges
    vocab, merges = train_by_library(texts, vocab_size, special_tokens)
    ours = BytePairTokenizer.train(texts, vocab_size, special_tokens)
    assert ours.merges == merges
    assert ours.vocab == vocab


def test_pieces_agree_with_the_library_on_every_character() -> None:
    """Oracle: byte-level pre-tokenizer. Each character after a letter, digit, sign."""
    oracle = pre_tokenizers.ByteLevel(add_prefix_space=False)
    known = [
        chr(code)
        for code in range(0x110000)
        if unicodedata.category(chr(code)) not in ("Cs", "Cn")
    ]
    assert len(known) > 280_000  # 137,468 of them for private use
    for start in range(0, len(known), 10_000):
        text = "".join(f"a{c}1{c}!{c} {c} " for c in known[start : start + 10_000])
        spans = [span for _, span in oracle.pre_tokenize_str(text)]
        assert split_text(text) == [text[i:j] for i, j in spans]


@settings(max_examples=400, deadline=None)
@given(text=TEXTS)
def test_ids_are_those_of_transformers(
    text: str, folder: Path, tokenizer: BytePairTokenizer, reference
) -> None:
    ours = BytePairTokenizer.load(folder) if len(text) < 3 else tokenizer
    ids = ours.encode(text)
    assert ids == reference(text)["input_ids"]
    assert ours.tokenize(text) == reference.convert_ids_to_tokens(ids)
    assert ours.decode(ids) == text


@settings(deadline=None)
@given(ids=st.lists(st.integers(0, 339), max_size=20))
def test_any_ids_decode_as_in_transformers(
    ids: list[int], tokenizer: BytePairTokenizer, reference
) -> None:
    """Cut characters too."""
    assert tokenizer.decode(ids) == reference.decode(ids)


def test_a_long_piece_takes_no_square_of_time(
    tokenizer: BytePairTokenizer, reference
) -> None:
    text = "a" * 100_000 + "灯在哪里" * 5_000
    assert tokenizer.encode(text) == reference(text)["input_ids"]


def test_fast_ways_give_the_same_ids(tokenizer: BytePairTokenizer) -> None:
    texts = [*LESSON, "<|endoftext|>", "a<|endoftext|>b <|endoftext|>  b", ""]
    ids = [tokenizer.encode(text) for text in texts]
    batch = tokenizer.to_tokenizers().encode_batch(texts)
    assert [encoding.ids for encoding in batch] == ids
    assert tokenizer.to_tokenizers().decode(ids[-3]) == ""  # special tokens left out
    transformers = tokenizer.to_transformers()
    assert transformers(texts)["input_ids"] == ids
    assert type(transformers).__name__ == "GPT2Tokenizer"
    assert transformers.eos_token == "<|endoftext|>"
    assert len(transformers) == len(tokenizer) == 340


def test_save_and_load_keep_special_tokens(tmp_path: Path) -> None:
    """Ours and transformers' read them back, the longer one first."""
    from transformers import AutoTokenizer

    special = ["<|user|>", "<|endoftext|>", "<|user|>!", "两 个"]
    ours = BytePairTokenizer.train(LESSON, 300, special)
    ours.save(tmp_path / "new" / "folder")
    again = BytePairTokenizer.load(tmp_path / "new" / "folder")
    theirs = AutoTokenizer.from_pretrained(tmp_path / "new" / "folder")
    text = "a  <|user|>!<|user|> <|user|b<|endoftext|>两 个两个 "
    assert again.vocab == ours.vocab and again.merges == ours.merges
    assert set(again.special_tokens) == set(special)
    ids = ours.encode(text)
    assert ids == again.encode(text) == theirs(text)["input_ids"]
    assert {0, 1, 2, 3} <= set(ids)
    assert ours.decode(ids) == text


def test_without_special_tokens_nothing_is_special(tmp_path: Path) -> None:
    from transformers import AutoTokenizer

    ours = BytePairTokenizer.train(LESSON, 300, special_tokens=())
    ours.save(tmp_path)
    theirs = AutoTokenizer.from_pretrained(tmp_path)
    text = "the<|endoftext|>"
    ids = BytePairTokenizer.load(tmp_path).encode(text)
    assert ids == ours.encode(text) == theirs(text)["input_ids"]
    assert len(ids) > 2
    assert repr(ours) == "BytePairTokenizer(300 tokens, 44 merges, special: none)"


def test_a_vocabulary_without_its_special_token_gets_it_last(folder: Path) -> None:
    """As in transformers, which adds what vocab.json lacks."""
    from transformers import GPT2Tokenizer

    plain = BytePairTokenizer.train(LESSON, 280, special_tokens=())
    ours = BytePairTokenizer(plain.vocab, plain.merges)
    theirs = GPT2Tokenizer(vocab=plain.vocab, merges=plain.merges)
    assert ours.encode("a<|endoftext|>") == theirs("a<|endoftext|>")["input_ids"]
    assert ours.vocab["<|endoftext|>"] == 280


def test_few_texts_give_fewer_tokens() -> None:
    assert len(BytePairTokenizer.train(["ab"], 1000)) == 258
    assert len(BytePairTokenizer.train([], 1000)) == 257


def test_half_characters_are_refused(tokenizer: BytePairTokenizer) -> None:
    with pytest.raises(ValueError, match=r"'\\ud83d', at index 3.*lone surrogate"):
        tokenizer.encode("abc\ud83d")
    for fast in (False, True):
        with pytest.raises(ValueError, match="lone surrogate"):
            BytePairTokenizer.train(["abc", "\udc00"], 300, fast=fast)


def test_mistakes_are_named(tokenizer: BytePairTokenizer) -> None:
    with pytest.raises(TypeError, match=r"pass \[text\]"):
        BytePairTokenizer.train("one text", 300)
    with pytest.raises(ValueError, match="must be 257 or more, got 256"):
        BytePairTokenizer.train(["a"], 256)
    with pytest.raises(TypeError, match="must be a list"):
        BytePairTokenizer.train(["a"], 300, special_tokens="<|endoftext|>")
    with pytest.raises(ValueError, match="must differ and not be empty"):
        BytePairTokenizer.train(["a"], 300, special_tokens=["x", "x"])
    with pytest.raises(TypeError, match="got list"):
        tokenizer.encode(["two", "texts"])
    for wrong in (-1, 340):
        with pytest.raises(ValueError, match=rf"0 \.\.\. 339, got {wrong}"):
            tokenizer.decode([0, wrong])


def upside_down(text: str) -> str:
    """Keep the head of merges.txt; the merges from the last to the first."""
    head, *merges = text.splitlines()
    return "\n".join([head, *reversed(merges)])


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("vocab.json", lambda t: t[:50], r"damaged in line 1, column \d+"),
        ("vocab.json", lambda t: "[1, 2]", r"must hold an object .*\[1, 2\]"),
        ("vocab.json", lambda t: t.replace(": 5,", ": -5,"), "is no number >= 0: -5"),
        ("vocab.json", lambda t: t.replace(": 5,", ": 6,"), "two tokens have the same"),
        ("vocab.json", lambda t: t.replace('"!": 1, ', ""), "1 of the 256 bytes"),
        ("merges.txt", lambda t: t[: t.index("\n", 99)], r"differ in \d+ tokens"),
        ("merges.txt", lambda t: t[: t.index("\n", 99)] + "\na", "line 22 must hold"),
        ("merges.txt", lambda t: t.replace(" ", "", 9), "line 2 must hold"),
        ("merges.txt", lambda t: t + t, "merge 84, .* makes one again"),
        ("merges.txt", upside_down, "merge 1, .* needs a token that no earlier"),
    ],
)
def test_damaged_files_say_where(
    name: str, change, message: str, folder: Path, tmp_path: Path
) -> None:
    for path in folder.iterdir():
        text = path.read_text(encoding="utf-8")
        text = change(text) if path.name == name else text
        (tmp_path / path.name).write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=message):
        BytePairTokenizer.load(tmp_path)


def test_missing_and_foreign_files_are_named(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "vocab.json").write_bytes((folder / "vocab.json").read_bytes())
    with pytest.raises(FileNotFoundError, match=r"no merges\.txt in .* GPT-2's form"):
        BytePairTokenizer.load(tmp_path)
    (tmp_path / "merges.txt").write_bytes(b"#version: 0.2\n\xff\xfe")
    with pytest.raises(ValueError, match=r"merges\.txt is not UTF-8 at byte 14"):
        BytePairTokenizer.load(tmp_path)


def test_files_with_windows_line_ends_are_read(folder: Path, tmp_path: Path) -> None:
    for path in folder.iterdir():
        data = path.read_bytes().replace(b"\n", b"\r\n")
        (tmp_path / path.name).write_bytes(data)
    assert BytePairTokenizer.load(tmp_path).merges == (
        BytePairTokenizer.load(folder).merges
    )


def test_import_leaves_torch_and_the_libraries_alone() -> None:
    code = (
        "import sys, llmbook_utils.text.bpe;"
        "assert not {'torch', 'transformers', 'tokenizers'} & set(sys.modules)"
    )
    root = Path(bpe.__file__).parents[2]
    subprocess.run([sys.executable, "-c", code], check=True, cwd=root)
