"""Points in the plane, and small networks that are trained side by side."""

import numpy as np
import pytest
import torch

from llmbook_utils.experiments.planes import (
    disc_and_ring,
    train_networks,
    two_moons,
    two_spirals,
)
from llmbook_utils.models.networks.mlp import ACTIVATIONS, MLP, MLPConfig


@pytest.mark.parametrize("make", [two_moons, two_spirals, disc_and_ring])
def test_points_are_balanced_and_repeatable(make):
    points, labels = make(100, seed=3)
    assert points.shape == (100, 2) and labels.sum() == 50
    assert points.abs().max() < 2.2
    again, _ = make(100, seed=3)
    assert torch.equal(points, again)
    assert not torch.equal(points, make(100, seed=4)[0])


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_scores_are_those_of_an_mlp_with_the_same_weights(activation):
    points, labels = two_moons(40)
    (network,) = train_networks(
        points, labels, widths=[5], activation=activation, seeds=[0], n_steps=10
    )
    model = MLP(MLPConfig(2, 1, n_hidden=5, activation=activation)).double()
    with torch.no_grad():
        model.layers[0].weight.copy_(torch.tensor(network.hidden[:, :2]))
        model.layers[0].bias.copy_(torch.tensor(network.hidden[:, 2]))
        model.layers[1].weight.copy_(torch.tensor(network.output[None, :-1]))
        model.layers[1].bias.copy_(torch.tensor(network.output[-1:]))
        expected = model(points.double()).squeeze(1)
    np.testing.assert_allclose(network.scores(points.numpy()), expected, atol=1e-6)
    loss = torch.nn.functional.binary_cross_entropy_with_logits(
        expected, labels.double()
    )
    assert network.loss == pytest.approx(loss.item(), abs=1e-5)


def test_neighbours_in_the_stack_do_not_matter():
    """A network learns the same alone and beside wider ones."""
    points, labels = two_moons(60)
    settings = {"activation": "tanh", "n_steps": 30}
    (alone,) = train_networks(points, labels, widths=[2], seeds=[1], **settings)
    beside = train_networks(points, labels, widths=[2, 7], seeds=[0, 1], **settings)[1]
    assert (beside.width, beside.seed) == (2, 1)
    np.testing.assert_allclose(alone.hidden, beside.hidden, atol=1e-4)
    np.testing.assert_allclose(alone.output, beside.output, atol=1e-4)


def test_training_lowers_the_loss():
    points, labels = disc_and_ring(60)
    settings = {"widths": [8], "activation": "relu", "seeds": [0]}
    before, after = (
        train_networks(points, labels, n_steps=n, **settings)[0] for n in (1, 200)
    )
    assert after.loss < 0.5 * before.loss
