"""Multilayer perceptrons, and a classifier of texts made of one (chapter 03).

An MLP without hidden layers is a linear model, so that a line and what a layer adds to
it can be compared with the same code.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "none": lambda x: x,
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "relu": F.relu,
    "gelu": F.gelu,
}


@dataclass(frozen=True)
class MLPConfig:
    """The shape of an `MLP`.

    Parameters
    ----------
    n_in, n_out : int
        Numbers that come in and go out.
    n_hidden : int
        Neurons in each hidden layer.
    n_layer : int
        Hidden layers; 0 makes a linear model.
    activation : str
        A key of `ACTIVATIONS`: none, sigmoid, tanh, relu or gelu.
    dropout : float
        Share of a hidden layer's outputs that are set to 0 in training.

    Raises
    ------
    ValueError
        If a number is too small, the activation unknown or the dropout no share.

    Examples
    --------
    >>> MLPConfig(3, 1, n_hidden=2).widths
    (3, 2, 1)
    >>> MLPConfig(3, 1, n_layer=0).widths
    (3, 1)
    """

    n_in: int
    n_out: int
    n_hidden: int = 64
    n_layer: int = 1
    activation: str = "relu"
    dropout: float = 0.0

    def __post_init__(self) -> None:
        for name in ("n_in", "n_out", "n_hidden"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be 1 or more, got {getattr(self, name)}")
        if self.n_layer < 0:
            raise ValueError(f"n_layer must be 0 or more, got {self.n_layer}")
        if self.activation not in ACTIVATIONS:
            raise ValueError(
                f"no activation {self.activation!r}; choose one of: "
                f"{', '.join(ACTIVATIONS)}"
            )
        if not 0 <= self.dropout < 1:
            raise ValueError(f"dropout is {self.dropout}; it must be in [0, 1)")

    @property
    def widths(self) -> tuple[int, ...]:
        """Widths of all layers, from the input to the output."""
        return self.n_in, *[self.n_hidden] * self.n_layer, self.n_out


class MLP(nn.Module):
    """Linear layers with a nonlinear function after each but the last.

    Parameters
    ----------
    config : MLPConfig
        Its shape.

    Notes
    -----
    Source: Rumelhart, Hinton and Williams (1986), "Learning representations by
    back-propagating errors". Built in chapter 03.

    Examples
    --------
    >>> model = MLP(MLPConfig(3, 1, n_hidden=2))
    >>> model(torch.zeros(5, 3)).shape
    torch.Size([5, 1])
    """

    def __init__(self, config: MLPConfig) -> None:
        super().__init__()
        self.config = config
        pairs = zip(config.widths[:-1], config.widths[1:], strict=True)
        self.layers = nn.ModuleList(nn.Linear(n, m) for n, m in pairs)
        self.dropout = nn.Dropout(config.dropout)

    def hidden_outputs(self, x: Tensor) -> list[Tensor]:
        """Compute what each hidden layer gives, without dropout.

        Parameters
        ----------
        x : tensor (..., n_in)
            The inputs.

        Returns
        -------
        list of tensor (..., n_hidden)
            One for each hidden layer.
        """
        activation, found = ACTIVATIONS[self.config.activation], []
        for layer in self.layers[:-1]:
            x = activation(layer(x))
            found.append(x)
        return found

    def forward(self, x: Tensor) -> Tensor:
        """Turn inputs (..., n_in) into outputs (..., n_out), without a softmax."""
        activation = ACTIVATIONS[self.config.activation]
        for layer in self.layers[:-1]:
            x = self.dropout(activation(layer(x)))
        return self.layers[-1](x)


def pad_ids(texts: Sequence[Sequence[int]]) -> tuple[Tensor, Tensor]:
    """Put texts of different lengths into one table.

    Parameters
    ----------
    texts : sequence of sequence of int
        The numbers of the tokens of each of B texts.

    Returns
    -------
    ids : tensor of int64, (B, T)
        T is the length of the longest text; shorter ones are filled up with 0.
    mask : tensor of bool, (B, T)
        True where there is a token.

    Raises
    ------
    ValueError
        If there is no text.

    Examples
    --------
    >>> ids, mask = pad_ids([[5, 6, 7], [8]])
    >>> ids.tolist(), mask.int().tolist()
    ([[5, 6, 7], [8, 0, 0]], [[1, 1, 1], [1, 0, 0]])
    """
    if not len(texts):
        raise ValueError("there is no text; pad_ids needs at least one")
    longest = max(map(len, texts))
    ids = torch.zeros(len(texts), longest, dtype=torch.int64)
    mask = torch.zeros(len(texts), longest, dtype=torch.bool)
    for row, text in enumerate(texts):
        ids[row, : len(text)] = torch.tensor(text, dtype=torch.int64)
        mask[row, : len(text)] = True
    return ids, mask


class EmbeddingBagClassifier(nn.Module):
    """The mean of a text's word vectors, and an `MLP` on it.

    Parameters
    ----------
    vocab_size : int
        Number of different tokens, V.
    config : MLPConfig
        The MLP; its `n_in` is the length of a word's vector, its `n_out` the number of
        classes.

    Raises
    ------
    ValueError
        If there are no tokens.

    Notes
    -----
    The order of the words is lost, as in a bag of words. Source: Iyyer et al. (2015),
    "Deep unordered composition rivals syntactic methods for text classification".
    Built in chapter 03.

    Examples
    --------
    >>> model = EmbeddingBagClassifier(100, MLPConfig(n_in=16, n_out=4))
    >>> model(*pad_ids([[5, 6, 7], [8]])).shape
    torch.Size([2, 4])
    """

    def __init__(self, vocab_size: int, config: MLPConfig) -> None:
        super().__init__()
        if vocab_size < 1:
            raise ValueError(f"vocab_size must be 1 or more, got {vocab_size}")
        self.wte = nn.Embedding(vocab_size, config.n_in)
        # torch draws with deviation 1: chance that a few hundred texts do not wash out
        nn.init.normal_(self.wte.weight, std=0.1)
        self.dropout = nn.Dropout(config.dropout)
        self.mlp = MLP(config)

    def bag(self, ids: Tensor, mask: Tensor) -> Tensor:
        """Average the vectors of each text.

        Parameters
        ----------
        ids : tensor of int64, (B, T)
            The numbers of the tokens.
        mask : tensor of bool, (B, T)
            True where there is a token; what stands elsewhere does not matter.

        Returns
        -------
        tensor (B, n_in)
            The means; 0 for a text without tokens.

        Raises
        ------
        ValueError
            If the shapes differ.
        """
        if ids.ndim != 2 or ids.shape != mask.shape:
            raise ValueError(
                f"ids and mask must both have the shape (B, T), got {tuple(ids.shape)} "
                f"and {tuple(mask.shape)}; pad_ids makes them"
            )
        present = mask.unsqueeze(2)  # (B, T, 1)
        total = (self.wte(ids) * present).sum(dim=1)  # (B, n_in)
        return total / present.sum(dim=1).clamp(min=1)

    def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
        """Compute logits (B, n_out) of texts, given as for `bag`."""
        return self.mlp(self.dropout(self.bag(ids, mask)))
