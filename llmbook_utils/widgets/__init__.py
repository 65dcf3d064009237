"""Explorers and quizzes: one object each, shown as a picture, a page and a widget."""

from .back_off import BackOff
from .boundary import Boundary
from .cures import Cures
from .explorer import KINDS, MIME, Explorer
from .memory import Memory
from .merges import Merges
from .next_words import NextWords
from .quiz import Choice, Question, Quiz
from .race import OptimizerRace
from .word_map import WordMap

__all__ = [
    "KINDS",
    "MIME",
    "BackOff",
    "Boundary",
    "Choice",
    "Cures",
    "Explorer",
    "Memory",
    "Merges",
    "NextWords",
    "OptimizerRace",
    "Question",
    "Quiz",
    "WordMap",
]
