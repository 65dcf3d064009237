"""How a story is worded: names, pronouns, places, and what each piece of text names."""

from __future__ import annotations

from collections import Counter
from typing import Any

from llmbook_utils.tinyworld.village import COLOURS, Village
from llmbook_utils.tinyworld.world import Event, World

MAX_PLACES = 3
SUBJECT = {"f": "she", "m": "he"}
OBJECT = {"f": "her", "m": "him"}


class Lexicon:
    """The English surfaces of a village's entities, made once."""

    def __init__(self, village: Village) -> None:
        self.village = village
        self.name = [f" {person.name}" for person in village.people]
        self.gender = [person.gender for person in village.people]
        self.place = [f" the {place.name}" for place in village.places]
        self.opening = [
            f" {p.preposition.capitalize()} the {p.name}" for p in village.places
        ]
        self.within = [f" {p.preposition} the {p.name}" for p in village.places]
        self.noun = [f" the {thing.name}" for thing in village.things]
        self.coloured = [
            {colour: f" the {colour} {thing.name}" for colour in COLOURS}
            for thing in village.things
        ]
        self.bare = [f" {thing.name}" for thing in village.things]


class Mention:
    """A place in the text where an entity is named.

    Attributes
    ----------
    part : int
        Number of the piece of text that is the mention.
    entity : (str, int)
        ``("person", number)``, ``("thing", number)`` or ``("place", number)``.
    antecedent : Mention or None
        Of a pronoun: the mention by name that it stands for.
    """

    __slots__ = ("antecedent", "entity", "part")

    def __init__(self, part: int, entity: tuple, antecedent: Mention | None) -> None:
        self.part, self.entity, self.antecedent = part, entity, antecedent


