"""How well a model knows TinyWorld: true stories, right answers, right antecedents.

A room above `tinyworld` and `evaluation`: they know nothing of each other.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from llmbook_utils.evaluation.heads import (
    PronounCase,
    PronounScores,
    attention_maps,
    pronoun_scores,
    token_positions,
)
from llmbook_utils.evaluation.intervals import Interval, proportion_interval
from llmbook_utils.models.language_model import context_size, end_id
from llmbook_utils.tinyworld.checking.check import check
from llmbook_utils.tinyworld.story import Story

if TYPE_CHECKING:
    import torch

LONGEST = 1000  # tokens of a sampled story; TinyWorld's have about 135


@dataclass(frozen=True)
class Answers:
    """Questions answered: the share of right ones, in all and by kind of question."""

    right: Interval
    by_kind: dict[str, Interval]


def answer_questions(
    model: torch.nn.Module,
    tokenizer: Any,
    stories: Iterable[Story],
    batch_size: int = 32,
) -> Answers:
    """Let a model answer the questions of stories, each after the text before it.

    The model says its likeliest token again and again (greedy decoding); an answer is
    right if it is the story's, word for word. As the answer's tokens are likeliest one
    after the other exactly if they are so given the right ones before them, one pass
    over the story tells.

    Parameters
    ----------
    model : GPT or transformers.GPT2LMHeadModel
        Gives logits (B, T, V) for ids (B, T).
    tokenizer : BytePairTokenizer or a tokenizer of transformers
        With `encode` and `decode`.
    stories : iterable of Story
        Which the model has not been trained on.
    batch_size : int
        How many stories are read at once.

    Returns
    -------
    Answers

    Raises
    ------
    ValueError
        If no story asks a question.

    Notes
    -----
    Built in chapter 11.
    """
    right, asked = Counter(), Counter()
    group: list[Story] = []

    def flush() -> None:
        for story, hits in zip(group, _hits(model, tokenizer, group), strict=True):
            for question, is_right in zip(story.questions, hits, strict=True):
                asked[question.kind] += 1
                right[question.kind] += is_right
        group.clear()

    for story in stories:
        group.append(story)
        if len(group) == batch_size:
            flush()
    if group:
        flush()
    if not asked:
        raise ValueError("no story asks a question; give stories of TinyWorld")
    return Answers(
        proportion_interval(right.total(), asked.total()),
        {kind: proportion_interval(right[kind], n) for kind, n in asked.items()},
    )


def pieces_of(tokenizer: Any, text: str) -> tuple[list[int], list[str]]:
    """Return the ids of a text and the text of each."""
    ids = list(tokenizer.encode(text))
    return ids, [tokenizer.decode([i]) for i in ids]


def _hits(
    model: torch.nn.Module, tokenizer: Any, stories: Sequence[Story]
) -> list[list[bool]]:
    """For each story, whether each of its questions is answered right."""
    import torch

    end = end_id(tokenizer)
    cut = [pieces_of(tokenizer, story.text) for story in stories]
    width = max(len(ids) for ids, _ in cut)
    device = next(model.parameters()).device
    inputs = torch.full((len(cut), width), end, device=device)
    for row, (ids, _) in enumerate(cut):
        inputs[row, 1 : len(ids)] = torch.tensor(ids[:-1])
    with torch.no_grad():
        logits = model(inputs)
    likeliest = getattr(logits, "logits", logits).argmax(-1).cpu()  # (B, T)
    found = []
    for row, (story, (ids, pieces)) in enumerate(zip(stories, cut, strict=True)):
        hits = []
        for question in story.questions:
            sentence = story.sentences[question.sentence]
            span = (sentence.end - len(question.answer), sentence.end)
            places = token_positions(pieces, span)
            hits.append(all(int(likeliest[row, i]) == ids[i] for i in places))
        found.append(hits)
    return found


@dataclass(frozen=True)
class Truth:
    """Sampled stories: the share without a fault, and what was wrong in the others."""

    true: Interval
    sentences: Interval
    problems: list[str]


def judge_stories(texts: Sequence[str], village: str = "home") -> Truth:
    """Count the stories in which every sentence is grammatical and true.

    Parameters
    ----------
    texts : sequence of str
        Stories that a model wrote, each as a whole.
    village : {"home", "away"}
        Of which they are meant to tell.

    Returns
    -------
    Truth
        The shares of stories and of sentences; and the first problem of each story
        that has one.

    Raises
    ------
    ValueError
        If there is no text.

    Notes
    -----
    Built in chapter 11.

    Examples
    --------
    >>> from llmbook_utils.tinyworld.sampling import stories
    >>> judge_stories([story.text for story in stories(20)]).true.value
    1.0
    """
    reports = [check(text, village) for text in texts]
    verdicts = [verdict for report in reports for verdict in report.verdicts]
    good = sum(verdict.status == "true" for verdict in verdicts)
    return Truth(
        proportion_interval(sum(report.ok for report in reports), len(reports)),
        proportion_interval(good, len(verdicts)),
        [report.problems[0] for report in reports if not report.ok],
    )


def sample_texts(
    model: torch.nn.Module,
    tokenizer: Any,
    n: int,
    seed: int = 0,
    batch_size: int = 100,
    **how: Any,
) -> list[str]:
    """Let a model tell stories, each from its start token to its end token.

    Parameters
    ----------
    model : GPT, NeuralLM or RecurrentLM
        Ours; `GPT.from_transformers` makes one of a transformers GPT-2.
    tokenizer : BytePairTokenizer or a tokenizer of transformers
        With `decode` and an end token.
    n : int
        How many stories.
    seed : int
        Of the sampling.
    batch_size : int
        How many are sampled at once.
    **how
        Passed on to `decoding.generate`: `temperature`, `top_k`, `top_p`.

    Returns
    -------
    list of str
        The texts; one that did not come to its end within the context, or within
        `LONGEST` tokens where a model has none, is cut there.
    """
    import torch

    from llmbook_utils.decoding.sampling import generate

    end = end_id(tokenizer)
    generator = torch.Generator(next(model.parameters()).device).manual_seed(seed)
    texts: list[str] = []
    while len(texts) < n:
        rows = min(batch_size, n - len(texts))
        start = torch.full((rows, 1), end, device=generator.device)
        room = min(context_size(model), LONGEST) - 1
        out = generate(model, start, room, stop_id=end, generator=generator, **how)
        for ids in out[:, 1:].tolist():
            texts.append(tokenizer.decode(ids[: ids.index(end)] if end in ids else ids))
    return texts


def find_pronoun_head(
    model: torch.nn.Module, tokenizer: Any, stories: Iterable[Story], seed: int = 0
) -> PronounScores:
    """Find the head that looks from he, she, him and her to the name that is meant.

    Parameters
    ----------
    model : transformers.GPT2LMHeadModel
        With ``attn_implementation="eager"``.
    tokenizer : BytePairTokenizer or a tokenizer of transformers
        With `encode` and `decode`.
    stories : iterable of Story
        Which the model has not been trained on; half choose the head, half score it.
    seed : int
        Of the halves.

    Returns
    -------
    PronounScores

    Notes
    -----
    Built in chapter 13.
    """
    end = end_id(tokenizer)
    maps: list[Any] = []
    cases: list[list[PronounCase]] = []

    def look() -> Iterable[Any]:
        for story in stories:
            ids, pieces = pieces_of(tokenizer, story.text)
            cases.append(pronoun_cases(story, pieces))
            yield attention_maps(model, [end, *ids])

    maps = list(look())
    return pronoun_scores(maps, cases, seed)


def pronoun_cases(story: Story, pieces: Sequence[str]) -> list[PronounCase]:
    """Return where a story's personal pronouns and their antecedents stand.

    Parameters
    ----------
    story : Story
        Of which `pieces` are the tokens.
    pieces : sequence of str
        The text of each token; position 0 is the start token's.

    Returns
    -------
    list of PronounCase
    """

    def positions(start: int, stop: int) -> tuple[int, ...]:
        return token_positions(pieces, (start, stop), first=1)

    found = []
    latest = None
    for span in story.spans:
        if span.kind != "person":
            continue
        if span.antecedent is None:
            latest = span
            continue
        name = span.antecedent
        found.append(
            PronounCase(
                positions(span.start, span.end)[-1],
                positions(name.start, name.end),
                positions(latest.start, latest.end),
            )
        )
    return found
