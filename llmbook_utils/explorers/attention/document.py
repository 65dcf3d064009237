"""The frame in which bertviz draws, and the picture that stands where none can.

bertviz comes with JavaScript that asks require.js for d3 and jQuery from a network. We
take its files, d3 and jQuery from the installed packages, as they are, and hand it the
two in place of require.js. A book's page holds the libraries once, in a file that it
loads when a view comes near, and builds the frames itself; a live notebook and a saved
file have them inside.
"""

from __future__ import annotations

import html
import importlib.util
import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from llmbook_utils.explorers.attention.payload import unpack_weights
from llmbook_utils.explorers.core.explorer import script_json, static_text

LIBRARIES_FILE = "attention_libraries.js"
HOST_SCRIPT = Path(__file__).with_name("attention_host.js")
PAGE_SCRIPTS = (HOST_SCRIPT, Path(__file__).with_name("attention_page.js"))
FRAME_SCRIPTS = ("attention_draw.js", "attention_names.js", "attention_frame.js")
# Module, its name for pip, and the file; bertviz was written for d3 5.7.0.
PACKAGES = {
    "d3": ("mpld3", "mpld3", "js/d3.v5.min.js"),
    "jquery": ("sphinxcontrib.jquery", "sphinxcontrib-jquery", "jquery.js"),
    "head": ("bertviz", "bertviz", "head_view.js"),
    "model": ("bertviz", "bertviz", "model_view.js"),
    "neuron": ("bertviz", "bertviz", "neuron_view.js"),
}
# Of the picture of one head:
ROW, TOP, GAP = 20, 26, 150  # pixels: of a token, above the first, between the sides
FAINT = 0.04  # weights under this are not drawn
LONGEST = 24  # characters of a token that are written
MOST = 32  # tokens that are drawn: with them, what is stored stays under 300 kB


def own_text(name: str) -> str:
    """Read one of our own scripts or style sheets."""
    return Path(__file__).with_name(name).read_text(encoding="utf-8")


def find_file(module: str, pip_name: str, name: str) -> Path:
    """Find a file of an installed package without running the package.

    Raises
    ------
    ModuleNotFoundError
        If it is not installed; the message has the command.
    """
    try:
        spec = importlib.util.find_spec(module)
    except ModuleNotFoundError:
        spec = None
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(
            f"attention views need {pip_name}: python -m pip install {pip_name}"
        )
    return Path(spec.origin).parent / name


@cache
def libraries() -> dict[str, str]:
    """Read all that a frame runs, by name: scripts, and ``style``.

    No text holds what would end a ``<script>`` element.
    """
    texts = {
        name: find_file(*where).read_text(encoding="utf-8")
        for name, where in PACKAGES.items()
    }
    for view in ("head", "model", "neuron"):
        source = texts[view].replace("PYTHON_PARAMS", "window.bertviz_params")
        texts[view] = (
            f"window.drawBertviz = function (require, requirejs, console) {{\n{source}"
            "\n};"
        )
    ours = "".join(map(own_text, FRAME_SCRIPTS))
    texts["frame"] = (
        f'{own_text("attention_data.js")}(function () {{\n"use strict";\n{ours}}})();\n'
    )
    texts = {name: _harmless(text) for name, text in texts.items()}
    texts["style"] = static_text("tokens.css") + own_text("attention_frame.css")
    return texts


def _harmless(script: str) -> str:
    return re.sub(r"<(?=/script|!--)", r"\\x3c", script, flags=re.IGNORECASE)


def page_files() -> dict[str, str]:
    """Make the files that the pages of a book share, by name."""
    files = {path.name: path.read_text(encoding="utf-8") for path in PAGE_SCRIPTS}
    text = json.dumps(libraries(), ensure_ascii=False)
    files[LIBRARIES_FILE] = f"window.LLMBookAttention = {text};\n"
    return files


def fragment(data: dict[str, Any]) -> str:
    """Put the picture in a page, and the data for the script that takes its place."""
    return (
        '<div class="lb-attention" data-llmbook="attention">'
        f'<div class="lb-static">{draw(data, "currentColor")}</div>'
        f'<script type="application/json">{script_json(data)}</script></div>'
    )


