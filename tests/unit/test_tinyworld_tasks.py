"""Tasks made from stories: every answer is right, and `verify` knows wrong ones."""

import json
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, replace

import pytest

from llmbook_utils.tinyworld.checking.check import check
from llmbook_utils.tinyworld.chinese import chinese
from llmbook_utils.tinyworld.reading import parse
from llmbook_utils.tinyworld.sampling import split_of, stories
from llmbook_utils.tinyworld.story import Story
from llmbook_utils.tinyworld.tasks import labelling
from llmbook_utils.tinyworld.tasks.asking import question_answering, questions
from llmbook_utils.tinyworld.tasks.instructing import Instruction, instructions, verify
from llmbook_utils.tinyworld.tasks.labelling import (
    entities,
    entity_text,
    sentiment,
    sentiments,
)
from llmbook_utils.tinyworld.tasks.summarising import summaries, summary
from llmbook_utils.tinyworld.tasks.translating import translation, translations
from llmbook_utils.tinyworld.village import COLOURS, VILLAGES
from llmbook_utils.tinyworld.world import SENTIMENTS

TASKS = (
    question_answering,
    entities,
    sentiment,
    translation,
    summaries,
    instructions,
)
SETTING = (
    "It is a rainy day. Mia is in the kitchen. Tom is in the kitchen. Ben is on the "
    "bridge. Mia has a red lamp. There is a blue kite in the kitchen. There is a "
    "green kite on the bridge. That day, in the kitchen are Mia, Tom and the blue "
    "kite. Tom is worried because the day is rainy."
)


@pytest.fixture(scope="module", params=list(VILLAGES))
def told(request: pytest.FixtureRequest) -> list[Story]:
    return list(stories(100, seed=12, village=request.param))


# -- all tasks -------------------------------------------------------------------------


@pytest.mark.parametrize("task", TASKS)
def test_the_same_seed_gives_the_same_examples(task: Callable) -> None:
    assert list(task(3, seed=1)) == list(task(3, seed=1)) != list(task(3, seed=2))
    assert list(task(0)) == []


