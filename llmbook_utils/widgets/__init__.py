"""Explorers and quizzes: one object each, shown as a picture, a page and a widget."""

from .explorer import KINDS, MIME, Explorer
from .quiz import Choice, Question, Quiz
from .word_map import WordMap

__all__ = ["KINDS", "MIME", "Choice", "Explorer", "Question", "Quiz", "WordMap"]
