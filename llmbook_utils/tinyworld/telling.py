"""The procedure that tells a story: what may be said next, and with which weight.

`Teller` walks through a story and asks a chooser (`choosers`) at every fork. It knows
the English words; what happens in the village is left to `world.World`.

Every clause states something that the state of the world decides (from where somebody
walks, who is seen there, whether the search succeeds), so that a model which predicts
the text has to keep track of the world.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from llmbook_utils.tinyworld.village import COLOURS, Village
from llmbook_utils.tinyworld.world import (
    SYLLABLES,
    TUNE_LENGTH,
    WEATHERS,
    Event,
    World,
)

MIN_WORDS, MAX_WORDS = 80, 160  # of the body, between which it may end
MAX_PEOPLE, MAX_THINGS, MAX_PLACES = 4, 4, 4

SUBJECT = {"f": "she", "m": "he"}
OBJECT = {"f": "her", "m": "him"}
_CAPITAL = {"she": "She", "he": "He"}
_COLOURS = tuple(COLOURS)
_SYLLABLES = [f" {syllable}" for syllable in SYLLABLES]

# verb phrases that may be joined by "and"
_JOINED = frozenset(
    {"move", "follow", "take", "drop", "give", "paint", "break", "mend"}
)


class Lexicon:
    """The English surfaces of a village's entities, made once."""

    def __init__(self, village: Village) -> None:
        self.village = village
        self.name = [f" {person.name}" for person in village.people]
        self.gender = [person.gender for person in village.people]
        self.place = [f" the {place.name}" for place in village.places]
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


