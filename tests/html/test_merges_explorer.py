"""The merges explorer in the browser: the tokens of Python, by mouse and by keys."""

from collections import Counter

from conftest import Visit
from playwright.sync_api import Locator, Page, expect

from llmbook_utils.explorers.merges.merges import Merges, label, tokens_after
from llmbook_utils.text.bpe import BytePairTokenizer, split_text

TEXTS = [
    "Tom takes the lamp to the shed.",
    "汤姆把灯拿到棚子里。灯！",
    "def f(x):\n\treturn  x**2  # 1000 times, isn't it?",
    "naïve\u3000a\u0301b\x85c\u2028\ufeff 🙂👩\u200d🔬 </script>",
    "x\ufeff!" * 6,  # JavaScript's own \s takes this mark for a space
]
PIECES = Counter(piece for text in TEXTS for piece in split_text(text * 2))
EXPLORER = Merges(
    BytePairTokenizer.train([text * 2 for text in TEXTS], 320),
    TEXTS,
    PIECES,
    name="merges-x",
    caption="Merges of four texts.",
    alt="Pieces",
)
PAGE, KIND = "notebooks/01_text_and_tokens", "merges"


def chips(root: Locator) -> list[str]:
    return root.locator(".lb-chip").all_text_contents()


def wanted(text: str, n: int) -> list[str]:
    return [label(token) for token in tokens_after(EXPLORER.data, text, n)]


def test_any_text_has_the_tokens_of_python(page: Page) -> None:
    """Oracle: `tokens_after`, which is held against the tokenizer."""
    root = page.locator(".lb-merges")
    typed = ["the <b>lamp</b> 灯灯", "x" * 40, "  a  b ", "Ǆ ² ⅷ １２ ſ'll", ""]
    for place, text in enumerate([*TEXTS, *typed]):
        if place < len(TEXTS):
            root.get_by_label("Choose a text").select_option(str(place))
        else:
            root.get_by_label("or type your own").fill(text)
        for n in (0, 7, 30, 63):
            root.get_by_role("slider").fill(str(n))
            assert chips(root) == wanted(text, n), (text, n)
    expect(root.locator(".lb-detail")).to_have_text("Type a text above.")


def test_steps_by_button_and_arrow_keys(page: Page) -> None:
    root, text = page.locator(".lb-merges"), TEXTS[0]
    n_bytes = len(text.encode())
    assert len(chips(root)) == n_bytes
    curve = root.locator(".lb-curve .lb-here")
    places = [curve.get_attribute("cx")]
    root.get_by_role("button", name="Next join").click()
    places.append(curve.get_attribute("cx"))
    assert len(chips(root)) < n_bytes
    once = chips(root)
    root.locator(".lb-chips").focus()
    page.keyboard.press("ArrowRight")
    places.append(curve.get_attribute("cx"))
    assert len(chips(root)) < len(once)
    assert len(set(places)) == 3
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    assert len(chips(root)) == n_bytes
    page.keyboard.press("End")
    assert chips(root) == wanted(text, 63)
    page.keyboard.press("Home")
    assert len(chips(root)) == n_bytes
    slider = root.get_by_role("slider")
    slider.focus()
    page.keyboard.press("ArrowRight")
    expect(root.locator(".lb-count")).to_have_text("1 of 63")
    expect(root.locator(".lb-status")).to_contain_text("Merge 1 makes")


def test_a_click_tells_id_bytes_and_count(page: Page) -> None:
    root, data = page.locator(".lb-merges"), EXPLORER.data
    root.get_by_role("slider").fill("63")
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
    root.get_by_role("slider").fill("0")
    root.locator(".lb-chip").first.press("Enter")
    expect(detail).to_contain_text("bytes 54, a single byte")


def test_the_chapter_shows_its_own_merges(visit: Visit) -> None:
    root, data = visit.page.locator(".lb-merges"), visit.data
    for place, text in enumerate(data["texts"]):
        root.get_by_label("Choose a text").select_option(str(place))
        root.get_by_role("slider").fill("1000")
        tokens = tokens_after(data, text, 1000)
        assert chips(root) == [label(token) for token in tokens]
