"""Recurrent layers and the neural language models: against torch, and by hand."""

import math
from collections.abc import Callable

import pytest
import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from llmbook_utils.decoding.sampling import generate
from llmbook_utils.evaluation.bits import neural_bits
from llmbook_utils.models.attention.gpt import GPT, GPTConfig
from llmbook_utils.models.language_model import context_size
from llmbook_utils.models.sequences.neural_lm import NeuralLM, NeuralLMConfig
from llmbook_utils.models.sequences.recurrent import through_time
from llmbook_utils.models.sequences.recurrent.language_model import (
    RecurrentConfig,
    RecurrentLM,
)
from llmbook_utils.models.sequences.recurrent.layers import LAYERS, LSTMLayer
from llmbook_utils.models.sequences.recurrent.stack import Recurrent
from llmbook_utils.training import TrainingConfig, fit, summed_loss

CELLS = {"rnn": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}
PRECISIONS = [(torch.float32, 1e-5), (torch.float64, 1e-10)]


def as_tuple(state: torch.Tensor | tuple[torch.Tensor, ...]) -> tuple:
    """Give the state of torch's RNN and GRU the form of its LSTM's."""
    return state if isinstance(state, tuple) else (state,)


def theirs_of(cell: str, dtype: torch.dtype, **options: object) -> nn.RNNBase:
    torch.manual_seed(0)
    module = CELLS[cell](5, 7, batch_first=True, **options).to(dtype)
    for p in module.parameters():
        nn.init.normal_(p, std=0.5)  # far from linear
    return module


def start(cell: str, rows: int, batch: int, dtype: torch.dtype) -> tuple:
    generator = torch.Generator().manual_seed(1)
    return tuple(
        torch.randn(rows, batch, 7, dtype=dtype, generator=generator).requires_grad_()
        for _ in range(LAYERS[cell].n_states)
    )


@pytest.mark.parametrize(("dtype", "tolerance"), PRECISIONS)
@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("by_steps", [False, True])
@pytest.mark.parametrize("starts_anywhere", [False, True])
def test_outputs_and_gradients_are_those_of_torch(
    cell: str,
    bidirectional: bool,
    by_steps: bool,
    starts_anywhere: bool,
    dtype: torch.dtype,
    tolerance: float,
) -> None:
    """Oracle: outputs, last states, and gradients of inputs, weights, first states."""
    theirs = theirs_of(cell, dtype, num_layers=2, bidirectional=bidirectional)
    ours = Recurrent.from_torch(theirs)
    x = torch.randn(3, 11, 5, dtype=dtype).requires_grad_()
    first = start(cell, 4 if bidirectional else 2, 3, dtype) if starts_anywhere else ()
    given: dict[nn.Module, object] = {ours: first or None, theirs: None}
    if first:
        given[theirs] = first if cell == "lstm" else first[0]
    found = []
    for module, state in given.items():
        options = {"by_steps": by_steps} if module is ours else {}
        y, last = module(x, state, **options)
        results = [y, *as_tuple(last)]
        weighted = [
            (part * torch.linspace(-1, 2, part.numel(), dtype=dtype).view_as(part))
            for part in results
        ]
        loss = sum(part.sum() for part in weighted)
        parameters = (
            [p for pair in ours._pairs(theirs) for p in pair[1:]]
            if module is theirs
            else [pair[0] for pair in ours._pairs(theirs)]
        )
        found.append([*results, *torch.autograd.grad(loss, [x, *first, *parameters])])
    for got, expected in zip(*found, strict=True):
        scale = max(1.0, expected.abs().max().item())
        torch.testing.assert_close(got, expected, atol=tolerance * scale, rtol=0)


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("bidirectional", [False, True])
def test_weights_go_to_torch_and_back(cell: str, bidirectional: bool) -> None:
    ours = Recurrent(cell, 5, 7, 3, bidirectional, dropout=0.25).eval()
    theirs = ours.to_torch()
    assert type(theirs) is CELLS[cell] and not theirs.training
    x = torch.randn(2, 6, 5)
    torch.testing.assert_close(theirs(x)[0], ours(x)[0], atol=1e-6, rtol=0)
    again = Recurrent.from_torch(theirs)
    assert again.dropout.p == 0.25 and not again.training
    for name, p in again.state_dict().items():
        assert torch.equal(p, ours.state_dict()[name])


