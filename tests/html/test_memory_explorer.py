"""The memory explorer in the browser: by slider, click and keys."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from conftest import Visit, open_page, serve
from playwright.sync_api import Locator, expect

from llmbook_utils.experiments.recall import Recaller
from llmbook_utils.widgets import Memory
from llmbook_utils.widgets.explorer import document
from llmbook_utils.widgets.memory import unpack

DISTANCES, BEFORES = (3, 6, 100), (0, 4)


@pytest.fixture(scope="module")
def explorer() -> Memory:
    torch.manual_seed(0)
    models = {"LSTM": Recaller("lstm", 12), "RNN": Recaller("rnn", 12)}
    words = {"name": "memory-x", "caption": "States.", "alt": "Bands of colour"}
    return Memory(models, DISTANCES, BEFORES, **words)


@pytest.fixture(params=[1280, 390])
def visit(
    request: pytest.FixtureRequest, explorer: Memory, browser: object, tmp_path: Path
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


def set_slider(root: Locator, label: str, value: int) -> None:
    root.get_by_label(label).evaluate(
        "(slider, value) => { slider.value = value;"
        " slider.dispatchEvent(new Event('input')); }",
        value,
    )


def cells(root: Locator) -> int:
    return root.locator(".lb-memory-stage .lb-plus, .lb-memory-stage .lb-minus").count()


def test_sliders_choose_the_run(visit: Visit, explorer: Memory) -> None:
    root, data = visit.page.locator(".lb-memory"), explorer.data
    for i, distance in enumerate(DISTANCES):
        for j, before in enumerate(BEFORES):
            set_slider(root, "Steps from name", i)
            set_slider(root, "Words before", j)
            ids = data["texts"][i * len(BEFORES) + j]
            assert cells(root) == len(ids) * 10
            status = root.locator(".lb-status")
            name = data["words"][ids[before]]
            expect(status).to_contain_text(
                f"Step {before + 1} of {before + 1 + distance}: “{name}”"
            )


def test_the_network_is_chosen_and_its_gates_are_shown(
    visit: Visit, explorer: Memory
) -> None:
    root = visit.page.locator(".lb-memory")
    heads = root.locator(".lb-memory-head")
    assert heads.all_text_contents() == ["tanh c", "input", "forget", "output"]
    line = root.locator(".lb-curve-line").get_attribute("d")
    root.get_by_label("Network").select_option("1")
    assert heads.all_text_contents() == ["h"]
    assert root.locator(".lb-curve-line").get_attribute("d") != line


def test_a_click_and_keys_select_a_step(visit: Visit, explorer: Memory) -> None:
    root, data = visit.page.locator(".lb-memory"), explorer.data
    set_slider(root, "Steps from name", 1)
    set_slider(root, "Words before", 1)
    place = 1 * len(BEFORES) + 1
    n, run = len(data["texts"][place]), data["networks"][0]["runs"][place]
    status, bars = root.locator(".lb-status"), root.locator(".lb-memory-bar")
    svg = root.locator(".lb-memory-stage svg")
    box = svg.bounding_box()
    svg.click(position={"x": box["width"] * 0.5, "y": 60})
    expect(status).to_contain_text(f"Step {n // 2 + 1} of {n}")

    def forget_gates() -> list[str]:
        shown = bars.locator(".lb-memory-value").all_text_contents()
        return shown[2::4]

    for key, step in [
        ("Home", 0),
        ("ArrowRight", 1),
        ("End", n - 1),
        ("ArrowLeft", n - 2),
    ]:
        root.locator(".lb-memory-stage").focus()
        mark = root.locator(".lb-here").get_attribute("d")
        visit.page.keyboard.press(key)
        expect(status).to_contain_text(f"Step {step + 1} of {n}")
        assert root.locator(".lb-here").get_attribute("d") != mark
        wanted = unpack(run["forget"])[10 * step : 10 * step + 10]
        gaps = [abs(float(a) - b) for a, b in zip(forget_gates(), wanted, strict=True)]
        assert max(gaps) < 0.0051
