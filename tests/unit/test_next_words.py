"""The walk through a table of counts: right, whole, small, and harmless."""

import html
import json
import re
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmbook_utils.explorers.core.explorer import KINDS, MIME
from llmbook_utils.explorers.next_words.next_words import (
    NextWords,
    compute,
    draw,
    percent,
    probabilities,
)
from llmbook_utils.models.sequences.ngram import NGram

LABELS = {"name": "walk-x", "caption": "A walk.", "alt": "Bars"}
HOSTILE = ["</script>", "<!--<script>", '"', "&amp;", "\u2028", "]]>", "<end>"]
WORDS = ["Tom", "sings", ".", "<end>"]
COUNTS = np.array([[0, 2, 1, 0], [0, 0, 2, 0], [1, 0, 0, 2], [3, 0, 0, 0]])


def walk(
    words: list[str] = WORDS, counts: object = COUNTS, **more: object
) -> NextWords:
    return NextWords(words, counts, **{**LABELS, **more})


def test_data_by_hand() -> None:
    """Followers with their counts, the most frequent first."""
    data = walk(begin=["Tom"]).data
    assert data["next"] == [[1, 2, 2, 1], [2, 2], [3, 2, 0, 1], [0, 3]]
    assert (data["end"], data["begin"], data["kind"]) == (3, [0], "next-words")
    assert walk(end=0).data["end"] == 0


@given(
    st.lists(
        st.lists(st.integers(0, 9), min_size=6, max_size=6), min_size=6, max_size=6
    )
)
def test_no_count_is_lost(rows: list[list[int]]) -> None:
    """Property: the table can be built again from what is stored."""
    data = compute(list("abcdef"), np.array(rows), 5)
    again = np.zeros((6, 6), dtype=int)
    for i, flat in enumerate(data["next"]):
        pairs = np.reshape(flat, (-1, 2)).astype(int)
        again[i, pairs[:, 0]] = pairs[:, 1]
        assert (np.diff(pairs[:, 1]) <= 0).all()
    assert again.tolist() == rows


@given(st.lists(st.integers(1, 10**6), min_size=1, max_size=30), st.floats(0.2, 3.0))
def test_probabilities_are_those_of_powers(
    counts: list[int], temperature: float
) -> None:
    found = probabilities(counts, temperature)
    shares = np.array(counts) / sum(counts)
    powers = shares ** (1 / temperature)
    assert found.sum() == pytest.approx(1)
    assert found == pytest.approx(powers / powers.sum(), rel=1e-9, abs=1e-300)


def test_probabilities_are_those_of_the_model() -> None:
    """Oracle: at temperature 1, the bigram of `NGram` on the same documents."""
    documents = [[0, 1, 2], [0, 2], [2, 0, 1, 2]]
    model, table = NGram(2).fit(documents, vocab_size=4), np.zeros((4, 4), dtype=int)
    for (context,), followers in model.counts.items():
        table[context, list(followers)] = list(followers.values())
    data = walk(counts=table).data
    for word in range(4):
        pairs = np.reshape(data["next"][word], (-1, 2))
        expected = model.next_probs([] if word == 3 else [word])
        assert probabilities(pairs[:, 1]) == pytest.approx(expected[pairs[:, 0]])


def test_percent_is_short_and_rounds_halves_up() -> None:
    shares = (1, 0.995, 0.9944, 0.105, 0.0996, 0.0125, 0.001, 0.0009)
    expected = ["100%", "100%", "99%", "11%", "10%", "1.3%", "0.1%", "<0.1%"]
    assert [percent(share) for share in shares] == expected


def test_picture_shows_the_first_bars_and_the_rest_as_one() -> None:
    words = [f"w{i}" for i in range(20)]
    counts = np.zeros((20, 20), dtype=int)
    counts[3] = np.arange(20)
    data = walk(words, counts, begin=["w3"], n_shown=5).data
    root = ElementTree.fromstring(NextWords.picture(data))
    rectangles = root.findall("{http://www.w3.org/2000/svg}rect")
    texts = [node.text for node in root.findall("{http://www.w3.org/2000/svg}text")]
    assert len(rectangles) == 6
    assert texts[:3] == ["after “w3”", "w19", "10%"] and "14 others" in texts
    widths = [float(node.attrib["width"]) for node in rectangles]
    assert widths[0] / widths[1] == pytest.approx(19 / 18, rel=0.01)
    assert sum(widths) == pytest.approx(640 - 150 - 60, abs=1)
    nothing = ElementTree.fromstring(draw(data, 0))  # never followed by anything
    assert not nothing.findall("{http://www.w3.org/2000/svg}rect")


@pytest.mark.parametrize(
    "words,counts,more,message",
    [
        (WORDS, COUNTS[:3], {}, r"shape \(3, 4\), expected \(4, 4\)"),
        ([], np.zeros((0, 0), dtype=int), {}, "a row and a column"),
        (WORDS, COUNTS / 2, {}, "not the probabilities"),
        (WORDS, -COUNTS, {}, "0 or more, got int64 from -3"),
        (["a", "a", "b", "c"], COUNTS, {}, r"come twice: \['a'\]"),
        (WORDS, COUNTS, {"end": 4}, r"0 \.\.\. 3, got 4"),
        (WORDS, COUNTS, {"begin": ["Mia"]}, r"not in the table: \['Mia'\]"),
        (WORDS, COUNTS, {"n_shown": 0}, "1 or more"),
        (WORDS, COUNTS, {"alt": " "}, "needs alt="),
    ],
)
def test_walk_refuses_with_the_reason(
    words: list[str], counts: object, more: dict, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        walk(words, counts, **more)


def test_bundle_holds_all_layers_and_is_the_same_twice() -> None:
    bundle, again = (walk()._repr_mimebundle_() for _ in range(2))
    assert json.dumps(bundle) == json.dumps(again)
    assert set(bundle) == {MIME, "text/html", "text/plain", "image/svg+xml"}
    assert bundle["text/html"].startswith("<iframe ")
    assert KINDS["next-words"] is NextWords
    assert repr(walk()) == "NextWords('walk-x', 4 words)"
    assert list(NextWords.page_files()) == ["next_words.css", "next_words.js"]


def test_a_tensor_of_counts_will_do() -> None:
    torch = pytest.importorskip("torch")
    assert walk(counts=torch.tensor(COUNTS)).data == walk().data


def test_words_cannot_break_out() -> None:
    n = len(HOSTILE)
    bundle = walk(HOSTILE, np.ones((n, n), dtype=int))._repr_mimebundle_()
    [source] = re.findall(r'srcdoc="([^"]*)"', bundle["text/html"])
    page = html.unescape(source)
    assert page.count("<script") == page.count("</script>") == 2
    [data] = re.findall(r'<script type="application/json">(.*?)</script>', page)
    assert json.loads(data)["words"] == HOSTILE
    ElementTree.fromstring(bundle["image/svg+xml"])
