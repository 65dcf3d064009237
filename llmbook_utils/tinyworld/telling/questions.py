"""Questions about the world, each with its answer."""

from __future__ import annotations

from llmbook_utils.tinyworld.telling.reasons import Reasons


class Questions(Reasons):
    """Asks and answers; no question is asked twice in a story."""

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
        """Tell whether it may be asked why a person feels so: the cause still holds."""
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
_ANSWERS = {kind: getattr(Questions, f"_answer_{kind}") for kind in _QUESTION_ENDS}
