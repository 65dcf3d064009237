"""Chapters, read once, for the contract."""

import json
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import nbformat

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


@dataclass
class Chapter:
    """A notebook with the views of it that the contract speaks of."""

    path: Path

    @cached_property
    def nb(self):
        return nbformat.read(self.path, as_version=4)

    @cached_property
    def code(self):
        return [c for c in self.nb.cells if c.cell_type == "code"]

    @cached_property
    def text(self):
        return [c for c in self.nb.cells if c.cell_type == "markdown"]

    @cached_property
    def headings(self):
        """Second-level headings in order."""
        prose = "\n".join(cell.source for cell in self.text)
        return re.findall(r"^## (.+?)\s*$", prose, re.M)

    def section(self, heading):
        """Cells from a second-level heading up to the next one."""
        inside, cells = False, []
        for cell in self.nb.cells:
            if cell.cell_type == "markdown":
                found = re.search(r"^## (.+?)\s*$", cell.source, re.M)
                if found:
                    inside = found[1] == heading
            if inside:
                cells.append(cell)
        return cells

    def outputs(self, mime):
        """Data of one MIME type in all outputs."""
        return [
            output.data[mime]
            for cell in self.code
            for output in cell.outputs
            if mime in output.get("data", {})
        ]


def tags(cell):
    """The tags of a cell."""
    return cell.metadata.get("tags", [])


def has_tag(cell, name):
    """Tell whether a cell has a tag."""
    return name in tags(cell)


def nbgrader(cell):
    """The nbgrader metadata of a cell, empty if it has none."""
    return cell.metadata.get("nbgrader", {})


def prose(cell):
    """A cell's words: without code, formulas, links' addresses and directives."""
    text = re.sub(r"^(`{3,}|~{3,}).*?^\1", "", cell.source, flags=re.M | re.S)
    text = re.sub(r"\$\$.*?\$\$|\$[^$\n]*\$", "", text, flags=re.S)
    text = re.sub(r"\{[a-z:]+\}`[^`]*`|`[^`]*`", "", text)
    text = re.sub(r"\]\([^)]*\)", "]", text)
    return re.sub(r"^:{3,}.*$|^:[a-z-]+:.*$|^\([\w-]+\)=$", "", text, flags=re.M)


def size(value):
    """Bytes of a value as JSON."""
    return len(json.dumps(value).encode())
