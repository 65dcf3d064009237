"""Recall of a name: how far back can a recurrent network learn to look? (chapter 07)

A text is a name, some filler words, and a question; the answer is the name. Nothing in
the filler helps, so all that is known at the question was carried by the state.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from llmbook_utils.models.sequences.recurrent.layers import Cell, LSTMLayer
from llmbook_utils.models.sequences.recurrent.stack import Recurrent

NAMES = ("Tom", "Mia", "Ben", "Lily", "Sam", "Anna", "Max", "Zoe")
FILLER = (
    *("the", "a", "lamp", "kite", "shed", "garden", "rain", "wind"),
    *("is", "falls", "was", "stands", "old", "green", "and", "then"),
)
WORDS = (*NAMES, *FILLER, "who?")
WHO = len(WORDS) - 1


def draw_texts(
    distance: int,
    batch_size: int,
    generator: torch.Generator | None = None,
    before: int = 0,
) -> tuple[Tensor, Tensor]:
    """Draw texts of ids in `WORDS`: filler, a name, filler, the question.

    Parameters
    ----------
    distance : int
        Steps from the name to the question; ``distance - 1`` filler words lie between.
    batch_size : int
        B, number of texts.
    generator : torch.Generator, optional
        Source of chance.
    before : int
        Filler words before the name.

    Returns
    -------
    ids : tensor of int64, (B, before + 1 + distance)
    names : tensor of int64, (B,)
        The answers, from 0 to 7.

    Raises
    ------
    ValueError
        If the distance is below 1 or `before` is negative.

    Notes
    -----
    Built in chapter 07, after the delay tasks of Hochreiter and Schmidhuber (1997).

    Examples
    --------
    >>> ids, names = draw_texts(5, 2)
    >>> ids.shape, bool((ids[:, 0] == names).all())
    (torch.Size([2, 6]), True)
    """
    if distance < 1 or before < 0:
        raise ValueError(
            f"distance must be 1 or more and before 0 or more, got {distance}, {before}"
        )
    length = before + 1 + distance
    ids = torch.randint(len(NAMES), WHO, (batch_size, length), generator=generator)
    ids[:, before] = torch.randint(len(NAMES), (batch_size,), generator=generator)
    ids[:, -1] = WHO
    return ids, ids[:, before].clone()


class Recaller(nn.Module):
    """A recurrent layer that is asked for the name.

    Parameters
    ----------
    cell : {"rnn", "lstm", "gru"}
        Kind of the layer.
    n_hidden : int
        H, width of its state.
    forget_bias : float
        Of an LSTM, at the start; 1 is the package's.

    Notes
    -----
    Built in chapter 07.

    Examples
    --------
    >>> Recaller("gru")(torch.zeros(3, 6, dtype=torch.long)).shape
    torch.Size([3, 8])
    """

    def __init__(self, cell: Cell, n_hidden: int = 32, forget_bias: float = 1) -> None:
        super().__init__()
        self.embed = nn.Embedding(len(WORDS), 16)
        self.recurrent = Recurrent(cell, 16, n_hidden)
        self.head = nn.Linear(n_hidden, len(NAMES))
        layer = self.recurrent.layers[0]
        if isinstance(layer, LSTMLayer):
            with torch.no_grad():  # the package has added 1
                layer.from_input.bias[n_hidden : 2 * n_hidden] += forget_bias - 1

    def forward(self, ids: Tensor) -> Tensor:
        """Score the names, (B, 8), for texts of ids (B, T)."""
        outputs, _ = self.recurrent(self.embed(ids))
        return self.head(outputs[:, -1])

    @torch.no_grad()
    def look_inside(self, ids: Tensor) -> dict[str, Tensor]:
        """Read one text (T,) step by step and keep what is usually thrown away.

        Returns
        -------
        dict
            ``state`` (T, H): what is carried, h, or c of an LSTM; ``p`` (T, 8): the
            probability of each name, if asked after this step; and the gates (T, H)
            by their names.
        """
        layer = self.recurrent.layers[0]
        x = layer.from_input(self.embed(ids)).unsqueeze(1)  # (T, 1, gates * H)
        state = (x.new_zeros(1, layer.n_hidden),) * layer.n_states
        kept: dict[str, list[Tensor]] = {"state": [], "p": []}
        for now in x:
            if layer.gates != ("candidate",):
                parts = (now + layer.from_state(state[0])).chunk(len(layer.gates), -1)
                for name, part in zip(layer.gates, parts, strict=True):
                    if name != "candidate":
                        kept.setdefault(name, []).append(part[0].sigmoid())
            state = layer.step(now, state)
            kept["state"].append(state[-1][0])
            kept["p"].append(self.head(state[0][0]).softmax(-1))
        return {name: torch.stack(steps) for name, steps in kept.items()}


def train_recaller(
    model: Recaller,
    distance: int | Callable[[torch.Generator], int],
    steps: int = 300,
    seed: int = 0,
    lr: float = 0.01,
    clip: float = 1.0,
) -> list[float]:
    """Train with Adam on 32 texts a step; return the losses (nats).

    Parameters
    ----------
    model : Recaller
        Trained in place.
    distance : int, or function of a generator to int
        Of every text, or drawn anew for each step.
    steps, seed, lr : int, int, float
        Number of steps, seed of the texts, learning rate.
    clip : float
        Longest gradient; what is longer is shortened to it.

    Notes
    -----
    Built in chapter 07.
    """
    generator = torch.Generator().manual_seed(seed)
    optimizer = torch.optim.Adam(model.parameters(), lr=lr)
    losses = []
    for _ in range(steps):
        d = distance if isinstance(distance, int) else distance(generator)
        ids, names = draw_texts(d, 32, generator)
        loss = F.cross_entropy(model(ids), names)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), clip)
        optimizer.step()
        losses.append(loss.item())
    return losses


def short_and_long(generator: torch.Generator, longest: int = 100) -> int:
    """Draw a distance from 1 to `longest`; each doubling has the same chance.

    Examples
    --------
    >>> draws = torch.Generator().manual_seed(0)
    >>> 1 <= short_and_long(draws) <= 100
    True
    """
    return round(longest ** torch.rand(1, generator=generator).item())


NETWORKS: dict[str, dict[str, Any]] = {
    "RNN": {"cell": "rnn"},
    "GRU": {"cell": "gru"},
    "LSTM": {"cell": "lstm"},
    "LSTM, open": {"cell": "lstm", "forget_bias": 4},
}


def after_training(network: str, distance: int, seed: int = 0) -> float:
    """Accuracy of one of `NETWORKS` at a distance, after training at that distance."""
    torch.manual_seed(seed)
    model = Recaller(**NETWORKS[network])
    train_recaller(model, distance, steps=300, seed=seed)
    return accuracy(model, distance)


def taught_nearby(network: str, seed: int = 0) -> Recaller:
    """Train one of `NETWORKS` on distances from 1 to 10."""
    torch.manual_seed(seed)
    model = Recaller(**NETWORKS[network])
    train_recaller(model, lambda draws: short_and_long(draws, 10), 400, seed)
    return model


@torch.no_grad()
def accuracy(model: Recaller, distance: int, n: int = 500, seed: int = 1) -> float:
    """Give the share of n new texts whose name is recalled; a guess has 1 in 8."""
    generator = torch.Generator().manual_seed(seed)
    ids, names = draw_texts(distance, n, generator)
    return (model(ids).argmax(1) == names).float().mean().item()
