"""Stories from text: their choices, their exact probability, what may come next."""

from __future__ import annotations

import math

from llmbook_utils.tinyworld.story import Story, lexicon
from llmbook_utils.tinyworld.telling.choosers import Reader, TextEnds
from llmbook_utils.tinyworld.telling.teller import Teller


def parse(text: str, village: str = "home") -> Story:
    """Return the story that a text tells: its choices and all that follows.

    Parameters
    ----------
    text : str
        In English, as a whole.
    village : {"home", "away"}
        To which its words belong.

    Returns
    -------
    Story

    Raises
    ------
    ValueError
        If TinyWorld could not have told this text: the message says at which character
        it departs, and what could stand there. `check` explains more.

    Examples
    --------
    >>> from llmbook_utils.tinyworld.sampling import sample_story
    >>> story = sample_story(1)
    >>> parse(story.text) == story
    True
    """
    reader = _read(text, village)
    if reader.position < len(text):
        raise ValueError(
            f"the text goes on after 'The end.', at character {reader.position}; "
            "parse one story at a time"
        )
    return Story(text, tuple(reader.choices), -reader.bits, village)


def _read(text: str, village: str) -> Reader:
    """Read a whole story; what may follow it is left."""
    if not isinstance(text, str):
        raise TypeError(f"text must be a string, got {type(text).__name__}")
    reader = Reader(text)
    try:
        Teller(lexicon(village), reader).tell()
    except TextEnds as end:
        shown = ", ".join(repr(words.strip() or words) for words, _ in end.rest[:6])
        raise ValueError(
            f"the text ends before the story does; it could go on with {shown}"
        ) from None
    return reader


def score(text: str, village: str = "home", is_prefix: bool = False) -> float:
    """Return the exact log-probability of a text, in bits.

    Parameters
    ----------
    text : str
        A story in English, or with `is_prefix` the beginning of one, up to the end of
        a word.
    village : {"home", "away"}
        To which its words belong.
    is_prefix : bool
        Return the probability that a story begins with the text.

    Returns
    -------
    float
        Log2 of the probability, 0 or less; ``-inf`` if TinyWorld cannot tell it.

    Examples
    --------
    >>> score("It is a", is_prefix=True)
    0.0
    >>> round(2 ** score("It is a rainy day.", is_prefix=True), 4)  # six weathers
    0.1667
    """
    reader = Reader(text)
    try:
        Teller(lexicon(village), reader).tell()
    except TextEnds:
        return 0.0 - reader.bits if is_prefix else -math.inf
    except ValueError:
        return -math.inf
    return 0.0 - reader.bits if reader.position == len(text) else -math.inf


def next_words(prefix: str, village: str = "home") -> dict[str, float]:
    """Return what may follow a beginning, with exact probabilities.

    This is the prediction that no model can beat.

    Parameters
    ----------
    prefix : str
        The beginning of a story, up to the end of a word or a sign.
    village : {"home", "away"}
        To which its words belong.

    Returns
    -------
    dict of str to float
        Each next word with its space before, or a sign such as ``"."``, and its
        probability; empty at the end of a story. The probabilities sum to 1.

    Raises
    ------
    ValueError
        If no story begins so.

    Examples
    --------
    >>> sorted(next_words("It is a")) == sorted(
    ...     [" sunny", " rainy", " windy", " snowy", " foggy", " stormy"])
    True
    """
    reader = Reader(prefix)
    try:
        Teller(lexicon(village), reader).tell()
    except TextEnds as end:
        total = sum(weight for _, weight in end.rest)
        words: dict[str, float] = {}
        for rest, weight in end.rest:
            word = _first_word(rest)
            words[word] = words.get(word, 0.0) + weight / total
        return words
    return {}


def _first_word(text: str) -> str:
    """The first word of a text with the space before it, or its first sign."""
    start = 1 if text[0] == " " else 0
    end = start
    while end < len(text) and text[end].isalnum():
        end += 1
    return text[: max(end, start + 1)]
