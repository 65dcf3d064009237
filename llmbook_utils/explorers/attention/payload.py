"""What a view stores: checked, rounded to three digits, and written small.

Twelve layers of twelve heads on 32 tokens are 147,456 weights, and a stored output may
have 300 kB. So a weight is a whole number of thousandths and takes one character if it
is under 0.077, else two; a row sums to one, so that most are small. `attention_data.js`
reads it again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from llmbook_utils.explorers.attention.parts import Part, check, is_causal

# Printable ASCII without what JSON, HTML or a script would have to escape.
ALPHABET = "".join(chr(i) for i in range(33, 127) if chr(i) not in "\"'\\<>&")
BASE = len(ALPHABET)  # 88
SMALL = 77  # numbers under this are one character
MAX_WEIGHTS = 150_000  # in a view, and so of lines that a browser has to draw
MAX_BYTES = 230_000  # of data; the picture needs the rest of 300 kB


def pack_weights(thousandths: Iterable[int]) -> str:
    """Write whole numbers from 0 to 1000.

    Examples
    --------
    >>> pack_weights([0, 76, 77, 1000])
    '!st!~Q'
    >>> unpack_weights(pack_weights([0, 76, 77, 1000]))
    [0, 76, 77, 1000]
    """
    return "".join(
        ALPHABET[n]
        if n < SMALL
        else ALPHABET[SMALL + (n - SMALL) // BASE] + ALPHABET[(n - SMALL) % BASE]
        for n in thousandths
    )


def unpack_weights(text: str) -> list[int]:
    """Read what `pack_weights` wrote."""
    digits: Iterator[int] = map(ALPHABET.index, text)
    return [
        n if n < SMALL else (n - SMALL) * BASE + next(digits) + SMALL for n in digits
    ]


def pack_vectors(vectors: np.ndarray) -> tuple[str, float]:
    """Write numbers as thousandths of the largest, two characters each.

    Parameters
    ----------
    vectors : ndarray
        Of any shape.

    Returns
    -------
    text : str
    scale : float
        The largest, to four digits.
    """
    scale = float(f"{np.abs(vectors).max():.4g}") or 1.0
    numbers = np.clip(np.rint(vectors / scale * 1000), -1000, 1000).astype(int) + 1000
    return "".join(
        ALPHABET[n // BASE] + ALPHABET[n % BASE] for n in numbers.ravel().tolist()
    ), scale


def unpack_vectors(text: str, scale: float) -> np.ndarray:
    """Read what `pack_vectors` wrote, as one row."""
    digits = np.array([ALPHABET.index(character) for character in text])
    return (digits[::2] * BASE + digits[1::2] - 1000) * scale / 1000


def build(
    view: str,
    parts: list[Part],
    layers: Sequence[int] | None,
    heads: Sequence[int] | None,
    positions: slice | None,
    second: int | None,
) -> dict[str, Any]:
    """Check the parts, choose from them, and write them small.

    Parameters
    ----------
    view : str
        ``"head"``, ``"model"`` or ``"neuron"``.
    parts : list of Part
        What is to be shown; it is changed.
    layers, heads : sequence of int, optional
        Which to keep; all if left out.
    positions : slice, optional
        Which tokens to keep.
    second : int, optional
        Where the second sentence of a pair begins.

    Returns
    -------
    dict
        Plain JSON types.

    Raises
    ------
    ValueError
        If weights are no attention weights, or too many; the message has the cure.
    """
    for part in parts:
        part.weights = check(part)
    n_layers = {len(part.weights) for part in parts}
    n_heads = {layer.shape[0] for part in parts for layer in part.weights}
    layers = _choose("layers", layers, n_layers)
    heads = _choose("heads", heads, n_heads)
    for part in parts:
        _cut(part, layers, heads, positions)
    second = _check_second(second, positions, parts)
    _refuse_many(parts, view, len(layers), len(heads))
    data = {
        "view": view,
        "layers": layers,
        "heads": heads,
        "second": second,
        "columns": columns(parts, len(heads)),
        "height": height(view, parts, len(layers), len(heads)),
        "parts": [_pack(part) for part in parts],
    }
    _refuse_large(data, view, len(layers), len(heads))
    return data


def _choose(what: str, chosen: Sequence[int] | None, counts: set[int]) -> list[int]:
    """Check the chosen layers or heads against how many there are."""
    if chosen is None:
        if len(counts) > 1:
            raise ValueError(
                f"the parts have {sorted(counts)} {what}; choose those that all have, "
                f"such as {what}={list(range(min(counts)))[:4]}"
            )
        return list(range(min(counts)))
    chosen = [chosen] if isinstance(chosen, int) else [int(i) for i in chosen]
    valid = range(min(counts))
    if not chosen or len(set(chosen)) != len(chosen) or not set(chosen) <= set(valid):
        raise ValueError(
            f"{what}={chosen}: give each once, from 0 to {min(counts) - 1}, or leave "
            f"{what} out for all"
        )
    return chosen


def _cut(
    part: Part, layers: list[int], heads: list[int], positions: slice | None
) -> None:
    """Keep the chosen layers, heads and tokens of a part, in place."""
    keep = slice(None) if positions is None else positions
    if not isinstance(keep, slice) or keep.step not in (None, 1):
        raise ValueError(f"positions={positions!r}: give a slice, as in slice(0, 32)")
    part.left, part.right = part.left[keep], part.right[keep]
    if not part.left or not part.right:
        raise ValueError(f"positions={positions!r} leave no token; try slice(0, 32)")
    part.weights = [part.weights[i][heads][:, keep, keep] for i in layers]
    if part.queries:
        part.queries = [part.queries[i][heads][:, keep] for i in layers]
        part.keys = [part.keys[i][heads][:, keep] for i in layers]


def _check_second(
    second: int | None, positions: slice | None, parts: list[Part]
) -> int | None:
    n_token = len(parts[0].left)
    if second is None or len(parts) > 1:
        return None
    if positions is not None:
        second -= positions.indices(10**9)[0]
        return second if 0 < second < n_token else None
    if not 0 < second < n_token:
        raise ValueError(
            f"sentence_b_start={second}: the second sentence begins at a token from 1 "
            f"to {n_token - 1}"
        )
    return second


def _refuse_many(parts: list[Part], view: str, n_layer: int, n_head: int) -> None:
    count = n_layer * n_head * _count_pairs(parts)
    if count <= MAX_WEIGHTS:
        return

    def fit(heads: int) -> int:
        lengths = range(longest, 0, -1)
        limit = MAX_WEIGHTS // heads
        return next((T for T in lengths if _count_pairs(parts, T) <= limit), 0)

    longest = max(len(part.left) for part in parts)
    raise ValueError(
        f"too many tokens: {n_layer} layers of {n_head} heads on {longest} tokens are "
        f"{count:,} weights, at most {MAX_WEIGHTS:,} can be shown; choose "
        + _cures(n_layer, n_head, MAX_WEIGHTS // _count_pairs(parts), fit)
    )


def _count_pairs(parts: list[Part], most: int = 10**9) -> int:
    """Count a head's weights, if of each part at most so many tokens are kept."""
    return sum(min(len(p.left), most) * min(len(p.right), most) for p in parts)


