"""The memory explorer in the browser: by slider, click and keys."""

import torch
from playwright.sync_api import Locator, Page, expect

from llmbook_utils.experiments.recall import Recaller
from llmbook_utils.explorers.memory.memory import Memory, unpack

DISTANCES, BEFORES = (3, 6, 100), (0, 4)
torch.manual_seed(0)
PAGE = "notebooks/07_recurrent_networks"
EXPLORER = Memory(
    {"LSTM": Recaller("lstm", 12), "RNN": Recaller("rnn", 12)},
    DISTANCES,
    BEFORES,
    name="memory-x",
    caption="States.",
    alt="Bands of colour",
)


def cells(root: Locator) -> int:
    return root.locator(".lb-memory-stage .lb-plus, .lb-memory-stage .lb-minus").count()


def test_sliders_choose_the_run(page: Page) -> None:
    root, data = page.locator(".lb-memory"), EXPLORER.data
    for i, distance in enumerate(DISTANCES):
        for j, before in enumerate(BEFORES):
            root.get_by_label("Steps from name").fill(str(i))
            root.get_by_label("Words before").fill(str(j))
            ids = data["texts"][i * len(BEFORES) + j]
            assert cells(root) == len(ids) * 10
            status = root.locator(".lb-status")
            name = data["words"][ids[before]]
            expect(status).to_contain_text(
                f"Step {before + 1} of {before + 1 + distance}: “{name}”"
            )


def test_the_network_is_chosen_and_its_gates_are_shown(page: Page) -> None:
    root = page.locator(".lb-memory")
    heads = root.locator(".lb-memory-head")
    assert heads.all_text_contents() == ["tanh c", "input", "forget", "output"]
    line = root.locator(".lb-curve-line").get_attribute("d")
    root.get_by_label("Network").select_option("1")
    assert heads.all_text_contents() == ["h"]
    assert root.locator(".lb-curve-line").get_attribute("d") != line


def test_a_click_and_keys_select_a_step(page: Page) -> None:
    root, data = page.locator(".lb-memory"), EXPLORER.data
    root.get_by_label("Steps from name").fill("1")
    root.get_by_label("Words before").fill("1")
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
        page.keyboard.press(key)
        expect(status).to_contain_text(f"Step {step + 1} of {n}")
        assert root.locator(".lb-here").get_attribute("d") != mark
        wanted = unpack(run["forget"])[10 * step : 10 * step + 10]
        gaps = [abs(float(a) - b) for a, b in zip(forget_gates(), wanted, strict=True)]
        assert max(gaps) < 0.0051
