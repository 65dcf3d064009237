"""One true sentence about a story."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from llmbook_utils.tinyworld.sampling import stories
from llmbook_utils.tinyworld.story import Story
from llmbook_utils.tinyworld.tasks.common import join_names, teller_after

_TOLD_ONLY = frozenset({"person", "object", "weather", "scene", "question"})


@dataclass(frozen=True)
class Summary:
    """A story and one true sentence about it."""

    text: str
    summary: str


def summary(story: Story) -> str:
    """Sum a story up in one sentence.

    The rule: the sentence is about the person who acts most often, the first of them if
    there are several. It says where this person is in the beginning and in the end, and
    what the person then has.

    Parameters
    ----------
    story : Story
        Of any village.

    Returns
    -------
    str
        For example "In the end Mia, who started in the kitchen, is in the barn and has
        the lamp." or "..., is still there and has nothing." (or "is there again").
    """
    deeds = Counter(e.who for e in story.events if e.kind not in _TOLD_ONLY)
    teller, _ = teller_after(story)
    world, within = teller.world, teller.lexicon.within
    who = max(range(len(world.people)), key=lambda one: deeds[one])
    start = next(e.where for e in story.events if e.kind == "person" and e.who == who)
    if world.at[who] != start:
        now = within[world.at[who]]
    else:
        now = " still there" if world.came_from[who] is None else " there again"
    has = join_names([teller.thing_name(what) for what in world.held(who)])
    return (
        f"In the end{teller.name(who)}, who started{within[start]}, is{now} "
        f"and has {has or 'nothing'}."
    )


def summaries(
    n: int, seed: int | str = 0, split: str | None = None, village: str = "home"
) -> Iterator[Summary]:
    """Make stories with a summary of one sentence.

    Parameters
    ----------
    n : int
        Number of stories, and of examples.
    seed, split, village
        As in `question_answering`.

    Returns
    -------
    iterator of Summary
        By the rule of `summary`.

    Raises
    ------
    ValueError
        If `n` is negative, or the split or the village is unknown.

    Notes
    -----
    Built for chapter 20.

    Examples
    --------
    >>> next(summaries(1)).summary.startswith("In the end ")
    True
    """
    found = stories(n, seed, split, village)
    return (Summary(story.text, summary(story)) for story in found)
