"""Short labelled texts, written for this book, each in English and in Chinese.

``headlines`` are news lines of four kinds, ``reviews`` are positive or negative. Beside
each lies its datasheet: how it was made, and what it is no good for.
"""

import json
from collections.abc import Sequence
from importlib import resources
from typing import NamedTuple

NAMES = ("headlines", "reviews")
SPLITS = ("train", "validation", "test")
LANGUAGES = ("en", "zh")


class Labelled(NamedTuple):
    """Texts and what each of them is.

    Attributes
    ----------
    texts : list of str
    labels : list of int
        Numbers of classes, from 0.
    classes : list of str
        Their names.
    """

    texts: list[str]
    labels: list[int]
    classes: list[str]


def load_labelled(name: str, split: str = "train", language: str = "en") -> Labelled:
    """Read one split of a labelled set.

    Parameters
    ----------
    name : str
        ``"headlines"`` or ``"reviews"``.
    split : str
        ``"train"``, ``"validation"`` or ``"test"``.
    language : str
        ``"en"`` or ``"zh"``: the same texts, in the same order.

    Returns
    -------
    Labelled

    Raises
    ------
    ValueError
        If there is no such set, split or language.

    Notes
    -----
    Chapter 03 classifies the headlines, chapter 07 the reviews.

    Examples
    --------
    >>> train = load_labelled("headlines")
    >>> len(train.texts), train.classes
    (600, ['arts', 'finance', 'science', 'sport'])
    """
    _one_of("set", name, NAMES)
    _one_of("split", split, SPLITS)
    _one_of("language", language, LANGUAGES)
    rows = read_rows(name)
    classes = sorted({row["label"] for row in rows})
    chosen = [row for row in rows if row["split"] == split]
    return Labelled(
        [row[language] for row in chosen],
        [classes.index(row["label"]) for row in chosen],
        classes,
    )


def _one_of(what: str, value: str, known: Sequence[str]) -> None:
    if value not in known:
        raise ValueError(f"no {what} {value!r}; choose one of: {', '.join(known)}")


def read_rows(name: str) -> list[dict[str, str]]:
    """Read a set as it is stored: id, label, split, and the text in each language."""
    file = resources.files(__name__).joinpath(f"{name}.jsonl")
    lines = file.read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]
