"""The boundary explorer: moved by click, slider and key; right to the digit."""

import numpy as np
from playwright.sync_api import Locator, Page, expect

from llmbook_utils.experiments.planes import (
    disc_and_ring,
    train_networks,
    two_moons,
)
from llmbook_utils.explorers.boundary.boundary import (
    BANDS,
    Boundary,
    band_path,
    bands,
    scores,
)
from llmbook_utils.models.networks.mlp import ACTIVATIONS

SETS = {"moons": two_moons(40), "disc": disc_and_ring(40)}
NETWORKS = {
    name: [
        network
        for activation in ACTIVATIONS
        for network in train_networks(
            *points, widths=[1, 3, 8], activation=activation, seeds=[0, 1], n_steps=60
        )
    ]
    for name, points in SETS.items()
}
START = {"set": "moons", "width": 3, "activation": "gelu", "seed": 0}
PAGE = "notebooks/03_multilayer_perceptrons"
EXPLORER = Boundary(
    SETS,
    NETWORKS,
    fresh={"moons": two_moons(50, seed=1), "disc": disc_and_ring(50, seed=1)},
    start=START,
    name="boundary-x",
    caption="A boundary.",
    alt="Points of two classes and a boundary",
)


def drawn(page: Page) -> list[str]:
    """The shades and the boundary as they are drawn."""
    return page.locator(".lb-live .lb-band, .lb-live .lb-border").evaluate_all(
        "paths => paths.map((path) => path.getAttribute('d'))"
    )


def stage(page: Page) -> Locator:
    return page.get_by_role("application")


def test_browser_and_package_compute_the_same_scores(page: Page) -> None:
    """All networks at 20 points, also far out: within 1e-9."""
    points = np.random.default_rng(0).uniform(-9, 9, (20, 2))
    for group in EXPLORER.data["sets"]:
        for network in group["networks"]:
            theirs = page.evaluate(
                "([n, ps]) => ps.map((p) => LLMBook.boundary.evaluate(n, p).score)",
                [network, points.tolist()],
            )
            np.testing.assert_allclose(theirs, scores(network, points), atol=1e-9)


def test_shades_are_those_of_the_picture(page: Page) -> None:
    network = EXPLORER.data["sets"][0]["networks"][-1]
    theirs = page.evaluate("(n) => LLMBook.boundary.bandPaths(n)", network)
    cells = bands(network)
    assert theirs == [band_path(cells, band) for band in range(BANDS)]
    border = page.evaluate("(n) => LLMBook.boundary.borderPath(n)", network)
    assert border.count("M") > 10
    assert border.count("M") == EXPLORER.picture(
        EXPLORER.data | {"start": START | {"activation": "gelu", "width": 8, "seed": 1}}
    ).split('lb-border" d="')[1].split('"')[0].count("M")


def test_width_by_slider_and_by_key(page: Page) -> None:
    first = drawn(page)
    expect(page.locator(".lb-neurons li")).to_have_count(3)
    page.get_by_role("slider").focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator(".lb-neurons li")).to_have_count(8)
    wide = drawn(page)
    assert wide != first
    stage(page).focus()
    page.keyboard.press("-")
    assert drawn(page) == first
    page.keyboard.press("-")
    expect(page.locator(".lb-folds line")).to_have_count(1)
    page.keyboard.press("-")  # there is none narrower
    expect(page.locator(".lb-neurons li")).to_have_count(1)
    page.keyboard.press("0")
    assert drawn(page) == first


def test_choices_change_the_network(page: Page) -> None:
    status = page.locator(".lb-status")
    for label, value in [("Activation", "sigmoid"), ("Start", "1"), ("Points", "disc")]:
        before, said = drawn(page), status.text_content()
        page.get_by_role("combobox", name=label).select_option(value)
        assert drawn(page) != before, label
        assert status.text_content() != said, label


def test_without_a_nonlinearity_the_boundary_is_a_line(page: Page) -> None:
    page.get_by_role("combobox", name="Activation").select_option("none")
    for width in "012":
        page.get_by_role("slider").fill(width)
        pieces = drawn(page)[-1].replace("L", "M").split("M")[1:]
        xy = np.array([list(map(float, piece.split())) for piece in pieces])
        centred = xy - xy.mean(axis=0)
        assert np.linalg.svd(centred)[1][1] < 1


def test_click_and_arrows_move_the_probe(page: Page) -> None:
    probe, border = page.locator(".lb-probe"), drawn(page)
    box = stage(page).bounding_box()
    stage(page).click(position={"x": box["width"] * 0.75, "y": box["height"] * 0.25})
    expect(probe).to_contain_text("At (1.1")
    for key in ("ArrowLeft", "ArrowUp", "ArrowRight", "ArrowDown"):
        before = probe.text_content()
        page.keyboard.press(key)
        assert probe.text_content() != before, key
    assert drawn(page) == border
    network = next(
        n
        for n in EXPLORER.data["sets"][0]["networks"]
        if (n["activation"], n["width"], n["seed"]) == ("gelu", 3, 0)
    )
    page.keyboard.press("0")
    score = scores(network, np.zeros((1, 2)))[0]
    expect(probe).to_contain_text(f"At (0.00, 0.00): score {score:.2f}")


def test_losses_of_all_widths_are_listed(page: Page) -> None:
    rows = page.locator(".lb-losses li")
    expect(rows).to_have_count(3)
    expect(page.locator(".lb-losses li.is-here")).to_contain_text("3")
