"""Optimisers: as torch.optim on the same gradients, as theory says on quadratics."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from llmbook_utils.models.networks.descent import (
    BEND,
    BOWL,
    SADDLE,
    VALLEY,
    Adam,
    GradientDescent,
    Momentum,
    descend,
    numeric_gradient,
)

PAIRS = {
    "gradient descent": (
        lambda lr: GradientDescent(lr),
        lambda p, lr: torch.optim.SGD(p, lr=lr),
    ),
    "momentum": (
        lambda lr: Momentum(lr, 0.8),
        lambda p, lr: torch.optim.SGD(p, lr=lr, momentum=0.8),
    ),
    "adam": (lambda lr: Adam(lr), lambda p, lr: torch.optim.Adam(p, lr=lr)),
    "adam, other betas": (
        lambda lr: Adam(lr, 0.5, 0.9, 1e-3),
        lambda p, lr: torch.optim.Adam(p, lr=lr, betas=(0.5, 0.9), eps=1e-3),
    ),
}


@pytest.mark.parametrize("name", PAIRS)
@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 999), lr=st.floats(1e-3, 1), size=st.floats(1e-6, 1e3))
def test_optimizers_equal_torch(name: str, seed: int, lr: float, size: float) -> None:
    """Over 30 steps with the same gradients, every point within 1e-10."""
    ours, theirs = PAIRS[name][0](lr), None
    rng = np.random.default_rng(seed)
    place = rng.normal(size=(3, 2))
    other = torch.tensor(place, requires_grad=True)
    theirs = PAIRS[name][1]([other], lr)
    for _ in range(30):
        gradient = rng.normal(size=(3, 2)) * size
        place = ours.step(place, gradient)
        other.grad = torch.tensor(gradient)
        theirs.step()
        want = other.detach().numpy()
        assert (np.abs(place - want) <= 1e-10 * np.maximum(1, np.abs(want))).all()


def test_momentum_of_zero_is_gradient_descent() -> None:
    start = np.array(VALLEY.start)
    plain = descend(GradientDescent(0.03), VALLEY.gradient, start, 40)
    heavy = descend(Momentum(0.03, 0.0), VALLEY.gradient, start, 40)
    np.testing.assert_allclose(heavy, plain, atol=1e-12)


@given(st.lists(st.floats(1e-3, 1e3), min_size=1, max_size=5), st.floats(1e-4, 1))
def test_first_step_of_adam_has_the_size_of_the_rate(sizes: list, lr: float) -> None:
    gradient = np.array(sizes) * np.where(np.arange(len(sizes)) % 2, -1, 1)
    step = Adam(lr).step(np.zeros(len(sizes)), gradient)
    np.testing.assert_allclose(step, -lr * np.sign(gradient), rtol=1e-4)


@pytest.mark.parametrize("curvature", [0.5, 4.0, 50.0])
def test_largest_stable_rate_is_two_over_curvature(curvature: float) -> None:
    ends = {}
    for part in (0.99, 1.0, 1.01):
        method = GradientDescent(part * 2 / curvature)
        ends[part] = abs(descend(method, lambda t: curvature * t, [1.0], 400)[-1, 0])
    assert ends[0.99] < 1e-3 and ends[1.01] > 1e3
    assert ends[1.0] == pytest.approx(1)


def test_momentum_needs_the_root_of_the_steps() -> None:
    """At the best settings, steps grow like the ratio of curvatures, or its root."""
    needed = {}
    for ratio in (25.0, 400.0):
        low, high = 1.0, math.sqrt(ratio)
        share = ((high - low) / (high + low)) ** 2
        for method in (
            GradientDescent(2 / (1 + ratio)),
            Momentum((2 / (low + high)) ** 2, share),
        ):
            slope = np.array([1.0, ratio])
            path = descend(method, lambda t, c=slope: c * t, np.ones(2), 6000)
            far = np.linalg.norm(path, axis=1) > 1e-3
            needed[type(method).__name__, ratio] = np.flatnonzero(far)[-1]
    plain = needed["GradientDescent", 400.0] / needed["GradientDescent", 25.0]
    heavy = needed["Momentum", 400.0] / needed["Momentum", 25.0]
    assert 12 < plain < 20 and 3 < heavy < 6


def test_a_path_that_leaves_is_cut_off() -> None:
    path = descend(GradientDescent(3.0), lambda t: t, [1.0], 500)
    assert len(path) < 30 and 1e6 < abs(path[-1, 0]) < 1e7


@pytest.mark.parametrize("surface", [VALLEY, SADDLE, BOWL, BEND])
@settings(max_examples=20)
@given(x=st.floats(-3, 3), y=st.floats(-3, 3))
def test_gradients_of_surfaces(surface: object, x: float, y: float) -> None:
    point = np.array([x, y])
    measured = numeric_gradient(lambda t: surface.value(*t), point)
    np.testing.assert_allclose(surface.gradient(point), measured, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("minimum,surface", [((1, 1), BEND), ((0, 0), BOWL)])
def test_minima_are_where_they_should_be(minimum: tuple, surface: object) -> None:
    assert surface.value(*minimum) == pytest.approx(0)
    np.testing.assert_allclose(
        surface.gradient(np.array(minimum, float)), 0, atol=1e-12
    )


def test_numeric_gradient_leaves_its_argument_and_takes_any_shape() -> None:
    theta = np.arange(6.0).reshape(2, 3)
    kept = theta.copy()
    found = numeric_gradient(lambda t: (t**2).sum() / 2, theta)
    np.testing.assert_allclose(found, theta, atol=1e-9)
    np.testing.assert_array_equal(theta, kept)


@pytest.mark.parametrize(
    "make,named",
    [
        (lambda: GradientDescent(0.0), "lr must be positive"),
        (lambda: GradientDescent(-1.0), "lr must be positive"),
        (lambda: Momentum(0.1, 1.0), "momentum must be 0 or more"),
        (lambda: Adam(0.1, beta2=1.5), "beta2 must be 0 or more"),
        (lambda: Adam(0.1, eps=0.0), "eps must be positive"),
    ],
)
def test_settings_out_of_range_are_refused(make: object, named: str) -> None:
    with pytest.raises(ValueError, match=named):
        make()


def test_reprs_name_the_settings() -> None:
    assert repr(GradientDescent(0.1)) == "GradientDescent(lr=0.1)"
    assert repr(Momentum(0.1)) == "Momentum(lr=0.1, momentum=0.9)"
    assert repr(Adam(0.1)) == "Adam(lr=0.1, beta1=0.9, beta2=0.999)"
