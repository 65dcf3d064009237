"""Byte-pair merges one at a time: type a text and see its pieces join."""

import html
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, ClassVar

from llmbook_utils.explorers.core.explorer import Explorer, svg
from llmbook_utils.text.bpe import (
    BYTE_CHARACTERS,
    BytePairTokenizer,
    merge_pair,
    split_text,
    to_symbols,
)

PICTURE_STAGES = (0, 0.01, 0.1, 1)  # shares of all merges that the picture shows
_BYTE_OF = {character: byte for byte, character in enumerate(BYTE_CHARACTERS)}


class Merges(Explorer):
    """A text in pieces, after any number of a tokenizer's merges.

    All merges are in the page, so that a reader can type any text without a kernel.
    A count says how often a token stood in the training text when it was made; later
    merges may have taken most of these places.

    Parameters
    ----------
    tokenizer : BytePairTokenizer
        Its merges and ids are shown.
    texts : sequence of str
        Texts to choose from; the first is shown at the start.
    pieces : mapping of str to int
        The pieces that the tokenizer was trained on, from `split_text`, and how often
        each occurred.
    name, caption, alt : str
        As for every figure.
    start : int, optional
        How many merges are made at the start.

    Raises
    ------
    ValueError
        If there is no text or no merge, or `start` is not a number of merges.

    Notes
    -----
    Built in chapter 01.

    Examples
    --------
    >>> tokenizer = BytePairTokenizer.train(["low lower slow"], vocab_size=260)
    >>> Merges(tokenizer, ["slow"], {"low": 1, " lower": 1, " slow": 1},
    ...     name="merges-low", caption="Merges of three words.", alt="Pieces of slow")
    Merges('merges-low', 3 merges)
    """

    kind: ClassVar[str] = "merges"
    styles: ClassVar[tuple[Path, ...]] = (Path(__file__).with_name("merges.css"),)
    scripts: ClassVar[tuple[Path, ...]] = (Path(__file__).with_name("merges.js"),)
    height: ClassVar[int] = 560

    def __init__(
        self,
        tokenizer: BytePairTokenizer,
        texts: Sequence[str],
        pieces: Mapping[str, int],
        *,
        name: str,
        caption: str,
        alt: str,
        start: int = 0,
    ) -> None:
        payload = compute(tokenizer, texts, pieces)
        if not 0 <= start <= len(tokenizer.merges):
            raise ValueError(
                f"start must lie in 0 ... {len(tokenizer.merges)}, got {start}"
            )
        payload["start"] = start
        super().__init__(payload, name=name, caption=caption, alt=alt)

    def __repr__(self) -> str:
        return f"Merges({self.data['name']!r}, {len(self.data['merges'])} merges)"

    @staticmethod
    def picture(data: dict[str, Any]) -> str:
        """Draw the first text after no, a few, some and all merges."""
        stages = [round(share * len(data["merges"])) for share in PICTURE_STAGES]
        return draw(data, data["texts"][0], list(dict.fromkeys(stages)))


def compute(
    tokenizer: BytePairTokenizer, texts: Sequence[str], pieces: Mapping[str, int]
) -> dict[str, Any]:
    """Collect the merges, the ids, and how often each token was made.

    Returns
    -------
    dict
        ``merges``, pairs of tokens as `to_symbols` writes them; ``alphabet``, the
        visible character of each byte; ``byte_ids`` (256) and ``merge_ids``
        (n_merges); ``byte_counts`` and ``merge_counts`` of the same lengths;
        ``texts``.
    """
    if isinstance(texts, str) or not texts or not all(texts):
        raise ValueError(f"texts must be a list of texts to choose from, got {texts!r}")
    if not tokenizer.merges:
        raise ValueError(
            "the tokenizer has no merges; train it with a larger vocab_size"
        )
    byte_counts, merge_counts = [0] * 256, [0] * len(tokenizer.merges)
    ranks = {pair: rank for rank, pair in enumerate(tokenizer.merges)}
    for piece, number in pieces.items():
        for byte in piece.encode("utf-8"):
            byte_counts[byte] += number
        for rank, before, after in steps(to_symbols(piece), ranks):
            merge_counts[rank] += number * (len(before) - len(after))
    return {
        "merges": [list(pair) for pair in tokenizer.merges],
        "alphabet": BYTE_CHARACTERS,
        "byte_ids": [tokenizer.vocab[character] for character in BYTE_CHARACTERS],
        "merge_ids": [tokenizer.vocab[a + b] for a, b in tokenizer.merges],
        "byte_counts": byte_counts,
        "merge_counts": merge_counts,
        "texts": list(texts),
    }


