"""How `check` judges a sentence: what is so, and what can happen, in the world."""

from __future__ import annotations

import re
from typing import Any

from llmbook_utils.tinyworld.checking.deeds import DeedJudge
from llmbook_utils.tinyworld.checking.grammar import (
    Clause,
    Reading,
    Sentence,
    Wrong,
    need,
    ungrammatical,
)
from llmbook_utils.tinyworld.world import Event


class Judge(DeedJudge):
    """Judges one sentence after the other; parameters are those of `Listener`."""

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
