"""What regularisers do to two curves of training (chapter 05).

The runs were made in Python and are stored rounded; the page chooses among them.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from llmbook_utils.explorers.core.explorer import Explorer, svg

WIDTH, HEIGHT = 640, 500  # units of the drawing
LEFT, RIGHT, TOP, BOTTOM = 56, 14, 16, 62  # its margins
MEASURES = ("loss", "right")
TOP_LOSS = 3.0  # nats, where the drawing ends; curves above it are cut


class Regularisers(Explorer):
    """Training and held-out curves for several regularisers and strengths of each.

    Parameters
    ----------
    curves : mapping of str to mapping of (float or str) to array (n_epochs + 1, 2, 2)
        For each regulariser and strength the measures at each epoch: rows are what was
        seen and what was held out, columns the loss (nats) and the share that is right.
    off : mapping of str to (float or str)
        The strength at which a regulariser is none, where that is not 0.
    start : dict
        ``regulariser``, ``strength``, ``epoch`` and ``measure`` (loss or right) at the
        start.
    name, caption, alt : str
        As for every figure.

    Raises
    ------
    ValueError
        If there are no curves, if their shapes differ, or if the start is none of them.
    """

    kind: ClassVar[str] = "regularisers"
    styles: ClassVar[tuple[Path, ...]] = (Path(__file__).with_name("regularisers.css"),)
    scripts: ClassVar[tuple[Path, ...]] = (Path(__file__).with_name("regularisers.js"),)
    height: ClassVar[int] = 820

    def __init__(
        self,
        curves: Mapping[str, Mapping[float | str, np.ndarray]],
        *,
        off: Mapping[str, float | str],
        start: dict[str, Any],
        name: str,
        caption: str,
        alt: str,
    ) -> None:
        shapes = {np.shape(run) for group in curves.values() for run in group.values()}
        shape = next(iter(shapes), ())
        if len(shapes) != 1 or len(shape) != 3 or shape[1:] != (2, 2):
            raise ValueError(
                "curves must hold arrays of one shape (n_epochs + 1, 2, 2), for seen "
                f"and held-out texts by loss and share right; got {shapes or None}"
            )
        payload = {
            "regularisers": [
                strengths_data(key, group, off) for key, group in curves.items()
            ],
            "n_epochs": shape[0] - 1,
            "start": dict(start),
        }
        find(payload, start)
        super().__init__(payload, name=name, caption=caption, alt=alt)

    def __repr__(self) -> str:
        count = sum(
            len(regulariser["strengths"]) for regulariser in self.data["regularisers"]
        )
        return f"Regularisers({self.data['name']!r}, {count} runs)"

    @staticmethod
    def picture(data: dict[str, Any]) -> str:
        """Draw the first choice, for print and for GitHub."""
        return draw(data, data["start"])


def strengths_data(
    key: str,
    group: Mapping[float | str, np.ndarray],
    off: Mapping[str, float | str],
) -> dict[str, Any]:
    """Write the runs of one regulariser as plain JSON."""
    strengths = [s if isinstance(s, str) else float(f"{s:g}") for s in group]
    none = off.get(key, 0.0)
    if none not in strengths:
        raise ValueError(f"{key!r} has no run at {none!r}, where it is no regulariser")
    runs = [
        {
            part: {
                measure: np.asarray(run)[:, i, j].round(3).tolist()
                for j, measure in enumerate(MEASURES)
            }
            for i, part in enumerate(("seen", "fresh"))
        }
        for run in group.values()
    ]
    return {"name": key, "off": none, "strengths": strengths, "runs": runs}


def find(data: dict[str, Any], chosen: dict[str, Any]) -> dict[str, Any]:
    """Find the run of a regulariser and a strength."""
    for regulariser in data["regularisers"]:
        if (
            regulariser["name"] == chosen["regulariser"]
            and chosen["strength"] in regulariser["strengths"]
        ):
            return regulariser["runs"][
                regulariser["strengths"].index(chosen["strength"])
            ]
    raise ValueError(
        f"no run with {chosen}; look at the regularisers and their strengths"
    )


def place(epoch: float, value: float, n_epochs: int, top: float) -> tuple[float, float]:
    """Turn an epoch and a value into a place on the drawing."""
    x = LEFT + epoch / n_epochs * (WIDTH - LEFT - RIGHT)
    y = HEIGHT - BOTTOM - min(value, top) / top * (HEIGHT - TOP - BOTTOM)
    return round(x, 1), round(y, 1)


def curve_path(values: list[float], top: float) -> str:
    """Draw values at epoch 0, 1, 2, ... as the path of an SVG."""
    n = len(values) - 1
    points = (place(epoch, value, n, top) for epoch, value in enumerate(values))
    return "M" + "L".join(f"{x:g} {y:g}" for x, y in points)


def draw(data: dict[str, Any], chosen: dict[str, Any]) -> str:
    """Draw both curves, and the gap at the chosen epoch, as an SVG."""
    run, measure = find(data, chosen), chosen["measure"]
    top = TOP_LOSS if measure == "loss" else 1.0
    n, epoch = data["n_epochs"], chosen["epoch"]
    seen, fresh = (run[part][measure] for part in ("seen", "fresh"))
    (x, low), (_, high) = (place(epoch, v[epoch], n, top) for v in (seen, fresh))
    marks = "".join(
        f'<text class="lb-tick" x="{LEFT - 9}" y="{place(0, value, n, top)[1] + 7:g}" '
        f'text-anchor="end">{value:g}</text>'
        for value in np.linspace(0, top, 4 if measure == "loss" else 6).round(1)
    ) + "".join(
        f'<text class="lb-tick" x="{place(at, 0, n, top)[0]:g}" y="{HEIGHT - 34}" '
        f'text-anchor="middle">{at}</text>'
        for at in range(0, n + 1, max(1, n // 3))
    )
    words = {"loss": "loss (nats)", "right": "share right"}[measure]
    return svg(
        data,
        WIDTH,
        HEIGHT,
        PICTURE_STYLE,
        f'<path class="lb-axis" d="M{LEFT} {TOP}V{HEIGHT - BOTTOM}H{WIDTH - RIGHT}"/>'
        f'{marks}<text class="lb-tick" x="{WIDTH - RIGHT}" y="{HEIGHT - 8}" '
        f'text-anchor="end">epoch; {words}: solid seen, dashed fresh</text>'
        f'<path class="lb-gap" d="M{x:g} {low:g}V{high:g}"/>'
        f'<path class="lb-curve lb-seen" d="{curve_path(seen, top)}"/>'
        f'<path class="lb-curve lb-fresh" d="{curve_path(fresh, top)}"/>',
    )


PICTURE_STYLE = (
    ".lb-curve{fill:none;stroke-width:3.5}.lb-seen{stroke:#2f78c4}"
    ".lb-fresh{stroke:#cf5b27;stroke-dasharray:9 5}.lb-axis{fill:none;stroke:#888}"
    ".lb-gap{stroke:#888;stroke-width:6;opacity:.6}.lb-tick{fill:#777;"
    "font:20px sans-serif}"
)
