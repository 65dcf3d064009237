"""Homework: set chapters, collect, grade in a sandbox, and give reasons.

Students have ``check``, in a notebook as on the command line; instructors
``llmbook homework``.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from llmbook_utils.homework.student_check import check

__all__ = ["check"]


def __getattr__(name: str) -> Any:
    """Import ``check`` when it is asked for: nothing heavy comes with the package."""
    if name == "check":
        from llmbook_utils.homework.student_check import check

        return check
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
