"""TinyWorld: a small village, simulated, that tells stories whose probability is known.

`sample_story` tells one, `stories` tells many; `parse`, `score` and `next_words` read
text and give exact probabilities; `check` says what is untrue in any text; `tasks`
makes labelled data. Pure Python.
"""

from llmbook_utils.tinyworld.check import Report, check
from llmbook_utils.tinyworld.floor import Floor, entropy_floor
from llmbook_utils.tinyworld.reading import next_words, parse, score
from llmbook_utils.tinyworld.sampling import rows, sample_story, split_of, stories
from llmbook_utils.tinyworld.story import Question, Sentence, Span, Story
from llmbook_utils.tinyworld.world import Event, World

__all__ = [
    "Event",
    "Floor",
    "Question",
    "Report",
    "Sentence",
    "Span",
    "Story",
    "World",
    "check",
    "entropy_floor",
    "next_words",
    "parse",
    "rows",
    "sample_story",
    "score",
    "split_of",
    "stories",
]
