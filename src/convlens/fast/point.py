"""Pointwise functions, compiled: one pass over memory each."""

from __future__ import annotations

from ..typing import Float32
from .elementary import tangent
from .script import entry
from .vector import WIDTH, at_least, load_some, minus, plus, spread, store_some, times, where_greater, zeros


@entry
def relu(x: Float32, y: Float32) -> None:
    """Write y = max(x, 0); x and y may be the same."""
    for i in range(0, len(y), WIDTH):
        n = len(y) - i
        store_some(at_least(load_some(x, i, n), 0), y, i, n)


@entry
def relu_back(dy: Float32, y: Float32, dx: Float32) -> None:
    """Write dx = dy where y > 0, else 0; dy and dx may be the same."""
    for i in range(0, len(dx), WIDTH):
        n = len(dx) - i
        store_some(where_greater(load_some(y, i, n), zeros(), load_some(dy, i, n), zeros()), dx, i, n)


@entry
def tanh(x: Float32, y: Float32) -> None:
    """Write y = tanh(x); x and y may be the same."""
    for i in range(0, len(y), WIDTH):
        n = len(y) - i
        store_some(tangent(load_some(x, i, n)), y, i, n)


@entry
def tanh_back(dy: Float32, y: Float32, dx: Float32) -> None:
    """Write dx = dy * (1 - y**2); dy and dx may be the same."""
    for i in range(0, len(dx), WIDTH):
        n = len(dx) - i
        value = load_some(y, i, n)
        store_some(times(load_some(dy, i, n), minus(spread(1), times(value, value))), dx, i, n)


@entry
def add(one: Float32, other: Float32, rectified: bool, y: Float32) -> None:
    """Write y = one + other, or max(one + other, 0)."""
    for i in range(0, len(y), WIDTH):
        n = len(y) - i
        total = plus(load_some(one, i, n), load_some(other, i, n))
        store_some(at_least(total, 0) if rectified else total, y, i, n)


@entry
def copy(x: Float32, y: Float32) -> None:
    """Write y = x."""
    for i in range(0, len(y), WIDTH):
        n = len(y) - i
        store_some(load_some(x, i, n), y, i, n)


@entry
def multiply(x: Float32, factor: Float32, y: Float32) -> None:
    """Write y = x * factor; x and y may be the same."""
    for i in range(0, len(y), WIDTH):
        n = len(y) - i
        store_some(times(load_some(x, i, n), load_some(factor, i, n)), y, i, n)
