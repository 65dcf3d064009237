"""What people do: the verb phrases."""

from __future__ import annotations

from llmbook_utils.tinyworld.telling.reasons import Reasons
from llmbook_utils.tinyworld.village import COLOURS
from llmbook_utils.tinyworld.world import SYLLABLES, TUNE_LENGTH

_COLOURS = tuple(COLOURS)
_SYLLABLES = [f" {syllable}" for syllable in SYLLABLES]


class Deeds(Reasons):
    """Tells deeds, each by a method with the name of the event."""

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


_PHRASES = {
    kind: getattr(Deeds, f"_{kind}")
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
