"""The memory explorer: what it shows is what the networks carry."""

import html
import json
import re
from xml.etree import ElementTree

import pytest
import torch

from llmbook_utils.experiments.recall import WHO, Recaller
from llmbook_utils.explorers.core.explorer import MIME, document
from llmbook_utils.explorers.memory.memory import N_UNITS, Memory, pack, unpack

DISTANCES, BEFORES = (3, 6), (0, 2)
LABELS = {"name": "memory-x", "caption": "States.", "alt": "Bands of colour"}


@pytest.fixture(scope="module")
def models() -> dict[str, Recaller]:
    torch.manual_seed(0)
    return {"LSTM": Recaller("lstm", 12), "RNN": Recaller("rnn", 4)}


@pytest.fixture(scope="module")
def memory(models: dict[str, Recaller]) -> Memory:
    return Memory(models, DISTANCES, BEFORES, **LABELS)


def test_texts_have_the_asked_places(memory: Memory) -> None:
    data = memory.data
    for place, ids in enumerate(data["texts"]):
        i, j = divmod(place, len(BEFORES))
        assert len(ids) == BEFORES[j] + 1 + DISTANCES[i]
        assert ids[BEFORES[j]] < data["n_names"] and ids[-1] == WHO
        assert all(data["n_names"] <= i < WHO for i in ids[BEFORES[j] + 1 : -1])


def test_stored_runs_are_the_networks_own(
    memory: Memory, models: dict[str, Recaller]
) -> None:
    """Oracle: `look_inside`, to within a step of 64 levels."""
    data = memory.data
    for network in data["networks"]:
        units = network["units"]
        for ids, run in zip(data["texts"], network["runs"], strict=True):
            seen = models[network["name"]].look_inside(torch.tensor(ids))
            state = 2 * torch.tensor(unpack(run["state"])) - 1
            carried = seen["state"].tanh() if network["gates"] else seen["state"]
            gap = state.view(len(ids), -1) - carried[:, units]
            assert gap.abs().max() < 1 / 60
            for gate in network["gates"]:
                found = torch.tensor(unpack(run[gate])).view(len(ids), -1)
                assert (found - seen[gate][:, units]).abs().max() < 1 / 120
            name = next(i for i in ids if i < data["n_names"])
            p = torch.tensor(unpack(run["p"]))
            assert (p - seen["p"][:, name]).abs().max() < 1 / 120
            assert run["answers"] == seen["p"].argmax(1).tolist()


def test_gates_and_units(memory: Memory) -> None:
    lstm, rnn = memory.data["networks"]
    assert lstm["gates"] == ["input", "forget", "output"] and rnn["gates"] == []
    assert len(lstm["units"]) == N_UNITS and rnn["units"] == [0, 1, 2, 3]


def test_packing_is_near_and_keeps_within_bounds() -> None:
    values = [i / 200 for i in range(201)]
    assert (
        max(abs(a - b) for a, b in zip(values, unpack(pack(values)), strict=True))
        <= 0.5 / 63 + 1e-9
    )
    assert pack([-3, 7]) == "A_"


def test_picture_is_valid_and_the_same_at_each_run(
    memory: Memory, models: dict[str, Recaller]
) -> None:
    root = ElementTree.fromstring(Memory.picture(memory.data))
    assert root.attrib["aria-label"] == "Bands of colour"
    again = Memory(models, DISTANCES, BEFORES, **LABELS)
    assert again.data == memory.data
    assert MIME in memory._repr_mimebundle_()


def test_data_come_back_from_the_page(memory: Memory) -> None:
    page = html.unescape(document(memory.data))
    found = re.search(r'<script type="application/json">(.*?)</script>', page)
    assert found and json.loads(found[1])["texts"] == memory.data["texts"]


@pytest.mark.parametrize("lacking", ["models", "distances", "befores"])
def test_nothing_to_show_is_refused(lacking: str, models: dict[str, Recaller]) -> None:
    given = {"models": models, "distances": DISTANCES, "befores": BEFORES}
    with pytest.raises(ValueError, match="needs a model, a distance"):
        Memory(**{**given, lacking: type(given[lacking])()}, **LABELS)
