"""Words and their ids."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmbook_utils.text.words import Vocabulary, split_words

WORDS = st.text(alphabet="abcdé", min_size=1, max_size=3)
DOCUMENTS = st.lists(st.lists(WORDS, min_size=1, max_size=8), min_size=1, max_size=6)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Return a list.", ["return", "a", "list"]),
        ("os.path.is_file()", ["os", "path", "is", "file"]),
        ("__init__ UTF-8 int32x", ["init", "utf", "int", "x"]),
        ("raises TypeError", ["raises", "typeerror"]),
        ("don't, I'll; python's", ["don't", "i'll", "python's"]),
        ("don’t", ["don't"]),
        ("b'abc' 'quoted' users'", ["b", "abc", "quoted", "users"]),
        ("it'sx", ["it", "sx"]),  # no contraction ends so
        ("Café naïve Größe", ["café", "naïve", "größe"]),
        ("列表 list", ["列表", "list"]),
        ("3.14 -- ___", []),
        ("", []),
    ],
)
def test_split_words_by_hand(text: str, words: list[str]) -> None:
    assert split_words(text) == words


@given(st.text())
def test_split_words_gives_lower_case_words_that_split_no_further(text: str) -> None:
    words = split_words(text)
    assert all(word == word.lower() and not word.isspace() for word in words)
    assert split_words(" ".join(words)) == words


def test_split_words_wants_one_text() -> None:
    with pytest.raises(TypeError, match=r"list.*for text in documents"):
        split_words(["two", "texts"])


def test_ids_are_sorted_by_count_then_alphabet() -> None:
    vocab = Vocabulary([["b", "a", "c", "b"], ["d", "d", "d", "a"]])
    assert vocab.words == ["d", "a", "b", "c"]
    assert vocab.counts.tolist() == [3, 2, 2, 1]
    assert vocab.counts.dtype == np.int64
    assert len(vocab) == 4
    assert repr(vocab) == "Vocabulary(4 words, 8 tokens)"


@given(DOCUMENTS, st.integers(1, 3))
def test_counts_agree_with_a_counter(
    documents: list[list[str]], min_count: int
) -> None:
    """Oracle: `collections.Counter`."""
    counter = Counter(word for document in documents for word in document)
    expected = {word: n for word, n in counter.items() if n >= min_count}
    if not expected:
        with pytest.raises(ValueError, match="lower min_count"):
            Vocabulary(documents, min_count)
        return
    vocab = Vocabulary(documents, min_count)
    assert dict(zip(vocab.words, vocab.counts.tolist(), strict=True)) == expected
    keys = [(-n, word) for word, n in zip(vocab.words, vocab.counts, strict=True)]
    assert keys == sorted(keys)


@given(DOCUMENTS)
def test_decode_undoes_encode(documents: list[list[str]]) -> None:
    vocab = Vocabulary(documents)
    for document in documents:
        assert vocab.decode(vocab.encode(document)) == document


@given(DOCUMENTS, st.integers(2, 3))
def test_encode_drops_unknown_words_only(
    documents: list[list[str]], min_count: int
) -> None:
    counter = Counter(word for document in documents for word in document)
    if max(counter.values()) < min_count:
        return
    vocab = Vocabulary(documents, min_count)
    for document in documents:
        kept = [word for word in document if counter[word] >= min_count]
        assert vocab.decode(vocab.encode(document)) == kept


def test_order_of_documents_changes_nothing() -> None:
    documents = [["x", "y"], ["y", "z"], ["w"]]
    assert Vocabulary(documents).words == Vocabulary(documents[::-1]).words


def test_unknown_word_suggests_similar_ones() -> None:
    vocab = Vocabulary([["tuple", "list", "tuples"]])
    with pytest.raises(ValueError, match=r"'tupel' is not among the 3.*'tuple'"):
        vocab.index("tupel")
    with pytest.raises(ValueError, match=r"'TUPLE'.*'tuple'"):
        vocab.index("TUPLE")
    with pytest.raises(ValueError, match="rare ones are left out"):
        vocab.index("qqqqqq")
    assert "tuple" in vocab and "qqqqqq" not in vocab
    assert vocab.words[vocab.index("list")] == "list"


def test_a_text_where_words_belong_is_refused() -> None:
    for wrong in (["one text", "two texts"], "a text"):
        with pytest.raises(TypeError, match="split_words"):
            Vocabulary(wrong)
    with pytest.raises(TypeError, match="split_words"):
        Vocabulary([["a"]]).encode("a b")


def test_ids_out_of_range_are_refused() -> None:
    vocab = Vocabulary([["a", "b"]])
    for wrong in (2, -1):
        with pytest.raises(ValueError, match=rf"0 \.\.\. 1, got {wrong}"):
            vocab.decode([0, wrong])


def test_min_count_below_one_is_refused() -> None:
    with pytest.raises(ValueError, match="got 0"):
        Vocabulary([["a"]], min_count=0)
