"""What `tiny` is trained on: stories with the exact probability of every next token.

A text shows at each fork the one way that the story took. But TinyWorld knows all of
them: whoever may act next, whatever may be taken. So the targets are not the tokens
that came, but the probabilities of those that could have come. The least loss is
reached by the same model, and each story teaches more.

Some of the stories are glossed: after each mention comes where the person or object is,
after he, she, him and her first the name. A gloss can only be known by following the
story, and every mention asks for one. Such rows begin with a token of their own, so
that the model can tell them from stories.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from functools import cache, lru_cache
from typing import TYPE_CHECKING, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from llmbook_utils.tinyworld.sampling import split_of
from llmbook_utils.tinyworld.story import lexicon
from llmbook_utils.tinyworld.telling.choosers import Sampler
from llmbook_utils.tinyworld.telling.teller import Teller

if TYPE_CHECKING:
    from llmbook_utils.pretrained.recipe import Recipe
    from llmbook_utils.text.bpe import BytePairTokenizer

IGNORED = -100
Weights = dict[int, float]  # of tokens; they sum to 1


class Recorder(Sampler):
    """Samples, and keeps what else could have been said at each fork.

    Attributes
    ----------
    forks : dict of int to list of (str, int)
        For each part of the text that was chosen, all surfaces with their weights.
    """

    def __init__(self, rng: random.Random) -> None:
        super().__init__(rng.random)
        self.forks: dict[int, list[tuple[str, int]]] = {}

    def say(self, surfaces: Sequence[str], weights: Sequence[int] | None = None) -> int:
        """Choose a surface, add it to the text, return its number."""
        part = len(self.parts)
        choice = super().say(surfaces, weights)
        shares = [1] * len(surfaces) if weights is None else weights
        self.forks[part] = [
            (surface, share)
            for surface, share in zip(surfaces, shares, strict=True)
            if share
        ]
        return choice


class Glosser(Teller):
    """Tells a story, and keeps where people and objects are when they are mentioned.

    Attributes
    ----------
    glosses : dict of int to str
        For each part of the text that is a mention: of a person the place, after a
        pronoun first the name; of an object the holder or the place.
    """

    def __init__(self, chooser: Recorder) -> None:
        super().__init__(lexicon("home"), chooser)
        self.glosses: dict[int, str] = {}

    def mark(self, kind: str, number: int, is_pronoun: bool = False) -> None:
        """Note that the piece said last names an entity."""
        super().mark(kind, number, is_pronoun)
        world = self.world
        gloss = ""
        if kind == "person" and number < len(world.at):
            gloss = self.name(number) if is_pronoun else ""
            gloss += self.bare_place(world.at[number])
        elif kind == "thing" and number < len(world.things):
            how, where = world.location(number)
            gloss = self.name(where) if how == "held" else self.bare_place(where)
        if gloss:
            self.glosses[len(self.parts) - 1] = gloss

    def bare_place(self, where: int) -> str:
        return self.lexicon.place[where].removeprefix(" the")


class Told(NamedTuple):
    """The tokens of a story, and what could have stood in their place.

    Parameters
    ----------
    start : int
        The token before the first: ``<|endoftext|>``, or what glossed stories have.
    ids : list of int
        The story's tokens.
    forks : list of (dict or None)
        Of each token, the probabilities of all that could have stood there; None where
        there was no choice.
    """

    start: int
    ids: list[int]
    forks: list[Weights | None]


class StoryBatches:
    """Batches of stories and copying rows, a function of the step alone.

    Parameters
    ----------
    tokenizer : BytePairTokenizer
        Its ``<|endoftext|>`` opens and closes each story, ``=`` opens glossed ones.
    recipe : Recipe
        For rows and seed.
    """

    def __init__(self, tokenizer: BytePairTokenizer, recipe: Recipe) -> None:
        self.tokens = cache(lambda part: tuple(tokenizer.encode(part)))
        self.vocab_size = len(tokenizer)
        self.end = tokenizer.vocab["<|endoftext|>"]
        (self.glossed,) = self.tokens("=")
        self.recipe = recipe
        self.last_step = -1
        self.table = torch.zeros(0, self.vocab_size)
        self._batches = lru_cache(maxsize=2)(self._make_group)

    def __call__(self, step: int) -> tuple[Tensor, Tensor]:
        """Return inputs and targets (rows, T) of a step, and keep its `table`.

        A target below V is a token, one from V on is a row of `table`, which has the
        probabilities of all tokens, (N, V).
        """
        self.last_step = step
        recipe = self.recipe
        self.table = torch.zeros(0, self.vocab_size)
        if step < recipe.first_steps:
            rng = random.Random(f"{recipe.seed} copy {step}")
            inputs, targets = self._start(recipe.first_rows, recipe.first_length)
            for row in range(len(inputs)):
                self._copy(inputs[row], targets[row], rng)
            return inputs, targets
        group, number = divmod(step, recipe.group)
        inputs, targets, forks = self._batches(group)[number]
        self.table = torch.zeros(len(forks), self.vocab_size)
        for row, fork in zip(self.table, forks, strict=True):
            row[list(fork)] = torch.tensor(list(fork.values()))
        return inputs, targets

    def loss(self, model: nn.Module, inputs: Tensor, targets: Tensor) -> Tensor:
        """Give the cross-entropy (nats) with the exact probabilities, summed."""
        logits = model(inputs).flatten(0, 1).float()
        targets = targets.flatten()
        is_fork = targets >= self.vocab_size
        tokens = targets.masked_fill(is_fork, IGNORED)
        certain = F.cross_entropy(logits, tokens, ignore_index=IGNORED, reduction="sum")
        wanted = self.table.to(logits.device)[targets[is_fork] - self.vocab_size]
        return certain + F.cross_entropy(logits[is_fork], wanted, reduction="sum")

    def tell(self, rng: random.Random, is_glossed: bool = False) -> Told:
        """Sample a story of the training split."""
        while True:
            recorder = Recorder(rng)
            teller = Glosser(recorder)
            teller.tell()
            if split_of("".join(recorder.parts)) == "train":
                break
        told = Told(self.glossed if is_glossed else self.end, [], [])
        for number, part in enumerate(recorder.parts):
            said = self.tokens(part)
            left = [
                (self.tokens(surface), share)
                for surface, share in recorder.forks.get(number, [(part, 1)])
            ]
            for k, token in enumerate(said):
                told.forks.append(_weigh(left, k) if len(left) > 1 else None)
                left = [(way, share) for way, share in left if way[k] == token]
            gloss = self.tokens(teller.glosses.get(number, "")) if is_glossed else ()
            told.ids.extend(said + gloss)
            told.forks.extend([None] * len(gloss))
        return told

    def _make_group(self, group: int) -> list[tuple[Tensor, Tensor, list[Weights]]]:
        recipe = self.recipe
        rng = random.Random(f"{recipe.seed} {group}")
        n = recipe.rows * recipe.group
        told = [self.tell(rng, i < recipe.glossed * n) for i in range(n)]
        told.sort(key=lambda story: len(story.ids))
        batches = [
            self._make_batch(told[at : at + recipe.rows], rng)
            for at in range(0, n, recipe.rows)
        ]
        rng.shuffle(batches)
        return batches

    def _make_batch(
        self, told: list[Told], rng: random.Random
    ) -> tuple[Tensor, Tensor, list[Weights]]:
        """One batch; its targets from V on are numbers of forks."""
        length = min(len(told[-1].ids) + 1, self.recipe.block_size)
        inputs, targets = self._start(len(told) + self.recipe.copy_rows, length)
        table: list[Weights] = []
        for row, (start, ids, forks) in enumerate(told):
            wanted = [*ids, self.end]
            for at, fork in enumerate(forks):
                if fork is not None:
                    wanted[at] = self.vocab_size + len(table)
                    table.append(fork)
            sequence = [start, *ids][:length]
            inputs[row, : len(sequence)] = torch.tensor(sequence)
            targets[row, : len(wanted)] = torch.tensor(wanted[:length])
        for row in range(len(told), len(inputs)):
            self._copy(inputs[row], targets[row], rng)
        return inputs, targets, table

    def _start(self, rows: int, length: int) -> tuple[Tensor, Tensor]:
        """Inputs of end tokens, targets that are ignored."""
        inputs = torch.full((rows, length), self.end)
        return inputs, torch.full((rows, length), IGNORED)

    def _copy(self, inputs: Tensor, targets: Tensor, rng: random.Random) -> None:
        """Fill a row with random tokens that repeat."""
        length = len(inputs)
        period = rng.randint(4, length // 2)
        once = rng.sample(range(1, self.vocab_size), period)
        ids = torch.tensor((once * (length // period + 1))[:length])
        inputs[1:] = ids[:-1]
        targets[period:] = ids[period:]  # what is random cannot be learned


def _weigh(ways: list[tuple[tuple[int, ...], int]], k: int) -> Weights:
    """The probabilities of the tokens at place k of what may be said."""
    total = sum(share for _, share in ways)
    weights: Weights = {}
    for way, share in ways:
        weights[way[k]] = weights.get(way[k], 0.0) + share / total
    return weights
