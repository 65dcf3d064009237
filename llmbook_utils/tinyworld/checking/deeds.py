"""How `check` judges what people do: what can happen in the world, and why."""

from __future__ import annotations

from llmbook_utils.tinyworld.checking.grammar import (
    EXPLAINS,
    FAIR,
    JOINED,
    SINGLE,
    Clause,
    Sentence,
    need,
)
from llmbook_utils.tinyworld.checking.names import Listener


class DeedJudge(Listener):
    """Judges the clauses that tell what somebody does."""

    def _deeds(self, sentence: Sentence) -> None:
        who = self._person(sentence.subject)
        name = self.name(who)
        for clause in sentence.clauses:
            is_awake = clause.kind == "wake" or not self.world.is_asleep[who]
            need(is_awake, f"{name} is asleep")
            _DEED_RULES[clause.kind](self, who, f"{name} {clause.verb}", clause)

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


_DEED_RULES = {kind: getattr(DeedJudge, f"_{kind}") for kind in (*JOINED, *SINGLE)}
