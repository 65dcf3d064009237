"""What a person may do next, in the state of the world as it is."""

from __future__ import annotations

from typing import Any

from llmbook_utils.tinyworld.telling.voice import Voice


class Options(Voice):
    """Lists the verbs that may be said, and what they may be said of."""

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
            add((" walks", 2, "move"))
            add((" runs", 1, "move"))
            if self.leaders(who):
                add((" follows", 8, "follow"))
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
            add((" asks", 4, "ask"))
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

    def moods(self, who: int) -> dict[str, list[tuple]]:
        """The moods that a person may come to have, with their causes."""
        moods = self.world.causes(who)
        if self.world.mood[who]:
            moods.pop(self.world.mood[who][0], None)
        return moods

    def fragile(self, who: int, is_broken: bool) -> list[int]:
        """The fragile objects that a person holds, whole or broken."""
        world = self.world
        return [
            what
            for what in world.held(who)
            if world.village.things[world.things[what]].is_fragile
            and world.is_broken[what] == is_broken
        ]
