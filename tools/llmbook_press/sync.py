"""Cells that are written by the machine, from one source each.

- A code cell with ``"source": "llmbook_utils.module.Name"`` in its metadata
  shows the package's own code, taken from the file.
- A cell tagged ``colab-setup`` installs the package in Colab.
- A cell tagged ``cost`` holds the Colab link and what the chapter costs.
- The README's map names the rooms of the code, and the files that each chapter builds.

The repository's address stands once, in ``_config.yml``.
"""

import ast
import inspect
import re
import textwrap
from pathlib import Path

import nbformat
import yaml

from llmbook_press import notebooks, readme
from llmbook_press.notebooks import module_path

COLAB = "https://colab.research.google.com/github"
COLAB_SETUP = """\
# In Colab this installs the book's package if it is missing; elsewhere nothing.
import importlib.util
import sys

if "google.colab" in sys.modules:
    package = "llmbook @ git+{url}@{branch}"
    if importlib.util.find_spec("llmbook_utils"):
        print("llmbook is here already; nothing was installed.")
    else:
        import subprocess
        from importlib.metadata import version

        # Named with their own versions, torch and numpy stay as Colab has them.
        keep = [f"{{name}}=={{version(name)}}" for name in ("torch", "numpy")]
        pip = [sys.executable, "-m", "pip", "install", "--quiet"]
        subprocess.run([*pip, package, *keep], check=True)
        print(f"Installed {{package}}; kept {{' and '.join(keep)}}.")"""


def repository(root: Path) -> tuple[str, str]:
    """Read the repository's address and branch from ``_config.yml``.

    Parameters
    ----------
    root : Path
        The repository.

    Returns
    -------
    tuple of str
        Address without a slash at its end, and branch.
    """
    config = yaml.safe_load((root / "_config.yml").read_text(encoding="utf8"))
    return config["repository"]["url"].rstrip("/"), config["repository"]["branch"]


def colab_url(path: Path, root: Path) -> str:
    """Give the address at which Colab opens a notebook of the repository."""
    url, branch = repository(root)
    slug = url.removeprefix("https://github.com/")
    return f"{COLAB}/{slug}/blob/{branch}/{path.relative_to(root).as_posix()}"


def package_source(name: str) -> str:
    """Read the source of a public function or class out of the package's file.

    Parameters
    ----------
    name : str
        Dotted name, such as ``"llmbook_utils.models.words.embeddings.ppmi"``.

    Returns
    -------
    str
        The definition as the file has it, its docstring cut to the first line.

    Raises
    ------
    ValueError
        If the package has no such definition.
    """
    module, _, attribute = name.rpartition(".")
    path = module_path(module)
    if not path.is_file():
        raise ValueError(f"{name}: there is no file {module}.py in the package")
    text = path.read_text(encoding="utf8")
    for node in ast.parse(text).body:
        if getattr(node, "name", None) == attribute:
            return _shorten_docstrings(text, node)
    raise ValueError(f"{name}: {path.name} defines no {attribute}")


def _shorten_docstrings(text: str, node: ast.AST) -> str:
    """Cut each docstring of a definition to its first line, for a book's page."""
    lines = text.splitlines()
    first = min([node.lineno, *(d.lineno for d in node.decorator_list)])  # type: ignore[attr-defined]
    shown = {n: lines[n - 1] for n in range(first, node.end_lineno + 1)}  # type: ignore[attr-defined]
    for inner in ast.walk(node):
        if not isinstance(inner, ast.FunctionDef | ast.ClassDef):
            continue
        docstring = ast.get_docstring(inner)
        if docstring is None:
            continue
        expr = inner.body[0]
        for number in range(expr.lineno, (expr.end_lineno or expr.lineno) + 1):
            shown.pop(number)
        head = inspect.cleandoc(docstring).splitlines()[0]
        shown[expr.lineno] = f'{" " * expr.col_offset}"""{head}"""'
    return textwrap.dedent("\n".join(shown[n] for n in sorted(shown)))


def _written(
    cell: nbformat.NotebookNode, nb: nbformat.NotebookNode, path: Path, root: Path
) -> str:
    """Give the text that a cell must have; its own if no machine writes it."""
    tags = cell.metadata.get("tags", [])
    if "source" in cell.metadata:
        return package_source(cell.metadata["source"])
    if "colab-setup" in tags:
        url, branch = repository(root)
        return COLAB_SETUP.format(url=url, branch=branch)
    if "cost" in tags:
        cost = notebooks.cost_line(nb) if "llmbook" in nb.metadata else "Not yet run."
        return f"{cost} [Open in Colab]({colab_url(path, root)})"
    return cell.source


def sync_notebook(path: Path, root: Path) -> nbformat.NotebookNode | None:
    """Compute a notebook with its machine-written cells as they should be.

    Returns
    -------
    NotebookNode or None
        The changed notebook, or None if nothing differs.
    """
    nb = nbformat.read(path, as_version=4)
    before = [cell.source for cell in nb.cells]
    for cell in nb.cells:
        cell.source = _written(cell, nb, path, root)
    return nb if before != [cell.source for cell in nb.cells] else None


def sync_addresses(text: str, root: Path) -> str:
    """Put the addresses of the repository and of Colab right in a text.

    Parameters
    ----------
    text : str
        In which the only addresses on GitHub are the book's own.
    root : Path
        The repository.
    """
    url, branch = repository(root)
    slug = url.removeprefix("https://github.com/")
    text = re.sub(r"https://github\.com/[\w.-]+/[\w-]+", url, text)
    target = rf"{COLAB}/{slug}/blob/{branch}/"
    return re.sub(rf"{re.escape(COLAB)}/[^)\s]*?/blob/[^/]+/", target, text)


def sync_all(root: Path, check: bool) -> list[str]:
    """Bring every machine-written text up to date, or say which ones are not.

    Parameters
    ----------
    root : Path
        The repository.
    check : bool
        Write nothing.

    Returns
    -------
    list of str
        Names of the files that were, or would be, changed.
    """
    changed = []
    for path in notebooks.notebook_paths(root):
        nb = sync_notebook(path, root)
        if nb is not None:
            changed.append(path.name)
            if not check:
                notebooks.write(nb, path)
    for name in ("README.md", "CITATION.cff"):
        text = (root / name).read_text(encoding="utf8")
        new = readme.with_tables(sync_addresses(text, root), root)
        if new != text:
            changed.append(name)
            if not check:
                (root / name).write_text(new, encoding="utf8")
    return changed
