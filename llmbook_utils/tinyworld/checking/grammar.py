"""How `check` reads a sentence: templates, and a reader that fits one to it."""

from __future__ import annotations

import re
from functools import cache
from typing import Any, NamedTuple

from llmbook_utils.tinyworld.village import COLOURS, VILLAGES
from llmbook_utils.tinyworld.world import (
    BAD_WEATHERS,
    SENTIMENTS,
    SYLLABLES,
    TUNE_LENGTH,
    WEATHERS,
)

_STATEMENTS = {
    "weather": "it is a WEATHER day",
    "turn": "the day turns WEATHER",
    "end": "the end",
    "person": "NEWCOMER is WITHIN",
    "lies": "there is a COLOUR NOUN WITHIN",
    "owns": "WHO has a COLOUR NOUN",
    "scene": "WITHIN BE LIST",
}

# what follows the subject; those of the first group may be joined by "and"
JOINED = {
    "move": "walks from PLACE to PLACE|runs from PLACE to PLACE",
    "follow": "follows WHOM to PLACE",
    "take": "takes THING|picks up THING",
    "drop": "drops THING|puts THING down WITHIN",
    "give": "gives THING to WHOM",
    "paint": "paints THING COLOUR",
    "break": "breaks THING",
    "mend": "mends THING",
}
SINGLE = {
    "swap": "trades THING with WHOM for THING",
    "find": "looks for THING and finds THING",
    "miss": "looks for THING , but THING is not WITHIN",
    "late": "looks for THING , but WHO has THING",
    "ask_holder": "asks WHOM where THING is , and WHO says that WHO has THING",
    "ask_place": "asks WHOM where THING is , and WHO says that THING is WITHIN",
    "feel": "is MOOD because CAUSE",
    "compose": "sings a new song : SONG",
    "repeat": "sings again : SONG",
    "copy": "sings the song of WHOM : SONG",
    "sleep": "falls asleep WITHIN",
    "wake": "wakes up",
}
_CAUSES = {
    "has": "WHO has THING",
    "missing": "WHO cannot find THING",
    "friend": "WHO is with WHOM",
    "alone": "nobody is with WHOM",
    "broken": "THING is broken",
    "weather": "the day is WEATHER",
}
_QUESTIONS = {
    "where_person": "where is WHO",
    "where": "where is THING",
    "who_has": "who has THING",
    "what_has": "what does WHO have",
    "song": "what does WHO sing",
    "colour": "what colour is THING",
    "feel": "how does WHO feel",
    "why": "why is WHO MOOD",
    "weather": "what is the day like",
    "broken": "is THING broken",
    "asleep": "is WHO asleep",
}
_ANSWERS = {
    "where_person": "WHO is WITHIN",
    "where": "THING is WITHIN|THING is with WHO WITHIN",
    "who_has": "nobody has THING|WHO has THING",
    "what_has": "WHO has nothing|WHO has THINGS",
    "song": "WHO sings : SONG",
    "colour": "THING is COLOUR",
    "feel": "WHO is MOOD",
    "why": "WHO is MOOD because CAUSE",
    "weather": "the day is WEATHER",
    "broken": "yes , THING is broken|no , THING is not broken",
    "asleep": "yes , WHO is asleep|no , WHO is not asleep",
}
# which causes explain a mood; "envy" is that somebody else has something
EXPLAINS = {
    "happy": ("has", "friend"),
    "proud": ("has",),
    "glad": ("friend", "weather"),
    "sad": ("missing", "alone", "broken"),
    "angry": ("envy",),
    "worried": ("missing", "weather"),
}
FAIR = {"glad": ("sunny",), "worried": BAD_WEATHERS}
PRONOUNS = {"he": "m", "she": "f", "him": "m", "her": "f"}


class _Form(NamedTuple):
    """One way to say something: a template, in words and slots."""

    kind: str
    items: tuple[str, ...]


def _forms(table: dict[str, str], end: str = "") -> tuple[_Form, ...]:
    return tuple(
        _Form(kind, (*template.split(), *end))
        for kind, templates in table.items()
        for template in templates.split("|")
    )


def _by_first_word(table: dict[str, str]) -> dict[str, tuple[_Form, ...]]:
    forms = _forms(table)
    return {
        word: tuple(form for form in forms if form.items[0] == word)
        for word in {form.items[0] for form in forms}
    }


_STATEMENT_FORMS = _forms(_STATEMENTS, ".")
(_SCENE_FORM,) = _forms({"scene": _STATEMENTS["scene"]}, ".")
_JOINED_FORMS = _by_first_word(JOINED)
_DEED_FORMS = _by_first_word(JOINED | SINGLE)
_CAUSE_FORMS = _forms(_CAUSES)
_QUESTION_FORMS = _forms(_QUESTIONS, "?")
_ANSWER_FORMS = {kind: _forms({kind: t}, ".") for kind, t in _ANSWERS.items()}


class Wrong(Exception):
    """What is wrong with a sentence: its status, and the reason."""


def ungrammatical(reason: str) -> Wrong:
    return Wrong("ungrammatical", reason)


