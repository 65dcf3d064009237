"""The procedure that tells a story: what may be said next, and with which weight.

`Teller` walks through a story and asks a chooser (`choosers`) at every fork. It knows
the English words; what happens in the village is left to `world.World`.

Every clause states something that the state of the world decides (from where somebody
walks, who is seen there, whether the search succeeds), so that a model which predicts
the text has to keep track of the world.
"""

from __future__ import annotations

from typing import Any

from llmbook_utils.tinyworld.deeds import Deeds
from llmbook_utils.tinyworld.questions import Questions
from llmbook_utils.tinyworld.village import COLOURS
from llmbook_utils.tinyworld.voice import SUBJECT, Lexicon, Mention
from llmbook_utils.tinyworld.world import WEATHERS

MIN_WORDS, MAX_WORDS = 80, 160  # of the body, between which it may end
MAX_PEOPLE, MAX_THINGS = 4, 4

__all__ = ["MAX_PEOPLE", "MAX_THINGS", "Lexicon", "Mention", "Teller"]

_CAPITAL = {"she": "She", "he": "He"}
_COLOURS = tuple(COLOURS)

# verb phrases that may be joined by "and"
_JOINED = frozenset(
    {"move", "follow", "take", "drop", "give", "paint", "break", "mend"}
)


class Teller(Deeds, Questions):
    """Tells one story: the beginning, the body, the questions at the end.

    Parameters and attributes are those of `Voice`.
    """

    def tell(self) -> None:
        """Tell a whole story."""
        self.emit("It is a")
        weather = WEATHERS[self.say([f" {weather}" for weather in WEATHERS])]
        self.emit(" day.")
        self.happen("weather", value=weather)
        self.end_sentence()
        while self.introduce():
            pass
        self.before = []
        while self.body_sentence():
            pass
        while self.final_question():
            pass

    def introduce(self) -> bool:
        """Bring in a person or an object, or say that the day begins."""
        world = self.world
        people, things = len(world.people), len(world.things)
        surfaces: list[str] = []
        weights: list[int] = []
        if not things and people < MAX_PEOPLE:
            surfaces += self.lexicon.name
            weights = [1] * len(surfaces)
            for number in world.people:
                weights[number] = 0
        new = len(surfaces)
        if people >= 2 and things < MAX_THINGS:
            unit = {2: new // 4, 3: new * 3 // 5}.get(people) or 2
            surfaces += [" There", *map(self.name, range(people))]
            weights += [2 * unit] + [unit] * people
        if things >= 2:
            surfaces.append(" That day,")
            weights.append({2: 1, 3: 2}.get(things, 1) * max(sum(weights), 1))
        choice = self.say(surfaces, weights)
        if things >= 2 and choice == len(surfaces) - 1:
            return False
        if choice < new:
            self.introduce_person(choice)
        else:
            self.introduce_thing(choice - new - 1)
        self.emit(".")
        self.end_sentence()
        return True

    def introduce_person(self, number: int) -> None:
        """Go on after the name of a new person."""
        who = len(self.world.people)
        self.world.people.append(number)  # so that the person can be named
        self.mark("person", who)
        self.world.people.pop()
        self.emit(" is")
        where = self.choose_place(self.lexicon.within, known=16)
        self.happen("person", who, where=where, value=number)

    def introduce_thing(self, who: int) -> None:
        """Go on after "There" (`who` is -1) or after the name of the owner."""
        world = self.world
        if who >= 0:
            self.mark("person", who)
        self.emit(" is a" if who < 0 else " has a")
        colour = _COLOURS[self.say([f" {colour}" for colour in _COLOURS])]
        weights = [1] * len(self.lexicon.bare)
        for other, shade in zip(world.things, world.colour, strict=True):
            weights[other] = 0 if shade == colour else 6 * (weights[other] > 0)
        thing = self.say(self.lexicon.bare, weights)
        self.mark("thing", len(world.things))
        where = None
        if who < 0:
            where = self.choose_place(self.lexicon.within, known=40)
        owner = None if who < 0 else who
        self.happen("object", owner, where=where, value=(thing, colour))

    def body_sentence(self) -> bool:
        """Tell one sentence, or end the body."""
        is_first = self.parts[-1] == " That day,"
        surfaces: list[str] = []
        weights: list[int] = []
        meant: list[tuple] = []

        def offer(words: str, weight: int, *meaning: Any) -> None:
            surfaces.append(words)
            weights.append(weight)
            meant.append(meaning)

        if not is_first:
            self.offer_breaks(offer)
        self.offer_people(offer)
        choice = self.say(surfaces, weights)
        kind, value = meant[choice]
        if kind == "then":
            surfaces, weights, meant = [], [], []
            self.offer_people(offer, SUBJECT)
            choice = self.say(surfaces, weights)
            kind, value = meant[choice]
        if kind == "end":
            self._part = len(self.parts)
            return False
        if kind == "weather":
            self.happen("weather", value=value)
        elif kind == "question":
            self.question(value)
        else:
            self.mark("person", value, is_pronoun=kind == "pronoun")
            self.act(value)
        self.end_sentence()
        self.acted = value if kind in ("name", "pronoun") else None
        if kind not in ("name", "pronoun"):
            self.before = []
        return True

    def offer_breaks(self, offer: Any) -> None:
        """Offer what may stand between two deeds."""
        if self.words >= MIN_WORDS:
            offer("\n", 30 if self.words < MAX_WORDS else 10_000, "end", None)
        if self.words >= MAX_WORDS:
            return
        last = self.events[-1].kind
        for weather in WEATHERS if last != "weather" else ():
            if weather != self.world.weather:
                offer(f" The day turns {weather}.", 1, "weather", weather)
        offer(" Then", 12, "then", None)
        if last not in ("question", "object", "person"):
            for opening, weight in self.question_openings():
                offer(f" {opening}", weight, "question", opening)

    def offer_people(self, offer: Any, pronouns: dict | None = None) -> None:
        """Offer the people who may act, by name and, where it is clear, by pronoun."""
        if self.words >= MAX_WORDS and self.parts[-1] != " Then":
            return
        for who, is_asleep in enumerate(self.world.is_asleep):
            if is_asleep:
                offer(self.name(who), 4, "name", who)
            elif who in self.before:
                pronoun = SUBJECT[self.gender(who)]
                weight = 16 if who == self.acted else 10
                offer(self.name(who), 24 - weight, "name", who)
                word = pronoun if pronouns else _CAPITAL[pronoun]
                offer(f" {word}", weight, "pronoun", who)
            else:
                offer(self.name(who), 24, "name", who)

    def act(self, who: int) -> None:
        """Tell what a person does: one verb phrase, or two joined by "and"."""
        kind = self.verb_phrase(who, None)
        if kind not in _JOINED:
            return
        surfaces, weights = ["."], [12]
        if self.world.is_asleep[who]:
            self.emit(".")
            return
        sights = None
        if kind in ("move", "follow"):
            sights = self.sights(who)
            if any(sights):
                surfaces.append(", where")
                weights.append(12)
        if self.verb_options(who, kind)[0]:
            surfaces.append(" and")
            weights.append(6)
        chosen = surfaces[self.say(surfaces, weights)] if len(surfaces) > 1 else None
        if chosen is None:
            self.emit(".")
        elif chosen == ", where":
            self.emit(f" {SUBJECT[self.gender(who)]}")
            self.mark("person", who, is_pronoun=True)
            self.emit(" sees")
            self.listing(*sights)
            self.happen("see", who, value=(tuple(sights[0]), tuple(sights[1])))
            self.emit(".")
        elif chosen == " and":
            self.verb_phrase(who, kind)
            self.emit(".")

    def final_question(self) -> bool:
        """Ask one of the one to three questions at the end, or end the story."""
        count = self.parts.count("\n") - 1
        surfaces, weights = map(list, zip(*self.question_openings(), strict=True))
        if count == 3:
            self.emit("The end.\n")
            self.end_sentence()
            return False
        if count:
            surfaces.append("The end.\n")
            weights.append(sum(weights) // 2 * count)
        choice = self.say(surfaces, weights)
        if count and choice == len(surfaces) - 1:
            self.end_sentence()
            return False
        self.question(surfaces[choice])
        self.emit("\n")
        self.end_sentence()
        return True
