"""Every page in one visit: it loads, draws, fits and reads for all, and answers.

A page is opened from its file, as a reader without a server has it, and then shown in
both schemes and at both widths. The specimen's pages come over HTTP, and are also
opened by a reader whose system is dark.
"""

import re
from collections.abc import Callable
from pathlib import Path

import conftest
import pytest
import yaml
from conftest import (
    ALL_PAGES,
    BOOK_PAGES,
    SHOTS,
    SPECIMEN_PAGES,
    Site,
    Visit,
    open_page,
    settle,
)
from playwright.sync_api import Browser, Error, expect

from llmbook_press import notebooks, sync
from llmbook_utils import plots
from llmbook_utils.explorers.core.explorer import MIME

# What axe is asked of a page that it has judged in the light: contrast hangs on the
# scheme, and what scrolls on the width. It takes seconds on a long page. On a phone,
# the frame that all pages share is judged by `test_page_opens_dark_on_a_phone`.
READERS = {
    ("light", 1280): {},
    ("dark", 1280): {"runOnly": ["color-contrast", "link-in-text-block"]},
    ("dark", 390): {"runOnly": ["scrollable-region-focusable"]},
    ("light", 390): None,
}
# Frames are judged by themselves. Style sheets are not fetched anew, which a page from
# a file may not do: what is judged here, a browser tells without.
AXE = {"resultTypes": ["violations"], "iframes": False, "preload": False}
PLOT_LAYERS = {
    "scatter": ".scatterlayer .trace",
    "bar": ".barlayer .trace",
    "heatmap": ".heatmaplayer .hm",
}
PLOTS_FIT_THE_READER = """() => {
  const style = getComputedStyle(document.documentElement);
  const ink = style.getPropertyValue("--lb-ink").trim();
  return [...document.querySelectorAll(".llmbook-plot")].every((plot) =>
    plot.layout.font.color === ink &&
    Math.abs(plot.querySelector(".main-svg").clientWidth - plot.clientWidth) < 2);
}"""


def page_id(value: tuple[str, str]) -> str:
    return f"{value[0]}-{value[1].replace('/', '_')}"


def show(visit: Visit, scheme: str, width: int) -> None:
    """Turn the page to a reader with another colour scheme and width."""
    visit.page.emulate_media(color_scheme=scheme)
    visit.page.set_viewport_size({"width": width, "height": 900})
    visit.page.wait_for_function(
        "scheme => document.documentElement.dataset.theme === scheme", arg=scheme
    )
    settle(visit.page)
    visit.page.wait_for_function(PLOTS_FIT_THE_READER)


def check_width(visit: Visit) -> None:
    wider = visit.page.evaluate(conftest.OVERFLOW)
    assert wider <= 0, f"{wider} pixels wider than the screen"


def check_scrollers(visit: Visit) -> None:
    """What scrolls aside can be reached without a mouse."""
    out_of_reach = visit.page.evaluate(
        """() => [...document.querySelectorAll("div.highlight pre, mjx-container, " +
            ".pst-scrollable-table-container")]
          .filter((box) => box.scrollWidth > box.clientWidth + 1 && box.tabIndex !== 0)
          .map((box) => box.outerHTML.slice(0, 120))"""
    )
    assert out_of_reach == []


def check_plots(visit: Visit) -> None:
    """Each plot has drawn its data."""
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


def check_tables(visit: Visit) -> None:
    """Each table of an output is set."""
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


def check_formulas(visit: Visit) -> None:
    """Each formula is typeset."""
    formulas = visit.page.locator("span.math, div.math").count()
    assert visit.page.locator("mjx-container").count() == formulas
    assert visit.page.locator("mjx-merror, mjx-container [data-mjx-error]").count() == 0


def check_explorers(visit: Visit) -> None:
    """Each explorer of the notebook has come to life, and says what it stores."""
    outputs = visit.site.outputs(visit.name)
    kinds = [data[MIME]["kind"] for data in outputs if MIME in data]
    for kind in set(kinds) - {"attention"}:  # that one lives in a frame of its own
        live = visit.page.locator(f"[data-llmbook={kind}].is-live")
        assert live.count() == kinds.count(kind), kind


