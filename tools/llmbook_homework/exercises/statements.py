"""The statements of a cell, and the names that each of them binds, changes and uses."""

import ast
import builtins
import symtable
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

SHOWS = {"print", "display"}
BUILTINS = frozenset(dir(builtins)) | {"__name__", "__file__", "__builtins__"}


class Place(NamedTuple):
    """A name, or one constant key of what it holds."""

    name: str
    key: str | None = None

    def meets(self, other: "Place") -> bool:
        """Tell whether two places may be the same."""
        return self.name == other.name and (
            self.key is None or other.key is None or self.key == other.key
        )


@dataclass(frozen=True)
class Statement:
    """A top-level statement: its text, and the names it touches.

    Attributes
    ----------
    position : tuple of int
        Number of the cell in the notebook, number of the statement in the cell.
    source : str
    binds : frozenset of str
    changes : frozenset of Place
    uses : frozenset of Place
        When it runs.
    uses_later : frozenset of Place
        When a function that it defines is called.
    """

    position: tuple[int, int]
    source: str
    binds: frozenset[str]
    changes: frozenset[Place]
    uses: frozenset[Place]
    uses_later: frozenset[Place]


@dataclass
class _Touched(ast.NodeVisitor):
    """Places that a statement changes, and with which keys it uses names."""

    changes: set[Place] = field(default_factory=set)
    bare: set[str] = field(default_factory=set)
    keyed: set[Place] = field(default_factory=set)

    def visit_Name(self, node: ast.Name) -> None:
        self.bare.add(node.id)

    def visit_Subscript(self, node: ast.Subscript) -> None:
        place = _place(node)
        if isinstance(node.ctx, ast.Store | ast.Del) and place:
            self.changes.add(place)
        if place and place.key is not None and isinstance(node.value, ast.Name):
            self.keyed.add(place)
        else:
            self.generic_visit(node)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        place = _place(node)
        if isinstance(node.ctx, ast.Store | ast.Del) and place:
            self.changes.add(place)
        self.generic_visit(node)

    def visit_Expr(self, node: ast.Expr) -> None:
        """A call for its effect may change what it is called on, and what it gets."""
        if isinstance(node.value, ast.Call) and not _only_shows(node.value):
            for inner in ast.walk(node.value):
                if isinstance(inner, ast.Name):
                    self.changes.add(Place(inner.id))
        self.generic_visit(node)


def _only_shows(call: ast.Call) -> bool:
    called = call.func
    if isinstance(called, ast.Attribute):
        return called.attr == "show"
    # A class that is called for nothing but its picture: an explorer.
    return isinstance(called, ast.Name) and (
        called.id in SHOWS or called.id[:1].isupper()
    )


def _place(node: ast.expr) -> Place | None:
    """Name the variable below subscripts and attributes, with its first key."""
    key = None
    while isinstance(node, ast.Subscript | ast.Attribute):
        key = None
        if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant):
            key = repr(node.slice.value)
        node = node.value
    return Place(node.id, key) if isinstance(node, ast.Name) else None


def _later(table: symtable.SymbolTable) -> Iterator[str]:
    """Names that functions within a table take from the module."""
    for child in table.get_children():
        yield from (s.get_name() for s in child.get_symbols() if s.is_global())
        yield from _later(child)


def statements(source: str, cell: int = 0) -> list[Statement]:
    """Read a cell's top-level statements.

    Parameters
    ----------
    source : str
        Python; no IPython magic.
    cell : int
        The cell's number.

    Returns
    -------
    list of Statement

    Raises
    ------
    SyntaxError
        If it is no Python.

    Examples
    --------
    >>> first, second = statements("x = f(y)\\nx['a'] = 1")
    >>> sorted(first.binds), sorted(place.name for place in first.uses)
    (['x'], ['f', 'y'])
    >>> second.changes
    frozenset({Place(name='x', key="'a'")})
    """
    lines = source.splitlines()
    found = []
    for number, node in enumerate(ast.parse(source).body):
        first = min([node.lineno, *(d.lineno for d in _decorators(node))])
        text = "\n".join(lines[first - 1 : node.end_lineno])
        found.append(_read(node, text, (cell, number)))
    return found


def _decorators(node: ast.stmt) -> list[ast.expr]:
    return getattr(node, "decorator_list", [])


def _pieces(node: ast.stmt) -> Iterator[ast.stmt]:
    """Take a loop, a branch or a block apart into plain statements, in order."""
    if isinstance(node, ast.For):
        yield ast.Assign([node.target], node.iter)
    elif isinstance(node, ast.If | ast.While):
        yield ast.Expr(node.test)
    elif isinstance(node, ast.With):
        for item in node.items:
            target = item.optional_vars
            made = item.context_expr
            yield ast.Assign([target], made) if target else ast.Expr(made)
    elif not isinstance(node, ast.Try):
        yield node
        return
    for part in ("body", "handlers", "orelse", "finalbody"):
        for inner in getattr(node, part, []):
            yield from _handler(inner) if part == "handlers" else _pieces(inner)


def _handler(node: ast.ExceptHandler) -> Iterator[ast.stmt]:
    caught = node.type or ast.Constant(None)
    yield (
        ast.Assign([ast.Name(node.name, ast.Store())], caught)
        if (node.name)
        else ast.Expr(caught)
    )
    for inner in node.body:
        yield from _pieces(inner)


def _read(node: ast.stmt, text: str, position: tuple[int, int]) -> Statement:
    """Read a statement, piece by piece: what it binds itself it does not need."""
    binds: set[str] = set()
    uses: set[Place] = set()
    later: set[Place] = set()
    touched = _Touched()
    touched.visit(node)
    for piece in _pieces(node):
        now, then, bound = _names(piece)
        uses |= _places(now - binds, piece)
        later |= _places(then, piece)
        binds |= bound
    is_definition = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    changes = frozenset() if is_definition else frozenset(touched.changes)
    then = frozenset(place for place in later - uses if place.name not in binds)
    return Statement(position, text, frozenset(binds), changes, frozenset(uses), then)


def _names(piece: ast.stmt) -> tuple[set[str], set[str], set[str]]:
    """Name what a plain statement uses now, what its functions use, what it binds."""
    module = ast.unparse(ast.fix_missing_locations(piece))
    table = symtable.symtable(module, "cell", "exec")
    top = table.get_symbols()
    bound = {s.get_name() for s in top if s.is_assigned() or s.is_imported()}
    used = {s.get_name() for s in top if s.is_referenced()} - BUILTINS
    inner = set(_later(table)) - BUILTINS
    if isinstance(piece, ast.AugAssign) and isinstance(piece.target, ast.Name):
        used.add(piece.target.id)
    if not isinstance(piece, ast.FunctionDef | ast.AsyncFunctionDef):
        used |= inner & _outside_functions(piece)  # comprehensions, class bodies
    return used, inner - used, bound


def _outside_functions(node: ast.AST) -> set[str]:
    """Names in a statement outside ``def`` and ``lambda``: those it uses at once."""
    found: set[str] = set()
    todo = [node]
    while todo:
        inner = todo.pop()
        if isinstance(inner, ast.Name):
            found.add(inner.id)
        if isinstance(inner, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        todo += ast.iter_child_nodes(inner)
    return found


def _places(names: set[str], piece: ast.stmt) -> set[Place]:
    """Tell names of which only constant keys are read from those used whole."""
    touched = _Touched()
    touched.visit(piece)
    keyed = {place for place in touched.keyed if place.name in names - touched.bare}
    return keyed | {Place(name) for name in names - {place.name for place in keyed}}
