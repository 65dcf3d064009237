"""A build that lost a page is a failed build, and a page that moved leaves a link."""

import html
import os.path
from collections.abc import Iterable
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.errors import ExtensionError


def missing_pages(folder: Path, docnames: Iterable[str]) -> list[str]:
    """List the pages that should have been built and were not.

    Parameters
    ----------
    folder : Path
        Of the built pages.
    docnames : iterable of str
        The names in ``_toc.yml``.
    """
    return sorted(name for name in docnames if not (folder / f"{name}.html").is_file())


def check_pages(app: Sphinx, error: Exception | None) -> None:
    """Fail the build, with the reason, when a page of ``_toc.yml`` is missing."""
    if error is not None or app.builder.name != "html":
        return
    site_map = getattr(app.env, "external_site_map", None)
    if site_map is None:
        return
    names = [name.removesuffix(".md").removesuffix(".ipynb") for name in site_map]
    missing = missing_pages(Path(app.outdir), names)
    if missing:
        raise ExtensionError(
            f"{len(missing)} of {len(names)} pages named in _toc.yml were not built: "
            f"{', '.join(missing)}. Restore the files, or take them out of _toc.yml."
        )


def leading_on(new: str) -> str:
    """Write the page that leads to where another page is now, to the same heading."""
    address = html.escape(new)
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f'<title>This page has moved</title><link rel="canonical" href="{address}">'
        f'<meta http-equiv="refresh" content="1; url={address}">'
        f"<script>location.replace({new!r} + location.hash)</script></head>"
        f'<body><p>This page has moved: <a href="{address}">{address}</a></p></body>'
        "</html>\n"
    )


def leave_links(app: Sphinx, error: Exception | None) -> None:
    """Write a page that leads on for each page that ``llmbook_moved`` names."""
    if error is not None or app.builder.name != "html":
        return
    for old, new in app.config.llmbook_moved.items():
        if new in app.env.all_docs:  # another book may have the same configuration
            place = Path(app.outdir, f"{old}.html")
            target = os.path.relpath(Path(app.outdir, f"{new}.html"), place.parent)
            place.write_text(leading_on(Path(target).as_posix()), encoding="utf8")


def connect(app: Sphinx) -> None:
    """Check and lead on when the build has finished."""
    app.add_config_value("llmbook_moved", {}, "html")
    app.connect("build-finished", check_pages)
    app.connect("build-finished", leave_links)
