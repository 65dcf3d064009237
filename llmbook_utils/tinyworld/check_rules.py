"""How `check` judges a sentence: what is so, and what can happen, in the world."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from llmbook_utils.tinyworld.check_grammar import (
    EXPLAINS,
    FAIR,
    JOINED,
    PRONOUNS,
    SINGLE,
    Clause,
    Reading,
    Sentence,
    Words,
    Wrong,
    need,
    ungrammatical,
)
from llmbook_utils.tinyworld.world import (
    Event,
    World,
)


class Judge:
    """Holds the world as the sentences so far have left it, and judges the next.

    Parameters
    ----------
    words : Words
        Of the village.
    """

    def __init__(self, words: Words) -> None:
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
        """Judge a sentence and let it happen; raise `Wrong` if it cannot."""
        self.text, self.events, self.said, self.touched = text, [], [], []
        saved = self.world
        try:
            self._begin(text, is_first)
            if text.endswith("?"):
                raise ungrammatical(f"'{text}' is not answered")
            if text[-1] != ".":
                last = " ".join(text.split()[-3:])
                raise ungrammatical(f"it breaks off after '{last}'")
            sentence = Reading(self.words, text).sentence()
            if len(sentence.clauses) > 1:
                self.world = self.world.copy()
            self._sentence(sentence)
        except Wrong:
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
            raise ungrammatical("it comes after 'The end.'")
        if is_first != text.startswith("It is a "):
            if not is_first:
                raise ungrammatical("only the first sentence says 'It is a ... day.'")
            self.problems.append("the story does not begin with 'It is a ... day.'")
        if text.startswith("That day,"):
            if self.stage == "day":
                raise ungrammatical("'That day,' comes a second time")
            self.stage = "day"

    def _sentence(self, sentence: Sentence) -> None:
        kind = sentence.kind
        if self.stage == "setting" and kind in _DAY_KINDS:
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

    def resolve(self, clause: Clause, subject: int | None = None) -> list[Any]:
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
            need(number in people, f"nobody called {word} is in this story")
            who = people.index(number)
        self.said.append(who)
        return who

    def _antecedent(self, word: str, other: int | None) -> int:
        gender = PRONOUNS[word.lower()]
        for among in (self.said, self.before[0]):
            meant = {one for one in among if self._gender(one) == gender} - {other}
            if len(meant) == 1:
                return meant.pop()
            if meant:
                break
        raise ungrammatical(f"'{word}' has no clear antecedent")

    def _gender(self, who: int) -> str:
        return self.words.village.people[self.world.people[who]].gender

    def _subject(self, word: str, who: int) -> int:
        """Find who is meant where a pronoun means the subject, if it can."""
        is_subject = PRONOUNS.get(word) == self._gender(who)
        return self._person(self.name(who) if is_subject else word)

    def _object(self, colour: str | None, thing: int | None) -> int:
        if thing is None:
            meant = set(self.touched or self.before[1])
            if len(meant) != 1:
                raise ungrammatical("'it' has no clear antecedent")
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
            raise ungrammatical(f"'the {noun}' is not clear: {names}?")
        if len(same) == 1:
            need(False, f"the {noun} is {world.colour[same[0]]}, not {colour}")
        name = f"{colour} {noun}" if same else noun
        raise Wrong("untrue", f"there is no {name} in this story")

    def _is_weather(self, weather: str) -> None:
        self.happen("weather", value=weather)

    def _turns(self, weather: str) -> None:
        now = self.world.weather
        need(weather != now, f"the day turns {weather}, but it is {now} already")
        self.happen("weather", value=weather)

    def _is_in(self, name: str, where: int) -> None:
        number = self.words.people[name]
        if number in self.world.people:
            if self.stage == "day":
                raise ungrammatical("only the setting tells where people are")
            raise Wrong("untrue", f"{name} is in this story already")
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
        need(self._is_free(thing, colour), f"there is {name} already")
        self.happen("object", owner, where=where, value=(thing, colour))
        self.touched.append(len(self.world.things) - 1)

    def _too_late(self, newcomer: str) -> None:
        if self.stage == "day":
            raise ungrammatical(f"{newcomer} is brought in after 'That day,'")

    def _is_free(self, thing: int, colour: str) -> bool:
        """Tell whether no object has this noun and this colour."""
        world = self.world
        return (thing, colour) not in zip(world.things, world.colour, strict=True)

    def _scene(self, where: int, verb: str, items: list[tuple[str, Any]]) -> None:
        """Judge who and what is at a place: all of them, and nobody else."""
        right = "are" if len(items) > 1 else "is"
        if verb != right:
            raise ungrammatical(f"'{verb}' should be '{right}'")
        slots = [slot for slot, _ in items]
        listed = [*zip(slots, self._resolve_all(items), strict=True)]
        if len(set(listed)) < len(listed):
            raise ungrammatical("the scene names the same twice")
        people = sorted(number for slot, number in listed if slot == "NAME")
        things = sorted(number for slot, number in listed if slot == "THING")
        told = self.within(where)
        said = f"{told.capitalize()} {verb} {self.listed(people, things)}"
        at, lying = self.world.at, self.world.lying(where)
        for who in people:
            need(at[who] == where, f"{said}, but {self._here(who)}")
        for what in things:
            need(what in lying, f"{said}, but {self._place_of(what)}")
        missed = [who for who, here in enumerate(at) if here == where]
        missed = [who for who in missed if who not in people]
        unseen = [what for what in lying if what not in things]
        if missed or unseen:
            verb = "are" if len(missed) + len(unseen) > 1 else "is"
            rest = self.listed(missed, unseen)
            need(False, f"{said}, but {rest} {verb} there as well")
        self.happen("scene", where=where, value=(tuple(people), tuple(things)))

    def _deeds(self, sentence: Sentence) -> None:
        who = self._person(sentence.subject)
        name = self.name(who)
        for clause in sentence.clauses:
            is_awake = clause.kind == "wake" or not self.world.is_asleep[who]
            need(is_awake, f"{name} is asleep")
            _DEED_RULES[clause.kind](self, who, f"{name} {clause.verb}", clause)

    def _whereabouts(self, what: int) -> str:
        holder = self.world.holder[what]
        if holder is None:
            return f"it is {self.within(self.world.lies[what])}"
        return f"{self.name(holder)} holds it"

    def _place_of(self, what: int) -> str:
        holder, thing = self.world.holder[what], self.thing(what)
        if holder is None:
            return f"{thing} is {self.within(self.world.lies[what])}"
        return f"{self.name(holder)} holds {thing}"

    def _here(self, who: int) -> str:
        return f"{self.name(who)} is {self.within(self.world.at[who])}"

    def _need_held(self, who: int, what: int, said: str) -> None:
        truth = f"{said} {self.thing(what)}, but {self._whereabouts(what)}"
        need(self.world.holder[what] == who, truth)

    def _need_near(self, who: int, whom: int, said: str) -> None:
        """The other has to be somebody else, at the same place and awake."""
        need(who != whom, f"{said}, and that is the same person")
        is_here = whom in self.world.company(who)
        need(is_here, f"{said}, but {self._here(whom)} and {self._here(who)}")
        is_awake = not self.world.is_asleep[whom]
        need(is_awake, f"{said}, but {self.name(whom)} is asleep")

    def _move(self, who: int, said: str, clause: Clause) -> None:
        origin, target = self.resolve(clause)
        here = self.world.at[who]
        need(origin == here, f"{said} from {self.place(origin)}, but {self._here(who)}")
        need(target != here, f"{said} to {self.place(target)}, but is there already")
        self.happen("move", who, where=target, value=here)

    def _follow(self, who: int, said: str, clause: Clause) -> None:
        whom, where = self.resolve(clause, who)
        here, there = self.world.at[who], self.world.at[whom]
        said = f"{said} {self.name(whom)}"
        need(who != whom, f"{said}, and that is the same person")
        need(there != here, f"{said}, but both are {self.within(here)}")
        need(
            self.world.came_from[whom] == here,
            f"{said}, but {self.name(whom)} did not come from {self.place(here)}",
        )
        need(where == there, f"{said} to {self.place(where)}, but {self._here(whom)}")
        self.happen("follow", who, whom=whom, where=where)

    def _take(self, who: int, said: str, clause: Clause) -> None:
        (what,) = self.resolve(clause)
        truth = self._whereabouts(what)
        if self.world.lies[what] is not None:
            truth += f" and {self._here(who)}"
        is_here = self.world.lies[what] == self.world.at[who]
        need(is_here, f"{said} {self.thing(what)}, but {truth}")
        self.happen("take", who, what)

    def _drop(self, who: int, said: str, clause: Clause) -> None:
        what, *where = self.resolve(clause)
        self._need_held(who, what, said)
        if where:
            said = f"{said} {self.thing(what)} down {self.within(where[0])}"
            is_here = where[0] == self.world.at[who]
            need(is_here, f"{said}, but {self._here(who)}")
        self.happen("drop", who, what, where=where[0] if where else None)

    def _give(self, who: int, said: str, clause: Clause) -> None:
        what, whom = self.resolve(clause, who)
        self._need_held(who, what, said)
        self._need_near(who, whom, f"{said} {self.thing(what)} to {self.name(whom)}")
        self.happen("give", who, what, whom)

    def _swap(self, who: int, said: str, clause: Clause) -> None:
        what, whom, other = self.resolve(clause, who)
        self._need_held(who, what, said)
        said = f"{said} {self.thing(what)} with {self.name(whom)}"
        self._need_near(who, whom, said)
        self._need_held(whom, other, f"{said} for")
        self.happen("swap", who, what, whom, value=other)

    def _paint(self, who: int, said: str, clause: Clause) -> None:
        what, colour = self.resolve(clause)
        self._need_held(who, what, said)
        said = f"{said} {self.thing(what)} {colour}"
        is_new = colour != self.world.colour[what]
        need(is_new, f"{said}, but it is {colour} already")
        need(
            self._is_free(self.world.things[what], colour),
            f"{said}, but there is a {colour} {self.noun(what)} already",
        )
        self.happen("paint", who, what, value=colour)

    def _break(self, who: int, said: str, clause: Clause) -> None:
        (what,) = self.resolve(clause)
        self._need_held(who, what, said)
        said = f"{said} {self.thing(what)}"
        thing = self.words.village.things[self.world.things[what]]
        need(thing.is_fragile, f"{said}, but a {thing.name} cannot break")
        is_whole = not self.world.is_broken[what]
        need(is_whole, f"{said}, but it is broken already")
        self.happen("break", who, what)

    def _mend(self, who: int, said: str, clause: Clause) -> None:
        (what,) = self.resolve(clause)
        self._need_held(who, what, said)
        is_broken = self.world.is_broken[what]
        need(is_broken, f"{said} {self.thing(what)}, but it is not broken")
        self.happen("mend", who, what)

    def _need_same(self, what: int, other: int, said: str) -> None:
        need(what == other, f"{said}, but then it is about {self.thing(other)}")

    def _need_not_own(self, who: int, what: int, said: str) -> None:
        need(self.world.holder[what] != who, f"{said}, but {self.name(who)} holds it")

    def _find(self, who: int, said: str, clause: Clause) -> None:
        what, found = self.resolve(clause)
        said = f"{said} for {self.thing(what)}"
        self._need_not_own(who, what, said)
        self._need_same(what, found, said)
        is_found = self.world.outcome(who, what) == "found"
        truth = f"{said} and finds it, but {self._whereabouts(what)}"
        need(is_found, truth)
        self.happen("look", who, what, value="found")

    def _miss(self, who: int, said: str, clause: Clause) -> None:
        what, missed, where = self.resolve(clause)
        said = f"{said} for {self.thing(what)}"
        self._need_not_own(who, what, said)
        self._need_same(what, missed, said)
        is_here = where == self.world.at[who]
        need(is_here, f"{said} {self.within(where)}, but {self._here(who)}")
        is_missing = self.world.outcome(who, what) == "missing"
        need(is_missing, f"{said} in vain, but {self._whereabouts(what)}")
        self.happen("look", who, what, where=where, value="missing")

    def _late(self, who: int, said: str, clause: Clause) -> None:
        what, holder, missed = self.resolve(clause)
        said = f"{said} for {self.thing(what)}"
        self._need_not_own(who, what, said)
        self._need_same(what, missed, said)
        name = self.name(holder)
        has = self.world.holder[what] == holder
        need(has, f"{said} and {name} has it, but {self._whereabouts(what)}")
        is_here = holder in self.world.company(who)
        need(is_here, f"{said} and sees {name} with it, but {self._here(holder)}")
        self.happen("look", who, what, value=holder)

    def _ask_holder(self, who: int, said: str, clause: Clause) -> None:
        whom, what, speaker, holder, other = self.resolve(clause, who)
        words = f"{self.name(holder)} has it"
        self._ask(who, said, (whom, what, speaker, other), ("held", holder), words)

    def _ask_place(self, who: int, said: str, clause: Clause) -> None:
        whom, what, speaker, other, where = self.resolve(clause, who)
        words = f"it is {self.within(where)}"
        self._ask(who, said, (whom, what, speaker, other), ("lies", where), words)

    def _ask(self, who: int, said: str, told: tuple, claim: tuple, words: str) -> None:
        whom, what, speaker, other = told
        name, thing = self.name(whom), self.thing(what)
        self._need_near(who, whom, f"{said} {name}")
        said = f"{said} {name} where {thing} is"
        self._need_not_own(who, what, said)
        need(speaker == whom, f"{said}, but {self.name(speaker)} answers")
        self._need_same(what, other, said)
        truth = f"of {thing} that {words}, but {self._whereabouts(what)}"
        need(claim == self.world.location(what), f"{name} says {truth}")
        self.happen("ask", who, what, whom, value=claim)

    def _feel(self, who: int, said: str, clause: Clause) -> None:
        (_, mood), (_, why) = clause.values
        cause = self._cause(who, why)
        words = self._cause_words(who, cause)
        allowed = FAIR.get(mood, ()) if cause[0] == "weather" else cause
        explains = cause[0] in EXPLAINS[mood] and cause[-1] in allowed
        need(explains, f"that {words} is no reason to be {mood}")
        holds = self._holds(who, cause)
        need(holds, f"{said} {mood} because {words}, but that is not so")
        self.happen("feel", who, value=(mood, cause))

    def _cause(self, who: int, clause: Clause) -> tuple:
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
        need(about == who, words)
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

    def _compose(self, who: int, said: str, clause: Clause) -> None:
        (song,) = self.resolve(clause)
        is_new = song not in self.world.tune
        need(is_new, f"the song '{' '.join(song)}' is not new")
        self.happen("sing", who, value=song)

    def _repeat(self, who: int, said: str, clause: Clause) -> None:
        (song,) = self.resolve(clause)
        self._sing(who, who, song)

    def _copy(self, who: int, said: str, clause: Clause) -> None:
        singer, song = self.resolve(clause, who)
        self._need_near(who, singer, f"{said} the song of {self.name(singer)}")
        self._sing(who, singer, song)

    def _sing(self, who: int, singer: int, song: tuple[str, ...]) -> None:
        tune, name = self.world.tune[singer], self.name(singer)
        need(tune is not None, f"{name} has not sung before")
        right, wrong = " ".join(tune), " ".join(song)
        need(tune == song, f"the song of {name} is '{right}', not '{wrong}'")
        self.happen("sing", who, whom=singer, value=song)

    def _sleep(self, who: int, said: str, clause: Clause) -> None:
        (where,) = self.resolve(clause)
        is_here = where == self.world.at[who]
        truth = f"{said} asleep {self.within(where)}, but {self._here(who)}"
        need(is_here, truth)
        self.happen("sleep", who, where=where)

    def _wake(self, who: int, said: str, clause: Clause) -> None:
        need(self.world.is_asleep[who], f"{said} up, but is not asleep")
        self.happen("wake", who)

    def _question(self, question: Clause, answer: Clause) -> None:
        kind, asked = question.kind, self.resolve(question)
        subject = asked[0] if asked else None
        words = self.text.partition("?")[0] + "?"
        if kind == "colour" and question.values[0][1][0]:
            raise ungrammatical(f"'{words}' says the colour that it asks for")
        truth = self.world.answer(kind, subject)
        need(truth is not None or kind == "who_has", f"nobody knows: '{words}'")
        if kind == "why":
            name, mood = self.name(subject), truth[0]
            need(asked[1] == mood, f"'{words}', but {name} is {mood}")
        about, claim = self._claim(kind, answer)
        called = self._called(kind, about)
        need(about == subject, f"'{words}' is answered about {called}")
        told = f"'{words}' is answered '{self._phrase(kind, subject, claim)}', but"
        need(claim == truth, f"{told} {self._fact(kind, subject, truth)}")
        if kind == "why":
            need(self._holds(subject, truth[1]), f"{told} that is so no more")
        self.happen("question", value=(kind, subject, truth))

    def _claim(self, kind: str, answer: Clause) -> tuple[Any, Any]:
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
                    raise ungrammatical("the answer names the same object twice")
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
    "weather": Judge._is_weather,
    "turn": Judge._turns,
    "person": Judge._is_in,
    "lies": Judge._lies,
    "owns": Judge._owns,
    "scene": Judge._scene,
}
_DAY_KINDS = ("deeds", "question", "turn", "scene", "end")  # not of the setting
_DEED_RULES = {kind: getattr(Judge, f"_{kind}") for kind in (*JOINED, *SINGLE)}
