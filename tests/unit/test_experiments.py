"""What chapters say of five seeds is what their functions give."""

import json
from collections.abc import Iterator

import pytest

from llmbook_utils import experiments
from llmbook_utils.experiments import over_seeds, recall, reviews


def leaves(node: object) -> Iterator[list[float]]:
    if isinstance(node, dict):
        for each in node.values():
            yield from leaves(each)
    else:
        yield node


def test_each_result_is_a_share_for_each_seed() -> None:
    stored = json.loads(experiments.STORED.read_text("utf-8"))
    assert tuple(stored["seeds"]) == experiments.SEEDS
    rows = [*leaves(stored["results"])]
    assert len(rows) == 4 * 4 + 3 + 2 * 2
    assert all(len(row) == len(experiments.SEEDS) for row in rows)
    assert all(0 <= share <= 1 for row in rows for share in row)


@pytest.mark.parametrize(("network", "distance"), [("RNN", 5), ("LSTM, open", 20)])
def test_recall_gives_the_stored_share(network: str, distance: int) -> None:
    stored = over_seeds("recall")[network][str(distance)][3]
    assert recall.after_training(network, distance, 3) == pytest.approx(
        stored, abs=0.05
    )


def test_a_network_that_does_not_learn_it_gives_the_stored_guess() -> None:
    stored = over_seeds("recall")["RNN"]["40"][1]
    assert recall.after_training("RNN", 40, 1) == pytest.approx(stored, abs=0.1)


def test_reviews_give_the_stored_shares() -> None:
    stored = over_seeds("reviews")
    for name, model in reviews.train_both(seed=2).items():
        for language, share in reviews.on_test(model).items():
            # another processor may turn a few of 120 texts
            assert share == pytest.approx(stored[name][language][2], abs=0.05)


def test_an_unknown_experiment_names_the_known() -> None:
    with pytest.raises(ValueError, match="recall, recall at 100, reviews"):
        over_seeds("weather")
