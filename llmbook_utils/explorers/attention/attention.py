"""A view of attention: one object that shows wherever it is read."""

from __future__ import annotations

import base64
import html
import json
import sys
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from llmbook_utils.explorers.attention import document
from llmbook_utils.explorers.attention.document import draw, first_head
from llmbook_utils.explorers.core.explorer import MAX_BYTES, MIME, Explorer, fold


class AttentionView(Explorer):
    """A view of attention; `head_view`, `model_view` and `neuron_view` make it.

    In a notebook the last line of a cell shows it. What is stored there is data and a
    picture of one head; the libraries come with the book's page or, where a person sits
    at the notebook, in the output.

    Parameters
    ----------
    payload : dict
        What `payload.build` made.
    name, caption, alt : str, optional
        As for every figure; without them, the numbers are told.
    """

    kind: ClassVar[str] = "attention"
    scripts: ClassVar[tuple[Path, ...]] = document.PAGE_SCRIPTS

    def __init__(
        self,
        payload: dict[str, Any],
        *,
        name: str | None = None,
        caption: str | None = None,
        alt: str | None = None,
    ) -> None:
        super().__init__(
            payload,
            name="attention" if name is None else name,
            caption=describe(payload) if caption is None else caption,
            alt=describe(payload, True) if alt is None else alt,
        )
        if name is None:
            self.data["name"] = f"attention-{self.data['id']}"

    def __repr__(self) -> str:
        return f"AttentionView({self.data['name']!r}, {describe(self.data)!r})"

    @classmethod
    def page_files(cls) -> dict[str, str]:
        """Make the files that a book's pages share, by name."""
        return document.page_files()

    @staticmethod
    def picture(data: dict[str, Any]) -> str:
        """Draw the first layer's first head."""
        return draw(data)

    @staticmethod
    def fragment(data: dict[str, Any]) -> str:
        """Build the page's element."""
        return document.fragment(data)

    @staticmethod
    def fallback(data: dict[str, Any]) -> str:
        """Show the picture as an image, which viewers leave in place."""
        svg = base64.b64encode(draw(data).encode()).decode()
        return (
            f'<img alt="{html.escape(data["alt"])}" '
            f'src="data:image/svg+xml;base64,{svg}">'
        )

    def show(self) -> None:
        """Show the view with its libraries, even if no one seems to sit there."""
        from IPython.display import HTML, display

        display(HTML(document.live_html(self.data)))

    def save(self, path: str | Path) -> Path:
        """Write one HTML file that needs no other and no network.

        Parameters
        ----------
        path : str or Path
            Where to; an existing file is replaced.

        Returns
        -------
        Path

        Raises
        ------
        ValueError
            If the name does not end in ``.html``.
        """
        path = Path(path)
        if path.suffix.lower() not in (".html", ".htm"):
            raise ValueError(f"{path}: give a name that ends in .html")
        path.write_text(document.document(self.data), encoding="utf-8")
        return path

    def _repr_mimebundle_(
        self, include: object = None, exclude: object = None
    ) -> dict[str, Any]:
        fallback = self.fallback(self.data)
        stored = {
            MIME: self.data,
            "text/html": fallback,
            "text/plain": f"{self.data['caption']} [{self.data['alt']}]",
        }
        size = len(json.dumps(stored).encode())
        if size > MAX_BYTES:
            raise ValueError(
                f"{self.data['name']}: {size:,} bytes of output, at most {MAX_BYTES:,} "
                "are allowed; choose fewer layers, heads or positions"
            )
        if is_attended():
            shown = f"{document.live_html(self.data)}\n{fold(fallback)}"
            return {**stored, "text/html": shown}
        return stored


def host_widget() -> Any:
    """Build the ipywidget that gives frames height and theme.

    Returns
    -------
    ipywidgets.Output
        An HTML widget would not run the script, nor the classic notebook HTML in here.
    """
    import ipywidgets
    from IPython.display import Javascript

    host = ipywidgets.Output()
    host.append_display_data(Javascript(document.own_text(document.HOST_SCRIPT.name)))
    return host


def is_attended() -> bool:
    """Tell whether a person sits at this kernel: whether it could ask for input.

    nbclient, nbval and nbconvert run a notebook in order to store it, and say that no
    one will type; JupyterLab, the classic notebook, VS Code and Colab say the opposite.
    """
    if "google.colab" in sys.modules:
        return True
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    return bool(getattr(getattr(shell, "kernel", None), "_allow_stdin", False))


def describe(data: dict[str, Any], long: bool = False) -> str:
    """Say in words what a view shows."""
    part = data["parts"][0]
    numbers = {"layer": data["layers"], "head": data["heads"], "token": part["left"]}
    counts = ", ".join(
        f"{len(items)} {name}{'s' * (len(items) > 1)}"
        for name, items in numbers.items()
    )
    text = f"Attention, {data['view']} view: {counts}."
    if not long:
        return text
    weights = first_head(data)
    row, column = np.unravel_index(int(np.argmax(weights)), weights.shape)
    return (
        f"{text} Lines join each token with those it looks at. In layer "
        f"{data['layers'][0]}, head {data['heads'][0]} the strongest goes from "
        f"{part['left'][row]!r} to {part['right'][column]!r}: "
        f"{weights[row, column]:.2f}."
    )
