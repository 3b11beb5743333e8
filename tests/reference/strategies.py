"""Hypothesis strategies: geometries of windows, and arrays of small integers.

Sums of products of small integers are exact in float32, so two implementations must agree to the bit, and ties
are frequent.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from hypothesis import strategies as st

from convlens.typing import Float32

from .loops import Grid, padding


@dataclass(frozen=True)
class Convolution:
    """One drawn case: settings as a layer takes them, and the same as a reference `Grid`."""

    shape: tuple[int, int, int, int]  # of x
    filters: int
    kernel: tuple[int, int]
    stride: tuple[int, int]
    padding: str
    mode: str
    seed: int

    @property
    def grid(self) -> Grid:
        rows, columns = (
            padding(self.padding, size, k, s)
            for size, k, s in zip(self.shape[1:3], self.kernel, self.stride, strict=True)
        )
        return Grid(self.kernel, self.stride, rows, columns, self.mode == "reflect")


@st.composite
def convolutions(draw: st.DrawFn) -> Convolution:
    """Draw any geometry that is allowed, one-pixel images and windows that leave pixels over among them."""
    name = draw(st.sampled_from(["valid", "same", "full"]))
    size = draw(st.tuples(st.integers(1, 6), st.integers(1, 6)))
    most = size if name == "valid" else (4, 4)
    kernel = draw(st.tuples(*(st.integers(1, min(4, k)) for k in most)))
    stride = draw(st.tuples(st.integers(1, 3), st.integers(1, 3)))
    pads = [max(padding(name, n, k, s)) for n, k, s in zip(size, kernel, stride, strict=True)]
    reflects = all(pad < n for pad, n in zip(pads, size, strict=True)) and draw(st.booleans())
    n, channels, filters = draw(st.tuples(st.integers(1, 3), st.integers(1, 2), st.integers(1, 2)))
    mode = "reflect" if reflects else "zeros"
    return Convolution((n, *size, channels), filters, kernel, stride, name, mode, draw(st.integers(0, 999)))


@st.composite
def pools(draw: st.DrawFn) -> tuple[tuple[int, int, int, int], Grid, int]:
    """Draw (shape of x, window, seed): tiling, overlapping, with gaps, with pixels left over."""
    size = draw(st.tuples(st.integers(1, 7), st.integers(1, 7)))
    kernel = draw(st.tuples(*(st.integers(1, min(4, n)) for n in size)))
    stride = draw(st.just(kernel) | st.tuples(st.integers(1, 4), st.integers(1, 4)))
    n, channels = draw(st.tuples(st.integers(1, 2), st.integers(1, 3)))
    return (n, *size, channels), Grid(kernel, stride), draw(st.integers(0, 999))


def whole_numbers(seed: int, *shape: int, largest: int = 3) -> Float32:
    """Return whole numbers from -largest to largest."""
    return np.random.default_rng([seed, *shape]).integers(-largest, largest + 1, shape).astype(np.float32)
