"""Figures in the house style, and the one way to show them.

``show`` stores a figure's data and its words, never plotly's 5 MB of JavaScript, so
that a notebook stays small and two runs store the same output. In the built book
the page draws the data with its own copy of plotly and in the reader's colours.
"""

import math
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go
import plotly.io as pio

from llmbook_utils.plots.rounding import plain
from llmbook_utils.plots.style import (
    DIVERGING,
    SEQUENTIAL,
    TEMPLATE,
    house_template,
)

MIME = "application/vnd.plotly.v1+json"
CONFIG = {
    "displaylogo": False,
    "responsive": True,
    "showSendToCloud": False,  # plotly 7 offers to upload the chart
    "modeBarButtonsToRemove": ["select2d", "lasso2d", "autoScale2d"],
}
DASHES = ("solid", "dash", "dot", "dashdot", "longdash")


pio.templates[TEMPLATE] = house_template()
pio.templates.default = TEMPLATE


def lines(
    series: Mapping[str, Sequence[float]],
    *,
    x: Sequence[float] | Mapping[str, Sequence[float]] | None = None,
    x_title: str,
    y_title: str,
    log_x: bool = False,
    log_y: bool = False,
) -> go.Figure:
    """Draw one line for each named series; colours and dashes differ.

    Parameters
    ----------
    series : mapping of str to sequence of float
        Names and y values.
    x : sequence of float, or mapping of str to sequence of float, optional
        For all lines, or for each by its name. By default 0, 1, 2, ...
    x_title, y_title, log_x, log_y : str, str, bool, bool
        The axes' names with units, and whether they are logarithmic.

    Examples
    --------
    >>> figure = lines({"loss": [3, 2, 1]}, x_title="step", y_title="loss (nats)")
    """
    figure = go.Figure()
    for number, (name, values) in enumerate(series.items()):
        places = x[name] if isinstance(x, Mapping) else x
        figure.add_scatter(
            x=list(range(len(values))) if places is None else places,
            y=values,
            name=name,
            mode="lines",
            line={"dash": DASHES[number % len(DASHES)], "width": 2.5},
        )
    x_scale = _log_axis([trace.x for trace in figure.data]) if log_x else {}
    y_scale = _log_axis([trace.y for trace in figure.data]) if log_y else {}
    figure.update_layout(showlegend=len(series) > 1)
    figure.update_xaxes(title=x_title, **x_scale)
    return figure.update_yaxes(title=y_title, **y_scale)


def _log_axis(series: Sequence[Sequence[float]]) -> dict[str, Any]:
    """Mark 1, 2, 5, 10, 20, ... in full; plotly's own marks lack their zeros."""
    values = [float(value) for numbers in series for value in numbers if value > 0]
    axis: dict[str, Any] = {"type": "log"}
    if not values or max(values) > 1000 * min(values):
        return axis  # over many decades plotly marks the powers of ten alone
    decades = range(math.floor(math.log10(min(values))), 20)
    # more marks where the values lie close together
    for digits in ((1, 2, 5), (1, 2, 3, 5, 7), range(1, 10)):
        marks = [digit * 10.0**decade for decade in decades for digit in digits]
        inside = [mark for mark in marks if min(values) <= mark <= max(values)]
        if len(inside) > 2:
            break
    return axis | {"tickvals": inside, "ticktext": [f"{mark:g}" for mark in inside]}


def bars(
    series: Mapping[str, Sequence[float]],
    *,
    labels: Sequence[str],
    x_title: str,
    y_title: str,
) -> go.Figure:
    """Draw a group of bars for each label, with one bar for each named series.

    The other parameters are those of ``lines``; a hatching differs with the colour.
    """
    figure = go.Figure()
    for number, (name, values) in enumerate(series.items()):
        figure.add_bar(
            x=list(labels),
            y=values,
            name=name,
            marker_pattern={
                "shape": ("", "/", ".", "\\")[number % 4],
                "fillmode": "overlay",
                "fgcolor": "rgba(255,255,255,0.55)",
                "size": 7,
            },
        )
    figure.update_layout(showlegend=len(series) > 1, barmode="group")
    figure.update_xaxes(title=x_title, type="category")
    figure.update_yaxes(title=y_title)
    return figure