def check_maps(visit: Visit) -> None:
    """Each map shows its words."""
    stored = visit.site.explorers(visit.name, "word-map")
    maps = visit.page.locator(".lb-word-map")
    assert maps.count() == len(stored)
    for number, data in enumerate(stored):
        labels = maps.nth(number).locator(".lb-live text").all_text_contents()
        assert labels == data["words"]
        dots = maps.nth(number).locator(".lb-live circle[cx]")
        assert dots.count() == len(data["words"])


def check_quizzes(visit: Visit) -> None:
    """Each quiz asks its questions."""
    stored = [
        question
        for data in visit.site.explorers(visit.name, "quiz")
        for question in data["questions"]
    ]
    questions = visit.page.locator(".lb-quiz.is-live .lb-question")
    assert questions.count() == len(stored)
    for number, question in enumerate(stored):
        inputs = questions.nth(number).locator("input")
        assert inputs.count() == len(question["choices"])
        assert questions.nth(number).get_by_role("button", name="Check").is_visible()


def check_pictures(visit: Visit) -> None:
    """Each picture has words."""
    silent = visit.page.evaluate(
        """() => [...document.querySelectorAll('img, [role=img]')].filter((node) => {
          const text = node.getAttribute('alt') || node.getAttribute('aria-label');
          return !node.closest('[aria-hidden=true]') && !(text || '').trim();
        }).map((node) => node.outerHTML.slice(0, 120))"""
    )
    assert silent == []


def answer_maps(visit: Visit) -> None:
    """Each map finds the neighbours of a word that is searched."""
    for number, data in enumerate(visit.site.explorers(visit.name, "word-map")):
        word_map = visit.page.locator(".lb-word-map").nth(number)
        word_map.get_by_label("Search a word").fill(data["words"][-1])
        count = int(word_map.locator(".lb-count").text_content())
        near = [data["words"][i] for i in data["near"][-1][:count]]
        assert word_map.locator(".lb-near .lb-word").all_text_contents() == near


def answer_quizzes(visit: Visit) -> None:
    """Each question takes its right answer."""
    for number, data in enumerate(visit.site.explorers(visit.name, "quiz")):
        quiz = visit.page.locator(".lb-quiz").nth(number)
        for place, question in enumerate(data["questions"]):
            field = quiz.locator(".lb-question").nth(place)
            for i, choice in enumerate(question["choices"]):
                if choice["correct"]:
                    field.locator("input").nth(i).check()
            field.get_by_role("button", name="Check").click()
            expect(field.locator(".lb-feedback")).to_contain_text("Right.")
        total = len(data["questions"])
        expect(quiz.locator(".lb-quiz-score")).to_have_text(
            f"{total} of {total} right at the first try."
        )


# Ten thousand words of code have a dozen looks: their ink, their size, and all that
# lies below them down to the first opaque ground. Twenty of each look are enough.
MARK_WORDS_OF_A_KNOWN_LOOK = """() => {
  const seen = {};
  for (const word of document.querySelectorAll("div.highlight pre span")) {
    const isText = !word.childElementCount && word.textContent.trim();
    if (!isText || !word.checkVisibility()) continue;
    const { color, fontSize, fontWeight } = getComputedStyle(word);
    const look = [color, fontSize, fontWeight];
    for (let node = word; node; node = node.parentElement) {
      const { backgroundColor, opacity } = getComputedStyle(node);
      look.push(backgroundColor, opacity);
      if (backgroundColor.startsWith("rgb(")) break;
    }
    seen[look] = (seen[look] || 0) + 1;
    word.toggleAttribute("data-known", seen[look] > 20);
  }
  const selector = "*:not([data-known])";
  axe.configure({ rules: [{ id: "color-contrast", selector }] });
}"""


def serious_faults(visit: Visit, axe: str, options: dict) -> list[str]:
    """Ask axe what is wrong with the page as it stands."""
    options = {**AXE, **options}
    visit.page.evaluate(axe)
    visit.page.evaluate(MARK_WORDS_OF_A_KNOWN_LOOK)
    result = visit.page.evaluate("options => axe.run(document, options)", options)
    return [
        f"axe, {fault['id']} ({fault['impact']}): "
        + "; ".join(node["html"][:160] for node in fault["nodes"][:4])
        for fault in result["violations"]
        if fault["impact"] in ("serious", "critical")
    ]