class Voice:
    """The state of a story that is being told, and its small pieces.

    Parameters
    ----------
    lexicon : Lexicon
        Of the village.
    chooser : Sampler, Follower or Reader
        Who decides at each fork.

    Attributes
    ----------
    world : World
        The state so far.
    sentences : list of (int, int, int, int)
        Of each sentence: its first part and the one after its last, its first event
        and the one after its last.
    events : list of Event
    mentions : list of Mention
    """

    def __init__(self, lexicon: Lexicon, chooser: Any) -> None:
        self.lexicon = lexicon
        self.world = World(lexicon.village)
        self.say, self.emit, self.parts = chooser.say, chooser.emit, chooser.parts
        self.events: list[Event] = []
        self.mentions: list[Mention] = []
        self.sentences: list[tuple[int, int, int, int]] = []
        self.asked: set[tuple] = set()
        self.asked_with: Counter[str] = Counter()
        self.repeated: set[int] = set()  # people who sang their song again
        self.slept: list[int] = []  # people who have slept
        self.broken: list[int] = []  # objects that were broken
        self.looked: set[tuple] = set()
        self.asked_for: set[tuple] = set()
        self.happened: set[str] = set()
        self.places: list[int] = []
        self.words = 0
        self.said: list[int] = []  # people of this sentence, in order
        self.named_now: list[int] = []  # those of them that were named
        self.before: list[int] = []  # whom a pronoun may mean in the next sentence
        self.acted: int | None = None  # who acted in the sentence before
        self.here: int | None = None  # where the scene is
        self.it: int | None = None  # the object that "it" means
        self.named: dict[tuple, Mention] = {}
        self._part = self._event = 0

    def happen(self, *fields: Any, **named: Any) -> None:
        """Make an event happen and keep it."""
        event = Event(*fields, **named)
        self.world.apply(event)
        self.events.append(event)
        self.happened.add(event.kind)

    def end_sentence(self) -> None:
        """Close the sentence whose last piece has been said."""
        self.words += "".join(self.parts[self._part :]).count(" ")
        self.sentences.append(
            (self._part, len(self.parts), self._event, len(self.events))
        )
        self._part, self._event = len(self.parts), len(self.events)
        self.before = [who for who in self.named_now if self.is_clear(who, self.said)]
        self.said, self.named_now = [], []
        self.it = None

    def mark(self, kind: str, number: int, is_pronoun: bool = False) -> None:
        """Note that the piece said last names an entity."""
        entity = (kind, number)
        mention = Mention(
            len(self.parts) - 1, entity, self.named[entity] if is_pronoun else None
        )
        self.mentions.append(mention)
        if not is_pronoun:
            self.named[entity] = mention
        if kind == "person":
            if number not in self.said:
                self.said.append(number)
            if not is_pronoun:
                self.named_now.append(number)

    def name(self, who: int) -> str:
        return self.lexicon.name[self.world.people[who]]

    def gender(self, who: int) -> str:
        return self.lexicon.gender[self.world.people[who]]

    def is_clear(self, who: int, among: list[int]) -> bool:
        """Tell whether a pronoun can only mean this person among those mentioned."""
        gender = self.gender(who)
        return who in among and all(
            one == who or self.gender(one) != gender for one in among
        )

    def refer(self, who: int, pronouns: dict[str, str] = SUBJECT) -> None:
        """Name a person within a sentence; by a pronoun where that is clear."""
        if self.is_clear(who, self.said):
            self.emit(f" {pronouns[self.gender(who)]}")
            self.mark("person", who, is_pronoun=True)
        else:
            self.emit(self.name(who))
            self.mark("person", who)

    def whom(self, people: list[int]) -> int:
        """Choose a person as the object of a verb."""
        surfaces = []
        for who in people:
            clear = self.is_clear(who, self.said)
            surfaces.append(f" {OBJECT[self.gender(who)]}" if clear else self.name(who))
        who = people[self.say(surfaces)] if len(people) > 1 else people[0]
        if len(people) == 1:
            self.emit(surfaces[0])
        self.mark("person", who, is_pronoun=self.is_clear(who, self.said))
        return who

    def thing_name(self, what: int) -> str:
        """The shortest name of an object that is not ambiguous."""
        thing = self.world.things[what]
        if self.world.is_unique(what):
            return self.lexicon.noun[thing]
        return self.lexicon.coloured[thing][self.world.colour[what]]

    def name_thing(self, what: int) -> None:
        self.emit(self.thing_name(what))
        self.mark("thing", what)

    def thing(self, things: list[int]) -> int:
        """Choose an object: "it", its noun, or its colour and noun."""
        if things == [self.it]:
            self.emit(" it")
            self.mark("thing", self.it, is_pronoun=True)
            return self.it
        world = self.world
        surfaces, weights, meant = [], [], []
        for what in things:
            thing = world.things[what]
            if what == self.it:
                surfaces.append(" it")
                weights.append(6)
                meant.append(what)
                continue
            if world.is_unique(what):
                surfaces.append(self.lexicon.noun[thing])
                weights.append(5)
                meant.append(what)
            surfaces.append(self.lexicon.coloured[thing][world.colour[what]])
            weights.append(1)
            meant.append(what)
        choice = self.say(surfaces, weights)
        what = meant[choice]
        self.mark("thing", what, is_pronoun=surfaces[choice] == " it")
        return what

    def within(self, where: int) -> None:
        self.emit(self.lexicon.within[where])
        self.mark("place", where)

    def place(self, where: int) -> None:
        self.emit(self.lexicon.place[where])
        self.mark("place", where)

    def listing(self, people: list[int], things: list[int]) -> None:
        """Name several: "Tom, Mia and the lamp"."""
        named = [(self.name_person, who) for who in people]
        named += [(self.name_thing, what) for what in things]
        for i, (tell, number) in enumerate(named):
            if i:
                self.emit(" and" if i == len(named) - 1 else ",")
            tell(number)

    def name_person(self, who: int) -> None:
        self.emit(self.name(who))
        self.mark("person", who)

    def choose_place(self, words: list[str], known: int, left: int = -1) -> int:
        """Choose a place, each one that was named with weight `known`, but not `left`.

        While the story has fewer than `MAX_PLACES`, a new one may come, with weight 1.
        """
        if len(self.places) < MAX_PLACES:
            weights = [1] * len(words)
            for place in self.places:
                weights[place] = known
            if left >= 0:
                weights[left] = 0
            where = self.say(words, weights)
        else:
            options = [i for i in self.places if i != left]
            where = options[self.say([words[i] for i in options])]
        if where not in self.places:
            self.places.append(where)
        self.mark("place", where)
        return where
