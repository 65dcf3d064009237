"""Where a token's probability comes from: counts, discounts, what is handed on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from llmbook_utils.explorers.back_off.picture import draw
from llmbook_utils.explorers.core.explorer import Explorer

if TYPE_CHECKING:
    from llmbook_utils.models.sequences.ngram import Context, KneserNey

N_SHOWN = 5  # followers that have a bar of their own


class BackOff(Explorer):
    """A text, token by token, under a Kneser-Ney model, for each length of context.

    Parameters
    ----------
    model : KneserNey
        Fitted.
    words : sequence of str
        The tokens of the model's ids as they are to be shown, the end among them.
    ids : sequence of int
        The text, without the end token. A whole document, or its beginning.
    name, caption, alt : str
        As for every figure.
    true_bits : sequence of float, optional
        What each token costs with its true probability, where that is known.
    at, n : int, optional
        The place in the text and the length of n-grams that show first; by default the
        first token, and the model's n.

    Raises
    ------
    ValueError
        If `words` does not fit the model, the text is empty, or `at`, `n` or the
        length of `true_bits` do not fit the text.

    Notes
    -----
    Built in chapter 06.

    Examples
    --------
    >>> from llmbook_utils.models.sequences.ngram import KneserNey
    >>> model = KneserNey(2, discount=0.5).fit([[0, 1], [0, 0]], vocab_size=3)
    >>> BackOff(model, ["a", "b", "<end>"], [0, 1],
    ...     name="back-off-x", caption="Two letters.", alt="Bars")
    BackOff('back-off-x', 2 tokens, n=2)
    """

    kind: ClassVar[str] = "back-off"
    styles: ClassVar[tuple[Path, ...]] = (Path(__file__).with_name("back_off.css"),)
    scripts: ClassVar[tuple[Path, ...]] = (Path(__file__).with_name("back_off.js"),)
    height: ClassVar[int] = 820

    def __init__(
        self,
        model: KneserNey,
        words: Sequence[str],
        ids: Sequence[int],
        *,
        name: str,
        caption: str,
        alt: str,
        true_bits: Sequence[float] | None = None,
        at: int = 0,
        n: int | None = None,
    ) -> None:
        payload = compute(model, words, ids)
        n = model.n if n is None else n
        if not 0 <= at < len(ids) or not 1 <= n <= model.n:
            raise ValueError(
                f"at={at} must lie in 0 ... {len(ids) - 1}, n={n} in 1 ... {model.n}"
            )
        if true_bits is not None and len(true_bits) != len(ids):
            raise ValueError(f"{len(true_bits)} true_bits for {len(ids)} tokens")
        payload["true"] = [round(float(bits), 3) for bits in true_bits or []]
        payload |= {"at": at, "n": n}
        super().__init__(payload, name=name, caption=caption, alt=alt)

    def __repr__(self) -> str:
        data = self.data
        return (
            f"BackOff({data['name']!r}, {len(data['text'])} tokens, "
            f"n={len(data['steps'][0])})"
        )

    @staticmethod
    def picture(data: dict[str, Any]) -> str:
        """Draw the text and one token's bars, for print and for GitHub."""
        return draw(data, data["at"], data["n"])


def compute(
    model: KneserNey, words: Sequence[str], ids: Sequence[int]
) -> dict[str, Any]:
    """Take a model apart along a text.

    Returns
    -------
    dict
        ``words``, those that occur; ``text``, places in it; ``start``, the place of
        the mark before the text; ``steps``, for each token a list with one entry for
        n = 1, 2, ...: ``p``, the token's probability with what is known so far, and,
        where the context was seen, ``total``, ``kinds`` (different followers),
        ``gamma`` (the part that is handed on), ``unit`` (what is counted) and
        ``top``, flat: place of a word, its count, what is taken off it, three by three.
    """
    if len(words) != model.vocab_size:
        raise ValueError(
            f"{len(words)} words for a model of {model.vocab_size} tokens; give each "
            "token its word, the end included"
        )
    if not len(ids):
        raise ValueError("the text is empty; give at least one token")
    places: dict[int, int] = {}

    def place(token: int) -> int:
        return places.setdefault(int(token), len(places))

    start = place(model.end)
    text = [place(token) for token in ids]
    marked = [model.end, *map(int, ids)]
    steps = [_orders(model, marked, i, place) for i in range(1, len(marked))]
    return {
        "words": [words[token] for token in places],
        "text": text,
        "start": start,
        "steps": steps,
    }


def _orders(
    model: KneserNey, marked: list[int], i: int, place: Callable[[int], int]
) -> list[dict[str, Any]]:
    """One entry for each n, of the token in place i of a text with its mark."""
    prob, orders = 1 / model.vocab_size, []
    for length in range(model.n):
        if length > i:  # before the beginning there is nothing
            orders.append({"p": orders[-1]["p"], "short": True})
            continue
        entry = _order(model, tuple(marked[i - length : i]), marked[i], place)
        if entry:
            prob = entry["gamma"] * prob + entry.pop("share")
            entry["gamma"] = round(entry["gamma"], 4)
        orders.append(entry | {"p": float(f"{prob:.4g}")})
    return orders


def _order(
    model: KneserNey, context: Context, token: int, place: Callable[[int], int]
) -> dict[str, Any]:
    """What one context knows; empty if it was never seen."""
    if context not in model.counts:
        return {}
    followers = model.counts[context]
    total, gamma = model.weights[context]
    discounts = model.discounts[len(context)]

    def discount(count: int) -> float:
        return discounts[min(count, 3)]

    # by count, then by id: equal counts in an order that does not depend on the run
    ranked = sorted(followers.items(), key=lambda pair: (-pair[1], pair[0]))
    shown = ranked[:N_SHOWN]
    if token in followers and token not in dict(shown):
        shown = [*ranked[: N_SHOWN - 1], (token, followers[token])]
    top = [(place(t), count, discount(count)) for t, count in shown]
    is_whole = len(context) == model.n - 1 or context[:1] == (model.end,)
    count = followers.get(token, 0)
    return {
        "total": total,
        "kinds": len(followers),
        "gamma": gamma,
        "share": (count - discount(count)) / total if count else 0.0,
        "unit": "times" if is_whole else "contexts",
        "top": [number for row in top for number in row],
    }
