"""The explorer of n-grams: probabilities those of the model, whole, small, harmless."""

import html
import json
import random
import re
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmbook_utils.explorers.back_off.back_off import BackOff, compute
from llmbook_utils.explorers.back_off.picture import describe, draw, percent
from llmbook_utils.explorers.core.explorer import KINDS, MIME
from llmbook_utils.models.sequences.ngram import KneserNey

LABELS = {"name": "back-off-x", "caption": "A text.", "alt": "Bars and a text"}
LETTERS = ["a", "b", "c", "d", "<end>"]
HOSTILE = ["</script>", "<!--<script>", '"', "\u2028", "<end>"]


def fitted(n: int = 3, discount: float | None = 0.75, seed: int = 0) -> KneserNey:
    source = random.Random(seed)
    documents = [[source.randrange(3) for _ in range(8)] for _ in range(12)]
    return KneserNey(n, discount).fit(documents, vocab_size=5)


def explorer(words: list[str] = LETTERS, **more: object) -> BackOff:
    return BackOff(fitted(), words, [0, 1, 2, 3, 0], **{**LABELS, **more})


@given(
    st.integers(1, 4),
    st.sampled_from([None, 0.3, 1.0]),
    st.lists(st.integers(0, 3), min_size=1, max_size=9),
)
def test_probabilities_are_those_of_the_model(
    n: int, discount: float | None, ids: list[int]
) -> None:
    """Oracle: the last order is the model's own; each row's parts sum to 1."""
    model = fitted(n, discount)
    data = compute(model, LETTERS, ids)
    for i, orders in enumerate(data["steps"]):
        assert len(orders) == n
        truth = model.next_probs(ids[:i])[ids[i]]
        assert orders[-1]["p"] == pytest.approx(truth, rel=1e-3)
        for entry in orders:
            if "total" in entry:
                _, rows = describe(
                    {**data, "n": n, "at": i}, i, 1 + orders.index(entry)
                )
                if rows:
                    assert sum(row[1] for row in rows) == pytest.approx(1, abs=0.02)


def test_by_hand() -> None:
    """The example of `KneserNey`: of "a b" and "a a", with a discount of a half."""
    model = KneserNey(2, discount=0.5).fit([[0, 1], [0, 0]], vocab_size=3)
    data = compute(model, ["a", "b", "<end>"], [0, 1])
    assert data["words"] == ["<end>", "a", "b"] and data["text"] == [1, 2]
    unigram, bigram = data["steps"][1]
    # b after a: one of three, 0.5 / 3, and 0.5 handed on: three kinds, half each, of 3
    assert bigram["gamma"] == 0.5 and bigram["total"] == 3 and bigram["kinds"] == 3
    assert bigram["unit"] == "times" and unigram["unit"] == "contexts"
    assert bigram["p"] == pytest.approx(0.5 / 3 + 0.5 * unigram["p"], rel=1e-3)
    # b was met after one context of five different pairs
    assert unigram["total"] == 5
    assert unigram["p"] == pytest.approx(0.5 / 5 + 1.5 / 5 / 3, rel=1e-3)


def test_unseen_and_short_contexts_are_marked() -> None:
    data = explorer().data
    assert data["steps"][0][2] == {"p": data["steps"][0][1]["p"], "short": True}
    last = data["steps"][4]  # after 2 3: a 3 was never seen
    assert "total" not in last[1] and last[1]["p"] == last[0]["p"]
    title, rows = describe(data, 4, 2)
    assert "never seen" in title and rows == [("on to n = 1", 1.0, "100%", "is-handed")]
    assert describe(data, 0, 3)[1] == []
    assert describe(data, 1, 1)[0].startswith("Without a context")


def test_the_true_word_always_has_a_bar() -> None:
    documents = [[i] * (20 - i) for i in range(12)]
    model = KneserNey(2, discount=0.5).fit(documents, vocab_size=13)
    data = compute(model, [f"w{i}" for i in range(13)], [11])
    top = data["steps"][0][1]["top"]
    assert len(top) == 15 and top[12] == data["text"][0]


def test_picture_shows_text_and_bars() -> None:
    data = explorer(at=1, n=2, true_bits=[1, 2, 3, 4, 5.0]).data
    root = ElementTree.fromstring(BackOff.picture(data))
    kinds = [
        node.attrib["class"]
        for node in root.findall("{http://www.w3.org/2000/svg}rect")
    ]
    assert sum("lb-heat" in kind for kind in kinds) == 5
    assert sum("is-handed" in kind for kind in kinds) == 1
    assert sum("lb-chosen" in kind for kind in kinds) == 1
    assert draw(data, 1, 2) != draw(data, 1, 3)


def test_percent_rounds_halves_up() -> None:
    shares = (1, 0.995, 0.105, 0.0996, 0.0125, 0.0009)
    expected = ["100%", "100%", "11%", "10%", "1.3%", "<0.1%"]
    assert [percent(share) for share in shares] == expected


@pytest.mark.parametrize(
    "words,ids,more,message",
    [
        (LETTERS[:4], [0], {}, "4 words for a model of 5 tokens"),
        (LETTERS, [], {}, "the text is empty"),
        (LETTERS, [0], {"at": 1}, r"at=1 must lie in 0 \.\.\. 0"),
        (LETTERS, [0], {"n": 4}, r"n=4 in 1 \.\.\. 3"),
        (LETTERS, [0], {"true_bits": [1, 2]}, "2 true_bits for 1 tokens"),
        (LETTERS, [0], {"alt": " "}, "needs alt="),
    ],
)
def test_refuses_with_the_reason(
    words: list[str], ids: list[int], more: dict, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        BackOff(fitted(), words, ids, **{**LABELS, **more})


def test_bundle_holds_all_layers_and_is_the_same_twice() -> None:
    bundle, again = (explorer()._repr_mimebundle_() for _ in range(2))
    assert json.dumps(bundle) == json.dumps(again)
    assert set(bundle) == {MIME, "text/html", "text/plain", "image/svg+xml"}
    assert KINDS["back-off"] is BackOff
    assert repr(explorer()) == "BackOff('back-off-x', 5 tokens, n=3)"
    assert list(BackOff.page_files()) == ["back_off.css", "back_off.js"]


def test_words_cannot_break_out() -> None:
    bundle = explorer(HOSTILE)._repr_mimebundle_()
    [source] = re.findall(r'srcdoc="([^"]*)"', bundle["text/html"])
    page = html.unescape(source)
    assert page.count("<script") == page.count("</script>") == 2
    [data] = re.findall(r'<script type="application/json">(.*?)</script>', page)
    assert set(json.loads(data)["words"]) == set(HOSTILE)
    ElementTree.fromstring(bundle["image/svg+xml"])
