"""The boundary explorer: its data and its pictures."""

import json
from xml.etree import ElementTree

import numpy as np
import pytest

from llmbook_utils.experiments.planes import train_networks, two_moons
from llmbook_utils.explorers.boundary.boundary import (
    BANDS,
    CELLS,
    Boundary,
    band_path,
    bands,
    place,
    scores,
)
from llmbook_utils.explorers.core.explorer import MIME

POINTS = two_moons(30)
NETWORKS = [
    network
    for activation in ("relu", "gelu")
    for network in train_networks(
        *POINTS, widths=[1, 3], activation=activation, seeds=[0, 1], n_steps=30
    )
]
START = {"set": "moons", "width": 3, "activation": "relu", "seed": 1}
LABELS = {"name": "boundary-x", "caption": "A boundary.", "alt": "Points in a plane"}


def boundary(**more):
    given = {"networks": {"moons": NETWORKS}, "start": START, **LABELS, **more}
    return Boundary({"moons": POINTS}, fresh={"moons": two_moons(50, seed=1)}, **given)


def test_bundle_holds_all_layers_and_is_small():
    bundle = boundary()._repr_mimebundle_()
    assert bundle[MIME]["kind"] == "boundary"
    assert json.loads(json.dumps(bundle[MIME])) == bundle[MIME]
    assert len(json.dumps(bundle)) < 150_000


def test_same_content_same_id():
    assert boundary().data["id"] == boundary().data["id"]
    other = boundary(start=START | {"width": 1})
    assert other.data["id"] != boundary().data["id"]


def test_rounded_weights_score_as_the_network_does():
    stored = boundary().data["sets"][0]["networks"]
    points = np.random.default_rng(0).uniform(-2, 2, (50, 2))
    for network, kept in zip(NETWORKS, stored, strict=True):
        np.testing.assert_allclose(
            scores(kept, points), network.scores(points), atol=0.01
        )


def test_bands_are_shares_of_the_probability():
    """A score of x: a probability of 1/2 at x = 0, growing to the right."""
    line = {
        "activation": "none",
        "seed": 0,
        "hidden": [[2.0, 0.0, 0.0]],
        "output": [1.0, 0.0],
        "loss": 0.0,
    }
    cells = bands(line)
    assert cells.shape == (CELLS, CELLS) and set(cells.ravel()) == set(range(BANDS))
    assert (np.diff(cells, axis=1) >= 0).all() and (cells[0] == cells[-1]).all()
    assert (cells[:, : CELLS // 2] < BANDS / 2).all()
    flipped = dict(line, hidden=[[0.0, 2.0, 0.0]])
    assert (bands(flipped)[0] == BANDS - 1).all()  # y points up


def test_runs_and_places_by_hand():
    cells = np.ones((CELLS, CELLS), dtype=int)
    cells[1, 2:4] = 0
    assert band_path(cells, 0) == "M32 16h32v16h-32z"
    assert place([[-2.2, 2.2], [0, 0]]).tolist() == [[0, 0], [320, 320]]


def test_picture_is_wellformed_and_has_all_points():
    text = boundary(alt="a < b & c")._repr_mimebundle_()["image/svg+xml"]
    root = ElementTree.fromstring(text)
    marks = [e for e in root.iter() if "lb-point" in e.get("class", "")]
    assert len(marks) == 30
    assert "nan" not in text


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"networks": {"rings": NETWORKS}}, "rings"),
        ({"networks": {"moons": NETWORKS[:-1]}}, "7 networks"),
        ({"start": START | {"width": 2}}, "no network"),
    ],
)
def test_what_does_not_fit_is_refused(wrong, message):
    with pytest.raises(ValueError, match=message):
        boundary(**wrong)
