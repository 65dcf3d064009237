"""The families of neural models that race, and the dials of each that may be turned."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from llmbook_recipes.ladder.story_stream import LONGEST

if TYPE_CHECKING:
    from torch import nn

Setting = dict[str, Any]  # a value for each dial
D_HEAD = 32  # width of each head of a GPT
RATES = (0.0015, 0.003, 0.006, 0.012, 0.024)


@dataclass(frozen=True)
class Family:
    """Models of one kind.

    Attributes
    ----------
    name : str
        Of the rung.
    dials : dict of str to tuple
        The values of each dial, in order; tuning goes from one to its neighbours.
    start : dict
        The first setting that is tried.
    make : callable
        From a setting and `vocab_size` to a model.
    """

    name: str
    dials: dict[str, tuple[Any, ...]]
    start: Setting
    make: Callable[[Setting, int], nn.Module]

    def neighbours(self, setting: Setting, dial: str) -> Iterator[Setting]:
        """Yield the settings with one dial turned by one, up and then down."""
        values = self.dials[dial]
        at = values.index(setting[dial])
        for other in (at + 1, at - 1):
            if 0 <= other < len(values):
                yield setting | {dial: values[other]}


def _mlp(setting: Setting, vocab_size: int) -> nn.Module:
    from llmbook_utils.models.sequences.neural_lm import NeuralLM, NeuralLMConfig

    names = ("block_size", "n_embd", "n_hidden")
    return NeuralLM(NeuralLMConfig(vocab_size, **{n: setting[n] for n in names}))


def _recurrent(setting: Setting, vocab_size: int) -> nn.Module:
    from llmbook_utils.models.sequences.recurrent.language_model import (
        RecurrentConfig,
        RecurrentLM,
    )

    return RecurrentLM(
        RecurrentConfig(
            vocab_size,
            n_embd=setting["n_hidden"],
            n_hidden=setting["n_hidden"],
            n_layer=setting["n_layer"],
            is_tied=False,
        )
    )


def _plain_gpt(setting: Setting, vocab_size: int) -> nn.Module:
    """With first weights drawn as those of GPT-2."""
    from llmbook_utils.models.attention.gpt import GPT, GPTConfig

    n_layer, n_embd = setting["n_layer"], setting["n_embd"]
    return GPT(GPTConfig(vocab_size, LONGEST, n_layer, n_embd // D_HEAD, n_embd))


def _our_gpt(setting: Setting, vocab_size: int) -> nn.Module:
    """With the first weights of `tiny`, found in earlier trials on these stories."""
    import torch

    from llmbook_utils.pretrained.recipe import Recipe, make_model

    recipe = Recipe(
        block_size=LONGEST,
        n_layer=setting["n_layer"],
        n_head=setting["n_embd"] // D_HEAD,
        n_embd=setting["n_embd"],
        seed=torch.initial_seed(),
    )
    return make_model(recipe, vocab_size)


FAMILIES = (
    Family(
        "MLP",
        {
            "lr": RATES,
            "block_size": (4, 8, 12, 16, 24, 32, 48),
            "n_hidden": (128, 256, 384, 512, 768, 1024),
            "optimizer": ("adamw", "muon"),
            "n_embd": (16, 32, 48, 64, 96),
            "rows": (8, 16, 32),
        },
        {
            "lr": 0.003,
            "block_size": 16,
            "n_hidden": 256,
            "optimizer": "adamw",
            "n_embd": 32,
            "rows": 16,
        },
        _mlp,
    ),
    Family(
        "LSTM",
        {
            "lr": RATES,
            "n_hidden": (64, 96, 128, 192, 256, 384, 512),
            "n_layer": (1, 2, 3),
            "optimizer": ("adamw", "muon"),
            "rows": (8, 16, 32),
        },
        {"lr": 0.006, "n_hidden": 192, "n_layer": 1, "optimizer": "adamw", "rows": 16},
        _recurrent,
    ),
    Family(
        "GPT, plain",
        {
            "lr": RATES,
            "n_embd": (64, 96, 128, 160, 192, 256),
            "n_layer": (1, 2, 3, 4, 6),
            "optimizer": ("adamw", "muon"),
            "rows": (4, 8, 16, 32),
        },
        {"lr": 0.003, "n_embd": 96, "n_layer": 2, "rows": 8, "optimizer": "adamw"},
        _plain_gpt,
    ),
    Family(
        "GPT",
        {
            "lr": RATES,
            "n_embd": (64, 96, 128, 160, 192, 256),
            "n_layer": (1, 2, 3, 4, 6),
            "rows": (4, 8, 16, 32),
        },
        {"lr": 0.006, "n_embd": 96, "n_layer": 2, "rows": 8, "optimizer": "muon"},
        _our_gpt,
    ),
)
