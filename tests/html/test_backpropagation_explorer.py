"""The race of the optimisers: moved by click, slider and key; right to the digit."""

from collections.abc import Iterator

import numpy as np
import pytest
from conftest import open_alone
from playwright.sync_api import Browser, Locator, Page, expect

from llmbook_utils.explorers.descent.descent import OptimizerRace, place, run
from llmbook_utils.models.networks.descent import BEND, BOWL, SADDLE, VALLEY

PAGE = "notebooks/04_backpropagation"
EXPLORER = OptimizerRace(
    [VALLEY, SADDLE, BOWL, BEND],
    [
        {"lr": 0.036, "momentum": 0.7, "adam_lr": 0.2},
        {"lr": 0.1, "momentum": 0.9, "adam_lr": 0.1},
        {"lr": 0.1, "momentum": 0.9, "adam_lr": 0.1},
        {"lr": 0.01, "momentum": 0.9, "adam_lr": 0.1},
    ],
    name="race-x",
    caption="A race.",
    alt="Three paths on a surface with contour lines",
)


@pytest.fixture
def moving(browser: Browser) -> Iterator[Page]:
    """Open it for a reader who has nothing against motion."""
    with open_alone(browser, EXPLORER.data, 1000, "no-preference") as made:
        yield made


def drawn(page: Page) -> list[str]:
    """The three paths as they are drawn."""
    return page.locator(".lb-live .lb-path").evaluate_all(
        "paths => paths.map((path) => path.getAttribute('d'))"
    )


def start(page: Page) -> np.ndarray:
    """Where all paths begin, in the units of the drawing."""
    first = drawn(page)[0].removeprefix("M").partition("L")[0]
    return np.array(first.split(), dtype=float)


def lengths(page: Page) -> list[int]:
    """How many points each path has."""
    return [1 + path.count("L") for path in drawn(page)]


def stage(page: Page) -> Locator:
    return page.get_by_role("application")


@pytest.mark.parametrize("is_noisy", [False, True])
def test_browser_and_package_run_the_same_race(page: Page, is_noisy: bool) -> None:
    """The stored settings, all surfaces: every point of every path within 1e-10."""
    for surface in EXPLORER.data["surfaces"]:
        chosen = surface | {"is_noisy": is_noisy}
        theirs = page.evaluate(
            "([data, chosen]) => LLMBook.race(data, chosen)", [EXPLORER.data, chosen]
        )
        for path, ours in zip(theirs, run(EXPLORER.data, chosen), strict=True):
            np.testing.assert_allclose(path, ours, rtol=1e-10, atol=1e-10)


def test_a_race_that_diverges_ends_alike(page: Page) -> None:
    chosen = EXPLORER.data["surfaces"][0] | {"lr": 0.3}
    theirs = page.evaluate("([d, c]) => LLMBook.race(d, c)", [EXPLORER.data, chosen])
    ours = run(EXPLORER.data, chosen)
    assert [len(path) for path in theirs] == [len(path) for path in ours]


def test_what_is_drawn_is_the_path(page: Page) -> None:
    surface = EXPLORER.data["surfaces"][0]
    for text, path in zip(drawn(page), run(EXPLORER.data, surface), strict=True):
        points = [
            tuple(map(float, pair.split()))
            for pair in text.removeprefix("M").split("L")
        ]
        np.testing.assert_allclose(points, place(path, surface), atol=0.11)


def test_sliders_change_their_own_paths(page: Page) -> None:
    for label, changed in [
        ("Learning rate", [0, 1]),
        ("Momentum", [1]),
        ("Adam's rate", [2]),
    ]:
        before = drawn(page)
        page.get_by_label(label).focus()
        page.keyboard.press("ArrowLeft")
        after = drawn(page)
        assert [i for i in range(3) if before[i] != after[i]] == changed, label


def test_rate_above_the_limit_diverges(page: Page) -> None:
    page.get_by_label("Learning rate").fill("-0.5")  # 10 to the power -0.5 is 0.316
    expect(page.locator(".lb-heights li").first).to_contain_text("diverged")
    expect(page.locator(".lb-heights li").last).to_contain_text("height")


def test_click_and_arrows_move_the_start(page: Page) -> None:
    first = drawn(page)
    box = stage(page).bounding_box()
    stage(page).click(position={"x": box["width"] * 0.75, "y": box["height"] * 0.25})
    moved = drawn(page)
    assert all(a != b for a, b in zip(first, moved, strict=True))
    x, y = start(page)
    assert (x / 1280, y / 840) == pytest.approx((0.75, 0.25), abs=0.01)
    for key, way in [
        ("ArrowLeft", (-1, 0)),
        ("ArrowUp", (0, -1)),  # to the top of the page
        ("ArrowRight", (1, 0)),
        ("ArrowDown", (0, 1)),
    ]:
        before = start(page)
        page.keyboard.press(key)
        assert tuple(np.sign(start(page) - before)) == way, key
    page.keyboard.press("0")
    assert drawn(page) == first


def test_steps_by_button_key_and_slider(page: Page) -> None:
    page.get_by_role("button", name="One step").click()
    assert lengths(page) == [2, 2, 2]  # from the end a race begins again
    stage(page).focus()
    page.keyboard.press("Enter")
    assert lengths(page) == [3, 3, 3]
    page.get_by_label("Step", exact=False).last.fill("40")
    assert lengths(page) == [41, 41, 41]
    page.get_by_role("button", name="Play").click()  # less motion: the end at once
    assert lengths(page) == [121, 121, 121]


def test_surface_and_noise(page: Page) -> None:
    first = drawn(page)
    page.get_by_label("Noise").check()
    assert all(a != b for a, b in zip(first, drawn(page), strict=True))
    page.get_by_label("Noise").uncheck()
    assert drawn(page) == first
    contours = page.locator(".lb-live .lb-contours")
    before = contours.get_attribute("d")
    page.get_by_role("combobox").select_option(label="saddle")
    assert contours.get_attribute("d") != before
    expect(page.locator(".lb-live .lb-count").first).to_have_text("0.1")


def test_play_and_pause(moving: Page) -> None:
    moving.get_by_role("button", name="One step").click()
    moving.get_by_role("button", name="Play").click()
    length = "document.querySelector('.lb-live .lb-path').getAttribute('d').length"
    moving.wait_for_function(f"{length} > 80")
    moving.get_by_role("button", name="Pause").click()
    halted = lengths(moving)
    moving.wait_for_timeout(200)
    assert lengths(moving) == halted and halted[0] < 121
    stage(moving).focus()
    moving.keyboard.press("Space")
    expect(moving.get_by_role("button", name="Pause")).to_be_visible()
