"""Attention views in the browser: on pages, in frames, from a disk, by keyboard."""

import contextlib
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import conftest
import nbformat
import numpy as np
import pytest
import specimen
import torch
from conftest import Visit, run_build, serve
from nbformat.v4 import new_code_cell, new_notebook, new_output
from playwright.sync_api import Browser, Frame, Page, expect
from transformers import GPT2Config, GPT2LMHeadModel

from llmbook_utils.explorers.attention import document
from llmbook_utils.explorers.attention.attention import AttentionView
from llmbook_utils.explorers.attention.views import (
    head_view,
    model_view,
    neuron_view,
)
from llmbook_utils.explorers.core.explorer import CORE_SCRIPT, STYLES, static_text

HOSTILE = "</script><img src=x onerror=alert(1)>"
TOKENS = ["The", HOSTILE, "ca", "t", "a&b", "中文"]
VIEWS = {"head": head_view, "model": model_view, "neuron": neuron_view}


class Fixed:
    """A tokenizer of a few tokens, some of which would break a careless page."""

    def encode(self, text: str) -> list[int]:
        return list(range(len(TOKENS)))

    def decode(self, ids: list[int]) -> str:
        return TOKENS[ids[0]]


def model() -> GPT2LMHeadModel:
    torch.manual_seed(0)
    sizes = {"vocab_size": 8, "n_positions": 8, "n_layer": 3, "n_head": 4}
    config = GPT2Config(**sizes, n_embd=32, bos_token_id=0, eos_token_id=0)
    config.initializer_range = 0.4
    config._attn_implementation = "eager"
    return GPT2LMHeadModel(config).eval()


def make(view: str, **more: object) -> AttentionView:
    return VIEWS[view](model(), "text", Fixed(), **more)


def weights() -> np.ndarray:
    """The weights that the views show: (n_layer, n_head, T, T)."""
    with torch.no_grad():
        layers = model()(torch.arange(6)[None], output_attentions=True).attentions
    return torch.cat(layers).numpy()


def write_page(folder: Path, *views: AttentionView) -> str:
    """Write a page as the book has it, without the book; return its name."""
    static = folder / "_static"
    static.mkdir(parents=True, exist_ok=True)
    files = {name: static_text(name) for name in (*STYLES, CORE_SCRIPT)}
    for name, text in (files | AttentionView.page_files()).items():
        (static / name).write_text(text, encoding="utf-8")
    head = "".join(f'<link rel=stylesheet href="_static/{name}">' for name in STYLES)
    for name in (CORE_SCRIPT, *(path.name for path in AttentionView.scripts)):
        head += f'<script defer src="_static/{name}"></script>'
    body = "".join(AttentionView.fragment(view.data) for view in views)
    (folder / "page.html").write_text(
        '<!doctype html><html lang="en" data-theme="light"><meta charset="utf-8">'
        f'<link rel="icon" href="data:,"><title>Page</title>{head}'
        "<style>body{background:var(--lb-paper)}</style>"
        f"<body>{body}",
        encoding="utf-8",
    )
    return "page.html"


@contextlib.contextmanager
def visiting(browser: Browser, address: str, **more: object) -> Iterator[Visit]:
    """Open an address; nothing may leave, fail, complain, or raise an alert."""
    context = browser.new_context(
        **{"viewport": {"width": 1280, "height": 900}, **more}
    )
    visit = Visit(context.new_page())
    home = re.match(r"\w+://[^/]*", address)[0]
    visit.watch(home)
    alerts = []
    visit.page.on("dialog", lambda d: (alerts.append(d.message), d.dismiss()))
    visit.page.goto(address)
    try:
        yield visit
        assert (visit.outside, visit.failed, visit.errors) == ([], [], [])
        assert alerts == []
    finally:
        context.close()