def steps(
    symbols: list[str], ranks: Mapping[tuple[str, str], int]
) -> list[tuple[int, list[str], list[str]]]:
    """List the merges that change a piece: rank, symbols before and after.

    Examples
    --------
    >>> steps(list("low"), {("l", "o"): 0, ("lo", "w"): 1})
    [(0, ['l', 'o', 'w'], ['lo', 'w']), (1, ['lo', 'w'], ['low'])]
    """
    made = []
    while known := [pair for pair in pairwise(symbols) if pair in ranks]:
        best = min(known, key=ranks.__getitem__)
        merged = merge_pair(symbols, best)
        made.append((ranks[best], symbols, merged))
        symbols = merged
    return made


def tokens_after(data: Mapping[str, Any], text: str, n_merges: int) -> list[str]:
    """Return the tokens of a text when only the first merges are known.

    ``merges.js`` does the same.
    """
    ranks = {tuple(p): i for i, p in enumerate(data["merges"][:n_merges])}
    tokens = []
    for piece in split_text(text):
        symbols = to_symbols(piece)
        made = steps(symbols, ranks)
        tokens += made[-1][2] if made else symbols
    return tokens


def label(token: str) -> str:
    """Write a token for people: its text, or its bytes if they make no character.

    Examples
    --------
    >>> [label(token) for token in ["Ġthe", "Ċ", "ä¸Ń", "ä¸"]]
    ['␣the', '⏎', '中', 'E4 B8']
    """
    data = bytes(_BYTE_OF[character] for character in token)
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return data.hex(" ").upper()
    shown = text.replace(" ", "␣").replace("\n", "⏎").replace("\t", "⇥")
    return shown if shown.isprintable() else data.hex(" ").upper()


WIDTH, ROW, CHAR = 640, 30, 8.6  # pixels: picture, line, letter


def draw(data: Mapping[str, Any], text: str, stages: Sequence[int]) -> str:
    """Draw a text's tokens after each number of merges, as an SVG that stands alone."""
    parts, top = [], 20
    for stage in stages:
        tokens = tokens_after(data, text, stage)
        parts.append(
            f'<text class="lb-stagename" x="4" y="{top}">after {stage:,} merges: '
            f"{len(tokens)} tokens</text>"
        )
        boxes, top = _boxes(tokens, top + 8)
        parts.append(boxes)
    return svg(
        data,
        WIDTH,
        top,
        PICTURE_STYLE,
        *parts,
    )


def _boxes(tokens: Sequence[str], top: float) -> tuple[str, float]:
    """Draw one box a token, line by line; return the boxes and where they end."""
    x, parts = 4.0, []
    for token in tokens:
        name = label(token)
        # A Chinese character is about as wide as two letters.
        width = 8 + CHAR * sum(1 + (ord(char) > 0x2E7F) for char in name)
        if x + width > WIDTH - 4 and x > 4:
            x, top = 4.0, top + ROW
        parts.append(
            f'<rect class="lb-box" x="{x:.1f}" y="{top}" width="{width:.1f}" '
            f'height="24" rx="4"/><text class="lb-token" x="{x + width / 2:.1f}" '
            f'y="{top + 17}">{html.escape(name)}</text>'
        )
        x += width + 3
    return "".join(parts), top + ROW + 22


PICTURE_STYLE = (
    ".lb-stagename{font:13px sans-serif;fill:#767676}"
    ".lb-box{fill:none;stroke:#2f78c4}"
    ".lb-token{font:13.5px monospace;fill:#767676;text-anchor:middle}"
)
