"""Byte-pair encoding: the tokenizer of GPT-2, written to be read.

It stands apart from `llmbook_utils.text.words`, which holds words, for its length.
`BytePairTokenizer` is made of four functions: `split_text`, `to_symbols`, `merge_pair`
and `learn_merges`. Nothing here imports torch.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Self

import regex

from llmbook_utils.text import bpe_files
from llmbook_utils.text.bpe_files import ENDOFTEXT

if TYPE_CHECKING:
    from tokenizers import Tokenizer
    from transformers import GPT2Tokenizer

Pair = tuple[str, str]

# contraction | letters | digits | other signs (each with a space before it, if there
# is one) | spaces but the last, which goes to what follows | spaces
_PIECE = regex.compile(
    r"'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
)


def _byte_characters() -> str:
    """One visible character for each byte: itself if it has one, else from 256 on."""
    visible = {*range(33, 127), *range(161, 173), *range(174, 256)}
    hidden = iter(range(256, 512))
    return "".join(chr(b if b in visible else next(hidden)) for b in range(256))


BYTE_CHARACTERS = _byte_characters()
_BYTE_OF = {character: byte for byte, character in enumerate(BYTE_CHARACTERS)}


def split_text(text: str) -> list[str]:
    """Split a text into the pieces that no token crosses, as GPT-2 does.

    Parameters
    ----------
    text : str
        Any text.

    Returns
    -------
    list of str
        The pieces; joined, they are the text again.

    Notes
    -----
    Built in chapter 01. Which characters are letters, `regex` and `tokenizers` take
    from their own tables of Unicode. They agree on every character up to Unicode 16
    (2024), which a test checks one by one.

    Source: the pattern in OpenAI's GPT-2 (Radford et al., 2019).

    Examples
    --------
    >>> split_text("Tom's  lamp, 12 of them.")
    ['Tom', "'s", ' ', ' lamp', ',', ' 12', ' of', ' them', '.']
    """
    return _PIECE.findall(text)


def to_symbols(piece: str) -> list[str]:
    """Return the UTF-8 bytes of a piece, each as one visible character.

    Most bytes of English stand for themselves; the space becomes ``Ġ``.

    Examples
    --------
    >>> to_symbols(" 中!")
    ['Ġ', 'ä', '¸', 'Ń', '!']
    """
    return [BYTE_CHARACTERS[byte] for byte in piece.encode("utf-8")]


def merge_pair(symbols: Sequence[str], pair: Pair) -> list[str]:
    """Join each occurrence of the pair, from left to right.

    Notes
    -----
    Built in chapter 01.

    Examples
    --------
    >>> merge_pair(["a", "a", "a", "b"], ("a", "a"))
    ['aa', 'a', 'b']
    """
    merged, i = [], 0
    while i < len(symbols):
        width = 2 if tuple(symbols[i : i + 2]) == pair else 1
        merged.append("".join(symbols[i : i + width]))
        i += width
    return merged


def learn_merges(
    pieces: Mapping[str, int], vocab: dict[str, int], vocab_size: int
) -> list[Pair]:
    """Learn byte-pair merges from pieces of text and how often each occurs.

    The commonest pair of neighbours becomes one token, again and again. Among equally
    common pairs the one with the smallest ids wins, the left id first: the rule of the
    `tokenizers` library. A pair is counted at each place where it stands, overlaps
    included (``aaa`` holds two ``aa``). The counts are brought up to date in the
    pieces that a merge changes, and nowhere else.

    Parameters
    ----------
    pieces : mapping of str to int
        The pieces, from `split_text`, and their counts.
    vocab : dict of str to int
        The id of each first symbol. The new tokens are added to it.
    vocab_size : int
        How many tokens `vocab` shall hold. If no pair is left, it stays smaller.

    Returns
    -------
    list of pairs of str
        The merges in the order in which they were learned.

    Notes
    -----
    Built in chapter 01.

    Source: Sennrich et al. (2016), "Neural Machine Translation of Rare Words with
    Subword Units", algorithm 1.

    Examples
    --------
    >>> vocab = {"l": 0, "o": 1, "w": 2}
    >>> learn_merges({"low": 2, "lo": 1}, vocab, vocab_size=5)
    [('l', 'o'), ('lo', 'w')]
    >>> vocab
    {'l': 0, 'o': 1, 'w': 2, 'lo': 3, 'low': 4}
    """
    words = [to_symbols(piece) for piece in pieces]
    numbers = list(pieces.values())
    counts: Counter[Pair] = Counter()
    where: defaultdict[Pair, set[int]] = defaultdict(set)  # words that may hold it

    def add(i: int, sign: int) -> None:
        for pair in pairwise(words[i]):
            counts[pair] += sign * numbers[i]
            if counts[pair] == 0:
                del counts[pair]
            elif sign > 0:
                where[pair].add(i)

    for i in range(len(words)):
        add(i, +1)
    merges: list[Pair] = []
    while counts and len(vocab) < vocab_size:
        most = max(counts.values())
        equal = [pair for pair, count in counts.items() if count == most]
        best = min(equal, key=lambda pair: (vocab[pair[0]], vocab[pair[1]]))
        merges.append(best)
        vocab.setdefault("".join(best), len(vocab))
        for i in where.pop(best):
            add(i, -1)
            words[i] = merge_pair(words[i], best)
            add(i, +1)
    return merges


class BytePairTokenizer:
    """GPT-2's tokenizer: any text to ids and back, without an unknown token.

    Parameters
    ----------
    vocab : mapping of str to int
        The id of each token, bytes written as in `to_symbols`. All 256 bytes are in
        it. A special token that is missing gets the next free id.
    merges : sequence of pairs of str
        The merges, first learned first.
    special_tokens : sequence of str
        Tokens that no merge makes and that are looked for in a text before it is
        split, such as the end of a document.

    Attributes
    ----------
    vocab : dict of str to int
    merges : list of pairs of str
    special_tokens : tuple of str

    Raises
    ------
    ValueError
        If a byte is missing, or the merges do not make the tokens of `vocab`.

    Notes
    -----
    Built in chapter 01. Ids equal those of transformers' GPT-2 tokenizer made from the
    same two files.

    Source: Radford et al. (2019), "Language Models are Unsupervised Multitask
    Learners", section 2.2.

    Examples
    --------
    >>> tokenizer = BytePairTokenizer.train(["low lower lowest slow"], vocab_size=261)
    >>> tokenizer.merges
    [('l', 'o'), ('lo', 'w'), ('Ġ', 'low'), ('Ġlow', 'e')]
    >>> tokenizer.tokenize("slow, lower<|endoftext|>")
    ['s', 'low', ',', 'Ġlowe', 'r', '<|endoftext|>']
    >>> tokenizer.decode(tokenizer.encode("谢谢 🙂"))
    '谢谢 🙂'
    """

    def __init__(
        self,
        vocab: Mapping[str, int],
        merges: Sequence[Pair],
        special_tokens: Sequence[str] = (ENDOFTEXT,),
    ) -> None:
        self.vocab = dict(vocab)
        self.merges = [(left, right) for left, right in merges]
        self.special_tokens = bpe_files.check_special_tokens(special_tokens)
        for token in self.special_tokens:
            self.vocab.setdefault(token, max(self.vocab.values(), default=-1) + 1)
        bpe_files.check_merges(
            self.vocab, self.merges, self.special_tokens, BYTE_CHARACTERS
        )
        self._ranks = {pair: rank for rank, pair in enumerate(self.merges)}
        self._token_of = {i: token for token, i in self.vocab.items()}
        # longest first: where one begins with another, the longer is meant
        longest_first = sorted(self.special_tokens, key=len, reverse=True)
        self._special = regex.compile(
            "|".join(map(regex.escape, longest_first)) or "(?!)"
        )
        self._known: dict[str, list[str]] = {}  # tokens of the pieces seen so far

    @classmethod
    def train(
        cls,
        texts: Iterable[str],
        vocab_size: int,
        special_tokens: Sequence[str] = (ENDOFTEXT,),
        fast: bool = False,
    ) -> Self:
        """Learn a tokenizer from texts.

        Ids run over the special tokens as given, the 256 bytes in the order of their
        characters (``!`` first, since bytes without a visible form come last), and the
        merges: merges and ids are those of the `tokenizers` library's trainer. Like
        there, special tokens within the texts are text.

        Parameters
        ----------
        texts : iterable of str
            The documents. No token crosses from one to the next.
        vocab_size : int
            Tokens in all. Small texts may give fewer.
        special_tokens : sequence of str
            See the class.
        fast : bool
            Let the `tokenizers` library do it: the same result, sooner.

        Raises
        ------
        TypeError
            If `texts` is one string.
        ValueError
            If `vocab_size` leaves no room for the 256 bytes and the special tokens, or
            a text holds half a character.

        Examples
        --------
        >>> len(BytePairTokenizer.train(["to be or not to be"], vocab_size=260))
        260
        """
        if isinstance(texts, str):
            raise TypeError(
                f"texts must be a list of texts, got one string {texts[:20]!r}; pass "
                "[text]"
            )
        special_tokens = bpe_files.check_special_tokens(special_tokens)
        vocab = {token: i for i, token in enumerate(special_tokens)}
        for character in sorted(BYTE_CHARACTERS):
            vocab.setdefault(character, len(vocab))
        if vocab_size < len(vocab):
            raise ValueError(
                f"vocab_size must be {len(vocab)} or more, got {vocab_size}: 256 bytes "
                f"and {len(special_tokens)} special tokens come before all merges"
            )
        if fast:
            return cls._train_fast(texts, vocab_size, special_tokens)
        pieces = Counter(piece for text in texts for piece in split_text(_check(text)))
        merges = learn_merges(pieces, vocab, vocab_size)
        return cls(vocab, merges, special_tokens)

    @classmethod
    def _train_fast(
        cls, texts: Iterable[str], vocab_size: int, special_tokens: Sequence[str]
    ) -> Self:
        """What `train` gives, by the `tokenizers` library."""
        from tokenizers import trainers

        tokenizer = _empty_tokenizer()
        trainer = trainers.BpeTrainer(
            vocab_size=vocab_size,
            special_tokens=list(special_tokens),
            initial_alphabet=list(BYTE_CHARACTERS),
            show_progress=False,
        )
        tokenizer.train_from_iterator(map(_check, texts), trainer)
        model = json.loads(tokenizer.to_str())["model"]
        return cls(model["vocab"], model["merges"], special_tokens)

    @classmethod
    def load(
        cls, folder: str | Path, special_tokens: Sequence[str] | None = None
    ) -> Self:
        """Read ``vocab.json`` and ``merges.txt``, as GPT-2 and `save` write them.

        Parameters
        ----------
        folder : str or Path
            Where the two files lie.
        special_tokens : sequence of str, optional
            If not given, those that ``tokenizer_config.json`` names, if it is there,
            else ``<|endoftext|>`` alone, as in transformers.

        Raises
        ------
        FileNotFoundError
            If one of the two files is not there.
        ValueError
            If a file is damaged. The message says where.

        Examples
        --------
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     BytePairTokenizer.train(["to be or not to be"], 260).save(folder)
        ...     BytePairTokenizer.load(folder)
        BytePairTokenizer(260 tokens, 3 merges, special: <|endoftext|>)
        """
        folder = Path(folder)
        vocab, merges, named = bpe_files.read(folder)
        if special_tokens is None:
            special_tokens = named
        try:
            return cls(vocab, merges, special_tokens)
        except ValueError as error:
            raise ValueError(
                f"vocab.json and merges.txt in {folder}: {error}"
            ) from None

    def save(self, folder: str | Path) -> None:
        """Write ``vocab.json``, ``merges.txt`` and ``tokenizer_config.json``.

        The third tells transformers which tokens are special.
        """
        bpe_files.write(Path(folder), self.vocab, self.merges, self.special_tokens)

    def __len__(self) -> int:
        return len(self.vocab)

    def __repr__(self) -> str:
        return (
            f"BytePairTokenizer({len(self)} tokens, {len(self.merges)} merges, "
            f"special: {', '.join(self.special_tokens) or 'none'})"
        )

    def tokenize(self, text: str) -> list[str]:
        """Return the tokens of a text as they stand in the vocabulary.

        Raises
        ------
        ValueError
            If the text holds half a character (a lone surrogate).

        Examples
        --------
        >>> BytePairTokenizer.train(["the lamp the shed"], 260).tokenize("the the")
        ['the', 'Ġ', 'the']
        """
        _check(text)
        tokens, start = [], 0
        for match in self._special.finditer(text):
            tokens += self._tokenize_ordinary(text[start : match.start()])
            tokens.append(match.group())
            start = match.end()
        return tokens + self._tokenize_ordinary(text[start:])

    def _tokenize_ordinary(self, text: str) -> list[str]:
        """The tokens of a text without special tokens."""
        tokens = []
        for piece in split_text(text):
            if piece not in self._known:
                self._known[piece] = self._merge(to_symbols(piece))
            tokens += self._known[piece]
        return tokens

    def _merge(self, symbols: list[str]) -> list[str]:
        """Merge what can be merged, the merge that was learned first at first."""
        while len(symbols) > 1:
            best = min(
                pairwise(symbols), key=lambda pair: self._ranks.get(pair, len(self))
            )
            if best not in self._ranks:
                break
            symbols = merge_pair(symbols, best)
        return symbols

    def encode(self, text: str) -> list[int]:
        """Return the ids of a text.

        Raises
        ------
        ValueError
            If the text holds half a character (a lone surrogate).

        Examples
        --------
        >>> BytePairTokenizer.train(["the lamp the shed"], 260).encode("the the")
        [258, 221, 258]
        """
        return [self.vocab[token] for token in self.tokenize(text)]

    def decode(self, ids: Iterable[int]) -> str:
        """Return the text of ids; bytes that make no character give U+FFFD (�).

        Raises
        ------
        ValueError
            If no token has such an id.

        Examples
        --------
        >>> tokenizer = BytePairTokenizer.train(["the lamp the shed"], 260)
        >>> tokenizer.decode([258, 221, 258])
        'the the'
        """
        data = bytearray()
        for i in map(int, ids):
            if i not in self._token_of:
                raise ValueError(
                    f"ids must lie in 0 ... {max(self._token_of)}, got {i}"
                )
            token = self._token_of[i]
            if token in self.special_tokens:
                data += token.encode("utf-8")
            else:
                data += bytes(_BYTE_OF[character] for character in token)
        return data.decode("utf-8", errors="replace")

    def to_tokenizers(self) -> Tokenizer:
        """Return the equal tokenizer of the `tokenizers` library, which is faster.

        Its ``encode_batch(texts)`` takes many texts at once.

        Examples
        --------
        >>> fast = BytePairTokenizer.train(["the lamp the shed"], 260).to_tokenizers()
        >>> fast.encode("the the").ids
        [258, 221, 258]
        """
        from tokenizers import AddedToken

        tokenizer = _empty_tokenizer(vocab=self.vocab, merges=self.merges)
        tokenizer.add_special_tokens(
            [AddedToken(t, special=True, normalized=False) for t in self.special_tokens]
        )
        return tokenizer

    def to_transformers(self) -> GPT2Tokenizer:
        """Return the equal tokenizer of transformers, with which its models work.

        Examples
        --------
        >>> tokenizer = BytePairTokenizer.train(["the lamp the shed"], 260)
        >>> tokenizer.to_transformers()("the the")["input_ids"]
        [258, 221, 258]
        """
        from transformers import GPT2Tokenizer

        roles = bpe_files.special_token_roles(self.special_tokens)
        return GPT2Tokenizer(vocab=self.vocab, merges=self.merges, **roles)


def _empty_tokenizer(**model: object) -> Tokenizer:
    """A `tokenizers.Tokenizer` that splits and decodes as GPT-2."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers

    tokenizer = Tokenizer(models.BPE(**model))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer


def _check(text: str) -> str:
    """Return the text, or say what is wrong with it."""
    if not isinstance(text, str):
        raise TypeError(
            f"text must be one string, got {type(text).__name__}; for many texts write "
            "[tokenizer.encode(text) for text in texts]"
        )
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise ValueError(
            f"text has half a character, {text[error.start]!r}, at index "
            f"{error.start}: a lone surrogate, which has no bytes in UTF-8; drop it "
            'with text.encode("utf-8", "ignore").decode()'
        ) from None
    return text
