"""The map in the README: the rooms of the code, and the files that chapters build."""

import ast
import re
from pathlib import Path

import nbformat

from llmbook_press.dependencies import PACKAGE, is_text
from llmbook_press.notebooks import module_path, notebook_paths

SHOWN = {".py", ".json", ".jsonl", ".js", ".css"}
TOOLS = ("llmbook_press", "llmbook_homework", "llmbook_recipes")


def rooms_table(folder: Path, root: Path) -> str:
    """Write a Markdown table of a package's rooms: where, what, and their files.

    A folder that says what it is for has a line. There stand its files, an
    ``__init__.py`` only if it has code, and its folders that do not say so.
    """
    rows = ["| where | what | files |", "|---|---|---|"]
    for path in sorted({p.parent for p in folder.rglob("__init__.py")}):
        tree = ast.parse((path / "__init__.py").read_text("utf8"))
        text = ast.get_docstring(tree)
        if not text:
            continue
        inner = [p.name for p in sorted(path.iterdir()) if p.suffix in SHOWN]
        if all(map(is_text, tree.body)):
            inner.remove("__init__.py")
        inner += [f"{p.name}/" for p in sorted(path.iterdir()) if _is_silent(p)]
        where = f"{path.relative_to(root).as_posix()}/"
        names = " ".join(f"`{name}`" for name in inner)
        rows.append(f"| `{where}` | {text.splitlines()[0].rstrip('.')} | {names} |")
    return "\n".join(rows)


def _is_silent(path: Path) -> bool:
    """Tell whether a folder has no line of its own: data, or Python without a word."""
    start = path / "__init__.py"
    is_data = path.is_dir() and path.name != "__pycache__" and not start.is_file()
    return is_data or (start.is_file() and not start.read_text("utf8"))


def chapters_table(root: Path) -> str:
    """Write a Markdown table of the package's files that each chapter builds.

    It shows their code, or their docstrings say "Built in chapter 06".
    """
    rows = ["| chapter | files that it teaches line by line |", "|---|---|"]
    built_in: dict[str, set[Path]] = {}
    for path in PACKAGE.rglob("*.py"):
        for number in re.findall(r"Built in chapter (\d\d)", path.read_text("utf8")):
            built_in.setdefault(number, set()).add(path)
    for path in notebook_paths(root):
        nb = nbformat.read(path, as_version=4)
        names = [c.metadata["source"] for c in nb.cells if "source" in c.metadata]
        places = {module_path(name.rpartition(".")[0]) for name in names}
        places |= built_in.get(path.name[:2], set())
        shown = sorted(p.relative_to(PACKAGE.parent).as_posix() for p in places)
        title = re.match(r"# (.+)", nb.cells[0].source)[1]
        built = " ".join(f"`{place}`" for place in shown) or "none"
        rows.append(f"| [{path.name[:2]} {title}](notebooks/{path.name}) | {built} |")
    return "\n".join(rows)


def with_tables(text: str, root: Path) -> str:
    """Put the tables between their marks in a text, where it has them.

    Raises
    ------
    ValueError
        If a table has no end.
    """
    if ": by llmbook sync -->" not in text:
        return text
    tables = {
        "rooms": rooms_table(root / "llmbook_utils", root),
        "chapters": chapters_table(root),
        **{tool: rooms_table(root / "tools" / tool, root) for tool in TOOLS},
    }
    for name, table in tables.items():
        before, begin, rest = text.partition(f"<!-- {name}: by llmbook sync -->\n")
        _, end, after = rest.partition(f"<!-- end of {name} -->")
        if begin and not end:
            raise ValueError(f"a table of {name} begins, and has no end")
        text = f"{before}{begin}{table}\n{end}{after}" if begin else text
    return text
