"""Optimisers that race downhill on a surface (chapter 04).

The page computes the paths itself, by the rules of
``llmbook_utils.models.networks.descent``; a test holds the two together. Contour lines
and noise are computed here, once.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from llmbook_utils.explorers.core.contours import contour_path
from llmbook_utils.explorers.core.explorer import Explorer, svg
from llmbook_utils.models.networks import descent
from llmbook_utils.models.networks.descent import Surface

WIDTH, HEIGHT = 1280, 840  # units of the drawing
RUNNERS = ("gradient descent", "momentum", "Adam")


class OptimizerRace(Explorer):
    """Surfaces as contours, and the paths of three optimisers on them.

    Parameters
    ----------
    surfaces : sequence of Surface
        The surfaces; the first is shown at the start.
    settings : sequence of dict
        For each surface ``lr``, ``momentum`` and ``adam_lr``, at the start.
    name, caption, alt : str
        As for every figure.
    n_steps : int, optional
        The length of a race, which is also how far the picture goes.
    noise : float, optional
        The standard deviation of the noise that a reader can add to the gradients.

    Raises
    ------
    ValueError
        If there is no surface, or not one dict of settings for each.
    """

    kind: ClassVar[str] = "descent"
    styles: ClassVar[tuple[Path, ...]] = (Path(__file__).with_name("descent.css"),)
    scripts: ClassVar[tuple[Path, ...]] = (Path(__file__).with_name("descent.js"),)
    height: ClassVar[int] = 700

    def __init__(
        self,
        surfaces: Sequence[Surface],
        settings: Sequence[dict[str, float]],
        *,
        name: str,
        caption: str,
        alt: str,
        n_steps: int = 120,
        noise: float = 2.0,
    ) -> None:
        if not surfaces or len(surfaces) != len(settings):
            raise ValueError(
                f"{len(surfaces)} surfaces and {len(settings)} settings; give one dict "
                "of lr, momentum and adam_lr for each surface"
            )
        pairs = zip(surfaces, settings, strict=True)
        drawn = np.random.default_rng(0).normal(size=(n_steps, 2)) * noise
        payload = {
            "surfaces": [surface_data(surface, chosen) for surface, chosen in pairs],
            "noise": drawn.round(3).tolist(),
            "n_steps": n_steps,
        }
        super().__init__(payload, name=name, caption=caption, alt=alt)

    def __repr__(self) -> str:
        count = len(self.data["surfaces"])
        return f"OptimizerRace({self.data['name']!r}, {count} surfaces)"

    @staticmethod
    def picture(data: dict[str, Any]) -> str:
        """Draw the first surface with the whole race, for print and for GitHub."""
        return draw(data, data["surfaces"][0])


def surface_data(surface: Surface, settings: dict[str, float]) -> dict[str, Any]:
    """Write a surface, its contour lines and its settings as plain JSON."""
    lines = contour_path(
        surface.value, surface.x_range, surface.y_range, width=WIDTH, height=HEIGHT
    )
    return {
        "name": surface.name,
        "terms": [list(term) for term in surface.terms],
        "start": list(surface.start),
        "x": list(surface.x_range),
        "y": list(surface.y_range),
        "contours": lines,
        "lr": settings["lr"],
        "momentum": settings["momentum"],
        "adam_lr": settings["adam_lr"],
    }


def run(data: dict[str, Any], chosen: dict[str, Any]) -> list[np.ndarray]:
    """Run the race of a surface's data by the package's own optimisers.

    Parameters
    ----------
    data : dict
        The explorer's data, for ``n_steps`` and ``noise``.
    chosen : dict
        One of its surfaces, perhaps with other settings; with ``is_noisy``, noise is
        added to every gradient.

    Returns
    -------
    list of array (n_steps + 1, 2)
        The paths of gradient descent, momentum and Adam.
    """
    terms = tuple(tuple(term) for term in chosen["terms"])
    surface = Surface(chosen["name"], terms, chosen["start"], chosen["x"], chosen["y"])
    paths = []
    for optimizer in (
        descent.GradientDescent(chosen["lr"]),
        descent.Momentum(chosen["lr"], chosen["momentum"]),
        descent.Adam(chosen["adam_lr"]),
    ):
        noise = iter(data["noise"])

        def gradient(point: np.ndarray, noise: Any = noise) -> np.ndarray:
            added = np.array(next(noise)) if chosen.get("is_noisy") else 0.0
            return surface.gradient(point) + added

        start = np.array(chosen["start"], dtype=float)
        paths.append(descent.descend(optimizer, gradient, start, data["n_steps"]))
    return paths


def place(path: np.ndarray, chosen: dict[str, Any]) -> list[tuple[float, float]]:
    """Turn points (n, 2) of a surface into places on the drawing; y points up."""
    (left, right), (low, high) = chosen["x"], chosen["y"]
    across = (path[:, 0] - left) / (right - left) * WIDTH
    down = (high - path[:, 1]) / (high - low) * HEIGHT
    # Far outside the picture a place only has to be outside.
    places = np.clip(np.stack([across, down], axis=1), -9999, 9999)
    return [(round(float(a), 1), round(float(b), 1)) for a, b in places]


def draw(data: dict[str, Any], chosen: dict[str, Any]) -> str:
    """Draw a surface and its race as an SVG that stands alone."""
    lines = ""
    for number, path in enumerate(run(data, chosen)):
        points = " ".join(f"{a:g},{b:g}" for a, b in place(path, chosen))
        lines += f'<polyline class="lb-path lb-r{number}" points="{points}"/>'
    x, y = place(np.array([chosen["start"]]), chosen)[0]
    names = "".join(
        f'<text class="lb-key lb-r{number}" x="{30 + 330 * number}" y="814">'
        f"{name}</text>"
        for number, name in enumerate(RUNNERS)
    )
    return svg(
        data,
        WIDTH,
        HEIGHT,
        PICTURE_STYLE,
        f'<path class="lb-contours" d="{chosen["contours"]}"/>',
        lines,
        f'<circle class="lb-start" cx="{x:g}" cy="{y:g}" r="11"/>',
        names,
    )


PICTURE_STYLE = (
    ".lb-contours{fill:none;stroke:#999;stroke-width:2;opacity:.6}"
    ".lb-path{fill:none;stroke-width:5}.lb-start{fill:#888}"
    ".lb-path.lb-r0{stroke:#2f78c4}.lb-path.lb-r1{stroke:#cf5b27}"
    ".lb-path.lb-r2{stroke:#1b9274}.lb-path.lb-r1{stroke-dasharray:16 8}"
    ".lb-path.lb-r2{stroke-dasharray:5 8}.lb-key{font:36px sans-serif}"
    ".lb-key.lb-r0{fill:#2f78c4}.lb-key.lb-r1{fill:#cf5b27}.lb-key.lb-r2{fill:#1b9274}"
)
