"""Who is near whom among word vectors (chapter 02).

Vectors are the rows of a matrix, dense or sparse; near means a high cosine. Nothing
here imports torch: give a tensor as ``tensor.numpy()``.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import sparse

Vectors = np.ndarray | sparse.sparray


def nearest(vectors: Vectors, index: int, k: int = 10) -> tuple[np.ndarray, np.ndarray]:
    """Return the `k` words nearest to a word, itself left out.

    Parameters
    ----------
    vectors : array or sparse array, (V, C)
        A row for each word.
    index : int
        The word.
    k : int
        How many.

    Returns
    -------
    ids : numpy array of int, (k,)
        The nearest first; equal ones by id.
    cosines : numpy array of float, (k,)
        Between -1 and 1.

    Raises
    ------
    ValueError
        If `index` is not a row, or there are not `k` other words.

    Notes
    -----
    Built in chapter 02.

    Examples
    --------
    >>> ids, cosines = nearest(np.array([[1, 0], [3, 4], [2, 0]]), index=0, k=2)
    >>> ids.tolist(), cosines.round(3).tolist()
    ([2, 1], [1.0, 0.6])
    """
    _check(vectors, [index], k, exclude=1)
    unit = _unit_rows(vectors)
    return _best(unit, unit[[index]], exclude=[index], k=k)


def analogy(
    vectors: Vectors, a: int, b: int, c: int, k: int = 5
) -> tuple[np.ndarray, np.ndarray]:
    """Answer "`a` is to `b` as `c` is to what?" by the words nearest to b - a + c.

    Parameters
    ----------
    vectors : array or sparse array, (V, C)
        A row for each word.
    a : int
        A word.
    b : int
        A word that stands to `a` as the answer stands to `c`.
    c : int
        A word. All three are left out of the answers: else the answer would mostly
        be `b` or `c` itself.
    k : int
        How many answers.

    Returns
    -------
    ids : numpy array of int, (k,)
        The best answer first.
    cosines : numpy array of float, (k,)

    Raises
    ------
    ValueError
        If a word is not a row, or there are not `k` other words.

    Notes
    -----
    Source: Levy & Goldberg (2014), "Linguistic regularities in sparse and explicit
    word representations" (3CosAdd). Built in chapter 02.

    Examples
    --------
    >>> vectors = np.array([[1, 0, 0], [1, 1, 0], [0, 0, 1], [0, 1, 1], [-1, 0, 0]])
    >>> analogy(vectors, 0, 1, 2, k=1)[0].tolist()
    [3]
    """
    _check(vectors, [a, b, c], k, exclude=len({a, b, c}))
    unit = _unit_rows(vectors)
    target = _unit_rows(unit[[b]] - unit[[a]] + unit[[c]])
    return _best(unit, target, exclude=[a, b, c], k=k)


def precision_at_k(
    vectors: Vectors, groups: Sequence[Sequence[int]], k: int = 5
) -> float:
    """Return which share of the words' `k` nearest neighbours are of their own group.

    Parameters
    ----------
    vectors : array or sparse array, (V, C)
        A row for each word.
    groups : sequence of sequences of int
        Words that belong together, more than `k` in each group.
    k : int
        How many neighbours of each word are looked at.

    Returns
    -------
    float
        Between 0 and 1, the mean over all words of all groups. Neighbours are looked
        for among all V words.

    Raises
    ------
    ValueError
        If a group has `k` words or fewer (1 would be out of reach), or a word twice,
        or a word is not a row.

    Notes
    -----
    Built in chapter 02.

    Examples
    --------
    >>> vectors = np.array([[1, 0], [1, 0.1], [0, 1], [0.1, 1]])
    >>> precision_at_k(vectors, [[0, 1], [2, 3]], k=1)
    1.0
    """
    unit = _unit_rows(vectors)
    hits = []
    for group in groups:
        _check(vectors, group, k, exclude=1)
        if not k < len(set(group)) == len(group):
            raise ValueError(
                f"each group needs more than k={k} different words, got {list(group)}"
            )
        for word in group:
            ids, _ = _best(unit, unit[[word]], exclude=[word], k=k)
            hits.append(np.isin(ids, group).mean())
    if not hits:
        raise ValueError("groups is empty; give at least one group of word ids")
    return float(np.mean(hits))


def _check(vectors: Vectors, words: Sequence[int], k: int, exclude: int) -> None:
    """Complain about words that are no rows, and about a `k` that cannot be had."""
    if vectors.ndim != 2:
        raise ValueError(f"vectors must have shape (V, C), got {vectors.shape}")
    rows = vectors.shape[0]
    for word in words:
        if not 0 <= word < rows:
            raise ValueError(f"word ids must lie in 0 ... {rows - 1}, got {word}")
    most = rows - exclude
    if not 0 < k <= most:
        raise ValueError(f"k must lie in 1 ... {most}, got {k}")


def _unit_rows(vectors: Vectors) -> Vectors:
    """Scale each row to length 1; rows of zeros stay."""
    lengths = np.sqrt((vectors * vectors).sum(axis=1))
    scale = 1 / np.where(lengths > 0, lengths, 1)
    if sparse.issparse(vectors):
        return (sparse.diags_array(scale) @ vectors).tocsr()
    return vectors * scale[:, None]


def _best(
    unit: Vectors, target: Vectors, exclude: Sequence[int], k: int
) -> tuple[np.ndarray, np.ndarray]:
    """The `k` rows of `unit` nearest to the one row of `target`, and their cosines."""
    cosines = unit @ target.T  # (V, 1)
    cosines = cosines.toarray()[:, 0] if sparse.issparse(cosines) else cosines[:, 0]
    cosines[list(exclude)] = -np.inf
    ids = np.argsort(-cosines, kind="stable")[:k]
    return ids, cosines[ids]
