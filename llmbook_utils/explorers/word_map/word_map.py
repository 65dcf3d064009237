"""A map of word vectors in three dimensions, with search and neighbours."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from llmbook_utils.explorers.core.explorer import Explorer
from llmbook_utils.explorers.core.space import SPACE_SCRIPT
from llmbook_utils.explorers.word_map.picture import draw

MAX_GROUPS = 8


class WordMap(Explorer):
    """Words as points: turn the map, search a word, see its nearest neighbours.

    The map is a shadow: the vectors are scaled to length one and projected on their
    three directions of largest variance. The neighbours are found among the words
    of the map, by cosine in the full space, so that a neighbour may stand far away
    in the picture.

    Parameters
    ----------
    words : sequence of str
        The words, each once.
    vectors : array_like, shape (n_words, n_dim)
        Their vectors.
    name, caption, alt : str
        As for every figure.
    groups : sequence of str or None, optional
        A group for each word, at most 8 groups; they are coloured. Words whose group
        is None stay grey.
    n_neighbours : int, optional
        How many neighbours of a word the map knows.
    selected : str, optional
        The word that is selected at the start; by default the first.

    Raises
    ------
    ValueError
        If the shapes do not fit, a word comes twice, or a vector is zero or not
        finite.
    """

    kind: ClassVar[str] = "word-map"
    styles: ClassVar[tuple[Path, ...]] = (Path(__file__).with_name("word_map.css"),)
    scripts: ClassVar[tuple[Path, ...]] = (
        SPACE_SCRIPT,
        Path(__file__).with_name("word_map.js"),
    )
    height: ClassVar[int] = 640

    def __init__(
        self,
        words: Sequence[str],
        vectors: Any,
        *,
        name: str,
        caption: str,
        alt: str,
        groups: Sequence[str | None] | None = None,
        n_neighbours: int = 10,
        selected: str | None = None,
    ) -> None:
        words = list(words)
        payload = compute(words, vectors, groups, n_neighbours)
        selected = words[0] if selected is None else selected
        if selected not in words:
            raise ValueError(f"selected={selected!r} is not one of the words")
        payload["selected"] = words.index(selected)
        super().__init__(payload, name=name, caption=caption, alt=alt)

    def __repr__(self) -> str:
        return f"WordMap({self.data['name']!r}, {len(self.data['words'])} words)"

    @staticmethod
    def picture(data: dict[str, Any]) -> str:
        """Draw the map as it first appears, for print and for GitHub."""
        return draw(data, data["selected"], 5)


def compute(
    words: list[str],
    vectors: Any,
    groups: Sequence[str | None] | None,
    n_neighbours: int,
) -> dict[str, Any]:
    """Project the vectors and find the neighbours, by cosines of three digits.

    Returns
    -------
    dict
        ``words``; ``xyz`` (n_words, 3) within the unit ball; ``near`` and ``cos``
        (n_words, n_neighbours), nearest first; ``share`` of the variance that the
        three axes keep; ``groups`` and ``group_of``.
    """
    unit = _unit_vectors(words, vectors)
    n_near = min(n_neighbours, len(words) - 1)
    if n_near < 1:
        raise ValueError(f"n_neighbours={n_neighbours}: must be 1 or more")
    cosines = np.round(unit @ unit.T, 3)
    np.fill_diagonal(cosines, -2.0)  # a word is not its own neighbour
    # A stable sort of rounded values: equal cosines come in the order of the words.
    near = np.argsort(-cosines, axis=1, kind="stable")[:, :n_near]
    xyz, share = project(unit)
    names = [name for name in dict.fromkeys(groups or ()) if name is not None]
    if groups is not None and len(groups) != len(words):
        raise ValueError(f"{len(groups)} groups for {len(words)} words; give one each")
    if len(names) > MAX_GROUPS:
        raise ValueError(f"{len(names)} groups; at most {MAX_GROUPS} can be told apart")
    return {
        "words": words,
        "xyz": (np.round(xyz, 4) + 0.0).tolist(),
        "near": near.tolist(),
        "cos": np.take_along_axis(cosines, near, axis=1).tolist(),
        "share": round(float(share), 3),
        "groups": names,
        "group_of": [-1 if g is None else names.index(g) for g in groups or ()],
    }


def _unit_vectors(words: list[str], vectors: Any) -> np.ndarray:
    """Check the vectors and scale them to length one."""
    array = np.asarray(vectors, dtype=np.float64)
    if array.ndim != 2 or len(array) != len(words):
        raise ValueError(
            f"vectors have shape {array.shape}, expected ({len(words)}, n_dim): "
            "one row for each word"
        )
    if len(words) < 2:
        raise ValueError(f"{len(words)} words; a map needs two or more")
    if len(set(words)) != len(words):
        twice = sorted({word for word in words if words.count(word) > 1})
        raise ValueError(f"words that come twice: {twice[:5]}; give each once")
    length = np.linalg.norm(array, axis=1, keepdims=True)
    bad = ~np.isfinite(length[:, 0]) | (length[:, 0] == 0)
    if bad.any():
        which = [word for word, is_bad in zip(words, bad, strict=True) if is_bad]
        raise ValueError(f"zero or infinite vectors, without direction: {which[:5]}")
    return array / length


def project(unit: np.ndarray) -> tuple[np.ndarray, float]:
    """Project on the three directions of largest variance.

    Returns
    -------
    tuple of ndarray (n_words, 3) and float
        Coordinates scaled into the unit ball, and the share of variance they keep.
    """
    centred = unit - unit.mean(axis=0)
    left, sizes, _ = np.linalg.svd(centred, full_matrices=False)
    xyz = np.zeros((len(unit), 3))
    kept = min(3, len(sizes))
    xyz[:, :kept] = left[:, :kept] * sizes[:kept]
    for axis in range(kept):
        # subtle: a singular vector's sign is arbitrary; fix it, or the map may flip
        # from one machine to the next. Rounding first makes near-ties equal.
        column = np.round(xyz[:, axis], 9)
        if column[np.argmax(np.abs(column))] < 0:
            xyz[:, axis] *= -1
    total = float((sizes**2).sum()) or 1.0
    largest = float(np.linalg.norm(xyz, axis=1).max()) or 1.0
    return xyz / largest, float((sizes[:kept] ** 2).sum()) / total
