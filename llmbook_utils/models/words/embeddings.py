"""Word vectors learned by prediction, and words as Gaussians (chapter 02).

Words are ids, 0 ... V - 1. The models are a loss and the tables that it is about;
the training loops stand in the chapter. What the chapter makes by counting is in
`counting`, neighbours and analogies are in `similarity`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn


class NegativeSampler:
    """Draws noise words with probability proportional to count ** power.

    Parameters
    ----------
    counts : array, (V,)
        How often each word occurs.
    power : float
        1 draws words as often as they occur, 0 all alike. Between, rare words come
        up more often than they occur.

    Attributes
    ----------
    probs : tensor of float64, (V,)

    Raises
    ------
    ValueError
        If a count is negative or none is positive.

    Notes
    -----
    Source: Mikolov et al. (2013), "Distributed representations of words and phrases
    and their compositionality", section 2.2. Built in chapter 02.

    Examples
    --------
    >>> NegativeSampler([1, 16]).probs.tolist()  # 1 to 16 ** 0.75 = 8
    [0.1111111111111111, 0.8888888888888888]
    """

    def __init__(self, counts: Sequence[int] | np.ndarray, power: float = 0.75) -> None:
        weights = torch.as_tensor(np.asarray(counts), dtype=torch.float64)
        if weights.ndim != 1 or (weights < 0).any() or not (weights > 0).any():
            raise ValueError(
                "counts must be one number for each word, none negative and not all "
                f"zero; got shape {tuple(weights.shape)}"
            )
        # subtle: 0 ** 0 is 1, so a word that never occurs is kept out by hand
        weights = torch.where(weights > 0, weights**power, 0)
        self.probs = weights / weights.sum()
        self.power = power
        self._cumulative = self.probs.cumsum(0)

    def __repr__(self) -> str:
        return f"NegativeSampler({len(self.probs)} words, power={self.power})"

    def sample(
        self, size: int | tuple[int, ...], generator: torch.Generator | None = None
    ) -> Tensor:
        """Draw word ids, a CPU tensor of int64 with the shape `size`."""
        size = (size,) if isinstance(size, int) else size
        # scaled to the last value, which rounding leaves a little off 1
        draws = torch.rand(size, generator=generator, dtype=torch.float64)
        draws = draws * self._cumulative[-1]
        # right=True skips words of probability 0, even for a draw of exactly 0
        return torch.searchsorted(self._cumulative, draws, right=True)


class SkipGram(nn.Module):
    """Skip-gram with negative sampling: tell a word's contexts from noise.

    Parameters
    ----------
    vocab_size : int
        V.
    n_embd : int
        C, the length of a vector.

    Notes
    -----
    Source: Mikolov et al. (2013), "Distributed representations of words and phrases
    and their compositionality", equation 4. Built in chapter 02.

    Examples
    --------
    >>> SkipGram(vocab_size=100, n_embd=8).vectors().shape
    (100, 8)
    """

    def __init__(self, vocab_size: int, n_embd: int) -> None:
        super().__init__()
        self.input = nn.Embedding(vocab_size, n_embd)
        self.output = nn.Embedding(vocab_size, n_embd)
        nn.init.normal_(self.input.weight, std=0.1)
        nn.init.normal_(self.output.weight, std=0.1)

    def loss(self, center: Tensor, context: Tensor, noise: Tensor, k: int) -> Tensor:
        """-log s(u.v) - k E[log s(-u.v_noise)], averaged over the batch.

        Parameters
        ----------
        center : tensor of int, (B,)
            Words.
        context : tensor of int, (B,)
            For each, a word that occurred near it.
        noise : tensor of int, (K,)
            All pairs share these noise words, so that their scores are one matrix
            product. With one pair and K = k this is equation 4 of the paper.
        k : int
            How many noise words a pair counts for.

        Returns
        -------
        tensor, ()
            In nats.
        """
        u = self.input(center)  # (B, C)
        positive = (u * self.output(context)).sum(dim=1)  # (B,)
        negative = u @ self.output(noise).T  # (B, K)
        return -F.logsigmoid(positive).mean() - k * F.logsigmoid(-negative).mean()

    def vectors(self) -> np.ndarray:
        """The words' vectors, the input table, (V, C)."""
        return self.input.weight.detach().cpu().numpy()


