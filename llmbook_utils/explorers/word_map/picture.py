"""The picture of a word map: what print, GitHub and ipywidgets show."""

import html
from collections.abc import Sequence
from typing import Any

import numpy as np

from llmbook_utils.explorers.core.explorer import svg

# The view from which the picture is drawn and to which Reset returns, in radians.
YAW, PITCH = 0.6, 0.35
WIDTH, HEIGHT = 640, 480


def view(xyz: Sequence[Sequence[float]]) -> list[tuple[float, float, float]]:
    """Turn points to the first view: x and y on the picture, and depth (near is +).

    ``word_map.js`` turns and places in the same way.
    """
    x, y, z = np.asarray(xyz).T
    across = x * np.cos(YAW) + z * np.sin(YAW)
    back = -x * np.sin(YAW) + z * np.cos(YAW)
    up = y * np.cos(PITCH) - back * np.sin(PITCH)
    depth = y * np.sin(PITCH) + back * np.cos(PITCH)
    near = 1 + 0.25 * depth  # what is near is drawn larger
    across, up = across * near, up * near
    width, height = max(np.ptp(across), 1e-9), max(np.ptp(up), 1e-9)
    scale = min(0.8 * WIDTH / width, 0.86 * HEIGHT / height)
    across = 0.48 * WIDTH + (across - (across.max() + across.min()) / 2) * scale
    down = 0.52 * HEIGHT - (up - (up.max() + up.min()) / 2) * scale
    points = zip(across, down, depth, strict=True)
    return [(round(float(a), 1), round(float(b), 1), float(c)) for a, b, c in points]


def draw(data: dict[str, Any], selected: int, count: int) -> str:
    """Draw the map with one word selected, as an SVG that stands alone."""
    points = view(data["xyz"])
    near = data["near"][selected][:count]
    x0, y0, _ = points[selected]
    lines = "".join(
        f'<path class="lb-edge" d="M{x0} {y0}L{points[i][0]} {points[i][1]}"/>'
        for i in near
    )
    order = sorted(range(len(points)), key=lambda i: points[i][2])
    group_of = data["group_of"] or [0] * len(points)
    size = 2.8 if len(points) > 150 else 3.8
    dots = "".join(
        f'<circle class="lb-dot lb-c{group_of[i]}{_state(i, selected, near)}" '
        f'cx="{points[i][0]}" cy="{points[i][1]}" r="{round(size + points[i][2], 1)}"/>'
        for i in order
    )
    shown = _labels(data["words"], points, [selected, *near, *reversed(order)])
    labels = "".join(
        f'<text class="lb-label{_state(i, selected, near)}" x="{points[i][0] + 6}" '
        f'y="{points[i][1] - 5}">{html.escape(data["words"][i])}</text>'
        for i in shown
    )
    return svg(
        data,
        WIDTH,
        HEIGHT,
        PICTURE_STYLE,
        lines,
        dots,
        labels,
    )


PICTURE_STYLE = (
    ".lb-dot{fill:#2f78c4}.lb-dot.lb-c1{fill:#cf5b27}.lb-dot.lb-c2{fill:#1b9274}"
    ".lb-dot.lb-c3{fill:#a05fb4}.lb-dot.lb-c4{fill:#a97f12}.lb-dot.lb-c5{fill:#c7568c}"
    ".lb-dot.lb-c6{fill:#6b7d2e}.lb-dot.lb-c7{fill:#77808c}"
    ".lb-dot.lb-c-1{fill:#999;opacity:.5}"
    ".lb-edge{stroke:#888;stroke-width:1;fill:none}"
    ".lb-label{font:12px sans-serif;fill:#767676}"
    ".lb-label.is-selected{font-weight:bold}"
)


def _state(index: int, selected: int, near: Sequence[int]) -> str:
    if index == selected:
        return " is-selected"
    return " is-near" if index in near else ""


def _labels(
    words: list[str], points: list[tuple[float, float, float]], order: Sequence[int]
) -> list[int]:
    """Choose the words that can be written without covering one another."""
    taken: list[tuple[float, float, float, float]] = []
    shown = []
    for i in dict.fromkeys(order):
        x, y, _ = points[i]
        # A Chinese character is about as wide as two letters.
        letters = sum(1 + (ord(char) > 0x2E7F) for char in words[i])
        box = (x + 4, y - 17, x + 10 + 7.2 * letters, y - 1)
        clear = all(
            box[2] < other[0]
            or box[0] > other[2]
            or box[3] < other[1]
            or box[1] > other[3]
            for other in taken
        )
        if clear and box[2] < WIDTH and box[1] > 0:
            taken.append(box)
            shown.append(i)
    return shown
