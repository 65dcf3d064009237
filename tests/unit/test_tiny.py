"""The shipped model: its recipe, how it is judged, and what it has to be good at."""

import json
import random
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from llmbook_recipes.tiny import growth, train
from llmbook_recipes.tiny.batches import IGNORED, StoryBatches
from llmbook_utils import pretrained
from llmbook_utils.evaluation import stories as story_scores
from llmbook_utils.evaluation.bits import neural_bits
from llmbook_utils.evaluation.heads import induction_scores
from llmbook_utils.models.attention.gpt import GPT
from llmbook_utils.pretrained import recipe
from llmbook_utils.pretrained.recipe import Recipe
from llmbook_utils.text.bpe import BytePairTokenizer
from llmbook_utils.tinyworld.reading import parse
from llmbook_utils.tinyworld.sampling import split_of, stories
from llmbook_utils.tinyworld.village import VILLAGES
from llmbook_utils.tinyworld.world import World

TINY = pretrained.TINY
SMALL = Recipe(
    tokenizer_stories=200,
    n_layer=1,
    n_head=2,
    n_embd=16,
    steps=6,
    rows=3,
    copy_rows=2,
    first_steps=2,
    first_rows=4,
    first_length=20,
    group=2,
    glossed=0.5,
)


@pytest.fixture(scope="module")
def tokenizer():
    return recipe.make_tokenizer(SMALL)


# -- the recipe ------------------------------------------------------------------------


def test_a_batch_depends_on_its_step_alone(tokenizer):
    forward, backward = (StoryBatches(tokenizer, SMALL) for _ in range(2))
    found, tables = [], []
    for step in range(6):
        found.append(forward(step))
        tables.append(forward.table)
    for step in reversed(range(6)):
        for one, other in zip(found[step], backward(step), strict=True):
            assert torch.equal(one, other)
        assert torch.equal(tables[step], backward.table)
    assert not torch.equal(found[2][0][0, :80], found[3][0][0, :80])


def test_rows_are_stories_of_the_training_split_with_exact_probabilities(tokenizer):
    small = replace(SMALL, glossed=0.0)
    batches = StoryBatches(tokenizer, small)
    for step in (3, 4, 5):
        inputs, targets = batches(step)
        assert inputs.shape == targets.shape
        assert len(inputs) == SMALL.rows + SMALL.copy_rows
        for row, wanted in zip(inputs[: SMALL.rows], targets, strict=False):
            length = int((wanted != IGNORED).sum())
            assert int(row[0]) == int(wanted[length - 1]) == 0  # <|endoftext|>
            text = tokenizer.decode(row[1:length].tolist())
            story = parse(text)
            assert split_of(text) == "train"
            bits = 0.0
            for token, target in zip(row[1:length], wanted, strict=False):
                if target < len(tokenizer):
                    assert token == target
                else:
                    row_of = batches.table[target - len(tokenizer)]
                    assert row_of.sum() == pytest.approx(1, abs=1e-5)
                    bits += float(row_of[token].log2())
            assert bits == pytest.approx(story.log_prob, abs=1e-3)


def gloss_of(span, world):
    """What has to follow a mention, by the state of the world."""
    village = world.village
    if span.kind == "person" and span.number < len(world.people):
        gloss = f" {village.places[world.at[span.number]].name}"
        if span.antecedent:  # he, she, him, her
            return f" {village.people[world.people[span.number]].name}{gloss}"
        return gloss
    if span.kind == "thing" and span.number < len(world.things):
        how, where = world.location(span.number)
        if how == "held":
            return f" {village.people[world.people[where]].name}"
        return f" {village.places[where].name}"
    return ""


def test_glosses_tell_where_everybody_and_everything_is(tokenizer):
    batches = StoryBatches(tokenizer, SMALL)
    glossed_pronouns = 0
    for seed in range(30):
        told = batches.tell(random.Random(seed), is_glossed=True)
        plain = batches.tell(random.Random(seed))
        assert tokenizer.decode([told.start]) == "="
        assert tokenizer.decode([plain.start]) == "<|endoftext|>"
        assert len(told.ids) == len(told.forks)
        story, left = parse(tokenizer.decode(plain.ids)), tokenizer.decode(told.ids)
        end = 0
        for span in story.spans:
            said = story.text[end : span.end]
            assert left.startswith(said)
            left, end = left[len(said) :], span.end
            events = story.sentences[span.sentence].events
            world = World(VILLAGES["home"])
            for sentence in story.sentences[: span.sentence]:
                for event in sentence.events:
                    world.apply(event)
            possible = [gloss_of(span, world)]
            for event in events[
                :-1
            ]:  # of two deeds, the second sees what the first did
                world.apply(event)
                possible.append(gloss_of(span, world))
            gloss = max((g for g in possible if left.startswith(g)), key=len)
            left = left[len(gloss) :]
            glossed_pronouns += span.antecedent is not None
        assert left == story.text[end:]
    assert glossed_pronouns > 10


