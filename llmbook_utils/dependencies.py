"""What notebook code stands on: modules of this package, and the data that they name.

Python is read, not run. Three rules keep the answer narrow, and a fourth keeps it true:

- Of a package whose ``__init__.py`` only re-exports, an import reaches the modules from
  which its names come, and no other.
- Imports for type checkers are no imports.
- A module reaches the data files that it names: by file name (``"quiz.js"``), by a
  pattern (``f"{name}.jsonl"``), or as a folder with a slash at its end (``"tiny/"``).
- ``llmbook run`` fails where a notebook opened a data file of the package that these
  rules did not find.
"""

import ast
import functools
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path

PACKAGE = Path(__file__).parent
# Read by people alone, or made by Python from what is listed.
NO_DATA = {".py", ".pyc", ".md"}
FILE_NAME = re.compile(r"[\w*-]+(\.\w+)+")
FOLDER_NAME = re.compile(r"\w+/")


@dataclass
class _Module:
    """What the source of a module imports and names.

    Attributes
    ----------
    imports : list of (str, str or None)
        Module and name of each import; None for the module itself.
    origins : dict of str to (str, str or None)
        Where a name that an import binds comes from.
    words : set of str
        Its strings, but for docstrings; ``*`` where an f-string has a value.
    attributes : dict of str to set of str
        What is taken of each name, as ``chart`` in ``ladder.chart``.
    bare : set of str
        Names that are used as a whole.
    only_exports : bool
        Whether it has nothing but imports, a docstring and ``__all__``.
    """

    imports: list[tuple[str, str | None]] = field(default_factory=list)
    origins: dict[str, tuple[str, str | None]] = field(default_factory=dict)
    words: set[str] = field(default_factory=set)
    attributes: dict[str, set[str]] = field(default_factory=dict)
    bare: set[str] = field(default_factory=set)
    only_exports: bool = True


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


def _is_inert(node: ast.stmt) -> bool:
    """Tell whether a statement of an ``__init__.py`` changes no output."""
    if isinstance(node, ast.Assign):
        return all(getattr(t, "id", "").startswith("__") for t in node.targets)
    is_docstring = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    return is_docstring or isinstance(node, ast.Import | ast.ImportFrom)


@functools.cache
def _read(source: str, package: str) -> _Module:
    """Read a module's source; ``package`` is the one that relative imports start at."""
    tree, found = ast.parse(source), _Module()
    found.only_exports = all(map(_is_inert, tree.body))
    owners = set()
    for node in _nodes(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            owners.add(node.value)
            found.attributes.setdefault(node.value.id, set()).add(node.attr)
        elif isinstance(node, ast.Name) and node not in owners:
            found.bare.add(node.id)
        elif isinstance(node, ast.Import):
            found.imports += [(alias.name, None) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            parts = package.split(".")
            parts = parts[: len(parts) - node.level + 1] if node.level else []
            module = ".".join([*parts, *filter(None, [node.module])])
            for alias in node.names:
                found.imports.append((module, alias.name))
                found.origins[alias.asname or alias.name] = (module, alias.name)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            found.words.add(node.value)
        elif isinstance(node, ast.JoinedStr):
            parts = [getattr(part, "value", "*") for part in node.values]
            found.words.add("".join(p if isinstance(p, str) else "*" for p in parts))
        if isinstance(node, ast.Call) and "import_module" in ast.dump(node.func):
            names = [a.value for a in node.args if isinstance(a, ast.Constant)]
            found.imports += [(str(name), None) for name in names]
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


def _module(path: Path, module: str) -> _Module:
    """Read the file of a module."""
    is_package = path.name == "__init__.py"
    package = module if is_package else module.rpartition(".")[0]
    return _read(path.read_text(encoding="utf8"), package)


def _only_exports(path: Path, text: _Module) -> bool:
    return path.name == "__init__.py" and text.only_exports


def _wanted(text: _Module, package: Path) -> list[tuple[str, str | None]]:
    """List what code takes from where; of a package, the names that it uses alone."""
    found = list(text.imports)
    for bound, (module, name) in text.origins.items():
        path = _file(f"{module}.{name}", package)
        taken = text.attributes.get(bound)
        is_whole = bound in text.bare or not taken or path is None
        if not is_whole and _only_exports(path, _module(path, f"{module}.{name}")):
            found.remove((module, name))
            found += [(f"{module}.{name}", attribute) for attribute in taken]
    return found


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
    ['plot_style.py', 'plots.py', 'rounding.py']
    """
    files: set[Path] = set()
    seen: set[tuple[str, str | None]] = set()
    data = _data(package)
    todo = _wanted(_read(source, ""), package)
    while todo:
        module, name = wanted = todo.pop()
        path = _file(module, package)
        if wanted in seen or path is None:
            continue
        seen.add(wanted)
        # importing a module runs the packages above it
        todo.append((module.rpartition(".")[0], ""))
        if name and _file(f"{module}.{name}", package):
            todo.append((f"{module}.{name}", None))
            continue
        text = _module(path, module)
        if not _only_exports(path, text):
            files |= {path, *_named(text.words, path.parent, data)}
            todo += _wanted(text, package)
        elif name in text.origins:
            todo.append(text.origins[name])
        elif name != "":
            todo += text.imports
    return sorted(files)
