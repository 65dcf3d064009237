"""What a reader does with mouse and keyboard changes what it should."""

from collections.abc import Iterator

import pytest
import specimen
from conftest import Visit, open_page, settle
from playwright.sync_api import Locator, expect

WIDE_AND_NARROW = pytest.mark.parametrize("chapter", [1280, 390], indirect=True)


@pytest.fixture
def chapter(
    request: pytest.FixtureRequest, sites: object, browser: object
) -> Iterator[Visit]:
    """Open the specimen afresh; what a test needs of it, the test waits for."""
    site = sites("specimen")
    address = f"{site.url}/{specimen.PAGE}.html"
    width = getattr(request, "param", 1280)
    with open_page(browser, address, width=width, is_whole=False) as visit:
        visit.site, visit.name = site, specimen.PAGE
        yield visit
        assert visit.errors == []


PLACES = """[...document.querySelectorAll(".lb-word-map .lb-live circle")]
  .sort((a, b) => a.dataset.index - b.dataset.index)
  .map((dot) => dot.getAttribute("cx") + " " + dot.getAttribute("cy"))"""


def neighbours(word_map: Locator) -> list[str]:
    return word_map.locator(".lb-near .lb-word").all_text_contents()


def expected_neighbours(data: dict, word: str, count: int) -> list[str]:
    near = data["near"][data["words"].index(word)][:count]
    return [data["words"][i] for i in near]


def places(word_map: Locator) -> list[str]:
    # One frame, in which the map draws what was asked.
    word_map.page.evaluate("new Promise(requestAnimationFrame)")
    return word_map.page.evaluate(PLACES)


@WIDE_AND_NARROW
def test_search_selects_a_word(chapter: Visit) -> None:
    [data] = chapter.site.explorers(chapter.name, "word-map")
    word_map = chapter.page.locator(".lb-word-map")
    for word in data["words"]:
        word_map.get_by_label("Search a word").fill(word)
        assert neighbours(word_map) == expected_neighbours(data, word, 5)
        label = word_map.locator(".lb-live text.is-selected")
        expect(label).to_have_text(word)
    search = word_map.get_by_label("Search a word")
    search.fill("no such word")
    search.press("Enter")
    expect(word_map.locator(".lb-status")).to_contain_text("not on this map")
    search.fill("TUPLE")
    search.press("Enter")
    assert neighbours(word_map) == expected_neighbours(data, "tuple", 5)


def test_slider_sets_the_number_of_neighbours(chapter: Visit) -> None:
    [data] = chapter.site.explorers(chapter.name, "word-map")
    word_map = chapter.page.locator(".lb-word-map")
    slider = word_map.get_by_label("Neighbours")
    slider.focus()
    chapter.page.keyboard.press("End")
    most = len(data["near"][0])
    assert neighbours(word_map) == expected_neighbours(data, "list", most)
    expect(word_map.locator(".lb-live .lb-edge")).to_have_count(most)
    chapter.page.keyboard.press("Home")
    assert neighbours(word_map) == expected_neighbours(data, "list", 1)


@WIDE_AND_NARROW
def test_neighbour_and_point_are_selected_by_click(chapter: Visit) -> None:
    [data] = chapter.site.explorers(chapter.name, "word-map")
    word_map = chapter.page.locator(".lb-word-map")
    first = expected_neighbours(data, "list", 1)[0]
    word_map.locator(".lb-near button").first.click()
    expect(word_map.get_by_label("Search a word")).to_have_value(first)
    last = len(data["words"]) - 1
    dot = word_map.locator(f"circle[data-index='{last}']")
    dot.scroll_into_view_if_needed()
    box = dot.bounding_box()
    centre = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    chapter.page.mouse.click(*centre)
    assert word_map.get_by_label("Search a word").input_value() != first


def test_map_turns_zooms_and_resets_by_keyboard(chapter: Visit) -> None:
    word_map = chapter.page.locator(".lb-word-map")
    first = places(word_map)
    word_map.get_by_role("application").focus()
    for key in ("ArrowLeft", "ArrowUp", "+", "-", "ArrowRight", "ArrowDown"):
        before = places(word_map)
        chapter.page.keyboard.press(key)
        assert places(word_map) != before, key
    chapter.page.keyboard.press("0")
    assert places(word_map) == first


def test_map_turns_by_drag_and_zooms_by_button(chapter: Visit) -> None:
    word_map = chapter.page.locator(".lb-word-map")
    first = places(word_map)
    word_map.scroll_into_view_if_needed()
    box = word_map.get_by_role("application").bounding_box()
    chapter.page.mouse.move(box["x"] + 40, box["y"] + 90)
    chapter.page.mouse.down()
    chapter.page.mouse.move(box["x"] + 140, box["y"] + 120, steps=4)
    chapter.page.mouse.up()
    turned = places(word_map)
    assert turned != first
    word_map.get_by_role("button", name="Zoom in").click()
    assert places(word_map) != turned
    word_map.get_by_role("button", name="Reset the view").click()
    assert places(word_map) == first


def test_wheel_scrolls_the_page_until_the_map_has_focus(chapter: Visit) -> None:
    word_map = chapter.page.locator(".lb-word-map")
    stage = word_map.get_by_role("application")
    stage.scroll_into_view_if_needed()
    first, top = places(word_map), chapter.page.evaluate("scrollY")
    stage.hover()
    chapter.page.mouse.wheel(0, -120)
    chapter.page.wait_for_function("top => scrollY !== top", arg=top)
    assert places(word_map) == first
    stage.focus()
    stage.hover()
    chapter.page.mouse.wheel(0, -120)
    chapter.page.wait_for_function(
        f"first => {PLACES}.join() !== first.join()", arg=first
    )


