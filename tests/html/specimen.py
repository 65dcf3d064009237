"""A small book that holds every element a chapter may have.

The real book need not use them all, and a test of the real book alone could pass
because there was nothing to test.
"""

import json
import shutil
from pathlib import Path

import nbformat
import numpy as np
import plotly.graph_objects as go
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from llmbook_utils import plots
from llmbook_utils.explorers.quiz.quiz import Choice, Question, Quiz
from llmbook_utils.explorers.word_map.word_map import WordMap

ROOT = Path(__file__).resolve().parents[2]
PAGE = "notebooks/07_specimen"
TOC = """\
format: jb-book
root: book/index
chapters:
  - file: notebooks/07_specimen
  - file: book/status
"""
PAGES = {
    "index.md": """\
# A specimen

::::{div} hero
Every element once, more or less.
::::

```{figure} figures/hero.svg
:alt: Words joined by arcs to the next word
:name: fig-hero

A drawing of our own, in the colours of the page.
```

:::::{grid} 1 2 2 2

::::{grid-item-card} The chapter
:link: ../notebooks/07_specimen
:link-type: doc

All elements.
::::
:::::

:::{glossary}
token
  An atom of text.
:::

```{bibliography}
```
""",
    "status.md": "# Status\n\n```{chapter-status}\n```\n",
    "references.bib": """\
@article{someone2013, author={Someone, Ann}, title={Words}, journal={Notes},
  year={2013}}
""",
}
WORDS = [
    *("list", "tuple", "set", "dict", "array", "str", "bytes"),
    *("raise", "except", "exception", "error", "thread", "lock", "queue"),
    *("</script>", "<!--<script>", "a&b", '"quoted"', "naïve", "你好", "שלום", "🙂"),
]


def word_map() -> WordMap:
    """A map whose words would break a page that did not escape them."""
    rng = np.random.default_rng(0)
    groups = ["types"] * 7 + ["errors"] * 4 + ["threads"] * 3
    groups += [None] * (len(WORDS) - len(groups))
    centres = {name: rng.normal(size=16) for name in dict.fromkeys(groups)}
    vectors = [centres[name] + 0.8 * rng.normal(size=16) for name in groups]
    return WordMap(
        WORDS,
        np.array(vectors),
        groups=groups,
        name="map-words",
        caption="Words in three of sixteen dimensions.",
        alt="A cloud of words, three clusters coloured",
    )


def quiz() -> Quiz:
    """One question with one right answer, one with two."""
    return Quiz(
        Question(
            "What does `max(0, x)` cut?",
            [
                Choice("Negative values", "They become *zero*.", correct=True),
                Choice("Large values", "They stay. </script><b>bold</b>"),
                Choice("Nothing", "Try `x = -1`."),
            ],
        ),
        Question(
            "Which change a cosine?",
            [
                Choice("Scaling by 2", "A cosine ignores length."),
                Choice("Adding a constant", "Directions change.", correct=True),
                Choice("Whitening", "Axes are stretched.", correct=True),
            ],
            multi=True,
        ),
        name="quiz-specimen",
    )


def figures() -> dict[str, go.Figure]:
    """Draw one figure with each helper, by name."""
    steps, ramp = np.arange(40), np.arange(5.0)
    curves = {"training": 3 * np.exp(-steps / 9), "held out": np.exp(-steps / 20)}
    heights = {"counts": [0.3, 0.4], "skip-gram": [0.4, 0.5]}
    points = [[0, 1], [2, 3], [1, 1], [3, 0]]
    axes = {"x_title": "across", "y_title": "up (nats)"}
    names = {"x_labels": WORDS[:5], "y_labels": WORDS[:5], "title": "cosine"}
    matrix = np.cos(np.subtract.outer(ramp, ramp))
    return {
        "fig-lines": plots.lines(curves, **axes),
        "fig-bars": plots.bars(heights, labels=["types", "verbs"], **axes),
        "fig-heatmap": plots.heatmap(matrix, **names, diverging=True, digits=2),
        "fig-scatter": plots.scatter(
            points, labels=WORDS[:4], groups=["a", "b", "a", "b"], **axes
        ),
    }


def _markdown(text: str, **metadata: object) -> nbformat.NotebookNode:
    return new_markdown_cell(text, metadata=metadata)


def _code(
    source: str, data: dict | None = None, text: str = "", **metadata: object
) -> nbformat.NotebookNode:
    outputs = []
    if text:
        outputs.append(new_output("stream", name="stdout", text=text))
    if data:
        outputs.append(new_output("display_data", data=data))
    return new_code_cell(source, outputs=outputs, metadata=metadata)


def _grader(is_solution: bool) -> dict[str, object]:
    return {"solution": is_solution, "grade": not is_solution, "grade_id": "x"}


