"""The book's Sphinx extension: pages that need no network, figures, exercises.

Add ``llmbook_press.sphinx_ext`` to ``sphinx.extra_extensions`` in ``_config.yml``.
"""

from typing import Any

from sphinx.application import Sphinx

from llmbook_press.sphinx_ext import (
    assets,
    drawings,
    figures,
    folded,
    markup,
    numbering,
    pages,
    publish,
    status,
    terms,
)

PARTS = (
    assets,
    drawings,
    figures,
    folded,
    markup,
    numbering,
    pages,
    publish,
    status,
    terms,
)


def setup(app: Sphinx) -> dict[str, Any]:
    """Connect the extension's parts to a Sphinx build."""
    for part in PARTS:
        part.connect(app)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
