"""A build that lost a page is a failed build."""

from collections.abc import Iterable
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.errors import ExtensionError


def missing_pages(html: Path, docnames: Iterable[str]) -> list[str]:
    """List the pages that should have been built and were not.

    Parameters
    ----------
    html : Path
        The folder of built pages.
    docnames : iterable of str
        The names in ``_toc.yml``.
    """
    return sorted(name for name in docnames if not (html / f"{name}.html").is_file())


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


def connect(app: Sphinx) -> None:
    """Check when the build has finished."""
    app.connect("build-finished", check_pages)
