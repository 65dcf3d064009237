"""Regions of a cell's text that nbgrader marks: solutions and hidden tests."""

import re

CODE_STUB = "# YOUR CODE HERE\nraise NotImplementedError()"


def split_regions(source: str, mark: str) -> tuple[list[str], list[str]]:
    """Take the regions between ``BEGIN mark`` and ``END mark`` out of a source.

    Returns
    -------
    tuple of list and list
        The lines outside, where each region has left its indentation followed by a
        null character, and the lines inside.

    Raises
    ------
    ValueError
        If a region is not closed, or begins within another.
    """
    outside: list[str] = []
    inside: list[str] = []
    is_inside = False
    for line in source.split("\n"):
        if f"BEGIN {mark}" in line:
            if is_inside:
                raise ValueError(f"BEGIN {mark} within a {mark} region:\n{source}")
            is_inside = True
            outside.append(re.match(r"\s*", line)[0] + "\0")
        elif f"END {mark}" in line:
            is_inside = False
        else:
            (inside if is_inside else outside).append(line)
    if is_inside:
        raise ValueError(f"BEGIN {mark} without END {mark}:\n{source}")
    return outside, inside


def clear_solution(source: str, stub: str = CODE_STUB) -> str:
    """Put a stub where the solution is, as nbgrader's ClearSolutions does.

    A solution cell without a marked region is all solution.

    Examples
    --------
    >>> print(clear_solution("def f(x):\\n    ### BEGIN SOLUTION\\n    return x\\n"
    ...                      "    ### END SOLUTION"))
    def f(x):
        # YOUR CODE HERE
        raise NotImplementedError()
    """
    outside, _ = split_regions(source, "SOLUTION")
    if not any(line.endswith("\0") for line in outside):
        return stub
    lines = []
    for line in outside:
        if line.endswith("\0"):
            lines += [line[:-1] + part for part in stub.split("\n")]
        else:
            lines.append(line)
    return "\n".join(lines)


def clear_hidden_tests(source: str) -> str:
    """Take hidden tests out, as nbgrader's ClearHiddenTests does."""
    outside, _ = split_regions(source, "HIDDEN TESTS")
    return "\n".join(line for line in outside if not line.endswith("\0"))
