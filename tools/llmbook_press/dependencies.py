"""What notebook code stands on: modules of the package, and the data that they name.

Python is read, not run. Two rules keep the answer narrow, and a third keeps it true:

- Imports for type checkers are no imports.
- A module reaches the data files that it names: by file name (``"quiz.js"``), by a
  pattern (``f"{name}.jsonl"``), or as a folder with a slash at its end (``"tiny/"``).
- ``llmbook run`` fails where a notebook opened a data file of the package that these
  rules did not find.

It is narrow because each import names the file of a definition (tests hold that): a
module that passes names on would tie all who use one of them to all of them.
"""

import ast
import functools
import re
from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import NamedTuple

import llmbook_utils

PACKAGE = Path(llmbook_utils.__file__).parent
# Read by people alone, or made by Python from what is listed.
NO_DATA = {".py", ".pyc", ".md"}
FILE_NAME = re.compile(r"[\w*-]+(\.\w+)+")
FOLDER_NAME = re.compile(r"\w+/")


class _Source(NamedTuple):
    """What the source of a module imports, which strings it has, whether it has code.

    Imports are pairs of a module and a name; the name is empty for the module itself.
    Of an f-string there is a pattern, with ``*`` where a value stands.
    """

    imports: list[tuple[str, str]]
    words: set[str]
    has_code: bool


def _nodes(tree: ast.AST) -> Iterator[ast.AST]:
    """Walk a tree without its docstrings and what stands there for type checkers."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            continue
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            for other in node.orelse:
                yield other
                yield from _nodes(other)
            continue
        yield node
        yield from _nodes(node)


def is_text(node: ast.stmt) -> bool:
    """Tell whether a statement is a docstring, or a name such as ``__version__``."""
    if isinstance(node, ast.Assign):
        return all(getattr(t, "id", "").startswith("__") for t in node.targets)
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


@functools.cache
def _read(source: str, package: str) -> _Source:
    """Read a module's source; ``package`` is the one that relative imports start at."""
    tree = ast.parse(source)
    found = _Source([], set(), not all(map(is_text, tree.body)))
    for node in _nodes(tree):
        if isinstance(node, ast.Import):
            found.imports.extend((alias.name, "") for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            parts = package.split(".")
            parts = parts[: len(parts) - node.level + 1] if node.level else []
            module = ".".join([*parts, *filter(None, [node.module])])
            found.imports.extend((module, alias.name) for alias in node.names)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            found.words.add(node.value)
        elif isinstance(node, ast.JoinedStr):
            parts = [getattr(part, "value", "*") for part in node.values]
            found.words.add("".join(p if isinstance(p, str) else "*" for p in parts))
        if isinstance(node, ast.Call) and "import_module" in ast.dump(node.func):
            names = [a.value for a in node.args if isinstance(a, ast.Constant)]
            found.imports.extend((str(name), "") for name in names)
    return found


def _file(module: str, package: Path) -> Path | None:
    """Give the file of a module of the package, if it is one."""
    name, *parts = module.split(".")
    base = package.joinpath(*parts)
    if name == package.name:
        for path in (base.with_suffix(".py"), base / "__init__.py"):
            if path.is_file():
                return path
    return None


def _data(package: Path) -> list[Path]:
    """List the data files of the package."""
    every = (path for path in package.rglob("*") if path.suffix not in NO_DATA)
    return [path for path in every if path.is_file()]


def _named(words: Iterable[str], folder: Path, data: Iterable[Path]) -> set[Path]:
    """Find, of the data files in a folder, those that strings name."""
    names = [word for word in words if FILE_NAME.fullmatch(word)]
    folders = {folder / word for word in words if FOLDER_NAME.fullmatch(word)}
    if not names and not folders:
        return set()
    return {
        path
        for path in data
        if folder in path.parents
        if any(fnmatchcase(path.name, name) for name in names)
        or not folders.isdisjoint(path.parents)
    }


def package_files(source: str, package: Path = PACKAGE) -> list[Path]:
    """Follow imports from notebook code through this package, to its data files.

    Parameters
    ----------
    source : str
        Python code.
    package : Path, optional
        The folder of the package.

    Returns
    -------
    list of Path
        The package's files that the code depends on, sorted.

    Examples
    --------
    >>> [path.name for path in package_files("from llmbook_utils.plots import show")]
    ['__init__.py', 'rounding.py', 'style.py']
    """
    files: set[Path] = set()
    seen: set[str] = set()
    data = _data(package)
    todo = _read(source, "").imports
    while todo:
        module, name = todo[-1]
        todo = todo[:-1]
        inner = f"{module}.{name}"
        if name and _file(inner, package):
            module = inner
        path = _file(module, package)
        if module in seen or path is None:
            continue
        seen.add(module)
        is_package = path.name == "__init__.py"
        parent = module.rpartition(".")[0]
        text = _read(path.read_text(encoding="utf8"), module if is_package else parent)
        if text.has_code:
            files |= {path, *_named(text.words, path.parent, data)}
        # importing a module runs the packages above it
        todo += [*text.imports, (parent, "")]
    return sorted(files)
