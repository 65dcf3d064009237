"""Which answers of a batch resemble each other: a hint where to look, no verdict.

Code is read as tokens without comments, layout and names of its own making, so that
renaming hides nothing. Runs of tokens are hashed and thinned by winnowing
(Schleimer, Wilkerson and Aiken 2003, "Winnowing: local algorithms for document
fingerprinting"). Not counted is what the released stub holds, nor what a large part
of the batch shares: short exercises have one natural answer.
"""

import hashlib
import itertools
import keyword
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from llmbook_homework.course import Assignment, Course
from llmbook_homework.gradebook import submitted_answers

K = 8  # tokens in a run
WINDOW = 4  # of this many neighbouring runs one is kept
MAX_TOKENS = 20_000  # of one answer
MAX_TEXT = 200_000  # characters of one answer that are compared letter by letter
COMMON = 0.25  # runs that more than this share of the batch has are left out,
AT_LEAST = 4  # if these are more people than so many
MIN_RUNS = 8  # an answer with fewer says nothing
SENTENCE = (
    "This is a hint where to look, not a verdict: short exercises have few right "
    "answers, friends learn together, and both may have read the same page. Talk to "
    "people before you conclude anything."
)
TOKEN = re.compile(
    r"""(?P<comment>\#[^\n]*)
    # a string that is never closed goes to the end: nothing is read twice
    | (?P<string>[rbfuRBFU]{0,2}(?:\"\"\"(?:[\s\S]*?\"\"\"|[\s\S]*)
      |'''(?:[\s\S]*?'''|[\s\S]*)
      |"(?:\\.|[^"\\\n])*+"?|'(?:\\.|[^'\\\n])*+'?))
    | (?P<number>\d[\w.]*)
    | (?P<name>[^\W\d]\w*)
    | (?P<operator>\*\*|//|->|:=|[-+*/%@&|^<>=!]=|\S)""",
    re.X,
)


@dataclass(frozen=True)
class Pair:
    """Two answers to one exercise that resemble each other.

    Attributes
    ----------
    exercise : str
    first, second : str
        Students.
    share : float
        Of the smaller answer's uncommon runs, how many the other has too.
    runs : int
        How many these are.
    same_text : bool
        The answers are equal, comments and names included.
    """

    exercise: str
    first: str
    second: str
    share: float
    runs: int
    same_text: bool


def tokens(source: str) -> list[str]:
    """Read code as tokens in which names, numbers and strings are all alike.

    It reads anything, code that Python cannot parse too.

    Examples
    --------
    >>> tokens("total = a + 1  # sum") == tokens("x=b+2")
    True
    >>> tokens("return np.exp(x)")
    ['return', 'N', '.', 'exp', '(', 'N', ')']
    """
    found: list[str] = []
    for match in itertools.islice(TOKEN.finditer(source), MAX_TOKENS):
        kind, text = match.lastgroup, match[0]
        if kind == "name" and not keyword.iskeyword(text):
            # what follows a dot is a library's name: renaming cannot change it
            found.append(text if found[-1:] == ["."] else "N")
        elif kind == "number":
            found.append("0")
        elif kind == "string":
            # three quotes are most often a docstring: a comment
            found += [] if text.endswith(('"""', "'''")) else ["''"]
        elif kind != "comment":
            found.append(text)
    return found


def _hashes(source: str) -> list[int]:
    """Hash each run of K tokens."""
    read = tokens(source)
    runs = (" ".join(read[i : i + K]) for i in range(len(read) - K + 1))
    return [
        int.from_bytes(hashlib.blake2b(run.encode(), digest_size=8).digest())
        for run in runs
    ]


def fingerprint(source: str) -> frozenset[int]:
    """Hash the runs of an answer's tokens and keep the least of each window."""
    found = _hashes(source)
    windows = range(max(1, len(found) - WINDOW + 1)) if found else ()
    return frozenset(min(found[i : i + WINDOW]) for i in windows)


def compare(
    exercise: str, answers: Mapping[str, str], given: Iterable[str] = ()
) -> list[Pair]:
    """Compare all answers to one exercise.

    Parameters
    ----------
    exercise : str
        Its id.
    answers : mapping
        Sources by student.
    given : iterable of str
        Code that everybody has: the stub, the chapter's cells.

    Returns
    -------
    list of Pair
        The closest first.
    """
    known = set(itertools.chain.from_iterable(map(_hashes, given)))
    prints = {who: fingerprint(source) - known for who, source in answers.items()}
    counts = Counter(itertools.chain.from_iterable(prints.values()))
    limit = max(AT_LEAST, COMMON * len(prints))
    common = {run for run, count in counts.items() if count > limit}
    texts = {who: source[:MAX_TEXT].split() for who, source in answers.items()}
    pairs = []
    for first, second in itertools.combinations(sorted(prints), 2):
        a, b = prints[first] - common, prints[second] - common
        same = texts[first] == texts[second]
        if min(len(a), len(b)) >= MIN_RUNS and a & b:
            shared = len(a & b)
            share = shared / min(len(a), len(b))
            pairs.append(Pair(exercise, first, second, share, shared, same))
    return sorted(pairs, key=lambda p: (-p.share, -p.runs, p.first, p.second))


def report(course: Course, assignment: Assignment, least: float = 0.6) -> list[Pair]:
    """Compare the answers of all students to all exercises.

    Parameters
    ----------
    course : Course
        Its folder.
    assignment : Assignment
        One of the course's.
    least : float
        The share from which on a pair is named.

    Returns
    -------
    list of Pair
    """
    import nbformat

    nb = nbformat.read(course.release(assignment), as_version=4)
    given = [cell.source for cell in nb.cells if cell.cell_type == "code"]
    students = course.students_of(assignment)
    read = {who: submitted_answers(course, assignment, who) for who in students}
    pairs: list[Pair] = []
    for exercise in assignment.points:
        answers = {
            who: found[exercise] for who, found in read.items() if exercise in found
        }
        pairs += compare(exercise, answers, given)
    return sorted(
        (pair for pair in pairs if pair.share >= least), key=lambda pair: -pair.share
    )


def as_text(pairs: list[Pair]) -> str:
    """Write the report.

    Parameters
    ----------
    pairs : list of Pair
        What :func:`report` found.

    Returns
    -------
    str
        With the sentence that it is a hint.
    """
    if not pairs:
        return f"No two answers resemble each other much.\n\n{SENTENCE}\n"
    width = max(len(p.first) + len(p.second) for p in pairs) + 5
    lines = [
        f"{p.exercise:<10} {p.first + ' and ' + p.second:<{width}} {p.share:4.0%} of "
        f"{p.runs} runs{', letter by letter' if p.same_text else ''}"
        for p in pairs
    ]
    return "\n".join([*lines, "", SENTENCE, ""])
