"""What `tiny` can do, as it grew, and its model card.

`recipe` trains the model and leaves the weights of every so many steps; here they are
measured, and the last ones written into the package with what was found.
"""

from __future__ import annotations

from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llmbook_recipes import store
from llmbook_recipes.store import Steps
from llmbook_utils.evaluation.bits import neural_bits
from llmbook_utils.evaluation.heads import induction_scores
from llmbook_utils.evaluation.intervals import compare_bits
from llmbook_utils.evaluation.stories import (
    answer_questions,
    find_pronoun_head,
    judge_stories,
    sample_texts,
)
from llmbook_utils.models.language_model import end_id
from llmbook_utils.pretrained.recipe import Recipe, make_model
from llmbook_utils.text.bpe import BytePairTokenizer
from llmbook_utils.tinyworld.sampling import stories

if TYPE_CHECKING:
    from torch import Tensor

    from llmbook_utils.models.attention.gpt import GPT

TARGETS = {
    "above_floor": ("at most", 0.08),
    "true_stories": ("at least", 0.85),
    "answers": ("at least", 0.90),
    "induction_head": ("at least", 0.4),
    "pronoun_head": ("at least", 0.5),
}
COOL = 0.5  # a temperature at which errors that are possible become rare


def measure(
    model: GPT, tokenizer: BytePairTokenizer, split: str, n: int, seed: int = 0
) -> dict[str, Any]:
    """Measure all that `tiny` is judged by.

    Parameters
    ----------
    model : GPT
        The model.
    tokenizer : BytePairTokenizer
        Its tokenizer.
    split : {"validation", "test"}
        Where the stories come from.
    n : int
        Stories to read, and stories to sample.
    seed : int
        Of both.

    Returns
    -------
    dict
        Each figure as ``[value, low, high]`` with its 95% interval, or a number.
    """
    sample = list(stories(n, seed, split))
    texts = [story.text for story in sample]
    report = compare_bits(
        neural_bits(model, tokenizer, texts),
        [-story.log_prob for story in sample],
        [len(text) for text in texts],
    )
    answers = answer_questions(model, tokenizer, sample)
    told = sample_texts(model, tokenizer, n, seed)
    truth = judge_stories(told)
    cool = sample_texts(model, tokenizer, n, seed, temperature=COOL)
    cool_truth = judge_stories(cool)
    outside = model.to_transformers()
    induction = induction_scores(
        outside, range(1, len(tokenizer)), start=[end_id(tokenizer)]
    )
    pronoun = find_pronoun_head(outside, tokenizer, sample[:200])
    found = {
        "bits_per_character": report.bits,
        "floor": report.floor,
        "above_floor": report.relative,
        "true_stories": truth.true,
        "true_sentences": truth.sentences,
        "true_stories_cool": cool_truth.true,
        "answers": answers.right,
        **{f"answers {kind}": share for kind, share in answers.by_kind.items()},
        "pronoun_head": pronoun.right,
        "pronoun_head_if_earlier": pronoun.right_if_earlier,
        "last_name_if_earlier": pronoun.latest_if_earlier,
    }
    figures = {k: [v.value, v.low, v.high] for k, v in found.items() if v is not None}
    figures["induction_head"] = float(induction.max())
    figures["pronoun_head_at"] = [pronoun.layer, pronoun.head]
    layer, head = divmod(int(induction.argmax()), induction.shape[1])
    figures["induction_head_at"] = [layer, head]
    figures["stories"] = n
    figures["split"] = split
    figures["problems"] = truth.problems[:10]
    figures["samples"] = told[:3]
    return figures


def make_trained(recipe: Recipe, weights: dict[str, Tensor]) -> GPT:
    """Return a model with weights that `recipe.train` left."""
    model = make_model(recipe, len(weights["wte.weight"]))
    model.load_state_dict(weights)
    return model.eval()


def measure_growth(recipe: Recipe, out: Path, n: int = 200) -> list[dict[str, Any]]:
    """Measure every snapshot of a run that has not been measured, on validation.

    Parameters
    ----------
    recipe : Recipe
        That the run followed.
    out : Path
        The run's folder.
    n : int
        Stories to read and to sample for each.

    Returns
    -------
    list of dict
        As `measure`, with ``step`` and ``stories_seen``.
    """
    from safetensors.torch import load_file

    steps = Steps(out)
    tokenizer = BytePairTokenizer.load(out)

    def find(path: Path, step: int) -> dict[str, Any]:
        model = make_trained(recipe, load_file(path))
        figures = measure(model, tokenizer, "validation", n)
        figures.pop("samples")
        figures.pop("problems")
        return {"step": step, "stories_seen": step * recipe.rows, **figures}

    points = []
    for path in sorted(out.glob("step-*.safetensors")):
        step = int(path.stem.removeprefix("step-"))
        points.append(steps.once(f"step {step}", partial(find, path, step)))
    return points


