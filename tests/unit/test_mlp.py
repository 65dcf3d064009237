"""Multilayer perceptrons and the embedding bag, against torch's own."""

import pytest
import torch
from torch import nn

from llmbook_utils.models.networks.mlp import (
    ACTIVATIONS,
    MLP,
    EmbeddingBagClassifier,
    MLPConfig,
    pad_ids,
)

MODULES = {
    "none": nn.Identity,
    "sigmoid": nn.Sigmoid,
    "tanh": nn.Tanh,
    "relu": nn.ReLU,
    "gelu": nn.GELU,
}


def sequential(model: MLP) -> nn.Sequential:
    """The same network of torch's parts, with the same weights."""
    parts: list[nn.Module] = []
    for layer in model.layers:
        copy = nn.Linear(layer.in_features, layer.out_features)
        copy.load_state_dict(layer.state_dict())
        parts += [copy, MODULES[model.config.activation]()]
    return nn.Sequential(*parts[:-1])


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("n_layer", [0, 1, 3])
def test_outputs_and_gradients_are_those_of_sequential(activation, n_layer):
    torch.manual_seed(0)
    model = MLP(MLPConfig(5, 3, n_hidden=7, n_layer=n_layer, activation=activation))
    other = sequential(model)
    x = torch.randn(11, 5)
    torch.testing.assert_close(model(x), other(x), atol=1e-6, rtol=0)
    for network in (model, other):
        network(x).square().sum().backward()
    for ours, theirs in zip(model.parameters(), other.parameters(), strict=True):
        torch.testing.assert_close(ours.grad, theirs.grad, atol=1e-5, rtol=1e-5)


def test_the_bag_is_torchs_embedding_bag():
    """Means over tokens, whatever the padding holds; an empty text gives 0."""
    torch.manual_seed(0)
    texts = [[3, 1, 4, 1], [5], [], [9, 2]]
    model = EmbeddingBagClassifier(10, MLPConfig(n_in=6, n_out=4))
    other = nn.EmbeddingBag(10, 6, mode="mean")
    other.load_state_dict(model.wte.state_dict())
    flat = torch.tensor([token for text in texts for token in text])
    offsets = torch.tensor([0, 4, 5, 5])
    ids, mask = pad_ids(texts)
    expected = other(flat, offsets)
    torch.testing.assert_close(model.bag(ids, mask), expected, atol=1e-6, rtol=0)
    other_padding = torch.where(mask, ids, 7)
    torch.testing.assert_close(model(other_padding, mask), model(ids, mask))
    model.bag(ids, mask).square().sum().backward()
    expected.square().sum().backward()
    torch.testing.assert_close(
        model.wte.weight.grad, other.weight.grad, atol=1e-6, rtol=1e-5
    )


def test_textbook_case_by_hand():
    """ReLU(1 - 2 + 0.5) = 0 and ReLU(1 + 2 - 1) = 2; then 3 * 0 - 1 * 2 + 1 = -1."""
    model = MLP(MLPConfig(2, 1, n_hidden=2))
    with torch.no_grad():
        model.layers[0].weight.copy_(torch.tensor([[1.0, -1.0], [1.0, 1.0]]))
        model.layers[0].bias.copy_(torch.tensor([0.5, -1.0]))
        model.layers[1].weight.copy_(torch.tensor([[3.0, -1.0]]))
        model.layers[1].bias.fill_(1.0)
    x = torch.tensor([1.0, 2.0])
    assert model.hidden_outputs(x)[0].tolist() == [0.0, 2.0]
    assert model(x).item() == -1.0


def test_layers_without_a_nonlinearity_are_one():
    model = MLP(MLPConfig(4, 2, n_hidden=9, n_layer=2, activation="none")).double()
    a, b, c = model.layers
    weight = c.weight @ b.weight @ a.weight
    bias = c.weight @ (b.weight @ a.bias + b.bias) + c.bias
    x = torch.randn(6, 4, dtype=torch.float64)
    torch.testing.assert_close(model(x), x @ weight.T + bias)


def test_order_of_words_does_not_matter_and_their_number_does():
    model = EmbeddingBagClassifier(9, MLPConfig(n_in=3, n_out=2)).eval()
    a, b, c = (model(*pad_ids([text])) for text in ([1, 2, 3], [3, 1, 2], [1, 2, 3, 3]))
    torch.testing.assert_close(a, b)
    assert not torch.allclose(a, c)


def test_dropout_acts_in_training_alone():
    model = MLP(MLPConfig(3, 2, dropout=0.5))
    x = torch.ones(1, 3)
    assert not torch.equal(model(x), model(x))
    model.eval()
    assert torch.equal(model(x), model(x))


@pytest.mark.parametrize(
    "wrong",
    [
        {"n_in": 0},
        {"n_out": 0},
        {"n_hidden": 0},
        {"n_layer": -1},
        {"activation": "step"},
        {"dropout": 1.0},
    ],
)
def test_wrong_shapes_are_refused(wrong):
    with pytest.raises(ValueError, match=str(next(iter(wrong.values())))):
        MLPConfig(**{"n_in": 2, "n_out": 2, **wrong})


def test_wrong_inputs_are_refused():
    with pytest.raises(ValueError, match="no text"):
        pad_ids([])
    with pytest.raises(ValueError, match="vocab_size"):
        EmbeddingBagClassifier(0, MLPConfig(2, 2))
    model = EmbeddingBagClassifier(5, MLPConfig(2, 2))
    with pytest.raises(ValueError, match="pad_ids"):
        model(torch.tensor([1, 2]), torch.tensor([True, True]))
