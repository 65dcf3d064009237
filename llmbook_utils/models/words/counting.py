"""Word vectors made by counting which words occur near each other (chapter 02).

Words are ids, 0 ... V - 1. Nothing here imports torch.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import sparse
from scipy.sparse.linalg import svds

Documents = Sequence[Sequence[int]]


def skipgram_pairs(documents: Documents, window: int) -> np.ndarray:
    """Return every (centre, context) pair of words at most `window` apart.

    Parameters
    ----------
    documents : sequence of sequences of int
        Word ids. No pair reaches from one document into another.
    window : int
        Largest distance, in words.

    Returns
    -------
    numpy array of int64, (N, 2)
        Each pair in both directions, the nearest first.

    Raises
    ------
    ValueError
        If `window` is below 1, or if there is no document.

    Notes
    -----
    Source: Mikolov et al. (2013), "Efficient estimation of word representations in
    vector space", section 3.2, without its random shrinking of the window.
    Built in chapter 02.

    Examples
    --------
    >>> skipgram_pairs([[0, 1, 2]], window=1).tolist()
    [[0, 1], [1, 2], [1, 0], [2, 1]]
    """
    forward = np.concatenate([*_pairs_by_distance(documents, window)])
    return np.concatenate([forward, forward[:, ::-1]])


def cooccurrence(
    documents: Documents, vocab_size: int, window: int, by_distance: bool = False
) -> sparse.csr_array:
    """Count how often two words occur at most `window` apart.

    Parameters
    ----------
    documents : sequence of sequences of int
        Word ids. No window reaches from one document into another.
    vocab_size : int
        V. All ids are below it.
    window : int
        Largest distance, in words.
    by_distance : bool
        Let a pair at distance d count 1/d, as GloVe does, instead of 1.

    Returns
    -------
    sparse array of float64, (V, V)
        Symmetric.

    Raises
    ------
    ValueError
        If `window` is below 1, there is no document, or an id is not below V.

    Notes
    -----
    Source: Pennington et al. (2014), "GloVe", section 4.2. Built in chapter 02.

    Examples
    --------
    >>> cooccurrence([[0, 1, 0]], vocab_size=2, window=2).toarray().tolist()
    [[2.0, 2.0], [2.0, 0.0]]
    """
    counts = sparse.csr_array((vocab_size, vocab_size))
    for distance, pairs in enumerate(_pairs_by_distance(documents, window), start=1):
        if pairs.size and not 0 <= pairs.min() <= pairs.max() < vocab_size:
            raise ValueError(
                f"ids must lie in 0 ... {vocab_size - 1}, got {pairs.min()} to "
                f"{pairs.max()}; set vocab_size=len(vocab)"
            )
        weight = np.full(len(pairs), 1 / distance if by_distance else 1.0)
        counts += sparse.coo_array((weight, tuple(pairs.T)), shape=counts.shape)
    return (counts + counts.T).tocsr()


def _pairs_by_distance(documents: Documents, window: int) -> list[np.ndarray]:
    """One array (N, 2) of (word, later word) for each distance 1 ... window."""
    if window < 1:
        raise ValueError(f"window must be 1 word or more, got {window}")
    if len(documents) == 0:
        raise ValueError("documents is empty; give at least one list of word ids")
    ids = np.concatenate([np.asarray(words, dtype=np.int64) for words in documents])
    document = np.repeat(np.arange(len(documents)), [len(d) for d in documents])
    pairs = []
    for distance in range(1, window + 1):
        same = document[distance:] == document[:-distance]
        pairs.append(np.stack([ids[:-distance][same], ids[distance:][same]], axis=1))
    return pairs


def ppmi(counts: sparse.sparray, smoothing: float = 1.0) -> sparse.csr_array:
    """Positive pointwise mutual information, max(0, log p(w,c) / p(w) p(c)).

    Parameters
    ----------
    counts : sparse array, (V, V)
        Co-occurrences, a row for a word and a column for a context.
    smoothing : float
        Power that the contexts' counts are raised to before p(c) is made of them.
        Below 1, rare contexts lose some of the advantage that PMI gives them.

    Returns
    -------
    sparse array of float64, (V, V)
        In nats. Pairs that never occur, or less often than by chance, are 0.

    Raises
    ------
    ValueError
        If `counts` are all zero.

    Notes
    -----
    Source: Bullinaria & Levy (2007), "Extracting semantic representations from word
    co-occurrence statistics"; smoothing: Levy, Goldberg & Dagan (2015), "Improving
    distributional similarity with lessons learned from word embeddings". Built in
    chapter 02.

    Examples
    --------
    >>> pairs = sparse.csr_array([[0.0, 2.0], [2.0, 0.0]])
    >>> ppmi(pairs).toarray().round(3).tolist()  # log 2: twice chance
    [[0.0, 0.693], [0.693, 0.0]]
    """
    total = counts.sum()
    if not total > 0:
        raise ValueError(f"counts must have a positive sum, got {total}; no word met")
    pairs = sparse.coo_array(counts)
    row, col = pairs.coords
    p_word = counts.sum(axis=1) / total  # (V,)
    p_context = counts.sum(axis=0) ** smoothing
    p_context = p_context / p_context.sum()  # (V,)
    with np.errstate(divide="ignore"):  # a stored zero gives log 0 = -inf, cut below
        pmi = np.log(pairs.data / total / (p_word[row] * p_context[col]))
    positive = np.maximum(pmi, 0)
    result = sparse.csr_array((positive, (row, col)), shape=counts.shape)
    result.eliminate_zeros()
    return result


def svd_vectors(matrix: np.ndarray | sparse.sparray, n_embd: int) -> np.ndarray:
    """Shorten the rows of a matrix to the `n_embd` directions that matter most.

    Parameters
    ----------
    matrix : array or sparse array, (V, C)
        A row for each word.
    n_embd : int
        Length of a vector, below both V and C.

    Returns
    -------
    numpy array of float64, (V, n_embd)
        Their inner products are as close to those of the rows as `n_embd` numbers
        can make them. Columns by falling singular value. The largest entry of each is
        positive, as the SVD leaves the sign open.

    Raises
    ------
    ValueError
        If `n_embd` is not in 1 ... min(V, C) - 1.

    Notes
    -----
    Source: Deerwester et al. (1990), "Indexing by latent semantic analysis". Built in
    chapter 02.

    Examples
    --------
    >>> svd_vectors(np.diag([4.0, 1.0]), n_embd=1).round(6).tolist()
    [[4.0], [0.0]]
    """
    if not 0 < n_embd < min(matrix.shape):
        raise ValueError(
            f"n_embd must lie in 1 ... {min(matrix.shape) - 1} for a matrix of shape "
            f"{matrix.shape}, got {n_embd}"
        )
    # a fixed start makes the iterative method give the same answer every time
    start = np.random.default_rng(0).standard_normal(min(matrix.shape))
    u, s, _ = svds(matrix.astype(np.float64), k=n_embd, v0=start)
    order = np.argsort(-s)
    u, s = u[:, order], s[order]
    # the SVD leaves the sign of a column open
    largest = np.take_along_axis(u, abs(u).argmax(axis=0)[None], axis=0)
    return u * np.sign(largest) * s
