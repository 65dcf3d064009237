"""English and Chinese, sentence by sentence or story by story."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from llmbook_utils.tinyworld.chinese import LANGUAGES, chinese, chinese_sentences
from llmbook_utils.tinyworld.sampling import stories
from llmbook_utils.tinyworld.story import Story

UNITS = ("sentence", "story")


@dataclass(frozen=True)
class Translation:
    """A text and its translation."""

    source: str
    target: str


def translations(
    story: Story, source: str = "en", target: str = "zh", unit: str = "sentence"
) -> list[Translation]:
    """Return a story with its translation, sentence by sentence or as a whole.

    Parameters
    ----------
    story : Story
        Of any village.
    source, target : {"en", "zh"}
        The two languages.
    unit : {"sentence", "story"}
        What a pair is.

    Returns
    -------
    list of Translation
        As many as the story has sentences, or one.

    Raises
    ------
    ValueError
        If a language or the unit is unknown, or both languages are the same.
    """
    _check_languages(source, target, unit)
    if unit == "story":
        both = {"en": [story.text], "zh": [chinese(story)]}
    else:
        english = [sentence.text for sentence in story.sentences]
        both = {"en": english, "zh": chinese_sentences(story)}
    return list(map(Translation, both[source], both[target]))


def _check_languages(source: str, target: str, unit: str) -> None:
    for name, language in (("source", source), ("target", target)):
        if language not in LANGUAGES:
            raise ValueError(f"{name} must be 'en' or 'zh', got {language!r}")
    if source == target:
        raise ValueError(
            f"source and target must differ, got {source!r} twice; choose one of them "
            "'en' and the other 'zh'"
        )
    if unit not in UNITS:
        raise ValueError(f"unit must be 'sentence' or 'story', got {unit!r}")


def translation(
    n: int,
    seed: int | str = 0,
    split: str | None = None,
    village: str = "home",
    source: str = "en",
    target: str = "zh",
    unit: str = "sentence",
) -> Iterator[Translation]:
    """Make pairs of English and Chinese.

    Parameters
    ----------
    n : int
        Number of stories.
    seed, split, village
        As in `question_answering`.
    source, target : {"en", "zh"}
        From which language into which.
    unit : {"sentence", "story"}
        What a pair is.

    Returns
    -------
    iterator of Translation

    Raises
    ------
    ValueError
        If `n` is negative, an argument has an unknown value, or source and target are
        the same.

    Notes
    -----
    Built for chapter 08. A sentence may occur in several stories, and so in two splits:
    of the sentences of 200 test stories, four in ten also occur in 2,000 training
    stories. Pairs of whole stories are never shared.

    Examples
    --------
    >>> [*translation(1)][-1]
    Translation(source='The end.', target='完。')
    """
    _check_languages(source, target, unit)
    found = stories(n, seed, split, village)
    return (
        pair for story in found for pair in translations(story, source, target, unit)
    )
