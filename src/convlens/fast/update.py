"""`convlens.ops.update`, compiled: the same functions, each one pass over memory."""

from __future__ import annotations

import math

import numpy as np

from ..typing import Float32, FloatArray
from .compiler import FLAG, FLOATS, NOTHING, NUMBER, compiled
from .script import entry
from .subnormal import flush, restore
from .vector import LANES, load_some, minus, over, plus, root, spread, store_some, times

_NONE = np.zeros(0, np.float32)


@compiled(NOTHING, FLOATS, FLOATS, FLOATS, FLOATS, NUMBER, NUMBER, FLAG)
def _sgd(p, g, velocity, decay, rate, momentum, nesterov):  # type: ignore[no-untyped-def]
    before = flush()
    for i in range(0, len(p), LANES):
        n = len(p) - i
        old, slope = load_some(p, i, n), load_some(g, i, n)
        if len(decay):
            slope = plus(slope, times(load_some(decay, i, n), old))
        if len(velocity):
            speed = plus(times(spread(momentum), load_some(velocity, i, n)), slope)
            store_some(speed, velocity, i, n)
            slope = plus(slope, times(spread(momentum), speed)) if nesterov else speed
        store_some(minus(old, times(spread(rate), slope)), p, i, n)
    restore(before)


def sgd(
    p: FloatArray,
    g: FloatArray,
    velocity: FloatArray | None,
    *,
    rate: float,
    momentum: float = 0.0,
    nesterov: bool = False,
    decay: FloatArray | None = None,
) -> None:
    """See `convlens.ops.update.sgd`."""
    _sgd(p, g, _NONE if velocity is None else velocity, _NONE if decay is None else decay, rate, momentum, nesterov)


@compiled(NOTHING, FLOATS, FLOATS, FLOATS, FLOATS, FLOATS, NUMBER, NUMBER, NUMBER, NUMBER, NUMBER, FLAG)
def _adam(p, g, m, v, decay, rate, beta1, beta2, epsilon, step, decoupled):  # type: ignore[no-untyped-def]
    before = flush()
    for i in range(0, len(p), LANES):
        n = len(p) - i
        old, slope = load_some(p, i, n), load_some(g, i, n)
        if len(decay):
            shrink = times(load_some(decay, i, n), old)
            if decoupled:
                old = minus(old, times(spread(rate), shrink))
            else:
                slope = plus(slope, shrink)
        first = plus(times(spread(beta1), load_some(m, i, n)), times(spread(1 - beta1), slope))
        second = plus(times(spread(beta2), load_some(v, i, n)), times(spread(1 - beta2), times(slope, slope)))
        store_some(first, m, i, n)
        store_some(second, v, i, n)
        change = over(first, plus(root(second), spread(epsilon)))
        store_some(minus(old, times(spread(step), change)), p, i, n)
    restore(before)


def adam(
    p: FloatArray,
    g: FloatArray,
    m: FloatArray,
    v: FloatArray,
    *,
    rate: float,
    step: int,
    beta1: float = 0.9,
    beta2: float = 0.999,
    epsilon: float = 1e-8,
    decay: FloatArray | None = None,
    decoupled: bool = False,
) -> None:
    """See `convlens.ops.update.adam`; g is left as it is."""
    correction = math.sqrt(1 - beta2**step)
    length = rate * correction / (1 - beta1**step)
    _adam(p, g, m, v, _NONE if decay is None else decay, rate, beta1, beta2, epsilon * correction, length, decoupled)


@compiled(NOTHING, FLOATS, FLOATS, NUMBER)
def _average(mean, p, share):  # type: ignore[no-untyped-def]
    before = flush()
    for i in range(0, len(p), LANES):
        n = len(p) - i
        old = load_some(mean, i, n)
        store_some(plus(old, times(spread(share), minus(load_some(p, i, n), old))), mean, i, n)
    restore(before)


def average(mean: FloatArray, p: FloatArray, *, decay: float, step: int) -> None:
    """See `convlens.ops.update.average`."""
    if step == 1:
        np.copyto(mean, p)
    else:
        _average(mean, p, (1 - decay) / (1 - decay**step))


@entry(FLOATS, FLOATS, FLOATS, FLOATS, FLOATS)
def add_up(one: Float32, two: Float32, three: Float32, four: Float32, out: Float32) -> None:
    """Write the sum of the four lanes' arrays, in their order, to `out`."""
    for i in range(0, len(out), LANES):
        n = len(out) - i
        half = plus(load_some(one, i, n), load_some(two, i, n))
        store_some(plus(plus(half, load_some(three, i, n)), load_some(four, i, n)), out, i, n)
