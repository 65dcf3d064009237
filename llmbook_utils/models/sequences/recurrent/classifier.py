"""A bidirectional network that classifies texts (chapter 07).

From a text to its class: words, ids, padding, a recurrent layer in both directions,
the mean of what it says at the real words, a linear layer.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from llmbook_utils.models.sequences.recurrent.layers import Cell
from llmbook_utils.models.sequences.recurrent.stack import Recurrent
from llmbook_utils.text.words import word_tokenize

PAD, UNKNOWN = "<pad>", "<unk>"


def count_vocabulary(texts: Sequence[str], at_least: int = 2) -> list[str]:
    """List the padding, the unknown word, and words that stand in enough texts.

    Examples
    --------
    >>> count_vocabulary(["a good day", "a bad day"])
    ['<pad>', '<unk>', 'a', 'day']
    """
    counts = Counter(word for text in texts for word in set(word_tokenize(text)))
    known = sorted(word for word, count in counts.items() if count >= at_least)
    return [PAD, UNKNOWN, *known]


@dataclass(frozen=True)
class ClassifierConfig:
    """The shape of a `RecurrentClassifier`.

    Parameters
    ----------
    n_embd, n_hidden : int
        Width of the embeddings, and H, of each direction's state.
    cell : {"rnn", "lstm", "gru"}
        Kind of the layer.
    bidirectional : bool
        Whether a second layer reads from the end.
    dropout : float
        Part of embeddings and features set to zero in training.
    """

    n_embd: int = 32
    n_hidden: int = 32
    cell: Cell = "lstm"
    bidirectional: bool = True
    dropout: float = 0.5


class RecurrentClassifier(nn.Module):
    """Read a text in both directions and name its class.

    Parameters
    ----------
    config : ClassifierConfig
        Its shape.
    vocabulary : sequence of str
        Words in the order of their ids; the first two are ``<pad>`` and ``<unk>``.
    classes : sequence of str
        Names of the classes, in the order of their numbers.

    Raises
    ------
    ValueError
        If the vocabulary does not begin with these two, a word stands in it twice, or
        there are fewer than two classes.

    Notes
    -----
    Source: Schuster and Paliwal (1997), "Bidirectional recurrent neural networks".
    Built in chapter 07.

    Examples
    --------
    >>> words = ["<pad>", "<unk>", "good"]
    >>> model = RecurrentClassifier(ClassifierConfig(), words, ["bad", "good"])
    >>> ids, lengths = model.encode(["good", "so good"])
    >>> ids.tolist(), lengths.tolist()
    ([[2, 0], [1, 2]], [1, 2])
    """

    def __init__(
        self,
        config: ClassifierConfig,
        vocabulary: Sequence[str],
        classes: Sequence[str],
    ) -> None:
        super().__init__()
        if list(vocabulary[:2]) != [PAD, UNKNOWN]:
            raise ValueError(
                f"a vocabulary begins with {PAD!r}, {UNKNOWN!r}, got {vocabulary[:2]}; "
                "make it with count_vocabulary"
            )
        if len(set(vocabulary)) < len(vocabulary) or len(classes) < 2:
            raise ValueError(
                "each word must stand once in the vocabulary, and two classes or more "
                f"are needed, got {len(vocabulary)} words, classes {list(classes)}"
            )
        self.config = config
        self.vocabulary, self.classes = list(vocabulary), list(classes)
        self._ids = {word: i for i, word in enumerate(vocabulary)}
        self.embed = nn.Embedding(len(vocabulary), config.n_embd, padding_idx=0)
        self.recurrent = Recurrent(
            config.cell,
            config.n_embd,
            config.n_hidden,
            bidirectional=config.bidirectional,
        )
        width = config.n_hidden * (1 + config.bidirectional)
        self.head = nn.Linear(width, len(classes))
        self.dropout = nn.Dropout(config.dropout)

    def encode(self, texts: Sequence[str]) -> tuple[Tensor, Tensor]:
        """Turn texts into ids (B, T), padded with 0, and their lengths (B,).

        A text without a word becomes one unknown word.

        Raises
        ------
        TypeError
            If `texts` is one text and not a list.
        ValueError
            If the list is empty.
        """
        if isinstance(texts, str):
            raise TypeError(f"give a list of texts, [{texts[:20]!r}], not one text")
        if not texts:
            raise ValueError("there is no text to encode; give one or more")
        rows = [word_tokenize(text) or [UNKNOWN] for text in texts]
        lengths = torch.tensor([len(row) for row in rows])
        ids = torch.zeros(len(rows), int(lengths.max()), dtype=torch.long)
        for i, row in enumerate(rows):
            ids[i, : len(row)] = torch.tensor([self._ids.get(w, 1) for w in row])
        device = self.embed.weight.device
        return ids.to(device), lengths.to(device)

    def forward(self, ids: Tensor, lengths: Tensor) -> Tensor:
        """Score the classes, (B, K), of ids (B, T) with lengths (B,)."""
        x = self.dropout(self.embed(ids))
        outputs, _ = self.recurrent(x, lengths=lengths)  # 0 behind the end
        mean = outputs.sum(1) / lengths.unsqueeze(1)  # over the real words alone
        return self.head(self.dropout(mean))

    @torch.no_grad()
    def predict(self, texts: Sequence[str]) -> list[tuple[str, float]]:
        """Give the likeliest class of each text, and its probability."""
        was_training = self.training
        p = self.eval()(*self.encode(texts)).softmax(-1)
        self.train(was_training)
        best, places = p.max(-1)
        return [
            (self.classes[place], value)
            for place, value in zip(places.tolist(), best.tolist(), strict=True)
        ]
