"""What the counting rungs learn from, and how they are tuned."""

from __future__ import annotations

import time
from functools import cached_property
from typing import Any

from llmbook_utils.ladder.rungs import Counting, TextModel
from llmbook_utils.models.language_model import end_id
from llmbook_utils.models.sequences.ngram import LanguageModel, NGram
from llmbook_utils.pretrained import TINY
from llmbook_utils.pretrained import recipe as tiny_recipe
from llmbook_utils.text.bpe import BytePairTokenizer
from llmbook_utils.tinyworld import sampling

SMOOTHING = (1.0, 0.1, 0.01, 0.001, 0.0001)  # values of k that are tried


class Training:
    """What the lower rungs learn from: stories, cut by the tokenizer of `tiny`.

    Parameters
    ----------
    n : int
        Stories of the training split.
    seed : int
        Of the stories.
    """

    def __init__(self, n: int, seed: int = 0) -> None:
        is_made = (TINY / "vocab.json").exists()
        self.seed, self.stories = seed, n
        self.tokenizer = (
            BytePairTokenizer.load(TINY)
            if is_made
            else tiny_recipe.make_tokenizer(tiny_recipe.Recipe())
        )
        self.end = end_id(self.tokenizer)
        self.texts = [s.text for s in sampling.stories(n, seed, split="train")]
        fast = self.tokenizer.to_tokenizers()
        self.documents = [found.ids for found in fast.encode_batch(self.texts)]

    @cached_property
    def validation(self) -> list[list[int]]:
        """Token ids of stories of the validation split."""
        sampled = sampling.stories(100, self.seed, split="validation")
        return [self.tokenizer.encode(story.text) for story in sampled]

    def fit(
        self, model: LanguageModel, **details: Any
    ) -> tuple[TextModel, dict[str, Any]]:
        """Fit a model of tokens, and return it with its recipe."""
        started = time.process_time()
        model.fit(self.documents, len(self.tokenizer), self.end)
        return Counting(model, self.tokenizer.encode, self.tokenizer.decode), {
            "training_tokens": sum(map(len, self.documents)) + len(self.documents),
            "training_stories": self.stories,
            "seconds": time.process_time() - started,  # of one core
            "seed": self.seed,
            "vocab_size": len(self.tokenizer),
            **details,
        }

    def best_smoothing(self, n: int) -> float:
        """Return the k of `NGram` with which validation stories cost least."""

        def cost(k: float) -> float:
            model.k = k
            return -sum(map(model.log_prob, self.validation))

        model = NGram(n, k=1).fit(self.documents, len(self.tokenizer), self.end)
        return min(SMOOTHING, key=cost)
