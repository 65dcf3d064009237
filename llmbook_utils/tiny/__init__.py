"""The shipped model `tiny`: its files, and how they are made.

`recipe` trains it, `growth` measures it and writes its card, `pretrained.load` loads
it.
"""
