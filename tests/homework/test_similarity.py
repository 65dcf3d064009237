"""The report finds disguised copies and leaves independent answers alone."""

import itertools

import nbformat
import pytest
from classroom import cells, hand_in, notebook, released

from llmbook_homework import similarity
from llmbook_homework.similarity import compare, fingerprint, tokens

ORIGINAL = '''def causal_weights(scores):
    """Softmax over the positions up to each query's own."""
    out = np.zeros_like(scores)
    for t in range(len(scores)):
        row = scores[t, : t + 1]
        powers = np.exp(row - row.max())
        out[t, : t + 1] = powers / powers.sum()
    return out
'''
DISGUISED = """def causal_weights(scores):
    # all by myself
    result = np.zeros_like(scores)
    for position in range(len(scores)):
        r = scores[position, : position + 1]   # the past
        e = np.exp(r - r.max())
        result[position, : position + 1] = e / e.sum()

    return result
"""
OTHER = '''def causal_weights(scores):
    """Softmax over the positions up to each query's own."""
    size = scores.shape[0]
    mask = np.triu(np.ones((size, size)), k=1).astype(bool)
    hidden = np.where(mask, -np.inf, scores)
    hidden = hidden - hidden.max(axis=-1, keepdims=True)
    raised = np.exp(hidden)
    return raised / raised.sum(axis=-1, keepdims=True)
'''


def share(pairs, first, second):
    return next((p.share for p in pairs if {p.first, p.second} == {first, second}), 0.0)


def test_renaming_and_comments_hide_nothing():
    pairs = compare("ex1", {"ada": ORIGINAL, "eve": DISGUISED, "bob": OTHER})
    assert (pairs[0].first, pairs[0].second) == ("ada", "eve")
    assert pairs[0].share == 1 and not pairs[0].same_text
    assert share(pairs, "ada", "bob") < 0.35 and share(pairs, "eve", "bob") < 0.35


def test_moving_lines_leaves_much_in_common():
    lines = DISGUISED.splitlines()
    moved = "\n".join([*lines[:2], "    n = len(scores)", *lines[2:]])
    assert share(compare("ex1", {"a": ORIGINAL, "b": moved}), "a", "b") > 0.8


def test_the_same_text_is_said_to_be():
    (pair,) = compare("ex1", {"ada": ORIGINAL, "eve": ORIGINAL.replace("    ", "\t")})
    assert pair.same_text


def test_what_everybody_was_given_does_not_count():
    """Two answers that share the stub's long code alone."""
    ada = ORIGINAL + "x = [a for a in b if a]\ny = sum(x) ** 2 + max(x) / len(x)\n"
    eve = (
        ORIGINAL + "while q:\n    q = q[1:]\n    print(q, file=f)\nassert not q, 'no'\n"
    )
    assert share(compare("ex1", {"ada": ada, "eve": eve}), "ada", "eve") > 0.6
    assert (
        share(compare("ex1", {"ada": ada, "eve": eve}, [ORIGINAL]), "ada", "eve") == 0
    )


def test_what_much_of_the_batch_has_does_not_count():
    """A short exercise has one natural answer: 20 alike are no 20 copies."""
    own = "total_{n} = [{n}] * 3\n" * 3
    natural = {f"s{n}": ORIGINAL + own.format(n=n) for n in range(20)}
    assert compare("ex1", natural) == []
    copied = natural | {"ada": OTHER, "eve": OTHER.replace("mask", "m")}
    (pair,) = compare("ex1", copied)
    assert (pair.first, pair.second, pair.share) == ("ada", "eve", 1)


def test_short_answers_say_nothing():
    answers = {"ada": "return x + x", "eve": "return x + x"}
    assert compare("ex1", answers) == []


@pytest.mark.parametrize(
    "text",
    ["", "def (:\n  '''", "'\\", "\0\1\2", "# only", "(" * 5000, "x = '" + "y" * 10_000,
     '"""' * 999, "\\" * 4000, "名前 = 1" * 50],
)  # fmt: skip
def test_anything_can_be_read(text):
    fingerprint(text)


def test_a_large_cell_takes_no_time():
    """2 MB; a slow expression would take minutes."""
    import time

    start = time.perf_counter()
    for text in (
        "x = 1\n" * 350_000,
        "'" * 2_000_000,
        '"a' * 1_000_000,
        "\\'" * 1_000_000,
    ):
        assert len(tokens(text)) <= similarity.MAX_TOKENS
    assert time.perf_counter() - start < 10


def test_report_of_a_course(tmp_path):
    course = released(tmp_path)
    for student, answer in {"ada": ORIGINAL, "eve": DISGUISED, "bob": OTHER}.items():
        hand_in(course, student, notebook(course, ex1=answer))
    hand_in(course, "joe", b"no notebook")
    pairs = similarity.report(course, course.assignment("00"))
    assert [(p.exercise, p.first, p.second) for p in pairs] == [
        ("ch00-ex1", "ada", "eve")
    ]
    text = similarity.as_text(pairs)
    assert "ada and eve" in text and "100%" in text
    for shown in (text, similarity.as_text([])):
        assert "not a verdict" in shown and "Talk to people" in shown


def test_report_leaves_out_what_the_released_notebook_holds(tmp_path):
    """Two students who start from the chapter's code have not copied."""
    course = released(tmp_path)
    assignment = course.assignment("00")
    for student in ("ada", "eve"):
        hand_in(course, student, notebook(course, ex1=f"{ORIGINAL}{student} = 1"))
    assert [p.share for p in similarity.report(course, assignment)] == [1]
    nb = nbformat.read(course.release(assignment), as_version=4)
    nb.cells.append(cells(ORIGINAL))
    nbformat.write(nb, course.release(assignment))
    assert similarity.report(course, assignment) == []


def test_batch_of_forty_is_quick():
    import time

    answers = {
        f"s{n}": "".join(
            f"value_{i} = data[{(i * n) % 97}].{m}(limit)\n"
            for i, m in zip(
                range(60), itertools.cycle(["sum", "max", "mean"]), strict=False
            )
        )
        for n in range(40)
    }
    start = time.perf_counter()
    compare("ex1", answers)
    assert time.perf_counter() - start < 5


def test_helper_makes_cells():
    assert cells("x = 1").source == "x = 1"
