"""The picture of `BackOff`: a text in the colours of its bits, and one token's bars."""

from __future__ import annotations

import html
import math
from typing import Any

from llmbook_utils.explorers.core.explorer import svg

WIDTH, LINE, ROW, CHAR = 640, 26, 24, 7.9  # pixels; CHAR is a letter's width
LEFT, RIGHT = 170, 120  # of the bars
MOST = 8.0  # bits from which the colour is full
GLUED = set(".,:?!")  # no space before these


def draw(data: dict[str, Any], at: int, n: int) -> str:
    """Draw a text, and where one token's probability comes from, as an SVG."""
    text, top = _text(data, at, n)
    body, height = _bars(data, at, n, top + 20)
    return svg(
        data,
        WIDTH,
        height,
        PICTURE_STYLE,
        text,
        body,
    )


def heat(prob: float) -> float:
    """How full a token's colour is, from 0 to 1; ``back_off.js`` does the same.

    Examples
    --------
    >>> heat(1.0), heat(0.25), heat(2**-20)
    (0.0, 0.25, 1.0)
    """
    return min(1.0, max(0.0, -math.log2(prob) / MOST))


def _text(data: dict[str, Any], at: int, n: int) -> tuple[str, int]:
    """The text in lines, and the height that it takes."""
    parts, x, y = [], 8.0, LINE
    for i, word in enumerate(data["text"]):
        shown = data["words"][word]
        width = CHAR * len(shown) + 4
        space = 0 if not i or shown in GLUED else CHAR / 2
        if x + space + width > WIDTH - 8:
            x, y = 8.0, y + LINE
        else:
            x += space
        mark = " lb-chosen" if i == at else ""
        label = html.escape(shown)
        parts.append(
            f'<rect class="lb-heat{mark}" x="{x:.1f}" y="{y - 17}" width="{width:.1f}" '
            f'height="{LINE - 3}" rx="3" '
            f'fill-opacity="{0.4 * heat(data["steps"][i][n - 1]["p"]):.2f}"/>'
            f'<text class="lb-piece" x="{x + 2:.1f}" y="{y}">{label}</text>'
        )
        x += width
        if shown == "⏎":
            x, y = 8.0, y + LINE
    return "".join(parts), y + 8


def _bars(data: dict[str, Any], at: int, n: int, top: int) -> tuple[str, int]:
    """What followed the context, and what is handed on."""
    title, rows = describe(data, at, n)
    parts = [f'<text class="lb-note" x="8" y="{top}">{html.escape(title)}</text>']
    longest = WIDTH - LEFT - RIGHT
    for i, (label, share, note, kind) in enumerate(rows, start=1):
        y = top + ROW * i
        parts.append(
            f'<text class="lb-note" x="{LEFT - 8}" y="{y}" text-anchor="end">'
            f'{html.escape(label)}</text><rect class="lb-part {kind}" x="{LEFT}" '
            f'y="{y - 13}" width="{max(1.0, longest * share):.1f}" height="16" rx="2"/>'
            f'<text class="lb-note" x="{LEFT + longest * share + 8:.1f}" y="{y}">'
            f"{html.escape(note)}</text>"
        )
    return "".join(parts), top + ROW * (len(rows) + 1)


def context_of(data: dict[str, Any], at: int, n: int) -> str:
    """The n - 1 tokens before a token, the mark before the text among them."""
    ids = [data["start"], *data["text"]]
    words = [data["words"][i] for i in ids[max(0, at + 2 - n) : at + 1]]
    return " ".join(words)


def describe(
    data: dict[str, Any], at: int, n: int
) -> tuple[str, list[tuple[str, float, str, str]]]:
    """A sentence on a token's context, and its bars: label, share, note, class."""
    entry = data["steps"][at][n - 1]
    context = context_of(data, at, n)
    if entry.get("short"):
        return "Nothing stands before: as with a shorter context.", []
    after = f"After “{context}”" if n > 1 else "Without a context"
    if "total" not in entry:
        return f"{after}: never seen. All is handed on.", [
            (f"on to n = {n - 1}", 1.0, "100%", "is-handed")
        ]
    total, top = entry["total"], entry["top"]
    unit = "occurrences" if entry["unit"] == "times" else "different contexts"
    title = f"{after}: {total:,} {unit}, {entry['kinds']:,} different tokens."
    rows, rest = [], 1 - entry["gamma"]
    for word, count, discount in zip(top[::3], top[1::3], top[2::3], strict=True):
        left = count - discount
        share = left / total
        rest -= share
        kind = "is-true" if word == data["text"][at] else ""
        note = f"{left:g} of {total:,}"
        rows.append((data["words"][word], share, note, kind))
    others = entry["kinds"] - len(rows)
    if others:
        rows.append((f"{others:,} others", max(0.0, rest), percent(rest), "is-other"))
    below = f"n = {n - 1}" if n > 1 else "all alike"
    note = percent(entry["gamma"])
    rows.append((f"on to {below}", entry["gamma"], note, "is-handed"))
    return title, rows


def percent(share: float) -> str:
    """Write a share in percent, with one digit below ten.

    Examples
    --------
    >>> percent(0.5), percent(0.0312), percent(0.0004)
    ('50%', '3.1%', '<0.1%')
    """
    if share < 0.001:
        return "<0.1%"
    tenths = int(1000 * share + 0.5)  # a half goes up, as in JavaScript
    return f"{int(100 * share + 0.5)}%" if tenths >= 100 else f"{tenths / 10:.1f}%"


PICTURE_STYLE = (
    ".lb-heat{fill:#cf5b27}.lb-chosen{stroke:#0a6070;stroke-width:2}"
    ".lb-piece{font:13px monospace;fill:#767676}"
    ".lb-note{font:14px sans-serif;fill:#767676}"
    ".lb-part{fill:#2f78c4}.lb-part.is-true{fill:#cf5b27}"
    ".lb-part.is-other,.lb-part.is-handed{fill:#77808c}"
)
