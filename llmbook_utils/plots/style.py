"""The house style of figures: colours, and plotly's template made of them.

The colours are mid-tones that can be read on white and on near-black: a notebook's
theme cannot be known. The built pages replace them by the reader's.
"""

import plotly.graph_objects as go

TEMPLATE = "llmbook"
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
