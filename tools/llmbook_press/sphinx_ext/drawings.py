"""Our own drawings become part of the page, and so take its colours.

As an image, an SVG knows nothing of the page: ``currentColor`` stays black on a dark
page. A drawing that uses ``currentColor`` is therefore written into the page, where
an author has an ordinary image or figure.
"""

import html
import re
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx

MARK = "currentColor"


def inline_svg(svg: str, alt: str, prefix: str) -> str:
    """Prepare an SVG file's text for a page.

    The XML header, comments and the drawing's own name go; the alt text comes. Ids
    get a prefix, for two drawings may both have an arrow.

    Examples
    --------
    >>> inline_svg('<svg><path id="a"/><use href="#a"/></svg>', "An arrow", "x")
    '<svg role="img" aria-label="An arrow"><path id="x-a"/><use href="#x-a"/></svg>'
    """
    body = re.sub(r"<\?xml.*?\?>|<!--.*?-->|<title.*?</title>", "", svg, flags=re.S)
    body = re.sub(r"""\b(id=["']|href=["']#|url\(#)""", rf"\1{prefix}-", body)
    start = re.search(r"<svg\b([^>]*)>", body)
    if start is None:
        raise ValueError("the file holds no <svg> element")
    own_names = r"""\s(role|aria-label|aria-labelledby)=("[^"]*"|'[^']*')"""
    kept = re.sub(own_names, "", start[1])
    opening = f'<svg{kept} role="img" aria-label="{html.escape(alt)}">'
    return opening + body[start.end() :].strip()


def inline_drawings(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Write the drawings of a page into it."""
    if app.builder.format != "html":
        return
    for number, image in enumerate(list(doctree.findall(nodes.image))):
        path = Path(app.srcdir, image["uri"])
        if path.suffix != ".svg" or not path.is_file():
            continue
        svg = path.read_text(encoding="utf-8")
        if MARK in svg and image.get("alt"):
            drawing = inline_svg(svg, image["alt"], f"drawing-{number}")
            text = f'<span class="llmbook-drawing">{drawing}</span>'
            image.replace_self(nodes.raw("", text, format="html"))


def connect(app: Sphinx) -> None:
    """Run after the check for alt text, whose priority is 500."""
    app.connect("doctree-resolved", inline_drawings, priority=600)