@pytest.mark.parametrize("task", TASKS)
def test_examples_are_plain_rows(task: Callable) -> None:
    for example in task(2, village="away"):
        row = asdict(example)
        assert json.loads(json.dumps(row)).keys() == row.keys()


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n": -1}, "n must be"),
        ({"n": 1, "split": "dev"}, "split must be"),
        ({"n": 1, "village": "moon"}, "village must be"),
    ],
)
def test_bad_arguments_are_named_at_once(
    task: Callable, arguments: dict, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        task(**arguments)


@pytest.mark.parametrize("split", ["train", "validation", "test"])
def test_examples_are_of_their_split(split: str) -> None:
    assert {split_of(e.text) for e in entities(10, split=split)} == {split}
    assert {split_of(e.text) for e in summaries(10, split=split)} == {split}
    found = translation(10, split=split, unit="story")
    assert {split_of(e.source) for e in found} == {split}
    found = instructions(10, split=split)
    assert {split_of(e.input) for e in found if e.kind == "people"} == {split}


# -- questions -------------------------------------------------------------------------


def is_true(beginning: str, village: str = "home") -> bool:
    return check(f"{beginning}\nThe end.", village).ok


def test_the_questions_of_the_story_come_first(told: list[Story]) -> None:
    for story in told:
        found = questions(story, extra=0)
        assert [(q.question, q.answer, q.kind) for q in found] == [
            (q.question, q.answer, q.kind) for q in story.questions
        ]
        for example in found:
            assert example.is_asked
            after = story.text.removeprefix(example.context).lstrip()
            assert after.startswith(f"{example.question} {example.answer}")


def test_added_questions_are_answered_truly(told: list[Story]) -> None:
    """Oracle: `check`, which knows the language and the world by rules of its own.

    Among them: nobody asks "why" when the cause is gone.
    """
    kinds = set()
    for story in told:
        n_asked = len(questions(story, extra=0))
        for example in questions(story, extra=4)[n_asked:]:
            assert not example.is_asked
            assert story.text.startswith(example.context)
            assert is_true(
                f"{example.context} {example.question} {example.answer}", story.village
            )
            kinds.add(example.kind)
    assert kinds >= {"where", "where_person", "who_has", "what_has", "feel", "why"}
    assert kinds >= {"colour", "broken", "asleep", "song", "weather"}


def test_extra_must_be_a_count() -> None:
    with pytest.raises(ValueError, match="extra must be"):
        question_answering(1, extra=-1)


# -- entities --------------------------------------------------------------------------


def test_every_name_is_found_and_nothing_else(told: list[Story]) -> None:
    """Oracle: a search for the village's words."""
    colours = "|".join(COLOURS)
    for story in told:
        village = VILLAGES[story.village]
        found = entity_text(story)
        assert found.text == story.text
        spans: dict[str, list] = {"PERSON": [], "PLACE": [], "OBJECT": []}
        for one in found.entities:
            spans[one.label].append((one.start, one.end))
        words = {
            "PERSON": "|".join(person.name for person in village.people),
            "PLACE": "|".join(place.name for place in village.places),
            "OBJECT": f"(?:(?:{colours}) )?(?:"
            + "|".join(thing.name for thing in village.things)
            + ")",
        }
        for label, pattern in words.items():
            expected = [
                m.span() for m in re.finditer(rf"\b(?:{pattern})\b", story.text)
            ]
            assert spans[label] == expected


def test_names_of_one_entity_have_one_number(told: list[Story]) -> None:
    for story in told:
        found = entity_text(story)
        numbers = [one.entity for one in found.entities]
        assert list(dict.fromkeys(numbers)) == list(range(max(numbers) + 1))
        people = {}
        for one in found.entities:
            name = story.text[one.start : one.end]
            if one.label != "OBJECT":  # objects may be painted, and have namesakes
                assert people.setdefault(name, one.entity) == one.entity
        assert len(set(people.values())) == len(people)


def test_a_pronoun_means_the_last_name_of_its_entity(told: list[Story]) -> None:
    gender = {"he": "m", "him": "m", "she": "f", "her": "f"}
    n_pronouns = 0
    for story in told:
        people = {
            person.name: person.gender for person in VILLAGES[story.village].people
        }
        found = entity_text(story)
        for pronoun in found.pronouns:
            word = story.text[pronoun.start : pronoun.end].lower()
            name = found.entities[pronoun.antecedent]
            assert name.end < pronoun.start
            between = found.entities[pronoun.antecedent + 1 :]
            assert not any(
                one.entity == name.entity and one.start < pronoun.start
                for one in between
            )
            meant = story.text[name.start : name.end]
            assert people.get(meant) == gender.get(word)
            assert (word == "it") == (name.label == "OBJECT")
            n_pronouns += 1
        # "It is a sunny day" has the only "it" that means nothing
        words = re.findall(r"\b(?:he|him|she|her|it)\b", story.text.lower())
        assert len(found.pronouns) == len(words) - 1
    assert n_pronouns > 2 * len(told)


# -- sentiment -------------------------------------------------------------------------


def test_moods_decide_the_sentiment(told: list[Story]) -> None:
    """Oracle: the mood's word in the sentence."""
    for story in told:
        for example in sentiments(story):
            mood = re.search(
                rf" is ({'|'.join(SENTIMENTS)}) because ", example.sentence
            )
            if mood is None:
                assert (example.label, example.cause) == ("neutral", None)
            else:
                assert example.label == SENTIMENTS[mood[1]]
                assert example.sentence == (
                    f"{example.sentence[: mood.end()]}{example.cause}."
                )


def test_sentiment_is_half_neutral_and_in_order() -> None:
    found = list(sentiment(100))
    count = Counter(example.label for example in found)
    assert count["neutral"] == count["positive"] + count["negative"] > 50
    assert min(count.values()) > 10
    assert not any("?" in example.sentence for example in found)
    story = next(stories(1))
    places = [story.text.index(e.sentence) for e in labelling._balanced(story)]
    assert places == sorted(places)


# -- translation and summaries ---------------------------------------------------------


def test_translation_goes_both_ways_by_sentence_and_by_story() -> None:
    story = next(stories(1, seed=4))
    pairs = translations(story)
    assert [pair.source for pair in pairs] == [one.text for one in story.sentences]
    assert "".join(pair.target for pair in pairs) == chinese(story).replace("\n", "")
    back = translations(story, "zh", "en")
    assert [(p.target, p.source) for p in back] == [(p.source, p.target) for p in pairs]
    (whole,) = translations(story, unit="story")
    assert (whole.source, whole.target) == (story.text, chinese(story))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"source": "fr"}, "source must be"),
        ({"target": "fr"}, "target must be"),
        ({"source": "zh"}, "must differ"),
        ({"unit": "word"}, "unit must be"),
    ],
)
def test_translation_names_a_bad_argument(arguments: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        translation(1, **arguments)


def test_summaries_are_true(told: list[Story]) -> None:
    """Oracle: a reading of the summary, and of the story's first and last state."""
    for story in told:
        world, village = story.world, VILLAGES[story.village]
        found = re.fullmatch(
            r"In the end (\w+), who started (?:in|on|at) the (\w+), is (?:(?:in|on|at) "
            r"the (\w+)|(still|again|there again|still there)) and has (.+)\.",
            summary(story),
        )
        assert found
        who = [village.people[one].name for one in world.people].index(found[1])
        assert re.search(rf"{found[1]} is (in|on|at) the {found[2]}\.", story.text)
        last = village.places[world.at[who]].name
        assert last == (found[3] or found[2])
        moves = [
            e for e in story.events if e.who == who and e.kind in ("move", "follow")
        ]
        assert (found[4] == "still there") == (not moves)
        held = [village.things[world.things[what]].name for what in world.held(who)]
        names = re.split(", | and ", found[5])
        assert [name.split()[-1] for name in names] == (held or ["nothing"])


def test_the_summary_is_about_the_one_who_acts_most() -> None:
    text = SETTING + (
        " On the bridge are Ben and the green kite. Ben takes the green kite. He runs "
        "from the bridge to the kitchen. In the kitchen are Mia, Tom, Ben and the blue "
        "kite. Mia gives the lamp to Ben. Tom takes the blue kite. Ben breaks the "
        "lamp. Then he mends the lamp. Ben walks from the kitchen to the bridge. On "
        "the bridge is Ben. Ben falls asleep on the bridge.\n"
        "Where is Tom? Tom is in the kitchen.\nThe end.\n"
    )
    assert summary(parse(text)) == (
        "In the end Ben, who started on the bridge, is there again and has the lamp "
        "and the green kite."
    )


# -- instructions ----------------------------------------------------------------------


def test_outputs_are_right_and_those_of_others_mostly_wrong() -> None:
    found = list(instructions(60, seed=5))
    assert all(verify(one, one.output) for one in found)
    for kind in ("write", "continue", "where", "people", "has"):
        same = [one for one in found if one.kind == kind]
        assert len(same) > 50
        n_wrong = sum(
            not verify(one, other.output)
            for one, other in zip(same, same[1:] + same[:1], strict=True)
        )
        assert n_wrong >= 0.6 * len(same)  # "nothing" is often right


def test_instructions_name_the_sentence_as_a_reader_counts() -> None:
    for one in instructions(60, seed=6):
        if one.kind != "where":
            continue
        count = int(re.search(r"after sentence (\d+)\?$", one.instruction)[1])
        ends = [m.end() for m in re.finditer(r"[.?]", one.input)]
        text = one.input[: ends[count - 1]]
        question = re.sub(r" after sentence \d+", "", one.instruction)
        assert is_true(f"{text} {question} {one.output}")


@pytest.mark.parametrize(
    ("answer", "is_right"),
    [
        ("Tom takes the blue kite.", True),
        ("Tom picks up the blue kite.", True),
        (" He takes the blue kite and gives it to Mia.\n", True),
        ("Then Tom takes the blue kite.", True),
        ("Tom takes the green kite.", False),  # that one is on the bridge
        ("Mia takes the blue kite.", False),  # true, but not what was asked for
        ("Tom takes the blue kite", False),  # no full stop
        ("Tom takes the blue kite. Tom takes", False),
        ("Tom takes the blue kite. Mia drops the lamp.", False),
        ("Mia drops the lamp. Tom takes the blue kite.", False),  # two sentences
        ("tom takes the blue kite.", False),
        ("Mia gives the lamp to Tom.", False),
        ("", False),
        ("?", False),
    ],
)
def test_verify_write(answer: str, is_right: bool) -> None:
    task = Instruction(
        "Write one sentence in which Tom takes the blue kite.",
        SETTING,
        "Tom takes the blue kite.",
        "write",
        "home",
    )
    assert verify(task, answer) is is_right


@pytest.mark.parametrize(
    ("wanted", "answer", "is_right"),
    [
        ("Mia drops the lamp.", "Mia puts the lamp down in the kitchen.", True),
        ("Mia paints the lamp pink.", "Mia paints the lamp blue.", False),
        (
            "Mia walks from the kitchen to the barn.",
            "Mia runs from the kitchen to the barn.",
            True,
        ),
        (
            "Mia walks from the kitchen to the barn.",
            "Mia runs from the kitchen to the well.",
            False,
        ),
        ("Mia gives the lamp to Tom.", "Mia gives it to Tom.", False),
    ],
)
def test_verify_write_compares_deeds(wanted: str, answer: str, is_right: bool) -> None:
    task = Instruction("", SETTING, wanted, "write", "home")
    assert verify(task, wanted)
    assert verify(task, answer) is is_right


@pytest.mark.parametrize(
    ("answer", "is_right"),
    [
        ("Mia gives the lamp to Tom.", True),
        ("Then Mia gives the lamp to Tom.", True),
        ("The day turns sunny.", True),
        ("On the bridge are Ben and the green kite.", True),
        ("On the bridge is Ben.", False),  # the kite is there too
        ("Ben is sad because nobody is with him.", False),  # not in this scene
        ("Ben takes the green kite.", False),
        ("Tom gives the lamp to Mia.", False),  # Mia holds it
        ("Ben sees Mia.", False),
        ("Where is Mia? Mia is in the kitchen.", False),  # a question
        ("Mia gives the lamp to Tom. Tom takes the blue kite.", False),
        ("The end.", False),
    ],
)
def test_verify_continue(answer: str, is_right: bool) -> None:
    task = Instruction("", SETTING, "Tom takes the blue kite.", "continue", "home")
    assert verify(task, answer) is is_right


@pytest.mark.parametrize(
    ("kind", "output", "right", "wrong"),
    [
        (
            "where",
            "The lamp is with Mia in the barn.",
            ["in the barn", "with Mia in the barn.", "The lamp is in the barn."],
            ["in the shed", "Mia", "with Tom in the barn", "The key is in the barn."],
        ),
        ("where", "Mia is on the hill.", ["On the hill"], ["in the hill", "hill", ""]),
        (
            "people",
            "Mia, Tom and Ben",
            ["Tom, Ben, Mia", "Ben and Mia and Tom."],
            ["Mia and Tom", "Mia, Tom, Ben and Eva", "Mia, Mia, Tom, Ben", ""],
        ),
        (
            "has",
            "the red lamp and the blue kite",
            ["the blue kite and the red lamp", "red lamp, blue kite"],
            ["the lamp and the kite", "the red lamp", "nothing"],
        ),
        ("has", "nothing", ["Nothing."], ["the red lamp", ""]),
    ],
)
def test_verify_places_and_lists(
    kind: str, output: str, right: list[str], wrong: list[str]
) -> None:
    task = Instruction("", "", output, kind, "home")
    assert verify(task, output)
    assert all(verify(task, answer) for answer in right)
    assert not any(verify(task, answer) for answer in wrong)


def test_the_village_of_an_instruction_counts() -> None:
    task = next(
        one for one in instructions(5, village="away") if one.kind == "continue"
    )
    assert verify(task, task.output)
    assert not verify(replace(task, output="", village="home"), task.output)


def test_verify_wants_a_string() -> None:
    with pytest.raises(TypeError, match="answer must be a string"):
        verify(Instruction("", "", "", "people", "home"), ["Mia"])
