"""Chapters keep the number in their file name: ``02_slug`` is chapter 2.

Sphinx counts pages, so that chapter 2 would be number 1 as long as it is the only
one, and every later chapter would change all the figures' numbers.
"""

import re

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.environment.collectors.toctree import TocTreeCollector

Number = tuple[int, ...]


def chapter_number(docname: str) -> int | None:
    """Read the chapter's number from a page's name.

    Examples
    --------
    >>> chapter_number("notebooks/02_word_embeddings"), chapter_number("book/faq")
    (2, None)
    """
    match = re.fullmatch(r"(?:.*/)?(\d\d)_[^/]+", docname)
    return int(match[1]) if match else None


def number_sections(contents: nodes.Element, number: int) -> dict[str, Number]:
    """Number a page's table of contents, in place.

    Returns
    -------
    dict
        The number of each section, by anchor; the page's own anchor is empty.
    """
    numbers: dict[str, Number] = {}

    def walk(parent: nodes.Element, prefix: Number, start: int) -> None:
        count = start
        for item in parent.children:
            if not isinstance(item, nodes.list_item):
                continue
            for child in item.children:
                if isinstance(child, addnodes.compact_paragraph):
                    reference = child[0]
                    reference["secnumber"] = (*prefix, count)
                    numbers[reference["anchorname"]] = (*prefix, count)
                elif isinstance(child, nodes.bullet_list):
                    walk(child, (*prefix, count), 1)
            count += 1

    walk(contents, (), number)
    return numbers


def number_chapters(app: Sphinx, env: BuildEnvironment) -> list[str]:
    """Number the sections of all chapters, then their figures."""
    changed = []
    for docname in sorted(env.found_docs):
        number = chapter_number(docname)
        if number is None or docname not in env.tocs:
            continue
        numbers = number_sections(env.tocs[docname], number)
        env.titles[docname]["secnumber"] = (number,)
        if env.toc_secnumbers.get(docname) != numbers:
            env.toc_secnumbers[docname] = numbers
            changed.append(docname)
    return changed + TocTreeCollector().assign_figure_numbers(env)


def connect(app: Sphinx) -> None:
    """Run after Sphinx's own numbering, whose priority is 500."""
    app.connect("env-get-updated", number_chapters, priority=600)
