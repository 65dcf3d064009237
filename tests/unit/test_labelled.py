"""The labelled sets keep what their datasheets promise."""

import itertools
import re
from collections import Counter

import pytest

from llmbook_utils.text import labelled
from llmbook_utils.text.labelled import LANGUAGES, NAMES, SPLITS, load_labelled

BOTH = pytest.mark.parametrize("language", LANGUAGES)
CLASSES = {
    "headlines": ["arts", "finance", "science", "sport"],
    "reviews": ["negative", "positive"],
}


@pytest.fixture(params=NAMES)
def name(request):
    return request.param


def words(text, language):
    """Split into words, or into characters where there are no spaces."""
    if language == "en":
        return re.findall(r"[a-z']+", text.lower())
    return re.findall(r"\w", text)


def test_there_are_enough_and_every_class_has_as_many(name):
    rows = labelled.read_rows(name)
    assert len(rows) >= 800
    assert sorted({row["id"] for row in rows}) == [row["id"] for row in rows]
    for split in SPLITS:
        counts = Counter(row["label"] for row in rows if row["split"] == split)
        assert sorted(counts) == CLASSES[name] and len(set(counts.values())) == 1


@BOTH
def test_no_two_are_alike(name, language):
    rows = labelled.read_rows(name)
    bags = [(frozenset(words(row[language], language)), row["split"]) for row in rows]
    for (a, split_a), (b, split_b) in itertools.combinations(bags, 2):
        share = len(a & b) / min(len(a), len(b))
        assert share <= (0.6 if split_a == split_b else 0.5), (a, b)


@BOTH
def test_no_opening_comes_more_than_three_times(name, language):
    rows = labelled.read_rows(name)
    openings = Counter(tuple(words(row[language], language)[:5]) for row in rows)
    assert openings.most_common(1)[0][1] <= 3


def test_both_languages_say_something(name):
    for row in labelled.read_rows(name):
        assert re.search("[A-Za-z]", row["en"]) and not re.search("[一-鿿]", row["en"])
        assert len(re.findall("[一-鿿]", row["zh"])) >= 6
        assert all(row[each] == row[each].strip() for each in LANGUAGES)


@BOTH
def test_a_bag_of_words_is_good_and_not_perfect(name, language):
    from sklearn.feature_extraction.text import CountVectorizer
    from sklearn.linear_model import LogisticRegression

    how = {} if language == "en" else {"analyzer": "char", "ngram_range": (1, 2)}
    bag = CountVectorizer(**how)
    train, test = (load_labelled(name, split, language) for split in ("train", "test"))
    model = LogisticRegression(C=1, max_iter=1000)
    model.fit(bag.fit_transform(train.texts), train.labels)
    assert 0.75 < model.score(bag.transform(test.texts), test.labels) < 0.97


def test_languages_go_together(name):
    english, chinese = (load_labelled(name, "test", each) for each in LANGUAGES)
    assert english.labels == chinese.labels and len(english.texts) == 120


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("poems",), "headlines, reviews"),
        (("reviews", "dev"), "train, validation, test"),
        (("reviews", "test", "fr"), "en, zh"),
    ],
)
def test_mistakes_name_what_there_is(options, message):
    with pytest.raises(ValueError, match=message):
        load_labelled(*options)


def test_a_datasheet_lies_beside_each(name):
    folder = labelled.resources.files("llmbook_utils.text.labelled")
    sheet = folder.joinpath(f"{name}.md").read_text(encoding="utf8")
    for part in ("How it was written", "split", "Baselines", "No good for", "Licence"):
        assert part.lower() in sheet.lower()
