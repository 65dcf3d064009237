"""Six tasks: questions, entities, sentiment, translation, summaries, instructions.

Each task is a function that takes a number of stories, a seed, a split and a village,
and gives its examples one by one; the splits share no story. Every right answer follows
from the state of the world, so none was labelled by hand and none is wrong. The
examples are dataclasses: ``dataclasses.asdict`` makes rows for ``datasets.Dataset``.
"""

from llmbook_utils.tinyworld.tasks.asking import (
    QuestionAnswer,
    question_answering,
    questions,
)
from llmbook_utils.tinyworld.tasks.instructing import (
    Instruction,
    instructions,
    instructions_for,
    verify,
)
from llmbook_utils.tinyworld.tasks.labelling import (
    Entity,
    EntityText,
    Pronoun,
    Sentiment,
    entities,
    entity_text,
    sentiment,
    sentiments,
)
from llmbook_utils.tinyworld.tasks.summarising import Summary, summaries, summary
from llmbook_utils.tinyworld.tasks.translating import (
    Translation,
    translation,
    translations,
)

__all__ = [
    "Entity",
    "EntityText",
    "Instruction",
    "Pronoun",
    "QuestionAnswer",
    "Sentiment",
    "Summary",
    "Translation",
    "entities",
    "entity_text",
    "instructions",
    "instructions_for",
    "question_answering",
    "questions",
    "sentiment",
    "sentiments",
    "summaries",
    "summary",
    "translation",
    "translations",
    "verify",
]