@pytest.mark.parametrize("options", [{"bias": False}, {"nonlinearity": "relu"}])
def test_what_ours_lacks_is_refused(options: dict) -> None:
    with pytest.raises(ValueError, match="nonlinearity='tanh'"):
        Recurrent.from_torch(nn.RNN(5, 7, **options))
    with pytest.raises(ValueError, match="which Recurrent has"):
        Recurrent.from_torch(nn.LSTM(5, 7, proj_size=3))


@pytest.mark.parametrize("cell", CELLS)
def test_gradients_by_hand_are_those_of_finite_differences(cell: str) -> None:
    """Property: each function of `through_time` passes torch's gradient check."""
    gates = len(LAYERS[cell].gates)
    torch.manual_seed(0)
    x = torch.randn(4, 2, gates * 3, dtype=torch.double, requires_grad=True)
    states = [
        torch.randn(2, 3, dtype=torch.double, requires_grad=True)
        for _ in range(LAYERS[cell].n_states)
    ]
    rest = [torch.randn(gates * 3, 3, dtype=torch.double, requires_grad=True)]
    if cell == "gru":
        rest.append(torch.randn(gates * 3, dtype=torch.double, requires_grad=True))
    assert torch.autograd.gradcheck(
        getattr(through_time, cell), (x, *states, *rest), atol=1e-7
    )


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("bidirectional", [False, True])
def test_padding_is_not_read(cell: str, bidirectional: bool) -> None:
    """Oracle: texts of different lengths as in torch's packed sequences."""
    theirs = theirs_of(cell, torch.double, num_layers=2, bidirectional=bidirectional)
    ours = Recurrent.from_torch(theirs)
    x, lengths = torch.randn(3, 6, 5, dtype=torch.double), torch.tensor([4, 6, 1])
    packed = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
    y, last = theirs(packed)
    y, _ = pad_packed_sequence(y, batch_first=True)
    got, state = ours(x, lengths=lengths)
    torch.testing.assert_close(got, y, atol=1e-12, rtol=0)
    for mine, their in zip(state, as_tuple(last), strict=True):
        torch.testing.assert_close(mine, their, atol=1e-12, rtol=0)
    x[0, 4:] = 99.0
    assert torch.equal(ours(x, lengths=lengths)[0], got)


@pytest.mark.parametrize("cell", CELLS)
def test_a_text_may_be_read_in_pieces(cell: str) -> None:
    ours = Recurrent(cell, 5, 7, n_layer=2).double()
    x = torch.randn(2, 9, 5, dtype=torch.double)
    whole, end = ours(x)
    left, state = ours(x[:, :4])
    right, state = ours(x[:, 4:], state)
    torch.testing.assert_close(torch.cat([left, right], 1), whole)
    torch.testing.assert_close(state, end)


def test_an_lstm_step_by_hand() -> None:
    """All gates at sigmoid(0) = 1/2 and a candidate of tanh(0) = 0: c is halved."""
    layer = LSTMLayer(1, 1)
    for p in layer.parameters():
        nn.init.zeros_(p)
    h, c = layer.step(torch.zeros(1, 4), (torch.tensor([[0.3]]), torch.tensor([[2.0]])))
    assert c.item() == 1.0
    assert h.item() == pytest.approx(0.5 * math.tanh(1.0))


