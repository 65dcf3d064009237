"""Where a small network changes its mind: boundary against width (chapter 03).

The networks were trained in Python; the page computes their outputs itself, by the
formulas of ``llmbook_utils.experiments.planes``. A test holds the two together.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from llmbook_utils.explorers.core.contours import zero_path
from llmbook_utils.explorers.core.explorer import Explorer, svg

if TYPE_CHECKING:
    from torch import Tensor

    from llmbook_utils.experiments.planes import SmallNetwork

SIZE, CELLS, BANDS = 640, 40, 8  # units of the drawing; cells and shades
REACH = 2.2  # the picture goes from -REACH to REACH both ways


class Boundary(Explorer):
    """Points of two classes, and networks of different widths that tell them apart.

    Parameters
    ----------
    sets : dict of str to (points, labels)
        Training points (n, 2) and their labels (n,), 0 or 1, by the set's name.
    networks : dict of str to sequence of SmallNetwork
        For each set networks of all widths, activations and seeds.
    name, caption, alt : str
        As for every figure.
    fresh : dict of str to (points, labels)
        Points that no network was trained on, from the same sources.
    start : dict
        ``set``, ``width``, ``activation`` and ``seed`` that are shown first.

    Raises
    ------
    ValueError
        If a set has no networks, if there are not all combinations, or if the start is
        none of them.
    """

    kind: ClassVar[str] = "boundary"
    styles: ClassVar[tuple[Path, ...]] = (Path(__file__).with_name("boundary.css"),)
    scripts: ClassVar[tuple[Path, ...]] = (Path(__file__).with_name("boundary.js"),)
    height: ClassVar[int] = 900

    def __init__(
        self,
        sets: dict[str, tuple[Tensor, Tensor]],
        networks: dict[str, Sequence[SmallNetwork]],
        *,
        fresh: dict[str, tuple[Tensor, Tensor]],
        start: dict[str, Any],
        name: str,
        caption: str,
        alt: str,
    ) -> None:
        if not sets or not (sets.keys() == networks.keys() == fresh.keys()):
            raise ValueError(
                f"sets are {list(sets)}, networks {list(networks)}, fresh points "
                f"{list(fresh)}; give all three for each set, and at least one"
            )
        every = [network for group in networks.values() for network in group]
        payload = {
            "sets": [
                set_data(label, sets[label], networks[label], fresh[label])
                for label in sets
            ],
            "widths": sorted({network.width for network in every}),
            "activations": list(dict.fromkeys(n.activation for n in every)),
            "seeds": sorted({network.seed for network in every}),
            "start": dict(start),
        }
        n_expected = 1
        for part in ("sets", "widths", "activations", "seeds"):
            n_expected *= len(payload[part])
        if len(every) != n_expected:
            raise ValueError(
                f"{len(every)} networks, but all combinations of sets, widths, "
                f"activations and seeds are {n_expected}; train them all"
            )
        find(payload, start)
        super().__init__(payload, name=name, caption=caption, alt=alt)

    def __repr__(self) -> str:
        count = sum(len(group["networks"]) for group in self.data["sets"])
        return f"Boundary({self.data['name']!r}, {count} networks)"

    @staticmethod
    def picture(data: dict[str, Any]) -> str:
        """Draw the first network, for print and for GitHub."""
        return draw(data, data["start"])


def set_data(
    label: str,
    points: tuple[Tensor, Tensor],
    networks: Sequence[SmallNetwork],
    fresh: tuple[Tensor, Tensor],
) -> dict[str, Any]:
    """Write one set with its networks as plain JSON."""
    return {
        "name": label,
        "points": points[0].double().numpy().round(2).tolist(),
        "labels": points[1].tolist(),
        "networks": [
            {
                "activation": network.activation,
                "width": network.width,
                "seed": network.seed,
                "hidden": network.hidden,
                "output": network.output,
                "loss": round(network.loss, 3),
                "seen": round(network.accuracy(*points), 3),
                "fresh": round(network.accuracy(*fresh), 3),
            }
            for network in networks
        ],
    }


def find(data: dict[str, Any], chosen: dict[str, Any]) -> dict[str, Any]:
    """Find the network of a set, a width, an activation and a seed."""
    for group in data["sets"]:
        for network in group["networks"]:
            keys = ("width", "activation", "seed")
            if group["name"] == chosen["set"] and all(
                network[key] == chosen[key] for key in keys
            ):
                return network
    raise ValueError(f"no network with {chosen}; look at sets, widths and seeds")


def scores(network: dict[str, Any], points: np.ndarray) -> np.ndarray:
    """Compute the scores (n,) that the page computes, at points (n, 2)."""
    from llmbook_utils.experiments.planes import SmallNetwork

    return SmallNetwork(
        network["activation"],
        network["seed"],
        np.array(network["hidden"]),
        np.array(network["output"]),
        network["loss"],
    ).scores(points)


def bands(network: dict[str, Any]) -> np.ndarray:
    """Sort the cells (CELLS, CELLS), first row on top, by probability into bands."""
    middles = (np.arange(CELLS) + 0.5) / CELLS * 2 * REACH - REACH
    x, y = np.meshgrid(middles, -middles)
    z = scores(network, np.stack([x.ravel(), y.ravel()], axis=1))
    p = 0.5 * (1 + np.tanh(z / 2))  # the sigmoid, without overflow
    return np.minimum(BANDS - 1, np.floor(p * BANDS)).astype(int).reshape(x.shape)


def band_path(cells: np.ndarray, band: int) -> str:
    """Draw a band's cells as rectangles, one for each run in a row."""
    side, pieces = SIZE // CELLS, []
    for row, line in enumerate(cells):
        ends = np.flatnonzero(np.diff(np.r_[0, line == band, 0]))
        for left, right in ends.reshape(-1, 2):
            width = (right - left) * side
            pieces.append(f"M{left * side} {row * side}h{width}v{side}h-{width}z")
    return "".join(pieces)


