"""Every page, light and dark, wide and narrow: it loads, draws, fits, and reads."""

import re
from collections.abc import Iterator

import conftest
import pytest
from conftest import ALL_PAGES, SHOTS, Site, Visit, open_page

from llmbook_utils import chapters, plots, sync
from llmbook_utils.widgets import MIME

READERS = [("light", 1280), ("dark", 390), ("dark", 1280), ("light", 390)]
VISITS = [(*page, *reader) for page in ALL_PAGES for reader in READERS]
PLOT_LAYERS = {
    "scatter": ".scatterlayer .trace",
    "bar": ".barlayer .trace",
    "heatmap": ".heatmaplayer .hm",
}


@pytest.fixture(
    scope="module",
    params=VISITS,
    ids=lambda v: f"{v[0]}-{v[1].replace('/', '_')}-{v[2]}-{v[3]}",
)
def visit(request: pytest.FixtureRequest, sites: object, browser: object) -> Iterator:
    """Open one page once for all tests of this file."""
    name, page, scheme, width = request.param
    site: Site = sites(name)
    with open_page(browser, f"{site.url}/{page}.html", scheme, width) as visit:
        visit.site, visit.name = site, page
        yield visit


def test_nothing_leaves_and_nothing_fails(visit: Visit) -> None:
    assert visit.outside == []
    assert visit.failed == []
    assert visit.errors == []


def test_page_has_the_asked_theme(visit: Visit, request: pytest.FixtureRequest) -> None:
    scheme = request.node.callspec.params["visit"][2]
    assert visit.page.locator("html").get_attribute("data-theme") == scheme


def test_page_is_not_wider_than_the_screen(visit: Visit) -> None:
    assert visit.page.evaluate(conftest.OVERFLOW) <= 0


def test_every_plot_has_drawn_its_data(visit: Visit) -> None:
    stored = [
        data[plots.MIME]
        for data in visit.site.outputs(visit.name)
        if plots.MIME in data
    ]
    places = visit.page.locator(".llmbook-plot")
    assert places.count() == len(stored)
    for number, figure in enumerate(stored):
        for kind in {trace["type"] for trace in figure["data"]}:
            wanted = sum(trace["type"] == kind for trace in figure["data"])
            drawn = places.nth(number).locator(PLOT_LAYERS[kind]).count()
            assert drawn == wanted, f"{kind} in figure {number}"


def test_every_table_of_an_output_is_set(visit: Visit) -> None:
    tables = visit.page.locator(".cell_output table").evaluate_all(
        "tables => tables.map((table) => [...table.rows].map((row) =>"
        " [...row.cells].map((cell) => cell.textContent.trim())))"
    )
    for data in visit.site.outputs(visit.name):
        text = "".join(data.get("text/markdown", ""))
        if "| ---" in text:
            head, _, *rows = [
                [cell.strip(" *") for cell in line.split("|")[1:-1]]
                for line in text.splitlines()
            ]
            assert [head, *rows] in tables


def test_every_formula_is_typeset(visit: Visit) -> None:
    formulas = visit.page.locator("span.math, div.math").count()
    assert visit.page.locator("mjx-container").count() == formulas
    assert visit.page.locator("mjx-merror, mjx-container [data-mjx-error]").count() == 0


def test_every_map_shows_its_words(visit: Visit) -> None:
    stored = [
        data[MIME]
        for data in visit.site.outputs(visit.name)
        if data.get(MIME, {}).get("kind") == "word-map"
    ]
    maps = visit.page.locator(".lb-word-map")
    assert maps.count() == len(stored)
    for number, data in enumerate(stored):
        labels = maps.nth(number).locator(".lb-live text").all_text_contents()
        assert labels == data["words"]
        dots = maps.nth(number).locator(".lb-live circle[cx]")
        assert dots.count() == len(data["words"])


def test_every_quiz_asks_its_questions(visit: Visit) -> None:
    stored = [
        question
        for data in visit.site.outputs(visit.name)
        if data.get(MIME, {}).get("kind") == "quiz"
        for question in data[MIME]["questions"]
    ]
    questions = visit.page.locator(".lb-quiz.is-live .lb-question")
    assert questions.count() == len(stored)
    for number, question in enumerate(stored):
        assert questions.nth(number).locator("input").count() == len(
            question["choices"]
        )
        assert questions.nth(number).get_by_role("button", name="Check").is_visible()


def test_every_picture_has_words(visit: Visit) -> None:
    silent = visit.page.evaluate(
        """() => [...document.querySelectorAll('img, [role=img]')].filter((node) => {
          const text = node.getAttribute('alt') || node.getAttribute('aria-label');
          return !node.closest('[aria-hidden=true]') && !(text || '').trim();
        }).map((node) => node.outerHTML.slice(0, 120))"""
    )
    assert silent == []


def test_axe_finds_no_serious_fault(visit: Visit, axe: str) -> None:
    visit.page.evaluate(axe)
    result = visit.page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    faults = [
        f"{fault['id']} ({fault['impact']}): "
        + "; ".join(node["html"][:160] for node in fault["nodes"][:4])
        for fault in result["violations"]
        if fault["impact"] in ("serious", "critical")
    ]
    assert faults == []


def test_screenshot_is_kept(visit: Visit, request: pytest.FixtureRequest) -> None:
    SHOTS.mkdir(parents=True, exist_ok=True)
    name, page, scheme, width = request.node.callspec.params["visit"]
    path = SHOTS / f"{name}-{page.replace('/', '_')}-{scheme}-{width}.png"
    visit.page.screenshot(path=path, full_page=True)
    assert path.stat().st_size > 10_000


def test_all_pages_of_the_toc_are_visited() -> None:
    visited = {page for name, page in ALL_PAGES if name == "book"}
    assert visited == set(conftest.toc_pages(conftest.ROOT))


def test_each_launch_button_opens_a_notebook_of_the_tree(sites: object) -> None:
    site: Site = sites("book")
    notebooks = {
        sync.colab_url(path, conftest.ROOT): path
        for path in chapters.notebook_paths(conftest.ROOT)
    }
    found = set()
    for page in site.html.rglob("*.html"):
        text = page.read_text(encoding="utf8")
        found |= set(re.findall(rf'href="({sync.COLAB}/[^"]+)"', text))
    assert found == set(notebooks)