def test_a_closed_and_an_open_gate_keep_the_cell_for_ever() -> None:
    """Forget gate 1 and input gate 0: after 100 steps c is what it was."""
    x = torch.zeros(100, 1, 4)
    x[:, :, 0], x[:, :, 1] = -50.0, 50.0
    _, c = through_time.lstm(
        x, torch.zeros(1, 1), torch.tensor([[0.7]]), torch.zeros(4, 1)
    )
    assert c[-1].item() == pytest.approx(0.7)


def test_the_forget_gate_starts_open_and_layers_name_their_gates() -> None:
    layer = LSTMLayer(64, 64)
    bias = (layer.from_input.bias + layer.from_state.bias).view(4, 64)
    means = bias.mean(1)
    assert means[1] > 0.9 and means[[0, 2, 3]].abs().max() < 0.1
    assert "gates=input, forget, candidate, output" in repr(layer)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [(("lstn", 3, 5), "one of rnn, lstm, gru"), (("gru", 3, 0), "n_hidden must be 1")],
)
def test_impossible_stacks_are_explained(arguments: tuple, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Recurrent(*arguments)


@pytest.mark.parametrize("length", [0, 7])
def test_impossible_lengths_are_explained(length: int) -> None:
    x, lengths = torch.zeros(2, 6, 3), torch.tensor([6, length])
    with pytest.raises(ValueError, match=rf"1 \.\.\. 6, .* got \[6, {length}\]"):
        Recurrent("gru", 3, 5)(x, lengths=lengths)


# -- language models ---------------------------------------------------------------


def bengio(**options: object) -> NeuralLM:
    return NeuralLM(NeuralLMConfig(29, block_size=4, n_embd=6, n_hidden=9, **options))


def recurrent(cell: str = "lstm", **options: object) -> RecurrentLM:
    config = {"n_embd": 6, "n_hidden": 9, "n_layer": 2, "cell": cell} | options
    return RecurrentLM(RecurrentConfig(29, **config))


MODELS: dict[str, Callable[[], nn.Module]] = {
    "bengio": bengio,
    "bengio direct": lambda: bengio(has_direct=True),
    "rnn": lambda: recurrent("rnn"),
    "lstm": recurrent,
    "lstm untied": lambda: recurrent(is_tied=False),
    "lstm square": lambda: recurrent(n_embd=9),
    "gru": lambda: recurrent("gru"),
}


@pytest.fixture(params=MODELS)
def model(request: pytest.FixtureRequest) -> nn.Module:
    torch.manual_seed(0)
    return MODELS[request.param]().eval()


def texts(rows: int = 3, length: int = 12) -> torch.Tensor:
    return torch.randint(29, (rows, length), generator=torch.Generator().manual_seed(1))


def test_a_future_token_changes_no_past_logit(model: nn.Module) -> None:
    ids = texts()
    before = model(ids)
    assert before.shape == (3, 12, 29)
    ids[:, 7] = (ids[:, 7] + 1) % 29
    after = model(ids)
    assert torch.equal(before[:, :7], after[:, :7])
    assert not torch.equal(before[:, 7:], after[:, 7:])


def test_the_window_ends_where_it_says() -> None:
    """Of four tokens the fifth last is out of sight, and the fourth last is not."""
    torch.manual_seed(0)
    model, ids = bengio(), texts()
    before = model(ids)
    ids[:, 0] = (ids[:, 0] + 1) % 29
    after = model(ids)
    changed = (before != after).any(-1).any(0)
    assert changed.tolist() == [True] * 4 + [False] * 8


def test_bengio_by_hand() -> None:
    """b + W tanh(d + H x) + U x, for the second token of a text."""
    torch.manual_seed(0)
    model = bengio(has_direct=True).double()
    x = torch.cat([model.wte.weight[i] for i in (29, 29, 3, 8)])
    hidden = torch.tanh(model.hidden.bias + model.hidden.weight @ x)
    W, U = model.head.weight.split([9, 24], dim=1)
    expected = model.head.bias + W @ hidden + U @ x
    torch.testing.assert_close(model(torch.tensor([[3, 8]]))[0, 1], expected)


def test_the_loss_is_that_of_the_logits(model: nn.Module) -> None:
    """Oracle: the summed cross-entropy of torch, and its gradients."""
    ids, targets = texts(), texts().roll(-1, 1)
    targets[:, -2:] = -100
    grads = []
    for give in (
        lambda: summed_loss(model, ids, targets),
        lambda: nn.functional.cross_entropy(
            model(ids).flatten(0, 1), targets.flatten(), reduction="sum"
        ),
    ):
        model.zero_grad()
        loss = give()
        loss.backward()
        grads.append([loss, *(p.grad for p in model.parameters())])
    for got, expected in zip(*grads, strict=True):
        torch.testing.assert_close(got, expected, atol=2e-5, rtol=1e-5)


def test_cached_logits_equal_uncached_ones(model: nn.Module) -> None:
    ids = texts()
    expected, cache = model(ids), model.new_cache(3)
    pieces = [model(part, cache) for part in ids.split([1, 1, 5, 1, 4], dim=1)]
    torch.testing.assert_close(torch.cat(pieces, 1), expected, atol=1e-5, rtol=0)
    assert cache.length == 12 and "12 tokens" in repr(cache)


def test_generation_goes_beyond_the_window(model: nn.Module) -> None:
    """Greedy text is the likeliest token each time."""
    text = generate(model, texts(3, 2), 30, temperature=0)
    assert text.shape == (3, 32) and context_size(model) == math.inf
    with torch.no_grad():
        assert torch.equal(model(text)[:, 1:-1].argmax(-1), text[:, 2:])


class Letters:
    """A tokenizer of letters; 28 ends a text."""

    eos_token_id = 28

    def encode(self, text: str) -> list[int]:
        return [ord(letter) - ord("a") for letter in text]


def test_bits_of_a_text_are_a_sum_over_tokens(model: nn.Module) -> None:
    """Long beyond any window, and the same alone and beside another."""
    long, short = "the end is near" * 5, "abc"
    long = long.replace(" ", "")
    both = neural_bits(model, Letters(), [long, short])
    ids = torch.tensor([[28, *Letters().encode(short), 28]])
    with torch.no_grad():
        logs = model(ids[:, :-1]).log_softmax(-1)[0]
    expected = -sum(logs[i, ids[0, i + 1]].item() for i in range(4)) / math.log(2)
    assert both[1] == pytest.approx(expected, rel=1e-5)
    alone = neural_bits(model, Letters(), [long])
    assert both[0] == pytest.approx(alone[0], rel=1e-5)


def test_models_learn_to_count(model: nn.Module) -> None:
    def batch(step: int) -> tuple[torch.Tensor, torch.Tensor]:
        generator = torch.Generator().manual_seed(step)
        first = torch.randint(29, (8, 1), generator=generator)
        ids = (first + torch.arange(9)) % 29
        return ids[:, :-1], ids[:, 1:]

    config = TrainingConfig(steps=120, lr=2e-2, warmup=10)
    history = fit(model, batch, config)
    assert history.losses[-1] < 0.6 * history.losses[0]


def test_tying_shares_one_matrix() -> None:
    tied, untied = recurrent(n_embd=9), recurrent(n_embd=9, is_tied=False)
    sizes = [sum(p.numel() for p in m.parameters()) for m in (tied, untied)]
    assert sizes[1] - sizes[0] == 29 * 9
    assert tied.to_embd is None and recurrent().to_embd is not None


def test_the_gpt_keeps_its_limit_and_strangers_are_refused() -> None:
    assert context_size(GPT(GPTConfig(29, 24, 1, 1, 4))) == 24
    with pytest.raises(TypeError, match="or a model with new_cache, got Linear"):
        generate(nn.Linear(2, 2), texts(), 1)
    with pytest.raises(ValueError, match="must have the shape"):
        bengio()(texts()[0])
    with pytest.raises(ValueError, match="n_hidden must be 1 or more"):
        NeuralLMConfig(29, n_hidden=0)
