"""Breaking the book on purpose: the build, or the checker, must go red."""

from pathlib import Path

import nbformat
import pytest
import specimen
from conftest import open_page, run_build, serve
from nbformat.v4 import new_code_cell, new_output

TOC = "format: jb-book\nroot: book/index\nchapters:\n  - file: book/second\n"


@pytest.fixture
def book(tmp_path: Path) -> Path:
    """Write a book of two pages, which builds as it is."""
    folder = specimen.write_book(tmp_path / "source", TOC)
    (folder / "book" / "index.md").write_text("# One\n\nText.\n")
    (folder / "book" / "second.md").write_text("# Two\n\n```{bibliography}\n```\n")
    return folder


def build(folder: Path) -> tuple[int, str]:
    result = run_build(folder, folder.parent / "out")
    return result.returncode, result.stdout + result.stderr


def count_warnings(log: str, text: str) -> int:
    """Count the warnings with a text: each by itself would have failed the build."""
    return sum("WARNING: " in line and text in line for line in log.splitlines())


def add(folder: Path, text: str) -> None:
    page = folder / "book" / "index.md"
    page.write_text(page.read_text() + "\n" + text + "\n")


SILENT_PICTURES = """\
![](figures/logo.svg)

<img src="figures/logo.svg">

```{figure} figures/logo.svg
A caption is no alt text.
```

![](figures/hero.svg)
"""


def test_pictures_without_alt_text_and_broken_references_fail(book: Path) -> None:
    add(book, SILENT_PICTURES)
    add(book, "{numref}`fig-missing` and [a page](missing.md)")
    code, log = build(book)
    assert code != 0
    assert count_warnings(log, "image without alt text") == 4
    assert count_warnings(log, "fig-missing") == 1
    assert count_warnings(log, "missing.md") == 1


def test_outputs_without_alt_text_fail(book: Path) -> None:
    notebook = specimen.notebook()
    for data in (
        {"application/vnd.plotly.v1+json": {"data": [], "layout": {}}},
        {"image/png": "iVBORw0KGgo="},
    ):
        output = new_output("display_data", data=data)
        notebook.cells.append(new_code_cell("x", outputs=[output]))
    nbformat.write(notebook, book / f"{specimen.PAGE}.ipynb")
    (book / "_toc.yml").write_text(TOC + f"  - file: {specimen.PAGE}\n")
    (book / "book" / "index.md").write_text(specimen.PAGES["index.md"])
    (book / "book" / "second.md").write_text("# Two\n\nText.\n")
    code, log = build(book)
    assert code != 0
    assert count_warnings(log, "a plotly figure without caption and alt text") == 1
    assert count_warnings(log, "image without alt text") == 1


def test_removed_page_fails_with_the_reason(book: Path) -> None:
    (book / "book" / "second.md").unlink()
    code, log = build(book)
    assert code != 0
    assert "not built: book/second" in log


def test_chapter_without_measurements_fails(book: Path) -> None:
    notebook = specimen.notebook()
    del notebook.metadata["llmbook"]
    nbformat.write(notebook, book / f"{specimen.PAGE}.ipynb")
    (book / "_toc.yml").write_text(specimen.TOC)
    (book / "book" / "index.md").write_text(specimen.PAGES["index.md"])
    code, log = build(book)
    assert code != 0
    assert "make notebooks" in log


def test_unclosed_solution_fails(book: Path) -> None:
    notebook = specimen.notebook()
    for cell in notebook.cells:
        cell["source"] = cell["source"].replace("### END SOLUTION", "")
    nbformat.write(notebook, book / f"{specimen.PAGE}.ipynb")
    (book / "_toc.yml").write_text(specimen.TOC)
    (book / "book" / "index.md").write_text(specimen.PAGES["index.md"])
    code, log = build(book)
    assert code != 0
    assert "without END SOLUTION" in log


def test_checker_sees_what_a_page_asks_of_others_and_what_is_missing(
    book: Path, browser: object
) -> None:
    """The build takes this page, and so the checker has to see it."""
    add(
        book,
        '<img src="https://example.invalid/a.png" alt="far away">\n'
        '<script src="https://example.invalid/b.js"></script>',
    )
    code, log = build(book)
    assert code == 0, log
    html = book.parent / "out" / "_build" / "html"
    with serve(html) as url, open_page(browser, f"{url}/book/index.html") as visit:
        assert sorted(visit.outside) == [
            "https://example.invalid/a.png",
            "https://example.invalid/b.js",
        ]
        assert visit.errors
        assert not any("llmbook.css" in failure for failure in visit.failed)
    (html / "_static" / "llmbook.css").unlink()
    # Another port: no cache has the style sheet.
    with serve(html) as url, open_page(browser, f"{url}/book/second.html") as visit:
        assert any("llmbook.css" in failure for failure in visit.failed)
