"""Ways downhill: gradient descent, momentum and Adam, in NumPy (chapter 04).

An optimiser turns a point and a gradient into the next point, and knows nothing of
the function. Surfaces are polynomials of two numbers, which can be looked at.
``numeric_gradient`` measures what a derivation should give.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

Gradient = Callable[[np.ndarray], np.ndarray]
TOO_FAR = 1e6  # where a path that grows without bound is cut off


class Optimizer(Protocol):
    """What `descend` asks of an optimiser."""

    def step(self, theta: np.ndarray, gradient: np.ndarray) -> np.ndarray:
        """Give the next point."""


def check_settings(**settings: float) -> None:
    """Refuse rates that are not positive, and shares outside 0 ... 1."""
    for name, value in settings.items():
        is_rate = name in ("lr", "eps")
        if not (value > 0 if is_rate else 0 <= value < 1):
            wanted = "positive" if is_rate else "0 or more, and below 1"
            raise ValueError(f"{name} must be {wanted}, got {value}")


class GradientDescent:
    """Against the gradient: theta - lr * gradient.

    Parameters
    ----------
    lr : float
        The learning rate.

    Notes
    -----
    Source: chapter 04. The same as ``torch.optim.SGD(lr=lr)``.

    Examples
    --------
    >>> GradientDescent(lr=0.1).step(np.array([1.0, 2.0]), np.array([1.0, 10.0]))
    array([0.9, 1. ])
    """

    def __init__(self, lr: float) -> None:
        check_settings(lr=lr)
        self.lr = lr

    def __repr__(self) -> str:
        return f"GradientDescent(lr={self.lr:g})"

    def step(self, theta: np.ndarray, gradient: np.ndarray) -> np.ndarray:
        """Give the next point, of the shape of theta."""
        return theta - self.lr * gradient


class Momentum:
    """A velocity that gathers gradients: theta - lr * velocity.

    Parameters
    ----------
    lr : float
        The learning rate.
    momentum : float
        The share of the velocity that is left after a step; 0 is gradient descent.

    Notes
    -----
    Source: Polyak (1964), "Some methods of speeding up the convergence of iteration
    methods"; chapter 04. The same as ``torch.optim.SGD(lr=lr, momentum=momentum)``.

    Examples
    --------
    >>> heavy, theta = Momentum(lr=1.0, momentum=0.5), np.array([0.0])
    >>> for _ in range(3):  # a constant slope: steps of 1, 1.5, 1.75, ... towards 2
    ...     theta = heavy.step(theta, np.array([1.0]))
    >>> theta
    array([-4.25])
    """

    def __init__(self, lr: float, momentum: float = 0.9) -> None:
        check_settings(lr=lr, momentum=momentum)
        self.lr, self.momentum = lr, momentum
        self.velocity: np.ndarray | float = 0.0

    def __repr__(self) -> str:
        return f"Momentum(lr={self.lr:g}, momentum={self.momentum:g})"

    def step(self, theta: np.ndarray, gradient: np.ndarray) -> np.ndarray:
        """Give the next point, of the shape of theta."""
        self.velocity = self.momentum * self.velocity + gradient
        return theta - self.lr * self.velocity


class Adam:
    """Momentum, divided by the recent size of the gradient, number by number.

    Parameters
    ----------
    lr : float
        The learning rate: about the size of a step in each coordinate.
    beta1, beta2 : float
        How much of the mean gradient, and of the mean square, is kept in a step.
    eps : float
        Keeps the division from failing where all gradients were 0.

    Notes
    -----
    Source: Kingma and Ba (2015), "Adam: a method for stochastic optimization",
    algorithm 1; chapter 04. The same as ``torch.optim.Adam``.

    Examples
    --------
    >>> first = Adam(lr=0.1).step(np.zeros(3), np.array([1000.0, 1.0, -0.001]))
    >>> first.round(4)
    array([-0.1, -0.1,  0.1])
    """

    def __init__(
        self, lr: float, beta1: float = 0.9, beta2: float = 0.999, eps: float = 1e-8
    ) -> None:
        check_settings(lr=lr, beta1=beta1, beta2=beta2, eps=eps)
        self.lr, self.beta1, self.beta2, self.eps = lr, beta1, beta2, eps
        self.mean: np.ndarray | float = 0.0
        self.square: np.ndarray | float = 0.0
        self.steps = 0

    def __repr__(self) -> str:
        return f"Adam(lr={self.lr:g}, beta1={self.beta1:g}, beta2={self.beta2:g})"

    def step(self, theta: np.ndarray, gradient: np.ndarray) -> np.ndarray:
        """Give the next point, of the shape of theta."""
        self.steps += 1
        self.mean = self.beta1 * self.mean + (1 - self.beta1) * gradient
        self.square = self.beta2 * self.square + (1 - self.beta2) * gradient**2
        # Both began at 0 and are too small at first: divide by the weight so far.
        mean = self.mean / (1 - self.beta1**self.steps)
        square = self.square / (1 - self.beta2**self.steps)
        return theta - self.lr * mean / (np.sqrt(square) + self.eps)


def descend(
    optimizer: Optimizer, gradient: Gradient, start: np.ndarray, n_steps: int
) -> np.ndarray:
    """Follow an optimiser from a point.

    Parameters
    ----------
    optimizer : Optimizer
        With fresh memory; it is used up.
    gradient : callable
        From a point (n,) to the gradient there (n,).
    start : array (n,)
        The first point.
    n_steps : int
        How many steps.

    Returns
    -------
    array (n_steps + 1, n)
        The path with its start; shorter if it leaves -1e6 ... 1e6.

    Examples
    --------
    >>> descend(GradientDescent(0.5), lambda x: x, np.array([8.0]), 3)[:, 0]
    array([8., 4., 2., 1.])
    """
    path = [np.asarray(start, dtype=float)]
    for _ in range(n_steps):
        if np.abs(path[-1]).max() > TOO_FAR:
            break
        path.append(optimizer.step(path[-1], gradient(path[-1])))
    return np.array(path)


def numeric_gradient(
    f: Callable[[np.ndarray], float], theta: np.ndarray, h: float = 1e-5
) -> np.ndarray:
    """Measure a gradient by central differences, to check one that was derived.

    Parameters
    ----------
    f : callable
        From an array of theta's shape to a number.
    theta : array
        Where, in float64; left as it is.
    h : float
        How far to each side. Errors of rounding grow below 1e-5, others above.

    Returns
    -------
    array of theta's shape
        (f(theta + h) - f(theta - h)) / 2h, coordinate by coordinate.

    Notes
    -----
    Source: chapter 04.

    Examples
    --------
    >>> numeric_gradient(lambda t: t[0] * t[1] ** 2, np.array([2.0, 3.0])).round(6)
    array([ 9., 12.])
    """
    theta = np.array(theta, dtype=float)
    slopes = np.empty_like(theta)
    for place in np.ndindex(theta.shape):
        here = theta[place]
        theta[place] = here + h
        above = f(theta.copy())
        theta[place] = here - h
        slopes[place] = (above - f(theta.copy())) / (2 * h)
        theta[place] = here
    return slopes


@dataclass(frozen=True)
class Surface:
    """A polynomial in two numbers x and y.

    Parameters
    ----------
    name : str
        What it looks like.
    terms : tuple of (float, int, int)
        Coefficient, power of x, power of y.
    start : tuple of float
        A point to start from.
    x_range, y_range : tuple of float
        The part that is worth looking at.

    Examples
    --------
    >>> VALLEY.value(2.0, 0.1), VALLEY.gradient([2.0, 0.1]).tolist()
    (2.25, [2.0, 5.0])
    """

    name: str
    terms: tuple[tuple[float, int, int], ...]
    start: tuple[float, float]
    x_range: tuple[float, float]
    y_range: tuple[float, float]

    def value(self, x: float | np.ndarray, y: float | np.ndarray) -> float | np.ndarray:
        """Compute the height at (x, y), numbers or arrays of one shape."""
        return sum(c * x**m * y**n for c, m, n in self.terms)

    def gradient(self, point: np.ndarray) -> np.ndarray:
        """Compute both slopes (2,) at a point (2,)."""
        x, y = point
        by_x = sum(c * m * x ** max(m - 1, 0) * y**n for c, m, n in self.terms)
        by_y = sum(c * n * x**m * y ** max(n - 1, 0) for c, m, n in self.terms)
        return np.array([by_x, by_y])


# Curvature 1 along and 50 across: the largest stable rate is 2 / 50.
VALLEY = Surface(
    "long valley", ((0.5, 2, 0), (25.0, 0, 2)), (-8.0, 1.2), (-10, 10), (-2, 2)
)
# Level at the origin, where it curves up along x and down along y.
SADDLE = Surface(
    "saddle", ((0.5, 2, 0), (-0.5, 0, 2), (0.25, 0, 4)), (2.0, 0.01), (-3, 3), (-2, 2)
)
BOWL = Surface("bowl", ((0.5, 2, 0), (2.0, 0, 2)), (-4.0, 1.5), (-5, 5), (-2.5, 2.5))
# (1 - x)^2 + 4 (y - x^2)^2: a valley that bends, after Rosenbrock (1960).
BEND = Surface(
    "bend",
    ((1, 0, 0), (-2, 1, 0), (1, 2, 0), (4, 0, 2), (-8, 2, 1), (4, 4, 0)),
    (-1.2, 1.6),
    (-2, 2),
    (-1, 3),
)