def place(points: np.ndarray) -> np.ndarray:
    """Turn points (n, 2) of the plane into places on the drawing; y points up."""
    return (np.asarray(points) * [1, -1] + REACH) / (2 * REACH) * SIZE


def draw(data: dict[str, Any], chosen: dict[str, Any]) -> str:
    """Draw a network's shades, its boundary and the points as an SVG."""
    group = next(g for g in data["sets"] if g["name"] == chosen["set"])
    network = find(data, chosen)
    cells = bands(network)
    shades = "".join(
        f'<path class="lb-band lb-b{band}" d="{band_path(cells, band)}"/>'
        for band in range(BANDS)
    )
    corners = np.linspace(-REACH, REACH, CELLS + 1)
    x, y = np.meshgrid(corners, -corners)
    heights = scores(network, np.stack([x.ravel(), y.ravel()], axis=1))
    line = zero_path(heights.reshape(x.shape), SIZE / CELLS)
    dots = "".join(
        f'<circle class="lb-point lb-p{label}" cx="{a:.0f}" cy="{b:.0f}" r="6"/>'
        if label == 0
        else f'<path class="lb-point lb-p{label}" '
        f'd="M{a:.0f} {b - 7:.0f}l7 7l-7 7l-7 -7z"/>'
        for (a, b), label in zip(place(group["points"]), group["labels"], strict=True)
    )
    return svg(
        data,
        SIZE,
        SIZE,
        PICTURE_STYLE,
        shades,
        f'<path class="lb-border" d="{line}"/>',
        dots,
    )


_OPACITY = (0.45, 0.33, 0.21, 0.09, 0.09, 0.21, 0.33, 0.45)
PICTURE_STYLE = (
    ".lb-border{fill:none;stroke:#757575;stroke-width:4}"
    ".lb-p0{fill:#2f78c4}.lb-p1{fill:#cf5b27}.lb-point{stroke:#fff;stroke-width:1}"
    + "".join(
        f".lb-b{band}{{fill:{'#2f78c4' if band < 4 else '#cf5b27'};opacity:{alpha}}}"
        for band, alpha in enumerate(_OPACITY)
    )
)
