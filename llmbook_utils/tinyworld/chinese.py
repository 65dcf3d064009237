"""The second language: a story of TinyWorld told in Mandarin.

Nothing is translated word by word. Each sentence is made anew from its events, whose
kinds say which Chinese pattern it gets, and from what it mentions, which fills the
pattern's gaps: a name, 他, 她 or 它 where the English has a pronoun, a place with its
localizer (厨房里), an object with its colour (红色的灯). The patterns name things in
the order of the English, so that most gaps are filled from left to right.

Different English sentences have different Chinese ones: nothing is lost.
"""

from __future__ import annotations

from collections.abc import Callable

from llmbook_utils.tinyworld.story import Story
from llmbook_utils.tinyworld.telling.teller import Teller
from llmbook_utils.tinyworld.telling.voice import Mention
from llmbook_utils.tinyworld.village import COLOURS
from llmbook_utils.tinyworld.world import SYLLABLES, Event

LANGUAGES = ("en", "zh")

MOODS = {
    "happy": "高兴",
    "proud": "自豪",
    "glad": "开心",
    "sad": "难过",
    "angry": "生气",
    "worried": "担心",
}
WEATHER = {  # the kind of day, what the weather turns to, what it is
    "sunny": ("晴天", "天晴了", "外面天气晴朗"),
    "rainy": ("雨天", "下雨了", "外面在下雨"),
    "windy": ("大风天", "刮风了", "外面刮着大风"),
    "snowy": ("雪天", "下雪了", "外面在下雪"),
    "foggy": ("雾天", "起雾了", "外面有大雾"),
    "stormy": ("暴风雨天", "暴风雨来了", "外面有暴风雨"),
}
_SYLLABLES = dict(zip(SYLLABLES, "啦咪科嗒噜瑟啵呢啪嘟菲咯哩摩呐嘶", strict=True))
_PRONOUNS = {"f": "她", "m": "他"}


def chinese_sentences(story: Story) -> list[str]:
    """Tell a story in Chinese, sentence by sentence.

    Parameters
    ----------
    story : Story
        Of any village.

    Returns
    -------
    list of str
        As many as ``story.told.sentences``, and in their order. A question and its
        answer are one entry, and "The end." is the last.

    Notes
    -----
    Built for chapter 08, which translates.

    Examples
    --------
    >>> from llmbook_utils.tinyworld.sampling import sample_story
    >>> chinese_sentences(sample_story(0))[-1]
    '完。'
    """
    told = story.told
    mentions: list[list[Mention]] = [[] for _ in told.sentences]
    ends = [end for _, end, _, _ in told.sentences]
    number = 0
    for mention in told.mentions:
        while mention.part >= ends[number]:
            number += 1
        mentions[number].append(mention)
    return [
        _sentence(told, told.parts[first:end], told.events[event:last], named)
        for (first, end, event, last), named in zip(
            told.sentences, mentions, strict=True
        )
    ]


def chinese(story: Story) -> str:
    """Tell a story in Chinese.

    Lines begin where they begin in English: the body is one, and so is each question
    with its answer at the end.

    Parameters
    ----------
    story : Story
        Of any village.

    Returns
    -------
    str
        The sentences of `chinese_sentences`.

    Notes
    -----
    Built for chapter 08, which translates.

    Examples
    --------
    >>> from llmbook_utils.tinyworld.sampling import sample_story
    >>> text = chinese(sample_story(0))
    >>> text.count("\\n") == sample_story(0).text.count("\\n")
    True
    """
    parts = story.told.parts
    text = ""
    for (first, end, _, _), sentence in zip(
        story.told.sentences, chinese_sentences(story), strict=True
    ):
        if parts[first - 1] == "\n" and not text.endswith("\n"):
            text += "\n"
        text += sentence + "\n" * parts[end - 1].endswith("\n")
    return text


def render(story: Story, language: str = "en") -> str:
    """Return a story's text in a language.

    Raises
    ------
    ValueError
        If `language` is neither ``"en"`` nor ``"zh"``.

    Examples
    --------
    >>> from llmbook_utils.tinyworld.sampling import sample_story
    >>> story = sample_story(0)
    >>> render(story) == story.text, render(story, "zh") == chinese(story)
    (True, True)
    """
    if language not in LANGUAGES:
        raise ValueError(f"language must be 'en' or 'zh', got {language!r}")
    return story.text if language == "en" else chinese(story)


def _sentence(
    told: Teller, parts: list[str], events: list[Event], mentions: list[Mention]
) -> str:
    if not events:
        return "完。"
    pattern = "".join(_pattern(told, parts, events))
    return pattern.format(*(_name(told, mention) for mention in mentions))


def _pattern(told: Teller, parts: list[str], events: list[Event]) -> list[str]:
    """Return the pieces of a sentence, with ``{}`` for each mention."""
    first, kind = events[0], events[0].kind
    if kind == "weather":
        day, turns, _ = WEATHER[first.value]
        return [turns if parts[0].startswith(" The day") else f"这一天是{day}", "。"]
    if kind in ("person", "object", "question"):
        return [_WHOLE[kind](told, first)]
    if kind == "scene":
        return ["这天，" if parts[0] == " That day," else "", _scene(first)]
    pieces = ["然后"] if " Then" in parts else []
    pieces += ["{}", _VERBS[kind](first, parts)]
    for event in events[1:]:
        pieces += ["，并", _VERBS[event.kind](event, parts)]
    return [*pieces, "。"]


