"""The merges explorer: the tokens of the tokenizer, at any number of merges."""

import html
import json
import re
from collections import Counter
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmbook_utils.explorers.core.explorer import MIME, document
from llmbook_utils.explorers.merges.merges import Merges, compute, label, tokens_after
from llmbook_utils.text.bpe import BytePairTokenizer, split_text

LESSON = ["Tom takes the lamp to the shed. 灯在棚子里。灯！", "the the    the aaaa"]
PIECES = Counter(piece for text in LESSON for piece in split_text(text))
TOKENIZER = BytePairTokenizer.train(LESSON, 290)
HOSTILE = ["</script>", "<!--<script>", '"&amp;"', "\u2028", "🙂"]
LABELS = {"name": "merges-x", "caption": "Merges.", "alt": "Pieces of a text"}


def merges(texts: list[str] | None = None, **more: object) -> Merges:
    return Merges(TOKENIZER, texts or LESSON, PIECES, **{**LABELS, **more})


@settings(max_examples=60, deadline=None)
@given(
    st.text(st.characters(exclude_categories=("Cs", "Cn")), max_size=30)
    | st.text(st.sampled_from("the lamp灯在a "), max_size=40),
    st.integers(0, len(TOKENIZER.merges)),
)
def test_tokens_are_those_of_a_tokenizer_with_fewer_merges(text: str, n: int) -> None:
    """Oracle: the package's tokenizer, cut to the first n merges."""
    vocab = {token: i for token, i in TOKENIZER.vocab.items() if i < 257 + n}
    cut = BytePairTokenizer(vocab, TOKENIZER.merges[:n])
    assert tokens_after(merges().data, text, n) == cut.tokenize(text)


def test_counts_by_hand() -> None:
    """``low`` 2 and ``lo`` 1: o 3 times, lo made 3 times, low 2 times."""
    pieces = {"low": 2, "lo": 1}
    tokenizer = BytePairTokenizer.train(["low", "low", "lo"], vocab_size=259)
    data = compute(tokenizer, ["low"], pieces)
    assert data["merges"] == [["l", "o"], ["lo", "w"]]
    assert data["merge_counts"] == [3, 2]
    assert data["byte_counts"][ord("o")] == 3 and data["byte_counts"][ord("w")] == 2
    assert data["merge_ids"] == [257, 258]
    assert data["byte_ids"][ord("!")] == 1


def test_joins_and_bytes_add_up() -> None:
    """Tokens at the end = bytes at first - all joins."""
    data = merges().data
    n_tokens = sum(len(TOKENIZER.tokenize(text)) for text in LESSON)
    n_bytes = sum(data["byte_counts"])
    assert n_bytes == len("".join(LESSON).encode())
    assert n_bytes - sum(data["merge_counts"]) == n_tokens


def test_labels_show_what_is_no_character() -> None:
    assert [label(token) for token in ["Ġ", "ä¸Ń", "ä¸", "Ā"]] == [
        "␣",
        "中",
        "E4 B8",
        "00",
    ]


@pytest.mark.parametrize(
    ("texts", "more", "message"),
    [
        ("one text", {}, "must be a list of texts"),
        ([""], {}, "must be a list of texts"),
        (["a"], {"start": 34}, r"0 \.\.\. 33, got 34"),
        (["a"], {"alt": " "}, "needs alt"),
    ],
)
def test_mistakes_are_named(texts: object, more: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Merges(TOKENIZER, texts, PIECES, **{**LABELS, **more})


def test_a_tokenizer_without_merges_is_refused() -> None:
    with pytest.raises(ValueError, match="has no merges"):
        Merges(BytePairTokenizer.train([], 257), ["a"], {}, **LABELS)


def test_two_runs_store_the_same_and_all_layers() -> None:
    first, second = (merges()._repr_mimebundle_() for _ in range(2))
    assert json.dumps(first) == json.dumps(second)
    assert first[MIME]["kind"] == "merges" and first["text/html"].startswith("<iframe ")
    root = ElementTree.fromstring(first["image/svg+xml"])
    boxes = root.findall("{http://www.w3.org/2000/svg}rect")
    tokens = [tokens_after(first[MIME], LESSON[0], n) for n in (0, 3, 33)]
    assert len(boxes) == sum(map(len, tokens))


def test_texts_cannot_break_out() -> None:
    page = document(merges(HOSTILE).data)
    assert page.count("<script") == page.count("</script>") == 2
    [data] = re.findall(r'<script type="application/json">(.*?)</script>', page)
    assert json.loads(data)["texts"] == HOSTILE
    ElementTree.fromstring(merges(HOSTILE).picture(merges(HOSTILE).data))
    assert html.unescape(merges().fallback(merges().data)).startswith("<img alt=")


def test_repr_is_short() -> None:
    assert repr(merges()) == "Merges('merges-x', 33 merges)"
