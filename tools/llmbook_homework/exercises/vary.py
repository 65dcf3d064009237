"""Numbers and words of an exercise that differ from student to student.

An exercise declares them in the metadata of its solution cell, by what the stored
notebook has and what may stand there instead::

    "llmbook": {"vary": {"10000": {"from": 2000, "to": 50000, "step": 1000}}}
    "llmbook": {"vary": {"zorp": ["blick", "dax", "tulver"]}}

Wherever the number (in whatever spelling: ``10000``, ``10_000.0``) or the word stands
in task, solution and check, the student's own takes its place. The chapter itself is
left as it is: what it stores is what the book shows.
"""

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from llmbook_homework.exercises.tasks import Exercise

NUMBER = re.compile(r"(?<![\w.])\d[\d_]*(?:\.\d+)?(?![\w]|\.\d)")
Choices = list[Any] | dict[str, int]
Chosen = dict[str, Any]


def choices(declared: Choices) -> list[Any]:
    """List what may stand in a place.

    Parameters
    ----------
    declared : list, or dict with ``from``, ``to`` (included) and ``step``
        What the metadata says.

    Returns
    -------
    list

    Raises
    ------
    ValueError
        If there are fewer than two.

    Examples
    --------
    >>> choices({"from": 2, "to": 8, "step": 3})
    [2, 5, 8]
    """
    if isinstance(declared, dict):
        step = declared.get("step", 1)
        found = list(range(declared["from"], declared["to"] + 1, step))
    else:
        found = list(declared)
    if len(found) < 2:
        raise ValueError(
            f"'vary' declares {declared!r}; two choices or more are needed"
        )
    return found


def choose(exercise: Exercise, seed: str) -> Chosen:
    """Choose a student's values.

    Parameters
    ----------
    exercise : Exercise
        As the chapter has it.
    seed : str
        Of one student in one course; see ``Course.seed_of``.

    Returns
    -------
    dict
        From the stored text to the value that takes its place.
    """
    return {
        stored: _pick(choices(declared), f"{seed}/{exercise.id}/{stored}")
        for stored, declared in exercise.metadata.get("vary", {}).items()
    }


def _pick(found: list[Any], key: str) -> Any:
    digest = hashlib.sha256(key.encode()).digest()
    return found[int.from_bytes(digest[:8], "big") % len(found)]


def _is_number(text: str) -> bool:
    return bool(re.fullmatch(r"\d[\d_]*(\.\d+)?", text))


def _number(value: float, like: str) -> str:
    """Write a number in the spelling of another: ``5_000.0`` for ``10_000.0``."""
    group = "_" if "_" in like else ""
    if "." not in like:
        return format(int(value), group)
    return format(float(value), f"{group}.{len(like.partition('.')[2])}f")


def rewrite(text: str, chosen: Mapping[str, Any]) -> str:
    """Put chosen values in place of stored ones.

    Examples
    --------
    >>> rewrite("10000^{-2i/d}, 10_000.0 ** x, 1000, x10000", {"10000": 5000})
    '5000^{-2i/d}, 5_000.0 ** x, 1000, x10000'
    >>> rewrite('"zorp" in zorp_near', {"zorp": "dax"})
    '"dax" in zorp_near'
    """

    def number(found: re.Match[str]) -> str:
        value = float(found[0].replace("_", ""))
        return _number(numbers[value], found[0]) if value in numbers else found[0]

    numbers = {float(k.replace("_", "")): v for k, v in chosen.items() if _is_number(k)}
    text = NUMBER.sub(number, text)
    words = {key: str(value) for key, value in chosen.items() if not _is_number(key)}
    if not words:
        return text
    # One pass: a word that takes another's place is not replaced again.
    any_word = re.compile(rf"\b({'|'.join(map(re.escape, words))})\b")
    return any_word.sub(lambda found: words[found[1]], text)


def personalise(exercise: Exercise, seed: str | None) -> Exercise:
    """Give an exercise as one student has it.

    Parameters
    ----------
    exercise : Exercise
        As the chapter has it.
    seed : str or None
        None for the chapter's own values.

    Returns
    -------
    Exercise
        The same object if it declares nothing that varies.
    """
    if seed is None or not exercise.metadata.get("vary"):
        return exercise
    chosen = choose(exercise, seed)
    new: Callable[[str], str] = lambda text: rewrite(text, chosen)  # noqa: E731
    return replace(
        exercise,
        task=new(exercise.task),
        solution=new(exercise.solution),
        stub=new(exercise.stub),
        check=new(exercise.check),
        visible_check=new(exercise.visible_check),
        hidden=new(exercise.hidden),
    )
