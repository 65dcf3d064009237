"""Is a story grammatical, and is it true? Judged sentence by sentence, on any text.

`check` has a grammar of its own (the templates below) and rules of its own for what may
happen, and shares with the teller of stories (`telling`) no more than the village and
its state. So the two prove each other: what one tells, the other must find true.
"""

from __future__ import annotations

import re
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

_SETTING = {
    "weather": "it is a WEATHER day",
    "person": "NAME is WITHIN",
    "lies": "there is a COLOUR NOUN WITHIN",
    "owns": "WHO has a COLOUR NOUN",
}
_TURN = "the day turns WEATHER"

# what follows the subject; those of the first group may be joined by "and"
_JOINED = {
    "move": "walks from PLACE to PLACE|runs from PLACE to PLACE",
    "follow": "follows WHOM to PLACE",
    "take": "takes THING|picks up THING",
    "drop": "drops THING",
    "put": "puts THING down WITHIN",
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
    "hear_who": "asks WHOM where THING is , and WHO says that WHO has THING",
    "hear_where": "asks WHOM where THING is , and WHO says that THING is WITHIN",
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
    "what_has": "WHO has nothing|WHO has LIST",
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
    """One way to say something: the template's items, after the words `verb`."""

    kind: str
    items: tuple[str, ...]


def _forms(table: dict[str, str]) -> tuple[_Form, ...]:
    return tuple(
        _Form(kind, tuple(template.split()))
        for kind, templates in table.items()
        for template in templates.split("|")
    )


def _by_first_word(table: dict[str, str]) -> dict[str, tuple[_Form, ...]]:
    forms = _forms(table)
    return {
        word: tuple(form for form in forms if form.items[0] == word)
        for word in {form.items[0] for form in forms}
    }


_SETTING_FORMS = _forms({k: f"{t} ." for k, t in _SETTING.items()})
_TURN_FORMS = _forms({"turn": f"{_TURN} .", "end": "the end ."})
_JOINED_FORMS = _by_first_word(_JOINED)
_DEED_FORMS = _by_first_word(_JOINED | _SINGLE)
_CAUSE_FORMS = _forms(_CAUSES)
_QUESTION_FORMS = _forms({k: f"{t} ?" for k, t in _QUESTIONS.items()})
_ANSWER_FORMS = {
    kind: _forms({kind: f"{templates} .".replace("|", " .|")})
    for kind, templates in _ANSWERS.items()
}
_SEES = tuple("where WHO sees LIST".split())


class _Wrong(Exception):
    """What is wrong with a sentence: its status, and the reason."""


def _ungrammatical(reason: str) -> _Wrong:
    return _Wrong("ungrammatical", reason)


def _untrue(reason: str) -> _Wrong:
    return _Wrong("untrue", reason)


class _Words:
    """The words of a village, by what they mean."""

    def __init__(self, name: str) -> None:
        village = VILLAGES[name]
        self.village = village
        self.people = {one.name: i for i, one in enumerate(village.people)}
        self.gender = [one.gender for one in village.people]
        self.places = {place.name: i for i, place in enumerate(village.places)}
        self.nouns = {thing.name: i for i, thing in enumerate(village.things)}
        templates = [_TURN, "that day then the end where sees and", *_SETTING.values()]
        for table in (_JOINED, _SINGLE, _CAUSES, _QUESTIONS, _ANSWERS):
            templates += table.values()
        known = set(" ".join(templates).replace("|", " ").split())
        known |= {place.preposition for place in village.places}
        known |= {*COLOURS, *SENTIMENTS, *WEATHERS, *SYLLABLES, *_PRONOUNS}
        known |= {"it", *self.places, *self.nouns}
        self.known = {word for word in known if not word.isupper()} | {".", "?"}
        self.known |= self.people.keys()


_words = cache(_Words)


class _Clause(NamedTuple):
    """One statement: its kind, the words of its verb, and what stands in its slots."""

    kind: str
    verb: str
    values: list[tuple[str, Any]]


class _Sentence(NamedTuple):
    """What a sentence says, before anything is known about the world."""

    kind: str  # of _SETTING, "turn", "end", "deeds" or "question"
    opening: str  # "that", "then" or ""
    clauses: list[_Clause]
    subject: str = ""


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
        self.shown = re.findall(r"[A-Za-z]+|[^\sA-Za-z]", text)
        self.tokens = self._lowered()
        spaced = re.sub(r" (?=[.,:?])", "", " ".join(self.shown))
        for token in self.tokens:
            if token not in words.known:
                raise _ungrammatical(f"no such word: {token!r}")
        if spaced != text:
            raise _ungrammatical("a space is missing, or there is one too many")
        self.tokens.append("")
        self.furthest, self.expected = 0, []

    def _lowered(self) -> list[str]:
        """Put the word that begins a sentence in lower case, unless it is a name."""
        tokens = self.shown.copy()
        begins = True
        for at, token in enumerate(tokens):
            if begins and token not in self.words.people:
                if token.islower():
                    raise _ungrammatical(f"{token!r} begins with a small letter")
                tokens[at] = token.lower()
            begins = token == "?"
        return tokens

    def sentence(self) -> _Sentence:
        """Read the whole."""
        if "?" in self.tokens:
            return self._question()
        at, opening = 0, ""
        if self.tokens[0] == "then":
            at, opening = 1, "then"
        elif self.tokens[:3] == ["that", "day", ","]:
            at, opening = 3, "that"
        else:
            for form in _TURN_FORMS + _SETTING_FORMS:
                found = self.form(form, 0)
                if found:
                    return _Sentence(form.kind, "", [found[0]])
        return self._deeds(at, opening)

    def _question(self) -> _Sentence:
        for form in _QUESTION_FORMS:
            found = self.form(form, 0)
            if not found:
                continue
            question, at = found
            if not self.tokens[at]:
                raise _ungrammatical(f"'{self.text(0, at)}' is not answered")
            for answer_form in _ANSWER_FORMS[question.kind]:
                answer = self.form(answer_form, at)
                if answer:
                    return _Sentence("question", "", [question, answer[0]])
            for answer_form in sum(_ANSWER_FORMS.values(), ()):
                if self.form(answer_form, at):
                    raise _untrue(
                        f"'{self.text(0, at)}' is not answered by "
                        f"'{self.text(at, len(self.shown) - 1)}'"
                    )
        raise self.failure()

    def _deeds(self, at: int, opening: str) -> _Sentence:
        """Read a subject with what it does."""
        subject = self._who(at)
        if subject is None:
            raise self.failure()
        first, at = self._deed(at + 1, _DEED_FORMS)
        clauses = [first]
        if first.kind in _JOINED and self.tokens[at] == "and":
            second, at = self._deed(at + 1, _JOINED_FORMS)
            clauses.append(second)
        elif first.kind in ("move", "follow") and self.tokens[at] == ",":
            found = self.form(_Form("see", _SEES), at + 1)
            if not found:
                raise self.failure()
            second, at = found
            clauses.append(second)
        if self.tokens[at] != ".":
            self.miss(at, "the end")
            raise self.failure()
        return _Sentence("deeds", opening, clauses, subject[0])

    def _deed(self, at: int, forms: dict) -> tuple[_Clause, int]:
        for form in forms.get(self.tokens[at], ()):
            found = self.form(form, at)
            if found:
                return found
        self.miss(at, "a verb")
        raise self.failure()

    def form(self, form: _Form, start: int) -> tuple[_Clause, int] | None:
        """Match a template; return its clause and the place behind it."""
        at, values, tokens = start, [], self.tokens
        for item in form.items:
            slot = _SLOTS.get(item)
            if slot is None:
                if tokens[at] != item:
                    self.miss(at, f"'{item}'")
                    return None
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

    def _who(self, at: int) -> tuple[str, int] | None:
        token = self.tokens[at]
        if token in self.words.people or token in ("he", "she"):
            return self.shown[at], at + 1
        return self.miss(at, "a person")

    def _whom(self, at: int) -> tuple[str, int] | None:
        token = self.tokens[at]
        if token in self.words.people or token in ("him", "her"):
            return token, at + 1
        return self.miss(at, "a person")

    def _name(self, at: int) -> tuple[str, int] | None:
        token = self.tokens[at]
        return (
            (token, at + 1) if token in self.words.people else self.miss(at, "a name")
        )

    def _thing(self, at: int) -> tuple[tuple, int] | None:
        if self.tokens[at] == "it":
            return ("it",), at + 1
        if self.tokens[at] != "the":
            return self.miss(at, "an object")
        colour, at = None, at + 1
        if self.tokens[at] in COLOURS:
            colour, at = self.tokens[at], at + 1
        noun = self.words.nouns.get(self.tokens[at])
        return self.miss(at, "an object") if noun is None else ((colour, noun), at + 1)

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
        if found and self.words.village.places[found[0]].preposition != preposition:
            right = self.words.village.places[found[0]]
            raise _ungrammatical(
                f"'{preposition} the {right.name}' should be "
                f"'{right.preposition} the {right.name}'"
            )
        return found

    def _one_of(self, at: int, words: Any, meaning: str) -> tuple[str, int] | None:
        token = self.tokens[at]
        return (token, at + 1) if token in words else self.miss(at, meaning)

    def _noun(self, at: int) -> tuple[int, int] | None:
        noun = self.words.nouns.get(self.tokens[at])
        return self.miss(at, "an object") if noun is None else (noun, at + 1)

    def _song(self, at: int) -> tuple[tuple, int] | None:
        for place in range(at, at + TUNE_LENGTH):
            if self.tokens[place] not in SYLLABLES:
                return self.miss(place, "a syllable")
        return tuple(self.tokens[at : at + TUNE_LENGTH]), at + TUNE_LENGTH

    def _list(self, at: int) -> tuple[list, int] | None:
        """Read "Tom", "Tom and the lamp", "Tom, Mia and the lamp"."""
        items: list[tuple[str, Any]] = []
        is_last = False
        while True:
            kind = "THING" if self.tokens[at] == "the" else "NAME"
            found = _SLOTS[kind](self, at)
            if found is None:
                return None
            items.append((kind, found[0]))
            at = found[1]
            if is_last or self.tokens[at] not in (",", "and"):
                break
            is_last = self.tokens[at] == "and"
            at += 1
        if len(items) > 1 and not is_last:
            return self.miss(at, "'and'")
        return items, at

    def _cause(self, at: int) -> tuple[_Clause, int] | None:
        for form in _CAUSE_FORMS:
            found = self.form(form, at)
            if found:
                return found
        return None

    # -- what to say when nothing fits -------------------------------------------------

    def text(self, start: int, end: int) -> str:
        words = " ".join(self.shown[start:end])
        return re.sub(r" (?=[.,:?])", "", words)

    def miss(self, at: int, expected: str) -> None:
        """Note what was expected at a place, if no reading came further."""
        if at > self.furthest:
            self.furthest, self.expected = at, []
        if at == self.furthest and expected not in self.expected:
            self.expected.append(expected)

    def failure(self) -> _Wrong:
        at = self.furthest
        is_end = at >= len(self.shown) or self.shown[at] in (".", "?")
        found = "the end" if is_end else f"'{self.shown[at]}'"
        if at == 0:
            return _ungrammatical(f"no sentence begins with {found}")
        before = self.text(max(0, at - 4), at)
        expected = ["the end" if one == "'.'" else one for one in self.expected]
        if len(expected) > 3:
            return _ungrammatical(f"after '{before}' cannot come {found}")
        return _ungrammatical(
            f"after '{before}' should come {' or '.join(expected)}, not {found}"
        )


_SLOTS = {
    "WHO": _Reading._who,
    "WHOM": _Reading._whom,
    "NAME": _Reading._name,
    "THING": _Reading._thing,
    "PLACE": _Reading._place,
    "WITHIN": _Reading._within,
    "NOUN": _Reading._noun,
    "SONG": _Reading._song,
    "LIST": _Reading._list,
    "CAUSE": _Reading._cause,
    "COLOUR": lambda r, at: r._one_of(at, COLOURS, "a colour"),
    "MOOD": lambda r, at: r._one_of(at, SENTIMENTS, "a mood"),
    "WEATHER": lambda r, at: r._one_of(at, WEATHERS, "a weather"),
}


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
        self.stage = "start"  # then "setting", "day", "end"
        self.said: list[int] = []  # people that this sentence has mentioned
        self.touched: list[int] = []  # objects that it has mentioned
        # of the sentence before: people by name, all people, objects
        self.before: tuple[list[int], list[int], list[int]] = ([], [], [])
        self.events: list[Event] = []

    def judge(self, text: str) -> tuple[Event, ...]:
        """Judge a sentence and let it happen; raise `_Wrong` if it is none."""
        self.said, self.touched, self.events = [], [], []
        saved = None
        try:
            if text[-1] != ".":
                raise _ungrammatical(self._breaks_off(text))
            if self.stage == "end":
                raise _ungrammatical("it comes after 'The end.'")
            sentence = _Reading(self.words, text).sentence()
            if len(sentence.clauses) > 1:
                saved = self._copy()
            self._sentence(sentence)
        except _Wrong:
            vars(self.world).update(saved or {})
            raise
        finally:
            self._remember(text)
        return tuple(self.events)

    @staticmethod
    def _breaks_off(text: str) -> str:
        if text.endswith("?"):
            return f"'{text}' is not answered"
        return f"it breaks off after '{' '.join(text.split()[-3:])}'"

    def _copy(self) -> dict:
        return {
            key: value.copy() if isinstance(value, list) else value
            for key, value in vars(self.world).items()
        }

    def _remember(self, text: str) -> None:
        """Keep whom the next sentence may mean by a pronoun."""
        if "?" in text or text.startswith(("It is a", "The day")):
            self.before = ([], [], [])
            return
        world, people = self.world, self.words.people
        numbers = [people[w] for w in re.findall(r"[A-Z]\w+", text) if w in people]
        named = [world.people.index(i) for i in numbers if i in world.people]
        self.before = (named, self.said, self.touched)

    def happen(self, *fields: Any, **named: Any) -> None:
        event = Event(*fields, **named)
        self.world.apply(event)
        self.events.append(event)

    def _sentence(self, sentence: _Sentence) -> None:
        clauses = sentence.clauses
        if sentence.kind in _SETTING:
            self._setting(clauses[0])
        elif sentence.kind == "end":
            if self.stage != "day":
                raise _ungrammatical("'The end.' comes before 'That day,'")
            self.stage = "end"
        else:
            self._begin(sentence.opening)
            if sentence.kind == "deeds":
                self._deeds(sentence)
            elif sentence.kind == "question":
                self._question(*clauses)
            else:
                self._turn(clauses[0])

    def _begin(self, opening: str) -> None:
        """Let the day begin with "That day,", and only once."""
        if self.stage == "day" and opening != "that":
            return
        if self.stage == "day":
            raise _ungrammatical("'That day,' comes a second time")
        stage, self.stage = self.stage, "day"
        self.before = ([], [], [])
        if opening != "that" or stage == "start":
            raise _ungrammatical("the setting has to come first, and then 'That day,'")

    # -- whom and what the words mean --------------------------------------------------

    def name(self, who: int) -> str:
        return self.words.village.people[self.world.people[who]].name

    def within(self, where: int) -> str:
        place = self.words.village.places[where]
        return f"{place.preposition} the {place.name}"

    def thing(self, what: int) -> str:
        """The shortest clear name of an object."""
        noun = self.words.village.things[self.world.things[what]].name
        if self.world.is_unique(what):
            return f"the {noun}"
        return f"the {self.world.colour[what]} {noun}"

    def resolve(self, values: list[tuple[str, Any]]) -> list[Any]:
        """Put numbers of people and objects for their names and pronouns, in order."""
        return [
            self._person(value)
            if slot in ("WHO", "WHOM", "NAME")
            else self._object(value)
            if slot == "THING"
            else value
            for slot, value in values
        ]

    def _person(self, word: str) -> int:
        world = self.world
        number = self.words.people.get(word)
        if number is None:
            who = self._antecedent(word)
        elif number in world.people:
            who = world.people.index(number)
        else:
            raise _untrue(f"nobody called {word} is in this story")
        self.said.append(who)
        return who

    def _bound(self, word: str, who: int) -> int:
        """Find who is meant where a pronoun stands for the subject, if it can."""
        if _PRONOUNS.get(word.lower()) == self.words.gender[self.world.people[who]]:
            self.said.append(who)
            return who
        return self._person(word)

    def _antecedent(self, word: str) -> int:
        gender = _PRONOUNS[word.lower()]
        for among in (self.said, *self.before[:2]):
            meant = {
                who
                for who in among
                if self.words.gender[self.world.people[who]] == gender
            }
            if len(meant) == 1:
                return meant.pop()
            if meant:
                break
        raise _ungrammatical(f"'{word}' has no clear antecedent")

    def _object(self, value: tuple) -> int:
        if value == ("it",):
            meant = set(self.touched or self.before[2])
            if len(meant) != 1:
                raise _ungrammatical("'it' has no clear antecedent")
            what = meant.pop()
        else:
            what = self._named_object(*value)
        self.touched.append(what)
        return what

    def _named_object(self, colour: str | None, thing: int) -> int:
        world, noun = self.world, self.words.village.things[thing].name
        same = [what for what, number in enumerate(world.things) if number == thing]
        if not same:
            raise _untrue(f"there is no {noun} in this story")
        if colour is None and len(same) > 1:
            names = " or ".join(self.thing(what) for what in same)
            raise _ungrammatical(f"'the {noun}' is not clear: {names}")
        meant = [what for what in same if colour in (None, world.colour[what])]
        if meant:
            return meant[0]
        if len(same) == 1:
            raise _untrue(f"the {noun} is {world.colour[same[0]]}, not {colour}")
        raise _untrue(f"there is no {colour} {noun} in this story")

    # -- the setting and the weather ---------------------------------------------------

    def _setting(self, clause: _Clause) -> None:
        kind, values = clause.kind, clause.values
        if kind == "weather":
            if self.stage != "start":
                raise _ungrammatical("only the first sentence says 'It is a ... day.'")
            self.stage = "setting"
            self.happen("weather", value=values[0][1])
            return
        if self.stage == "day":
            raise _ungrammatical(self._too_late(kind, values))
        if self.stage == "start":
            self.stage = "setting"
            raise _ungrammatical("a story begins with 'It is a ... day.'")
        if kind == "person":
            self._bring_person(values[0][1], values[1][1])
        elif kind == "lies":
            (_, colour), (_, noun), (_, where) = values
            self._bring_object(colour, noun, None, where)
        else:
            owner, colour, noun = self.resolve(values)
            self._bring_object(colour, noun, owner, None)

    def _too_late(self, kind: str, values: list) -> str:
        if kind == "person":
            number = self.words.people[values[0][1]]
            if number in self.world.people:
                return "only the setting tells where people are"
            return f"{values[0][1]} is brought in after 'That day,'"
        colour, noun = values[-2:] if kind == "owns" else values[:2]
        name = self.words.village.things[noun[1]].name
        return f"a {colour[1]} {name} is brought in after 'That day,'"

    def _bring_person(self, name: str, where: int) -> None:
        number = self.words.people[name]
        if number in self.world.people:
            raise _untrue(f"{name} is in this story already")
        who = len(self.world.people)
        self.happen("person", who, where=where, value=number)

    def _bring_object(
        self, colour: str, thing: int, owner: int | None, where: int | None
    ) -> None:
        world = self.world
        if (thing, colour) in zip(world.things, world.colour, strict=True):
            noun = self.words.village.things[thing].name
            raise _untrue(f"there is a {colour} {noun} already")
        self.happen("object", owner, where=where, value=(thing, colour))
        self.touched.append(len(world.things) - 1)

    def _turn(self, clause: _Clause) -> None:
        weather = clause.values[0][1]
        if weather == self.world.weather:
            raise _untrue(f"the day turns {weather}, but it is {weather} already")
        self.happen("weather", value=weather)

    # -- deeds -------------------------------------------------------------------------

    def _deeds(self, sentence: _Sentence) -> None:
        who = self._person(sentence.subject)
        for clause in sentence.clauses:
            if self.world.is_asleep[who] and clause.kind != "wake":
                raise _untrue(f"{self.name(who)} is asleep")
            if clause.kind == "see":
                self._see(who, clause)
            else:
                said = f"{self.name(who)} {clause.verb}"
                _DEEDS[clause.kind](self, who, said, clause)

    def _whereabouts(self, what: int, who: int | None = None) -> str:
        """Say where an object is; and where a person is, whose place is another."""
        holder = self.world.holder[what]
        if holder is not None:
            return f"{self.name(holder)} holds it"
        told = f"it is {self.within(self.world.lies[what])}"
        if who is None:
            return told
        return f"{told} and {self.name(who)} is {self.within(self.world.at[who])}"

    def _need_held(self, who: int, what: int, said: str) -> None:
        if self.world.holder[what] != who:
            where = self._whereabouts(what)
            raise _untrue(f"{said} {self.thing(what)}, but {where}")

    def _need_near(self, who: int, whom: int, said: str) -> None:
        """The other has to be somebody else, at the same place and awake."""
        world = self.world
        if who == whom:
            raise _untrue(f"{said}, and that is the same person")
        if world.at[who] != world.at[whom]:
            raise _untrue(
                f"{said}, but {self.name(whom)} is {self.within(world.at[whom])} and "
                f"{self.name(who)} is {self.within(world.at[who])}"
            )
        if world.is_asleep[whom]:
            raise _untrue(f"{said}, but {self.name(whom)} is asleep")

    def _move(self, who: int, said: str, clause: _Clause) -> None:
        (_, origin), (_, target) = clause.values
        places, here = self.words.village.places, self.world.at[who]
        if origin != here:
            raise _untrue(
                f"{said} from the {places[origin].name}, but {self.name(who)} is "
                f"{self.within(here)}"
            )
        if target == here:
            raise _untrue(f"{said} to the {places[target].name}, but is there already")
        self.happen("move", who, where=target, value=here)

    def _follow(self, who: int, said: str, clause: _Clause) -> None:
        whom, where = self.resolve(clause.values)
        world, here = self.world, self.world.at[who]
        said = f"{said} {self.name(whom)}"
        if who == whom:
            raise _untrue(f"{said}, and that is the same person")
        if world.at[whom] == here:
            raise _untrue(f"{said}, but both are {self.within(here)}")
        if world.came_from[whom] != here:
            raise _untrue(
                f"{said}, but {self.name(whom)} did not come from where "
                f"{self.name(who)} is"
            )
        if world.at[whom] != where:
            place = self.words.village.places[where].name
            raise _untrue(
                f"{said} to the {place}, but {self.name(whom)} is "
                f"{self.within(world.at[whom])}"
            )
        self.happen("follow", who, whom=whom, where=where)

    def _take(self, who: int, said: str, clause: _Clause) -> None:
        (what,) = self.resolve(clause.values)
        if self.world.lies[what] != self.world.at[who]:
            where = self._whereabouts(what, who)
            raise _untrue(f"{said} {self.thing(what)}, but {where}")
        self.happen("take", who, what)

    def _drop(self, who: int, said: str, clause: _Clause) -> None:
        what, *where = self.resolve(clause.values)
        self._need_held(who, what, said)
        here = self.world.at[who]
        if where and where[0] != here:
            raise _untrue(
                f"{said} {self.thing(what)} down {self.within(where[0])}, but "
                f"{self.name(who)} is {self.within(here)}"
            )
        self.happen("drop", who, what, where=here if where else None)

    def _give(self, who: int, said: str, clause: _Clause) -> None:
        what, whom = self.resolve(clause.values)
        self._need_held(who, what, said)
        said = f"{said} {self.thing(what)} to {self.name(whom)}"
        self._need_near(who, whom, said)
        self.happen("give", who, what, whom)

    def _swap(self, who: int, said: str, clause: _Clause) -> None:
        what, whom, other = self.resolve(clause.values)
        self._need_held(who, what, said)
        said = f"{said} {self.thing(what)} with {self.name(whom)}"
        self._need_near(who, whom, said)
        self._need_held(whom, other, f"{said} for")
        self.happen("swap", who, what, whom, value=other)

    def _paint(self, who: int, said: str, clause: _Clause) -> None:
        what, colour = self.resolve(clause.values)
        world = self.world
        self._need_held(who, what, said)
        if world.colour[what] == colour:
            raise _untrue(f"{said} {self.thing(what)} {colour}, but it is so already")
        noun = self.words.village.things[world.things[what]].name
        if (world.things[what], colour) in zip(world.things, world.colour, strict=True):
            raise _untrue(
                f"{said} {self.thing(what)} {colour}, but there is a {colour} {noun} "
                "already"
            )
        self.happen("paint", who, what, value=colour)

    def _break(self, who: int, said: str, clause: _Clause) -> None:
        (what,) = self.resolve(clause.values)
        self._need_held(who, what, said)
        thing = self.words.village.things[self.world.things[what]]
        if not thing.is_fragile:
            raise _untrue(f"{said} {self.thing(what)}, but a {thing.name} cannot break")
        if self.world.is_broken[what]:
            raise _untrue(f"{said} {self.thing(what)}, but it is broken already")
        self.happen("break", who, what)

    def _mend(self, who: int, said: str, clause: _Clause) -> None:
        (what,) = self.resolve(clause.values)
        self._need_held(who, what, said)
        if not self.world.is_broken[what]:
            raise _untrue(f"{said} {self.thing(what)}, but it is not broken")
        self.happen("mend", who, what)

    def _see(self, who: int, clause: _Clause) -> None:
        world = self.world
        (_, subject), (_, items) = clause.values
        already = set(self.said)
        if self._bound(subject, who) != who:
            raise _untrue(f"{self.name(who)} arrives, so {subject} cannot be who sees")
        numbers = self.resolve(items)
        people = [
            n for (slot, _), n in zip(items, numbers, strict=True) if slot == "NAME"
        ]
        things = [
            n for (slot, _), n in zip(items, numbers, strict=True) if slot != "NAME"
        ]
        company, lying = world.company(who), world.lying(world.at[who])
        said = f"{self.name(who)} sees"
        for one in people:
            if one not in company:
                where = self.within(world.at[one])
                raise _untrue(
                    f"{said} {self.name(one)}, but {self.name(one)} is {where}"
                )
        for what in things:
            if what not in lying:
                raise _untrue(
                    f"{said} {self.thing(what)}, but {self._whereabouts(what)}"
                )
        if len(set(people)) < len(people) or len(set(things)) < len(things):
            raise _ungrammatical(f"{said} the same twice")
        missed = [self.name(one) for one in company if one not in {*people, *already}]
        missed += [self.thing(what) for what in lying if what not in things]
        if missed:
            verb = "is" if len(missed) == 1 else "are"
            raise _untrue(
                f"{said} {self._listed(people, things)}, but {_join(missed)} {verb} "
                "there too"
            )
        self.happen("see", who, value=(tuple(sorted(people)), tuple(sorted(things))))

    def _listed(self, people: list[int], things: list[int]) -> str:
        return _join([*map(self.name, people), *map(self.thing, things)])

    # -- looking for, asking -----------------------------------------------------------

    def _look(self, who: int, said: str, clause: _Clause) -> None:
        what, *rest = self.resolve(clause.values)
        said = f"{said} for {self.thing(what)}"
        if self.world.holder[what] == who:
            raise _untrue(f"{said}, but {self.name(who)} holds it")
        (other,) = {
            n for (s, _), n in zip(clause.values[1:], rest, strict=True) if s == "THING"
        }
        self._need_same(what, other, said)
        outcome, where = self.world.outcome(who, what), None
        truth = f"but {self._whereabouts(what)}"
        if clause.kind == "find":
            if outcome != "found":
                raise _untrue(f"{said} and finds it, {truth}")
        elif clause.kind == "late":
            if outcome != rest[0]:
                raise _untrue(f"{said}, and {self.name(rest[0])} has it, {truth}")
        else:
            where = rest[1]
            if where != self.world.at[who]:
                raise _untrue(
                    f"{said} {self.within(where)}, but {self.name(who)} is "
                    f"{self.within(self.world.at[who])}"
                )
            if outcome != "missing":
                raise _untrue(f"{said} in vain, {truth}")
        self.happen("look", who, what, where=where, value=outcome)

    def _need_same(self, what: int, other: int, said: str) -> None:
        if what != other:
            raise _untrue(f"{said}, but then {self.thing(other)} is spoken of")

    def _ask(self, who: int, said: str, clause: _Clause) -> None:
        whom, what, speaker, *told = self.resolve(clause.values)
        said = f"{said} {self.name(whom)}"
        self._need_near(who, whom, said)
        said = f"{said} where {self.thing(what)} is"
        if self.world.holder[what] == who:
            raise _untrue(f"{said}, but {self.name(who)} holds it")
        if speaker != whom:
            raise _untrue(f"{said}, but {self.name(speaker)} answers")
        if clause.kind == "hear_who":
            claim, other = ("held", told[0]), told[1]
            words = f"{self.name(told[0])} has it"
        else:
            claim, other = ("lies", told[1]), told[0]
            words = f"it is {self.within(told[1])}"
        self._need_same(what, other, said)
        if claim != self.world.location(what):
            raise _untrue(
                f"{self.name(whom)} says of {self.thing(what)} that {words}, but "
                f"{self._whereabouts(what)}"
            )
        self.happen("ask", who, what, whom, value=claim)

    # -- moods, songs, sleep -----------------------------------------------------------

    def _feel(self, who: int, said: str, clause: _Clause) -> None:
        (_, mood), (_, cause_clause) = clause.values
        cause = self._cause(who, cause_clause)
        words = self._cause_words(who, cause)
        fair = _FAIR.get(mood) if cause[0] == "weather" else None
        if cause[0] not in _EXPLAINS[mood] or (fair and cause[1] not in fair):
            raise _untrue(f"that {words} is no reason to be {mood}")
        if not self._holds(who, cause):
            raise _untrue(f"{said} {mood} because {words}, but that is not so")
        self.happen("feel", who, value=(mood, cause))

    def _cause(self, who: int, clause: _Clause) -> tuple:
        """Return a cause as the world notes it."""
        if clause.kind in ("friend", "alone"):
            values = self.resolve(clause.values[:-1])
            values.append(self._bound(clause.values[-1][1], who))
        else:
            values = self.resolve(clause.values)
        match clause.kind:
            case "has":
                holder, what = values
                return ("has", what) if holder == who else ("envy", holder, what)
            case "broken" | "weather":
                return (clause.kind, values[0])
        about = values[0] if clause.kind == "missing" else values[-1]
        if about != who:
            raise _untrue(
                f"the cause is about {self.name(about)}, the mood is {self.name(who)}'s"
            )
        if clause.kind == "alone":
            return ("alone",)
        return (clause.kind, values[1] if clause.kind == "missing" else values[0])

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
                return (
                    world.missing[who] == what and world.outcome(who, what) == "missing"
                )
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

    def _sing(self, who: int, said: str, clause: _Clause) -> None:
        *whom, song = self.resolve(clause.values)
        tune, singer = self.world.tune, None
        if clause.kind == "compose":
            if song in tune:
                raise _untrue(f"the song '{' '.join(song)}' is not new")
        else:
            singer = whom[0] if whom else who
            if whom:
                self._need_near(who, singer, f"{said} the song of {self.name(singer)}")
            if tune[singer] is None:
                raise _untrue(f"{self.name(singer)} has not sung before")
            if tune[singer] != song:
                raise _untrue(
                    f"the song of {self.name(singer)} is '{' '.join(tune[singer])}', "
                    f"not '{' '.join(song)}'"
                )
        self.happen("sing", who, whom=singer, value=song)

    def _sleep(self, who: int, said: str, clause: _Clause) -> None:
        where, here = clause.values[0][1], self.world.at[who]
        if where != here:
            raise _untrue(
                f"{said} asleep {self.within(where)}, but {self.name(who)} is "
                f"{self.within(here)}"
            )
        self.happen("sleep", who, where=where)

    def _wake(self, who: int, said: str, clause: _Clause) -> None:
        if not self.world.is_asleep[who]:
            raise _untrue(f"{said} up, but {self.name(who)} is awake")
        self.happen("wake", who)

    # -- questions ---------------------------------------------------------------------

    def _question(self, question: _Clause, answer: _Clause) -> None:
        kind = question.kind
        asked = self.resolve(question.values)
        subject = asked[0] if asked else None
        words = _asked(self, question, asked)
        if kind == "colour" and question.values[0][1][0] is not None:
            raise _ungrammatical("a question about a colour cannot name the colour")
        about, claim = self._claim(kind, answer, subject)
        if about != subject:
            raise _untrue(f"'{words}' is answered about {self._called(kind, about)}")
        truth = self.world.answer(kind, subject)
        if kind in ("feel", "why") and self.world.mood[subject] is None:
            raise _untrue(f"nobody has said how {self.name(subject)} feels")
        if kind == "song" and truth is None:
            raise _untrue(f"{self.name(subject)} has not sung before")
        if kind == "why" and asked[1] != truth[0]:
            raise _untrue(f"{self.name(subject)} is {truth[0]}, not {asked[1]}")
        if claim != truth:
            raise _untrue(
                f"'{words}' is answered '{self._phrase(kind, subject, claim)}', but "
                f"{self._fact(kind, subject, truth)}"
            )
        if kind == "why" and not self._holds(subject, truth[1]):
            raise _untrue(
                f"'{words}' is answered '{self._phrase(kind, subject, claim)}', but "
                "that is so no more"
            )
        self.happen("question", value=(kind, subject, truth))

    def _claim(self, kind: str, answer: _Clause, subject: Any) -> tuple[Any, Any]:
        """Return whom or what an answer is about, and what it says."""
        if kind == "why":
            (_, who), (_, mood), (_, cause) = answer.values
            who = self._person(who)
            return who, (mood, self._cause(who, cause))
        if kind == "what_has" and len(answer.values) > 1:
            (_, who), (_, items) = answer.values
            who, things = self._person(who), self.resolve(items)
            if any(slot == "NAME" for slot, _ in items):
                raise _untrue("a person cannot be had")
            if len(set(things)) < len(things):
                raise _ungrammatical("the answer names the same twice")
            return who, tuple(sorted(things))
        values = self.resolve(answer.values)
        match kind:
            case "who_has":
                return values[-1], values[0] if len(values) > 1 else None
            case "where":
                return values[0], (values[1] if len(values) > 2 else None, values[-1])
            case "what_has":
                return values[0], ()
            case "broken" | "asleep":
                return values[0], answer.verb == "yes"
            case "weather":
                return None, values[0]
        return values

    def _called(self, kind: str, number: int) -> str:
        is_thing = kind in ("where", "who_has", "colour", "broken")
        return self.thing(number) if is_thing else self.name(number)

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
                return self._listed([], list(answer)) or "nothing"
            case "why":
                return f"because {self._cause_words(subject, answer[1])}"
            case "song":
                return " ".join(answer)
            case "broken" | "asleep":
                return kind if answer else f"not {kind}"
        return answer

    def _fact(self, kind: str, subject: Any, answer: Any) -> str:
        phrase = self._phrase(kind, subject, answer)
        if kind == "weather":
            return f"the day is {phrase}"
        called = self._called(kind, subject)
        if kind == "who_has":
            return f"{phrase} has {called}"
        if kind == "why":
            return f"{called} is {answer[0]} {phrase}"
        verb = {"what_has": "has", "song": "sings"}.get(kind, "is")
        return f"{called} {verb} {phrase}"


def _asked(judge: _Judge, question: _Clause, asked: list[Any]) -> str:
    """The words of a question, with names for pronouns."""
    words = _QUESTIONS[question.kind].capitalize().split()
    called = [judge._called(question.kind, n) for n in asked[:1]] + asked[1:]
    values = iter(called)
    return (
        " ".join(
            str(next(values))
            if word.upper() in ("WHO", "THING", "MOOD") and i
            else word
            for i, word in enumerate(words)
        )
        + "?"
    )


def _join(words: list[str]) -> str:
    return (
        " and ".join([", ".join(words[:-1]), words[-1]][len(words) == 1 :])
        if words
        else ""
    )


_DEEDS = {
    "move": _Judge._move,
    "follow": _Judge._follow,
    "take": _Judge._take,
    "drop": _Judge._drop,
    "put": _Judge._drop,
    "give": _Judge._give,
    "swap": _Judge._swap,
    "paint": _Judge._paint,
    "break": _Judge._break,
    "mend": _Judge._mend,
    "find": _Judge._look,
    "miss": _Judge._look,
    "late": _Judge._look,
    "hear_who": _Judge._ask,
    "hear_where": _Judge._ask,
    "feel": _Judge._feel,
    "compose": _Judge._sing,
    "repeat": _Judge._sing,
    "copy": _Judge._sing,
    "sleep": _Judge._sleep,
    "wake": _Judge._wake,
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
        count = f"{len(self.verdicts)} sentences"
        if self.ok:
            return f"a true story of {count}"
        return "\n".join([f"not a true story ({count}):", *self.problems])

    def __repr__(self) -> str:
        return f"<Report: {self}>"


def _sentences(text: str) -> list[str]:
    """Split a text into sentences; an answer stays with its question."""
    found: list[str] = []
    for line in text.split("\n"):
        parts = [part.strip(" ") for part in re.findall(r"[^.?]*[.?]|[^.?]+$", line)]
        is_asked = False
        for part in parts:
            if is_asked and part:
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
            events = judge.judge(sentence)
            verdicts.append(Verdict(number, sentence, "true", "", events))
        except _Wrong as wrong:
            verdicts.append(Verdict(number, sentence, *wrong.args, ()))
    problems = [f"sentence {v.number}: {v.reason}" for v in verdicts if v.reason]
    if not verdicts:
        problems.append("the text is empty")
    elif judge.stage != "end":
        problems.append("the story does not end with 'The end.'")
    return Report(tuple(verdicts), tuple(problems))
