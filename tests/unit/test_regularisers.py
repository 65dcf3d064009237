"""The explorer of regularisers: its data and its pictures."""

import json
from xml.etree import ElementTree

import numpy as np
import pytest

from llmbook_utils.explorers.core.explorer import MIME, document
from llmbook_utils.explorers.regularisers.regularisers import (
    Regularisers,
    curve_path,
    find,
    place,
)

N = 10
LABELS = {
    "name": "regularisers-x",
    "caption": "Curves.",
    "alt": "Two curves of training",
}
START = {"regulariser": "dropout", "strength": 0.5, "epoch": 4, "measure": "loss"}


def made_up(level):
    """Curves (N + 1, 2, 2): seen falls to 0, fresh rises to a level."""
    epoch = np.arange(N + 1)
    seen, fresh = 1.4 * 0.5**epoch, 1 + (level - 1) * epoch / N
    right = np.stack([1 - seen / 2, np.full(N + 1, 0.6)])
    return np.stack([np.stack([seen, right[0]], 1), np.stack([fresh, right[1]], 1)], 1)


CURVES = {
    "dropout": {0.0: made_up(2.5), 0.5: made_up(1.2), 0.9: made_up(1.3)},
    "norm": {"none": made_up(2.5), "batch": made_up(1.5)},
}


def regularisers(**more):
    given = {"off": {"norm": "none"}, "start": START, **LABELS, **more}
    return Regularisers(given.pop("curves", CURVES), **given)


def test_bundle_holds_all_layers_and_is_small():
    bundle = regularisers()._repr_mimebundle_()
    assert bundle[MIME]["kind"] == "regularisers"
    assert json.loads(json.dumps(bundle[MIME])) == bundle[MIME]
    assert len(json.dumps(bundle)) < 100_000


def test_same_content_same_id():
    assert regularisers().data["id"] == regularisers().data["id"]
    assert (
        regularisers(start=START | {"epoch": 5}).data["id"] != regularisers().data["id"]
    )


def test_runs_are_found_and_rounded():
    run = find(regularisers().data, START)
    np.testing.assert_allclose(run["fresh"]["loss"], made_up(1.2)[:, 1, 0], atol=6e-4)
    np.testing.assert_allclose(run["seen"]["right"], made_up(1.2)[:, 0, 1], atol=6e-4)


def test_places_by_hand():
    assert place(0, 0, 10, 3.0) == (56, 438)
    assert place(10, 3.0, 10, 3.0) == (626, 16)
    assert place(10, 99, 10, 3.0) == (626, 16)  # cut at the top
    assert curve_path([0.0, 3.0], 3.0) == "M56 438L626 16"


def test_picture_is_wellformed_and_has_two_curves():
    text = regularisers(alt="a < b & c")._repr_mimebundle_()["image/svg+xml"]
    root = ElementTree.fromstring(text)
    found = [e for e in root.iter() if "lb-curve" in e.get("class", "")]
    assert [len(e.get("d").split("L")) for e in found] == [N + 1] * 2
    assert "nan" not in text


def test_words_cannot_break_out():
    assert document(regularisers(caption="</script><b>").data).count("</script>") == 2


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"curves": {}}, "one shape"),
        ({"curves": {"dropout": {0.0: np.zeros((3, 2))}}}, "one shape"),
        ({"off": {"norm": "no"}}, "no regulariser"),
        ({"start": START | {"strength": 0.4}}, "no run"),
    ],
)
def test_what_does_not_fit_is_refused(wrong, message):
    with pytest.raises(ValueError, match=message):
        regularisers(**wrong)


def test_repr_is_short():
    assert repr(regularisers()) == "Regularisers('regularisers-x', 5 runs)"
