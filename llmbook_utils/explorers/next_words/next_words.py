"""A table of counts to walk through: what may follow a word, and how probable it is."""

import html
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from llmbook_utils.explorers.core.explorer import Explorer, svg

WIDTH, ROW, LEFT, RIGHT = 640, 26, 150, 60  # of the picture, in pixels
COLDEST, HOTTEST = 0.2, 3.0  # temperatures


class NextWords(Explorer):
    """Write with a table of counts: see what may follow, choose one, go on.

    The page holds the whole table, so that it needs no kernel: probabilities at any
    temperature are computed from the counts of all words, also of those without a bar.

    Parameters
    ----------
    words : sequence of str
        The tokens as they are to be shown, each once.
    counts : array_like of int, (V, V)
        ``counts[i, j]`` says how often word j followed word i.
    name, caption, alt : str
        As for every figure.
    end : int, optional
        The word that begins and ends a text; by default the last.
    begin : sequence of str, optional
        What stands there already; by default nothing.
    n_shown : int, optional
        How many words have a bar of their own; the rest share one.

    Raises
    ------
    ValueError
        If the shapes do not fit, a word comes twice, a count is negative or no
        integer, or `begin` holds an unknown word.

    Notes
    -----
    Built in chapter 00.
    """

    kind: ClassVar[str] = "next-words"
    styles: ClassVar[tuple[Path, ...]] = (Path(__file__).with_name("next_words.css"),)
    scripts: ClassVar[tuple[Path, ...]] = (Path(__file__).with_name("next_words.js"),)
    height: ClassVar[int] = 640

    def __init__(
        self,
        words: Sequence[str],
        counts: Any,
        *,
        name: str,
        caption: str,
        alt: str,
        end: int | None = None,
        begin: Sequence[str] = (),
        n_shown: int = 12,
    ) -> None:
        words = list(words)
        payload = compute(words, counts, len(words) - 1 if end is None else end)
        missing = [word for word in begin if word not in words]
        if missing:
            raise ValueError(f"begin has words that are not in the table: {missing}")
        if n_shown < 1:
            raise ValueError(f"n_shown={n_shown}: must be 1 or more")
        payload["begin"] = [words.index(word) for word in begin]
        payload["shown"] = n_shown
        super().__init__(payload, name=name, caption=caption, alt=alt)

    def __repr__(self) -> str:
        return f"NextWords({self.data['name']!r}, {len(self.data['words'])} words)"

    @staticmethod
    def picture(data: dict[str, Any]) -> str:
        """Draw the bars as they first appear, for print and for GitHub."""
        return draw(data, [data["end"], *data["begin"]][-1])


def compute(words: list[str], counts: Any, end: int) -> dict[str, Any]:
    """Check the table, and keep what is not zero, the most frequent first.

    Returns
    -------
    dict
        ``words``; ``next``, for each word a flat list of a follower and its count, of
        the next follower and its count, and so on; ``end``.
    """
    table = np.asarray(counts)
    if table.shape != (len(words), len(words)) or not words:
        raise ValueError(
            f"counts have shape {table.shape}, expected {(len(words), len(words))}: a "
            "row and a column for each word"
        )
    if not np.issubdtype(table.dtype, np.integer) or table.min() < 0:
        raise ValueError(
            f"counts must be integers of 0 or more, got {table.dtype} from "
            f"{table.min()}; give the counts, not the probabilities"
        )
    if len(set(words)) != len(words):
        twice = sorted({word for word in words if words.count(word) > 1})
        raise ValueError(f"words that come twice: {twice[:5]}; give each once")
    if not 0 <= end < len(words):
        raise ValueError(f"end must lie in 0 ... {len(words) - 1}, got {end}")
    followers = []
    for row in table:
        # stable: equal counts stand in the order of the words
        order = np.argsort(-row, kind="stable")[: np.count_nonzero(row)]
        followers.append(np.stack([order, row[order]], axis=1).ravel().tolist())
    return {"words": words, "next": followers, "end": end}


def probabilities(counts: Sequence[int], temperature: float = 1.0) -> np.ndarray:
    """Turn counts into probabilities at a temperature; ``next_words.js`` does the same.

    Every probability is raised to 1 / temperature, then they are made to sum to 1.

    Examples
    --------
    >>> probabilities([3, 1]).tolist()
    [0.75, 0.25]
    >>> probabilities([3, 1], temperature=0.5).round(6).tolist()  # 9 to 1
    [0.9, 0.1]
    """
    logs = np.log(np.asarray(counts, dtype=float))
    powers = np.exp((logs - logs.max()) / temperature)
    return powers / powers.sum()


def draw(data: dict[str, Any], word: int, temperature: float = 1.0) -> str:
    """Draw what may follow a word as bars, in an SVG that stands alone."""
    pairs = np.reshape(data["next"][word], (-1, 2))
    label = html.escape(data["words"][word])
    rows: list[tuple[str, float]] = []
    if len(pairs):
        probs, n = probabilities(pairs[:, 1], temperature), data["shown"]
        rows = [
            (data["words"][i], float(p))
            for i, p in zip(pairs[:n, 0], probs, strict=False)
        ]
        if len(pairs) > n:
            rows.append((f"{len(pairs) - n} others", float(probs[n:].sum())))
    height = ROW * (len(rows) + 1) + 12
    longest = WIDTH - LEFT - RIGHT
    bars = "".join(
        f'<text class="lb-follower" x="{LEFT - 10}" y="{ROW * i + 22}" '
        f'text-anchor="end">{html.escape(text)}</text>'
        f'<rect class="lb-follows" x="{LEFT}" y="{ROW * i + 8}" '
        f'width="{max(1, round(longest * p, 1))}" height="{ROW - 6}" rx="2"/>'
        f'<text class="lb-follower" x="{round(LEFT + longest * p + 8, 1)}" '
        f'y="{ROW * i + 22}">{percent(p)}</text>'
        for i, (text, p) in enumerate(rows, start=1)
    )
    return svg(
        data,
        WIDTH,
        height,
        PICTURE_STYLE,
        f'<text class="lb-follower" x="{LEFT}" y="20">after “{label}”</text>',
        bars,
    )


def percent(share: float) -> str:
    """Write a probability in percent, as short as it can be told from its neighbours.

    Examples
    --------
    >>> percent(0.5), percent(0.0312), percent(0.0004)
    ('50%', '3.1%', '<0.1%')
    """
    if share < 0.001:
        return "<0.1%"
    # a half goes up, as in JavaScript
    tenths = int(1000 * share + 0.5)
    return f"{int(100 * share + 0.5)}%" if tenths >= 100 else f"{tenths / 10:.1f}%"


PICTURE_STYLE = (
    ".lb-follows{fill:#2f78c4}.lb-follower{font:14px sans-serif;fill:#767676}"
)
