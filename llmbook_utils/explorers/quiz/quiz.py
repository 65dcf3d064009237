"""A quiz that explains each answer, from data in the notebook."""

import html
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, ClassVar

from llmbook_utils.explorers.core.explorer import Explorer


@dataclass(frozen=True)
class Choice:
    """One answer to choose, and why it is right or wrong.

    ``text`` and ``why`` may hold ``code`` in backticks and *stress* in asterisks.
    """

    text: str
    why: str
    correct: bool = False


@dataclass(frozen=True)
class Question:
    """A question with its choices; ``multi`` if several of them are right."""

    text: str
    choices: Sequence[Choice]
    multi: bool = False


class Quiz(Explorer):
    """Questions to check oneself, each choice explained.

    Parameters
    ----------
    questions : Question
        The questions, in the order in which they are shown.
    name : str
        Unique in the book, as ``quiz-embeddings``.

    Raises
    ------
    ValueError
        If a question has no right choice, or a choice no explanation.

    Examples
    --------
    >>> Quiz(Question("1 + 1?", [
    ...     Choice("2", "One and one more.", correct=True),
    ...     Choice("3", "That is one too many."),
    ... ]), name="quiz-sums")
    Quiz('quiz-sums', 1 questions)
    """

    kind: ClassVar[str] = "quiz"
    styles: ClassVar[tuple[Path, ...]] = (Path(__file__).with_name("quiz.css"),)
    scripts: ClassVar[tuple[Path, ...]] = (Path(__file__).with_name("quiz.js"),)
    height: ClassVar[int] = 640

    def __init__(self, *questions: Question, name: str) -> None:
        check_questions(questions)
        payload = {"questions": [asdict(question) for question in questions]}
        count = len(questions)
        super().__init__(
            payload,
            name=name,
            caption=f"Quiz: {count} questions",
            alt=f"A quiz of {count} questions with explained answers",
        )

    def __repr__(self) -> str:
        return f"Quiz({self.data['name']!r}, {len(self.data['questions'])} questions)"

    @staticmethod
    def picture(data: dict[str, Any]) -> None:
        """Return None: a quiz is words, and is printed as words."""

    @staticmethod
    def fragment(data: dict[str, Any]) -> str:
        """Build all questions, readable as they are, for the script to enliven."""
        questions = "".join(
            _question_html(question, f"{data['id']}-{number}", number)
            for number, question in enumerate(data["questions"], start=1)
        )
        return (
            '<div class="lb-quiz" data-llmbook="quiz" role="group" aria-label="Quiz">'
            f'{questions}<div class="lb-quiz-foot" hidden>'
            '<p class="lb-quiz-score" role="status"></p>'
            '<button type="button" class="lb-quiz-again">Start again</button>'
            "</div></div>"
        )

    @staticmethod
    def fallback(data: dict[str, Any]) -> str:
        """Write the questions as lists, with their answers folded."""
        return "".join(map(_question_text, data["questions"]))


def check_questions(questions: Sequence[Question]) -> None:
    """Raise ValueError, with the cure, for a quiz that would mislead its reader."""
    if not questions:
        raise ValueError("a quiz needs at least one Question")
    for question in questions:
        where = f"question {question.text!r}"
        right = sum(choice.correct for choice in question.choices)
        if len(question.choices) < 2:
            raise ValueError(f"{where}: needs two choices or more")
        if not question.multi and right != 1:
            raise ValueError(
                f"{where}: {right} choices are correct, exactly 1 may be; "
                "write multi=True if several are meant"
            )
        if question.multi and not right:
            raise ValueError(f"{where}: no choice is correct")
        for choice in question.choices:
            if not choice.text.strip() or not choice.why.strip():
                raise ValueError(
                    f"{where}: choice {choice.text!r} needs a text and a why"
                )
        if len({choice.text for choice in question.choices}) != len(question.choices):
            raise ValueError(f"{where}: two choices have the same text")


def inline(text: str) -> str:
    """Turn the two marks that quiz texts may hold into HTML.

    Examples
    --------
    >>> inline("`a < b` is *not* <b>")
    '<code>a &lt; b</code> is <em>not</em> &lt;b&gt;'
    """
    parts = re.split(r"`([^`]+)`", html.escape(text))
    for i, part in enumerate(parts):
        if i % 2:
            parts[i] = f"<code>{part}</code>"
        else:
            parts[i] = re.sub(r"\*(\S(?:[^*]*\S)?)\*", r"<em>\1</em>", part)
    return "".join(parts)


def _question_html(question: dict[str, Any], group: str, number: int) -> str:
    kind = "checkbox" if question["multi"] else "radio"
    hint = (
        ' <span class="lb-hint">(several may be right)</span>'
        if question["multi"]
        else ""
    )
    choices = "".join(
        f'<label class="lb-choice"><input type="{kind}" name="quiz-{group}" '
        f'data-right="{int(choice["correct"])}">'
        f"<span>{inline(choice['text'])}</span></label>"
        for choice in question["choices"]
    )
    whys = "".join(
        f"<li><strong>{inline(choice['text'])}</strong> "
        f"<em>{'Right.' if choice['correct'] else 'Wrong.'}</em> "
        f'<span class="lb-why">{inline(choice["why"])}</span></li>'
        for choice in question["choices"]
    )
    return (
        '<fieldset class="lb-question"><legend>'
        f'<span class="lb-number">{number}</span> {inline(question["text"])}{hint}'
        f"</legend>{choices}"
        '<button type="button" class="lb-check" hidden>Check</button>'
        '<p class="lb-feedback" role="status" aria-live="polite"></p>'
        '<details class="lb-answers"><summary>All answers explained</summary>'
        f"<ul>{whys}</ul></details></fieldset>"
    )


def _question_text(question: dict[str, Any]) -> str:
    choices = question["choices"]
    texts = "".join(f"<li>{inline(choice['text'])}</li>" for choice in choices)
    whys = "".join(
        f"<li>{'Right' if choice['correct'] else 'Wrong'}. {inline(choice['why'])}</li>"
        for choice in choices
    )
    return (
        f"<p><b>{inline(question['text'])}</b></p><ol>{texts}</ol>"
        f"<details><summary>Answers</summary><ol>{whys}</ol></details>"
    )


def judge(question: dict[str, Any], chosen: set[int]) -> tuple[bool, list[str]]:
    """Say whether the chosen choices are the right ones, and why.

    Returns
    -------
    tuple of bool and list of str
        The verdict, and the explanation of each chosen choice.
    """
    choices = question["choices"]
    right = {i for i, choice in enumerate(choices) if choice["correct"]}
    return chosen == right, [choices[i]["why"] for i in sorted(chosen)]
