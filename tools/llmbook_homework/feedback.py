"""A page for each student: the score, and for each exercise the reason.

The page holds no script, loads nothing, and shows what students wrote as text alone:
who opens it runs none of it. Of a hidden test it shows what the result says, never
the test. For nbgrader's own pages, ``nbgrader generate_feedback`` works too.
"""

from html import escape
from pathlib import Path

from llmbook_homework import gradebook
from llmbook_homework.course import Assignment, Course, replacing
from llmbook_homework.exercises import reading, vary
from llmbook_homework.exercises.tasks import Exercise
from llmbook_homework.grading.results import ExerciseResult, Result
from llmbook_homework.lms import by_hand
from llmbook_homework.lms.by_hand import ByHand

STYLE = """
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 50rem; margin: 2rem auto;
  padding: 0 1rem; }
table { border-collapse: collapse; width: 100%; }
th, td { border-bottom: 1px solid; padding: .3rem .6rem; text-align: left;
  vertical-align: top; }
td.n { text-align: right; white-space: nowrap; }
pre { border: 1px solid; padding: .6rem; overflow-x: auto; font-size: .9rem;
  max-height: 40rem; }
"""
MAX_SHOWN = 20_000  # characters of an answer


def page(
    result: Result,
    asked: dict[str, Exercise],
    answers: dict[str, str],
    hand: ByHand,
) -> str:
    """Write a student's page.

    Parameters
    ----------
    result : Result
        What grading found.
    asked : dict
        The exercises by id, as this student has them.
    answers : dict
        The student's cells by id.
    hand : ByHand
        What somebody scored or wrote by hand.

    Returns
    -------
    str
        HTML.
    """
    total = sum(hand.score(each) for each in result.exercises)
    title = f"{result.assignment}: {total:g} of {result.points:g} points"
    lines = "".join(_line(each, asked[each.id], hand) for each in result.exercises)
    late = ["Handed in late."] if result.late else []
    about = "".join(f"<p>{escape(note)}</p>" for note in [*result.remarks, *late])
    parts = "".join(
        _part(each, asked[each.id], answers.get(each.id, ""))
        for each in result.exercises
    )
    return (
        f'<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width">'
        f'<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
        f"style-src 'unsafe-inline'\">"
        f"<title>{escape(title)}</title><style>{STYLE}</style></head><body>"
        f"<h1>{escape(title)}</h1><p>{escape(result.student)}</p>{about}"
        f"<table><thead><tr><th>Exercise</th><th>Points</th><th>Why</th></tr></thead>"
        f"<tbody>{lines}</tbody></table>{parts}</body></html>\n"
    )


def _line(row: ExerciseResult, asked: Exercise, hand: ByHand) -> str:
    score, reason = hand.score(row), hand.reason(row)
    if not reason and row.status == "passed":
        reason = "All checks hold."
    name = (
        f'<a href="#{escape(row.id)}">{escape(asked.short)}, {escape(asked.title)}</a>'
    )
    points = f"{score:g} of {row.points:g}"
    why = escape(reason).replace("\n", "<br>")
    return f'<tr><td>{name}</td><td class="n">{points}</td><td>{why}</td></tr>'


def _part(row: ExerciseResult, asked: Exercise, answer: str) -> str:
    notes = "".join(f"<p>{escape(note)}</p>" for note in row.notes)
    shown = answer[:MAX_SHOWN] + ("\n[cut here]" if len(answer) > MAX_SHOWN else "")
    code = f"<pre>{escape(shown)}</pre>" if shown else "<p>There is no answer.</p>"
    output = f"<p>It printed:</p><pre>{escape(row.output)}</pre>" if row.output else ""
    head = f"{asked.short}: {asked.title}"
    return f'<h2 id="{escape(row.id)}">{escape(head)}</h2>{notes}{code}{output}'


def write(course: Course, assignment: Assignment) -> list[Path]:
    """Write the pages of all who were graded, into ``feedback/``.

    Parameters
    ----------
    course : Course
        Its folder.
    assignment : Assignment
        One of the course's.

    Returns
    -------
    list of Path
    """
    chapter = reading.load(course.source(assignment))
    hands = by_hand.read(course, assignment)
    written = []
    for student, result in gradebook.results_of(course, assignment).items():
        seed = course.seed_of(assignment, student)
        asked = {e.id: vary.personalise(e, seed) for e in chapter.exercises}
        known = [row for row in result.exercises if row.id in asked]
        result.exercises = known
        answers = gradebook.submitted_answers(course, assignment, student)
        folder = course.folder("feedback", student, assignment)
        path = folder / f"{assignment.notebook}.html"
        with replacing(path) as draft:
            text = page(result, asked, answers, hands[student])
            draft.write_text(text, encoding="utf8", errors="replace")
        written.append(path)
    return written
