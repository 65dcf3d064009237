"""Course plans, made from what the notebooks say: minutes, prerequisites, exercises.

A course aims at a chapter and has so much time in class and at home. Chosen are the
goal, then what it needs, the nearest first, then the other chapters in order, while
they fit; then exercises, the easy ones first. Sections are dealt to the days or weeks
in order and evenly; exercises follow their chapter.
"""

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from llmbook_homework.lessons import Homework, Lesson, Section

LEVELS = ("easy", "medium", "hard")


@dataclass(frozen=True)
class Course:
    """What time a course has.

    Attributes
    ----------
    part : str
        What it consists of, ``"Block"`` or ``"Week"``.
    n_parts : int
    in_class : float
        Minutes of one part.
    at_home : float
        Minutes for exercises, of one part; 0 to do them in class.
    goal : str
        Number of the chapter at which it aims.
    """

    part: str
    n_parts: int
    in_class: float
    at_home: float
    goal: str = "15"


COURSES = {
    "day": Course("Block", 4, 90, 0),
    "four-weeks": Course("Week", 4, 180, 180),
    "ten-weeks": Course("Week", 10, 180, 180),
}


@dataclass(frozen=True)
class Plan:
    """A course plan.

    Attributes
    ----------
    course : Course
    parts : list of list of Section or Homework
    left_out : list of Lesson
        Chapters that do not fit.
    """

    course: Course
    parts: list[list[Section | Homework]]
    left_out: list[Lesson]

    def minutes(self, part: Iterable[Section | Homework], at_home: bool) -> float:
        """Sum up what a part takes at home, or in class."""
        return sum(
            item.minutes
            for item in part
            if at_home == (isinstance(item, Homework) and self.course.at_home > 0)
        )


def by_need(every: Sequence[Lesson], goal: str) -> list[Lesson]:
    """Order chapters by how much a goal needs them: itself, its needs, the others.

    Parameters
    ----------
    every : sequence of Lesson
        In the order of the book.
    goal : str
        A chapter's number; a chapter that is not there yet needs nothing.

    Returns
    -------
    list of Lesson
    """
    known = {lesson.number: lesson for lesson in every}
    todo, ordered = [goal], []
    while todo:
        lesson = known.pop(todo.pop(0), None)
        if lesson:
            ordered.append(lesson)
            todo += sorted(lesson.needs, reverse=True)
    return [*ordered, *known.values()]


def make(every: Sequence[Lesson], course: Course) -> Plan:
    """Make a plan.

    Parameters
    ----------
    every : sequence of Lesson
        The book's chapters.
    course : Course
        Its time and its goal.

    Returns
    -------
    Plan
    """
    chosen, left = [], course.n_parts * course.in_class
    for lesson in by_need(every, course.goal):
        if lesson.minutes <= left:
            chosen.append(lesson)
            left -= lesson.minutes
    chosen.sort(key=lambda lesson: lesson.number)
    homework = _homework(chosen, course.n_parts * course.at_home or left)
    items: list[Section | Homework] = []
    for lesson in chosen:
        items += [*lesson.sections, *homework.get(lesson.number, [])]
    loads = [
        0.0 if course.at_home and isinstance(item, Homework) else item.minutes
        for item in items
    ]
    out = [lesson for lesson in every if lesson not in chosen]
    return Plan(course, [items[a:b] for a, b in split(loads, course.n_parts)], out)


def _homework(chosen: Sequence[Lesson], left: float) -> dict[str, list[Homework]]:
    """Choose exercises that fit, the easy ones first."""
    tasks = [each for lesson in chosen for each in lesson.exercises]
    wanted = set()
    for each in sorted(tasks, key=lambda each: LEVELS.index(each.level)):
        if each.minutes <= left:
            wanted.add(each.id)
            left -= each.minutes
    found = {}
    for lesson in chosen:
        own = tuple(each for each in lesson.exercises if each.id in wanted)
        if own:
            found[lesson.number] = [Homework(lesson.number, own, len(lesson.exercises))]
    return found


def split(loads: Sequence[float], parts: int) -> list[tuple[int, int]]:
    """Cut a row of loads into parts that are as even as can be.

    Parameters
    ----------
    loads : sequence of float
        In order; one that is 0 stays with the one before it.
    parts : int
        How many at most.

    Returns
    -------
    list of tuple of int
        Where each part begins, and where it ends (excluded). The sum of the squares of
        the parts' loads is the least that there is.

    Examples
    --------
    >>> split([3, 1, 1, 1, 4, 0], 3)
    [(0, 1), (1, 4), (4, 6)]
    """
    starts = [n for n, load in enumerate(loads) if load or n == 0]
    parts = min(parts, len(starts))
    sums = [0.0, *itertools.accumulate(loads)]
    ends = [*starts[1:], len(loads)]
    # best[end]: the least sum of squares up to there in k parts, and the parts.
    best: dict[int, tuple[float, list[tuple[int, int]]]] = {0: (0.0, [])}
    for _ in range(parts):
        best = {
            end: min(
                (square + (sums[end] - sums[start]) ** 2, [*cuts, (start, end)])
                for start, (square, cuts) in best.items()
                if start < end
            )
            for end in ends
            if any(start < end for start in best)
        }
    return best[len(loads)][1] if loads else []


def grouped(part: Iterable[Section | Homework]) -> list[list[Section] | Homework]:
    """Join the neighbouring sections of one chapter."""
    found: list[list[Section] | Homework] = []
    for item in part:
        last = found[-1] if found else None
        if isinstance(item, Homework):
            found.append(item)
        elif isinstance(last, list) and last[-1].chapter == item.chapter:
            last.append(item)
        else:
            found.append([item])
    return found
