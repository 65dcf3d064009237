"""One way to get text: ask `load_corpus` for a corpus by its name.

A corpus is a list of documents, a document is a string. Nothing is read before it
is asked for, and nothing here imports torch.
"""

from __future__ import annotations

import ast
import inspect
import sysconfig
import tokenize
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path

# Tests and tools say little about the library, and other people's packages would
# make the corpus differ from one reader to the next.
_LEFT_OUT = frozenset(
    {
        "__pycache__",
        "dist-packages",
        "ensurepip",
        "idle_test",
        "idlelib",
        "lib2to3",
        "pydoc_data",
        "site-packages",
        "test",
        "tests",
        "turtledemo",
    }
)
_HAS_DOCSTRING = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


def load_corpus(name: str) -> list[str]:
    """Return the documents of the corpus called `name`.

    Parameters
    ----------
    name : str
        ``"pydocs"``: the language reference that ``help()`` shows, then every
        docstring of the standard library, about 2 MB of technical English from
        the reader's own Python. It differs a little between Python versions, and
        is the same every time with the same one.

    Returns
    -------
    list of str
        The documents, none empty, none twice, in a fixed order.

    Raises
    ------
    TypeError
        If `name` is not a string.
    ValueError
        If there is no such corpus. The message lists those there are.
    FileNotFoundError
        If this Python came without the text that ``"pydocs"`` is made from.

    Notes
    -----
    Chapter 02 learns word vectors from ``"pydocs"``.

    Examples
    --------
    >>> documents = load_corpus("pydocs")
    >>> any("JavaScript Object Notation" in text for text in documents)
    True
    """
    if not isinstance(name, str):
        raise TypeError(
            f"name must be a string such as 'pydocs', got {type(name).__name__}"
        )
    if name not in _LOADERS:
        raise ValueError(
            f"there is no corpus {name!r}; choose one of: {', '.join(sorted(_LOADERS))}"
        )
    return _LOADERS[name]()


def _load_pydocs() -> list[str]:
    """Topics by name, then docstrings by file and line; duplicates dropped."""
    library = Path(sysconfig.get_path("stdlib"))
    texts = [*_read_topics(), *_read_docstrings(library)]
    # a dict keeps the first of equal texts, in order
    return list(dict.fromkeys(text for text in texts if text))


def _read_topics() -> list[str]:
    """The pages of the language reference that ``help("...")`` shows."""
    try:
        topics = import_module("pydoc_data.topics").topics
    except ImportError as error:
        raise FileNotFoundError(
            "this Python has no pydoc_data.topics, which 'pydocs' is made from; use "
            "a full Python (python.org, conda, or your system's complete package)"
        ) from error
    return [topics[name].strip() for name in sorted(topics)]


def _read_docstrings(library: Path) -> list[str]:
    """Every docstring below the folder `library`, read without importing anything."""
    docstrings = [
        inspect.cleandoc(docstring)
        for path in _find_sources(library)
        for docstring in _iter_docstrings(_parse(path))
    ]
    if not docstrings:
        raise FileNotFoundError(
            f"no docstring found below {str(library)!r}, where 'pydocs' expects the "
            "source (.py files) of the standard library; use a Python that comes with "
            "its source, not an embeddable or stripped one"
        )
    return docstrings


def _find_sources(library: Path) -> list[Path]:
    """The .py files below `library` that count as library text, by relative path."""
    paths = {path.relative_to(library): path for path in library.rglob("*.py")}
    return [
        paths[relative]
        for relative in sorted(paths, key=lambda relative: relative.as_posix())
        if _LEFT_OUT.isdisjoint(relative.parts)
        # these two are written when Python is built, and differ between machines
        and not relative.name.startswith("_sysconfigdata")
        and not relative.parts[0].startswith("config-")
    ]


def _parse(path: Path) -> ast.Module:
    """The syntax tree of a file, in the encoding that the file declares."""
    with tokenize.open(path) as file:
        return ast.parse(file.read())


def _iter_docstrings(node: ast.AST) -> Iterator[str]:
    """Docstrings of `node` and of what is defined in it, in the order of the source."""
    if isinstance(node, _HAS_DOCSTRING):
        docstring = ast.get_docstring(node, clean=False)
        if docstring:
            yield docstring
    # only statements are visited: no expression holds a docstring, and `ast.walk`,
    # which visits every node, takes longer
    for field in ("body", "orelse", "handlers", "finalbody", "cases"):
        for child in getattr(node, field, ()):
            yield from _iter_docstrings(child)


# A new corpus is one more entry here.
_LOADERS: dict[str, Callable[[], list[str]]] = {"pydocs": _load_pydocs}