@WIDE_AND_NARROW
def test_quiz_explains_a_wrong_and_a_right_choice(chapter: Visit) -> None:
    quiz = chapter.page.locator(".lb-quiz")
    question = quiz.locator(".lb-question").first
    feedback = question.locator(".lb-feedback")
    check = question.get_by_role("button", name="Check")
    check.click()
    expect(feedback).to_have_text("Choose an answer first.")
    question.get_by_label("Large values").check()
    check.click()
    expect(feedback).to_contain_text("Not yet. They stay. </script><b>bold</b>")
    expect(question.locator("details")).to_be_hidden()
    question.get_by_label("Negative values").check()
    expect(feedback).to_have_text("")
    check.click()
    expect(feedback).to_contain_text("Right. They become zero.")
    expect(question.locator("details")).to_be_visible()
    expect(quiz.locator(".lb-quiz-score")).to_contain_text("0 of 2 right")
    quiz.get_by_role("button", name="Start again").click()
    expect(question.get_by_label("Negative values")).not_to_be_checked()
    expect(quiz.locator(".lb-quiz-score")).to_contain_text("2 questions")


def test_quiz_by_keyboard_alone(chapter: Visit) -> None:
    keyboard = chapter.page.keyboard
    first = chapter.page.locator(".lb-question").first
    second = chapter.page.locator(".lb-question").nth(1)
    first.locator("input").first.focus()
    keyboard.press("ArrowDown")
    expect(first.get_by_label("Large values")).to_be_checked()
    keyboard.press("ArrowUp")
    keyboard.press("Tab")
    keyboard.press("Enter")
    expect(first.locator(".lb-feedback")).to_contain_text("Right.")
    second.locator("input").nth(1).focus()
    keyboard.press("Space")
    keyboard.press("Tab")
    keyboard.press("Space")
    keyboard.press("Enter")
    expect(second.locator(".lb-feedback")).to_contain_text("Right.")


def test_solution_unfolds_by_keyboard(chapter: Visit) -> None:
    folds = chapter.page.locator("details.solution")
    assert folds.count() == 2
    for fold in folds.all():
        body = fold.locator(".llmbook-folded-body")
        expect(body).to_be_hidden()
        fold.locator("summary").focus()
        chapter.page.keyboard.press("Enter")
        expect(body).to_be_visible()


def test_exercise_shows_stub_and_hides_tests(chapter: Visit) -> None:
    task = chapter.page.locator(".cell.tag_task")
    expect(task).to_contain_text("raise NotImplementedError()")
    expect(task).not_to_contain_text("return a + b")
    solution = chapter.page.locator("details.solution").first
    expect(solution).to_contain_text("return a + b")
    expect(solution).to_contain_text("3")
    text = chapter.page.locator("article").text_content()
    for secret in ("add(2, 2)", "BEGIN", "the right answers", "colab = True"):
        assert secret not in text


INK = """document.querySelector('.llmbook-plot').layout.font.color +
  getComputedStyle(document.body).backgroundColor"""


def test_theme_switch_recolours_plots(chapter: Visit) -> None:
    settle(chapter.page)
    before = chapter.page.evaluate(INK)
    switch = chapter.page.get_by_role("button", name="Color mode")
    theme = chapter.page.locator("html")
    for _ in range(3):  # light, dark, as the system has it
        switch.click()
        if theme.get_attribute("data-theme") == "dark":
            break
    assert theme.get_attribute("data-theme") == "dark"
    plot = "document.querySelector('.llmbook-plot').layout.font.color"
    chapter.page.wait_for_function(f"before => !before.includes({plot})", arg=before)
    assert chapter.page.evaluate(INK) != before


def test_plot_has_keyboard_buttons(chapter: Visit) -> None:
    settle(chapter.page)
    plot = chapter.page.locator(".llmbook-plot").first
    button = plot.get_by_role("button", name="Zoom in")
    button.focus()
    before = plot.evaluate("plot => plot.layout.xaxis.range.join()")
    chapter.page.keyboard.press("Enter")
    now = "document.querySelector('.llmbook-plot').layout.xaxis.range.join()"
    chapter.page.wait_for_function(f"before => {now} !== before", arg=before)


def test_references_lead_to_numbered_figures(chapter: Visit) -> None:
    link = chapter.page.get_by_role("link", name="Figure 7.1")
    assert link.get_attribute("href") == "#fig-lines"
    caption = chapter.page.locator("#fig-lines figcaption")
    expect(caption).to_contain_text("Figure 7.1")
    heading = chapter.page.locator(".bd-article h1")
    expect(heading).to_contain_text("7 Specimen")


def test_drawing_has_the_colour_of_the_text(sites: object, browser: object) -> None:
    address = f"{sites('specimen').url}/book/index.html"
    colours = set()
    for scheme in ("light", "dark"):
        with open_page(browser, address, scheme) as visit:
            drawing = visit.page.locator("#fig-hero svg[role=img]")
            colour = "node => getComputedStyle(node).fill"
            colours.add(drawing.locator("text").first.evaluate(colour))
    assert len(colours) == 2


def test_search_finds_a_page(chapter: Visit) -> None:
    home = chapter.page.url.split("/notebooks")[0]
    chapter.page.goto(f"{home}/search.html?q=specimen")
    expect(chapter.page.locator("#search-results li").first).to_be_visible()
    assert chapter.outside == []
