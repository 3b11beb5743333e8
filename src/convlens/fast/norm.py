"""`convlens.ops.norm`, compiled: batch normalisation, optionally followed by max-pooling and ReLU.

A batch fits into no cache, so the number of passes over memory decides the speed. Only the input x and the result are
kept: computing ``(x - mean) / sqrt(variance + epsilon)`` again is as fast as reading it. Where a pool follows, only the
winning value of each window is kept. Sums are taken over blocks that stay in the first-level cache, then over the
blocks: fast, and accurate enough in float32.

Values are rows of channels. Pooling windows tile the rows of an image side by side; without a pool, a window is one
value.
"""

from __future__ import annotations

from ..typing import Float32
from .native import helper
from .script import entry
from .signatures import Indices
from .vector import (
    WIDTH,
    at,
    at_least,
    clear,
    load_some,
    minus,
    over,
    plus,
    root,
    spread,
    store_some,
    times,
    where_beats,
    where_equal,
    where_greater,
    zeros,
)  # fmt: skip

BLOCK = 4096  # floats


@helper
def _factor(gamma, variance, epsilon, s):  # type: ignore[no-untyped-def]
    """Return gamma / sqrt(variance + epsilon) of sixteen channels."""
    left = len(gamma) - s
    return over(load_some(gamma, s, left), root(plus(load_some(variance, s, left), spread(epsilon))))


@entry
def running(
    gamma: Float32,
    beta: Float32,
    mean: Float32,
    variance: Float32,
    epsilon: float,
    middle: Float32,
    scale: Float32,
    level: Float32,
) -> None:
    """Write what `forward` needs to normalise with running statistics: mean, gamma / sqrt(variance + epsilon), beta.

    The last three arrays may be a multiple as long as the others, whose values are then repeated.
    """
    channels = len(gamma)
    for s in range(0, channels, WIDTH):
        left = channels - s
        factor = _factor(gamma, variance, epsilon, s)
        for k in range(s, len(scale), channels):
            store_some(load_some(mean, s, left), middle, k, left)
            store_some(factor, scale, k, left)
            store_some(load_some(beta, s, left), level, k, left)


@entry
def fold(
    w: Float32,
    b: Float32,
    gamma: Float32,
    beta: Float32,
    mean: Float32,
    variance: Float32,
    epsilon: float,
    folded_w: Float32,
    folded_b: Float32,
) -> None:
    """Write w * s and (b - mean) * s + beta, s = gamma / sqrt(variance + epsilon); w and b are (rows, channels)."""
    channels = len(gamma)
    for s in range(0, channels, WIDTH):
        left = channels - s
        factor, middle, level = _factor(gamma, variance, epsilon, s), load_some(mean, s, left), load_some(beta, s, left)
        for i in range(s, len(w), channels):
            store_some(times(load_some(w, i, left), factor), folded_w, i, left)
        for i in range(s, len(b), channels):
            store_some(plus(times(minus(load_some(b, i, left), middle), factor), level), folded_b, i, left)