def _cures(n_layer: int, n_head: int, heads: int, fit: Callable[[int], int]) -> str:
    """Say what to choose, where `heads` can be shown with all tokens.

    `fit` gives the number of tokens that can be shown with so many heads.
    """
    tokens = fit(n_layer * n_head)
    cures = [f"positions=slice(0, {tokens})"] if tokens else []
    if heads:
        cures.append(f"layers=[0], heads={list(range(min(heads, n_head, 4)))}")
    elif fit(1) > tokens:
        cures.append(f"layers=[0], heads=[0], positions=slice(0, {fit(1)})")
    return " or ".join(cures)


def columns(parts: list[Part], n_head: int) -> int:
    """Choose for how many heads the model view leaves room in a row.

    bertviz spreads its heads over 932 pixels and gives a token 84 / columns pixels: few
    heads would be drawn very large.
    """
    longest = max(max(len(part.left), len(part.right)) for part in parts)
    return max(n_head, min(12, max(6, round(longest / 2))))


def height(view: str, parts: list[Part], n_layer: int, n_head: int) -> int:
    """Estimate the height of a frame in pixels; the frame itself knows better."""
    longest = max(max(len(part.left), len(part.right)) for part in parts)
    if view == "head":
        return round(150 + 22.5 * longest)
    if view == "neuron":
        return round(190 + 26 * longest)
    thumbnails = n_layer * (longest * 84 / columns(parts, n_head) + 10) + 38
    return round(130 + max(thumbnails, longest * 18 + 55))


def _pack(part: Part) -> dict[str, Any]:
    causal = is_causal(part)
    packed: dict[str, Any] = {
        "name": part.name,
        "left": part.left,
        "right": part.right,
        "causal": causal,
        "weights": [],
    }
    rows = np.tril_indices(len(part.left)) if causal else (slice(None), slice(None))
    for layer in part.weights:
        whole = np.rint(layer * 1000).clip(0, 1000).astype(int)
        packed["weights"].append(pack_weights(whole[:, *rows].ravel().tolist()))
    for name, vectors in (("queries", part.queries), ("keys", part.keys)):
        if vectors:
            packed["d_head"] = vectors[0].shape[-1]
            packed[name] = [[pack_vectors(head) for head in x] for x in vectors]
    return packed


def _refuse_large(data: dict[str, Any], view: str, n_layer: int, n_head: int) -> None:
    import json

    size = len(json.dumps(data["parts"]).encode())
    if size <= MAX_BYTES:
        return
    n_token = max(len(part["left"]) for part in data["parts"])
    most = 0.95 * MAX_BYTES / size * n_layer * n_head  # heads
    raise ValueError(
        f"{n_layer} layers of {n_head} heads make {size:,} bytes in the {view} view, "
        f"at most {MAX_BYTES:,} are stored; choose "
        + _cures(n_layer, n_head, int(most), lambda heads: int(n_token * most / heads))
    )
