"""`convlens.ops.pool`, compiled: any window, stride and padding.

A table, made once (`convlens.engine.compiled.pool`), says which values an output is made of, as in a sparse matrix:
output o takes ``places[starts[o]]`` to ``places[starts[o + 1] - 1]``, offsets in an image. Its transpose, by pixel,
serves the backward pass: nothing is scattered, and padding needs no copy.
"""

from __future__ import annotations

from ..typing import Float32
from .script import entry
from .signatures import Indices
from .vector import (
    WIDTH,
    at,
    at_least,
    load_some,
    plus,
    spread,
    store_some,
    times,
    where_beats,
    where_equal,
    where_greater,
    zeros,
)  # fmt: skip

NOBODY = -1.0  # in place of a position: ReLU is inactive, so none takes the derivative


@entry
def gather(
    x: Float32,
    size: int,
    channels: int,
    starts: Indices,
    places: Indices,
    weights: Float32,
    share: float,
    y: Float32,
) -> None:
    """Write y[n, o] = share * sum over t of weights[t] * x[n, places[t]], t from starts[o] to starts[o + 1] - 1.

    `size` is the number of values in an image x[n]. Average pooling and blurring are such sums, forward and backward.
    """
    outputs = len(starts) - 1
    for n in range(len(y) // (outputs * channels)):
        for o in range(outputs):
            to = (n * outputs + o) * channels
            for s in range(0, channels, WIDTH):
                left, total = channels - s, zeros()
                for t in range(at(starts, o), at(starts, o + 1)):
                    value = load_some(x, n * size + at(places, t) + s, left)
                    total = plus(total, times(value, spread(weights[t])))
                store_some(times(total, spread(share)), y, to + s, left)


@entry
def largest(
    x: Float32,
    size: int,
    channels: int,
    starts: Indices,
    places: Indices,
    relu: bool,
    y: Float32,
    winners: Float32,
) -> None:
    """Write the largest value of each window, and its position, the first of equals.

    Parameters
    ----------
    x, size, channels, starts, places
        As in `gather`.
    relu
        Whether negative results become zero.
    y, winners
        The result; positions in the window, counted from 0, or `NOBODY` (empty if not needed).
    """
    outputs = len(starts) - 1
    for n in range(len(y) // (outputs * channels)):
        for o in range(outputs):
            to, begin = (n * outputs + o) * channels, at(starts, o)
            for s in range(0, channels, WIDTH):
                left, of, winner = channels - s, n * size + s, zeros()
                best = load_some(x, of + at(places, begin), left)
                for t in range(begin + 1, at(starts, o + 1)):
                    value = load_some(x, of + at(places, t), left)
                    winner = where_beats(value, best, spread(t - begin), winner)
                    best = where_beats(value, best, value, best)
                if relu:
                    winner = where_greater(best, zeros(), winner, spread(NOBODY))
                    best = at_least(best, 0)
                store_some(best, y, to + s, left)
                if len(winners):
                    store_some(winner, winners, to + s, left)


@entry
def give_back(
    dy: Float32,
    size: int,
    channels: int,
    starts: Indices,
    places: Indices,
    positions: Float32,
    winners: Float32,
    dx: Float32,
) -> None:
    """Write dx: each pixel gets the sum of the derivatives of the windows that it won.

    The table says, by pixel, which of the outputs dy (`size` values per image) see it, and at which position.
    """
    pixels = len(starts) - 1
    for n in range(len(dx) // (pixels * channels)):
        for p in range(pixels):
            to = (n * pixels + p) * channels
            for s in range(0, channels, WIDTH):
                left, of, total = channels - s, n * size + s, zeros()
                for t in range(at(starts, p), at(starts, p + 1)):
                    i = of + at(places, t)
                    winner, given = load_some(winners, i, left), load_some(dy, i, left)
                    total = plus(total, where_equal(winner, spread(positions[t]), given))
                store_some(total, dx, to + s, left)
