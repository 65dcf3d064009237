"""The procedure that tells a story: what may be said next, and with which weight.

`Teller` walks through a story and asks a chooser (`choosers`) at every fork. It knows
the English words; what happens in the village is left to `world.World`.

Every clause states something that the state of the world decides (from where somebody
walks, who and what is at a place, whether the search succeeds), so that a model which
predicts the text has to keep track of the world.
"""

from __future__ import annotations

from typing import Any

from llmbook_utils.tinyworld.telling.deeds import Deeds
from llmbook_utils.tinyworld.telling.questions import Questions
from llmbook_utils.tinyworld.telling.voice import SUBJECT
from llmbook_utils.tinyworld.village import COLOURS
from llmbook_utils.tinyworld.world import WEATHERS

MIN_WORDS, MAX_WORDS = 72, 150  # of the body, between which it may end
MAX_PEOPLE, MAX_THINGS = 3, 3


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
        self.scene(self.world.at[0], is_first=True)
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
            unit = new // 2 or 2
            surfaces += [" There", *map(self.name, range(people))]
            weights += [8 * unit] + [4 * unit] * people
        if things >= 2:
            surfaces.append(" That day,")
            weights.append(max(3 * sum(weights), 1))
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
        where = self.choose_place(self.lexicon.within, known=300)
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
            weights[other] *= shade != colour
        thing = self.say(self.lexicon.bare, weights)
        self.mark("thing", len(world.things))
        where = None
        if who < 0:
            where = self.choose_place(self.lexicon.within, known=300)
        owner = None if who < 0 else who
        self.happen("object", owner, where=where, value=(thing, colour))

    def scene(self, where: int, is_first: bool = False) -> None:
        """Turn to a place, and say who and what is there; its name has been said."""
        if is_first:
            here = [place for place in self.places if place in self.world.at]
            where = here[self.say([self.lexicon.within[place] for place in here])]
        self.mark("place", where)
        people = [who for who, at in enumerate(self.world.at) if at == where]
        things = self.world.lying(where)
        self.emit(" is" if len(people) + len(things) == 1 else " are")
        self.listing(people, things)
        self.emit(".")
        self.happen("scene", where=where, value=(tuple(people), tuple(things)))
        self.here = where
        self.end_sentence()

    def body_sentence(self) -> bool:
        """Tell one sentence, or end the body."""
        surfaces: list[str] = []
        weights: list[int] = []
        meant: list[tuple] = []

        def offer(words: str, weight: int, *meaning: Any) -> None:
            surfaces.append(words)
            weights.append(weight)
            meant.append(meaning)

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
        self.acted = value if kind in ("name", "pronoun") else None
        if kind == "scene":
            self.scene(value)
            return True
        if kind == "weather":
            self.happen("weather", value=value)
        elif kind == "question":
            self.question(value)
        else:
            self.mark("person", value, is_pronoun=kind == "pronoun")
            self.act(value)
        self.end_sentence()
        if kind not in ("name", "pronoun"):
            self.before = []
        return True

    def offer_breaks(self, offer: Any) -> None:
        """Offer what may stand between two deeds."""
        if self.words >= MIN_WORDS:
            offer("\n", 40 if self.words < MAX_WORDS else 10_000, "end", None)
        if self.words >= MAX_WORDS:
            return
        last = self.events[-1].kind
        for weather in WEATHERS if last not in ("weather", "scene") else ():
            if weather != self.world.weather:
                offer(f" The day turns {weather}.", 1, "weather", weather)
        if self.here in self.world.at:
            offer(" Then", 6, "then", None)
        if last != "scene":
            for where in self.places:
                if where != self.here and where in self.world.at:
                    offer(self.lexicon.opening[where], 6, "scene", where)
        if last not in ("question", "scene"):
            for opening, weight in self.question_openings():
                offer(f" {opening}", weight, "question", opening)

    def offer_people(self, offer: Any, pronouns: dict | None = None) -> None:
        """Offer the people here who may act, by name and, where clear, by pronoun."""
        if self.words >= MAX_WORDS and self.parts[-1] != " Then":
            return
        for who, at in enumerate(self.world.at):
            if at != self.here:
                continue
            if self.world.is_asleep[who]:
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
        if self.verb_options(who, kind)[0]:
            surfaces.append(" and")
            weights.append(6)
        chosen = surfaces[self.say(surfaces, weights)] if len(surfaces) > 1 else None
        if chosen is None:
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
