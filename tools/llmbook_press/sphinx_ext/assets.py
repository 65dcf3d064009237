"""Every script, style and font comes from this machine's own packages."""

import importlib.util
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError
from sphinx.util.fileutil import copy_asset

from llmbook_utils.explorers.core.explorer import (
    CORE_SCRIPT,
    STYLES,
    every_kind,
    static_text,
)

FONTS = {
    "font_source_serif_pro": ("Regular", "It", "Semibold", "SemiboldIt"),
    "font_source_sans_pro": ("Regular", "It", "Semibold", "SemiboldIt"),
}
# Of MathJax's 24 MB, what a page may ask for.
MATHJAX_PARTS = ("tex-chtml.js", "input/tex", "output/chtml", "a11y", "sre", "ui")
MATHJAX_FILE = "mathjax/tex-chtml.js"
PLOTLY_FILE = "plotly.min.js"
# Runs before the page is painted: the theme's own script, which comes later, would
# let a dark page flash white.
EARLY_THEME = (
    "(function (root) { if (!root.dataset.theme) root.dataset.theme = "
    "matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light'; }"
    "(document.documentElement));"
)


def package_folder(module: str, pip_name: str) -> Path:
    """Find an installed package's folder without running its code.

    Raises
    ------
    ExtensionError
        If the package is not installed; the message has the command.
    """
    spec = importlib.util.find_spec(module)
    if spec is None or spec.origin is None:
        raise ExtensionError(
            f"the book's pages need {pip_name}: python -m pip install {pip_name}"
        )
    return Path(spec.origin).parent


def copy_assets(app: Sphinx, error: Exception | None) -> None:
    """Copy what the pages load into the built book."""
    if error is not None or app.builder.format != "html":
        return
    static = Path(app.outdir, "_static")
    files = {name: static_text(name) for name in (*STYLES, CORE_SCRIPT)}
    for kind in every_kind().values():
        files |= kind.page_files()
    for name, text in files.items():
        (static / name).write_text(text, encoding="utf-8")
    plotly = package_folder("plotly", "plotly") / "package_data" / PLOTLY_FILE
    copy_asset(str(plotly), str(static))
    mathjax = package_folder("sphinx-mathjax-offline", "sphinx-mathjax-offline")
    for part in MATHJAX_PARTS:
        source = mathjax / "static" / "mathjax" / part
        target = static / "mathjax" / part
        copy_asset(str(source), str(target if source.is_dir() else target.parent))
    copy_fonts(static / "fonts")


def copy_fonts(target: Path) -> None:
    """Copy the faces that the style sheet names, and their licences."""
    target.mkdir(parents=True, exist_ok=True)
    for module, styles in FONTS.items():
        files = package_folder(module, module.replace("_", "-")) / "files"
        family = module.removeprefix("font_").replace("_", " ").title().replace(" ", "")
        for style in styles:
            name = f"{family}-{style}.otf"
            (target / name).write_bytes((files / name).read_bytes())
        licence = (files / "LICENSE.txt").read_bytes()
        (target / f"{family}-LICENSE.txt").write_bytes(licence)


def add_page_scripts(
    app: Sphinx,
    pagename: str,
    templatename: str,
    context: dict[str, Any],
    doctree: nodes.document | None,
) -> None:
    """Load each explorer's script only where one stands; llmbook.js loads plotly."""
    body = context.get("body", "")
    used = [
        kind for kind in every_kind().values() if f'data-llmbook="{kind.kind}"' in body
    ]
    if used:
        app.add_js_file(CORE_SCRIPT, defer="defer", priority=310)
    for style in dict.fromkeys(style for kind in used for style in kind.styles):
        app.add_css_file(style.name, priority=410)
    for script in dict.fromkeys(script for kind in used for script in kind.scripts):
        app.add_js_file(script.name, defer="defer", priority=320)


def connect(app: Sphinx) -> None:
    """Set the local paths and copy the files when the build has finished."""
    app.config.mathjax_path = MATHJAX_FILE
    # Jupyter Book always sets this value of an extension that we do not load.
    app.add_config_value("comments_config", {}, "html")
    app.add_js_file(None, body=EARLY_THEME, priority=100)
    for name in STYLES:
        app.add_css_file(name, priority=400)
    app.connect("html-page-context", add_page_scripts)
    app.connect("build-finished", copy_assets)
