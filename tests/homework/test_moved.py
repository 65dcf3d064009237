"""A course that was released under the package's names of before is still graded."""

import subprocess
import sys

import nbformat
import toy

from llmbook_homework.exercises import reading
from llmbook_homework.grading import submissions
from llmbook_homework.grading.grader import Grader

# What the chapters, and with them released courses, imported before the move.
BEFORE = """
from llmbook_utils import plots, tinyworld
from llmbook_utils.runtime import check_requirement, pick_device, report, set_seed
from llmbook_utils.corpora import load_corpus
from llmbook_utils.widgets import BackOff, Boundary, Choice, Cures, Memory, Merges
from llmbook_utils.widgets import NextWords, OptimizerRace, Question, Quiz, WordMap
from llmbook_utils.models import autograd, ngram
from llmbook_utils.models.ngram import Context, KneserNey, LanguageModel, NGram, Table
from llmbook_utils import ladder
from llmbook_utils.bpe import BYTE_CHARACTERS, BytePairTokenizer, Pair, split_text
from llmbook_utils.tokenizers import Vocabulary, split_words
from llmbook_utils.models.counting import cooccurrence, skipgram_pairs
from llmbook_utils.models.similarity import analogy, nearest, precision_at_k
from llmbook_utils.models.embeddings import GaussianEmbedding, Glove, NegativeSampler
from llmbook_utils.models.embeddings import ppmi
from llmbook_utils.labelled import load_labelled
from llmbook_utils.models.mlp import ACTIVATIONS, MLPConfig, pad_ids
from llmbook_utils.experiments.planes import disc_and_ring, train_networks, two_moons
from llmbook_utils.models.autograd import Arithmetic, Value, as_value
from llmbook_utils.models.descent import BEND, BOWL, SADDLE, VALLEY, GradientDescent
from llmbook_utils.models.descent import check_settings, descend, numeric_gradient
from llmbook_utils.event_files import read_curves
from llmbook_utils.training import TrainingConfig, fit, mean_loss, summed_loss
from llmbook_utils.models.neural_lm import NeuralLMConfig, WindowCache, check_batch
from llmbook_utils.evaluation import neural_bits, proportion_interval, ratio_interval
from llmbook_utils.story_scores import answer_questions, judge_stories, sample_texts
from llmbook_utils.tinyworld.village import COLOURS, HOME
from llmbook_utils.models.recurrent import Recurrent, RecurrentConfig, RecurrentLM
from llmbook_utils.models.recurrent import through_time
from llmbook_utils.models.recurrent.layers import RecurrentLayer, State
from llmbook_utils.models.recurrent.classifier import ClassifierConfig, split_words
from llmbook_utils.models.recurrent.classifier import RecurrentClassifier
from llmbook_utils.models.recurrent.classifier_files import load_classifier
from llmbook_utils.experiments import over_seeds
from llmbook_utils.models.fused import gelu
from llmbook_utils.models.gpt import GPT, CausalSelfAttention, GPTConfig, rotate
from llmbook_utils import pretrained
from llmbook_utils.tiny.recipe import Recipe, make_model
from llmbook_utils.tinyworld.check import check
from llmbook_utils.attention_view import head_view
from llmbook_utils.speed import float32_products, kept_memory
from llmbook_utils.decoding import generate
from llmbook_utils.tinyworld import stories
"""
USES = """
from llmbook_utils.ladder.rungs import load_ladder
from llmbook_utils.tinyworld.sampling import stories as now
assert ladder.load is load_ladder and tinyworld.stories is stories is now
assert callable(ladder.chart) and ladder.HeldOut and through_time.lstm
try:
    tinyworld.nothing
except AttributeError as error:
    assert "had no 'nothing'" in str(error)
"""


def run(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)


def test_each_name_of_before_is_found_where_it_is_now():
    hook = "from llmbook_homework.grading.sandbox import moved; moved.install()\n"
    done = run(f"{hook}{BEFORE}{USES}")
    assert done.returncode == 0, done.stderr


def test_only_grading_and_the_students_check_know_them():
    for line in ("corpora import load_corpus", "tinyworld import stories"):
        assert "ImportError" in run(f"from llmbook_utils.{line}").stderr.replace(
            "ModuleNotFoundError", "ImportError"
        )


def test_a_chapter_of_before_is_graded(tmp_path):
    """Its own code and the answer import from where things were."""
    nb = toy.chapter_notebook()
    nb.cells[3].source = (
        "from llmbook_utils.tokenizers import split_words\n"
        "factor = len(split_words('one two three four five'))"
    )
    path = tmp_path / "90_toy.ipynb"
    nbformat.write(nb, path)
    chapter = reading.load(path)
    third = [chapter.exercise("ex3")]
    answer = "from llmbook_utils import tinyworld\n\n\n" + toy.RIGHT["ex3"]
    data = toy.as_bytes(
        toy.submission(chapter, {"ex3": f"{answer} + 0 * len(dir(tinyworld))"})
    )
    with Grader(chapter, third) as grader:
        result = grader.grade("ada", "ch90", submissions.read(data, third))
    assert [row.status for row in result.exercises] == ["passed"], result
