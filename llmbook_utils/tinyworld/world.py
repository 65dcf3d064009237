"""The simulated village: its state, what may happen in it, and what follows.

A `World` holds the state of one story, and `World.apply` makes an event happen. Whether
it can happen is for those to know who tell (`telling`) or judge (`check`).
People and objects are numbered in the order in which the story brings them in; places
are numbered as in the village.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from llmbook_utils.tinyworld.village import Village

WEATHERS = ("sunny", "rainy", "windy", "snowy", "foggy", "stormy")
BAD_WEATHERS = ("rainy", "foggy", "stormy")
SYLLABLES = tuple(
    [
        "la",
        "mi",
        "ko",
        "ta",
        "ru",
        "se",
        "bo",
        "ni",
        "pa",
        "du",
        "fe",
        "go",
        "li",
        "mo",
        "na",
        "si",
    ]
)
TUNE_LENGTH = 4
SENTIMENTS = {
    "happy": "positive",
    "proud": "positive",
    "glad": "positive",
    "sad": "negative",
    "angry": "negative",
    "worried": "negative",
}


class Event(NamedTuple):
    """What one clause tells: a change of the world, or a fact about it.

    Parameters
    ----------
    kind : str
        ``move``, ``take``, ``give``, ``feel``, ``question``, ...: see `World.apply`.
    who, whom : int, optional
        Numbers of people: the one who acts, and the other.
    what : int, optional
        Number of an object.
    where : int, optional
        Number of a place of the village.
    value : optional
        What else the kind needs: a colour, a weather, a cause, an answer, ...
    """

    kind: str
    who: int | None = None
    what: int | None = None
    whom: int | None = None
    where: int | None = None
    value: Any = None


class World:
    """The state of a village while a story is told.

    Parameters
    ----------
    village : Village
        Whose people, places and things may occur.

    Attributes
    ----------
    people, things : list of int
        For each person and object of the story, its number in the village.
    at : list of int
        The place of each person.
    lies : list of int or None
        The place of each object; None while somebody holds it.
    holder : list of int or None
        Who holds each object.
    colour : list of str
        Of each object.
    is_broken, is_asleep : list of bool
        Of each object; of each person.
    mood : list of (str, tuple) or None
        The mood of each person with its cause.
    came_from : list of int or None
        From where each person moved last.
    missing : list of int or None
        The object that each person has looked for in vain.
    tune : list of (tuple of str) or None
        The song that each person knows.
    weather : str or None
        One of `WEATHERS`, once it was said.
    """

    def __init__(self, village: Village) -> None:
        self.village = village
        self.people: list[int] = []
        self.things: list[int] = []
        self.at: list[int] = []
        self.lies: list[int | None] = []
        self.holder: list[int | None] = []
        self.colour: list[str] = []
        self.is_broken: list[bool] = []
        self.is_asleep: list[bool] = []
        self.mood: list[tuple[str, tuple] | None] = []
        self.came_from: list[int | None] = []
        self.missing: list[int | None] = []
        self.tune: list[tuple[str, ...] | None] = []
        self.weather: str | None = None

    def copy(self) -> World:
        """Return a world in the same state, which goes its own way."""
        other = World(self.village)
        for name, value in vars(self).items():
            setattr(other, name, list(value) if isinstance(value, list) else value)
        return other

    # -- what can be asked of a state ------------------------------------------------

    def place_of(self, what: int) -> int:
        """Return the place where an object is, also while somebody holds it."""
        holder = self.holder[what]
        return self.lies[what] if holder is None else self.at[holder]

    def held(self, who: int) -> list[int]:
        """Return the objects that a person holds."""
        return [what for what, holder in enumerate(self.holder) if holder == who]

    def lying(self, where: int) -> list[int]:
        """Return the objects that lie free at a place."""
        return [what for what, place in enumerate(self.lies) if place == where]

    def company(self, who: int) -> list[int]:
        """Return the other people at the place of a person."""
        here = self.at[who]
        return [one for one, at in enumerate(self.at) if at == here and one != who]

    def is_unique(self, what: int) -> bool:
        """Tell whether no other object of the story has the same noun."""
        return self.things.count(self.things[what]) == 1

    def outcome(self, who: int, what: int) -> Any:
        """Return how looking for an object ends.

        Returns
        -------
        str or int
            ``"found"`` if it lies where the person is; who has it, if that is
            somebody there; else ``"missing"``.
        """
        if self.lies[what] == self.at[who]:
            return "found"
        holder = self.holder[what]
        if holder is not None and self.at[holder] == self.at[who]:
            return holder
        return "missing"

    def location(self, what: int) -> tuple[str, int]:
        """Return ``("held", person)`` or ``("lies", place)`` of an object."""
        holder = self.holder[what]
        return ("lies", self.lies[what]) if holder is None else ("held", holder)

    def causes(self, who: int) -> dict[str, list[tuple]]:
        """Return the moods that a person has reason for, each with its causes."""
        company, held = self.company(who), self.held(who)
        has = [("has", what) for what in held]
        friends = [("friend", one) for one in company]
        lost = self.missing[who]
        is_lost = lost is not None and self.outcome(who, lost) == "missing"
        missing = [("missing", lost)] if is_lost else []
        weather = [("weather", self.weather)]
        moods = {
            "happy": has + friends,
            "proud": has,
            "glad": friends + (weather if self.weather == "sunny" else []),
            "sad": missing
            + ([] if company else [("alone",)])
            + [("broken", what) for what in held if self.is_broken[what]],
            "angry": [
                ("envy", holder, what)
                for what, holder in enumerate(self.holder)
                if holder in company
            ],
            "worried": missing + (weather if self.weather in BAD_WEATHERS else []),
        }
        return {mood: causes for mood, causes in moods.items() if causes}

    def cause_holds(self, who: int) -> bool:
        """Tell whether the cause of a person's mood still holds."""
        mood, cause = self.mood[who]
        return cause in self.causes(who).get(mood, ())

    def answer(self, kind: str, subject: int | None) -> Any:
        """Return the true answer to a question.

        Parameters
        ----------
        kind : str
            ``where_person``, ``where``, ``who_has``, ``what_has``, ``feel``, ``why``,
            ``colour``, ``broken``, ``asleep``, ``song`` or ``weather``.
        subject : int or None
            The person or object that is asked about.
        """
        match kind:
            case "where_person":
                return self.at[subject]
            case "where":
                return (self.holder[subject], self.place_of(subject))
            case "who_has":
                return self.holder[subject]
            case "what_has":
                return tuple(self.held(subject))
            case "feel":
                return self.mood[subject][0] if self.mood[subject] else None
            case "why":
                return self.mood[subject]
            case "colour":
                return self.colour[subject]
            case "broken":
                return self.is_broken[subject]
            case "asleep":
                return self.is_asleep[subject]
            case "song":
                return self.tune[subject]
            case "weather":
                return self.weather
        raise ValueError(f"there is no question of kind {kind!r}")

    # -- what events do --------------------------------------------------------------

    def apply(self, event: Event) -> None:
        """Make an event happen. It has to be possible, which `check` tells.

        Parameters
        ----------
        event : Event
            Kinds that bring something in: ``person``, ``object``, ``weather``. That
            change the state: ``move``, ``follow``, ``take``, ``drop``, ``give``,
            ``swap``, ``look``, ``feel``, ``paint``, ``break``, ``mend``, ``sleep``,
            ``wake``, ``sing``, ``weather``. That only tell: ``scene``, ``ask``,
            ``question``.
        """
        _EFFECTS[event.kind](self, event)

    def _person(self, event: Event) -> None:
        self.people.append(event.value)
        self.at.append(event.where)
        self.is_asleep.append(False)
        for column in (self.mood, self.came_from, self.missing, self.tune):
            column.append(None)

    def _object(self, event: Event) -> None:
        thing, colour = event.value
        self.things.append(thing)
        self.lies.append(event.where)
        self.holder.append(event.who)
        self.colour.append(colour)
        self.is_broken.append(False)

    def _move(self, event: Event) -> None:
        self.came_from[event.who] = self.at[event.who]
        self.at[event.who] = event.where

    def _hold(self, who: int, what: int) -> None:
        self.holder[what], self.lies[what] = who, None
        if self.missing[who] == what:
            self.missing[who] = None

    def _take(self, event: Event) -> None:
        self._hold(event.who, event.what)

    def _drop(self, event: Event) -> None:
        self.holder[event.what], self.lies[event.what] = None, self.at[event.who]

    def _give(self, event: Event) -> None:
        self._hold(event.whom, event.what)

    def _swap(self, event: Event) -> None:
        self._hold(event.whom, event.what)
        self._hold(event.who, event.value)

    def _look(self, event: Event) -> None:
        if event.value == "missing":
            self.missing[event.who] = event.what

    def _feel(self, event: Event) -> None:
        self.mood[event.who] = event.value

    def _paint(self, event: Event) -> None:
        self.colour[event.what] = event.value

    def _break(self, event: Event) -> None:
        self.is_broken[event.what] = True

    def _mend(self, event: Event) -> None:
        self.is_broken[event.what] = False

    def _sleep(self, event: Event) -> None:
        self.is_asleep[event.who] = True

    def _wake(self, event: Event) -> None:
        self.is_asleep[event.who] = False

    def _sing(self, event: Event) -> None:
        self.tune[event.who] = event.value

    def _weather(self, event: Event) -> None:
        self.weather = event.value

    def _tell(self, event: Event) -> None:
        pass


_EFFECTS = {
    "person": World._person,
    "object": World._object,
    "move": World._move,
    "follow": World._move,
    "take": World._take,
    "drop": World._drop,
    "give": World._give,
    "swap": World._swap,
    "look": World._look,
    "feel": World._feel,
    "paint": World._paint,
    "break": World._break,
    "mend": World._mend,
    "sleep": World._sleep,
    "wake": World._wake,
    "sing": World._sing,
    "weather": World._weather,
    "scene": World._tell,
    "ask": World._tell,
    "question": World._tell,
}
