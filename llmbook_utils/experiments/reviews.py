"""Reviews under a bag of words and under a bidirectional LSTM (chapter 07)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from llmbook_utils.models.sequences.recurrent.classifier import (
    ClassifierConfig,
    RecurrentClassifier,
    count_vocabulary,
)
from llmbook_utils.runtime import set_seed
from llmbook_utils.text.labelled import LANGUAGES, load_labelled


class Bag(nn.Module):
    """A bag of words with the interface of the classifier.

    Parameters
    ----------
    reader : RecurrentClassifier
        Whose vocabulary and `encode` it takes.

    Notes
    -----
    Built in chapter 07.
    """

    def __init__(self, reader: RecurrentClassifier) -> None:
        super().__init__()
        self.encode = reader.encode
        self.weights = nn.Embedding(len(reader.vocabulary), 2, padding_idx=0)
        nn.init.zeros_(self.weights.weight)

    def forward(self, ids: Tensor, lengths: Tensor) -> Tensor:
        """Logits (B, 2) of texts (B, T): padding has the weight 0."""
        return self.weights(ids).sum(1)


def train_classifier(
    model: Bag | RecurrentClassifier,
    texts: Sequence[str],
    labels: Sequence[int],
    epochs: int,
    lr: float,
) -> Bag | RecurrentClassifier:
    """AdamW on batches of 32, with clipping; returns the model, set to evaluation."""
    optimizer = torch.optim.AdamW(model.parameters(), lr=lr)
    model.train()
    for _ in range(epochs):
        for rows in torch.randperm(len(texts)).split(32):
            logits = model(*model.encode([texts[i] for i in rows]))
            loss = F.cross_entropy(logits, torch.tensor([labels[i] for i in rows]))
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
    return model.eval()


def train_both(seed: int = 0) -> dict[str, Bag | RecurrentClassifier]:
    """Train a bag and an LSTM on the reviews of both languages."""
    train = [load_labelled("reviews", "train", language) for language in LANGUAGES]
    texts, labels = train[0].texts + train[1].texts, train[0].labels + train[1].labels
    set_seed(seed)
    words = count_vocabulary(texts)
    lstm = RecurrentClassifier(ClassifierConfig(), words, train[0].classes)
    bag = train_classifier(Bag(lstm), texts, labels, epochs=10, lr=0.02)
    return {"bag": bag, "LSTM": train_classifier(lstm, texts, labels, 6, lr=0.005)}


@torch.no_grad()
def on_test(model: Bag | RecurrentClassifier) -> dict[str, float]:
    """Accuracy on the test reviews of each language."""
    shares = {}
    for language in LANGUAGES:
        test = load_labelled("reviews", "test", language)
        guessed = model(*model.encode(test.texts)).argmax(dim=1)
        right = guessed == torch.tensor(test.labels)
        shares[language] = right.float().mean().item()
    return shares
