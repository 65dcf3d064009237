"""Is a story grammatical, and is it true? Judged sentence by sentence, on any text.

`check` has a grammar of its own (the templates below) and rules of its own for what may
happen, and shares with the teller of stories (`telling`) no more than the village and
its state. So the two prove each other: what one tells, the other must find true.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

from llmbook_utils.tinyworld.village import COLOURS, VILLAGES
from llmbook_utils.tinyworld.world import (
    BAD_WEATHERS,
    SENTIMENTS,
    SYLLABLES,
    TUNE_LENGTH,
    WEATHERS,
    Event,
    World,
)

# -- the grammar: capitals are slots, all else stands in the text as it stands here ----

_STATEMENTS = {
    "weather": "it is a WEATHER day",
    "turn": "the day turns WEATHER",
    "end": "the end",
    "person": "NEWCOMER is WITHIN",
    "lies": "there is a COLOUR NOUN WITHIN",
    "owns": "WHO has a COLOUR NOUN",
}

# what follows the subject; those of the first group may be joined by "and"
_JOINED = {
    "move": "walks from PLACE to PLACE|runs from PLACE to PLACE",
    "follow": "follows WHOM to PLACE",
    "take": "takes THING|picks up THING",
    "drop": "drops THING|puts THING down WITHIN",
    "give": "gives THING to WHOM",
    "paint": "paints THING COLOUR",
    "break": "breaks THING",
    "mend": "mends THING",
}
_SINGLE = {
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
_SEES = "where WHO sees LIST"
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
_EXPLAINS = {
    "happy": ("has", "friend"),
    "proud": ("has",),
    "glad": ("friend", "weather"),
    "sad": ("missing", "alone", "broken"),
    "angry": ("envy",),
    "worried": ("missing", "weather"),
}
_FAIR = {"glad": ("sunny",), "worried": BAD_WEATHERS}
_PRONOUNS = {"he": "m", "she": "f", "him": "m", "her": "f"}


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
_JOINED_FORMS = _by_first_word(_JOINED)
_DEED_FORMS = _by_first_word(_JOINED | _SINGLE)
_SEE_FORMS = _by_first_word({"see": _SEES})
_CAUSE_FORMS = _forms(_CAUSES)
_QUESTION_FORMS = _forms(_QUESTIONS, "?")
_ANSWER_FORMS = {kind: _forms({kind: t}, ".") for kind, t in _ANSWERS.items()}


class _Wrong(Exception):
    """What is wrong with a sentence: its status, and the reason."""


def _ungrammatical(reason: str) -> _Wrong:
    return _Wrong("ungrammatical", reason)


def _need(is_so: bool, reason: str) -> None:
    """Raise that a sentence is untrue, unless it is so."""
    if not is_so:
        raise _Wrong("untrue", reason)


class _Words:
    """The words of a village, by what they mean."""

    def __init__(self, village: str) -> None:
        self.village = VILLAGES[village]
        people, things = self.village.people, self.village.things
        self.people = {one.name: i for i, one in enumerate(people)}
        self.places = {place.name: i for i, place in enumerate(self.village.places)}
        self.nouns = {thing.name: i for i, thing in enumerate(things)}
        tables = (_STATEMENTS, _JOINED, _SINGLE, _CAUSES, _QUESTIONS, _ANSWERS)
        templates = [_SEES, *(t for table in tables for t in table.values())]
        items = {item for t in templates for item in t.replace("|", " ").split()}
        self.known = {item for item in items if not item.isupper()}
        self.known |= {*COLOURS, *SENTIMENTS, *WEATHERS, *SYLLABLES, *_PRONOUNS}
        self.known |= {*self.people, *self.places, *self.nouns}
        self.known |= {"in", "on", "at", "it", "that", "then", "and", ".", ",", "?"}


_words = cache(_Words)


class _Clause(NamedTuple):
    """One statement: its kind, the words of its verb, and what stands in its slots."""

    kind: str
    verb: str
    values: list[tuple[str, Any]]


class _Sentence(NamedTuple):
    """What a sentence says, before anything is known about the world."""

    kind: str  # of _STATEMENTS, "deeds" or "question"
    clauses: list[_Clause]
    subject: str = ""


def _joined(tokens: list[str]) -> str:
    """Write tokens as a text."""
    return re.sub(r" (?=[.,:?])", "", " ".join(tokens))


class _Reading:
    """Reads one sentence by the templates, and notes how far it came.

    Parameters
    ----------
    words : _Words
        Of the village.
    text : str
        One sentence, or a question with its answer.
    """

    def __init__(self, words: _Words, text: str) -> None:
        self.words = words
        self.shown = re.findall(r"\w+|[^\w\s]", text)
        for token in self.shown:
            if token not in words.known and token.lower() not in words.known:
                raise _ungrammatical(f"no such word: '{token}'")
        if _joined(self.shown) != text:
            raise _ungrammatical("a space is missing, or there is one too many")
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
                    raise _ungrammatical(f"'{token}' should have a {right} letter")
            begins = token == "?"
        return tokens

    def sentence(self) -> _Sentence:
        """Read the whole."""
        if "?" in self.tokens:
            return self._question()
        if self.tokens[0] == "then":
            return self._deeds(1)
        if self.tokens[:3] == ["that", "day", ","]:
            return self._deeds(3)
        for form in _STATEMENT_FORMS:
            found = self.form(form, 0)
            if found:
                return _Sentence(form.kind, [found[0]])
        return self._deeds(0)

    def _question(self) -> _Sentence:
        for form in _QUESTION_FORMS:
            found = self.form(form, 0)
            if not found:
                continue
            question, at = found
            words = _joined(self.shown[:at])
            for answer_form in _ANSWER_FORMS[question.kind]:
                answer = self.form(answer_form, at)
                if answer:
                    return _Sentence("question", [question, answer[0]])
            for answer_form in sum(_ANSWER_FORMS.values(), ()):
                _need(
                    not self.form(answer_form, at),
                    f"'{words}' is not answered by '{_joined(self.shown[at:])}'",
                )
        raise self._failure()

    def _deeds(self, at: int) -> _Sentence:
        """Read a subject with what it does."""
        subject = self._who(at)
        if subject is None:
            raise self._failure()
        first, at = self._deed(at + 1, _DEED_FORMS)
        clauses = [first]
        if first.kind in _JOINED and self.tokens[at] == "and":
            second, at = self._deed(at + 1, _JOINED_FORMS)
            clauses.append(second)
        elif first.kind in ("move", "follow") and self.tokens[at] == ",":
            second, at = self._deed(at + 1, _SEE_FORMS)
            clauses.append(second)
        if self.tokens[at] != ".":
            self.miss(at, "the end")
            raise self._failure()
        return _Sentence("deeds", clauses, subject[0])

    def _deed(self, at: int, forms: dict) -> tuple[_Clause, int]:
        for form in forms.get(self.tokens[at], ()):
            found = self.form(form, at)
            if found:
                return found
        self.miss(at, "'where'" if forms is _SEE_FORMS else "a verb")
        raise self._failure()

    def form(self, form: _Form, start: int) -> tuple[_Clause, int] | None:
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
        return _Clause(form.kind, verb, values), at

    # -- slots: each returns what stands there and the place behind it, or None --------

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
            raise _ungrammatical(
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

    def _cause(self, at: int) -> tuple[_Clause, int] | None:
        found = (self.form(form, at) for form in _CAUSE_FORMS)
        return next((cause for cause in found if cause), None)

    # -- what to say when nothing fits -------------------------------------------------

    def miss(self, at: int, expected: str) -> None:
        """Note what was expected at a place, if no reading came further."""
        if at > self.furthest:
            self.furthest, self.expected = at, []
        if at == self.furthest and expected not in self.expected:
            self.expected.append(expected)

    def _failure(self) -> _Wrong:
        at = self.furthest
        is_end = self.tokens[at] in (".", "?", "")
        found = "the end" if is_end else f"'{self.shown[at]}'"
        if at == 0:
            return _ungrammatical(f"no sentence begins with {found}")
        before = _joined(self.shown[max(0, at - 4) : at])
        expected = ["the end" if one == "'.'" else one for one in self.expected]
        if len(expected) > 3:
            return _ungrammatical(f"after '{before}' cannot come {found}")
        return _ungrammatical(
            f"after '{before}' should come {' or '.join(expected)}, not {found}"
        )


_SLOTS = {
    "WHO": _Reading._who,
    "WHOM": _Reading._whom,
    "NEWCOMER": _Reading._person,
    "THING": _Reading._thing,
    "NOUN": _Reading._noun,
    "PLACE": _Reading._place,
    "WITHIN": _Reading._within,
    "SONG": _Reading._song,
    "LIST": _Reading._list,
    "THINGS": lambda reading, at: reading._list(at, has_people=False),
    "CAUSE": _Reading._cause,
    "COLOUR": lambda reading, at: reading._one_of(at, COLOURS, "a colour"),
    "MOOD": lambda reading, at: reading._one_of(at, SENTIMENTS, "a mood"),
    "WEATHER": lambda reading, at: reading._one_of(at, WEATHERS, "a weather"),
}


# -- the rules: what is so in the world, and what can happen in it ---------------------


class _Judge:
    """Holds the world as the sentences so far have left it, and judges the next.

    Parameters
    ----------
    words : _Words
        Of the village.
    """

    def __init__(self, words: _Words) -> None:
        self.words = words
        self.world = World(words.village)
        self.stage = "setting"  # then "day", then "end"
        self.problems: list[str] = []  # of the story as a whole
        self.text = ""
        self.events: list[Event] = []
        self.said: list[int] = []  # people that this sentence has mentioned
        self.touched: list[int] = []  # objects that it has mentioned
        # people and objects that the sentence before has mentioned
        self.before: tuple[list[int], list[int]] = ([], [])

    def judge(self, text: str, is_first: bool) -> tuple[Event, ...]:
        """Judge a sentence and let it happen; raise `_Wrong` if it cannot."""
        self.text, self.events, self.said, self.touched = text, [], [], []
        saved = self.world
        try:
            self._begin(text, is_first)
            if text.endswith("?"):
                raise _ungrammatical(f"'{text}' is not answered")
            if text[-1] != ".":
                last = " ".join(text.split()[-3:])
                raise _ungrammatical(f"it breaks off after '{last}'")
            sentence = _Reading(self.words, text).sentence()
            if len(sentence.clauses) > 1:
                self.world = self.world.copy()
            self._sentence(sentence)
        except _Wrong:
            self.world = saved
            raise
        finally:
            self._remember()
        return tuple(self.events)

    def _remember(self) -> None:
        """Keep whom and what the next sentence may mean by a pronoun."""
        self.before = ([], [])
        if "?" not in self.text:
            numbers = map(self.words.people.get, re.findall(r"\w+", self.text))
            people = self.world.people
            named = [people.index(n) for n in numbers if n in people]
            self.before = (named + self.said, self.touched)

    def happen(self, *fields: Any, **named: Any) -> None:
        """Make an event happen and keep it."""
        event = Event(*fields, **named)
        self.world.apply(event)
        self.events.append(event)

    def _begin(self, text: str, is_first: bool) -> None:
        """See that the story begins, that its day begins once, and that it ends."""
        if self.stage == "end":
            raise _ungrammatical("it comes after 'The end.'")
        if is_first != text.startswith("It is a "):
            if not is_first:
                raise _ungrammatical("only the first sentence says 'It is a ... day.'")
            self.problems.append("the story does not begin with 'It is a ... day.'")
        if text.startswith("That day,"):
            if self.stage == "day":
                raise _ungrammatical("'That day,' comes a second time")
            self.stage = "day"

    def _sentence(self, sentence: _Sentence) -> None:
        kind = sentence.kind
        if self.stage == "setting" and kind in ("deeds", "question", "turn", "end"):
            self.problems.append("the setting does not end with 'That day,'")
            self.stage = "day"
        if kind == "deeds":
            self._deeds(sentence)
        elif kind == "question":
            self._question(*sentence.clauses)
        elif kind == "end":
            self.stage = "end"
        else:
            _STATEMENT_RULES[kind](self, *self.resolve(sentence.clauses[0]))

    # -- whom and what the words mean --------------------------------------------------

    def name(self, who: int) -> str:
        return self.words.village.people[self.world.people[who]].name

    def within(self, where: int) -> str:
        place = self.words.village.places[where]
        return f"{place.preposition} the {place.name}"

    def place(self, where: int) -> str:
        return f"the {self.words.village.places[where].name}"

    def noun(self, what: int) -> str:
        return self.words.village.things[self.world.things[what]].name

    def thing(self, what: int) -> str:
        """The shortest clear name of an object."""
        if self.world.is_unique(what):
            return f"the {self.noun(what)}"
        return f"the {self.world.colour[what]} {self.noun(what)}"

    def listed(self, people: Sequence[int], things: Sequence[int]) -> str:
        *first, last = [*map(self.name, people), *map(self.thing, things)]
        return f"{', '.join(first)} and {last}" if first else last

    def resolve(self, clause: _Clause, subject: int | None = None) -> list[Any]:
        """Put numbers of people and objects for their names and pronouns, in order."""
        return self._resolve_all(clause.values, subject)

    def _resolve_all(
        self, values: list[tuple[str, Any]], subject: int | None = None
    ) -> list[Any]:
        return [
            self._person(value, subject if slot == "WHOM" else None)
            if slot in ("WHO", "WHOM", "NAME")
            else self._object(*value)
            if slot == "THING"
            else value
            for slot, value in values
        ]

    def _person(self, word: str, other: int | None = None) -> int:
        """Find who is meant; a pronoun does not mean the `other`."""
        number = self.words.people.get(word)
        if number is None:
            who = self._antecedent(word, other)
        else:
            people = self.world.people
            _need(number in people, f"nobody called {word} is in this story")
            who = people.index(number)
        self.said.append(who)
        return who

    def _antecedent(self, word: str, other: int | None) -> int:
        gender = _PRONOUNS[word.lower()]
        for among in (self.said, self.before[0]):
            meant = {one for one in among if self._gender(one) == gender} - {other}
            if len(meant) == 1:
                return meant.pop()
            if meant:
                break
        raise _ungrammatical(f"'{word}' has no clear antecedent")

    def _gender(self, who: int) -> str:
        return self.words.village.people[self.world.people[who]].gender

    def _subject(self, word: str, who: int) -> int:
        """Find who is meant where a pronoun means the subject, if it can."""
        is_subject = _PRONOUNS.get(word) == self._gender(who)
        return self._person(self.name(who) if is_subject else word)

    def _object(self, colour: str | None, thing: int | None) -> int:
        if thing is None:
            meant = set(self.touched or self.before[1])
            if len(meant) != 1:
                raise _ungrammatical("'it' has no clear antecedent")
            what = meant.pop()
        else:
            what = self._named_object(colour, thing)
        self.touched.append(what)
        return what

    def _named_object(self, colour: str | None, thing: int) -> int:
        world, noun = self.world, self.words.village.things[thing].name
        same = [what for what, number in enumerate(world.things) if number == thing]
        meant = [what for what in same if colour in (None, world.colour[what])]
        if len(meant) == 1:
            return meant[0]
        if meant:
            names = " or ".join(map(self.thing, meant))
            raise _ungrammatical(f"'the {noun}' is not clear: {names}?")
        if len(same) == 1:
            _need(False, f"the {noun} is {world.colour[same[0]]}, not {colour}")
        name = f"{colour} {noun}" if same else noun
        raise _Wrong("untrue", f"there is no {name} in this story")

    # -- the setting and the weather ---------------------------------------------------

    def _is_weather(self, weather: str) -> None:
        self.happen("weather", value=weather)

    def _turns(self, weather: str) -> None:
        now = self.world.weather
        _need(weather != now, f"the day turns {weather}, but it is {now} already")
        self.happen("weather", value=weather)

    def _is_in(self, name: str, where: int) -> None:
        number = self.words.people[name]
        if number in self.world.people:
            if self.stage == "day":
                raise _ungrammatical("only the setting tells where people are")
            raise _Wrong("untrue", f"{name} is in this story already")
        self._too_late(name)
        who = len(self.world.people)
        self.happen("person", who, where=where, value=number)

    def _lies(self, colour: str, thing: int, where: int) -> None:
        self._bring(colour, thing, None, where)

    def _owns(self, owner: int, colour: str, thing: int) -> None:
        self._bring(colour, thing, owner, None)

    def _bring(
        self, colour: str, thing: int, owner: int | None, where: int | None
    ) -> None:
        name = f"a {colour} {self.words.village.things[thing].name}"
        self._too_late(name)
        _need(self._is_free(thing, colour), f"there is {name} already")
        self.happen("object", owner, where=where, value=(thing, colour))
        self.touched.append(len(self.world.things) - 1)

    def _too_late(self, newcomer: str) -> None:
        if self.stage == "day":
            raise _ungrammatical(f"{newcomer} is brought in after 'That day,'")

    def _is_free(self, thing: int, colour: str) -> bool:
        """Tell whether no object has this noun and this colour."""
        world = self.world
        return (thing, colour) not in zip(world.things, world.colour, strict=True)

    # -- deeds -------------------------------------------------------------------------

    def _deeds(self, sentence: _Sentence) -> None:
        who = self._person(sentence.subject)
        name = self.name(who)
        for clause in sentence.clauses:
            is_awake = clause.kind == "wake" or not self.world.is_asleep[who]
            _need(is_awake, f"{name} is asleep")
            _DEED_RULES[clause.kind](self, who, f"{name} {clause.verb}", clause)

    def _whereabouts(self, what: int) -> str:
        holder = self.world.holder[what]
        if holder is None:
            return f"it is {self.within(self.world.lies[what])}"
        return f"{self.name(holder)} holds it"

    def _here(self, who: int) -> str:
        return f"{self.name(who)} is {self.within(self.world.at[who])}"

    def _need_held(self, who: int, what: int, said: str) -> None:
        truth = f"{said} {self.thing(what)}, but {self._whereabouts(what)}"
        _need(self.world.holder[what] == who, truth)

    def _need_near(self, who: int, whom: int, said: str) -> None:
        """The other has to be somebody else, at the same place and awake."""
        _need(who != whom, f"{said}, and that is the same person")
        is_here = whom in self.world.company(who)
        _need(is_here, f"{said}, but {self._here(whom)} and {self._here(who)}")
        is_awake = not self.world.is_asleep[whom]
        _need(is_awake, f"{said}, but {self.name(whom)} is asleep")

    def _move(self, who: int, said: str, clause: _Clause) -> None:
        origin, target = self.resolve(clause)
        here = self.world.at[who]
        _need(
            origin == here, f"{said} from {self.place(origin)}, but {self._here(who)}"
        )
        _need(target != here, f"{said} to {self.place(target)}, but is there already")
        self.happen("move", who, where=target, value=here)

    def _follow(self, who: int, said: str, clause: _Clause) -> None:
        whom, where = self.resolve(clause, who)
        here, there = self.world.at[who], self.world.at[whom]
        said = f"{said} {self.name(whom)}"
        _need(who != whom, f"{said}, and that is the same person")
        _need(there != here, f"{said}, but both are {self.within(here)}")
        _need(
            self.world.came_from[whom] == here,
            f"{said}, but {self.name(whom)} did not come from {self.place(here)}",
        )
        _need(where == there, f"{said} to {self.place(where)}, but {self._here(whom)}")
        self.happen("follow", who, whom=whom, where=where)

    def _take(self, who: int, said: str, clause: _Clause) -> None:
        (what,) = self.resolve(clause)
        truth = self._whereabouts(what)
        if self.world.lies[what] is not None:
            truth += f" and {self._here(who)}"
        is_here = self.world.lies[what] == self.world.at[who]
        _need(is_here, f"{said} {self.thing(what)}, but {truth}")
        self.happen("take", who, what)

    def _drop(self, who: int, said: str, clause: _Clause) -> None:
        what, *where = self.resolve(clause)
        self._need_held(who, what, said)
        if where:
            said = f"{said} {self.thing(what)} down {self.within(where[0])}"
            is_here = where[0] == self.world.at[who]
            _need(is_here, f"{said}, but {self._here(who)}")
        self.happen("drop", who, what, where=where[0] if where else None)

    def _give(self, who: int, said: str, clause: _Clause) -> None:
        what, whom = self.resolve(clause, who)
        self._need_held(who, what, said)
        self._need_near(who, whom, f"{said} {self.thing(what)} to {self.name(whom)}")
        self.happen("give", who, what, whom)

    def _swap(self, who: int, said: str, clause: _Clause) -> None:
        what, whom, other = self.resolve(clause, who)
        self._need_held(who, what, said)
        said = f"{said} {self.thing(what)} with {self.name(whom)}"
        self._need_near(who, whom, said)
        self._need_held(whom, other, f"{said} for")
        self.happen("swap", who, what, whom, value=other)

    def _paint(self, who: int, said: str, clause: _Clause) -> None:
        what, colour = self.resolve(clause)
        self._need_held(who, what, said)
        said = f"{said} {self.thing(what)} {colour}"
        is_new = colour != self.world.colour[what]
        _need(is_new, f"{said}, but it is {colour} already")
        _need(
            self._is_free(self.world.things[what], colour),
            f"{said}, but there is a {colour} {self.noun(what)} already",
        )
        self.happen("paint", who, what, value=colour)

    def _break(self, who: int, said: str, clause: _Clause) -> None:
        (what,) = self.resolve(clause)
        self._need_held(who, what, said)
        said = f"{said} {self.thing(what)}"
        thing = self.words.village.things[self.world.things[what]]
        _need(thing.is_fragile, f"{said}, but a {thing.name} cannot break")
        is_whole = not self.world.is_broken[what]
        _need(is_whole, f"{said}, but it is broken already")
        self.happen("break", who, what)

    def _mend(self, who: int, said: str, clause: _Clause) -> None:
        (what,) = self.resolve(clause)
        self._need_held(who, what, said)
        is_broken = self.world.is_broken[what]
        _need(is_broken, f"{said} {self.thing(what)}, but it is not broken")
        self.happen("mend", who, what)

    def _see(self, who: int, said: str, clause: _Clause) -> None:
        """Judge what somebody sees on arrival: all who are there, and all that lies."""
        world, said = self.world, f"{self.name(who)} sees"
        (_, word), (_, items) = clause.values
        already = set(self.said)
        seer = self._subject(word, who)
        _need(seer == who, f"{self.name(who)} arrives, but {self.name(seer)} sees")
        numbers = self._resolve_all(items)
        split = sum(slot == "NAME" for slot, _ in items)
        pairs = sorted(zip([slot for slot, _ in items], numbers, strict=True))
        people = [number for _, number in pairs[:split]]
        things = [number for _, number in pairs[split:]]
        company, lying = world.company(who), world.lying(world.at[who])
        for one in people:
            _need(one in company, f"{said} {self.name(one)}, but {self._here(one)}")
        for what in things:
            truth = f"{self.thing(what)}, but {self._whereabouts(what)}"
            _need(what in lying, f"{said} {truth}")
        if len(set(pairs)) < len(pairs):
            raise _ungrammatical(f"{said} the same twice")
        missed = [one for one in company if one not in {*people, *already}]
        unseen = [what for what in lying if what not in things]
        if missed or unseen:
            told, rest = self.listed(people, things), self.listed(missed, unseen)
            verb = "are" if " and " in rest else "is"
            _need(False, f"{said} {told}, but {rest} {verb} there too")
        self.happen("see", who, value=(tuple(people), tuple(things)))

    # -- looking for, asking -----------------------------------------------------------

    def _need_same(self, what: int, other: int, said: str) -> None:
        _need(what == other, f"{said}, but then it is about {self.thing(other)}")

    def _need_not_own(self, who: int, what: int, said: str) -> None:
        _need(self.world.holder[what] != who, f"{said}, but {self.name(who)} holds it")

    def _find(self, who: int, said: str, clause: _Clause) -> None:
        what, found = self.resolve(clause)
        said = f"{said} for {self.thing(what)}"
        self._need_not_own(who, what, said)
        self._need_same(what, found, said)
        is_found = self.world.outcome(who, what) == "found"
        truth = f"{said} and finds it, but {self._whereabouts(what)}"
        _need(is_found, truth)
        self.happen("look", who, what, value="found")

    def _miss(self, who: int, said: str, clause: _Clause) -> None:
        what, missed, where = self.resolve(clause)
        said = f"{said} for {self.thing(what)}"
        self._need_not_own(who, what, said)
        self._need_same(what, missed, said)
        is_here = where == self.world.at[who]
        _need(is_here, f"{said} {self.within(where)}, but {self._here(who)}")
        is_missing = self.world.outcome(who, what) == "missing"
        _need(is_missing, f"{said} in vain, but {self._whereabouts(what)}")
        self.happen("look", who, what, where=where, value="missing")

    def _late(self, who: int, said: str, clause: _Clause) -> None:
        what, holder, missed = self.resolve(clause)
        said = f"{said} for {self.thing(what)}"
        self._need_not_own(who, what, said)
        self._need_same(what, missed, said)
        name = self.name(holder)
        has = self.world.holder[what] == holder
        _need(has, f"{said} and {name} has it, but {self._whereabouts(what)}")
        is_here = holder in self.world.company(who)
        _need(is_here, f"{said} and sees {name} with it, but {self._here(holder)}")
        self.happen("look", who, what, value=holder)

    def _ask_holder(self, who: int, said: str, clause: _Clause) -> None:
        whom, what, speaker, holder, other = self.resolve(clause, who)
        words = f"{self.name(holder)} has it"
        self._ask(who, said, (whom, what, speaker, other), ("held", holder), words)

    def _ask_place(self, who: int, said: str, clause: _Clause) -> None:
        whom, what, speaker, other, where = self.resolve(clause, who)
        words = f"it is {self.within(where)}"
        self._ask(who, said, (whom, what, speaker, other), ("lies", where), words)

    def _ask(self, who: int, said: str, told: tuple, claim: tuple, words: str) -> None:
        whom, what, speaker, other = told
        name, thing = self.name(whom), self.thing(what)
        self._need_near(who, whom, f"{said} {name}")
        said = f"{said} {name} where {thing} is"
        self._need_not_own(who, what, said)
        _need(speaker == whom, f"{said}, but {self.name(speaker)} answers")
        self._need_same(what, other, said)
        truth = f"of {thing} that {words}, but {self._whereabouts(what)}"
        _need(claim == self.world.location(what), f"{name} says {truth}")
        self.happen("ask", who, what, whom, value=claim)

    # -- moods, songs, sleep -----------------------------------------------------------

    def _feel(self, who: int, said: str, clause: _Clause) -> None:
        (_, mood), (_, why) = clause.values
        cause = self._cause(who, why)
        words = self._cause_words(who, cause)
        allowed = _FAIR.get(mood, ()) if cause[0] == "weather" else cause
        explains = cause[0] in _EXPLAINS[mood] and cause[-1] in allowed
        _need(explains, f"that {words} is no reason to be {mood}")
        holds = self._holds(who, cause)
        _need(holds, f"{said} {mood} because {words}, but that is not so")
        self.happen("feel", who, value=(mood, cause))

    def _cause(self, who: int, clause: _Clause) -> tuple:
        """Return a cause as the world notes it."""
        if clause.kind in ("friend", "alone"):
            *first, (_, word) = clause.values
            values = [*self._resolve_all(first), self._subject(word, who)]
        else:
            values = self.resolve(clause)
        match clause.kind:
            case "has":
                holder, what = values
                return ("has", what) if holder == who else ("envy", holder, what)
            case "broken" | "weather":
                return (clause.kind, values[0])
            case "missing":
                about, *rest = values
            case _:
                *rest, about = values
        words = f"the mood is {self.name(who)}'s, the cause {self.name(about)}'s"
        _need(about == who, words)
        return (clause.kind, *rest)

    def _holds(self, who: int, cause: tuple) -> bool:
        """Tell whether a cause is so, now."""
        world = self.world
        match cause:
            case ("has", what):
                return world.holder[what] == who
            case ("envy", holder, what):
                return world.holder[what] == holder and holder in world.company(who)
            case ("friend", one):
                return one in world.company(who)
            case ("alone",):
                return not world.company(who)
            case ("missing", what):
                is_lost = world.outcome(who, what) == "missing"
                return is_lost and world.missing[who] == what
            case ("broken", what):
                return world.holder[what] == who and world.is_broken[what]
        return world.weather == cause[1]

    def _cause_words(self, who: int, cause: tuple) -> str:
        name = self.name(who)
        match cause:
            case ("has", what):
                return f"{name} has {self.thing(what)}"
            case ("envy", holder, what):
                return f"{self.name(holder)} has {self.thing(what)}"
            case ("friend", one):
                return f"{self.name(one)} is with {name}"
            case ("alone",):
                return f"nobody is with {name}"
            case ("missing", what):
                return f"{name} cannot find {self.thing(what)}"
            case ("broken", what):
                return f"{self.thing(what)} is broken"
        return f"the day is {cause[1]}"

    def _compose(self, who: int, said: str, clause: _Clause) -> None:
        (song,) = self.resolve(clause)
        is_new = song not in self.world.tune
        _need(is_new, f"the song '{' '.join(song)}' is not new")
        self.happen("sing", who, value=song)

    def _repeat(self, who: int, said: str, clause: _Clause) -> None:
        (song,) = self.resolve(clause)
        self._sing(who, who, song)

    def _copy(self, who: int, said: str, clause: _Clause) -> None:
        singer, song = self.resolve(clause, who)
        self._need_near(who, singer, f"{said} the song of {self.name(singer)}")
        self._sing(who, singer, song)

    def _sing(self, who: int, singer: int, song: tuple[str, ...]) -> None:
        tune, name = self.world.tune[singer], self.name(singer)
        _need(tune is not None, f"{name} has not sung before")
        right, wrong = " ".join(tune), " ".join(song)
        _need(tune == song, f"the song of {name} is '{right}', not '{wrong}'")
        self.happen("sing", who, whom=singer, value=song)

    def _sleep(self, who: int, said: str, clause: _Clause) -> None:
        (where,) = self.resolve(clause)
        is_here = where == self.world.at[who]
        truth = f"{said} asleep {self.within(where)}, but {self._here(who)}"
        _need(is_here, truth)
        self.happen("sleep", who, where=where)

    def _wake(self, who: int, said: str, clause: _Clause) -> None:
        _need(self.world.is_asleep[who], f"{said} up, but is not asleep")
        self.happen("wake", who)

    # -- questions ---------------------------------------------------------------------

    def _question(self, question: _Clause, answer: _Clause) -> None:
        kind, asked = question.kind, self.resolve(question)
        subject = asked[0] if asked else None
        words = self.text.partition("?")[0] + "?"
        if kind == "colour" and question.values[0][1][0]:
            raise _ungrammatical(f"'{words}' says the colour that it asks for")
        truth = self.world.answer(kind, subject)
        _need(truth is not None or kind == "who_has", f"nobody knows: '{words}'")
        if kind == "why":
            name, mood = self.name(subject), truth[0]
            _need(asked[1] == mood, f"'{words}', but {name} is {mood}")
        about, claim = self._claim(kind, answer)
        called = self._called(kind, about)
        _need(about == subject, f"'{words}' is answered about {called}")
        told = f"'{words}' is answered '{self._phrase(kind, subject, claim)}', but"
        _need(claim == truth, f"{told} {self._fact(kind, subject, truth)}")
        if kind == "why":
            _need(self._holds(subject, truth[1]), f"{told} that is so no more")
        self.happen("question", value=(kind, subject, truth))

    def _claim(self, kind: str, answer: _Clause) -> tuple[Any, Any]:
        """Return whom or what an answer is about, and what it says."""
        if kind == "why":
            (_, word), (_, mood), (_, cause) = answer.values
            who = self._person(word)
            return who, (mood, self._cause(who, cause))
        values = self.resolve(answer)
        match kind:
            case "what_has":
                things = self._resolve_all(values[1]) if len(values) > 1 else []
                if len(set(things)) < len(things):
                    raise _ungrammatical("the answer names the same object twice")
                return values[0], tuple(sorted(things))
            case "who_has":
                return values[-1], values[0] if len(values) > 1 else None
            case "where":
                return values[0], (values[1] if len(values) > 2 else None, values[-1])
            case "broken" | "asleep":
                return values[0], answer.verb == "yes"
            case "weather":
                return None, values[0]
        return tuple(values)

    def _called(self, kind: str, subject: int | None) -> str:
        if kind == "weather":
            return "the day"
        is_thing = kind in ("where", "who_has", "colour", "broken")
        return self.thing(subject) if is_thing else self.name(subject)

    def _phrase(self, kind: str, subject: Any, answer: Any) -> str:
        """The words of an answer that make the difference."""
        match kind:
            case "where_person":
                return self.within(answer)
            case "where":
                holder, where = answer
                held = "" if holder is None else f"with {self.name(holder)} "
                return f"{held}{self.within(where)}"
            case "who_has":
                return "nobody" if answer is None else self.name(answer)
            case "what_has":
                return self.listed([], answer) if answer else "nothing"
            case "why":
                mood, cause = answer
                return f"{mood} because {self._cause_words(subject, cause)}"
            case "song":
                return " ".join(answer)
            case "broken" | "asleep":
                return kind if answer else f"not {kind}"
        return answer

    def _fact(self, kind: str, subject: Any, answer: Any) -> str:
        phrase, called = (
            self._phrase(kind, subject, answer),
            self._called(kind, subject),
        )
        if kind == "who_has":
            return f"{phrase} has {called}"
        return f"{called} {_FACT_VERBS.get(kind, 'is')} {phrase}"


_FACT_VERBS = {"what_has": "has", "song": "sings"}
_STATEMENT_RULES = {
    "weather": _Judge._is_weather,
    "turn": _Judge._turns,
    "person": _Judge._is_in,
    "lies": _Judge._lies,
    "owns": _Judge._owns,
}
_DEED_RULES = {
    kind: getattr(_Judge, f"_{kind}") for kind in ("see", *_JOINED, *_SINGLE)
}


# -- the report ------------------------------------------------------------------------


class Verdict(NamedTuple):
    """What is to be said of one sentence; a question counts with its answer.

    Parameters
    ----------
    number : int
        From 1.
    text : str
        The sentence.
    status : str
        ``"true"``, ``"untrue"`` or ``"ungrammatical"``.
    reason : str
        Why it is not true, empty if it is.
    events : tuple of Event
        What happens in it; nothing unless it is true.
    """

    number: int
    text: str
    status: str
    reason: str
    events: tuple[Event, ...]


@dataclass(frozen=True)
class Report:
    """What `check` found out.

    Attributes
    ----------
    verdicts : tuple of Verdict
        One for each sentence.
    problems : tuple of str
        ``"sentence 7: Tom gives the lamp, but Mia holds it"``, and what is wrong with
        the story as a whole. Empty if all is well.
    """

    verdicts: tuple[Verdict, ...]
    problems: tuple[str, ...]

    @property
    def ok(self) -> bool:
        """Whether the text is a story, every sentence of which is true."""
        return not self.problems

    def __str__(self) -> str:
        count = f"{len(self.verdicts)} sentence{'s' * (len(self.verdicts) != 1)}"
        if self.ok:
            return f"a true story of {count}"
        return "\n".join([f"not a true story ({count}):", *self.problems])

    def __repr__(self) -> str:
        return f"<Report: {self}>"


def _sentences(text: str) -> list[str]:
    """Split a text into sentences; an answer stays with its question."""
    found: list[str] = []
    for line in text.split("\n"):
        is_asked = False
        for part in re.split(r"(?<=[.?])\s+", line.strip()):
            is_answer = is_asked and not part.endswith("?")
            if is_answer:
                found[-1] += f" {part}"
            elif part:
                found.append(part)
            is_asked = part.endswith("?")
    return found


def check(text: str, village: str = "home") -> Report:
    """Judge every sentence of a text: is it grammatical, and true where it stands?

    A sentence is true if what it tells can happen in the world as the sentences before
    it have left it, and if all that it states is so. A sentence that is untrue or
    ungrammatical does not change the world, and the rest is judged as if it were not
    there. What concerns only probability or style is no fault: the length of the story,
    a question asked twice, a name where a pronoun would be usual.

    Parameters
    ----------
    text : str
        A story, or what somebody takes for one.
    village : str
        Whose words the text has to use: ``"home"`` or ``"away"``.

    Returns
    -------
    Report
        Its `ok` says whether the text is a true story from its setting to "The end.".

    Raises
    ------
    TypeError
        If `text` or `village` is not a string.
    ValueError
        If there is no such village.

    Examples
    --------
    >>> print(check("It is a sunny day. Tom is in the barn. Tom has a red lamp. "
    ...             "There is a blue kite in the shed. That day, Tom takes the kite. "
    ...             "He is proud because he has the lamp.\\nThe end."))
    not a true story (7 sentences):
    sentence 5: Tom takes the kite, but it is in the shed and Tom is in the barn
    """
    if not isinstance(text, str):
        raise TypeError(f"text must be a string, got {type(text).__name__}")
    if not isinstance(village, str):
        raise TypeError(f"village must be a string, got {type(village).__name__}")
    if village not in VILLAGES:
        raise ValueError(
            f"village must be one of {', '.join(VILLAGES)}, got {village!r}"
        )
    judge = _Judge(_words(village))
    verdicts = []
    for number, sentence in enumerate(_sentences(text), start=1):
        try:
            events = judge.judge(sentence, number == 1)
            verdicts.append(Verdict(number, sentence, "true", "", events))
        except _Wrong as wrong:
            verdicts.append(Verdict(number, sentence, *wrong.args, ()))
    problems = [f"sentence {v.number}: {v.reason}" for v in verdicts if v.reason]
    problems += judge.problems
    if not verdicts:
        problems.append("the text is empty")
    elif judge.stage != "end":
        problems.append("the story does not end with 'The end.'")
    return Report(tuple(verdicts), tuple(problems))
