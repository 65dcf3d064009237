"""Skip-gram with negative sampling: ours and gensim's, speed and quality in one run.

``python tools/benchmarks/skipgram.py`` trains both on the words of `pydocs`, thinned
once for both as chapter 02 does: the same pairs of words, the same dimensions, window
and number of noise words, one core. They take turns, and what a row says of speed is a
ratio to gensim in the same round. Quality is chapter 02's: how many of a word's five
nearest neighbours stand in its own group of the chapter's list.

What differs, and why a row may be slow:

- gensim's inner loop is compiled. It takes one pair, draws its noise words, computes a
few inner products of vectors that lie in the processor's cache, and changes those few
rows at once (gradient descent with a falling step). - Ours gathers thousands of pairs
into a batch for torch. `shared` lets the batch share its noise words, so that all
scores are one matrix product; `own` draws noise words for each pair as gensim does and
so copies their vectors, each used once. Both have gradients and Adagrad's sums for
whole tables, at every step, used rows or not; the last table says what share of a step
that is. - A pair moves gensim's vectors at once, a batch of pairs moves ours once: so
both have their own step size, and quality is to be read beside the number of epochs.
"""

from __future__ import annotations

import argparse
import re
import statistics
import time
from collections.abc import Callable, Sequence
from itertools import chain
from pathlib import Path

import nbformat
import numpy as np
import torch
from common import machine, table
from torch import Tensor
from torch.nn.functional import logsigmoid

from llmbook_press import notebooks
from llmbook_utils.models.words.counting import skipgram_pairs
from llmbook_utils.models.words.embeddings import NegativeSampler, SkipGram
from llmbook_utils.models.words.similarity import precision_at_k
from llmbook_utils.text.corpora import load_corpus
from llmbook_utils.text.words import Vocabulary, split_words

SHARED = 64  # noise words of a batch
CPU = torch.device("cpu")


class Text:
    """The words of `pydocs`, thinned, and the groups that quality is measured on."""

    def __init__(self, documents: int, window: int) -> None:
        words = [split_words(text) for text in load_corpus("pydocs")][:documents]
        self.vocab = Vocabulary(words, min_count=5)
        frequency = self.vocab.counts / self.vocab.counts.sum()
        keep = np.minimum(1, np.sqrt(0.003 / frequency))
        rng = np.random.default_rng(0)
        ids = [self.vocab.encode(document) for document in words]
        self.ids = [[i for i in each if rng.random() < keep[i]] for each in ids]
        self.window = window
        self.pairs = torch.from_numpy(skipgram_pairs(self.ids, window))  # (N, 2)

    def precision(self, vectors: np.ndarray, k: int = 5) -> float:
        """Precision at k on chapter 02's groups, as far as their words are here."""
        known = [
            [self.vocab.index(word) for word in group if word in self.vocab.words]
            for group in stated_groups()
        ]
        return precision_at_k(vectors, [group for group in known if len(group) > k], k)


def stated_groups() -> list[list[str]]:
    """Read the groups of words from chapter 02."""
    root = notebooks.book_root(Path(__file__).parent)
    nb = nbformat.read(root / "notebooks/02_word_embeddings.ipynb", as_version=4)
    source = next(c.source for c in nb.cells if c.source.startswith("GROUPS = "))
    block = re.search(r'"""\\?\n(.*?)"""', source, re.DOTALL)[1]
    return [line.split() for line in block.replace("\\\n", "").splitlines()]


def train_gensim(text: Text, args: argparse.Namespace, epochs: int) -> np.ndarray:
    """Train gensim's skip-gram; return the vectors, (V, C)."""
    from gensim.models import Word2Vec

    model = Word2Vec(
        vector_size=args.width,
        window=text.window,
        shrink_windows=False,  # all pairs, as ours
        negative=args.noise,
        sg=1,
        sample=0,  # the text is thinned already
        min_count=0,
        workers=1,
        seed=args.seed,
    )
    sentences = [[str(i) for i in each] for each in text.ids]
    counts = np.bincount([*chain(*text.ids)], minlength=len(text.vocab))
    model.build_vocab_from_freq({str(i): int(n) for i, n in enumerate(counts)})
    model.train(sentences, total_examples=len(sentences), epochs=epochs)
    order = [model.wv.key_to_index[str(i)] for i in range(len(text.vocab))]
    return model.wv.vectors[order]


def train_ours(
    text: Text, args: argparse.Namespace, epochs: int, is_shared: bool
) -> np.ndarray:
    """Train as chapter 02 does; return the vectors, (V, C)."""
    torch.manual_seed(args.seed)
    model = SkipGram(len(text.vocab), args.width)
    step = make_step(model, text, args, epochs, is_shared)
    for _ in range(epochs):
        for rows in torch.randperm(len(text.pairs)).split(args.batch):
            for part in step(text.pairs[rows]):
                part()
    return model.vectors()


