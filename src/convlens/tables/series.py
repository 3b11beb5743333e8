"""Series of values measured at irregular times: neighbours by index are not neighbours in time."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ..elementary import cos, sin
from ..randomness import checked_seed, stream
from ..typing import FloatArray
from .table import Table, require_flag, require_range

TICKS = 16  # ticks of the clock in a unit of time
BANDS = ((50, 70), (90, 110))  # slow and fast: cycles in 1,000 units of time
FREQUENCIES = tuple(range(20, 201, 10))  # of the periodogram, in the same unit
NOISE = 4, 128  # the sum of four whole numbers from -128 to 128, divided by 128: a deviation of 1.16


@dataclass(frozen=True)
class Series:
    r"""A slow or a fast wave with noise, measured at irregular times; the class is which.

    The clock of each series runs at a speed of its own, from half to twice the common one, and its gaps vary from a
    sixteenth to twice their mean. So the period in *measurements* says little about the period in *time*. With
    ``irregular=False`` all gaps are one unit of time.

    A row is (1, length, 2): the value, and the gap since the value before it; with ``gaps=False`` it is the values
    alone, (1, length, 1), as if they were equally spaced. The features are the periodogram in real time,
    :math:`P(f) = |\sum_i x_i e^{2 \pi \mathrm i f t_i}|^2 / length`, at 19 frequencies (Schuster 1898).

    Parameters
    ----------
    count
        Number of series.
    length
        Number of measurements in each.
    irregular
        Whether the times are irregular.
    gaps
        Whether a row has the gaps.
    seed
        Of all draws.
    """

    count: int = 600
    length: int = 32
    irregular: bool = True
    gaps: bool = True
    seed: int = 0

    def __post_init__(self) -> None:
        require_range("count", self.count, 4, 100_000)
        require_range("length", self.length, 8, 256)
        require_flag("irregular", self.irregular)
        require_flag("gaps", self.gaps)
        checked_seed(self.seed)

    @property
    def sha256(self) -> str:
        return self._made.sha256

    def table(self) -> Table:
        return self._made

    @cached_property
    def _made(self) -> Table:
        shape = (self.count, self.length)
        draw = stream(self.seed, "generate", "series")
        labels = np.arange(self.count, dtype=np.int64) % 2
        bands = np.array(BANDS)[labels]  # (N, 2)
        frequency = draw.integers(bands[:, 0], bands[:, 1] + 1) / 1000
        phase = draw.integers(0, 1024, self.count) / 1024
        mean_gap = draw.integers(TICKS // 2, 2 * TICKS + 1, self.count)
        gaps = draw.integers(1, 2 * mean_gap[:, np.newaxis], shape)
        if not self.irregular:  # after the draw, so that all other draws are the same
            gaps[...] = TICKS
        times = np.cumsum(gaps, axis=1) / TICKS  # whole ticks: exact
        terms, size = NOISE
        noise = draw.integers(-size, size + 1, (terms, *shape)).sum(axis=0) / size
        values = sin(2 * math.pi * (frequency[:, np.newaxis] * times + phase[:, np.newaxis])) + noise
        channels = [values, gaps / TICKS] if self.gaps else [values]
        rows = np.stack(channels, axis=-1)[:, np.newaxis]  # (N, 1, length, C)
        return Table(rows, labels, ("slow", "fast"), _periodogram(values, times))


def _periodogram(values: FloatArray, times: FloatArray) -> FloatArray:
    """Return the power at each frequency, (N, F); terms are added one by one, in the same order everywhere."""
    count, length = values.shape
    powers = np.empty((count, len(FREQUENCIES)))
    for place, frequency in enumerate(FREQUENCIES):
        angle = 2 * math.pi * (frequency / 1000 * times)
        waves = np.stack([cos(angle), sin(angle)]) * values  # (2, N, length)
        total = np.zeros((2, count))
        for step in range(length):
            total += waves[:, :, step]
        powers[:, place] = (total[0] * total[0] + total[1] * total[1]) / length
    return powers