def _name(told: Teller, mention: Mention) -> str:
    """Return the Chinese words of one mention."""
    village, surface = told.lexicon.village, told.parts[mention.part]
    kind, number = mention.entity
    if kind == "place":
        place = village.places[number]
        # 在厨房里, but 从厨房走到桥上: one walks onto a bridge, and to a kitchen
        is_bare = surface.startswith(" the ") and place.localizer == "里"
        return place.chinese if is_bare else place.chinese + place.localizer
    if kind == "person":
        person = village.people[told.world.people[number]]
        return _PRONOUNS[person.gender] if mention.antecedent else person.chinese
    noun = village.things[told.world.things[number]].chinese
    if mention.antecedent:
        return "它"
    words = surface.split()
    return f"{COLOURS[words[1]]}的{noun}" if len(words) == 3 else noun


def _listing(count: int) -> str:
    """Return the pattern of several names: 米娅、汤姆和灯."""
    return "、".join(["{}"] * (count - 1)) + "和" * (count > 1) + "{}"


def _song(syllables: tuple[str, ...]) -> str:
    return "".join(_SYLLABLES[syllable] for syllable in syllables)


# -- patterns of whole sentences -------------------------------------------------------


def _person(told: Teller, event: Event) -> str:
    return "{}在{}。"


def _object(told: Teller, event: Event) -> str:
    thing, colour = event.value
    measure = told.lexicon.village.things[thing].measure
    one = f"有一{measure}{COLOURS[colour]}的"
    # the only pattern in another order than the English: 草地上有一个蓝色的花瓶
    return f"{{1}}{one}{{0}}。" if event.who is None else f"{{}}{one}{{}}。"


def _scene(event: Event) -> str:
    people, things = event.value
    return f"{{}}有{_listing(len(people) + len(things))}。"


def _question(told: Teller, event: Event) -> str:
    kind, _, answer = event.value
    match kind:
        case "where" if answer[0] is not None:
            return "{}在哪里？{}在{}那里，在{}。"
        case "where" | "where_person":
            return "{}在哪里？{}在{}。"
        case "who_has":
            return f"谁拿着{{}}？{'没有人' if answer is None else '{}'}拿着{{}}。"
        case "what_has":
            has = f"拿着{_listing(len(answer))}" if answer else "什么也没有拿"
            return f"{{}}拿着什么？{{}}{has}。"
        case "feel":
            return f"{{}}心情怎么样？{{}}很{MOODS[answer]}。"
        case "why":
            mood = MOODS[answer[0]]
            return f"{{}}为什么{mood}？{{}}{_feeling(*answer)}。"
        case "colour":
            return f"{{}}是什么颜色？{{}}是{COLOURS[answer]}的。"
        case "song":
            return f"{{}}唱什么歌？{{}}唱的是：{_song(answer)}。"
        case "weather":
            return f"天气怎么样？{WEATHER[answer][2]}。"
        case "broken":
            return f"{{}}坏了吗？{'是的，{}坏了' if answer else '不，{}没有坏'}。"
    return f"{{}}睡着了吗？{'是的，{}睡着了' if answer else '不，{}没有睡着'}。"


_WHOLE: dict[str, Callable[[Teller, Event], str]] = {
    "person": _person,
    "object": _object,
    "question": _question,
}

# -- patterns of what follows the one who acts -----------------------------------------


def _move(event: Event, parts: list[str]) -> str:
    return f"从{{}}{'跑' if ' runs' in parts else '走'}到了{{}}"


def _take(event: Event, parts: list[str]) -> str:
    return "捡起了{}" if " picks up" in parts else "拿起了{}"


def _drop(event: Event, parts: list[str]) -> str:
    return "丢下了{}" if event.where is None else "把{}放在了{}"


def _look(event: Event, parts: list[str]) -> str:
    ends = {"found": "并找到了{}", "missing": "但是{}不在{}"}
    return "寻找{}，" + ends.get(event.value, "但是{}拿着{}")


def _ask(event: Event, parts: list[str]) -> str:
    kind, _ = event.value
    return "问{}{}在哪里，{}说" + ("{}拿着{}" if kind == "held" else "{}在{}")


def _feeling(mood: str, cause: tuple) -> str:
    because = {
        "has": "{}拿着{}",
        "missing": "{}找不到{}",
        "friend": "{}和{}在一起",
        "envy": "{}拿着{}",
        "alone": "没有人和{}在一起",
        "broken": "{}坏了",
    }.get(cause[0]) or WEATHER[cause[1]][2]
    return f"很{MOODS[mood]}，因为{because}"


def _feel(event: Event, parts: list[str]) -> str:
    return _feeling(*event.value)


def _sing(event: Event, parts: list[str]) -> str:
    which = "又唱了一遍" if " again:" in parts else "唱了一首新歌"
    if event.whom not in (None, event.who):
        which = "唱了{}的歌"
    return f"{which}：{_song(event.value)}"


def _paint(event: Event, parts: list[str]) -> str:
    return f"把{{}}涂成了{COLOURS[event.value]}"


def _always(pattern: str) -> Callable[[Event, list[str]], str]:
    return lambda event, parts: pattern


_VERBS: dict[str, Callable[[Event, list[str]], str]] = {
    "move": _move,
    "follow": _always("跟着{}去了{}"),
    "take": _take,
    "drop": _drop,
    "give": _always("把{}给了{}"),
    "swap": _always("用{}跟{}换了{}"),
    "look": _look,
    "ask": _ask,
    "feel": _feel,
    "paint": _paint,
    "break": _always("弄坏了{}"),
    "mend": _always("修好了{}"),
    "sleep": _always("在{}睡着了"),
    "wake": _always("醒了"),
    "sing": _sing,
}
