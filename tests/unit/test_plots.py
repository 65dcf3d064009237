"""Figures are stored small, the same each time, and never without words."""

import json

import numpy as np
import plotly.graph_objects as go
import plotly.io as pio
import pytest

from llmbook_utils import plots
from llmbook_utils.plots import style

WORDS = {"name": "fig-x", "caption": "A caption.", "alt": "A picture"}


def luminance(colour: str) -> float:
    """Relative luminance of a hex colour (WCAG 2)."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [
        p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts
    ]
    return float(np.dot(linear, [0.2126, 0.7152, 0.0722]))


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def examples() -> list[go.Figure]:
    return [
        plots.lines({"a": np.arange(3), "b": [3, 2, 1]}, x_title="x", y_title="y"),
        plots.bars({"a": [1, 2]}, labels=["p", "q"], x_title="x", y_title="y"),
        plots.heatmap(np.eye(2), x_labels="ab", y_labels="cd", title="z", digits=1),
        plots.scatter([[0, 1]], labels=["w"], groups=["g"], x_title="x", y_title="y"),
    ]


def test_house_template_is_the_default() -> None:
    assert pio.templates.default == style.TEMPLATE
    layout = pio.templates[style.TEMPLATE].layout
    assert layout.paper_bgcolor == layout.plot_bgcolor == "rgba(0,0,0,0)"


@pytest.mark.parametrize("paper", ["#ffffff", "#fdfcf9", "#14171c"])
def test_palette_is_seen_on_light_and_dark(paper: str) -> None:
    for colour in style.PALETTE:
        assert contrast(colour, paper) >= 3, colour
    assert contrast(style.INK, paper) >= 3.8


def test_stored_figures_are_json_the_same_each_time() -> None:
    first, second = (
        [json.dumps(plots.figure_data(f, **WORDS), sort_keys=True) for f in examples()]
        for _ in range(2)
    )
    assert first == second
    for text in first:
        assert '"bdata"' not in text and '"uid"' not in text
        assert len(text) < 20_000


def test_numbers_are_rounded_and_arrays_are_lists() -> None:
    figure = plots.lines({"a": np.array([1 / 3, np.nan])}, x_title="x", y_title="y")
    [trace] = plots.figure_data(figure, **WORDS)["data"]
    assert trace["y"] == [0.3333, None]
    assert trace["x"] == [0, 1]


def test_figure_can_be_read_back() -> None:
    for figure in examples():
        data = plots.figure_data(figure, **WORDS)
        data.pop("config")
        assert len(go.Figure(data).data) == len(figure.data)


@pytest.mark.parametrize("missing", WORDS)
def test_figure_without_words_is_refused(missing: str) -> None:
    with pytest.raises(ValueError, match=f"needs {missing}="):
        plots.show(examples()[0], **{**WORDS, missing: " "})


def test_show_stores_data_and_words_only(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = []
    monkeypatch.setattr("IPython.display.display", lambda data, raw: shown.append(data))
    plots.show(examples()[0], **WORDS)
    [data] = shown
    assert set(data) == {plots.MIME, "text/plain"}
    assert data[plots.MIME]["layout"]["meta"]["llmbook"] == WORDS
    assert data["text/plain"] == "A caption. [A picture]"


def test_diverging_colours_are_centred_on_zero() -> None:
    figure = plots.heatmap(
        [[-1, 3]], x_labels="ab", y_labels="c", title="z", diverging=True
    )
    assert figure.data[0].zmid == 0
    colours = [colour for _, colour in style.DIVERGING]
    lights = [luminance(colour) for colour in colours]
    assert lights[2] == max(lights)
    assert lights[0] < lights[1] and lights[4] < lights[3]


def test_sequential_colours_only_get_lighter() -> None:
    lights = [luminance(colour) for _, colour in style.SEQUENTIAL]
    assert lights == sorted(lights)


def test_each_line_may_have_its_own_places() -> None:
    figure = plots.lines(
        {"a": [1, 2], "b": [3]}, x={"b": [7], "a": [5, 6]}, x_title="x", y_title="y"
    )
    assert [list(trace.x) for trace in figure.data] == [[5, 6], [7]]


def test_logarithmic_axis_has_more_marks_where_values_lie_close() -> None:
    near = {"a": [650, 290]}
    axis = plots.lines(near, x_title="x", y_title="y", log_y=True).layout.yaxis
    assert list(axis.ticktext) == ["300", "400", "500", "600"]


def test_logarithmic_axis_is_marked_in_full() -> None:
    numbers = {"a": [0.3, 4, 60]}
    axis = plots.lines(numbers, x_title="x", y_title="y", log_y=True).layout.yaxis
    assert axis.type == "log"
    assert axis.ticktext == ("0.5", "1", "2", "5", "10", "20", "50")
    wide = {"a": [1e-6, 0.0, 10]}
    axis = plots.lines(wide, x_title="x", y_title="y", log_y=True).layout.yaxis
    assert axis.ticktext is None


def test_series_differ_by_more_than_colour() -> None:
    lines = plots.lines({"a": [1], "b": [1]}, x_title="x", y_title="y").data
    assert lines[0].line.dash != lines[1].line.dash
    points = plots.scatter(
        [[0, 0], [1, 1]], labels="pq", groups="gh", x_title="x", y_title="y"
    ).data
    assert points[0].marker.symbol != points[1].marker.symbol
