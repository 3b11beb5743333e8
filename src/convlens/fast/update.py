"""`convlens.ops.update`, compiled: the same functions, each one pass over memory.

`ranges` are the parts of the flat arrays to work on, as pairs of start and stop. `settings` are numbers.
"""

from __future__ import annotations

from ..typing import Float32
from .script import entry
from .signatures import Indices
from .vector import WIDTH, load_some, minus, over, plus, root, spread, store_some, times


@entry
def sgd(p: Float32, g: Float32, velocity: Float32, decay: Float32, ranges: Indices, settings: Float32) -> None:
    """Take one step; settings: rate, momentum, and 1 for Nesterov, else 0. `velocity` and `decay` may be empty."""
    rate, momentum, nesterov = settings[0], settings[1], settings[2] != 0
    for part in range(0, len(ranges), 2):
        for i in range(ranges[part], ranges[part + 1], WIDTH):
            n = ranges[part + 1] - i
            old, slope = load_some(p, i, n), load_some(g, i, n)
            if len(decay):
                slope = plus(slope, times(load_some(decay, i, n), old))
            if len(velocity):
                speed = plus(times(spread(momentum), load_some(velocity, i, n)), slope)
                store_some(speed, velocity, i, n)
                slope = plus(slope, times(spread(momentum), speed)) if nesterov else speed
            store_some(minus(old, times(spread(rate), slope)), p, i, n)


@entry
def adam(p: Float32, g: Float32, m: Float32, v: Float32, decay: Float32, ranges: Indices, settings: Float32) -> None:
    """Take one step; settings: beta1, 1 - beta1, beta2, 1 - beta2, epsilon, length, and the factor of decoupled decay.

    Epsilon and length (the learning rate) are corrected for bias; the last is 0 where decay is added to the gradient.
    `decay` may be empty.
    """
    beta1, rest1, beta2, rest2 = settings[0], settings[1], settings[2], settings[3]
    epsilon, length, taken = settings[4], settings[5], settings[6]
    for part in range(0, len(ranges), 2):
        for i in range(ranges[part], ranges[part + 1], WIDTH):
            n = ranges[part + 1] - i
            old, slope = load_some(p, i, n), load_some(g, i, n)
            if len(decay):
                shrink = times(load_some(decay, i, n), old)
                if taken != 0:
                    old = minus(old, times(spread(taken), shrink))
                else:
                    slope = plus(slope, shrink)
            first = plus(times(spread(beta1), load_some(m, i, n)), times(spread(rest1), slope))
            second = plus(times(spread(beta2), load_some(v, i, n)), times(spread(rest2), times(slope, slope)))
            store_some(first, m, i, n)
            store_some(second, v, i, n)
            change = over(first, plus(root(second), spread(epsilon)))
            store_some(minus(old, times(spread(length), change)), p, i, n)


@entry
def average(mean: Float32, p: Float32, ranges: Indices, settings: Float32) -> None:
    """Move a mean towards p by the one setting, a share of the difference."""
    share = settings[0]
    for part in range(0, len(ranges), 2):
        for i in range(ranges[part], ranges[part + 1], WIDTH):
            n = ranges[part + 1] - i
            old = load_some(mean, i, n)
            store_some(plus(old, times(spread(share), minus(load_some(p, i, n), old))), mean, i, n)


@entry
def add_up(gradients: Float32, size: int, start: int, stop: int, out: Float32) -> None:
    """Write the sum of the lanes' gradients (lanes, size), in their order, to `out`, from index `start` to `stop`."""
    for i in range(start, stop, WIDTH):
        n = stop - i
        total = load_some(gradients, i, n)
        for lane in range(size, len(gradients), size):
            total = plus(total, load_some(gradients, lane + i, n))
        store_some(total, out, i, n)
