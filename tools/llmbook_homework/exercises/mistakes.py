"""Planted wrong answers, kept beside the notebooks: the grader is graded with them.

``notebooks/mistakes/11_gpt_from_scratch.py`` holds cells in percent format. The title
of each says which exercise it answers, and what is wrong with it::

    # %% ex3: mask after the softmax
    def mended_attention(q, k, v):
        ...
"""

import re
from dataclasses import dataclass
from pathlib import Path

HEAD = re.compile(r"^# %% (?P<exercise>ex\d+): (?P<name>.+)$", re.M)


@dataclass(frozen=True)
class Mistake:
    """A wrong answer.

    Attributes
    ----------
    exercise : str
        Short name, ``"ex3"``.
    name : str
        What is wrong.
    source : str
        The solution cell as a student would leave it.
    """

    exercise: str
    name: str
    source: str


def path_of(notebook: Path) -> Path:
    """Say where the mistakes for a notebook are kept."""
    return notebook.parent / "mistakes" / f"{notebook.stem}.py"


def parse(text: str) -> list[Mistake]:
    """Read mistakes from text in percent format.

    Examples
    --------
    >>> parse("# %% ex1: one too many\\nx = 2\\n\\n# %% ex2: none\\nx = 0\\n")[0]
    Mistake(exercise='ex1', name='one too many', source='x = 2')
    """
    heads = list(HEAD.finditer(text))
    ends = [head.start() for head in heads[1:]] + [len(text)]
    return [
        Mistake(head["exercise"], head["name"].strip(), text[head.end() : end].strip())
        for head, end in zip(heads, ends, strict=True)
    ]


def read(notebook: Path) -> list[Mistake]:
    """Read the mistakes planted for a chapter.

    Parameters
    ----------
    notebook : Path
        The chapter's notebook.

    Returns
    -------
    list of Mistake
        Empty if there is no such file.

    Raises
    ------
    ValueError
        If a cell's title does not name an exercise and a mistake.
    """
    path = path_of(notebook)
    if not path.is_file():
        return []
    text = path.read_text(encoding="utf8")
    found = parse(text)
    cells = len(re.findall(r"^# %%", text, re.M))
    if cells != len(found):
        raise ValueError(
            f"{path.name}: {cells} cells, but {len(found)} titles of the form "
            "'# %% ex3: what is wrong'"
        )
    return found
