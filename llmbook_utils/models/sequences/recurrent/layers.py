"""One recurrent layer: tanh units, LSTM or GRU, from scratch (chapter 07).

A recurrent layer reads a text from left to right and keeps a state, the only thing that
it knows of what it has read. Each layer has one readable function, `step`: from what
comes in and the state before to the state after. `through_time` runs it over all steps
and back; `recurrent` stacks layers.
"""

from __future__ import annotations

import math
from typing import ClassVar, Literal

import torch
from torch import Tensor, nn

from llmbook_utils.models.sequences.recurrent import through_time

Cell = Literal["rnn", "lstm", "gru"]
State = tuple[Tensor, ...]  # h, and c of an LSTM; (B, H) each, or one more axis: layers


class RecurrentLayer(nn.Module):
    """A layer in one direction: what all kinds share.

    Parameters
    ----------
    n_in, n_hidden : int
        Width of what comes in, and H, of the state.

    Attributes
    ----------
    from_input, from_state : Linear
        W and U with their biases, all gates below each other: (gates * H, n_in) and
        (gates * H, H). One bias would do in all but the GRU; torch has two.
    """

    gates: ClassVar[tuple[str, ...]]
    n_states: ClassVar[int] = 1

    def __init__(self, n_in: int, n_hidden: int) -> None:
        super().__init__()
        self.n_hidden = n_hidden
        self.from_input = nn.Linear(n_in, len(self.gates) * n_hidden)
        self.from_state = nn.Linear(n_hidden, len(self.gates) * n_hidden)
        for p in self.parameters():
            nn.init.uniform_(p, -1 / math.sqrt(n_hidden), 1 / math.sqrt(n_hidden))

    def extra_repr(self) -> str:
        """Name the gates."""
        return f"gates={', '.join(self.gates)}"

    def step(self, x: Tensor, state: State) -> State:
        """Give the state (B, H) after one step; x (B, gates * H) is W x + b."""
        raise NotImplementedError

    def run(self, x: Tensor, state: State) -> State:
        """Give the states (T, B, H) after all steps; x (T, B, gates * H) as above."""
        raise NotImplementedError

    def forward(
        self, x: Tensor, state: State | None = None, by_steps: bool = False
    ) -> State:
        """Read x (T, B, n_in) from a state, by default of zeros.

        With `by_steps`, autograd goes back through `step`; the result is the same.
        """
        if state is None:
            state = (x.new_zeros(x.size(1), self.n_hidden),) * self.n_states
        x = self.from_input(x)  # of all steps in one product
        if not by_steps:
            return self.run(x, state)
        states = []
        for now in x:
            state = self.step(now, state)
            states.append(state)
        return tuple(torch.stack(kind) for kind in zip(*states, strict=True))


class RNNLayer(RecurrentLayer):
    """Tanh units: the state is squeezed through weights and a tanh at every step.

    Source: Elman (1990), "Finding structure in time". Built in chapter 07.
    """

    gates = ("candidate",)

    def step(self, x: Tensor, state: State) -> State:
        """h = tanh(W x + U h)."""
        (h,) = state
        return ((x + self.from_state(h)).tanh(),)

    def run(self, x: Tensor, state: State) -> State:
        """All steps at once, see `through_time.rnn`."""
        return through_time.rnn(
            x + self.from_state.bias, *state, self.from_state.weight
        )


class LSTMLayer(RecurrentLayer):
    """LSTM units: beside h there is a cell c, which is added to, not squeezed.

    Source: Hochreiter and Schmidhuber (1997), "Long short-term memory"; Gers et al.
    (2000), "Learning to forget". Built in chapter 07.
    """

    gates = ("input", "forget", "candidate", "output")
    n_states = 2

    def __init__(self, n_in: int, n_hidden: int) -> None:
        super().__init__(n_in, n_hidden)
        # at the start the forget gate is nearly open, so that gradients come far
        # (Jozefowicz et al., 2015)
        with torch.no_grad():
            self.from_input.bias[n_hidden : 2 * n_hidden] += 1

    def step(self, x: Tensor, state: State) -> State:
        """c = f c + i g; h = o tanh(c)."""
        h, c = state
        i, f, g, o = (x + self.from_state(h)).chunk(4, dim=-1)
        c = f.sigmoid() * c + i.sigmoid() * g.tanh()
        return o.sigmoid() * c.tanh(), c

    def run(self, x: Tensor, state: State) -> State:
        """All steps at once, see `through_time.lstm`."""
        return through_time.lstm(
            x + self.from_state.bias, *state, self.from_state.weight
        )


class GRULayer(RecurrentLayer):
    """Gated recurrent units: one state, mixed of the old one and a candidate.

    Source: Cho et al. (2014), "Learning phrase representations using RNN
    encoder-decoder for statistical machine translation", as torch and cuDNN have it:
    the reset gate works on U h, not on h. Built in chapter 07.
    """

    gates = ("reset", "update", "candidate")

    def step(self, x: Tensor, state: State) -> State:
        """n = tanh(W x + r (U h)); h = (1 - z) n + z h."""
        (h,) = state
        to_r, to_z, to_n = x.chunk(3, dim=-1)
        from_r, from_z, from_n = self.from_state(h).chunk(3, dim=-1)
        r, z = (to_r + from_r).sigmoid(), (to_z + from_z).sigmoid()
        n = (to_n + r * from_n).tanh()
        return ((1 - z) * n + z * h,)

    def run(self, x: Tensor, state: State) -> State:
        """All steps at once, see `through_time.gru`."""
        return through_time.gru(x, *state, self.from_state.weight, self.from_state.bias)


LAYERS: dict[str, type[RecurrentLayer]] = {
    "rnn": RNNLayer,
    "lstm": LSTMLayer,
    "gru": GRULayer,
}
