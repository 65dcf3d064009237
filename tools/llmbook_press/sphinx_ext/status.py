"""The table of what each chapter cost to run, from the notebooks' own metadata."""

import json
from pathlib import Path
from typing import Any, ClassVar

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

from llmbook_press.sphinx_ext.numbering import chapter_number

logger = logging.getLogger(__name__)

# Column title, and how a cell of it is written from a notebook's measurements.
COLUMNS = (
    ("Seconds", lambda run: f"{run['seconds']:.0f}"),
    ("Peak memory", lambda run: f"{run['peak_mb'] / 1000:.1f} GB"),
    ("Device", lambda run: f"{run['device']}, threads: {run['threads']}"),
    ("Python", lambda run: run["python"]),
    ("torch", lambda run: run["torch"]),
    ("Date", lambda run: run["date"]),
)


def read_run(notebook: Path) -> dict[str, Any] | None:
    """Read the measurements that the last execution left in a notebook."""
    metadata = json.loads(notebook.read_text(encoding="utf-8"))["metadata"]
    return metadata.get("llmbook")


class ChapterStatus(SphinxDirective):
    """``{chapter-status}``: one row for each notebook in ``_toc.yml``."""

    option_spec: ClassVar[dict[str, Any]] = {}

    def run(self) -> list[nodes.Node]:
        """Build the table; a chapter that was never measured is a warning."""
        rows = []
        for docname in self.env.external_site_map:
            path = Path(self.env.srcdir, docname.removesuffix(".ipynb") + ".ipynb")
            if not path.is_file():
                continue
            self.env.note_dependency(str(path))
            measured = read_run(path)
            if measured is None:
                logger.warning(
                    "%s has no measurements; run `make notebooks`",
                    docname,
                    location=self.get_location(),
                    type="llmbook",
                    subtype="status",
                )
                continue
            link = link_to(docname, docname, self.env.docname)
            number = nodes.Text(f"{chapter_number(docname)}")
            cells = [nodes.Text(str(write(measured))) for _, write in COLUMNS]
            rows.append([number, link, *cells])
        titles = ["No.", "Chapter", *(name for name, _ in COLUMNS)]
        return [build_table(titles, rows, "llmbook-status")]


def link_to(page: str, text: str, here: str) -> addnodes.pending_xref:
    """Link to a page by its name from the page ``here``, with a text."""
    return addnodes.pending_xref(
        "",
        nodes.inline("", text),
        refdomain="std",
        reftype="doc",
        reftarget="/" + page.removesuffix(".ipynb"),
        refexplicit=True,
        refwarn=True,
        refdoc=here,
    )


def build_table(
    titles: list[str], rows: list[list[nodes.Node | list[nodes.Node]]], kind: str
) -> nodes.table:
    """Build a docutils table of a class; a list in a cell is a list of paragraphs."""

    def row(cells: list[nodes.Node | list[nodes.Node]]) -> nodes.row:
        made = nodes.row()
        for cell in cells:
            parts = cell if isinstance(cell, list) else [nodes.paragraph("", "", cell)]
            made += nodes.entry("", *parts)
        return made

    group = nodes.tgroup(cols=len(titles))
    group += [nodes.colspec(colwidth=1) for _ in titles]
    group += nodes.thead("", row([nodes.Text(title) for title in titles]))
    group += nodes.tbody("", *map(row, rows))
    return nodes.table("", group, classes=[kind])


def connect(app: Sphinx) -> None:
    """Register the directive."""
    app.add_directive("chapter-status", ChapterStatus)