TEXT = r"""# Specimen

*About 5 minutes to read, 1 s to run on 2 CPU cores, 0.1 GB, no download.*

## Text

Words with *stress*, `code`, a {term}`token`, a source {cite:p}`someone2013`, and the
figures {numref}`fig-lines` and {numref}`map-words`. Inline $x^2$ and a formula that is
wider than a telephone:

$$
\mathcal{L} = -\log \sigma(\mathbf{u}_c^\top \mathbf{v}_w) - \sum_{k=1}^{K}
\mathbb{E}_{c_k \sim P_n} \log \sigma(-\mathbf{u}_{c_k}^\top \mathbf{v}_w) + \lambda
\lVert \mathbf{u} \rVert^2 + \lambda \lVert \mathbf{v} \rVert^2
$$ (eq-loss)

{eq}`eq-loss` is a loss.

:::{admonition} Objectives
:class: objectives

- see every **token**.
:::

:::{admonition} Check
:class: check
$1 + 1 = 2$.
:::

:::{admonition} Where it goes wrong
:class: wrong
Everywhere.
:::

:::{note}
A [link](../book/index.md) in a note, and `code`.
:::

:::{warning}
Careful.
:::

| Model | Parameters | Seconds | Neighbours of list | Neighbours of raise | More |
|:--|--:|--:|:--|:--|:--|
| skip-gram | 823,600 | 20.4 | tuple, iterable | raised, exception | words, words |

![The mark of the book](../book/figures/logo.svg)
"""


def _figure_cells() -> list[nbformat.NotebookNode]:
    cells = []
    for name, figure in figures().items():
        words = {"name": name, "caption": f"Figure *{name}*, $x$.", "alt": f"A {name}"}
        data = plots.figure_data(figure, **words)
        cells.append(_code(f"show({name!r})", {plots.MIME: data, "text/plain": name}))
    return [*cells, _code("word_map", word_map()._repr_mimebundle_())]


def _exercise_cells() -> list[nbformat.NotebookNode]:
    return [
        _markdown(
            ":::{admonition} Exercise 1: add (easy)\n:class: exercise\nAdd.\n:::"
        ),
        _code(
            "def add(a, b):\n    ### BEGIN SOLUTION\n    return a + b\n"
            "    ### END SOLUTION\n\n\nprint(add(1, 2))",
            text="3\n",
            nbgrader=_grader(True),
        ),
        _code(
            "assert add(1, 1) == 2\n### BEGIN HIDDEN TESTS\nassert add(2, 2) == 4\n"
            "### END HIDDEN TESTS\nprint('well done')",
            text="well done\n",
            nbgrader=_grader(False),
        ),
        _markdown("Because $1 + 1 = 2$.", tags=["solution"]),
    ]


RUN = {
    "seconds": 1.2,
    "peak_mb": 100,
    "device": "cpu",
    "python": "3.11.7",
    "torch": "2.13.0",
    "threads": 1,
    "date": "2026-01-01",
}
LONG_CODE = """\
def f(x: float) -> str:
    '''Say something about a number, in a line so long that it has to scroll aside.'''
    return f'{x:.1f}' if x > 1e-3 else None  # a reason


print('1234567890 ' * 12, end="; and a long line is a long line is a long line is long")
"""


def notebook() -> nbformat.NotebookNode:
    """Build the specimen chapter with its stored outputs."""
    cells = [
        _markdown(TEXT),
        _code("colab = True", tags=["colab-setup"]),
        _code(LONG_CODE, text="1234567890 " * 12 + "\n"),
        *_figure_cells(),
        *_exercise_cells(),
        _code("hidden = 1", text="shown\n", tags=["hide-input"]),
        _markdown("## Quiz"),
        _code("Quiz('the right answers')", quiz()._repr_mimebundle_()),
    ]
    book = new_notebook(cells=cells)
    book.metadata = {
        "kernelspec": {"name": "python3", "display_name": "Python 3"},
        "language_info": {"name": "python"},
        "llmbook": RUN,
    }
    for number, cell in enumerate(book.cells):
        cell["id"] = f"cell-{number}"
    return book


def write_book(folder: Path, toc: str = TOC) -> Path:
    """Write the specimen's sources, with the real book's settings and style."""
    (folder / "notebooks").mkdir(parents=True)
    shutil.copy(ROOT / "_config.yml", folder)
    for name in ("_static", "figures"):
        shutil.copytree(ROOT / "book" / name, folder / "book" / name)
    (folder / "_toc.yml").write_text(toc)
    for name, text in PAGES.items():
        (folder / "book" / name).write_text(text)
    path = folder / f"{PAGE}.ipynb"
    path.write_text(json.dumps(notebook()))
    return folder