def make_step(
    model: SkipGram, text: Text, args: argparse.Namespace, epochs: int, is_shared: bool
) -> Callable[[Tensor], Sequence[Callable[[], object]]]:
    """Return what turns a batch, (B, 2), into the three parts of a step."""
    optimizer = torch.optim.Adagrad(model.parameters(), lr=0.2)
    n_steps = epochs * -(-len(text.pairs) // args.batch)
    schedule = torch.optim.lr_scheduler.LinearLR(optimizer, 1, 0.02, n_steps)
    sampler = NegativeSampler(text.vocab.counts)

    def loss_of(pairs: Tensor) -> Tensor:
        center, context = pairs.T
        if is_shared:
            return model.loss(center, context, sampler.sample(SHARED), k=args.noise)
        noise = model.output(sampler.sample((len(pairs), args.noise)))  # (B, k, C)
        u = model.input(center)  # (B, C)
        positive = (u * model.output(context)).sum(dim=1)
        negative = (noise @ u[:, :, None]).squeeze(2)  # (B, k)
        return -(logsigmoid(positive) + logsigmoid(-negative).sum(dim=1)).mean()

    def step(pairs: Tensor) -> Sequence[Callable[[], object]]:
        loss: list[Tensor] = []

        def update() -> None:
            optimizer.step()
            schedule.step()
            optimizer.zero_grad()

        return (
            lambda: loss.append(loss_of(pairs)),
            lambda: loss[0].backward(),
            update,
        )

    return step


def shares(text: Text, args: argparse.Namespace, is_shared: bool) -> list[float]:
    """Measure the share of a step that is forward, backward and update."""
    model = SkipGram(len(text.vocab), args.width)
    step = make_step(model, text, args, 1, is_shared)
    spent = [0.0, 0.0, 0.0]
    for number, rows in enumerate(torch.randperm(len(text.pairs)).split(args.batch)):
        for at, part in enumerate(step(text.pairs[rows])):
            began = time.process_time()
            part()
            if number:  # the first step warms up
                spent[at] += time.process_time() - began
        if number == 50:
            break
    return [each / sum(spent) for each in spent]


CONTESTANTS: dict[str, Callable[[Text, argparse.Namespace, int], np.ndarray]] = {
    "gensim": train_gensim,
    "ours, shared noise": lambda *a: train_ours(*a, is_shared=True),
    "ours, own noise": lambda *a: train_ours(*a, is_shared=False),
}


def measure(text: Text, args: argparse.Namespace) -> list[list[str]]:
    """Let all train in turns, a seed a round; return the rows of the table."""
    found: dict[tuple[str, int], list[tuple[float, float]]] = {}
    for seed in range(args.rounds):
        args.seed = seed
        for epochs in args.epochs:
            for name, train in CONTESTANTS.items():
                began = time.process_time()
                vectors = train(text, args, epochs)
                seconds = time.process_time() - began
                score = text.precision(vectors)
                found.setdefault((name, epochs), []).append((seconds, score))
    rows = []
    for (name, epochs), runs in found.items():
        of_gensim = [seconds for seconds, _ in found["gensim", epochs]]
        pace = statistics.median(
            theirs / ours for theirs, (ours, _) in zip(of_gensim, runs, strict=True)
        )
        seconds = statistics.median(seconds for seconds, _ in runs)
        scores = [score for _, score in runs]
        rows.append(
            [
                name,
                str(epochs),
                f"{seconds:.1f}",
                f"{len(text.pairs) * epochs / seconds / 1e6:.3f}",
                f"{pace:.2f}",
                f"{statistics.mean(scores):.3f}",
                f"{min(scores):.3f} to {max(scores):.3f}",
            ]
        )
    return rows


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name, value in {"width": 64, "window": 2, "noise": 5, "batch": 8192}.items():
        parser.add_argument(f"--{name}", type=int, default=value)
    parser.add_argument("--epochs", type=int, nargs="+", default=[5, 20])
    parser.add_argument("--rounds", type=int, default=3, help="each has its own seed")
    parser.add_argument("--documents", type=int, help="of pydocs; all by default")
    args = parser.parse_args()
    torch.set_num_threads(1)
    text = Text(args.documents, args.window)
    longest = max(map(len, text.ids))
    assert longest <= 10_000, "gensim cuts documents of more than 10,000 words"
    print(machine(CPU))
    print(f"{len(text.pairs):,} pairs, {len(text.vocab):,} words\n")
    head = ["skip-gram", "epochs", "core s", "M pairs/s", "speed", "precision", "range"]
    print(table(head, measure(text, args)), end="\n\n")
    head = ["share of a step", "forward", "backward", "update"]
    parts = {"shared noise": True, "own noise": False}
    each = {name: shares(text, args, is_shared) for name, is_shared in parts.items()}
    print(table(head, [[n, *(f"{x:.0%}" for x in each[n])] for n in each]))


if __name__ == "__main__":
    main()
