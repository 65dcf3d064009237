"""Text and cells that are folded away: the directive, the node, the solutions."""

from typing import Any, ClassVar

from docutils import nodes
from docutils.parsers.rst import Directive
from sphinx.application import Sphinx

from llmbook_press.sphinx_ext.numbering import chapter_number
from llmbook_press.sphinx_ext.publish import CHECK_TAG, SOLUTION_TAG


class folded(nodes.General, nodes.Element):
    """Content behind a summary: the browser's own ``<details>``, closed."""


class Folded(Directive):
    """``:::{folded} Title`` folds its content away under the title."""

    has_content = True
    required_arguments = 1
    final_argument_whitespace = True
    option_spec: ClassVar[dict[str, Any]] = {}

    def run(self) -> list[nodes.Node]:
        """Parse the content into a closed fold."""
        self.assert_has_content()
        node = folded(title=self.arguments[0], classes=["solution"])
        self.state.nested_parse(self.content, self.content_offset, node)
        return [node]


def visit_html(self: Any, node: folded) -> None:
    """Open the element; the summary is what a keyboard reaches."""
    classes = " ".join(["llmbook-folded", *node["classes"]])
    self.body.append(f'<details class="{classes}"><summary>')
    self.body.append(f"{self.encode(node['title'])}</summary>")
    self.body.append('<div class="llmbook-folded-body">')


def depart_html(self: Any, node: folded) -> None:
    """Close the element."""
    self.body.append("</div></details>")


def visit_other(self: Any, node: folded) -> None:
    """Other formats cannot fold; they show the content."""


def arrange_exercises(app: Sphinx, doctree: nodes.document) -> None:
    """Fold worked solutions, and put a name over tasks and checks."""
    for cell in list(doctree.findall(nodes.container)):
        if f"tag_{SOLUTION_TAG}" in cell["classes"]:
            fold = folded(title="Worked solution", classes=["solution"])
            # Not replace_self, which would hand the cell's classes to the fold.
            cell.parent.replace(cell, fold)
            fold += cell
        elif f"tag_{CHECK_TAG}" in cell["classes"]:
            label = nodes.paragraph("", "Check", classes=["llmbook-cell-label"])
            cell.insert(0, label)


def mark_cost(app: Sphinx, doctree: nodes.document) -> None:
    """Find the line below a chapter's title, which says what the chapter costs."""
    if chapter_number(app.env.docname) is None:
        return
    for title in doctree.findall(nodes.title):
        line = title.next_node(siblings=True, descend=False)
        if isinstance(line, nodes.paragraph):
            line["classes"].append("cost")
        return


def connect(app: Sphinx) -> None:
    """Register the node, the directive and the arrangement of exercise cells."""
    other = (visit_other, visit_other)
    app.add_node(folded, html=(visit_html, depart_html), latex=other, text=other)
    app.add_directive("folded", Folded)
    app.connect("doctree-read", arrange_exercises)
    app.connect("doctree-read", mark_cost)
