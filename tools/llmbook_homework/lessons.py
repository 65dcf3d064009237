"""A chapter as a course has it: sections, exercises, minutes, and what it needs."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import nbformat

from llmbook_homework.exercises import reading
from llmbook_homework.exercises.tasks import Exercise
from llmbook_press import notebooks

NEED = re.compile(r"^You need .+?(?=\n\n|\Z)", re.M | re.S)
LINK = re.compile(r"\{doc\}`[^`]*?(\d\d)_\w+[^`]*`")
TEACHING = 2.0  # to run a section and talk about it, in reading times: an estimate
NOT_TAUGHT = {"Exercises", "Further reading"}


@dataclass(frozen=True)
class Section:
    """A section of a chapter, or several that are taught together.

    Attributes
    ----------
    chapter : str
        ``"02"``.
    titles : tuple of str
    minutes : float
        In class: reading time of text and code, times ``TEACHING``.
    """

    chapter: str
    titles: tuple[str, ...]
    minutes: float


@dataclass(frozen=True)
class Homework:
    """Exercises of a chapter that are set together.

    Attributes
    ----------
    chapter : str
        ``"02"``.
    exercises : tuple of Exercise
    n_all : int
        How many the chapter has.
    """

    chapter: str
    exercises: tuple[Exercise, ...]
    n_all: int

    @property
    def minutes(self) -> float:
        """What the exercises say that they take."""
        return sum(each.minutes for each in self.exercises)

    @property
    def command(self) -> str:
        """The command that sets them."""
        only = ",".join(each.short for each in self.exercises)
        some = f" --only {only}" if len(self.exercises) < self.n_all else ""
        return f"llmbook homework release {self.chapter}{some}"


@dataclass(frozen=True)
class Lesson:
    """A chapter as a course has it.

    Attributes
    ----------
    number, title, slug : str
        ``"02"``, ``"Word embeddings"``, ``"02_word_embeddings"``.
    needs : tuple of str
        Numbers of the chapters that its Overview names as needed.
    sections : tuple of Section
    exercises : tuple of Exercise
    """

    number: str
    title: str
    slug: str
    needs: tuple[str, ...]
    sections: tuple[Section, ...]
    exercises: tuple[Exercise, ...]

    @property
    def minutes(self) -> float:
        """Minutes in class, without exercises."""
        return sum(section.minutes for section in self.sections)


def prerequisites(nb: nbformat.NotebookNode) -> tuple[str, ...]:
    """Read which chapters a chapter needs, from its paragraph "You need ...".

    Parameters
    ----------
    nb : NotebookNode
        The chapter.

    Returns
    -------
    tuple of str
        Their numbers.

    Raises
    ------
    ValueError
        If there is no such paragraph.
    """
    for cell in nb.cells:
        found = NEED.search(cell.source) if cell.cell_type == "markdown" else None
        if found:
            return tuple(LINK.findall(found[0]))
    raise ValueError("the Overview has no paragraph that begins with 'You need'")


def sections_of(number: str, nb: nbformat.NotebookNode) -> tuple[Section, ...]:
    """List a chapter's sections with the minutes that they take.

    Parameters
    ----------
    number : str
        Of the chapter.
    nb : NotebookNode
        The chapter.

    Returns
    -------
    tuple of Section
        Without exercises and further reading.
    """
    titles, minutes = [], []
    for cell in nb.cells:
        heading = re.match(r"## (.+)", cell.source)
        if heading and cell.cell_type == "markdown":
            titles.append(heading[1].strip())
            minutes.append(0.0)
        if titles:
            minutes[-1] += TEACHING * notebooks.minutes_of([cell])
    found = [
        Section(number, (title,), time)
        for title, time in zip(titles, minutes, strict=True)
        if title not in NOT_TAUGHT
    ]
    # Overview and Setup are no lesson of their own, nor are Summary and Quiz.
    return (_joined(found[:3]), *found[3:-3], _joined(found[-3:]))


def _joined(sections: Sequence[Section]) -> Section:
    titles = tuple(title for each in sections for title in each.titles)
    return Section(sections[0].chapter, titles, sum(each.minutes for each in sections))


def lessons(root: Path) -> list[Lesson]:
    """Read all chapters of the book.

    Parameters
    ----------
    root : Path
        The repository.

    Returns
    -------
    list of Lesson
        In the order of their numbers.

    Raises
    ------
    ValueError
        If a chapter does not say what it needs.
    """
    found = []
    for path in notebooks.notebook_paths(root):
        nb = nbformat.read(path, as_version=4)
        chapter = reading.load(path)
        try:
            needs = prerequisites(nb)
        except ValueError as error:
            raise ValueError(f"{path.name}: {error}") from None
        found.append(
            Lesson(
                chapter.number,
                chapter.title,
                chapter.slug,
                needs,
                sections_of(chapter.number, nb),
                chapter.exercises,
            )
        )
    return found
