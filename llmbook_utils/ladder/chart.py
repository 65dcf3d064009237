"""The ladder as a table, as a chart, and in words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from llmbook_utils.evaluation.intervals import Interval
from llmbook_utils.ladder.rungs import Ladder, Rung, load_ladder

if TYPE_CHECKING:
    import plotly.graph_objects as go


class Table(str):
    """A table in Markdown: a notebook shows it set, `print` as text."""

    def _repr_markdown_(self) -> str:
        return str(self)


def table(ladder: Ladder | None = None) -> Table:
    """Return the ladder as a table, the worst model first and the floor last.

    Parameters
    ----------
    ladder : Ladder, optional
        The stored one by default.

    Returns
    -------
    Table
        Markdown. In brackets, 95% confidence intervals.
    """
    ladder = load_ladder() if ladder is None else ladder
    lines = [
        ("model", "bits per character", "above the floor", "true stories", "trained"),
        ("---", "---:", "---:", "---:", "---"),
    ]
    for rung in ladder.rungs:
        share = [_percent(x) for x in (rung.true.value, rung.true.low, rung.true.high)]
        lines.append(
            (
                rung.name,
                str(rung.bits),
                f"{100 * rung.relative.value:,.0f}%",
                "{} ({} to {})".format(*share),
                _trained(rung.recipe),
            )
        )
    lines.append(("*entropy floor*", str(ladder.floor), "0%", "100%", ""))
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return Table(
        "\n".join(
            "| " + " | ".join(map(str.ljust, line, widths)) + " |" for line in lines
        )
    )


def _percent(share: float) -> str:
    """In percent: one digit after the point, none where it would be 0."""
    return f"{100 * share:.1f}".removesuffix(".0") + "%"


def _trained(recipe: dict[str, Any]) -> str:
    """Say how much a model was trained."""
    tokens, seconds = recipe.get("training_tokens"), recipe.get("seconds")
    if not tokens:
        return "not at all"
    duration = f"{seconds:.0f} s" if seconds < 600 else f"{seconds / 3600:.1f} h"
    return f"{tokens / 1e6:.1f}M tokens, {duration}"


HEIGHT, MARGIN = 440, {"l": 56, "r": 16, "t": 24, "b": 56}  # of the chart, in pixels
FLOOR, FLOOR_BAND = "#cf5b27", "rgba(207,91,39,0.3)"  # seen on light and on dark
LABEL = 19  # pixels from one label to the next


def chart(ladder: Ladder | None = None) -> go.Figure:
    """Draw the ladder: bits per character against the share of true stories.

    Each model is a point with its 95% confidence intervals. The entropy floor is a line
    at the foot, its interval a band. The scale of bits is logarithmic: a step down that
    saves half of the bits is as long anywhere.

    Parameters
    ----------
    ladder : Ladder, optional
        The stored one by default.

    Returns
    -------
    plotly.graph_objects.Figure
        For `plots.show`; `describe` gives its alt text.

    Raises
    ------
    ValueError
        If the ladder has no rung.
    """
    from llmbook_utils import plots

    ladder = load_ladder() if ladder is None else ladder
    if not ladder.rungs:
        raise ValueError("the ladder has no rung to draw; measure a model first")
    xy = [(100 * rung.true.value, rung.bits.value) for rung in ladder.rungs]
    names = [rung.name for rung in ladder.rungs]
    figure = plots.scatter(
        xy, labels=names, x_title="true stories (%)", y_title="bits per character"
    )
    figure.update_traces(
        mode="markers",
        hovertext=[_hover(rung) for rung in ladder.rungs],
        hoverinfo="text",
        error_x=_error([rung.true for rung in ladder.rungs], 100),
        error_y=_error([rung.bits for rung in ladder.rungs], 1),
    )
    _add_floor(figure, ladder.floor)
    low, high = np.log10([ladder.floor.low / 1.35, xy[0][1] * 1.25])
    ticks = [2.0**power for power in range(-6, 5) if low < np.log10(2.0**power) < high]
    figure.update_yaxes(type="log", range=[low, high], tickvals=ticks)
    figure.update_yaxes(ticktext=[f"{tick:g}" for tick in ticks])
    figure.update_xaxes(range=[-4, 104], tickvals=[0, 25, 50, 75, 100])
    pixels = (HEIGHT - MARGIN["t"] - MARGIN["b"]) / (high - low)
    for rung, height in zip(ladder.rungs, _label_heights(ladder, pixels), strict=True):
        _add_label(figure, rung, height)
    return figure.update_layout(height=HEIGHT, margin=MARGIN, showlegend=False)


def _hover(rung: Rung) -> str:
    return (
        f"{rung.name}<br>{rung.bits} bits per character<br>"
        f"{_percent(rung.true.value)} of its stories true"
    )


def _error(intervals: Sequence[Interval], scale: float) -> dict[str, Any]:
    """Plotly's error bars, which reach up and down from the value."""
    return {
        "array": [scale * (x.high - x.value) for x in intervals],
        "arrayminus": [scale * (x.value - x.low) for x in intervals],
        "thickness": 1.5,
        "width": 4,
    }


