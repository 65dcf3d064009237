"""TinyWorld's second language says what the first says."""

import re
from collections import Counter
from itertools import permutations
from types import SimpleNamespace

import pytest

from llmbook_utils.tinyworld.chinese import (
    MOODS,
    WEATHER,
    chinese,
    chinese_sentences,
)
from llmbook_utils.tinyworld.sampling import stories
from llmbook_utils.tinyworld.story import Story, lexicon
from llmbook_utils.tinyworld.telling.choosers import Reader, TextEnds
from llmbook_utils.tinyworld.telling.teller import Teller
from llmbook_utils.tinyworld.village import COLOURS, VILLAGES
from llmbook_utils.tinyworld.world import SENTIMENTS, WEATHERS

SETTING = (
    "It is a rainy day. Mia is in the kitchen. Tom is in the kitchen. Ben is on the "
    "bridge. Mia has a red lamp. There is a blue kite in the kitchen. There is a "
    "green kite on the bridge."
)
DAY = f"{SETTING} That day, in the kitchen are Mia, Tom and the blue kite."


@pytest.fixture(scope="module", params=list(VILLAGES))
def told(request: pytest.FixtureRequest) -> list[Story]:
    return list(stories(150, seed=11, village=request.param))


def translated(text: str) -> list[str]:
    """The Chinese of the beginning of a story."""
    teller = Teller(lexicon("home"), Reader(text))
    with pytest.raises(TextEnds):
        teller.tell()
    assert "".join(teller.parts) == text
    return chinese_sentences(SimpleNamespace(told=teller))


def test_the_setting_by_hand() -> None:
    assert translated(SETTING) == [
        "这一天是雨天。",
        "米娅在厨房里。",
        "汤姆在厨房里。",
        "本杰在桥上。",
        "米娅有一盏红色的灯。",
        "厨房里有一只蓝色的风筝。",
        "桥上有一只绿色的风筝。",
    ]


@pytest.mark.parametrize(
    ("english", "expected"),
    [
        (
            "That day, in the kitchen are Mia, Tom and the blue kite.",
            "这天，厨房里有米娅、汤姆和蓝色的风筝。",
        ),
        (
            "That day, on the bridge are Ben and the green kite. Ben takes the green "
            "kite. In the kitchen are Mia, Tom and the blue kite.",
            "这天，桥上有本杰和绿色的风筝。|本杰拿起了绿色的风筝。|"
            "厨房里有米娅、汤姆和蓝色的风筝。",
        ),
        (
            "That day, on the bridge are Ben and the green kite. Ben runs from the "
            "bridge to the well. At the well is Ben.",
            "这天，桥上有本杰和绿色的风筝。|本杰从桥上跑到了水井旁。|水井旁有本杰。",
        ),
    ],
)
def test_scenes_by_hand(english: str, expected: str) -> None:
    assert translated(f"{SETTING} {english}")[7:] == expected.split("|")


@pytest.mark.parametrize(
    ("english", "expected"),
    [
        (
            "Mia walks from the kitchen to the bridge. On the bridge are Mia, Ben and "
            "the green kite.",
            "米娅从厨房走到了桥上。|桥上有米娅、本杰和绿色的风筝。",
        ),
        (
            "Tom picks up the blue kite and runs from the kitchen to the well. Then "
            "Mia follows Tom to the well.",
            "汤姆捡起了蓝色的风筝，并从厨房跑到了水井旁。|然后米娅跟着汤姆去了水井旁。",
        ),
        (
            "Tom takes the blue kite and gives it to Mia. The day turns sunny. Mia "
            "gives the lamp to Tom.",
            "汤姆拿起了蓝色的风筝，并把它给了米娅。|天晴了。|米娅把灯给了汤姆。",
        ),
        (
            "Mia drops the lamp. Tom takes the lamp. He puts the lamp down in the "
            "kitchen.",
            "米娅丢下了灯。|汤姆拿起了灯。|他把灯放在了厨房里。",
        ),
        (
            "Tom asks Mia where the green kite is, and she says that it is on the "
            "bridge. On the bridge are Ben and the green kite. Ben looks for the lamp, "
            "but it is not on the bridge.",
            "汤姆问米娅绿色的风筝在哪里，她说它在桥上。|桥上有本杰和绿色的风筝。|"
            "本杰寻找灯，但是它不在桥上。",
        ),
        (
            "Tom looks for the lamp, but Mia has it. Mia looks for the blue kite and "
            "finds it.",
            "汤姆寻找灯，但是米娅拿着它。|米娅寻找蓝色的风筝，并找到了它。",
        ),
        (
            "Mia is proud because she has the lamp. Tom is worried because the day is "
            "rainy. On the bridge are Ben and the green kite. Ben is sad because "
            "nobody is with him.",
            "米娅很自豪，因为她拿着灯。|汤姆很担心，因为外面在下雨。|"
            "桥上有本杰和绿色的风筝。|本杰很难过，因为没有人和他在一起。",
        ),
        (
            "Mia is happy because Tom is with her. What is the day like? The day is "
            "rainy. Tom falls asleep in the kitchen.",
            "米娅很高兴，因为汤姆和她在一起。|天气怎么样？外面在下雨。|"
            "汤姆在厨房里睡着了。",
        ),
        (
            "Mia breaks the lamp. She mends the lamp. Is the lamp broken? No, the lamp "
            "is not broken.",
            "米娅弄坏了灯。|她修好了灯。|灯坏了吗？不，灯没有坏。",
        ),
        (
            "Mia paints the lamp pink. She breaks the lamp. Mia mends the lamp.",
            "米娅把灯涂成了粉色。|她弄坏了灯。|米娅修好了灯。",
        ),
        (
            "Mia sings a new song: la mi ko ta. Mia sings again: la mi ko ta. Tom "
            "sings the song of Mia: la mi ko ta.",
            "米娅唱了一首新歌：啦咪科嗒。|米娅又唱了一遍：啦咪科嗒。|"
            "汤姆唱了米娅的歌：啦咪科嗒。",
        ),
        (
            "Tom takes the blue kite. Mia trades the lamp with Tom for the blue kite. "
            "Mia falls asleep in the kitchen. Mia wakes up.",
            "汤姆拿起了蓝色的风筝。|米娅用灯跟汤姆换了蓝色的风筝。|"
            "米娅在厨房里睡着了。|米娅醒了。",
        ),
    ],
)
def test_the_body_by_hand(english: str, expected: str) -> None:
    assert translated(f"{DAY} {english}")[8:] == expected.split("|")