def ship(recipe: Recipe, out: Path, folder: Path, n: int = 1000) -> dict[str, Any]:
    """Write the finished model with its card, recipe and curves into a folder.

    Parameters
    ----------
    recipe : Recipe
        That the run followed.
    out : Path
        The run's folder; its best weights are taken.
    folder : Path
        Where the files go.
    n : int
        Stories of the test split to read, and stories to sample.

    Returns
    -------
    dict
        What `measure` found on the test split.
    """
    import torch

    state = torch.load(out / "run.pt", map_location="cpu", weights_only=True)
    tokenizer = BytePairTokenizer.load(out)
    model = make_trained(recipe, state["best"])
    figures = measure(model, tokenizer, "test", n)
    folder.mkdir(parents=True, exist_ok=True)
    model.to_transformers().save_pretrained(folder)
    tokenizer.save(folder)
    history = state["history"]
    about = {
        "recipe": asdict(recipe),
        "steps": history["best_step"],
        "tokens": history["tokens"],
        "seconds": round(history["seconds"]),
        "test": figures,
    }
    store.write(folder / "recipe.json", about)
    store.write(folder / "curves.json", {"points": measure_growth(recipe, out)})
    (folder / "README.md").write_text(card(about), "utf8")
    return figures


def card(about: dict[str, Any]) -> str:
    """Return the model card: what `tiny` is, was measured at, and is no good for."""
    recipe, test = about["recipe"], about["test"]
    rows = []
    for name, (bound, target) in TARGETS.items():
        is_estimate = isinstance(test[name], list)  # with an interval
        shown = "{:.3f} ({:.3f} to {:.3f})" if is_estimate else "{:.3f}"
        shown = shown.format(*(test[name] if is_estimate else [test[name]]))
        rows.append(f"| {name.replace('_', ' ')} | {shown} | {bound} {target} |")
    kinds = [
        f"| {name.removeprefix('answers ')} | {value[0]:.3f} "
        f"({value[1]:.3f} to {value[2]:.3f}) |"
        for name, value in sorted(test.items())
        if name.startswith("answers ")
    ]
    earlier = test.get("pronoun_head_if_earlier", [float("nan")] * 3)
    last = test.get("last_name_if_earlier", [float("nan")] * 3)
    bits, floor = test["bits_per_character"], test["floor"]
    cool = test["true_stories_cool"]
    story = test["samples"][0].rstrip("\n").replace("\n", "\n> ")
    return f"""---
license: mit
language: en
library_name: transformers
pipeline_tag: text-generation
---

# tiny

A GPT-2 of {recipe["n_layer"]} layers, {recipe["n_head"]} heads and width
{recipe["n_embd"]}, trained on stories of LLMBook's TinyWorld and on nothing else. It is
made to be taken apart: what it should say is known exactly.

Made by `make tiny` (seed {recipe["seed"]}): {about["steps"]:,} steps,
{about["tokens"] / 1e6:.1f} million tokens, {about["seconds"] / 3600:.1f} hours. The
recipe is in `recipe.json`, each figure as it grew in `curves.json`.

## Measured on {test["stories"]:,} stories of the test split

Bits per character: {bits[0]:.4f} ({bits[1]:.4f} to {bits[2]:.4f}); entropy floor of the
same stories: {floor[0]:.4f}. Intervals hold 95% of the time.

| figure | measured | aim |
|---|---|---|
{chr(10).join(rows)}

- Above floor: bits above the entropy floor, as a share of it.
- True stories: of {test["stories"]:,} sampled at temperature 1, those in which every
  sentence is grammatical and true. At temperature {COOL}: {cool[0]:.3f}
  ({cool[1]:.3f} to {cool[2]:.3f}).
- Answers: questions answered word for word, greedily.
- Induction head: head {test["induction_head_at"][1]} of layer
  {test["induction_head_at"][0]} on repeated random tokens.
- Pronoun head: the share of a pronoun's attention that head
  {test["pronoun_head_at"][1]} of layer {test["pronoun_head_at"][0]}, chosen on other
  stories, gives to the name it stands for. Where that is not the last name:
  {earlier[0]:.3f}, and {last[0]:.3f} for the last name.

| kind of question | answered right |
|---|---|
{chr(10).join(kinds)}

## A story it tells

> {story}

## Not for

Anything outside TinyWorld. It knows some 240 words, and people of two genders in one
village; it was not taught anything about the world that we live in.
"""
