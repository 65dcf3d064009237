"""How `check` understands a sentence: whom and what its words name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from llmbook_utils.tinyworld.checking.grammar import (
    PRONOUNS,
    Clause,
    Words,
    Wrong,
    need,
    ungrammatical,
)
from llmbook_utils.tinyworld.world import Event, World


class Listener:
    """Holds the world as the sentences so far have left it, and knows its names.

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

    def happen(self, *fields: Any, **named: Any) -> None:
        """Make an event happen and keep it."""
        event = Event(*fields, **named)
        self.world.apply(event)
        self.events.append(event)

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
