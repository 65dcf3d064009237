"""Turns stored outputs (plotly figures, our explorers) into page elements.

MyST-NB finds the class through the entry point ``myst_nb.mime_renderers``.
"""

import html
from typing import Any, ClassVar

from docutils import nodes

from llmbook_utils.explorers.core.explorer import MIME, every_kind, script_json

PLOTLY_MIME = "application/vnd.plotly.v1+json"


class LlmbookRenderer:
    """Renders two MIME types; MyST-NB calls ``handle_mime`` for every output."""

    mime_priority_overrides: ClassVar[list[tuple[str, str, int]]] = [
        ("*", MIME, 1),
        ("*", PLOTLY_MIME, 2),
    ]

    @staticmethod
    def handle_mime(
        renderer: Any,
        data: Any,
        inline: bool,
    ) -> list[nodes.Node] | None:
        """Return the nodes for one representation of an output, or None to decline."""
        if inline:
            return None
        if data.mime_type == PLOTLY_MIME:
            return _plotly(renderer, data)
        if data.mime_type == MIME:
            return _explorer(renderer, data)
        return None


def _plotly(renderer: Any, data: Any) -> list[nodes.Node]:
    figure = dict(data.content)
    labels = (figure.get("layout", {}).get("meta") or {}).get("llmbook")
    if not labels:
        renderer.logger.warning(
            "a plotly figure without caption and alt text; show it with "
            "plots.show(fig, name=..., caption=..., alt=...)",
            subtype="alt",
            line=data.line,
        )
        labels = {"name": "", "caption": "", "alt": ""}
    height = int(figure.get("layout", {}).get("height") or 420)
    text = (
        '<div class="llmbook-plot" role="img" '
        f'aria-label="{html.escape(labels["alt"])}"'
        f' style="min-height:{height}px"></div>'
        f'<script type="application/json">{script_json(figure)}</script>'
    )
    return _figure(renderer, data, text, labels, "llmbook-plotly")


def _explorer(renderer: Any, data: Any) -> list[nodes.Node]:
    content = data.content
    kinds = every_kind()
    if content.get("kind") not in kinds:
        renderer.logger.warning(
            f"unknown explorer {content.get('kind')!r}; known are {sorted(kinds)}",
            subtype="explorer",
            line=data.line,
        )
        return []
    text = kinds[content["kind"]].fragment(content)
    if content["kind"] == "quiz":  # questions are text, not a numbered figure
        section = nodes.container(ids=[content["name"]], classes=["llmbook-quiz"])
        section += nodes.raw("", text, format="html")
        return [section]
    return _figure(renderer, data, text, content, f"llmbook-{content['kind']}")


def _figure(
    renderer: Any,
    data: Any,
    text: str,
    labels: dict[str, str],
    css_class: str,
) -> list[nodes.Node]:
    """Wrap HTML in a figure node, so that Sphinx numbers it and can refer to it."""
    figure = nodes.figure(classes=["llmbook-figure", css_class])
    figure += nodes.raw("", text, format="html")
    mdit = renderer.renderer
    if labels["caption"]:
        holder = nodes.Element()
        with mdit.current_node_context(holder):
            mdit.nested_render_text(labels["caption"], data.line)
        caption = nodes.caption("", "", *holder.children[0].children)
        caption.source, caption.line = mdit.document["source"], data.line
        figure += caption
    if labels["name"]:
        figure["names"].append(nodes.fully_normalize_name(labels["name"]))
        mdit.document.note_explicit_target(figure, figure)
    return [figure]
