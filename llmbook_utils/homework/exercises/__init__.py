"""The exercises of a chapter: task, answer, check, and the code that they need."""

from llmbook_utils.homework.exercises.reading import (
    load,
    of,
    prelude,
    stamp,
    with_points,
)
from llmbook_utils.homework.exercises.tasks import HEAD, Chapter, Exercise, example

__all__ = [
    "HEAD", "Chapter", "Exercise", "example", "load", "of", "prelude", "stamp",
    "with_points",
]  # fmt: skip
