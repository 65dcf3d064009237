"""Contour lines of a function of two numbers, as the paths of an SVG."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable

import numpy as np

Point = tuple[int, int]


def contour_path(
    value: Callable[[np.ndarray, np.ndarray], np.ndarray],
    x_range: tuple[float, float],
    y_range: tuple[float, float],
    *,
    width: int,
    height: int,
    n_levels: int = 10,
    n_cells: tuple[int, int] = (56, 40),
) -> str:
    """Draw contour lines that cut the picture's area into about equal parts.

    Parameters
    ----------
    value : callable
        From arrays x and y of one shape to heights of that shape.
    x_range, y_range : tuple of float
        What the picture shows; y points up.
    width, height : int
        Its size in the units of the SVG.
    n_levels : int
        How many heights get a line.
    n_cells : (int, int)
        Cells across and down in which a line is straight.

    Returns
    -------
    str
        The ``d`` of an SVG path, in whole units.

    Examples
    --------
    >>> contour_path(lambda x, y: x, (0, 1), (0, 1), width=8, height=6, n_levels=1,
    ...              n_cells=(3, 2))
    'M4 0L4 3L4 6'
    """
    across, down = n_cells
    x, y = np.meshgrid(
        np.linspace(*x_range, across + 1), np.linspace(*y_range, down + 1)
    )
    heights = np.broadcast_to(value(x, y), x.shape)
    shares = (np.arange(n_levels) + 0.5) / n_levels
    scale = np.array([width / across, -height / down])
    pieces = []
    for level in np.quantile(heights, shares):
        for line in _chains(_segments(heights - level)):
            places = np.array(line) * scale + [0, height]
            corners = dict.fromkeys((round(a), round(b)) for a, b in places)
            if len(corners) > 1:
                closed = "Z" if len(line) > 2 and line[0] == line[-1] else ""
                pieces.append("M" + "L".join(f"{a} {b}" for a, b in corners) + closed)
    return "".join(pieces)


def zero_path(heights: np.ndarray, cell: float) -> str:
    """Draw where heights at the corners of a grid change their sign.

    Parameters
    ----------
    heights : array (n_rows + 1, n_columns + 1)
        The first row is the top of the picture.
    cell : float
        The side of a cell in the units of the SVG.

    Returns
    -------
    str
        The ``d`` of an SVG path, each piece by itself.

    Examples
    --------
    >>> zero_path(np.array([[-1.0, 1.0], [-1.0, 1.0]]), cell=4)
    'M2.0 0.0L2.0 4.0'
    """
    return "".join(
        f"M{a * cell:.1f} {b * cell:.1f}L{c * cell:.1f} {d * cell:.1f}"
        for (a, b), (c, d) in _segments(heights)
    )


def _segments(heights: np.ndarray) -> list[tuple[tuple, tuple]]:
    """Cut each cell along height 0, in units of cells; each end lies on an edge."""
    segments = []
    above = heights > 0
    corners = above[:-1, :-1] * 1 + above[:-1, 1:] + above[1:, 1:] + above[1:, :-1]
    for i, j in zip(*np.nonzero((corners > 0) & (corners < 4)), strict=True):
        ring = [(i, j), (i, j + 1), (i + 1, j + 1), (i + 1, j)]
        ends = []
        for a, b in zip(ring, [*ring[1:], ring[0]], strict=True):
            if above[a] != above[b]:
                a, b = sorted((a, b))  # two cells that share an edge agree on its point
                part = float(heights[a] / (heights[a] - heights[b]))
                ends.append(
                    (
                        float(a[1] + part * (b[1] - a[1])),
                        float(a[0] + part * (b[0] - a[0])),
                    )
                )
        segments += [(ends[n], ends[n + 1]) for n in range(0, len(ends), 2)]
    return segments


def _chains(segments: list[tuple[tuple, tuple]]) -> list[list[tuple]]:
    """Join segments that share an end."""
    at = defaultdict(list)
    for number, ends in enumerate(segments):
        for end in ends:
            at[end].append(number)
    left = dict.fromkeys(range(len(segments)))

    def follow(line: list[tuple]) -> list[tuple]:
        while True:
            nexts = [n for n in at[line[-1]] if n in left]
            if not nexts:
                return line
            del left[nexts[0]]
            a, b = segments[nexts[0]]
            line.append(b if a == line[-1] else a)

    lines = []
    while left:
        number = next(iter(left))
        del left[number]
        first = follow(list(segments[number]))
        lines.append(follow(first[::-1]) if first[0] != first[-1] else first)
    return lines
