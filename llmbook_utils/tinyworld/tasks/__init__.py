"""Six tasks: questions, entities, sentiment, translation, summaries, instructions.

Each task is a function that takes a number of stories, a seed, a split and a village,
and gives its examples one by one; the splits share no story. Every right answer follows
from the state of the world, so none was labelled by hand and none is wrong. The
examples are dataclasses: ``dataclasses.asdict`` makes rows for ``datasets.Dataset``.
"""
