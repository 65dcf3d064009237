"""What every explorer shares: one object that carries two layers.

A picture for print and GitHub, and an element that works without a kernel, in a page
and in Jupyter. Both are in the stored output.
"""

import base64
import hashlib
import html
import importlib
import json
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any, ClassVar

from llmbook_utils.plots.rounding import plain

MIME = "application/vnd.llmbook.explorer.v1+json"
KINDS: dict[str, type["Explorer"]] = {}
# Shared by all kinds, in the order in which a page has to load them.
STYLES = ("tokens.css", "explorer.css")
CORE_SCRIPT = "explorer.js"
MAX_BYTES = 300_000


def static_text(name: str) -> str:
    """Read a script or style sheet that all explorers share."""
    return Path(__file__).with_name(name).read_text(encoding="utf-8")


def content_id(payload: dict[str, Any]) -> str:
    """Make an id from the content, so that two runs store the same output."""
    text = json.dumps(payload, sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def script_json(data: Any) -> str:
    """Write JSON that is harmless inside a ``<script>`` element.

    Examples
    --------
    >>> script_json(["</script>"])
    '["\\\\u003c/script\\\\u003e"]'
    """
    text = json.dumps(data, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    # A token may be anything, also "</script>" or "<!--": no "<" leaves this function.
    # U+2028 and U+2029 end a line in older JavaScript.
    for char in "<>&\u2028\u2029":
        text = text.replace(char, f"\\u{ord(char):04x}")
    return text


def every_kind() -> dict[str, type["Explorer"]]:
    """Import the explorers of all folders beside this one, and list them by kind."""
    for folder in sorted(Path(__file__).parents[1].iterdir()):
        if (folder / f"{folder.name}.py").is_file():
            name = f"llmbook_utils.explorers.{folder.name}.{folder.name}"
            importlib.import_module(name)
    return KINDS


class Explorer(ABC):
    """An interactive figure whose data was computed once, in Python.

    A subclass names its ``kind``, its ``scripts`` and ``styles``, and says how its data
    become a picture and a fragment of HTML. All are functions of the data alone: the
    page is built from the stored JSON, without the object.

    Parameters
    ----------
    payload : dict
        The data; its numbers are stored with four significant digits.
    name : str
        The figure's name, unique in the book; also its address in the page.
    caption : str
        One or two sentences of Markdown.
    alt : str
        What the picture shows, for a reader who cannot see it.

    Raises
    ------
    ValueError
        If the name, the caption or the alt text is empty.
    """

    kind: ClassVar[str]
    scripts: ClassVar[tuple[Path, ...]]  # in the order in which they load
    styles: ClassVar[tuple[Path, ...]] = ()  # after those that all share
    height: ClassVar[int] = 600  # pixels of the frame in a live notebook

    def __init__(
        self, payload: dict[str, Any], *, name: str, caption: str, alt: str
    ) -> None:
        for word, value in (("name", name), ("caption", caption), ("alt", alt)):
            if not value or not value.strip():
                raise ValueError(
                    f"{type(self).__name__} needs {word}=..., got {value!r}; "
                    "readers and cross-references depend on it"
                )
        payload = plain(payload)
        self.data = {
            "kind": self.kind,
            "id": content_id({"kind": self.kind, **payload}),
            "name": name,
            "caption": caption,
            "alt": alt,
            **payload,
        }

    def __init_subclass__(cls) -> None:
        """Register the kind, by which the page finds the class again."""
        super().__init_subclass__()
        KINDS[cls.kind] = cls

    @staticmethod
    @abstractmethod
    def picture(data: dict[str, Any]) -> str | None:
        """Draw the data as a standalone SVG, or return None if words do better."""

    @classmethod
    def fragment(cls, data: dict[str, Any]) -> str:
        """Build the HTML that the script brings to life: the picture, the data."""
        return (
            f'<div class="lb-explorer lb-{cls.kind}" data-llmbook="{cls.kind}">'
            f'<div class="lb-static">{cls.picture(data)}</div>'
            f'<script type="application/json">{script_json(data)}</script></div>'
        )

    @classmethod
    def fallback(cls, data: dict[str, Any]) -> str:
        """Build HTML for where no script runs and no frame shows, as on GitHub.

        The picture is an image there: viewers strip SVG elements, too.
        """
        svg = base64.b64encode((cls.picture(data) or "").encode()).decode()
        alt = html.escape(data["alt"])
        return f'<img alt="{alt}" src="data:image/svg+xml;base64,{svg}">'

    @classmethod
    def page_files(cls) -> dict[str, str]:
        """Collect the files that the book's pages share, by name."""
        files = (*cls.styles, *cls.scripts)
        return {path.name: path.read_text(encoding="utf-8") for path in files}

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.data['name']!r})"

    def _repr_mimebundle_(
        self, include: object = None, exclude: object = None
    ) -> dict[str, Any]:
        return bundle(self.data)


def svg(
    data: dict[str, Any], width: float, height: float, style: str, *parts: str
) -> str:
    """Wrap the parts of an explorer's drawing in an SVG that stands alone.

    The style has colours for where no style sheet of ours is; the rules of the page's
    are more specific.
    """
    return (
        '<svg class="lb-svg" xmlns="http://www.w3.org/2000/svg" '
        f'viewBox="0 0 {width} {height}" role="img" '
        f'aria-label="{html.escape(data["alt"])}"><style>{style}</style>'
        f"{''.join(parts)}</svg>"
    )


def bundle(data: dict[str, Any]) -> dict[str, Any]:
    """Collect the stored layers of an explorer's data by MIME type.

    Raises
    ------
    ValueError
        If they are larger than the book allows for one output.
    """
    kind = KINDS[data["kind"]]
    layers: dict[str, Any] = {
        MIME: data,
        "text/html": f"{frame(data)}\n{fold(kind.fallback(data))}",
        "text/plain": f"{data['caption']} [{data['alt']}]",
    }
    picture = kind.picture(data)
    if picture:
        layers["image/svg+xml"] = picture
    size = len(json.dumps(layers).encode())
    if size > MAX_BYTES:
        raise ValueError(
            f"{data['name']}: {size:,} bytes of output, at most {MAX_BYTES:,} are "
            "allowed; show fewer items"
        )
    return layers


def document(data: dict[str, Any]) -> str:
    """Build a whole HTML document that needs no other file."""
    kind = KINDS[data["kind"]]
    styles = "".join(static_text(name) for name in STYLES)
    styles += "".join(path.read_text(encoding="utf-8") for path in kind.styles)
    scripts = static_text(CORE_SCRIPT)
    scripts += "".join(path.read_text(encoding="utf-8") for path in kind.scripts)
    return (
        '<!doctype html><html lang="en" class="lb-frame"><head><meta charset="utf-8">'
        f"<title>{html.escape(data['name'])}</title><style>{styles}</style></head>"
        f"<body>{kind.fragment(data)}<script>{scripts}</script></body></html>"
    )


def fold(text: str) -> str:
    """Fold HTML away below the frame."""
    return f"<details><summary>Without JavaScript</summary>{text}</details>"


def frame(data: dict[str, Any]) -> str:
    """Wrap the document in a frame without rights, for live notebooks.

    The frame cannot touch the notebook, and nothing in the notebook (require.js,
    a style sheet, a second output) can touch what is in the frame.
    """
    return (
        f'<iframe title="{html.escape(data["alt"])}" sandbox="allow-scripts" '
        f'style="width:100%;height:{KINDS[data["kind"]].height}px;border:0" '
        f'srcdoc="{html.escape(document(data))}"></iframe>'
    )
