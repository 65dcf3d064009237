"""What is said of feelings: a mood and its cause."""

from __future__ import annotations

from llmbook_utils.tinyworld.telling.options import Options
from llmbook_utils.tinyworld.telling.voice import OBJECT, SUBJECT

_CAUSE_VERBS = {
    "has": " has",
    "missing": " cannot find",
    "friend": " is with",
    "envy": " has",
    "alone": " is with",
    "broken": " is broken",
    "weather": " is",
}


class Reasons(Options):
    """Tells how people feel, and why."""

    def _feel(self, who: int) -> None:
        moods = self.moods(who)
        names = list(moods)
        mood = names[self.say([f" {name}" for name in names])]
        self.emit(" because")
        cause = self.choose_cause(who, moods[mood])
        self.emit(".")
        self.happen("feel", who, value=(mood, cause))

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
