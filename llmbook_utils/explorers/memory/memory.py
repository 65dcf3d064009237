"""What a recurrent network carries: states and gates from a name to the question."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from llmbook_utils.explorers.core.explorer import Explorer, svg

if TYPE_CHECKING:
    from llmbook_utils.experiments.recall import Recaller

# One character for each stored number, 64 levels; memory.js reads the same.
LEVELS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
N_UNITS = 10


class Memory(Explorer):
    """Stored runs of trained networks over a name, filler and a question.

    Parameters
    ----------
    models : mapping of str to Recaller
        Trained networks by the names that the reader sees.
    distances : sequence of int
        Steps from the name to the question, to choose from.
    befores : sequence of int
        Numbers of words before the name, to choose from.
    name, caption, alt : str
        As for every figure.
    seed : int, optional
        Of the texts.

    Raises
    ------
    ValueError
        If there is no model, no distance, or no number of words before.

    Notes
    -----
    Built in chapter 07.

    Examples
    --------
    >>> from llmbook_utils.experiments.recall import Recaller
    >>> Memory({"GRU": Recaller("gru", 12)}, [3, 5], [0],
    ...     name="memory-x", caption="States.", alt="Bands of colour")
    Memory('memory-x', 2 runs)
    """

    kind: ClassVar[str] = "memory"
    styles: ClassVar[tuple[Path, ...]] = (Path(__file__).with_name("memory.css"),)
    scripts: ClassVar[tuple[Path, ...]] = (Path(__file__).with_name("memory.js"),)
    height: ClassVar[int] = 760

    def __init__(
        self,
        models: Mapping[str, Recaller],
        distances: Sequence[int],
        befores: Sequence[int],
        *,
        name: str,
        caption: str,
        alt: str,
        seed: int = 0,
    ) -> None:
        if not models or not distances or not befores:
            raise ValueError(
                "a memory needs a model, a distance and a number of words before, got "
                f"{list(models)}, {list(distances)}, {list(befores)}"
            )
        payload = compute(models, distances, befores, seed)
        super().__init__(payload, name=name, caption=caption, alt=alt)

    def __repr__(self) -> str:
        n_runs = sum(len(network["runs"]) for network in self.data["networks"])
        return f"Memory({self.data['name']!r}, {n_runs} runs)"

    @staticmethod
    def picture(data: dict[str, Any]) -> str:
        """Draw the states of each network over one text of middling length."""
        place = len(data["distances"]) // 2 * len(data["befores"])
        return draw(data, place)


def compute(
    models: Mapping[str, Recaller],
    distances: Sequence[int],
    befores: Sequence[int],
    seed: int = 0,
) -> dict[str, Any]:
    """Run every network over the same texts and keep what it carries.

    Returns
    -------
    dict
        ``words``, ``n_names``, ``distances``, ``befores``; ``texts``, ids for each
        distance and, within it, each number of words before; ``networks``, each with
        its ``name``, ``gates``, what is ``shown`` of the state, and for each text a
        run: packed ``state`` (T * units; h, or tanh c of an LSTM, from -1 to 1, as
        0 to 1), packed gates and ``p`` of the right name, and ``answers``, the
        likeliest name (T).
    """
    import torch

    from llmbook_utils.experiments.recall import NAMES, WORDS, draw_texts

    generator = torch.Generator().manual_seed(seed)
    drawn = [
        draw_texts(distance, 1, generator, before)
        for distance in distances
        for before in befores
    ]
    return {
        "words": list(WORDS),
        "n_names": len(NAMES),
        "distances": list(distances),
        "befores": list(befores),
        "texts": [ids[0].tolist() for ids, _ in drawn],
        "networks": [
            {"name": name, **_runs(model, drawn)} for name, model in models.items()
        ],
    }


def _runs(model: Recaller, drawn: Sequence[tuple[Any, Any]]) -> dict[str, Any]:
    """Look into a network over all texts; keep the units that differ most."""
    import torch

    seen = [model.look_inside(ids[0]) for ids, _ in drawn]
    has_cell = "forget" in seen[0]
    if has_cell:  # c has no bounds; its tanh is what the output gate lets out
        seen = [{**run, "state": run["state"].tanh()} for run in seen]
    names = [int(name) for _, name in drawn]
    spread = torch.stack([run["state"][-1] for run in seen]).std(0, correction=0)
    units = spread.topk(min(N_UNITS, len(spread))).indices.sort().values
    gates = [key for key in seen[0] if key not in ("state", "p")]
    runs = []
    for run, name in zip(seen, names, strict=True):
        kept = {gate: pack(run[gate][:, units].flatten().tolist()) for gate in gates}
        state = (run["state"][:, units] + 1) / 2
        runs.append(
            {
                "state": pack(state.flatten().tolist()),
                "p": pack(run["p"][:, name].tolist()),
                "answers": run["p"].argmax(1).tolist(),
                **kept,
            }
        )
    return {
        "gates": gates,
        "shown": "tanh c" if has_cell else "h",
        "units": units.tolist(),
        "runs": runs,
    }


def pack(values: Sequence[float]) -> str:
    """Write numbers from 0 to 1 as characters, in 64 levels.

    Examples
    --------
    >>> pack([0, 0.5, 1])
    'Ag_'
    """
    return "".join(LEVELS[round(min(1, max(0, value)) * 63)] for value in values)


def unpack(text: str) -> list[float]:
    """Read what `pack` wrote, to within a hundredth.

    Examples
    --------
    >>> unpack("A_")
    [0.0, 1.0]
    """
    return [LEVELS.index(character) / 63 for character in text]


WIDTH, ROW, LEFT = 640, 13, 10  # pixels: picture, band, margin


def draw(data: Mapping[str, Any], place: int) -> str:
    """Draw what each network carries over one text, as an SVG that stands alone."""
    ids = data["texts"][place]
    step = (WIDTH - 2 * LEFT) / len(ids)
    at_name = next(t for t, i in enumerate(ids) if i < data["n_names"])
    parts, top = [], 22
    for t in (at_name, len(ids) - 1):
        anchor = "end" if t == len(ids) - 1 else "start"
        x = LEFT + step * (t + (anchor == "end"))
        word = html.escape(data["words"][ids[t]])
        parts.append(
            f'<text class="lb-memo" x="{x:.1f}" y="14" text-anchor="{anchor}">'
            f"{word}</text>"
        )
    for network in data["networks"]:
        run, n_units = network["runs"][place], len(network["units"])
        answer = data["words"][run["answers"][-1]]
        parts.append(
            f'<text class="lb-memo" x="{LEFT}" y="{top + 14}">'
            f"{html.escape(network['name'])}: each row is a unit, each column a step; "
            f"answer {html.escape(answer)}</text>"
        )
        top += 22
        shares = unpack(run["state"])
        for unit in range(n_units):
            parts.append(_band(shares[unit::n_units], step, top + unit * ROW))
        top += n_units * ROW + 10
    return svg(
        data,
        WIDTH,
        top,
        PICTURE_STYLE,
        *parts,
    )


def _band(shares: Sequence[float], step: float, top: float) -> str:
    """Draw one unit's states; neighbours of one colour make one box."""
    parts, x = [], float(LEFT)
    for tenths, group in groupby(round(20 * share) - 10 for share in shares):
        width = step * len(list(group))
        sign = "plus" if tenths >= 0 else "minus"
        parts.append(
            f'<path class="lb-{sign}" opacity="{abs(tenths) / 10}" '
            f'd="M{x:.1f} {top}h{width:.1f}v{ROW - 1}h-{width:.1f}z"/>'
        )
        x += width
    return "".join(parts)


PICTURE_STYLE = (
    ".lb-memo{font:13px sans-serif;fill:#767676}"
    ".lb-plus{fill:#cf5b27}.lb-minus{fill:#2f78c4}"
)