@pytest.mark.parametrize(
    ("english", "expected"),
    [
        (
            "Where is the lamp? The lamp is with Mia in the kitchen.",
            "灯在哪里？灯在米娅那里，在厨房里。",
        ),
        ("Where is Ben? Ben is on the bridge.", "本杰在哪里？本杰在桥上。"),
        ("Who has the lamp? Mia has the lamp.", "谁拿着灯？米娅拿着灯。"),
        (
            "Who has the green kite? Nobody has the green kite.",
            "谁拿着绿色的风筝？没有人拿着绿色的风筝。",
        ),
        ("What does Mia have? Mia has the lamp.", "米娅拿着什么？米娅拿着灯。"),
        ("What does Ben have? Ben has nothing.", "本杰拿着什么？本杰什么也没有拿。"),
        ("How does Tom feel? Tom is worried.", "汤姆心情怎么样？汤姆很担心。"),
        (
            "Why is Tom worried? Tom is worried because the day is rainy.",
            "汤姆为什么担心？汤姆很担心，因为外面在下雨。",
        ),
        ("What colour is the lamp? The lamp is red.", "灯是什么颜色？灯是红色的。"),
        ("What is the day like? The day is rainy.", "天气怎么样？外面在下雨。"),
        (
            "What does Ben sing? Ben sings: si na mo li.",
            "本杰唱什么歌？本杰唱的是：嘶呐摩哩。",
        ),
        ("Is Ben asleep? No, Ben is not asleep.", "本杰睡着了吗？不，本杰没有睡着。"),
        ("Is the lamp broken? Yes, the lamp is broken.", "灯坏了吗？是的，灯坏了。"),
    ],
)
def test_questions_by_hand(english: str, expected: str) -> None:
    text = (
        f"{DAY} Mia breaks the lamp. Tom is worried because the day is rainy. On the "
        "bridge are Ben and the green kite. Ben sings a new song: si na mo li. Ben "
        "falls asleep on the bridge. Ben wakes up."
    )
    assert translated(f"{text} {english}")[-1] == expected


def test_sentences_and_lines_stand_where_they_do_in_english(told: list[Story]) -> None:
    for story in told:
        found = chinese_sentences(story)
        assert len(found) == len(story.sentences)
        text = chinese(story)
        assert text.replace("\n", "") == "".join(found)
        lines = [(line.count("。"), line.count("？")) for line in text.splitlines()]
        assert lines == [
            (line.count("."), line.count("?")) for line in story.text.splitlines()
        ]
        assert text.endswith("\n完。\n")


def test_only_chinese_letters_and_signs(told: list[Story]) -> None:
    for story in told:
        assert re.fullmatch(r"[\u4e00-\u9fff，。：、？\n]+", chinese(story))


def test_nothing_is_lost(told: list[Story]) -> None:
    """Different sentences stay different, and equal ones equal."""
    there: dict[str, str] = {}
    back: dict[str, str] = {}
    for story in told:
        for sentence, other in zip(
            story.sentences, chinese_sentences(story), strict=True
        ):
            assert there.setdefault(sentence.text, other) == other
            assert back.setdefault(other, sentence.text) == sentence.text
    assert len(there) > 1000


def test_whatever_the_english_names_the_chinese_names(told: list[Story]) -> None:
    """Oracle: the spans of the English, and the village's words."""
    for story in told:
        village, world = VILLAGES[story.village], story.world
        wanted = [Counter() for _ in story.sentences]
        for span in story.spans:
            if span.antecedent:
                word = story.text[span.start : span.end].lower()
                zh = {"it": "它", "he": "他", "him": "他"}.get(word, "她")
            elif span.kind == "person":
                zh = village.people[world.people[span.number]].chinese
            elif span.kind == "thing":
                zh = village.things[world.things[span.number]].chinese
            else:
                zh = village.places[span.number].chinese
            wanted[span.sentence][zh] += 1
        for sentence, names in zip(chinese_sentences(story), wanted, strict=True):
            assert all(sentence.count(name) >= n for name, n in names.items())
            rest = sentence.replace("吉他", "")
            pronouns = sum(names[pronoun] for pronoun in "他她它")
            assert sum(map(rest.count, "他她它")) == pronouns


@pytest.mark.parametrize("name", VILLAGES)
def test_no_chinese_word_begins_another_of_its_kind(name: str) -> None:
    village = VILLAGES[name]
    for entities in (village.people, village.places, village.things):
        words = [entity.chinese for entity in entities]
        assert not [
            pair for pair in permutations(words, 2) if pair[0].startswith(pair[1])
        ]


def test_every_colour_mood_and_weather_has_words_of_its_own() -> None:
    assert len(set(COLOURS.values())) == len(COLOURS)
    assert set(MOODS) == set(SENTIMENTS)
    assert len(set(MOODS.values())) == len(MOODS)
    assert set(WEATHER) == set(WEATHERS)
    assert len({words for three in WEATHER.values() for words in three}) == 18