def _add_floor(figure: go.Figure, floor: Interval) -> None:
    """Add the floor's line, its band and its label."""
    wide = [-4, 104]
    band = {"mode": "lines", "hoverinfo": "skip", "line": {"width": 0}}
    figure.add_scatter(x=wide, y=[floor.low] * 2, **band)
    figure.add_scatter(
        x=wide, y=[floor.high] * 2, fill="tonexty", fillcolor=FLOOR_BAND, **band
    )
    figure.add_scatter(
        x=wide,
        y=[floor.value] * 2,
        mode="lines",
        line={"width": 2.5, "color": FLOOR},
        hovertext=f"entropy floor<br>{floor} bits per character",
        hoverinfo="text",
    )
    figure.add_annotation(
        x=0,
        y=float(np.log10(floor.low)),
        text=f"entropy floor <b>{_bits(floor.value)}</b>",
        showarrow=False,
        xanchor="left",
        yanchor="top",
    )


def _label_heights(ladder: Ladder, pixels: float) -> list[float]:
    """Return by how many pixels each label stands above its point, free of the others.

    `pixels` are those of a factor of ten. No two labels share a height, so that they
    don't meet on a narrow screen, either.
    """
    heights: list[float] = []
    highest = -np.inf
    for rung in reversed(ladder.rungs):
        at = pixels * float(np.log10(rung.bits.value))
        highest = max(at + LABEL / 2 + 2, highest + LABEL)
        heights.append(highest - at)
    return heights[::-1]


def _add_label(figure: go.Figure, rung: Rung, height: float) -> None:
    """Write a rung's name and bits above its point, with a line if far above."""
    is_right = rung.true.value > 0.5  # then there is room on the left
    figure.add_annotation(
        x=100 * rung.true.value,
        y=float(np.log10(rung.bits.value)),
        text=f"{rung.name} <b>{_bits(rung.bits.value)}</b>",
        ax=-8 if is_right else 8,
        ay=-height,
        xanchor="right" if is_right else "left",
        showarrow=True,
        arrowhead=0,
        arrowwidth=1 if height > LABEL else 0.1,
        standoff=6,
    )


def _bits(value: float) -> str:
    return f"{value:.3f}" if value < 1 else f"{value:.2f}"


def describe(ladder: Ladder | None = None) -> str:
    """Return the chart in words, as alt text.

    Parameters
    ----------
    ladder : Ladder, optional
        The stored one by default.
    """
    ladder = load_ladder() if ladder is None else ladder
    models = "; ".join(
        f"{rung.name} {_bits(rung.bits.value)} bits per character, "
        f"{_percent(rung.true.value)} of stories true"
        for rung in ladder.rungs
    )
    return (
        "A chart of models by bits per character and share of true stories, from the "
        f"top: {models}; at the foot the entropy floor, {_bits(ladder.floor.value)}."
    )


def seeds_table(ladder: Ladder) -> Table:
    """Return the rungs of a race with the range over their seeds.

    Parameters
    ----------
    ladder : Ladder
        From `load_race`.

    Returns
    -------
    Table
        Markdown. Of each figure the middle seed and, in brackets, the least and the
        largest.
    """
    lines = [
        ("model", "bits per character", "above the floor", "true stories", "text read"),
        ("---", "---:", "---:", "---:", "---:"),
    ]
    for rung in ladder.rungs:
        seeds = rung.recipe["seeds"]
        lines.append(
            (
                rung.name,
                _range([run["bits"] for run in seeds], "{:.3f}"),
                _range([100 * run["relative"] for run in seeds], "{:.0f}%"),
                _range([100 * run["true"] for run in seeds], "{:.1f}%"),
                f"{rung.recipe['training_tokens'] / 1e6:.1f}M tokens",
            )
        )
    lines.append(("*entropy floor*", f"{ladder.floor.value:.3f}", "0%", "100%", ""))
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return Table(
        "\n".join(
            "| " + " | ".join(map(str.ljust, line, widths)) + " |" for line in lines
        )
    )


def _range(values: Sequence[float], form: str) -> str:
    """The middle of some values, with the least and the largest."""
    ordered = sorted(values)
    low, middle, high = (form.format(ordered[at]) for at in (0, len(ordered) // 2, -1))
    return middle if low == high else f"{middle} ({low} to {high})"
