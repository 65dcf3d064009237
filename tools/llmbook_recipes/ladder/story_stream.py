"""The text that models race on: fresh stories without end, the same for all."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from llmbook_utils.evaluation.bits import IGNORED
from llmbook_utils.models.language_model import end_id
from llmbook_utils.tinyworld import sampling

if TYPE_CHECKING:
    from torch import Tensor

    from llmbook_utils.text.bpe import BytePairTokenizer

CHUNK = 5000  # stories that are told and kept at a time
MEASURED = 1000  # stories of the test split, and stories that each model tells
GROUP = 16  # batches cut from stories that are sorted by length
UNIT = 16  # batches are padded to a multiple of it, to have few different shapes
LONGEST = 256  # tokens of a row; the longest of 5,000 stories had 228


class Stream:
    """Stories of the training split, one after the other, cut into tokens.

    Whoever reads faster gets further; nobody reads a story twice. Telling and cutting
    is done once, kept in a folder, and not counted as anybody's time.

    Parameters
    ----------
    tokenizer : BytePairTokenizer
        Cuts the stories.
    seed : int
        Streams of different seeds share no story.
    folder : Path
        Where stories that were told are kept.
    """

    def __init__(self, tokenizer: BytePairTokenizer, seed: int, folder: Path) -> None:
        self.tokenizer, self.seed, self.folder = tokenizer, seed, folder
        self.end = end_id(tokenizer)
        self._chunk = lru_cache(maxsize=2)(self._make_chunk)
        self._group = lru_cache(maxsize=1)(self._make_group)

    def __repr__(self) -> str:
        return f"Stream(seed={self.seed})"

    def story(self, number: int) -> np.ndarray:
        """Return the tokens of a story, uint16."""
        chunk, at = divmod(number, CHUNK)
        ids, ends = self._chunk(chunk)
        return ids[ends[at - 1] if at else 0 : ends[at]]

    def documents(self, n: int) -> Iterator[list[int]]:
        """Yield the tokens of the first n stories."""
        names = list(range(len(self.tokenizer)))  # one number object for each token
        for number in range(n):
            yield [names[i] for i in self.story(number)]

    def batch(self, step: int, rows: int) -> tuple[Tensor, Tensor]:
        """Return inputs and targets, (rows, T) each, of a step.

        A row is a story with the end token before it and behind it, and more of them
        where others are longer; their targets are -100.
        """
        group, number = divmod(step, GROUP)
        return self._group(group, rows)[number]

    def _make_chunk(self, chunk: int) -> tuple[np.ndarray, np.ndarray]:
        path = self.folder / f"stories-{self.seed}-{chunk:04d}.npz"
        if not path.exists():
            told = sampling.stories(CHUNK, f"race {self.seed} {chunk}", split="train")
            fast = self.tokenizer.to_tokenizers()
            cut = [c.ids for c in fast.encode_batch([story.text for story in told])]
            self.folder.mkdir(parents=True, exist_ok=True)
            half = path.with_suffix(".tmp.npz")
            ids = np.concatenate([np.array(one, np.uint16) for one in cut])
            np.savez_compressed(half, ids=ids, ends=np.cumsum([*map(len, cut)]))
            half.replace(path)
        with np.load(path) as kept:
            return kept["ids"], kept["ends"]

    def _make_group(self, group: int, rows: int) -> list[tuple[Tensor, Tensor]]:
        n = GROUP * rows
        stories = sorted(map(self.story, range(group * n, (group + 1) * n)), key=len)
        batches = [self._pad(stories[at : at + rows]) for at in range(0, n, rows)]
        random.Random(f"{self.seed} {group}").shuffle(batches)
        return batches

    def _pad(self, stories: list[np.ndarray]) -> tuple[Tensor, Tensor]:
        import torch

        T = UNIT * math.ceil((1 + max(map(len, stories))) / UNIT)
        inputs = torch.full((len(stories), T), self.end)
        targets = torch.full((len(stories), T), IGNORED)
        for row, story in enumerate(stories):
            ids = torch.from_numpy(story.astype(np.int64))
            inputs[row, 1 : len(ids) + 1] = ids
            targets[row, : len(ids)] = ids
            targets[row, len(ids)] = self.end
        return inputs[:, :LONGEST], targets[:, :LONGEST]
