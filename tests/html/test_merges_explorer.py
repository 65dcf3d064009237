"""The merges explorer in the browser: the tokens of Python, by mouse and by keys."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import Visit, open_page, serve
from playwright.sync_api import Locator, expect

from llmbook_utils.bpe import BytePairTokenizer, split_text
from llmbook_utils.widgets import MIME, Merges
from llmbook_utils.widgets.explorer import document
from llmbook_utils.widgets.merges import label, tokens_after

TEXTS = [
    "Tom takes the lamp to the shed.",
    "汤姆把灯拿到棚子里。灯！",
    "def f(x):\n\treturn  x**2  # 1000 times, isn't it?",
    "naïve\u3000a\u0301b\x85c\u2028\ufeff 🙂👩\u200d🔬 </script>",
    "x\ufeff!" * 6,  # JavaScript's own \s takes this mark for a space
]
PIECES = Counter(piece for text in TEXTS for piece in split_text(text * 2))
PAGE = "notebooks/01_text_and_tokens"


@pytest.fixture(scope="module")
def explorer() -> Merges:
    words = {"name": "merges-x", "caption": "Merges of four texts.", "alt": "Pieces"}
    tokenizer = BytePairTokenizer.train([text * 2 for text in TEXTS], 320)
    return Merges(tokenizer, TEXTS, PIECES, **words)


@pytest.fixture(params=[1280, 390])
def visit(
    request: pytest.FixtureRequest, explorer: Merges, browser: object, tmp_path: Path
) -> Iterator[Visit]:
    """Open the explorer's own document, as a live notebook frames it."""
    (tmp_path / "index.html").write_text(document(explorer.data), encoding="utf-8")
    with (
        serve(tmp_path) as url,
        open_page(browser, f"{url}/index.html", width=request.param) as visit,
    ):
        yield visit
        wide = "document.documentElement.scrollWidth - innerWidth"
        assert visit.page.evaluate(wide) <= 0
        # the little server has no picture for the tab
        assert [e for e in visit.errors if "404" not in e] == []
        assert visit.outside == []


def chips(root: Locator) -> list[str]:
    return root.locator(".lb-chip").all_text_contents()


def wanted(explorer: Merges, text: str, n: int) -> list[str]:
    return [label(token) for token in tokens_after(explorer.data, text, n)]


def set_slider(root: Locator, value: int) -> None:
    root.get_by_role("slider").evaluate(
        "(slider, value) => { slider.value = value;"
        " slider.dispatchEvent(new Event('input')); }",
        value,
    )


def test_any_text_has_the_tokens_of_python(visit: Visit, explorer: Merges) -> None:
    """Oracle: `tokens_after`, which is held against the tokenizer."""
    root = visit.page.locator(".lb-merges")
    typed = ["the <b>lamp</b> 灯灯", "x" * 40, "  a  b ", "Ǆ ² ⅷ １２ ſ'll", ""]
    for place, text in enumerate([*TEXTS, *typed]):
        if place < len(TEXTS):
            root.get_by_label("Choose a text").select_option(str(place))
        else:
            root.get_by_label("or type your own").fill(text)
        for n in (0, 7, 30, 63):
            set_slider(root, n)
            assert chips(root) == wanted(explorer, text, n), (text, n)
    expect(root.locator(".lb-detail")).to_have_text("Type a text above.")


def test_steps_by_button_and_arrow_keys(visit: Visit, explorer: Merges) -> None:
    root, text = visit.page.locator(".lb-merges"), TEXTS[0]
    n_bytes = len(text.encode())
    assert len(chips(root)) == n_bytes
    curve = root.locator(".lb-curve .lb-here")
    places = [curve.get_attribute("cx")]
    root.get_by_role("button", name="Next join").click()
    places.append(curve.get_attribute("cx"))
    assert len(chips(root)) < n_bytes
    once = chips(root)
    root.locator(".lb-chips").focus()
    visit.page.keyboard.press("ArrowRight")
    places.append(curve.get_attribute("cx"))
    assert len(chips(root)) < len(once)
    assert len(set(places)) == 3
    visit.page.keyboard.press("ArrowLeft")
    visit.page.keyboard.press("ArrowLeft")
    assert len(chips(root)) == n_bytes
    visit.page.keyboard.press("End")
    assert chips(root) == wanted(explorer, text, 63)
    visit.page.keyboard.press("Home")
    assert len(chips(root)) == n_bytes
    slider = root.get_by_role("slider")
    slider.focus()
    visit.page.keyboard.press("ArrowRight")
    expect(root.locator(".lb-count")).to_have_text("1 of 63")
    expect(root.locator(".lb-status")).to_contain_text("Merge 1 makes")


def test_a_click_tells_id_bytes_and_count(visit: Visit, explorer: Merges) -> None:
    root, data = visit.page.locator(".lb-merges"), explorer.data
    set_slider(root, 63)
    tokens = tokens_after(data, TEXTS[0], 63)
    place = max(range(len(tokens)), key=lambda i: len(tokens[i]))
    rank = ["".join(pair) for pair in data["merges"]].index(tokens[place])
    chip = root.locator(".lb-chip").nth(place)
    chip.click()
    expect(chip).to_have_attribute("aria-pressed", "true")
    detail = root.locator(".lb-detail")
    expect(detail).to_contain_text(f"id {data['merge_ids'][rank]}, bytes ")
    expect(detail).to_contain_text(f"made by merge {rank + 1}; ")
    expect(detail).to_contain_text(f"{data['merge_counts'][rank]:,} times")
    set_slider(root, 0)
    root.locator(".lb-chip").first.press("Enter")
    expect(detail).to_contain_text("bytes 54, a single byte")


def test_the_chapter_shows_its_own_merges(sites: object, browser: object) -> None:
    site = sites("book")
    [data] = [
        output[MIME]
        for output in site.outputs(PAGE)
        if output.get(MIME, {}).get("kind") == "merges"
    ]
    with open_page(browser, f"{site.url}/{PAGE}.html") as visit:
        root = visit.page.locator(".lb-merges")
        for place, text in enumerate(data["texts"]):
            root.get_by_label("Choose a text").select_option(str(place))
            set_slider(root, 1000)
            tokens = tokens_after(data, text, 1000)
            assert chips(root) == [label(token) for token in tokens]
        assert visit.errors == []
