"""``{diagram}``: our own SVG drawings, put into the page itself.

As part of the page a drawing takes the page's colours through ``currentColor``;
as an image it would stay black on a dark page.
"""

import html
import re
from pathlib import Path
from typing import Any, ClassVar

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective


def inline_svg(svg: str, alt: str) -> str:
    """Prepare an SVG file's text for a page.

    The XML header and the file's own title go, the alt text comes; a number behind
    each id would be needed if one drawing were to stand twice in a page.
    """
    body = re.sub(r"<\?xml.*?\?>|<!--.*?-->|<title>.*?</title>", "", svg, flags=re.S)
    start = re.search(r"<svg\b([^>]*)>", body)
    if start is None:
        raise ValueError("the file holds no <svg> element")
    kept = re.sub(r"""\s(role|aria-label)=("[^"]*"|'[^']*')""", "", start[1])
    opening = f'<svg{kept} role="img" aria-label="{html.escape(alt)}">'
    return opening + body[start.end() :].strip()


class Diagram(SphinxDirective):
    """A drawing with its caption as content; ``alt`` is required, ``name`` wise."""

    required_arguments = 1
    has_content = True
    option_spec: ClassVar[dict[str, Any]] = {
        "alt": directives.unchanged_required,
        "name": directives.unchanged,
    }

    def run(self) -> list[nodes.Node]:
        """Build a figure, so that Sphinx numbers it."""
        relative, absolute = self.env.relfn2path(self.arguments[0])
        self.env.note_dependency(relative)
        alt = self.options.get("alt", "").strip()
        if not alt:
            raise self.error(f"diagram {relative} needs :alt:, what it shows")
        try:
            svg = inline_svg(Path(absolute).read_text(encoding="utf-8"), alt)
        except (OSError, ValueError) as error:
            raise self.error(f"diagram {relative}: {error}") from error
        figure = nodes.figure(classes=["llmbook-figure", "llmbook-diagram"])
        self.set_source_info(figure)
        figure += nodes.raw("", svg, format="html")
        if self.content:
            holder = nodes.Element()
            self.state.nested_parse(self.content, self.content_offset, holder)
            caption = nodes.caption("", "", *holder.children[0].children)
            self.set_source_info(caption)
            figure += caption
        self.add_name(figure)
        return [figure]


def connect(app: Sphinx) -> None:
    """Register the directive."""
    app.add_directive("diagram", Diagram)
