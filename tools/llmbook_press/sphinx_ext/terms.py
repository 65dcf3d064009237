"""A bold word of a chapter is a term being defined, and leads to the glossary."""

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx

from llmbook_press.sphinx_ext.numbering import chapter_number


def link_terms(app: Sphinx, doctree: nodes.document) -> None:
    """Turn the bold words of a chapter into references to the glossary.

    Sphinx resolves them like ``{term}``, and warns of a term that is not there.
    """
    docname = app.env.docname
    if chapter_number(docname) is None:
        return
    for strong in list(doctree.findall(nodes.strong)):
        reference = addnodes.pending_xref(
            "",
            refdomain="std",
            reftype="term",
            reftarget=" ".join(strong.astext().split()),
            refexplicit=True,
            refwarn=True,
            refdoc=docname,
        )
        strong.replace_self(reference)
        reference += strong


def connect(app: Sphinx) -> None:
    """Link when a page has been read."""
    app.connect("doctree-read", link_terms)
