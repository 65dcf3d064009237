"""Elsewhere than on a served page: on paper, from a file, in a live notebook."""

import html
from pathlib import Path

import conftest
import specimen
from conftest import Visit, open_page
from playwright.sync_api import Browser, expect

from llmbook_utils.explorers.core.explorer import Explorer


def test_page_prints(sites: object, browser: Browser) -> None:
    """The printout has the text, the pictures and the solutions, on white."""
    site = sites("specimen")
    address = f"{site.url}/{specimen.PAGE}.html"
    with open_page(browser, address, scheme="dark") as visit:
        pdf = visit.page.pdf()
        assert pdf.startswith(b"%PDF") and len(pdf) > 50_000
        assert visit.page.locator("html").get_attribute("data-theme") == "dark"
        visit.page.emulate_media(media="print")
        visit.page.evaluate("dispatchEvent(new Event('beforeprint'))")
        assert visit.page.locator("html").get_attribute("data-theme") == "light"
        for gone in (".bd-sidebar-primary", ".lb-live", ".lb-check", ".copybtn"):
            expect(visit.page.locator(gone).first).to_be_hidden()
        for shown in (".lb-static svg", "details.solution pre", ".lb-answers li"):
            expect(visit.page.locator(shown).first).to_be_visible()
        if conftest.SHOTS:
            Path(conftest.SHOTS).mkdir(parents=True, exist_ok=True)
            Path(conftest.SHOTS, "specimen.pdf").write_bytes(pdf)
        visit.page.evaluate("dispatchEvent(new Event('afterprint'))")
        assert visit.page.locator("details[open]").count() == 0


def test_page_reads_without_javascript(sites: object, browser: Browser) -> None:
    site = sites("specimen")
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{site.url}/{specimen.PAGE}.html")
    expect(page.locator(".lb-static svg")).to_be_visible()
    expect(page.locator(".lb-question")).to_have_count(2)
    answers = page.locator(".lb-answers").first
    answers.locator("summary").click()
    expect(answers).to_contain_text("They become zero.")
    context.close()


def frame_page(*explorers: Explorer) -> str:
    """Write a page as a notebook shows it: outputs one below the other."""
    outputs = [e._repr_mimebundle_()["text/html"] for e in explorers]
    policy = "script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:"
    policy += "; default-src 'none'"
    return (
        f'<!doctype html><meta http-equiv="Content-Security-Policy" '
        f'content="{html.escape(policy)}"><body>' + "".join(outputs)
    )


def test_live_output_works_twice_without_network(
    browser: Browser, tmp_path: Path
) -> None:
    """The stored HTML shows in a live notebook, also when it stands there twice."""
    context = browser.new_context(offline=True)
    visit = Visit(context.new_page())
    visit.watch("file://")
    word_map, quiz = specimen.word_map(), specimen.quiz()
    path = tmp_path / "live.html"
    path.write_text(frame_page(word_map, quiz, word_map, quiz), encoding="utf-8")
    visit.page.goto(path.as_uri())
    for number in (0, 2):
        # A browser does not draw what is out of sight.
        visit.page.locator("iframe").nth(number).scroll_into_view_if_needed()
        frame = visit.page.frame_locator("iframe").nth(number)
        expect(frame.locator("circle[cx]")).to_have_count(2 * len(specimen.WORDS))
        frame.get_by_label("Search a word").fill("thread")
        expect(frame.locator("text.is-selected").last).to_have_text("thread")
    for number in (1, 3):
        frame = visit.page.frame_locator("iframe").nth(number)
        frame.get_by_label("Negative values").check()
        frame.get_by_role("button", name="Check").first.click()
        expect(frame.locator(".lb-feedback").first).to_contain_text("Right.")
    visit.page.locator("details summary").first.press("Enter")
    picture = visit.page.locator("details img").first
    expect(picture).to_be_visible()
    assert picture.evaluate("image => image.decode().then(() => image.naturalWidth)")
    assert (visit.outside, visit.errors) == ([], [])
    visit.page.screenshot(path=tmp_path / "live.png")
    context.close()
