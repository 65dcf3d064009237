"""No picture without words: an image without alt text is a warning, so an error."""

from html.parser import HTMLParser

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util import logging

logger = logging.getLogger(__name__)


class _Images(HTMLParser):
    """Collects the images without alt text in raw HTML."""

    def __init__(self) -> None:
        super().__init__()
        self.missing: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if tag == "img" and not (values.get("alt") or "").strip():
            self.missing.append(values.get("src") or "?")


def images_without_alt(doctree: nodes.document) -> list[tuple[str, nodes.Node]]:
    """List the images, with their nodes, that say nothing to one who cannot see.

    A picture that is mere ornament carries the class ``decorative``.
    """
    missing = [
        (image["uri"], image)
        for image in doctree.findall(nodes.image)
        if not image.get("alt", "").strip() and "decorative" not in image["classes"]
    ]
    for raw in doctree.findall(nodes.raw):
        if "html" in raw.get("format", ""):
            parser = _Images()
            parser.feed(raw.astext())
            missing += [(source[:80], raw) for source in parser.missing]
    return missing


def warn_about_alt(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Warn for each image of a page that lacks alt text."""
    for source, node in images_without_alt(doctree):
        logger.warning(
            "image without alt text: %s",
            source,
            location=node if node.line else docname,
            type="llmbook",
            subtype="alt",
        )


def connect(app: Sphinx) -> None:
    """Check every page once its outputs have been chosen."""
    app.connect("doctree-resolved", warn_about_alt)
