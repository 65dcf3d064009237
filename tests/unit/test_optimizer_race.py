"""The race of the optimisers: its data, its pictures, and its contour lines."""

import json
import re
from xml.etree import ElementTree

import numpy as np
import pytest

from llmbook_utils.explorers.core.contours import contour_path
from llmbook_utils.explorers.core.explorer import MIME, document
from llmbook_utils.explorers.descent.descent import OptimizerRace, run
from llmbook_utils.models.networks.descent import (
    BOWL,
    SADDLE,
    VALLEY,
    Momentum,
    descend,
)

SETTINGS = {"lr": 0.036, "momentum": 0.7, "adam_lr": 0.2}
LABELS = {"name": "race-x", "caption": "A race.", "alt": "Three paths"}


def race(**more: object) -> OptimizerRace:
    return OptimizerRace([VALLEY, SADDLE], [SETTINGS] * 2, **{**LABELS, **more})


def test_bundle_holds_all_layers_and_is_small() -> None:
    bundle = race()._repr_mimebundle_()
    assert bundle[MIME]["kind"] == "descent"
    assert json.loads(json.dumps(bundle[MIME])) == bundle[MIME]
    assert len(json.dumps(bundle)) < 200_000
    assert "<details>" in bundle["text/html"]


def test_paths_are_those_of_the_package() -> None:
    data = race().data
    paths = run(data, data["surfaces"][0])
    own = descend(Momentum(0.036, 0.7), VALLEY.gradient, np.array(VALLEY.start), 120)
    np.testing.assert_allclose(paths[1], own, atol=1e-12)
    noisy = run(data, data["surfaces"][0] | {"is_noisy": True})
    step = -0.036 * (VALLEY.gradient(np.array(VALLEY.start)) + data["noise"][0])
    np.testing.assert_allclose(noisy[0][1] - noisy[0][0], step, atol=1e-12)


def test_same_content_same_id() -> None:
    assert race().data["id"] == race().data["id"]
    assert race().data["id"] != race(n_steps=50).data["id"]


def test_picture_is_wellformed_and_has_three_paths() -> None:
    text = race(alt="a < b & c")._repr_mimebundle_()["image/svg+xml"]
    root = ElementTree.fromstring(text)
    lines = root.findall("{http://www.w3.org/2000/svg}polyline")
    assert len(lines) == 3
    assert all(len(line.get("points").split()) == 121 for line in lines)


def test_a_path_that_diverges_can_be_drawn() -> None:
    wild = OptimizerRace([VALLEY], [SETTINGS | {"lr": 0.5}], **LABELS)
    assert len(run(wild.data, wild.data["surfaces"][0])[0]) < 20
    assert "nan" not in wild.picture(wild.data)


def test_words_cannot_break_out() -> None:
    page = document(race(caption="</script><b>").data)
    assert page.count("</script>") == 2


def test_each_surface_needs_settings() -> None:
    with pytest.raises(ValueError, match="1 settings"):
        OptimizerRace([VALLEY, BOWL], [SETTINGS], **LABELS)


def test_contours_of_a_circle_lie_on_circles() -> None:
    """Each line of x^2 + y^2 keeps its distance, within a cell's straight piece."""
    text = contour_path(
        lambda x, y: x**2 + y**2, (-1, 1), (-1, 1), width=1000, height=1000, n_levels=3
    )
    lines = text.split("M")[1:]
    radii = []
    for line in lines:
        points = np.array(re.findall(r"(\d+) (\d+)", line), dtype=float)
        radii.append(np.hypot(*(points - 500).T))
    closed = [r for line, r in zip(lines, radii, strict=True) if line.endswith("Z")]
    assert len(closed) == 2
    assert all(np.ptp(r) < 3 for r in radii)


def test_contours_cut_equal_areas() -> None:
    """Of x alone, four levels stand at 1/8, 3/8, 5/8 and 7/8 of the width."""
    text = contour_path(
        lambda x, y: x, (0, 1), (0, 1), width=800, height=400, n_levels=4
    )
    starts = sorted(int(line.split()[0]) for line in text.split("M")[1:])
    assert starts == pytest.approx([100, 300, 500, 700], abs=2)


def test_repr_is_short() -> None:
    assert repr(race()) == "OptimizerRace('race-x', 2 surfaces)"
