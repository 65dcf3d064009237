"""Figures in the house style, and the one way to show them.

``show`` stores a figure's data and its words, never plotly's 5 MB of JavaScript, so
that a notebook stays small and two runs store the same output. In the built book
the page draws the data with its own copy of plotly and in the reader's colours; the
template's colours are mid-tones that can be read on white and on near-black, for
notebooks, whose theme we cannot know.
"""

import math
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go
import plotly.io as pio

TEMPLATE = "llmbook"
MIME = "application/vnd.plotly.v1+json"
# Colour-blind-safe mid-tones: contrast of 3 or more on white and on near-black.
PALETTE = (
    "#2f78c4",  # blue
    "#cf5b27",  # vermilion
    "#1b9274",  # green
    "#a05fb4",  # purple
    "#a97f12",  # ochre
    "#c7568c",  # pink
    "#6b7d2e",  # olive
    "#77808c",  # grey
)
# Even steps of lightness (like viridis), and blue to vermilion through grey.
SEQUENTIAL = ((0.0, "#1d3f66"), (0.35, "#2f78c4"), (0.7, "#62b4c4"), (1.0, "#e6d690"))
DIVERGING = (
    (0.0, "#1d5fa8"),
    (0.25, "#79a9d6"),
    (0.5, "#e9e6df"),
    (0.75, "#e39a70"),
    (1.0, "#b0431a"),
)
INK, GRID = "#757575", "rgba(128,128,128,0.28)"
CONFIG = {"displaylogo": False, "responsive": True}
DIGITS = 4  # significant digits of stored numbers


def house_template() -> go.layout.Template:
    """Build the book's plotly template."""
    axis = {
        "gridcolor": GRID,
        "linecolor": INK,
        "showline": True,
        "zeroline": False,
        "ticks": "outside",
        "tickcolor": INK,
        "automargin": True,
    }
    return go.layout.Template(
        layout={
            "colorway": PALETTE,
            "font": {
                "family": "Source Sans Pro, system-ui, sans-serif",
                "size": 14,
                "color": INK,
            },
            "paper_bgcolor": "rgba(0,0,0,0)",
            "plot_bgcolor": "rgba(0,0,0,0)",
            "colorscale": {
                "sequential": SEQUENTIAL,
                "sequentialminus": SEQUENTIAL[::-1],
                "diverging": DIVERGING,
            },
            "xaxis": axis,
            "yaxis": axis,
            "margin": {"l": 56, "r": 16, "t": 24, "b": 48},
            "height": 400,
            "legend": {"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
            "hoverlabel": {"font": {"family": "Source Sans Pro, sans-serif"}},
        }
    )


pio.templates[TEMPLATE] = house_template()
pio.templates.default = TEMPLATE


def lines(
    series: Mapping[str, Sequence[float]],
    *,
    x: Sequence[float] | None = None,
    x_title: str,
    y_title: str,
    log_x: bool = False,
    log_y: bool = False,
) -> go.Figure:
    """Draw one line for each named series; dashes differ as well as colours.

    Parameters
    ----------
    series : mapping of str to sequence of float
        The y values by name.
    x : sequence of float, optional
        The x values of all series; 0, 1, 2, ... by default.
    x_title, y_title : str
        What the axes measure, with the unit.
    log_x, log_y : bool, optional
        Whether an axis is logarithmic.

    Examples
    --------
    >>> len(lines({"loss": [3, 2, 1]}, x_title="step", y_title="loss (nats)").data)
    1
    """
    dashes = ("solid", "dash", "dot", "dashdot", "longdash")
    figure = go.Figure()
    for number, (name, values) in enumerate(series.items()):
        figure.add_scatter(
            x=list(range(len(values))) if x is None else x,
            y=values,
            name=name,
            mode="lines",
            line={"dash": dashes[number % len(dashes)], "width": 2.5},
        )
    figure.update_layout(showlegend=len(series) > 1)
    figure.update_xaxes(title=x_title, type="log" if log_x else "linear")
    figure.update_yaxes(title=y_title, type="log" if log_y else "linear")
    return figure


def bars(
    series: Mapping[str, Sequence[float]],
    *,
    labels: Sequence[str],
    x_title: str,
    y_title: str,
) -> go.Figure:
    """Draw groups of bars: one group for each label, one bar for each series.

    Parameters
    ----------
    series : mapping of str to sequence of float
        The heights by name.
    labels : sequence of str
        The labels below the groups.
    x_title, y_title : str
        What the axes measure, with the unit.
    """
    figure = go.Figure()
    for number, (name, values) in enumerate(series.items()):
        figure.add_bar(
            x=labels,
            y=values,
            name=name,
            marker_pattern_shape=("", "/", ".", "x")[number % 4],
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
        Whether values have a sign: blue below 0, vermilion above.
    digits : int, optional
        Write each value into its cell with so many decimals.
    """
    figure = go.Figure()
    figure.add_heatmap(
        z=matrix,
        x=x_labels,
        y=y_labels,
        colorscale=DIVERGING if diverging else SEQUENTIAL,
        zmid=0 if diverging else None,
        colorbar={"title": {"text": title, "side": "right"}, "thickness": 14},
        texttemplate=None if digits is None else f"%{{z:.{digits}f}}",
        xgap=1,
        ygap=1,
    )
    figure.update_xaxes(type="category", showgrid=False, side="top", showline=False)
    figure.update_yaxes(
        type="category", autorange="reversed", showgrid=False, showline=False
    )
    return figure


def scatter(
    xy: Sequence[Sequence[float]],
    *,
    labels: Sequence[str],
    groups: Sequence[str] | None = None,
    x_title: str,
    y_title: str,
) -> go.Figure:
    """Draw named points; groups differ in colour and in shape.

    Parameters
    ----------
    xy : array_like, shape (n_points, 2)
        The points.
    labels : sequence of str
        The name that stands at each point.
    groups : sequence of str, optional
        The group of each point.
    x_title, y_title : str
        What the axes measure, with the unit.
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


def plain(value: Any) -> Any:
    """Turn arrays into lists, and round every float to four significant digits.

    Examples
    --------
    >>> plain({"y": (0.123456, float("nan"), 3)})
    {'y': [0.1235, None, 3]}
    """
    if hasattr(value, "tolist"):  # numpy arrays and scalars
        value = value.tolist()
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items() if key != "uid"}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, float):
        if not math.isfinite(value):
            return None  # JSON has no NaN; plotly draws a gap
        return float(f"{value:.{DIGITS}g}")
    return value


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
    # subtle: to_dict() of plotly 6 and later would encode arrays in base64.
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
