"""Which statements of a chapter an exercise needs, found by reading the code.

A statement binds names (``x = ...``, ``def``, ``import``), changes what names hold
(``x["a"] = ...``, ``x.sort()``) and uses names. What an exercise needs is the last
statement before it that binds each free name, what changed that since, and so on
backwards. A constant key counts as a place of its own: who reads ``scores["svd"]``
does not need the cell that fills ``scores["glove"]``.

Not seen: a change by a function to which a variable is handed in an assignment, as in
``losses = train(model)``. There the solution cell names the cells in its metadata:
``"llmbook": {"needs": ["<cell id>"]}``.
"""

from collections.abc import Iterable, Sequence

from llmbook_homework.exercises.statements import Place, Statement, statements


def free_places(source: str) -> set[Place]:
    """Find what code takes from cells before it.

    Parameters
    ----------
    source : str
        Python.

    Returns
    -------
    set of Place

    Examples
    --------
    >>> sorted(free_places("import math\\ndef f(x):\\n    return math.pi * g(x, y)"))
    [Place(name='g', key=None), Place(name='y', key=None)]
    """
    bound: set[str] = set()
    free: set[Place] = set()
    later: set[Place] = set()
    for statement in statements(source):
        free |= {place for place in statement.uses if place.name not in bound}
        later |= statement.uses_later
        bound |= statement.binds
    return free | {place for place in later if place.name not in bound}


def bound_names(source: str) -> set[str]:
    """Name what code binds at its top level."""
    return set().union(*(statement.binds for statement in statements(source)))


def backwards(
    wanted: Iterable[Place], earlier: Sequence[Statement]
) -> tuple[list[Statement], set[str]]:
    """Collect the statements on which places depend, in the order of the notebook.

    Parameters
    ----------
    wanted : iterable of Place
        What is used after the last of the statements.
    earlier : sequence of Statement
        All that may run before, in order.

    Returns
    -------
    tuple of list of Statement and set of str
        What must run, and names that nothing binds.
    """
    # Each item is a place and how many of the statements lie before its use.
    todo = [(place, len(earlier)) for place in wanted]
    seen: set[tuple[Place, int]] = set()
    chosen: set[int] = set()
    unknown: set[str] = set()

    def choose(number: int) -> None:
        if number not in chosen:
            chosen.add(number)
            todo.extend((place, number) for place in earlier[number].uses)
            todo.extend((place, len(earlier)) for place in earlier[number].uses_later)

    while todo:
        place, before = todo.pop()
        if (place, before) in seen:
            continue
        seen.add((place, before))
        binders = [n for n in range(before) if place.name in earlier[n].binds]
        if not binders:
            unknown.add(place.name)
            continue
        choose(binders[-1])
        if not earlier[binders[-1]].source.startswith(("import ", "from ")):
            for number in range(binders[-1] + 1, before):
                if any(place.meets(change) for change in earlier[number].changes):
                    choose(number)
    return [earlier[number] for number in sorted(chosen)], unknown