EACH_VIEW = (check_width, check_scrollers, check_plots, check_maps, check_quizzes)
ONCE = (check_tables, check_formulas, check_explorers, check_pictures)
AT_LAST = (answer_maps, answer_quizzes)


def failures(checks: tuple[Callable, ...], visit: Visit, reader: str) -> list[str]:
    """Make all checks, also after one has failed."""
    found = []
    for check in checks:
        try:
            check(visit)
        except (AssertionError, Error) as error:
            found.append(f"{reader}: {check.__name__}: {error}")
    return found


@pytest.mark.parametrize("place", ALL_PAGES, ids=page_id)
def test_page(
    place: tuple[str, str], sites: object, browser: Browser, axe: str
) -> None:
    name, page = place
    site: Site = sites(name)
    address = (site.html / f"{page}.html").as_uri()
    if name == "specimen":
        address = f"{site.url}/{page}.html"
    found = []
    with open_page(browser, address) as visit:
        visit.site, visit.name = site, page
        found += failures(ONCE, visit, "opened")
        for (scheme, width), asked in READERS.items():
            reader = f"{scheme}, {width}"
            show(visit, scheme, width)
            found += failures(EACH_VIEW, visit, reader)
            if asked is not None:
                faults = serious_faults(visit, axe, asked)
                found += [f"{reader}: {fault}" for fault in faults]
            keep_picture(visit, f"{page_id(place)}-{scheme}-{width}")
        found += failures(AT_LAST, visit, "answered")
        found += [f"asked another host: {url}" for url in visit.outside]
        found += [f"did not load: {url}" for url in visit.failed]
        found += visit.errors
    assert not found, "\n".join(found)


def keep_picture(visit: Visit, name: str) -> None:
    """Keep a picture of the whole page for whoever asks for them."""
    if SHOTS:
        Path(SHOTS).mkdir(parents=True, exist_ok=True)
        visit.page.screenshot(path=Path(SHOTS) / f"{name}.png", full_page=True)


@pytest.mark.parametrize("place", SPECIMEN_PAGES, ids=page_id)
def test_page_opens_dark_on_a_phone(
    place: tuple[str, str], sites: object, browser: Browser, axe: str
) -> None:
    """An early script decides the theme, not the one that follows a change."""
    site: Site = sites(place[0])
    with open_page(browser, f"{site.url}/{place[1]}.html", "dark", 390) as visit:
        visit.site, visit.name = site, place[1]
        assert visit.page.locator("html").get_attribute("data-theme") == "dark"
        found = failures((*EACH_VIEW, *ONCE), visit, "opened dark")
        assert found + serious_faults(visit, axe, {}) == []
        assert (visit.outside, visit.failed, visit.errors) == ([], [], [])


def test_all_pages_of_the_toc_are_visited() -> None:
    assert {page for _, page in BOOK_PAGES} == set(conftest.toc_pages(conftest.ROOT))


def test_old_addresses_lead_on(sites: object, browser: Browser) -> None:
    site: Site = sites("book")
    config = yaml.safe_load((conftest.ROOT / "_config.yml").read_text("utf8"))
    for old, new in config["sphinx"]["config"]["llmbook_moved"].items():
        address = (site.html / f"{old}.html").as_uri()
        with open_page(browser, f"{address}#quiz", is_whole=False) as visit:
            visit.page.wait_for_url(f"**/{new}.html#quiz")
            assert visit.outside == []


def test_each_launch_button_opens_a_notebook_of_the_tree(sites: object) -> None:
    site: Site = sites("book")
    launched = {
        sync.colab_url(path, conftest.ROOT): path
        for path in notebooks.notebook_paths(conftest.ROOT)
    }
    found = set()
    for page in site.html.rglob("*.html"):
        text = page.read_text(encoding="utf8")
        found |= set(re.findall(rf'href="({sync.COLAB}/[^"]+)"', text))
    assert found == set(launched)
