"""Gradients checked by finite differences, in float64, along random directions.

For a function f and a direction d, the derivative along d is <gradient, d>, and also nearly (f(v + h d) - f(v - h
d)) / 2h. One random direction meets every entry of the gradient at once: a single wrong entry shows, whichever it is.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from convlens.typing import Array

STEP = 1e-6  # small enough that a ReLU or a maximum rarely changes its mind between v - h d and v + h d
TOLERANCE = 1e-8  # of the lengths of gradient and direction
ROUNDING = 1e-9  # of the function's own value: its last bits, divided by the step


def check_direction(
    function: Callable[[], float], variable: Array, gradient: Array, draw: np.random.Generator, what: str
) -> None:
    """Fail unless `gradient` is the derivative of `function` with respect to `variable`, which is changed in place.

    Parameters
    ----------
    function
        Takes nothing, and reads `variable` anew at every call.
    variable, gradient
        float64 arrays of one shape.
    draw
        Where the direction comes from.
    what
        Name for the message.
    """
    assert variable.dtype == gradient.dtype == np.float64
    assert variable.shape == gradient.shape, f"{what}: gradient {gradient.shape} of a variable {variable.shape}"
    direction = draw.standard_normal(variable.shape)
    before = variable.copy()
    np.add(before, STEP * direction, out=variable)
    above = function()
    np.subtract(before, STEP * direction, out=variable)
    below = function()
    variable[...] = before
    numeric, exact = (above - below) / (2 * STEP), float((gradient * direction).sum())
    lengths = float(np.linalg.norm(gradient) * np.linalg.norm(direction))
    allowed = TOLERANCE * lengths + ROUNDING * (abs(above) + 1)
    assert abs(numeric - exact) <= allowed, f"{what}: by differences {numeric!r}, by the backward pass {exact!r}"
