"""Mark the tests whose outcome the processor's arithmetic could change."""

import ast
from functools import cache
from pathlib import Path

import pytest

# What rounds: in a file that imports one of them, a sum may end in other digits on
# another processor.
ROUNDS = {"numpy", "torch", "scipy", "sklearn", "transformers"}


@cache
def is_numerical(path: Path) -> bool:
    """Tell whether a file imports a library that computes, at any depth of its code."""
    nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf8"))))
    names = {a.name for n in nodes if isinstance(n, ast.Import) for a in n.names}
    names |= {n.module or "" for n in nodes if isinstance(n, ast.ImportFrom)}
    return any(name.partition(".")[0] in ROUNDS for name in names)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark each test of a file that computes, so that none has to be remembered."""
    for item in items:
        # The hook sees the items of all folders that were asked for.
        if item.path.parent == Path(__file__).parent and is_numerical(item.path):
            item.add_marker("numerical")