def need(is_so: bool, reason: str) -> None:
    """Raise that a sentence is untrue, unless it is so."""
    if not is_so:
        raise Wrong("untrue", reason)


class Words:
    """The words of a village, by what they mean."""

    def __init__(self, village: str) -> None:
        self.village = VILLAGES[village]
        people, things = self.village.people, self.village.things
        self.people = {one.name: i for i, one in enumerate(people)}
        self.places = {place.name: i for i, place in enumerate(self.village.places)}
        self.nouns = {thing.name: i for i, thing in enumerate(things)}
        tables = (_STATEMENTS, JOINED, SINGLE, _CAUSES, _QUESTIONS, _ANSWERS)
        templates = [t for table in tables for t in table.values()]
        items = {item for t in templates for item in t.replace("|", " ").split()}
        self.known = {item for item in items if not item.isupper()}
        self.known |= {*COLOURS, *SENTIMENTS, *WEATHERS, *SYLLABLES, *PRONOUNS}
        self.known |= {*self.people, *self.places, *self.nouns}
        self.known |= {"in", "on", "at", "are", "it", "that", "then", "and"}
        self.known |= {".", ",", "?"}


words_of = cache(Words)


class Clause(NamedTuple):
    """One statement: its kind, the words of its verb, and what stands in its slots."""

    kind: str
    verb: str
    values: list[tuple[str, Any]]


class Sentence(NamedTuple):
    """What a sentence says, before anything is known about the world."""

    kind: str  # of _STATEMENTS, "deeds" or "question"
    clauses: list[Clause]
    subject: str = ""


def _joined(tokens: list[str]) -> str:
    """Write tokens as a text."""
    return re.sub(r" (?=[.,:?])", "", " ".join(tokens))


