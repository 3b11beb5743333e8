"""Gradient clipping by norm."""

from __future__ import annotations

import math

import numpy as np

from ..engine import Engine
from ..typing import Array


def clip_by_norm(engine: Engine, gradient: Array, limit: float) -> float:
    """Scale the whole gradient, in place, to a norm of at most `limit`; return the norm before.

    ::

        norm = sqrt(sum of g**2 over all parameters);   g = g * limit / norm   where norm > limit

    The squares are summed in float64 chunk by chunk, and the chunks' sums exactly (`math.fsum`), so the bits do not
    depend on the number of threads. Source: Pascanu et al., "On the difficulty of training recurrent neural networks",
    ICML 2013.
    """
    squares: dict[int, float] = {}

    def measure(chunk: slice) -> None:
        squares[chunk.start] = float(np.square(gradient[chunk], dtype=np.float64).sum())

    engine.each_chunk(measure)
    norm = _length(squares)
    if norm > limit:
        shorter = limit / norm

        def shorten(chunk: slice) -> None:
            gradient[chunk] *= shorter

        engine.each_chunk(shorten)
    return norm


def _length(squares: dict[int, float]) -> float:
    """Return the root of the sum of the chunks' sums; NaN where the gradient is not finite."""
    values = list(squares.values())
    return math.sqrt(math.fsum(values)) if all(map(math.isfinite, values)) else math.nan
