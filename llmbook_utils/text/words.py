"""One way to get tokens: words, and the numbers that stand for them.

Nothing here imports torch.
"""

from __future__ import annotations

import difflib
import re
from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np

# letters, then perhaps the end of a contraction; \w without digits and "_" = letters
_WORD = re.compile(r"[^\W\d_]+(?:'(?:[dmst]|ll|re|ve)\b)?")
# a Chinese character; or a word, perhaps with an apostrophe in it; or a mark
_TOKEN = re.compile(r"[\u3400-\u9fff]|[^\W_\u3400-\u9fff]+(?:'[^\W_]+)?|[^\w\s]")


def split_words(text: str) -> list[str]:
    """Split a text into lower-case words.

    A word is a run of letters of any alphabet. The ends of English contractions
    stay on (``don't``, ``python's``). All else separates words and is dropped:
    spaces, punctuation, digits, underscores. So an identifier falls into the words
    that it is made of (``os.path.is_file`` gives four), ``utf8`` gives ``utf``, and
    ``TypeError``, which nothing separates, stays one word.

    Parameters
    ----------
    text : str
        Of any length, one document for example.

    Returns
    -------
    list of str
        The words in order.

    Raises
    ------
    TypeError
        If `text` is not a string.

    Notes
    -----
    Chapter 01 compares this rule with others, chapter 02 uses it.

    Examples
    --------
    >>> split_words("Don't call list.index_of(3): raises TypeError.")
    ["don't", 'call', 'list', 'index', 'of', 'raises', 'typeerror']
    """
    if not isinstance(text, str):
        raise TypeError(
            f"text must be one string, got {type(text).__name__}; for many documents "
            "write [split_words(text) for text in documents]"
        )
    return _WORD.findall(text.replace("\N{RIGHT SINGLE QUOTATION MARK}", "'").lower())


def word_tokenize(text: str) -> list[str]:
    """Split a text into lower-case words and marks, Chinese into characters.

    Unlike `split_words` it loses nothing but spaces and underscores.

    Notes
    -----
    Chapter 07 classifies reviews by it.

    Examples
    --------
    >>> word_tokenize("It isn't GOOD. 不好！")
    ['it', "isn't", 'good', '.', '不', '好', '！']
    """
    return _TOKEN.findall(text.lower().replace("\N{RIGHT SINGLE QUOTATION MARK}", "'"))


class Vocabulary:
    """The words of a corpus and their ids.

    Ids run from 0, the commonest word first; equal counts are in alphabetical order.

    Parameters
    ----------
    documents : iterable of sequences of str
        The words of each document, for example from `split_words`.
    min_count : int
        Words seen less often are left out.

    Attributes
    ----------
    words : list of str, length V
        The word of each id.
    counts : numpy array of int64, (V,)
        How often each word occurs.

    Raises
    ------
    TypeError
        If a document is a string instead of a sequence of words.
    ValueError
        If `min_count` is below 1, or if no word is left.

    Notes
    -----
    Built in chapter 02.

    Examples
    --------
    >>> vocab = Vocabulary([["to", "be", "or", "not", "to", "be"]], min_count=2)
    >>> vocab.words, vocab.counts.tolist()
    (['be', 'to'], [2, 2])
    >>> vocab.encode(["not", "to", "be"])
    [1, 0]
    """

    def __init__(self, documents: Iterable[Sequence[str]], min_count: int = 1) -> None:
        if min_count < 1:
            raise ValueError(f"min_count must be 1 or more, got {min_count}")
        counter: Counter[str] = Counter()
        for document in [documents] if isinstance(documents, str) else documents:
            if isinstance(document, str):
                raise TypeError(
                    f"a document must be a sequence of words, got the string "
                    f"{document[:20]!r}; pass [split_words(text) for text in documents]"
                )
            counter.update(document)
        kept = [(word, n) for word, n in counter.items() if n >= min_count]
        if not kept:
            raise ValueError(
                f"no word occurs min_count={min_count} times or more in "
                f"{counter.total()} words; lower min_count or give more text"
            )
        kept.sort(key=lambda item: (-item[1], item[0]))
        self.words = [word for word, _ in kept]
        self.counts = np.array([n for _, n in kept], dtype=np.int64)
        self._ids = {word: i for i, word in enumerate(self.words)}

    def __len__(self) -> int:
        return len(self.words)

    def __contains__(self, word: object) -> bool:
        return word in self._ids

    def __repr__(self) -> str:
        return f"Vocabulary({len(self)} words, {self.counts.sum()} tokens)"

    def index(self, word: str) -> int:
        """Return the id of one word.

        Raises
        ------
        ValueError
            If the word is not in the vocabulary. The message names similar ones.

        Examples
        --------
        >>> Vocabulary([["list", "tuple"]]).index("tuple")
        1
        """
        if word in self._ids:
            return self._ids[word]
        similar = difflib.get_close_matches(str(word).lower(), self.words, n=3)
        hint = f"did you mean {' or '.join(map(repr, similar))}?" if similar else ""
        raise ValueError(
            f"{word!r} is not among the {len(self)} words of this vocabulary; "
            + (hint or "words are lower-case, and rare ones are left out (min_count)")
        )

    def encode(self, words: Iterable[str]) -> list[int]:
        """Return the ids of the words; unknown words are dropped.

        Dropping, as word2vec does, closes the gap: the neighbours of a rare word
        become neighbours. `index` complains about an unknown word instead.

        Raises
        ------
        TypeError
            If `words` is one string instead of a sequence of words.

        Examples
        --------
        >>> Vocabulary([["list", "tuple"]]).encode(["a", "tuple", "list"])
        [1, 0]
        """
        if isinstance(words, str):
            raise TypeError(
                f"words must be a sequence of words, got the string {words[:20]!r}; "
                "pass split_words(text)"
            )
        return [self._ids[word] for word in words if word in self._ids]

    def decode(self, ids: Iterable[int]) -> list[str]:
        """Return the words of the ids.

        Raises
        ------
        ValueError
            If an id is not in 0 ... V - 1.

        Examples
        --------
        >>> Vocabulary([["list", "tuple"]]).decode([1, 0])
        ['tuple', 'list']
        """
        ids = [int(i) for i in ids]
        for i in ids:
            if not 0 <= i < len(self):
                raise ValueError(f"ids must lie in 0 ... {len(self) - 1}, got {i}")
        return [self.words[i] for i in ids]
