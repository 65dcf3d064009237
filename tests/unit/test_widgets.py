"""Explorers: right, small, the same each time, and harmless whatever the words."""

import html
import json
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmbook_utils.explorers.core.explorer import MIME, Explorer, document, script_json
from llmbook_utils.explorers.quiz.quiz import Choice, Question, Quiz, inline, judge
from llmbook_utils.explorers.word_map.word_map import WordMap, compute, project

LABELS = {"name": "map-x", "caption": "A map.", "alt": "Points"}
HOSTILE = ["</script>", "<!--<script>", '"', "'", "&amp;", "\u2028", "]]>", "{{x}}"]


def vectors(count: int, size: int = 8) -> np.ndarray:
    return np.random.default_rng(0).normal(size=(count, size))


def word_map(words: list[str], **more: object) -> WordMap:
    return WordMap(words, vectors(len(words)), **{**LABELS, **more})


def quiz(why: str = "Because.") -> Quiz:
    choices = [Choice("yes", why, correct=True), Choice("no", "Not so.")]
    return Quiz(Question("Is it?", choices), name="quiz-x")


def explorers() -> list[Explorer]:
    return [word_map(["a", "b", "c", "d"]), quiz()]


def test_neighbours_are_those_of_scikit_learn_or_brute_force() -> None:
    array = vectors(30)
    data = compute([str(i) for i in range(30)], array, None, 6)
    for i in range(30):
        cosines = {
            j: array[i] @ array[j] / np.linalg.norm(array[i]) / np.linalg.norm(array[j])
            for j in range(30)
            if j != i
        }
        nearest = sorted(cosines, key=lambda j: (-round(cosines[j], 3), j))[:6]
        assert data["near"][i] == nearest
        assert data["cos"][i] == pytest.approx([cosines[j] for j in nearest], abs=6e-4)


def test_projection_keeps_distances_of_flat_points() -> None:
    """Points that lie in three dimensions keep their shape, up to one scale."""
    flat = vectors(12, 3) @ np.linalg.qr(vectors(9, 9))[0][:3]
    xyz, share = project(flat)
    assert share == pytest.approx(1)

    def distances(points: np.ndarray) -> np.ndarray:
        return np.linalg.norm(points[:, None] - points[None], axis=-1)

    ratio = distances(xyz)[0, 1:] / distances(flat)[0, 1:]
    assert ratio == pytest.approx(np.full(11, ratio[0]))
    assert np.linalg.norm(xyz, axis=1).max() == pytest.approx(1)


def test_projection_does_not_depend_on_the_sign_of_an_axis() -> None:
    array = vectors(10)
    mirrored = array.copy()
    mirrored[:, 0] *= -1  # the same cloud, seen in a mirror of the full space
    np.testing.assert_allclose(project(array)[0], project(mirrored)[0], atol=1e-9)


@pytest.mark.parametrize("count,size", [(2, 1), (2, 5), (3, 2), (4, 3)])
def test_small_maps(count: int, size: int) -> None:
    data = compute(list("abcd"[:count]), vectors(count, size), None, 10)
    assert np.shape(data["xyz"]) == (count, 3)
    assert np.shape(data["near"]) == (count, count - 1)


