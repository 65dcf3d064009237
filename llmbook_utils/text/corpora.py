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

from llmbook_utils.text.files import READERS, as_texts, read_documents

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


def load_corpus(name: str | Path, **options: object) -> list[str]:
    """Return the documents of the corpus called `name`.

    Parameters
    ----------
    name : str or Path
        ``"pydocs"``
            The language reference that ``help()`` shows, then every docstring of the
            standard library, about 2 MB of technical English from the reader's own
            Python. It differs a little between Python versions, and is the same every
            time with the same one.
        ``"tinyworld"``
            Stories of the simulated village: `n` of them (1,000 unless said), the same
            for the same `seed`, of a `split` (``"train"``, ``"validation"``,
            ``"test"``), a `village` (``"home"``, ``"away"``) and a `language`
            (``"en"``, ``"zh"``).
        a file
            A path that ends in ``.txt`` (empty lines separate the documents),
            ``.csv`` (the first line names the columns), ``.jsonl`` (an object a line)
            or ``.parquet``. UTF-8.
        ``"hub:owner/name"``, ``"hub:owner/name/config"``
            A dataset on the Hugging Face hub, through `datasets`, which keeps it in
            its cache.
    **options
        Those of TinyWorld stand above. For a file and for the hub: ``column="text"``,
        where the texts are (a .txt file has no columns). For the hub also
        ``split="train"`` and ``revision=None``, a branch, tag or commit.

    Returns
    -------
    list of str
        The documents, none empty, in a fixed order.

    Raises
    ------
    TypeError
        If `name` is no string or path, or the corpus has no such option.
    ValueError
        If there is no such corpus: the message lists those there are. If a file is
        damaged: it says where. If there is no such dataset, column or split.
    OSError
        If a file is not there (FileNotFoundError), or the hub cannot be reached and
        its cache does not hold the dataset (ConnectionError); or if this Python came
        without the text that ``"pydocs"`` is made from.

    Notes
    -----
    Chapter 02 learns word vectors from ``"pydocs"``.

    Examples
    --------
    >>> documents = load_corpus("pydocs")
    >>> any("JavaScript Object Notation" in text for text in documents)
    True
    """
    if not isinstance(name, (str, Path)):
        raise TypeError(
            f"name must be a string such as 'pydocs' or a Path, got "
            f"{type(name).__name__}"
        )
    if isinstance(name, str) and name.startswith("hub:"):
        return _call(_load_hub, name, options)
    if isinstance(name, Path) or Path(name).suffix.lower() in READERS:
        return _call(_load_file, name, options)
    if name not in _LOADERS:
        raise ValueError(
            f"there is no corpus {name!r}; choose one of: {', '.join(sorted(_LOADERS))}"
            f", a file ({', '.join(READERS)}), or 'hub:owner/name'"
        )
    return _call(_LOADERS[name], None, options)


def _call(
    loader: Callable[..., list[str]],
    name: str | Path | None,
    options: dict[str, object],
) -> list[str]:
    """Call a loader with the options that it takes."""
    arguments = () if name is None else (name,)
    try:
        inspect.signature(loader).bind(*arguments, **options)
    except TypeError as error:
        takes = list(inspect.signature(loader).parameters)[len(arguments) :]
        raise TypeError(
            f"{error}; the options of this corpus: {', '.join(takes) or 'none'}"
        ) from None
    return loader(*arguments, **options)


def _load_file(path: str | Path, column: str = "text") -> list[str]:
    """The documents of a file on this machine."""
    return read_documents(Path(path).expanduser(), column)


def _load_hub(
    name: str, column: str = "text", split: str = "train", revision: str | None = None
) -> list[str]:
    """The column of a dataset on the hub; empty texts are left out."""
    from llmbook_utils.text import hub

    parts = name.removeprefix("hub:").split("/")
    if len(parts) not in (2, 3) or "" in parts:
        raise ValueError(
            f"a dataset is 'hub:owner/name' or 'hub:owner/name/config', got {name!r}"
        )
    config = parts[2] if len(parts) == 3 else None
    dataset = hub.load_dataset("/".join(parts[:2]), config, split, revision)
    if column not in dataset.column_names:
        raise ValueError(
            f"{name!r} has no column {column!r}; pass column= one of: "
            f"{', '.join(map(repr, dataset.column_names))}"
        )
    texts = as_texts(name, column, dataset[column][:])
    return [text for text in texts if text.strip()]


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


def _load_tinyworld(
    n: int = 1000,
    seed: int | str = 0,
    split: str = "train",
    village: str = "home",
    language: str = "en",
) -> list[str]:
    """Stories of TinyWorld."""
    # by its name: a chapter that loads another corpus does not depend on this code
    sampling = import_module("llmbook_utils.tinyworld.sampling")
    chinese = import_module("llmbook_utils.tinyworld.chinese")
    told = sampling.stories(n, seed, split=split, village=village)
    return [chinese.render(story, language) for story in told]


# A new corpus is one more entry here: a function whose parameters are its options.
_LOADERS: dict[str, Callable[..., list[str]]] = {
    "pydocs": _load_pydocs,
    "tinyworld": _load_tinyworld,
}
