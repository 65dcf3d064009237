"""The walk through the table of pairs: by click, by key, by slider, in the page."""

import numpy as np
from conftest import Visit
from playwright.sync_api import Locator, expect

from llmbook_utils.explorers.next_words.next_words import percent, probabilities

PAGE, KIND = "notebooks/00_language_model", "next-words"


def bars(walk: Locator) -> list[tuple[str, str]]:
    """The words on the bars with what is written beside them."""
    rows = walk.locator(".lb-followers li")
    names = rows.locator(".lb-word").all_text_contents()
    return list(zip(names, rows.locator(".lb-share").all_text_contents(), strict=True))


def expected(data: dict, word: int, temperature: float = 1.0) -> list[tuple[str, str]]:
    """The same, from the stored counts."""
    pairs = np.reshape(data["next"][word], (-1, 2))
    probs, n = probabilities(pairs[:, 1], temperature), data["shown"]
    names = [data["words"][i] for i in pairs[:n, 0]]
    rows = [(name, percent(p)) for name, p in zip(names, probs, strict=False)]
    if len(pairs) > n:
        rows.append((f"{len(pairs) - n} others", percent(float(probs[n:].sum()))))
    return rows


def text(walk: Locator) -> str:
    return walk.locator(".lb-written").text_content()


def test_a_click_goes_on_and_a_click_on_the_text_goes_back(visit: Visit) -> None:
    walk, data = visit.page.locator(".lb-next-words"), visit.data
    expect(walk.locator(".lb-static")).to_be_hidden()
    assert text(walk) == "It is"
    assert bars(walk) == expected(data, data["begin"][-1])
    walk.locator(".lb-followers button").nth(2).click()
    third = data["next"][data["begin"][-1]][4]
    assert text(walk) == f"It is {data['words'][third]}"
    assert bars(walk) == expected(data, third)
    walk.get_by_role("button", name="Draw one").click()
    assert len(text(walk).split()) >= 3 and walk.locator(".lb-token").count() == 4
    walk.locator(".lb-token").first.click()
    assert text(walk) == "It"
    assert bars(walk) == expected(data, data["begin"][0])
    walk.get_by_role("button", name="Start again").click()
    assert bars(walk) == expected(data, data["end"])
    expect(walk.locator(".lb-status")).to_contain_text("At the start of a story")
    expect(walk.get_by_role("button", name="Back")).to_be_disabled()


def test_the_bars_follow_the_temperature(visit: Visit) -> None:
    walk, data = visit.page.locator(".lb-next-words"), visit.data
    width = "nodes => nodes.map((node) => node.getBoundingClientRect().width)"
    drawn = walk.locator(".lb-bar > span")
    before = drawn.evaluate_all(width)
    slider = walk.get_by_label("Temperature")
    slider.focus()
    visit.page.keyboard.press("Home")
    assert bars(walk) == expected(data, data["begin"][-1], 0.2)
    cold = drawn.evaluate_all(width)
    visit.page.keyboard.press("End")
    assert bars(walk) == expected(data, data["begin"][-1], 3.0)
    hot = drawn.evaluate_all(width)
    assert cold[0] > before[0] > hot[0]


def test_the_keys_move_choose_and_go_back(visit: Visit) -> None:
    walk, data, keyboard = (
        visit.page.locator(".lb-next-words"),
        visit.data,
        visit.page.keyboard,
    )
    walk.locator(".lb-followers button").first.focus()
    keyboard.press("ArrowDown")
    expect(walk.locator(".lb-followers button").nth(1)).to_be_focused()
    keyboard.press("Enter")
    second = data["next"][data["begin"][-1]][2]
    assert text(walk) == f"It is {data['words'][second]}"
    expect(walk.locator(".lb-followers button").first).to_be_focused()
    keyboard.press("ArrowLeft")
    assert text(walk) == "It is"
    keyboard.press("End")
    keyboard.press("ArrowRight")  # one of the others, by chance
    shown = data["next"][data["begin"][-1]][: 2 * data["shown"] : 2]
    chosen = text(walk).removeprefix("It is").strip()
    assert chosen in data["words"] and data["words"].index(chosen) not in shown


def test_a_typed_word_begins_a_text(visit: Visit) -> None:
    walk, data = visit.page.locator(".lb-next-words"), visit.data
    search = walk.get_by_label("Begin with a word")
    search.fill("the")
    assert text(walk) == "the"
    assert bars(walk) == expected(data, data["words"].index("the"))
    search.fill("zorp")
    search.press("Enter")
    expect(walk.locator(".lb-status")).to_contain_text("not in the table")
