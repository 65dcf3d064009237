"""The explorer of regularisers: moved by click, slider and key; drawn as in Python."""

import sys
from pathlib import Path

from playwright.sync_api import Locator, Page, expect

from llmbook_utils.explorers.regularisers.regularisers import (
    curve_path,
    find,
    place,
)

sys.path.insert(0, str(Path(__file__).parents[1] / "unit"))
from test_regularisers import START, N, regularisers

PAGE = "notebooks/05_training_that_generalises"
EXPLORER = regularisers()


def drawn(page: Page) -> list[str]:
    """The curves as they are drawn: fresh without the regulariser, seen, fresh."""
    return page.locator(".lb-live .lb-curve").evaluate_all(
        "paths => paths.map((path) => path.getAttribute('d'))"
    )


def stage(page: Page) -> Locator:
    return page.get_by_role("application")


def slider(page: Page, name: str) -> Locator:
    return page.get_by_role("slider", name=name)


def test_curves_are_those_of_the_picture(page: Page) -> None:
    run = find(EXPLORER.data, START)
    plain = find(EXPLORER.data, START | {"strength": 0.0})
    expected = [plain["fresh"], run["seen"], run["fresh"]]
    assert drawn(page) == [curve_path(curve["loss"], 3.0) for curve in expected]
    x, low = place(4, run["seen"]["loss"][4], N, 3.0)
    high = place(4, run["fresh"]["loss"][4], N, 3.0)[1]
    gap = page.locator(".lb-live .lb-gap").get_attribute("d")
    assert gap == f"M{x:g} {low:g}V{high:g}"


def test_strength_by_slider_and_by_key(page: Page) -> None:
    first, status = drawn(page), page.locator(".lb-status")
    said = status.text_content()
    slider(page, "Strength").focus()
    page.keyboard.press("ArrowRight")
    stronger = drawn(page)
    assert stronger[0] == first[0] and stronger[2] != first[2]
    assert status.text_content() != said
    stage(page).focus()
    page.keyboard.press("-")
    assert drawn(page) == first
    page.keyboard.press("-")
    weakest = drawn(page)
    assert weakest[2] == weakest[0]  # no regulariser
    page.keyboard.press("-")
    assert drawn(page) == weakest  # there is none weaker
    page.keyboard.press("0")
    assert drawn(page) == first


def test_click_and_arrows_stop_at_an_epoch(page: Page) -> None:
    status, first = page.locator(".lb-status"), drawn(page)
    expect(status).to_contain_text("After epoch 4: loss 0.09 on seen")
    box = stage(page).bounding_box()
    x = place(8, 0, N, 3.0)[0] / 640
    stage(page).click(position={"x": box["width"] * x, "y": box["height"] / 2})
    expect(status).to_contain_text("After epoch 8")
    page.keyboard.press("ArrowLeft")
    expect(status).to_contain_text("After epoch 7")
    page.keyboard.press("ArrowRight")
    expect(status).to_contain_text("After epoch 8")
    for _ in range(5):
        page.keyboard.press("ArrowRight")
    expect(status).to_contain_text("After epoch 10")  # the last
    gap = page.locator(".lb-live .lb-gap")
    before = gap.get_attribute("d")
    slider(page, "Stop after epoch").fill("2")
    expect(status).to_contain_text("After epoch 2")
    assert gap.get_attribute("d") != before
    assert drawn(page) == first


def test_cure_and_measure(page: Page) -> None:
    first = drawn(page)
    page.get_by_role("combobox", name="Regulariser").select_option("norm")
    expect(page.locator(".lb-strengths li")).to_have_count(2)
    expect(page.locator(".lb-strengths li.is-here")).to_contain_text("none")
    slider(page, "Strength").fill("1")
    expect(page.locator(".lb-strengths li.is-here")).to_contain_text("batch")
    other = drawn(page)
    assert other != first
    page.get_by_role("combobox", name="Measure").select_option("right")
    assert drawn(page) != other
    expect(page.locator(".lb-strengths li.is-here")).to_contain_text("60.0%")
    stage(page).focus()
    page.keyboard.press("m")
    assert drawn(page) == other