def test_the_loss_is_the_cross_entropy_with_the_exact_probabilities(tokenizer):
    batches = StoryBatches(tokenizer, SMALL)
    inputs, targets = batches(4)
    model = recipe.make_model(SMALL, len(tokenizer)).eval()
    logs = model(inputs).detach().log_softmax(-1)
    expected = 0.0
    for b, t in (targets != IGNORED).nonzero().tolist():
        target = int(targets[b, t])
        if target < len(tokenizer):
            expected -= logs[b, t, target].item()
        else:
            row = batches.table[target - len(tokenizer)]
            expected -= float((row * logs[b, t]).sum())
    found = batches.loss(model, inputs, targets).item()
    assert found == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("step", [0, 3])
def test_copying_rows_are_learned_from_where_they_repeat(tokenizer, step):
    inputs, targets = StoryBatches(tokenizer, SMALL)(step)
    rows = slice(0, None) if step < SMALL.first_steps else slice(SMALL.rows, None)
    assert len(inputs[rows]) == (4 if step < SMALL.first_steps else 2)
    for row, wanted in zip(inputs[rows].tolist(), targets[rows].tolist(), strict=True):
        period = sum(target == IGNORED for target in wanted)
        assert 4 <= period <= len(row) // 2
        sequence = [*row[1:], wanted[-1]]
        assert wanted[period:] == sequence[period:]
        assert sequence[period:] == sequence[: len(sequence) - period]
        assert len(set(sequence[:period])) == period


def test_positions_start_as_sinusoids():
    table = recipe.sinusoids(50, 8)
    assert torch.allclose(table[:, 0], torch.arange(50.0).sin())
    assert torch.allclose(table[:, 1], torch.arange(50.0).cos())
    # a shift is the same rotation everywhere: products depend on the distance alone
    products = table @ table.T
    assert torch.allclose(products[3, 10], products[30, 37], atol=1e-4)


def test_from_nothing_to_a_model_that_loads(tmp_path, tokenizer):
    """Stopped half-way and gone on with, it is the model of one go."""
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    model = train.train(SMALL, whole, snapshot_every=2)
    train.train(replace(SMALL, steps=4), parts, snapshot_every=2)
    again = train.train(SMALL, parts, snapshot_every=2)
    for name, weights in model.state_dict().items():
        assert torch.equal(weights, again.state_dict()[name]), name
    shipped = tmp_path / "shipped"
    figures = growth.ship(SMALL, whole, shipped, n=4)
    assert figures["above_floor"][0] > 1  # it has learned next to nothing
    loaded, tokens = pretrained.load(shipped)
    ids = torch.tensor([tokens.encode("It is a sunny day.")])
    assert torch.allclose(loaded(ids).logits, model(ids), atol=1e-5)
    card = (shipped / "README.md").read_text("utf8")
    assert f"{figures['true_stories'][0]:.3f}" in card
    about = json.loads((shipped / "recipe.json").read_text("utf8"))
    assert Recipe(**about["recipe"]) == SMALL
    curves = json.loads((shipped / "curves.json").read_text("utf8"))
    assert [point["step"] for point in curves["points"]] == [2, 4, 6]


# -- how a model is judged -------------------------------------------------------------


class Knowing(torch.nn.Module):
    """Predicts the given texts, but for the tokens where it is told to be wrong."""

    def __init__(self, tokenizer, texts, wrong=()):
        super().__init__()
        self.none = torch.nn.Parameter(torch.zeros(1))
        self.config = SimpleNamespace(block_size=256)
        self.size = len(tokenizer)
        self.after = {}
        for number, text in enumerate(texts):
            ids = [0, *tokenizer.encode(text), 0]
            for i in range(1, len(ids)):
                right = (number, i) not in wrong
                self.after[tuple(ids[:i])] = ids[i] if right else 1

    def forward(self, inputs):
        logits = torch.zeros(*inputs.shape, self.size)
        for b, row in enumerate(inputs.tolist()):
            for t in range(len(row)):
                logits[b, t, self.after.get(tuple(row[: t + 1]), 0)] = 9.0
        return logits


