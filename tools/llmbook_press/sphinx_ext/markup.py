"""Mends what other packages' HTML tells a screen reader."""

import re
from pathlib import Path

from sphinx.application import Sphinx

MENDED = (
    # MyST-NB labels every fold of hidden code alike, and the label is read out in
    # place of the words that stand on it.
    (r'<summary aria-label="Toggle hidden content">', "<summary>"),
    # docutils calls a bibliography a list, but not its entries list items.
    (r'role="doc-biblioentry"', 'role="listitem"'),
    # Two of the theme's buttons bear names other than the words and icons on them: a
    # person who speaks to the browser could not call them.
    (r'(<button class="[^"]*\bsearch-button-field\b[^"]*")[^>]*>', r"\1>"),
    (r'(<i class="theme-switch\b[^>]*?)\s+title="[^"]*">', r'\1 aria-hidden="true">'),
    (r'(theme-switch-button\b[^>]*?) data-bs-title="[^"]*"', r"\1"),
)


def mend(page: str) -> str:
    """Mend the HTML of a page.

    Examples
    --------
    >>> mend('<summary aria-label="Toggle hidden content">Show</summary>')
    '<summary>Show</summary>'
    >>> mend('<i class="theme-switch fa-sun" data-mode="light" title="Light">')
    '<i class="theme-switch fa-sun" data-mode="light" aria-hidden="true">'
    """
    for fault, cure in MENDED:
        page = re.sub(fault, cure, page)
    return page


def mend_pages(app: Sphinx, error: Exception | None) -> None:
    """Mend every page that was written."""
    if error is not None or app.builder.format != "html":
        return
    for path in Path(app.outdir).rglob("*.html"):
        text = path.read_text(encoding="utf8")
        mended = mend(text)
        if mended != text:
            path.write_text(mended, encoding="utf8")


def connect(app: Sphinx) -> None:
    """Mend when the build has finished."""
    app.connect("build-finished", mend_pages)