@pytest.mark.parametrize(
    "words,array,more,message",
    [
        (["a"], vectors(1), {}, "two or more"),
        (["a", "b"], vectors(3), {}, "one row for each word"),
        (["a", "b"], vectors(2)[0], {}, "expected"),
        (["a", "a"], vectors(2), {}, r"come twice: \['a'\]"),
        (["a", "b"], vectors(2) * [[1], [0]], {}, r"without direction: \['b'\]"),
        (["a", "b"], vectors(2) * [[1], [np.nan]], {}, r"without direction: \['b'\]"),
        (["a", "b"], vectors(2), {"groups": ["g"]}, "1 groups for 2 words"),
        (["a", "b"], vectors(2), {"selected": "c"}, "not one of the words"),
        (["a", "b"], vectors(2), {"n_neighbours": 0}, "1 or more"),
        (["a", "b"], vectors(2), {"alt": ""}, "needs alt="),
    ],
)
def test_map_refuses_with_the_reason(
    words: list[str], array: np.ndarray, more: dict, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        WordMap(words, array, **{**LABELS, **more})


def test_words_without_group_stay_grey() -> None:
    data = word_map(["a", "b", "c"], groups=["z", None, "y"]).data
    assert data["groups"] == ["z", "y"]
    assert data["group_of"] == [0, -1, 1]


def test_too_many_groups_are_refused() -> None:
    names = [str(i) for i in range(9)]
    with pytest.raises(ValueError, match="at most 8"):
        word_map(names, groups=names)


@pytest.mark.parametrize(
    "question,message",
    [
        (Question("q", [Choice("a", "w", True)]), "two choices"),
        (Question("q", [Choice("a", "w"), Choice("b", "w")]), "0 choices are correct"),
        (
            Question("q", [Choice("a", "w", True), Choice("b", "w", True)]),
            "2 choices are correct",
        ),
        (Question("q", [Choice("a", "w"), Choice("b", "w")], multi=True), "no choice"),
        (Question("q", [Choice("a", "w", True), Choice("b", " ")]), "text and a why"),
        (Question("q", [Choice("a", "w", True), Choice("a", "v")]), "the same text"),
    ],
)
def test_quiz_refuses_with_the_reason(question: Question, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Quiz(question, name="quiz-x")


def test_quiz_needs_questions() -> None:
    with pytest.raises(ValueError, match="at least one Question"):
        Quiz(name="quiz-x")


def test_judge_explains_what_was_chosen() -> None:
    question = quiz().data["questions"][0]
    assert judge(question, {0}) == (True, ["Because."])
    assert judge(question, {1}) == (False, ["Not so."])
    assert judge(question, {0, 1})[0] is False


@pytest.mark.parametrize("make", [0, 1])
def test_two_runs_store_the_same(make: int) -> None:
    first, second = (explorers()[make]._repr_mimebundle_() for _ in range(2))
    assert first == second
    assert json.dumps(first) == json.dumps(second)
    assert "application/vnd.jupyter.widget-view+json" not in first


def test_other_content_has_another_id() -> None:
    assert quiz().data["id"] != quiz("Because, because.").data["id"]


@pytest.mark.parametrize("make", [0, 1])
def test_bundle_holds_all_layers(make: int) -> None:
    bundle = explorers()[make]._repr_mimebundle_()
    assert bundle[MIME]["alt"]
    assert bundle["text/html"].startswith("<iframe ")
    assert "<details>" in bundle["text/html"]
    assert ("image/svg+xml" in bundle) == (bundle[MIME]["kind"] == "word-map")
    assert json.loads(json.dumps(bundle[MIME])) == bundle[MIME]


def test_stored_output_is_small() -> None:
    words = [f"word{i}" for i in range(300)]
    bundle = word_map(words)._repr_mimebundle_()
    assert len(json.dumps(bundle)) < 250_000
    with pytest.raises(ValueError, match="show fewer"):
        word_map([f"word{i}" for i in range(3000)])._repr_mimebundle_()


def test_words_cannot_break_out() -> None:
    bundle = word_map([*HOSTILE, "plain"])._repr_mimebundle_()
    [source] = re.findall(r'srcdoc="([^"]*)"', bundle["text/html"])
    page = html.unescape(source)
    # Exactly the scripts that we wrote: the data, and the code.
    assert page.count("<script") == page.count("</script>") == 2
    [data] = re.findall(r'<script type="application/json">(.*?)</script>', page)
    assert json.loads(data)["words"] == [*HOSTILE, "plain"]
    assert "<!--" not in bundle["image/svg+xml"]


def test_quiz_texts_cannot_break_out() -> None:
    page = document(quiz("</script><script>alert(1)</script>").data)
    assert page.count("<script>") == 1
    assert "&lt;/script&gt;" in page


@settings(max_examples=60, deadline=None)
@given(st.text())
def test_any_text_survives_the_script_element(text: str) -> None:
    written = script_json({"w": [text]})
    assert json.loads(written) == {"w": [text]}
    assert not set("<>&") & set(written)


@settings(max_examples=60, deadline=None)
@given(st.text())
def test_inline_writes_no_tags_but_its_own(text: str) -> None:
    kept = re.sub(r"</?(code|em)>", "", inline(text))
    assert "<" not in kept


def test_picture_is_wellformed_svg() -> None:
    from xml.etree import ElementTree

    words = [*HOSTILE, "你好"]
    root = ElementTree.fromstring(word_map(words)._repr_mimebundle_()["image/svg+xml"])
    circles = root.findall("{http://www.w3.org/2000/svg}circle")
    assert len(circles) == len(words)


def test_repr_is_short() -> None:
    assert repr(quiz()) == "Quiz('quiz-x', 1 questions)"
    assert repr(word_map(["a", "b"])) == "WordMap('map-x', 2 words)"