@entry
def measure(
    x: Float32,
    channels: int,
    shift: Float32,
    mean: Float32,
    squares: Float32,
    all_shift: Float32,
    all_mean: Float32,
    all_squares: Float32,
) -> None:
    """Write the mean of each channel of x (rows, channels), and the sum of squares about it.

    The mean is relative to a shift, the channel's first value: even where the mean is far above the deviation, the
    summands have the size of the deviation, and no digits are lost. Where the last three arrays are shorter, several
    entries stand for one channel (see `CompiledBatchNormKernel`); they get its shift, mean and sum of squares.

    Two groups of a and b values together have the mean m_a + d b/(a+b) and the sum of squares
    S_a + S_b + d**2 ab/(a+b), d = m_b - m_a. Source: Chan, Golub & LeVeque, 1979.
    """
    rows, fewer = len(x) // channels, len(all_mean)
    most = max(1, BLOCK // channels)
    clear(mean)
    clear(squares)
    for k in range(channels):
        shift[k] = x[k % fewer]
    for c in range(fewer):
        all_shift[c] = x[c]
    for first in range(0, rows, most):
        count = min(most, rows - first)
        share, both = count / (first + count), first / (first + count) * count
        for s in range(0, channels, WIDTH):
            begin, left = first * channels + s, channels - s
            end, base = begin + count * channels, load_some(shift, s, left)
            half, other = zeros(), zeros()  # two sums, so that one addition need not wait for the other
            for i in range(begin, end - channels, 2 * channels):
                half = plus(half, minus(load_some(x, i, left), base))
                other = plus(other, minus(load_some(x, i + channels, left), base))
            if count % 2:
                half = plus(half, minus(load_some(x, end - channels, left), base))
            own = times(plus(half, other), spread(1 / count))
            half, other = zeros(), zeros()
            for i in range(begin, end - channels, 2 * channels):
                one = minus(minus(load_some(x, i, left), base), own)
                two = minus(minus(load_some(x, i + channels, left), base), own)
                half, other = plus(half, times(one, one)), plus(other, times(two, two))
            if count % 2:
                one = minus(minus(load_some(x, end - channels, left), base), own)
                half = plus(half, times(one, one))
            before = load_some(mean, s, left)
            apart = minus(own, before)
            store_some(plus(before, times(apart, spread(share))), mean, s, left)
            sums = plus(plus(half, other), times(times(apart, apart), spread(both)))
            store_some(plus(load_some(squares, s, left), sums), squares, s, left)
    for c in range(fewer):
        total, spare = mean[c] * 0, mean[c] * 0
        for k in range(c, channels, fewer):
            total += mean[k]
        all_mean[c] = total / (channels // fewer)
        for k in range(c, channels, fewer):
            apart_from_all = mean[k] - all_mean[c]
            spare += squares[k] + apart_from_all * apart_from_all * rows
        all_squares[c] = spare


@entry
def forward(
    x: Float32,
    channels: int,
    windows: int,
    width: int,
    step: int,
    down: int,
    rows: int,
    size: int,
    taps: Indices,
    mean: Float32,
    scale: Float32,
    shift: Float32,
    relu: bool,
    y: Float32,
    best: Float32,
) -> None:
    """Write the largest (x - mean) * scale + shift of each window to y.

    Parameters
    ----------
    x, channels
        Values (rows, channels).
    windows, width, step, down, rows, size, taps
        Number of windows, in all and side by side in a row; distance from a window to the next, and from a row of
        windows to the next; rows of windows in an image, and values in an image; offsets within a window.
    mean, scale, shift
        One for each channel.
    relu
        Whether negative results become zero.
    y, best
        The result; the x that gave it, the first of equals, for each window (empty if not needed).
    """
    for first in range(0, windows, width):
        row, count = first // width, min(width, windows - first)
        of = row // rows * size + row % rows * down
        for j in range(count):
            for s in range(0, channels, WIDTH):
                left = channels - s
                middle, factor, end = load_some(mean, s, left), load_some(scale, s, left), load_some(shift, s, left)
                begin = of + j * step + s
                winner = load_some(x, begin, left)
                value = plus(times(minus(winner, middle), factor), end)
                for q in range(1, len(taps)):
                    other = load_some(x, begin + at(taps, q), left)
                    result = plus(times(minus(other, middle), factor), end)
                    winner = where_beats(result, value, other, winner)
                    value = where_beats(result, value, result, value)
                to = (first + j) * channels + s
                store_some(at_least(value, 0) if relu else value, y, to, left)
                if len(best):
                    store_some(winner, best, to, left)


@entry
def measure_back(
    x: Float32,
    dy: Float32,
    y: Float32,
    relu: bool,
    channels: int,
    mean: Float32,
    inverse: Float32,
    dgamma: Float32,
    dbeta: Float32,
    all_dgamma: Float32,
    all_dbeta: Float32,
    lane_dgamma: Float32,
    lane_dbeta: Float32,
    accumulate: bool,
) -> None:
    """Write the sums over rows of dy * (x - mean) * inverse, and of dy; where ReLU was inactive, dy is zero.

    Then, as in `measure`, sum the entries that stand for one channel; write these sums, or add them, to the lane's.
    """
    rows = len(x) // channels
    most = max(1, BLOCK // channels)
    clear(dgamma)
    clear(dbeta)
    for first in range(0, rows, most):
        begin = first * channels
        end = begin + min(most, rows - first) * channels
        for s in range(0, channels, WIDTH):
            left = channels - s
            middle = load_some(mean, s, left)
            slope, total = zeros(), zeros()
            for i in range(begin + s, end, channels):
                given = load_some(dy, i, left)
                if relu:
                    given = where_greater(load_some(y, i, left), zeros(), given, zeros())
                slope = plus(slope, times(given, minus(load_some(x, i, left), middle)))
                total = plus(total, given)
            slope = times(slope, load_some(inverse, s, left))
            store_some(plus(load_some(dgamma, s, left), slope), dgamma, s, left)
            store_some(plus(load_some(dbeta, s, left), total), dbeta, s, left)
    fewer = len(all_dgamma)
    for c in range(fewer):
        steep, flat = dgamma[c], dbeta[c]
        for k in range(c + fewer, channels, fewer):
            steep += dgamma[k]
            flat += dbeta[k]
        all_dgamma[c], all_dbeta[c] = steep, flat
        lane_dgamma[c] = lane_dgamma[c] + steep if accumulate else steep
        lane_dbeta[c] = lane_dbeta[c] + flat if accumulate else flat


@helper
def _unseen(x, start, stop, channels, mean, slope, level, dx):  # type: ignore[no-untyped-def]
    """Write the derivatives of values that are in no window, from index `start` to `stop`."""
    for s in range(0, channels, WIDTH):
        left = channels - s
        middle, steep, flat = load_some(mean, s, left), load_some(slope, s, left), load_some(level, s, left)
        for i in range(start + s, stop, channels):
            store_some(plus(times(minus(load_some(x, i, left), middle), steep), flat), dx, i, left)


@entry
def backward(
    x: Float32,
    channels: int,
    windows: int,
    width: int,
    step: int,
    down: int,
    rows: int,
    size: int,
    taps: Indices,
    line: int,
    mean: Float32,
    factor: Float32,
    slope: Float32,
    level: Float32,
    dy: Float32,
    y: Float32,
    best: Float32,
    relu: bool,
    dx: Float32,
) -> None:
    """Write dx = factor * (dy where x won its window, else 0) + slope * (x - mean) + level.

    Parameters
    ----------
    x, channels, windows, width, step, down, rows, size, taps, y, best, relu
        As in `forward`.
    line
        Number of values in a row of an image; 0 if every value is in a window.
    mean, factor, slope, level
        One for each channel.
    """
    for first in range(0, windows, width):
        row, count = first // width, min(width, windows - first)
        of = row // rows * size + row % rows * down
        for j in range(count):
            for s in range(0, channels, WIDTH):
                left = channels - s
                middle, scale = load_some(mean, s, left), load_some(factor, s, left)
                steep, flat = load_some(slope, s, left), load_some(level, s, left)
                begin, at_y = of + j * step + s, (first + j) * channels + s
                given = load_some(dy, at_y, left)
                if relu:
                    given = where_greater(load_some(y, at_y, left), zeros(), given, zeros())
                given = times(given, scale)
                if len(taps) == 1:
                    rest = plus(times(minus(load_some(x, begin, left), middle), steep), flat)
                    store_some(plus(given, rest), dx, begin, left)
                    continue
                winner = load_some(best, at_y, left)
                for q in range(len(taps)):
                    i = begin + at(taps, q)
                    value = load_some(x, i, left)
                    passed = where_equal(value, winner, given)
                    given = minus(given, passed)  # nothing is left for the others
                    rest = plus(times(minus(value, middle), steep), flat)
                    store_some(plus(passed, rest), dx, i, left)
        if line:
            for i in range(of, of + down, line):
                _unseen(x, i + width * step, i + line, channels, mean, slope, level, dx)
            if row % rows == rows - 1:
                _unseen(x, of + down, (row // rows + 1) * size, channels, mean, slope, level, dx)
