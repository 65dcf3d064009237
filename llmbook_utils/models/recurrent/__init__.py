"""Recurrent networks (chapter 07): layers, stacks of them, what is built on them."""

from llmbook_utils.models.recurrent.language_model import (
    RecurrentConfig,
    RecurrentLM,
    StateCache,
)
from llmbook_utils.models.recurrent.stack import Recurrent

__all__ = ["Recurrent", "RecurrentConfig", "RecurrentLM", "StateCache"]