class Glove(nn.Module):
    """GloVe: inner products that match the logarithm of co-occurrence counts.

    Parameters
    ----------
    vocab_size : int
        V.
    n_embd : int
        C, the length of a vector.
    x_max : float
        Pairs that occur this often or more have full weight.
    alpha : float
        Rarer pairs weigh (count / x_max) ** alpha.

    Notes
    -----
    Source: Pennington et al. (2014), "GloVe: Global vectors for word
    representation", equations 8 and 9. Built in chapter 02.

    Examples
    --------
    >>> Glove(vocab_size=100, n_embd=8).vectors().shape
    (100, 8)
    """

    def __init__(
        self, vocab_size: int, n_embd: int, x_max: float = 100.0, alpha: float = 0.75
    ) -> None:
        super().__init__()
        self.x_max, self.alpha = x_max, alpha
        self.word = nn.Embedding(vocab_size, n_embd)
        self.context = nn.Embedding(vocab_size, n_embd)
        self.word_bias = nn.Embedding(vocab_size, 1)
        self.context_bias = nn.Embedding(vocab_size, 1)
        for table in self.children():
            nn.init.uniform_(table.weight, -0.5 / n_embd, 0.5 / n_embd)

    def loss(self, row: Tensor, col: Tensor, count: Tensor) -> Tensor:
        """Weighted squared error of u.v + b_u + b_v against log count.

        Parameters
        ----------
        row : tensor of int, (B,)
            Words.
        col : tensor of int, (B,)
            Their contexts.
        count : tensor of float, (B,)
            How often they occur together, positive: other pairs are left out.

        Returns
        -------
        tensor, ()
        """
        score = (self.word(row) * self.context(col)).sum(dim=1)  # (B,)
        bias = (self.word_bias(row) + self.context_bias(col)).squeeze(1)
        weight = (count / self.x_max).clamp(max=1) ** self.alpha
        return (weight * (score + bias - count.log()) ** 2).mean()

    def vectors(self) -> np.ndarray:
        """The sum of both tables, (V, C), as the paper's section 4.2 takes it."""
        return (self.word.weight + self.context.weight).detach().cpu().numpy()


class GaussianEmbedding(nn.Module):
    """A word as a Gaussian: where it lies, and how far it reaches.

    A word that must lie near many different contexts becomes wide.

    Parameters
    ----------
    vocab_size : int
        V.
    n_embd : int
        C, the length of a mean vector.
    energy : {"likelihood", "kl"}
        How well a word and a context fit: the logarithm of the overlap of their
        Gaussians, or minus KL(context || word).
    spherical : bool
        One variance for each word instead of one for each of its dimensions.
    bounds : (float, float)
        The smallest and the largest variance.

    Raises
    ------
    ValueError
        If `energy` is neither of the two, or the bounds are not 0 < low < high.

    Notes
    -----
    Source: Vilnis & McCallum (2015), "Word representations via Gaussian embedding",
    sections 3 and 4. The paper cuts the variances back into their bounds after each
    step; here a sigmoid keeps them there. Built in chapter 02.

    Examples
    --------
    >>> model = GaussianEmbedding(vocab_size=100, n_embd=8)
    >>> model.vectors().shape, model.variances().shape
    ((100, 8), (100, 1))
    """

    def __init__(
        self,
        vocab_size: int,
        n_embd: int,
        energy: Literal["likelihood", "kl"] = "likelihood",
        spherical: bool = True,
        bounds: tuple[float, float] = (0.05, 20.0),
    ) -> None:
        super().__init__()
        if energy not in ("likelihood", "kl"):
            raise ValueError(f"energy must be 'likelihood' or 'kl', got {energy!r}")
        if not 0 < bounds[0] < bounds[1]:
            raise ValueError(f"bounds must be 0 < low < high, got {bounds}")
        self.kind, self.bounds = energy, bounds
        d_var = 1 if spherical else n_embd
        self.mean = nn.Embedding(vocab_size, n_embd)
        self.spread = nn.Embedding(vocab_size, d_var)
        self.context_mean = nn.Embedding(vocab_size, n_embd)
        self.context_spread = nn.Embedding(vocab_size, d_var)
        for mean in (self.mean, self.context_mean):
            nn.init.normal_(mean.weight, std=0.3)
        for spread in (self.spread, self.context_spread):
            nn.init.zeros_(spread.weight)  # the middle of the bounds, in logarithm

    def energy(self, word: Tensor, context: Tensor) -> Tensor:
        """How well words (B,) fit contexts (B,): (B,), in nats, higher is better."""
        gap = (self.mean(word) - self.context_mean(context)) ** 2  # (B, C)
        var_w = self._bound(self.spread(word)).expand_as(gap)
        var_c = self._bound(self.context_spread(context)).expand_as(gap)
        if self.kind == "likelihood":
            var = var_w + var_c
            return -0.5 * (gap / var + (2 * torch.pi * var).log()).sum(dim=-1)
        ratio = var_c / var_w
        return -0.5 * (ratio + gap / var_w - 1 - ratio.log()).sum(dim=-1)

    def loss(
        self, word: Tensor, context: Tensor, noise: Tensor, margin: float = 1.0
    ) -> Tensor:
        """Mean of max(0, margin - E(word, context) + E(word, noise)), ids all (B,)."""
        gain = self.energy(word, context) - self.energy(word, noise)
        return F.relu(margin - gain).mean()

    def vectors(self) -> np.ndarray:
        """The words' means, (V, C)."""
        return self.mean.weight.detach().cpu().numpy()

    def variances(self) -> np.ndarray:
        """The words' variances, (V, 1) if spherical, else (V, C)."""
        return self._bound(self.spread.weight).detach().cpu().numpy()

    def _bound(self, spread: Tensor) -> Tensor:
        low, high = np.log(self.bounds)
        return (low + (high - low) * torch.sigmoid(spread)).exp()