def document(data: dict[str, Any]) -> str:
    """Build a whole HTML document that needs no other file.

    ``attention_page.js`` builds the same.
    """
    texts = libraries()
    names = ("d3", "jquery", data["view"], "frame")
    scripts = "".join(f"<script>{texts[name]}</script>" for name in names)
    return (
        '<!doctype html><html lang="en" data-theme="light"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>{html.escape(data['alt'])}</title><style>{texts['style']}</style>"
        f'</head><body><script type="application/json" id="data">{script_json(data)}'
        f"</script>{scripts}</body></html>"
    )


def frame(data: dict[str, Any]) -> str:
    """Wrap the document in a frame that may run scripts, and nothing else."""
    return (
        f'<iframe class="lb-attention-frame" title="{html.escape(data["alt"])}" '
        f'sandbox="allow-scripts" style="width:100%;height:{data["height"]}px;border:0"'
        f' srcdoc="{html.escape(document(data))}"></iframe>'
    )


def live_html(data: dict[str, Any]) -> str:
    """Write the frame for a live notebook, and what tells it height and theme."""
    return f"{frame(data)}<script>{own_text(HOST_SCRIPT.name)}</script>"


def first_head(data: dict[str, Any]) -> np.ndarray:
    """Take the weights of the first layer's first head, (T, S)."""
    part = data["parts"][0]
    n_left, n_right = len(part["left"]), len(part["right"])
    numbers = unpack_weights(part["weights"][0])
    weights = np.zeros((n_left, n_right))
    if part["causal"]:
        rows = np.tril_indices(n_left)
        weights[rows] = numbers[: len(rows[0])]
    else:
        weights[:] = np.reshape(numbers[: weights.size], weights.shape)
    return weights / 1000


def draw(data: dict[str, Any], ink: str = "#767676") -> str:
    """Draw the first layer's first head as an SVG that stands alone.

    Parameters
    ----------
    data : dict
        What `payload.build` made.
    ink : str
        Colour of the text; the default reads on white and on black.
    """
    part, weights = data["parts"][0], first_head(data)[:MOST, :MOST]
    left, right = ([_short(t) for t in part[side][:MOST]] for side in ("left", "right"))
    x1 = max(map(_width, left)) + 8
    x2 = x1 + GAP
    total = x2 + 8 + max(map(_width, right))
    bottom = TOP + ROW * max(len(left), len(right)) + 6

    def y(i: int) -> int:
        return TOP + ROW * int(i) + ROW // 2

    lines = "".join(
        f'<path d="M{x1} {y(i)}L{x2} {y(j)}" opacity="{weights[i, j]:.2f}"/>'
        for i, j in np.argwhere(weights >= FAINT)
    )
    heading = f"Layer {data['layers'][0]}, head {data['heads'][0]}"
    if part["name"]:
        heading = f"{part['name']}: {heading.lower()}"
    if len(part["left"]) > MOST:
        heading += f", {MOST} of {len(part['left'])} tokens"
    words = _words(left, x1 - 6, y, "end") + _words(right, x2 + 6, y, "start")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{total}" height="{bottom}" '
        f'viewBox="0 0 {total} {bottom}" style="max-width:100%;height:auto" role="img" '
        f'aria-label="{html.escape(data["alt"])}">'
        f'<g font-family="sans-serif" font-size="13" fill="{ink}">'
        f'<text x="{total / 2:g}" y="16" text-anchor="middle">{heading}</text>{words}'
        f'</g><g stroke="#2f78c4" stroke-width="2" fill="none">{lines}</g></svg>'
    )


def _words(tokens: list[str], x: int, y: Any, anchor: str) -> str:
    return "".join(
        f'<text x="{x}" y="{y(i) + 4}" text-anchor="{anchor}">{html.escape(t)}</text>'
        for i, t in enumerate(tokens)
    )


def _short(token: str) -> str:
    # A control character makes XML that no one can read.
    token = "".join(c if c.isprintable() else "�" for c in token)
    return token if len(token) <= LONGEST else token[: LONGEST - 1] + "…"


def _width(token: str) -> int:
    """Estimate pixels: a Chinese character is about as wide as two letters."""
    return sum(14 if ord(character) > 0x2E7F else 8 for character in token)
