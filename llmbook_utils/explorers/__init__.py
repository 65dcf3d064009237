"""Explorers and quizzes: one object each, shown as a picture, a page and a widget.

Each has a folder with its Python and its script; ``core`` has what they share.
"""
