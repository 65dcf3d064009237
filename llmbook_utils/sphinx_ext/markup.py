"""Mends what other packages' HTML tells a screen reader."""

from typing import Any

from docutils import nodes
from sphinx.application import Sphinx

MENDED = (
    # MyST-NB labels every fold of hidden code alike, and the label is read out in
    # place of the words that stand on it.
    ('<summary aria-label="Toggle hidden content">', "<summary>"),
    # docutils calls a bibliography a list, but not its entries list items.
    ('role="doc-biblioentry"', 'role="listitem"'),
)


def mend(body: str) -> str:
    """Mend the HTML of a page's body.

    Examples
    --------
    >>> mend('<summary aria-label="Toggle hidden content">Show</summary>')
    '<summary>Show</summary>'
    """
    for fault, cure in MENDED:
        body = body.replace(fault, cure)
    return body


def mend_page(
    app: Sphinx,
    pagename: str,
    templatename: str,
    context: dict[str, Any],
    doctree: nodes.document | None,
) -> None:
    """Mend a page before it is written."""
    if "body" in context:
        context["body"] = mend(context["body"])


def connect(app: Sphinx) -> None:
    """Mend every page."""
    app.connect("html-page-context", mend_page)