def heatmap(
    matrix: Sequence[Sequence[float]],
    *,
    x_labels: Sequence[str],
    y_labels: Sequence[str],
    title: str,
    diverging: bool = False,
    digits: int | None = None,
) -> go.Figure:
    """Draw a matrix in colours, first row on top.

    Parameters
    ----------
    matrix : array_like, shape (n_rows, n_columns)
        The values.
    x_labels, y_labels : sequence of str
        Names of columns and rows.
    title : str
        What the colour measures, with the unit.
    diverging : bool, optional
        Blue below 0, vermilion above.
    digits : int, optional
        Decimals with which each value is written into its cell.
    """
    figure = go.Figure().add_heatmap(
        z=matrix,
        x=list(x_labels),
        y=list(y_labels),
        colorscale=DIVERGING if diverging else SEQUENTIAL,
        zmid=0 if diverging else None,
        colorbar={"title": {"text": title, "side": "right"}, "thickness": 14},
        texttemplate=None if digits is None else f"%{{z:.{digits}f}}",
        xgap=1,
        ygap=1,
    )
    figure.update_xaxes(type="category", showgrid=False, side="top", showline=False)
    return figure.update_yaxes(
        type="category", autorange="reversed", showgrid=False, showline=False
    )


def scatter(
    xy: Sequence[Sequence[float]],
    *,
    labels: Sequence[str],
    groups: Sequence[str] | None = None,
    x_title: str,
    y_title: str,
) -> go.Figure:
    """Draw points (n_points, 2) with their labels; groups differ in colour and shape.

    The other parameters are those of ``lines``.
    """
    symbols = ("circle", "diamond", "square", "triangle-up", "x", "cross", "star")
    group_of = list(groups) if groups is not None else [""] * len(labels)
    figure = go.Figure()
    for number, group in enumerate(dict.fromkeys(group_of)):
        members = [i for i, name in enumerate(group_of) if name == group]
        figure.add_scatter(
            x=[float(xy[i][0]) for i in members],
            y=[float(xy[i][1]) for i in members],
            text=[labels[i] for i in members],
            name=group,
            mode="markers+text",
            textposition="top center",
            marker={"size": 9, "symbol": symbols[number % len(symbols)]},
        )
    figure.update_layout(showlegend=groups is not None)
    figure.update_xaxes(title=x_title)
    figure.update_yaxes(title=y_title)
    return figure


def figure_data(figure: go.Figure, name: str, caption: str, alt: str) -> dict[str, Any]:
    """Collect what is stored of a figure: data, layout and words.

    Raises
    ------
    ValueError
        If the name, the caption or the alt text is empty.
    """
    for word, value in (("name", name), ("caption", caption), ("alt", alt)):
        if not value or not value.strip():
            raise ValueError(
                f"show needs {word}=..., got {value!r}; a figure without it cannot be "
                "referred to, or says nothing to a reader who cannot see it"
            )
    data = plain(figure.to_plotly_json())
    words = {"name": name, "caption": caption, "alt": alt}
    data["layout"]["meta"] = {"llmbook": words}
    data["config"] = dict(CONFIG)
    data.pop("frames", None)
    return data


def show(figure: go.Figure, name: str, caption: str, alt: str) -> None:
    """Show a figure in a notebook, stored so that the book can show it, too.

    Parameters
    ----------
    figure : plotly.graph_objects.Figure
        The figure.
    name : str
        Unique in the book, as ``fig-zipf``; ``{numref}`` refers to it.
    caption : str
        One or two sentences of Markdown; may hold formulas.
    alt : str
        What the figure shows, in a sentence, for a reader who cannot see it.
    """
    from IPython.display import display

    data = figure_data(figure, name, caption, alt)
    if "google.colab" in sys.modules:
        # Colab knows no plotly data; its own renderer loads plotly from the network.
        figure.show(config=CONFIG)
        return
    display({MIME: data, "text/plain": f"{caption} [{alt}]"}, raw=True)