class Teller:
    """Tells one story.

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
        Of each sentence: its first and last-but-one part, its first and last-but-one
        event.
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
        self.it: int | None = None  # the object that "it" means
        self.named: dict[tuple, Mention] = {}
        self._part = self._event = 0

    # -- small pieces ----------------------------------------------------------------

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

    # -- the beginning ---------------------------------------------------------------

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

    # -- the body --------------------------------------------------------------------

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

    def sights(self, who: int) -> tuple[list[int], list[int]]:
        """The people and objects that somebody who arrives sees."""
        people = [one for one in self.world.company(who) if one not in self.said]
        return people, self.world.lying(self.world.at[who])

    def verb_options(
        self, who: int, joined_to: str | None
    ) -> tuple[list[str], list[int], list[str]]:
        """Return the verbs that a person may now do: surfaces, weights, kinds."""
        world = self.world
        if world.is_asleep[who]:
            return [" wakes up."], [1], ["wake"]
        options: list[tuple[str, int, str]] = []
        held, lying = world.held(who), self.free(who)
        near = [one for one in world.company(who) if not world.is_asleep[one]]
        add = options.append
        if joined_to not in ("move", "follow"):
            add((" walks", 5, "move"))
            add((" runs", 3, "move"))
            if self.leaders(who):
                add((" follows", 6, "follow"))
        if lying and joined_to not in ("drop", "take"):
            add((" takes", 9, "take"))
            add((" picks up", 5, "take"))
        if held:
            if joined_to not in ("take", "drop"):
                add((" puts", 5, "drop"))
                add((" drops", 2, "drop"))
            if near and joined_to != "give":
                add((" gives", 10, "give"))
            if joined_to != "paint":
                add((" paints", 1, "paint"))
            if joined_to not in ("break", "mend"):
                village = world.village.things
                fragile = [w for w in held if village[world.things[w]].is_fragile]
                if any(not world.is_broken[what] for what in fragile):
                    add((" breaks", 2, "break"))
                if any(world.is_broken[what] for what in fragile):
                    add((" mends", 4, "mend"))
        if joined_to is None:
            self.add_single_verbs(add, who, held, near)
        return tuple(map(list, zip(*options, strict=True))) if options else ([], [], [])

    def add_single_verbs(
        self, add: Any, who: int, held: list[int], near: list[int]
    ) -> None:
        """Add the verbs that are not joined by "and"."""
        world = self.world
        if held and any(world.held(one) for one in near):
            add((" trades", 4, "swap"))
        if self.wanted(who):
            add((" looks for", 5, "look"))
        if any(self.topics(who, one) for one in near):
            add((" asks", 6, "ask"))
        if self.moods(who):
            add((" is", 6, "feel"))
        may_repeat = world.tune[who] and who not in self.repeated
        if may_repeat or self.teachers(who) or "sing" not in self.happened:
            add((" sings", 3, "sing"))
        add((" falls asleep", 1, "sleep"))

    def leaders(self, who: int) -> list[int]:
        """The people who left the place where this person still is."""
        world, here = self.world, self.world.at[who]
        return [
            one
            for one, origin in enumerate(world.came_from)
            if origin == here and world.at[one] != here
        ]

    def free(self, who: int) -> list[int]:
        """The objects that a person may take, but not what they just laid down."""
        last = self.events[-1]
        laid = last.what if last.kind == "drop" and last.who == who else None
        return [w for w in self.world.lying(self.world.at[who]) if w != laid]

    def wanted(self, who: int) -> list[int]:
        """The objects that a person may look for: not held, not looked for before."""
        return [
            what
            for what, holder in enumerate(self.world.holder)
            if holder != who and (who, what) not in self.looked
        ]

    def topics(self, who: int, whom: int) -> list[int]:
        """The objects that one person may ask another for: not in sight, not twice."""
        here = self.world.at[who]
        same = self.gender(who) == self.gender(whom)  # then "he has it" is not clear
        return [
            what
            for what, holder in enumerate(self.world.holder)
            if holder != who
            and not (same and holder == whom)
            and self.world.lies[what] != here
            and (who, what) not in self.asked_for
        ]

    def teachers(self, who: int) -> list[int]:
        """The people here whose song is another than the one this person knows."""
        tune = self.world.tune
        return [
            one
            for one in self.world.company(who)
            if tune[one] not in (None, tune[who]) and not self.world.is_asleep[one]
        ]

    def verb_phrase(self, who: int, joined_to: str | None) -> str:
        """Tell one verb phrase and return its kind."""
        surfaces, weights, kinds = self.verb_options(who, joined_to)
        if len(surfaces) == 1:
            self.emit(surfaces[0])
            kind = kinds[0]
        else:
            kind = kinds[self.say(surfaces, weights)]
        _PHRASES[kind](self, who)
        return kind

    # -- verb phrases ----------------------------------------------------------------

    def _move(self, who: int) -> None:
        here = self.world.at[who]
        self.emit(" from")
        self.place(here)
        self.emit(" to")
        where = self.choose_place(self.lexicon.place, known=60, left=here)
        self.happen("move", who, where=where, value=here)

    def _follow(self, who: int) -> None:
        whom = self.whom(self.leaders(who))
        self.emit(" to")
        where = self.world.at[whom]
        self.place(where)
        self.happen("follow", who, whom=whom, where=where)

    def _take(self, who: int) -> None:
        what = self.thing(self.free(who))
        self.happen("take", who, what)
        self.it = what

    def _drop(self, who: int) -> None:
        is_put = self.parts[-1] == " puts"
        what = self.thing(self.world.held(who))
        here = None
        if is_put:
            self.emit(" down")
            here = self.world.at[who]
            self.within(here)
        self.looked.add((who, what))  # nobody looks for what they have laid down
        self.happen("drop", who, what, where=here)

    def _give(self, who: int) -> None:
        world = self.world
        what = self.thing(world.held(who))
        self.emit(" to")
        near = [one for one in world.company(who) if not world.is_asleep[one]]
        whom = self.whom(near)
        self.happen("give", who, what, whom)

    def _swap(self, who: int) -> None:
        world = self.world
        what = self.thing(world.held(who))
        self.emit(" with")
        others = [one for one in world.company(who) if not world.is_asleep[one]]
        whom = self.whom([one for one in others if world.held(one)])
        self.emit(" for")
        other = self.thing(world.held(whom))
        self.emit(".")
        self.happen("swap", who, what, whom, value=other)

    def _look(self, who: int) -> None:
        what = self.thing(self.wanted(who))
        outcome = self.world.outcome(who, what)
        where = None
        if outcome == "found":
            self.emit(" and finds")
            self.it = what
            self.thing([what])
        elif outcome == "missing":
            self.emit(", but")
            self.it = what
            self.thing([what])
            self.emit(" is not")
            where = self.world.at[who]
            self.within(where)
        else:
            self.emit(", but")
            self.refer(outcome)
            self.emit(" has")
            self.it = what
            self.thing([what])
        self.emit(".")
        self.looked.add((who, what))
        self.happen("look", who, what, where=where, value=outcome)

    def _ask(self, who: int) -> None:
        world = self.world
        near = [one for one in world.company(who) if not world.is_asleep[one]]
        whom = self.whom([one for one in near if self.topics(who, one)])
        self.emit(" where")
        what = self.thing(self.topics(who, whom))
        self.asked_for.add((who, what))
        self.emit(" is, and")
        self.refer(whom)
        self.emit(" says that")
        kind, number = world.location(what)
        self.it = what
        if kind == "held":
            self.refer(number)
            self.emit(" has")
            self.thing([what])
        else:
            self.thing([what])
            self.emit(" is")
            self.within(number)
        self.emit(".")
        self.happen("ask", who, what, whom, value=(kind, number))

    def _feel(self, who: int) -> None:
        moods = self.moods(who)
        names = list(moods)
        mood = names[self.say([f" {name}" for name in names])]
        self.emit(" because")
        cause = self.choose_cause(who, moods[mood])
        self.emit(".")
        self.happen("feel", who, value=(mood, cause))

    def moods(self, who: int) -> dict[str, list[tuple]]:
        """The moods that a person may come to have, with their causes."""
        moods = self.world.causes(who)
        if self.world.mood[who]:
            moods.pop(self.world.mood[who][0], None)
        return moods

    def choose_cause(self, who: int, causes: list[tuple]) -> tuple:
        """Choose one of the causes by saying it, left to right."""
        pronoun = f" {SUBJECT[self.gender(who)]}"
        heads: dict[str, list[tuple]] = {}
        for cause in causes:
            heads.setdefault(self.cause_head(cause, pronoun), []).append(cause)
        head = list(heads)[self.say(list(heads))]
        self.mark_head(who, heads[head][0])
        by_verb: dict[str, list[tuple]] = {}
        for cause in heads[head]:
            by_verb.setdefault(_CAUSE_VERBS[cause[0]], []).append(cause)
        verbs = list(by_verb)
        if len(verbs) == 1:
            self.emit(verbs[0])
            verb = verbs[0]
        else:
            verb = verbs[self.say(verbs)]
        same = by_verb[verb]
        if same[0][0] in ("has", "missing", "envy"):
            what = self.thing([cause[-1] for cause in same])
            return next(cause for cause in same if cause[-1] == what)
        self.end_cause(who, same[0])
        return same[0]

    def cause_head(self, cause: tuple, pronoun: str) -> str:
        """The first words of a cause."""
        match cause[0]:
            case "has" | "missing":
                return pronoun
            case "friend" | "envy":
                return self.name(cause[1])
            case "broken":
                return self.thing_name(cause[1])
            case "weather":
                return " the day"
        return " nobody"

    def mark_head(self, who: int, cause: tuple) -> None:
        """Note whom or what the first words of a cause name."""
        match cause[0]:
            case "has" | "missing":
                self.mark("person", who, is_pronoun=True)
            case "friend" | "envy":
                self.mark("person", cause[1])
            case "broken":
                self.mark("thing", cause[1])

    def end_cause(self, who: int, cause: tuple) -> None:
        """Say the last words of a cause that names no object there."""
        match cause[0]:
            case "friend" | "alone":  # nobody else can be meant
                self.emit(f" {OBJECT[self.gender(who)]}")
                self.mark("person", who, is_pronoun=True)
            case "weather":
                self.emit(f" {cause[1]}")

    def tell_cause(self, who: int, cause: tuple) -> None:
        """Say a cause that is settled."""
        if cause[0] in ("has", "missing"):
            self.refer(who)
        else:
            self.emit(self.cause_head(cause, ""))
            self.mark_head(who, cause)
        self.emit(_CAUSE_VERBS[cause[0]])
        if cause[0] in ("has", "missing", "envy"):
            self.name_thing(cause[-1])
        else:
            self.end_cause(who, cause)

    def _paint(self, who: int) -> None:
        world = self.world
        what = self.thing(world.held(who))
        thing = world.things[what]
        used = {
            world.colour[other]
            for other, number in enumerate(world.things)
            if number == thing
        }
        free = [colour for colour in _COLOURS if colour not in used]
        colour = free[self.say([f" {colour}" for colour in free])]
        self.happen("paint", who, what, value=colour)
        self.it = what

    def _break(self, who: int) -> None:
        what = self.thing(self.fragile(who, is_broken=False))
        if what not in self.broken:
            self.broken.append(what)
        self.happen("break", who, what)
        self.it = what

    def _mend(self, who: int) -> None:
        what = self.thing(self.fragile(who, is_broken=True))
        self.happen("mend", who, what)
        self.it = what

    def fragile(self, who: int, is_broken: bool) -> list[int]:
        """The fragile objects that a person holds, whole or broken."""
        world = self.world
        return [
            what
            for what in world.held(who)
            if world.village.things[world.things[what]].is_fragile
            and world.is_broken[what] == is_broken
        ]

    def _sleep(self, who: int) -> None:
        where = self.world.at[who]
        self.within(where)
        self.emit(".")
        if who not in self.slept:
            self.slept.append(who)
        self.happen("sleep", who, where=where)

    def _wake(self, who: int) -> None:
        self.happen("wake", who)

    def _sing(self, who: int) -> None:
        tune, teachers = self.world.tune, self.teachers(who)
        surfaces, weights = [], []
        if "sing" not in self.happened:
            surfaces.append(" a new song:")
            weights.append(1)
        if tune[who] and who not in self.repeated:
            surfaces.append(" again:")
            weights.append(1)
        if teachers:
            surfaces.append(" the song of")
            weights.append(3)
        kind = surfaces[0]
        if len(surfaces) == 1:
            self.emit(kind)
        else:
            kind = surfaces[self.say(surfaces, weights)]
        singer = None
        if kind == " a new song:":
            song = tuple(SYLLABLES[self.say(_SYLLABLES)] for _ in range(TUNE_LENGTH))
        else:
            singer = who if kind == " again:" else self.whom(teachers)
            song = tune[singer]
            if kind == " again:":
                self.repeated.add(who)
            else:
                self.emit(":")
            self.emit(f" {' '.join(song)}")
        self.emit(".")
        self.happen("sing", who, whom=singer, value=song)

    # -- questions -------------------------------------------------------------------

    def question_openings(self) -> list[tuple[str, int]]:
        """Return how a question may begin, with weights; none is asked twice."""
        world = self.world
        people, things = len(world.people), len(world.things)
        feeling = people - world.mood.count(None)
        explained = sum(map(self.may_explain, range(people)))
        unique = sum(map(world.is_unique, range(things)))
        possible = (
            ("Where is", 4, people + things),
            ("Who has", 2, things),
            ("What does", 2, 2 * people - world.tune.count(None)),
            ("What colour is", 1, unique),
            ("How does", 2, feeling),
            ("Why is", 2, explained + self.asked_with["Why is"]),
            ("What is the day like?", 1, 1),
            ("Is", 1, len(self.slept) + len(self.broken)),
        )
        return [
            (opening, weight)
            for opening, weight, count in possible
            if count > self.asked_with[opening]
        ]

    def may_explain(self, who: int) -> bool:
        """Tell whether it may be asked why a person feels so, as the cause still holds."""
        is_new = ("why", who) not in self.asked
        return bool(self.world.mood[who]) and is_new and self.world.cause_holds(who)

    def question_subjects(self, opening: str) -> list[tuple[str, int]]:
        """Return what may be asked with these first words: kinds and numbers."""
        world = self.world
        people, things = range(len(world.people)), range(len(world.things))
        feeling = [who for who in people if world.mood[who]]
        possible = {
            "Where is": {"where_person": people, "where": things},
            "Who has": {"who_has": things},
            "What does": {
                "what_has": people,
                "song": [who for who in people if world.tune[who]],
            },
            "What colour is": {"colour": filter(world.is_unique, things)},
            "How does": {"feel": feeling},
            "Why is": {"why": filter(self.may_explain, people)},
            "Is": {"asleep": self.slept, "broken": self.broken},
        }[opening]
        return [
            (kind, number)
            for kind, numbers in possible.items()
            for number in numbers
            if (kind, number) not in self.asked
        ]

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

    def question(self, opening: str) -> None:
        """Go on after the first words of a question, and answer it."""
        if opening == "What is the day like?":
            kind, number = "weather", None
        else:
            kind, number = self.question_subject(self.question_subjects(opening))
        self.asked.add((kind, number))
        self.asked_with[opening] += 1
        answer = self.world.answer(kind, number)
        end = _QUESTION_ENDS[kind].format(self.question_mood(kind, number))
        if end and self.parts[-1] != end:
            self.emit(end)
        _ANSWERS[kind](self, number, answer)
        self.emit(".")
        self.happen("question", value=(kind, number, answer))

    def question_mood(self, kind: str, number: int | None) -> str:
        """The mood that a question "why" names."""
        return self.world.mood[number][0] if kind == "why" else ""

    def question_subject(self, subjects: list[tuple]) -> tuple[str, int]:
        """Choose whom or what the question is about, then its kind."""
        by_surface: dict[str, list[tuple]] = {}
        for subject in subjects:
            is_thing = subject[0] in _ABOUT_THINGS
            name = self.thing_name(subject[1]) if is_thing else self.name(subject[1])
            by_surface.setdefault(name, []).append(subject)
        surfaces = list(by_surface)
        if len(surfaces) == 1:
            self.emit(surfaces[0])
            same = by_surface[surfaces[0]]
        else:
            same = by_surface[surfaces[self.say(surfaces)]]
        is_thing = same[0][0] in _ABOUT_THINGS
        self.mark("thing" if is_thing else "person", same[0][1])
        if len(same) == 1:
            return same[0]
        # "What does Tom have?" or "What does Tom sing?"
        return same[self.say([_QUESTION_ENDS[kind] for kind, _ in same])]

    # -- answers ---------------------------------------------------------------------

    def answer_person(self, who: int, words: str) -> None:
        """Say the name of a person and what follows."""
        self.emit(self.name(who))
        self.mark("person", who)
        self.emit(words)

    def answer_thing(self, what: int, words: str) -> None:
        """Say the name of an object, with "The", and what follows."""
        self.emit(f" T{self.thing_name(what)[2:]}")
        self.mark("thing", what)
        self.emit(words)

    def _answer_where_person(self, who: int, where: int) -> None:
        self.answer_person(who, " is")
        self.within(where)

    def _answer_where(self, what: int, answer: tuple) -> None:
        holder, where = answer
        self.answer_thing(what, " is")
        if holder is not None:
            self.emit(" with")
            self.name_person(holder)
        self.within(where)

    def _answer_who_has(self, what: int, holder: int | None) -> None:
        if holder is None:
            self.emit(" Nobody has")
        else:
            self.answer_person(holder, " has")
        self.name_thing(what)

    def _answer_what_has(self, who: int, things: tuple) -> None:
        self.answer_person(who, " has" if things else " has nothing")
        self.listing([], list(things))

    def _answer_feel(self, who: int, mood: str) -> None:
        self.answer_person(who, f" is {mood}")

    def _answer_why(self, who: int, answer: tuple) -> None:
        mood, cause = answer
        self.said = [who]
        self.answer_person(who, f" is {mood} because")
        self.tell_cause(who, cause)

    def _answer_colour(self, what: int, colour: str) -> None:
        self.answer_thing(what, f" is {colour}")

    def _answer_song(self, who: int, song: tuple) -> None:
        self.answer_person(who, f" sings: {' '.join(song)}")

    def _answer_weather(self, _: None, weather: str) -> None:
        self.emit(f" The day is {weather}")

    def _answer_broken(self, what: int, is_broken: bool) -> None:
        self.emit(" Yes," if is_broken else " No,")
        self.name_thing(what)
        self.emit(" is broken" if is_broken else " is not broken")

    def _answer_asleep(self, who: int, is_asleep: bool) -> None:
        self.emit(" Yes," if is_asleep else " No,")
        self.answer_person(who, " is asleep" if is_asleep else " is not asleep")


_CAUSE_VERBS = {
    "has": " has",
    "missing": " cannot find",
    "friend": " is with",
    "envy": " has",
    "alone": " is with",
    "broken": " is broken",
    "weather": " is",
}
_ABOUT_THINGS = frozenset({"where", "who_has", "colour", "broken"})
_QUESTION_ENDS = {
    "where_person": "?",
    "where": "?",
    "who_has": "?",
    "what_has": " have?",
    "song": " sing?",
    "colour": "?",
    "feel": " feel?",
    "why": " {}?",
    "weather": "",
    "broken": " broken?",
    "asleep": " asleep?",
}
_ANSWERS = {kind: getattr(Teller, f"_answer_{kind}") for kind in _QUESTION_ENDS}
_PHRASES = {
    kind: getattr(Teller, f"_{kind}")
    for kind in [
        "move",
        "follow",
        "take",
        "drop",
        "give",
        "swap",
        "look",
        "ask",
        "feel",
        "paint",
        "break",
        "mend",
        "sleep",
        "wake",
        "sing",
    ]
}