def frame_of(page: Page, number: int = 0) -> Frame:
    """Wait until a view's frame has drawn, and give it."""
    box = page.locator(".lb-attention").nth(number)
    box.scroll_into_view_if_needed()
    frame = box.locator("iframe[data-ready=yes]")
    frame.wait_for()
    return frame.element_handle().content_frame()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page with the three views, and the first of them again."""
    folder = tmp_path_factory.mktemp("page")
    write_page(folder, *(make(view) for view in (*VIEWS, "head")))
    return folder


@pytest.fixture(params=["http", "file"])
def address(request: pytest.FixtureRequest, folder: Path) -> Iterator[str]:
    if request.param == "file":
        yield (folder / "page.html").as_uri()
    else:
        with serve(folder) as url:
            yield f"{url}/page.html"


def lines(frame: Frame, selector: str) -> list[float]:
    return frame.locator(selector).evaluate_all("all => all.map((e) => e.__data__)")


def check_drawing(frame: Frame, view: str, layers: object = slice(None)) -> None:
    """What bertviz drew from is what the model attended to, to three digits."""
    wanted = weights()[layers]
    if view == "model":
        got = lines(frame, "#vis svg > g line")
    elif view == "head":
        wanted, got = wanted[0], lines(frame, "#attention line")
    else:
        wanted, got = wanted[0, 0], lines(frame, "#collapsed .attn-line-group line")
    assert np.abs(np.array(got) - wanted.ravel()).max() <= 0.00051


def words(frame: Frame, view: str) -> list[str]:
    """Read the left tokens, opening what hides them."""
    if view == "model":
        frame.get_by_role("button", name="Layer 0, head 0").click()
    where = {"head": "#left text", "model": "g.detail text.token"}
    where["neuron"] = "#collapsed #leftText text"
    found = frame.locator(where[view]).all_text_contents()
    return found[: len(TOKENS)]


def test_page_draws_all_views_over_http_and_from_a_disk(
    address: str, browser: Browser
) -> None:
    with visiting(browser, address) as visit:
        for number, view in enumerate((*VIEWS, "head")):
            frame = frame_of(visit.page, number)
            check_drawing(frame, view)
            assert words(frame, view) == TOKENS
            assert frame.locator("img, iframe").count() == 0
            assert frame.evaluate("window.origin") == "null"
        assert visit.page.locator("img").count() == 0
        # Two frames, the first view twice: each has its own heads.
        frame_of(visit.page).get_by_role("checkbox", name="Head 1").click()
        other = frame_of(visit.page, 3).get_by_role("checkbox", name="Head 1")
        expect(other).to_have_attribute("aria-checked", "true")


def fits(frame: Frame) -> bool:
    """Tell whether a frame is as high as what is in it."""
    outer = frame.frame_element().bounding_box()["height"]
    content = frame.evaluate("document.documentElement.scrollHeight")
    body = frame.evaluate("document.body.getBoundingClientRect().height")
    return content <= outer + 1 and outer - body <= 2


@pytest.mark.parametrize("width", [1280, 390])
def test_frame_is_as_high_as_its_content(
    folder: Path, browser: Browser, width: int
) -> None:
    address = (folder / "page.html").as_uri()
    size = {"width": width, "height": 900}
    with visiting(browser, address, viewport=size) as visit:
        for number, view in enumerate(VIEWS):
            frame = frame_of(visit.page, number)
            for _ in range(2):
                end = time.monotonic() + conftest.HANGING / 1000
                while not fits(frame):
                    assert time.monotonic() < end, view
                    visit.page.wait_for_timeout(50)
                if view == "neuron":
                    frame.get_by_role("button", name="queries and keys").click()
        assert visit.page.evaluate(conftest.OVERFLOW) <= 0


def test_frame_follows_the_theme_and_keeps_the_choice(
    folder: Path, browser: Browser
) -> None:
    with visiting(browser, (folder / "page.html").as_uri()) as visit:
        frame = frame_of(visit.page)
        frame.locator("#layer").select_option("2")
        frame.get_by_role("checkbox", name="Head 1").click()
        neuron = frame_of(visit.page, 2)
        neuron.locator("#att_head").select_option("3")
        neuron.get_by_role("button", name="Show queries and keys").click()
        root = "document.documentElement.dataset.theme"
        for theme in ("dark", "light"):
            visit.page.evaluate(f"{root} = '{theme}'")
            for number in range(3):
                drawn = frame_of(visit.page, number)
                drawn.wait_for_function(f"{root} === '{theme}'")
                assert_readable(drawn)
            assert frame.locator("#layer").input_value() == "2"
            off = frame.get_by_role("checkbox", name="Head 1")
            expect(off).to_have_attribute("aria-checked", "false")
            assert neuron.locator("#att_head").input_value() == "3"
            button = neuron.get_by_role("button", name="Hide queries and keys")
            expect(button).to_have_attribute("aria-expanded", "true")


CONTRAST = """nodes => {
  const light = (colour) => {
    const [r, g, b] = colour.match(/[\\d.]+/g).slice(0, 3).map((x) => x / 255)
      .map((x) => (x <= 0.03928 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b + 0.05;
  };
  const paper = light(getComputedStyle(document.body).backgroundColor);
  return nodes.map((node) => {
    const style = getComputedStyle(node);
    const ink = light(node.matches("text") ? style.fill : style.color);
    const marks = !node.matches("text") ? []
      : [...node.parentNode.querySelectorAll("rect.background, .highlight")]
      .map((mark) => light(getComputedStyle(mark).fill));
    return Math.min(...[paper, ...marks].map(
      (ground) => Math.max(ink, ground) / Math.min(ink, ground)));
  });
}"""


def assert_readable(frame: Frame) -> None:
    """Text has a contrast of 4.5 on the paper, and on the mark of what is chosen."""
    ratios = frame.locator("svg text, label, button, #told").evaluate_all(CONTRAST)
    assert len(ratios) > 8 and min(ratios) >= 4.5


STRONGEST = """(lines) => {
  const canvas = document.createElement("canvas").getContext("2d");
  const light = (colour, alpha, paper) => {
    canvas.fillStyle = colour;
    const [r, g, b] = [1, 3, 5]
      .map((i) => parseInt(canvas.fillStyle.slice(i, i + 2), 16))
      .map((x, i) => (alpha * x + (1 - alpha) * paper[i]) / 255)
      .map((x) => (x <= 0.03928 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b + 0.05;
  };
  const paper = getComputedStyle(document.body).backgroundColor.match(/\\d+/g)
    .map(Number);
  const ground = light("#000000", 0, paper);
  return lines.filter((line) => line.__data__ > 0.9 && line.getClientRects().length)
    .map((line) => {
      const style = getComputedStyle(line);
      const ink = light(style.stroke, +style.strokeOpacity, paper);
      return Math.max(ink, ground) / Math.min(ink, ground);
    });
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("view", [head_view, model_view])
def test_strong_lines_are_seen_among_twelve_heads(
    view: object, scheme: str, browser: Browser, tmp_path: Path
) -> None:
    """A mark needs a contrast of 3, whether one head is on or all of them."""
    looks = np.roll(np.eye(12), 1, axis=1) * 0.95 + 0.05 / 12
    made = view([np.stack([looks] * 12)] * 10, list("abcdefghijkl"))
    address = made.save(tmp_path / "twelve.html").as_uri()
    with visiting(browser, address, color_scheme=scheme) as visit:
        frame = visit.page.main_frame
        drawn = frame.locator("#vis line")
        ratios = drawn.evaluate_all(STRONGEST)
        assert len(ratios) == 12 * 12 * (10 if view is model_view else 1)
        assert min(ratios) >= 3
        if view is model_view:
            return
        # Heads lie side by side: no two of a token's lines are in one place.
        line = "#attention .headAttention g:first-child line:nth-child(2)"
        boxes = frame.locator(line).evaluate_all(
            "all => all.map((e) => e.getBoundingClientRect().top)"
        )
        assert len(set(boxes)) == 12 and max(boxes) - min(boxes) < 22.5
        frame.get_by_role("checkbox", name="Head 3").dblclick()
        ratios = drawn.evaluate_all(STRONGEST)
        assert len(ratios) == 12 and min(ratios) >= 3
        assert frame.evaluate("String(getSelection())") == ""


def press(page: Page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def test_head_view_by_keyboard(folder: Path, browser: Browser) -> None:
    with visiting(browser, (folder / "page.html").as_uri()) as visit:
        frame = frame_of(visit.page)
        frame.locator("#layer").focus()
        press(visit.page, "ArrowDown")
        assert frame.locator("#layer").input_value() == "1"
        told = frame.locator("#told")
        press(visit.page, "Tab")
        expect(frame.locator(":focus")).to_have_attribute("aria-label", "The")
        press(visit.page, "ArrowDown", "ArrowDown", "ArrowDown")
        mean = weights()[1].mean(0)[3]
        best = int(mean.argmax())
        expect(told).to_contain_text(f"t looks at: {TOKENS[best]} {mean[best]:.2f}")
        expect(told).to_contain_text("mean of 4 heads")
        visible = frame.locator("#attention line[visibility=visible]")
        expect(visible).to_have_count(4 * len(TOKENS))
        press(visit.page, "Tab", "Tab")
        expect(frame.locator(":focus")).to_have_attribute("aria-label", "Head 0")
        press(visit.page, "Enter", "ArrowRight", "Space", "ArrowRight", "Enter")
        shown = frame.get_by_role("checkbox", checked=True)
        expect(shown).to_have_count(1)
        expect(shown).to_have_attribute("aria-label", "Head 3")
        press(visit.page, "Shift+Tab", "Shift+Tab")
        one = weights()[1, 3, 3]
        best = int(one.argmax())
        expect(told).to_have_text(
            re.compile(rf"t looks at: {re.escape(TOKENS[best])} {one[best]:.2f}")
        )
        expect(told).not_to_contain_text("mean")


def test_model_view_by_keyboard(folder: Path, browser: Browser) -> None:
    with visiting(browser, (folder / "page.html").as_uri()) as visit:
        frame = frame_of(visit.page, 1)
        frame.get_by_role("button", name="Layer 0, head 0").focus()
        press(visit.page, "ArrowDown", "ArrowDown", "ArrowRight", "Enter")
        heading = frame.locator("text.detail")
        expect(heading).to_have_text("Layer 2, Head 1")
        tile = frame.get_by_role("button", name="Layer 2, head 1")
        expect(tile).to_have_attribute("aria-pressed", "true")
        frame.get_by_role("button", name="The", exact=True).focus()
        press(visit.page, "End")
        row = weights()[2, 1, -1]
        best = int(row.argmax())
        told = f"中文 looks at: {TOKENS[best]} {row[best]:.2f}"
        expect(frame.locator("#told")).to_contain_text(told)
        tile.focus()
        press(visit.page, "Enter")
        expect(heading).to_have_count(0)
        # What is enlarged encloses its longest token.
        press(visit.page, "Enter")
        frame.locator("rect.detail").wait_for()
        box = frame.locator("rect.detail").bounding_box()
        for text in frame.locator("g.detail text").all():
            inner = text.bounding_box()
            assert box["x"] <= inner["x"]
            assert inner["x"] + inner["width"] <= box["x"] + box["width"]


def test_neuron_view_by_keyboard(folder: Path, browser: Browser) -> None:
    with visiting(browser, (folder / "page.html").as_uri()) as visit:
        frame = frame_of(visit.page, 2)
        frame.locator("#layer").select_option("1")
        frame.locator("#att_head").select_option("2")
        expect(frame.locator("#expanded")).to_be_hidden()
        button = frame.get_by_role("button", name="Show queries and keys")
        button.focus()
        press(visit.page, "Enter", "Tab", "ArrowDown", "ArrowDown")
        expect(frame.locator("#collapsed")).to_be_hidden()
        row = weights()[1, 2, 2]
        best = int(row.argmax())
        told = f"ca looks at: {TOKENS[best]} {row[best]:.2f}"
        expect(frame.locator("#told")).to_contain_text(told)
        # bertviz computes q k / sqrt(d) from what is stored; its softmax is the row.
        scores = lines(frame, "#expanded .dotproduct")[:3]
        made = np.exp(scores) / np.exp(scores).sum()
        assert np.abs(made - row[:3]).max() < 0.02
        press(visit.page, "Enter")
        expect(frame.locator("#expanded")).to_be_hidden()


def test_touch_and_mouse(folder: Path, browser: Browser) -> None:
    with visiting(browser, (folder / "page.html").as_uri(), has_touch=True) as visit:
        frame = frame_of(visit.page)
        token = frame.locator("#left").get_by_role("button", name="ca", exact=True)
        token.tap()
        expect(frame.locator("#told")).to_contain_text("ca looks at")
        frame.locator("#right").get_by_role("button", name="The").hover()
        expect(frame.locator("#told")).to_contain_text("The is looked at by")
        frame.get_by_role("checkbox", name="Head 2").dblclick()
        expect(frame.get_by_role("checkbox", checked=True)).to_have_count(1)


def test_heads_stay_on_where_nothing_is_to_be_seen(
    browser: Browser, tmp_path: Path
) -> None:
    """A causal model's first sentence never looks at the second."""
    looks = np.tril(np.ones((2, 4, 4))) / np.arange(1, 5)[:, None]
    view = head_view([looks], list("abcd"), sentence_b_start=2)
    with visiting(browser, view.save(tmp_path / "pair.html").as_uri()) as visit:
        frame = visit.page.main_frame
        frame.locator("#part").select_option(label="Sentence A to B")
        expect(frame.get_by_role("checkbox", checked=True)).to_have_count(2)
        frame.locator("#left").get_by_role("button", name="b").hover()
        expect(frame.locator("#told")).to_have_text(
            "b looks at: nothing (mean of 2 heads)"
        )
        visit.page.emulate_media(color_scheme="dark")
        frame.wait_for_function("document.documentElement.dataset.theme === 'dark'")
        expect(frame.get_by_role("checkbox", checked=True)).to_have_count(2)


def test_neuron_view_of_a_causal_pair_shows_the_whole(
    browser: Browser, tmp_path: Path
) -> None:
    """bertviz would hide of the second sentence's first row all keys but one."""
    view = make("neuron")
    view.data["second"] = 2
    with visiting(browser, view.save(tmp_path / "pair.html").as_uri()) as visit:
        check_drawing(visit.page.main_frame, "neuron")
        expect(visit.page.locator("#part")).to_have_count(0)


def test_sentence_pair_and_parts(browser: Browser, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    whole = [rng.dirichlet(np.ones(5), (2, 5)) for _ in range(2)]
    cross = [rng.dirichlet(np.ones(5), (2, 3)) for _ in range(2)]
    pair = {"sentence_b_start": 2}
    tokens = (list("abcde"), list("xyz"))
    parts = {"encoder": whole, "cross": cross}
    write_page(
        tmp_path,
        head_view(whole, list("abcde"), **pair),
        model_view(parts, tokens),
        head_view(parts, tokens, layers=[1]),
    )
    with visiting(browser, (tmp_path / "page.html").as_uri()) as visit:
        frame = frame_of(visit.page)
        frame.locator("#part").select_option(label="Sentence A to B")
        got = lines(frame, "#attention line")
        wanted = whole[0][:, :2, 2:].ravel()
        assert np.abs(np.array(got) - wanted).max() <= 0.00051
        frame = frame_of(visit.page, 1)
        frame.locator("#part").select_option(label="Cross")
        got = lines(frame, "#vis svg > g line")
        assert np.abs(np.array(got) - np.ravel(cross)).max() <= 0.00051
        frame = frame_of(visit.page, 2)
        assert frame.locator("#layer option").all_text_contents() == ["1"]
        frame.locator("#part").select_option(label="Cross")
        assert frame.locator("#left text").all_text_contents() == list("xyz")
        assert frame.locator("#right text").all_text_contents() == list("abcde")


@pytest.mark.parametrize("view", VIEWS)
def test_chosen_layers_and_heads_keep_their_order_and_names(
    view: str, browser: Browser, tmp_path: Path
) -> None:
    made = make(view, layers=[2, 0], heads=[3, 1])
    with visiting(browser, made.save(tmp_path / "some.html").as_uri()) as visit:
        frame = visit.page.main_frame
        check_drawing(frame, view, np.ix_([2, 0], [3, 1]))
        if view == "model":
            frame.get_by_role("button", name="Layer 0, head 3").click()
            expect(frame.locator("text.detail")).to_have_text("Layer 0, Head 3")
            drawn = lines(frame, "g.detail line")
            assert np.abs(drawn - weights()[0, 3].ravel()).max() <= 0.00051
            return
        frame.locator("#layer").select_option(label="0")
        check_drawing(frame, view, np.ix_([0, 2], [3, 1]))


@pytest.mark.parametrize("view", VIEWS)
def test_saved_file_and_live_output_need_nothing_else(
    view: str, browser: Browser, tmp_path: Path
) -> None:
    made = make(view)
    saved = made.save(tmp_path / "saved.html")
    with visiting(browser, saved.as_uri(), offline=True, color_scheme="dark") as visit:
        frame = visit.page.main_frame
        check_drawing(frame, view)
        assert words(frame, view) == TOKENS
        assert frame.locator("html").get_attribute("data-theme") == "dark"
        assert_readable(frame)
    policy = "script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:; "
    live = document.live_html(made.data)
    page = tmp_path / "live.html"
    page.write_text(
        '<!doctype html><meta charset="utf-8">'
        '<meta http-equiv="Content-Security-Policy"'
        f' content="{policy}default-src \'none\'"><body data-jp-theme-light="false">'
        + live
        * 2,
        encoding="utf-8",
    )
    with visiting(browser, page.as_uri(), offline=True) as visit:
        for number in range(2):
            iframe = visit.page.locator("iframe[data-ready=yes]").nth(number)
            iframe.scroll_into_view_if_needed()
            frame = iframe.element_handle().content_frame()
            frame.wait_for_function("document.documentElement.dataset.theme === 'dark'")
            check_drawing(frame, view)
            assert words(frame, view) == TOKENS


def ready(page: Page | Frame, number: int) -> Frame:
    """Wait until a live output's frame has drawn, and give it."""
    iframe = page.locator("iframe[data-ready=yes]").nth(number)
    iframe.scroll_into_view_if_needed()
    return iframe.element_handle().content_frame()


def test_outputs_in_a_page_like_colab_s(browser: Browser, tmp_path: Path) -> None:
    """Each output stands in a frame of another origin, which is as high as it is.

    That frame says ``theme="dark"`` at its root, has no require.js, and may not touch
    the notebook. This is an imitation: Colab itself needs an account.
    """
    outputs = tmp_path / "outputs"
    outputs.mkdir()
    grow = (
        "new ResizeObserver(() => parent.postMessage(document.body.scrollHeight, '*'))"
        ".observe(document.body)"
    )
    for view in VIEWS:
        (outputs / f"{view}.html").write_text(
            '<!doctype html><html theme="dark"><meta charset="utf-8"><title>o</title>'
            f'<body style="margin:0">{document.live_html(make(view).data)}'
            f"<script>{grow}</script>",
            encoding="utf-8",
        )
    with serve(outputs) as other, serve(tmp_path) as home:
        frames = "".join(
            f'<iframe src="{other}/{view}.html" style="width:100%;height:9px"></iframe>'
            for view in VIEWS
        )
        (tmp_path / "colab.html").write_text(
            f'<!doctype html><link rel="icon" href="data:,"><title>Notebook</title>'
            f"{frames}<script>addEventListener('message', (e) => {{"
            "for (const f of document.querySelectorAll('iframe'))"
            " if (f.contentWindow === e.source) f.style.height = `${e.data}px`;"
            "})</script>",
            encoding="utf-8",
        )
        context = browser.new_context(viewport={"width": 1100, "height": 900})
        page = context.new_page()
        errors: list[str] = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(f"{home}/colab.html")
        for number, view in enumerate(VIEWS):
            outer = page.locator("iframe").nth(number)
            outer.scroll_into_view_if_needed()
            output = outer.element_handle().content_frame()
            frame = ready(output, 0)
            frame.wait_for_function("document.documentElement.dataset.theme === 'dark'")
            check_drawing(frame, view)
            output.wait_for_function(
                "innerHeight > 100 && "
                "Math.abs(innerHeight - document.body.scrollHeight) <= 1"
            )
        assert errors == []
        context.close()


# Microsoft's policy for notebooks, where its setting is on (`cspSource` is its own).
CODE_POLICY = (
    "default-src 'none'; script-src https: 'unsafe-inline' 'unsafe-eval'; "
    "style-src https: 'unsafe-inline'; img-src https: http: data:; font-src https:; "
    "connect-src https:; child-src https: data:;"
)
# It gives each output's HTML to an element, and then makes its scripts anew.
CODE_RENDERER = """html => {
  const output = document.createElement("div");
  output.innerHTML = html;
  for (const old of output.querySelectorAll("script")) {
    const script = document.createElement("script");
    script.textContent = old.textContent;
    old.replaceWith(script);
  }
  document.body.append(output);
}"""


def test_outputs_in_a_page_like_vs_code_s(browser: Browser, tmp_path: Path) -> None:
    """All outputs share one document with a policy; the theme is a class of its body.

    This is an imitation of the webview, after its source.
    """
    page = tmp_path / "code.html"
    page.write_text(
        '<!doctype html><meta charset="utf-8"><title>Notebook</title><meta http-equiv='
        f'"Content-Security-Policy" content="{CODE_POLICY}"><body class="vscode-dark">',
        encoding="utf-8",
    )
    root = "document.documentElement.dataset.theme"
    with visiting(browser, page.as_uri(), offline=True) as visit:
        for number, view in enumerate((*VIEWS, "head")):
            live = document.live_html(make(view).data)
            visit.page.evaluate(CODE_RENDERER, live)
            frame = ready(visit.page, number)
            frame.wait_for_function(f"{root} === 'dark'")
            check_drawing(frame, view)
            assert words(frame, view) == TOKENS
        for kind, theme in (
            ("light", "light"),
            ("high-contrast", "dark"),
            ("high-contrast-light vscode-high-contrast", "light"),
        ):
            visit.page.evaluate(f"document.body.className = 'vscode-{kind}'")
            for number in range(4):
                ready(visit.page, number).wait_for_function(f"{root} === '{theme}'")


def test_host_may_come_after_the_frames(browser: Browser, tmp_path: Path) -> None:
    """Beside ipywidgets the script comes late: frames ask for their height again."""
    data = make("head").data
    page = tmp_path / "late.html"
    page.write_text(
        '<!doctype html><meta charset="utf-8"><title>Late</title>'
        f"<body>{document.frame({**data, 'height': 900})}",
        encoding="utf-8",
    )
    with visiting(browser, page.as_uri()) as visit:
        iframe = visit.page.locator("iframe")
        frame = iframe.element_handle().content_frame()
        frame.locator("#told").wait_for()
        visit.page.evaluate(document.own_text(document.HOST_SCRIPT.name))
        iframe.and_(visit.page.locator("[data-ready=yes]")).wait_for()
        assert iframe.bounding_box()["height"] < 400


def test_views_are_accessible(folder: Path, browser: Browser, axe: str) -> None:
    with visiting(browser, (folder / "page.html").as_uri()) as visit:
        for number, view in enumerate(VIEWS):
            frame = frame_of(visit.page, number)
            words(frame, view)
            frame.evaluate(axe)
            # A frame is a part of a page, which has the heading.
            options = "{rules: {'page-has-heading-one': {enabled: false}}}"
            found = frame.evaluate(f"axe.run({options}).then((r) => r.violations)")
            assert [(v["id"], v["nodes"][0]["html"]) for v in found] == []


def test_picture_stands_without_javascript_and_on_paper(
    folder: Path, browser: Browser
) -> None:
    address = (folder / "page.html").as_uri()
    with visiting(browser, address, java_script_enabled=False) as visit:
        expect(visit.page.locator(".lb-static svg").first).to_be_visible()
    with visiting(browser, address) as visit:
        frame_of(visit.page)
        picture = visit.page.locator(".lb-static").first
        expect(picture).to_be_hidden()
        visit.page.emulate_media(media="print")
        expect(picture).to_be_visible()
        expect(visit.page.locator("iframe").first).to_be_hidden()


def test_large_view_draws_in_time(browser: Browser, tmp_path: Path) -> None:
    """Twelve layers of twelve heads on 32 tokens, the largest that is stored."""
    rng = np.random.default_rng(0)
    attentions = list(rng.dirichlet(np.full(32, 0.3), (12, 12, 32)))
    view = model_view(attentions, [f"t{i}" for i in range(32)])
    with visiting(browser, view.save(tmp_path / "large.html").as_uri()) as visit:
        assert visit.page.locator("#vis line").count() == 12 * 12 * 32 * 32


# -- in a book, and in JupyterLab --------------------------------------------------


def test_book_builds_with_the_views(browser: Browser, tmp_path: Path) -> None:
    book = specimen.write_book(
        tmp_path / "source",
        "format: jb-book\nroot: book/index\nchapters:\n  - file: notebooks/03_views\n",
    )
    (book / "book" / "index.md").write_text("# One\n\n{numref}`fig-heads` shows.\n")
    cells = []
    for name, view in (("fig-heads", "head"), ("fig-model", "model")):
        data = make(view, name=name, caption=f"The *{view}* view.")._repr_mimebundle_()
        outputs = [new_output("display_data", data=data)]
        cells.append(new_code_cell(name, outputs=outputs))
    notebook = new_notebook(cells=[nbformat.v4.new_markdown_cell("# Views"), *cells])
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3"}
    notebook.metadata["language_info"] = {"name": "python"}
    nbformat.write(notebook, book / "notebooks" / "03_views.ipynb")
    for name in ("status.md", "07_specimen.ipynb"):
        for path in book.rglob(name):
            path.unlink()
    (book / "book" / "index.md").open("a").write("\n```{bibliography}\n```\n")
    result = run_build(book, tmp_path / "out")
    assert result.returncode == 0, result.stdout[-3000:] + result.stderr[-3000:]
    pages = tmp_path / "out" / "_build" / "html"
    with (
        serve(pages) as url,
        visiting(browser, f"{url}/notebooks/03_views.html") as visit,
    ):
        check_drawing(frame_of(visit.page), "head")
        check_drawing(frame_of(visit.page, 1), "model")
        caption = visit.page.locator("#fig-heads figcaption")
        expect(caption).to_contain_text("Figure 3.1")
    index = (pages / "book" / "index.html").read_text()
    assert "attention_page.js" not in index


LAB_CELLS = (
    "from llmbook_utils.explorers.attention.views import (\n"
    "    attention_explorer, head_view, model_view, neuron_view)\n"
    "from llmbook_utils.text.bpe import BytePairTokenizer\n"
    "from llmbook_utils.models.attention.gpt import GPT, GPTConfig\n"
    "tokenizer = BytePairTokenizer.train(['low lower'], vocab_size=262)\n"
    "model = GPT(GPTConfig(262, 16, n_layer=2, n_head=2, n_embd=8))\n"
    "attention_explorer(model, tokenizer, 'low')",
    "view = head_view(model, 'low lower low', tokenizer)\nview",
    "view",
    "model_view(model, 'low lower low', tokenizer)",
    "neuron_view(model, 'low lower low', tokenizer)",
)


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[str]:
    """Start JupyterLab on a notebook that has not been run; give its address."""
    notebook = new_notebook(cells=[new_code_cell(text) for text in LAB_CELLS])
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3"}
    nbformat.write(notebook, tmp_path / "views.ipynb")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    folders = {
        f"JUPYTER_{name}_DIR": str(tmp_path / name) for name in ("CONFIG", "RUNTIME")
    }
    folders["JUPYTERLAB_SETTINGS_DIR"] = str(tmp_path / "settings")
    options = [f"--ServerApp.port={port}", "--ServerApp.ip=127.0.0.1", "--no-browser"]
    options += ["--IdentityProvider.token=", f"--ServerApp.root_dir={tmp_path}"]
    options += ["--ServerApp.allow_root=True"]
    server = subprocess.Popen(
        [sys.executable, "-m", "jupyterlab", *options],
        env={**os.environ, **folders},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()  # it ends its kernels first, if it can
        try:
            server.wait(30)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def reach(address: str) -> None:
    """Wait until a server answers."""
    host, port = address.removeprefix("http://").split(":")
    end = time.monotonic() + conftest.HANGING / 1000
    while True:
        with contextlib.suppress(OSError), socket.create_connection((host, int(port))):
            return
        assert time.monotonic() < end, "JupyterLab did not start"
        time.sleep(0.2)


def test_views_and_explorer_answer_in_jupyterlab(lab: str, browser: Browser) -> None:
    reach(lab)
    context = browser.new_context(viewport={"width": 1280, "height": 1800})
    page = context.new_page()
    page.set_default_timeout(conftest.HANGING)
    visit = Visit(page)
    visit.watch(lab)
    page.goto(f"{lab}/lab/tree/views.ipynb")
    page.get_by_text("Python 3 (ipykernel) | Idle").wait_for()
    page.locator(".jp-Cell").first.click()
    page.keyboard.press("Control+Enter")
    # The explorer alone: its frame gets its height without a view's help.
    explorer = page.locator(".jupyter-widgets iframe")
    inside = page.frame_locator(".jupyter-widgets iframe")
    field = page.get_by_label("Text")
    for text, tokens in (("low", ["low"]), ("low lower", ["low", " lower"])):
        field.fill(text)
        field.press("Enter")
        expect(inside.locator("#left text")).to_have_text(tokens)
        explorer.and_(page.locator("[data-ready=yes]")).wait_for()
    page.get_by_role("button", name="model").click()
    expect(inside.locator(".attn_background")).to_have_count(4)
    page.get_by_label("Layers").select_option("1")
    expect(inside.locator(".attn_background")).to_have_count(2)
    page.locator(".lm-MenuBar-itemLabel:text-is('Run')").click()
    page.locator(".lm-Menu-itemLabel:text-is('Run All Cells')").click()
    views = page.locator(".jp-RenderedHTMLCommon iframe[data-ready=yes]")
    for number in range(2):  # the same view twice
        views.nth(number).wait_for()
        frame = views.nth(number).element_handle().content_frame()
        assert frame.locator("#attention line").count() == 2 * 3 * 3
        frame.locator("#left").get_by_role("button", name="lower").hover()
        expect(frame.locator("#told")).to_contain_text("lower looks at")
    for number, drawn in ((2, ".attn_background"), (3, "#collapsed .attn-line-group")):
        views.nth(number).wait_for()
        frame = views.nth(number).element_handle().content_frame()
        expect(frame.locator(drawn)).to_have_count(4 if number == 2 else 3)
    if conftest.SHOTS:
        page.screenshot(path=Path(conftest.SHOTS, "lab.png"))
    assert visit.outside == []
    context.close()