def test_an_answer_is_right_if_every_token_of_it_is(tokenizer):
    sample = list(stories(6, "answers"))
    texts = [story.text for story in sample]
    asked = sum(len(story.questions) for story in sample)
    found = story_scores.answer_questions(Knowing(tokenizer, texts), tokenizer, sample)
    assert found.right.value == 1.0
    # wrong in one token within the answer of story 2, and in one before the question
    question = sample[2].questions[-1]
    start = sample[2].sentences[question.sentence].end - len(question.answer)
    _, pieces = story_scores.pieces_of(tokenizer, texts[2])
    ends = np.cumsum([len(piece) for piece in pieces])
    first = int(np.searchsorted(ends, start, side="right")) + 1
    for wrong, share in ((first, (asked - 1) / asked), (first - 1, 1.0)):
        model = Knowing(tokenizer, texts, {(2, wrong)})
        found = story_scores.answer_questions(model, tokenizer, sample)
        assert found.right.value == pytest.approx(share)
    with pytest.raises(ValueError, match="no story asks"):
        story_scores.answer_questions(model, tokenizer, [])


def test_stories_are_true_if_every_sentence_is():
    texts = [story.text for story in stories(10, "truth")]
    untrue = texts[0].replace("The end.", "Nobody knows.\nThe end.")
    found = story_scores.judge_stories([*texts, untrue])
    assert found.true.value == pytest.approx(10 / 11)
    assert found.sentences.value < 1
    assert len(found.problems) == 1


def test_pronouns_are_found_among_the_tokens(tokenizer):
    for story in stories(40, "pronouns"):
        _, pieces = story_scores.pieces_of(tokenizer, story.text)
        cases = story_scores.pronoun_cases(story, pieces)
        spans = [s for s in story.spans if s.antecedent and s.kind == "person"]
        assert len(cases) == len(spans)
        for case, span in zip(cases, spans, strict=True):
            assert pieces[case.query - 1].strip() == story.text[span.start : span.end]
            name = "".join(pieces[i - 1] for i in case.right).strip()
            start, end = span.antecedent.start, span.antecedent.end
            assert name == story.text[start:end]
            assert max(case.latest) < case.query


def test_sampled_texts_end_where_the_story_ends(tokenizer):
    model = recipe.make_model(SMALL, len(tokenizer)).eval()
    texts = story_scores.sample_texts(model, tokenizer, 5, seed=1, batch_size=2)
    assert len(texts) == 5
    assert len(set(texts)) == 5
    assert texts == story_scores.sample_texts(model, tokenizer, 5, 1, batch_size=2)
    assert not any("<|endoftext|>" in text for text in texts)


# -- what is shipped -------------------------------------------------------------------


@pytest.fixture(scope="module")
def about():
    return json.loads((TINY / "recipe.json").read_text("utf8"))


@pytest.fixture(scope="module")
def tiny():
    return pretrained.load("tiny")


def test_what_is_shipped_is_small_and_of_gpt2s_architecture(tiny):
    model, tokenizer = tiny
    size = sum(path.stat().st_size for path in TINY.iterdir() if path.is_file())
    assert size <= 12e6
    assert model.config.model_type == "gpt2"
    assert model.config.vocab_size == len(tokenizer)
    assert not list(TINY.glob("*.bin")) and not list(TINY.glob("*.pt"))


def test_the_card_is_made_from_what_was_measured(about):
    assert (TINY / "README.md").read_text("utf8") == growth.card(about)


def test_the_recipe_that_is_shipped_is_the_one_in_the_code(about):
    assert Recipe(**about["recipe"]) == Recipe()


def test_the_tokenizer_that_is_shipped_is_the_recipes(tiny):
    made = recipe.make_tokenizer(Recipe())
    shipped = BytePairTokenizer.load(TINY)
    assert (made.vocab, made.merges) == (shipped.vocab, shipped.merges)


def test_tiny_is_as_good_as_its_card_says(tiny, about):
    """On other stories than those of the card; bounds are those of its figures."""
    model, _ = tiny
    tokenizer = BytePairTokenizer.load(TINY)
    ours = GPT.from_transformers(model).eval()
    sample = list(stories(120, "as good", "test"))
    test = about["test"]
    bits = neural_bits(ours, tokenizer, [story.text for story in sample])
    floor = -sum(story.log_prob for story in sample)
    assert bits.sum() / floor - 1 < test["above_floor"][2] + 0.02
    answers = story_scores.answer_questions(ours, tokenizer, sample)
    assert answers.right.high > test["answers"][1]
    told = story_scores.sample_texts(ours, tokenizer, 60, seed=5)
    assert story_scores.judge_stories(told).true.high > test["true_stories"][1]
    induction = induction_scores(model, range(1, len(tokenizer)), start=[0], repeats=1)
    assert induction.max() > test["induction_head"] - 0.1
    pronoun = story_scores.find_pronoun_head(model, tokenizer, sample[:60])
    assert pronoun.right.high > test["pronoun_head"][1]