class Reading:
    """Reads one sentence by the templates, and notes how far it came.

    Parameters
    ----------
    words : Words
        Of the village.
    text : str
        One sentence, or a question with its answer.
    """

    def __init__(self, words: Words, text: str) -> None:
        self.words = words
        self.shown = re.findall(r"\w+|[^\w\s]", text)
        for token in self.shown:
            if token not in words.known and token.lower() not in words.known:
                raise ungrammatical(f"no such word: '{token}'")
        if _joined(self.shown) != text:
            raise ungrammatical("a space is missing, or there is one too many")
        self.tokens = [*self._lowered(), ""]
        self.furthest, self.expected = 0, []

    def _lowered(self) -> list[str]:
        """Put the word that begins a sentence in lower case, unless it is a name."""
        tokens, begins = self.shown.copy(), True
        for at, token in enumerate(tokens):
            if token not in self.words.people:
                tokens[at] = token.lower()
                if token != (token.capitalize() if begins else tokens[at]):
                    right = "large" if begins else "small"
                    raise ungrammatical(f"'{token}' should have a {right} letter")
            begins = token == "?"
        return tokens

    def sentence(self) -> Sentence:
        """Read the whole."""
        if "?" in self.tokens:
            return self._question()
        if self.tokens[0] == "then":
            return self._deeds(1)
        if self.tokens[:3] == ["that", "day", ","]:
            found = self.form(_SCENE_FORM, 3)
            if not found:
                raise self._failure()
            return Sentence("scene", [found[0]])
        for form in _STATEMENT_FORMS:
            found = self.form(form, 0)
            if found:
                return Sentence(form.kind, [found[0]])
        return self._deeds(0)

    def _question(self) -> Sentence:
        for form in _QUESTION_FORMS:
            found = self.form(form, 0)
            if not found:
                continue
            question, at = found
            words = _joined(self.shown[:at])
            for answer_form in _ANSWER_FORMS[question.kind]:
                answer = self.form(answer_form, at)
                if answer:
                    return Sentence("question", [question, answer[0]])
            for answer_form in sum(_ANSWER_FORMS.values(), ()):
                need(
                    not self.form(answer_form, at),
                    f"'{words}' is not answered by '{_joined(self.shown[at:])}'",
                )
        raise self._failure()

    def _deeds(self, at: int) -> Sentence:
        """Read a subject with what it does."""
        subject = self._who(at)
        if subject is None:
            raise self._failure()
        first, at = self._deed(at + 1, _DEED_FORMS)
        clauses = [first]
        if first.kind in JOINED and self.tokens[at] == "and":
            second, at = self._deed(at + 1, _JOINED_FORMS)
            clauses.append(second)
        if self.tokens[at] != ".":
            self.miss(at, "the end")
            raise self._failure()
        return Sentence("deeds", clauses, subject[0])

    def _deed(self, at: int, forms: dict) -> tuple[Clause, int]:
        for form in forms.get(self.tokens[at], ()):
            found = self.form(form, at)
            if found:
                return found
        self.miss(at, "a verb")
        raise self._failure()

    def form(self, form: _Form, start: int) -> tuple[Clause, int] | None:
        """Match a template; return its clause and the place behind it."""
        at, values, tokens = start, [], self.tokens
        for item in form.items:
            slot = _SLOTS.get(item)
            if slot is None:
                if tokens[at] != item:
                    return self.miss(at, f"'{item}'")
                at += 1
                continue
            found = slot(self, at)
            if found is None:
                return None
            value, at = found
            values.append((item, value))
        verb = "picks up" if tokens[start] == "picks" else tokens[start]
        return Clause(form.kind, verb, values), at

    def _one_of(self, at: int, words: Any, meaning: str) -> tuple[str, int] | None:
        if self.tokens[at] in words:
            return self.tokens[at], at + 1
        return self.miss(at, meaning)

    def _person(self, at: int, pronouns: tuple = ()) -> tuple[str, int] | None:
        if self.tokens[at] in self.words.people or self.tokens[at] in pronouns:
            return self.shown[at], at + 1
        return self.miss(at, "a person")

    def _who(self, at: int) -> tuple[str, int] | None:
        return self._person(at, ("he", "she"))

    def _whom(self, at: int) -> tuple[str, int] | None:
        return self._person(at, ("him", "her"))

    def _thing(self, at: int) -> tuple[tuple, int] | None:
        """Read "it", "the lamp" or "the red lamp": a colour or None, a noun or None."""
        if self.tokens[at] == "it":
            return (None, None), at + 1
        if self.tokens[at] != "the":
            return self.miss(at, "an object")
        colour = self.tokens[at + 1] if self.tokens[at + 1] in COLOURS else None
        found = self._noun(at + 2 if colour else at + 1)
        return found and ((colour, found[0]), found[1])

    def _noun(self, at: int) -> tuple[int, int] | None:
        noun = self.words.nouns.get(self.tokens[at])
        return self.miss(at, "an object") if noun is None else (noun, at + 1)

    def _place(self, at: int) -> tuple[int, int] | None:
        if self.tokens[at] != "the":
            return self.miss(at, "a place")
        place = self.words.places.get(self.tokens[at + 1])
        return self.miss(at + 1, "a place") if place is None else (place, at + 2)

    def _within(self, at: int) -> tuple[int, int] | None:
        preposition = self.tokens[at]
        if preposition not in ("in", "on", "at"):
            return self.miss(at, "a place")
        found = self._place(at + 1)
        place = self.words.village.places[found[0]] if found else None
        if place and place.preposition != preposition:
            raise ungrammatical(
                f"'{preposition} the {place.name}' should be "
                f"'{place.preposition} the {place.name}'"
            )
        return found

    def _song(self, at: int) -> tuple[tuple, int] | None:
        end = at + TUNE_LENGTH
        for place in range(at, end):
            if self.tokens[place] not in SYLLABLES:
                return self.miss(place, "a syllable")
        return tuple(self.tokens[at:end]), end

    def _list(self, at: int, has_people: bool = True) -> tuple[list, int] | None:
        """Read "Tom", "Tom and the lamp", "Tom, Mia and the lamp"."""
        items: list[tuple[str, Any]] = []
        is_last = False
        while True:
            is_person = has_people and self.tokens[at] != "the"
            found = self._person(at) if is_person else self._thing(at)
            if found is None:
                return None
            items.append(("NAME" if is_person else "THING", found[0]))
            at = found[1]
            if is_last or self.tokens[at] not in (",", "and"):
                break
            is_last = self.tokens[at] == "and"
            at += 1
        is_whole = is_last or len(items) == 1
        return (items, at) if is_whole else self.miss(at, "'and'")

    def _cause(self, at: int) -> tuple[Clause, int] | None:
        found = (self.form(form, at) for form in _CAUSE_FORMS)
        return next((cause for cause in found if cause), None)

    def miss(self, at: int, expected: str) -> None:
        """Note what was expected at a place, if no reading came further."""
        if at > self.furthest:
            self.furthest, self.expected = at, []
        if at == self.furthest and expected not in self.expected:
            self.expected.append(expected)

    def _failure(self) -> Wrong:
        at = self.furthest
        is_end = self.tokens[at] in (".", "?", "")
        found = "the end" if is_end else f"'{self.shown[at]}'"
        if at == 0:
            return ungrammatical(f"no sentence begins with {found}")
        before = _joined(self.shown[max(0, at - 4) : at])
        expected = ["the end" if one == "'.'" else one for one in self.expected]
        if len(expected) > 3:
            return ungrammatical(f"after '{before}' cannot come {found}")
        return ungrammatical(
            f"after '{before}' should come {' or '.join(expected)}, not {found}"
        )


_SLOTS = {
    "WHO": Reading._who,
    "WHOM": Reading._whom,
    "NEWCOMER": Reading._person,
    "THING": Reading._thing,
    "NOUN": Reading._noun,
    "PLACE": Reading._place,
    "WITHIN": Reading._within,
    "SONG": Reading._song,
    "BE": lambda reading, at: reading._one_of(at, ("is", "are"), "'is' or 'are'"),
    "LIST": Reading._list,
    "THINGS": lambda reading, at: reading._list(at, has_people=False),
    "CAUSE": Reading._cause,
    "COLOUR": lambda reading, at: reading._one_of(at, COLOURS, "a colour"),
    "MOOD": lambda reading, at: reading._one_of(at, SENTIMENTS, "a mood"),
    "WEATHER": lambda reading, at: reading._one_of(at, WEATHERS, "a weather"),
}
