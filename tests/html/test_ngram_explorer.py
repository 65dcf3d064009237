"""The n-grams of a story in the browser: by click, by slider, by key, in the page."""

from collections.abc import Iterator

import pytest
from conftest import OVERFLOW, Visit, open_page
from playwright.sync_api import Browser, Locator, expect

from llmbook_utils.explorers.back_off.picture import context_of, describe

PAGE, KIND = "notebooks/06_neural_language_models", "back-off"


def check(root: Locator, data: dict, at: int, n: int) -> None:
    """What the page shows is what Python says of this token and this n."""
    entry, (_, rows) = data["steps"][at][n - 1], describe(data, at, n)
    labels = root.locator(".lb-parts .lb-word").all_text_contents()
    assert labels == [row[0] for row in rows]
    lines = root.locator(".lb-orders button")
    assert lines.count() == len(data["steps"][at])
    chosen = root.locator('.lb-orders button[aria-pressed="true"]')
    expect(chosen).to_have_count(1)
    expect(chosen).to_contain_text(f"n = {n}")
    said = float(chosen.locator("span").nth(2).text_content())
    assert said == pytest.approx(entry["p"], rel=0.06)
    expect(root.locator(".lb-piece.is-chosen")).to_have_text(
        data["words"][data["text"][at]]
    )
    if "total" in entry and n > 1:
        expect(root.locator(".lb-status")).to_contain_text(context_of(data, at, n))
        expect(root.locator(".lb-status")).to_contain_text(f"{entry['total']:,}")


def widths(root: Locator) -> list[float]:
    bars = root.locator(".lb-parts .lb-bar > span")
    width = "nodes => nodes.map((node) => node.getBoundingClientRect().width)"
    return bars.evaluate_all(width)


@pytest.fixture(params=[(1280, "light"), (390, "dark")], ids=["wide", "narrow"])
def visit(
    request: pytest.FixtureRequest, sites: object, browser: Browser
) -> Iterator[Visit]:
    """Open the chapter: alone on a phone, long notes stand a little too far out."""
    site, (width, scheme) = sites("book"), request.param
    address = (site.html / f"{PAGE}.html").as_uri()
    with open_page(browser, address, scheme, width, is_whole=False) as opened:
        [opened.data] = site.explorers(PAGE, KIND)
        yield opened
        assert opened.errors == [] and opened.outside == []
        assert opened.page.evaluate(OVERFLOW) <= 0


def test_a_click_chooses_a_token(visit: Visit) -> None:
    root, data = visit.page.locator(".lb-back-off"), visit.data
    expect(root.locator(".lb-static")).to_be_hidden()
    check(root, data, data["at"], data["n"])
    before = widths(root)
    root.locator("button.lb-piece").nth(22).click()
    check(root, data, 22, data["n"])
    assert widths(root) != before
    expect(root.locator(".lb-truth")).to_contain_text(f"{data['true'][22]:.2f} bits")


def test_the_slider_changes_n_and_the_colours(visit: Visit) -> None:
    root, data = visit.page.locator(".lb-back-off"), visit.data
    colours = (
        "nodes => nodes.map((node) => getComputedStyle(node).backgroundColor).join()"
    )
    pieces = root.locator("button.lb-piece")
    before = pieces.evaluate_all(colours)
    root.get_by_label("Longest n-gram").focus()
    visit.page.keyboard.press("Home")
    check(root, data, data["at"], 1)
    assert pieces.evaluate_all(colours) != before
    for n in range(2, 6):
        visit.page.keyboard.press("ArrowRight")
        check(root, data, data["at"], n)
    assert pieces.evaluate_all(colours) == before


def test_keys_move_through_the_text_and_the_orders(visit: Visit) -> None:
    root, data, keyboard = (
        visit.page.locator(".lb-back-off"),
        visit.data,
        visit.page.keyboard,
    )
    root.locator("button.lb-piece").first.click()
    check(root, data, 0, data["n"])
    keyboard.press("ArrowLeft")  # nothing stands before the first
    check(root, data, 0, data["n"])
    keyboard.press("ArrowRight")
    keyboard.press("ArrowRight")
    check(root, data, 2, data["n"])
    expect(root.locator("button.lb-piece").nth(2)).to_be_focused()
    keyboard.press("End")
    check(root, data, len(data["text"]) - 1, data["n"])
    root.locator(".lb-orders button").nth(1).click()
    check(root, data, len(data["text"]) - 1, 2)
    keyboard.press("ArrowUp")
    check(root, data, len(data["text"]) - 1, 1)
    expect(root.locator(".lb-orders button").first).to_be_focused()
    assert root.get_by_label("Longest n-gram").input_value() == "1"
