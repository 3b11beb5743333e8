"""Find the ink in a picture: how far each pixel departs from the paper, in grey levels.

The border is assumed to be paper: a smooth surface, which models uneven lighting, is fitted to it and subtracted. Ink
is what departs from the paper; the side that departs further decides whether it is dark on light or light on dark.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ..typing import BoolArray, Float32, FloatArray, UInt8

_COARSE = 64  # cells along the longer side of the grid on which the paper is fitted
_EVEN = 3.0  # grey levels: paper that varies less counts as evenly lit


class Ink(NamedTuple):
    """The ink of a picture.

    Attributes
    ----------
    map
        (H, W) float32: departure of each pixel from the paper towards the ink, in grey levels; may be negative.
    dark
        Whether the ink is darker than its paper.
    contrast
        Grey levels between paper and ink; 0 if there is no ink.
    gradient
        Grey levels between the lightest and the darkest paper.
    unrest
        Departure of the paper from a smooth surface, in grey levels (a robust standard deviation over cells).
    """

    map: Float32
    dark: bool
    contrast: float
    gradient: float
    unrest: float


def find_ink(grey: Float32) -> Ink:
    """Separate ink from paper in a grey image (H, W), 0-255."""
    cells = reduced(grey, -(-max(grey.shape) // _COARSE))
    basis = _basis(*cells.shape)
    border = _border(cells.shape)
    start = basis[..., :3] @ _fitted(basis[border][:, :3], cells[border])
    # Both polarities are tried; the one with more contrast relative to the paper's unevenness wins.
    dark, light = (_against(cells, basis, border, start, sign) for sign in (-1.0, 1.0))
    is_dark = dark.clearness > light.clearness
    found, sign = (dark, -1.0) if is_dark else (light, 1.0)
    departure = np.float32(sign) * (grey - _surface(found.coefficients, *grey.shape))
    return Ink(departure, is_dark, found.contrast, found.gradient, found.unrest)


class _Guess(NamedTuple):
    """The fit for one assumed polarity: ink darker than paper, or lighter."""

    coefficients: FloatArray  # of the paper's surface
    contrast: float
    gradient: float
    unrest: float

    @property
    def clearness(self) -> float:
        return self.contrast / (self.unrest + 1.0)


def _against(cells: Float32, basis: FloatArray, border: BoolArray, paper: FloatArray, sign: float) -> _Guess:
    """Alternate four times between finding the ink and fitting the paper to the rest."""
    blank = border
    for _ in range(4):
        ink = sign * (cells - paper)
        found = ~widened(ink > max(0.15 * _top(ink), 3 * _deviation(ink[blank])))
        blank = found if found.sum() >= 0.2 * found.size else border
        coefficients = np.zeros(basis.shape[-1])
        level = float(np.median(cells[blank]))
        if np.abs(cells[blank] - level).max() <= _EVEN or blank is border:
            coefficients[0] = level
        else:
            coefficients[:] = _fitted(basis[blank], cells[blank])
        paper = basis @ coefficients
    ink = sign * (cells - paper)
    return _Guess(coefficients, _top(ink), float(np.ptp(paper)), _deviation(ink[blank]))


def reduced(values: FloatArray, factor: int) -> Float32:
    """Return the means of blocks of (factor, factor) pixels; blocks at the far edges may be smaller."""
    result: FloatArray = values.astype(np.float32, copy=False)
    if factor <= 1:
        return result
    for axis in (0, 1):
        starts = np.arange(0, result.shape[axis], factor)
        counts = np.diff(np.append(starts, result.shape[axis])).astype(np.float32)
        shape = [1, 1]
        shape[axis] = -1
        result = np.add.reduceat(result, starts, axis=axis) / counts.reshape(shape)
    return result


def widened(mask: BoolArray) -> BoolArray:
    """Dilate a mask by one pixel, diagonals included."""
    padded = np.pad(mask, 1)
    rows = padded[:-2] | padded[1:-1] | padded[2:]
    return rows[:, :-2] | rows[:, 1:-1] | rows[:, 2:]


def grown(values: Float32, reach: int) -> Float32:
    """Dilate by the maximum within `reach` pixels; the result is larger by `reach` on every side."""
    result: Float32 = np.pad(values, 2 * reach)
    for axis in (0, 1):
        count = result.shape[axis] - 2 * reach
        parts = [
            result[start : start + count] if axis == 0 else result[:, start : start + count]
            for start in range(2 * reach + 1)
        ]
        result = np.maximum.reduce(parts)
    return result


def blobs(mask: BoolArray) -> tuple[np.ndarray, int]:
    """Label the 8-connected components of a mask: labels (H, W), from 1, 0 outside; and their number."""
    height, width = mask.shape
    labels = np.zeros((height, width), np.intp)
    count = 0
    left = {(int(row), int(column)) for row, column in zip(*np.nonzero(mask), strict=True)}
    while left:
        count += 1
        edge = [left.pop()]
        while edge:
            row, column = edge.pop()
            labels[row, column] = count
            for neighbour in ((row + i, column + j) for i in (-1, 0, 1) for j in (-1, 0, 1)):
                if neighbour in left:
                    left.remove(neighbour)
                    edge.append(neighbour)
    return labels, count


def strongest_channel(colours: UInt8) -> tuple[Float32, str]:
    """Return a colour image (H, W, 3) as grey and "", or the channel with far more contrast and its name."""
    weights = np.array([0.299, 0.587, 0.114], np.float32)
    candidates = {"": colours.astype(np.float32) @ weights}
    candidates |= {name: colours[..., i].astype(np.float32) for i, name in enumerate(("red", "green", "blue"))}
    spread = {name: float(np.subtract(*np.percentile(values, (99.5, 0.5)))) for name, values in candidates.items()}
    best = max(spread, key=spread.__getitem__)
    name = best if spread[best] > 1.5 * spread[""] + 10 else ""
    return candidates[name], name


def _basis(height: int, width: int) -> FloatArray:
    """Return the quadratic basis of the paper's brightness, (H, W, 6): level, slopes and curvatures."""
    v = np.linspace(-1, 1, height)[:, None] + np.zeros((1, width))
    u = np.linspace(-1, 1, width)[None, :] + np.zeros((height, 1))
    return np.stack((np.ones_like(u), u, v, u * v, u * u, v * v), axis=-1)


def _surface(coefficients: FloatArray, height: int, width: int) -> Float32:
    """Return the surface with these coefficients of `_basis` on a grid of any size."""
    v, u = np.linspace(-1, 1, height)[:, None], np.linspace(-1, 1, width)
    level, across, down, both, across_twice, down_twice = coefficients
    along = (level + across * u + across_twice * u * u).astype(np.float32)
    surface: Float32 = along + (down * v + down_twice * v * v).astype(np.float32)
    if both:
        surface += (both * v * u).astype(np.float32)
    return surface


def _border(shape: tuple[int, ...]) -> BoolArray:
    """Return the mask of a frame whose width is a twentieth of the shorter side, at least one cell."""
    mask = np.ones(shape, bool)
    frame = max(1, min(shape) // 20)
    mask[frame:-frame, frame:-frame] = False
    return mask


def _fitted(basis: FloatArray, values: FloatArray) -> FloatArray:
    """Fit by least squares three times, without outliers: a stroke across the border must not bend the paper."""
    keep = np.abs(values - np.median(values)) <= max(3.0 * _deviation(values), _EVEN)
    for _ in range(3):
        kept = basis[keep]
        # normal equations: much faster, and well conditioned for at most six basis functions within [-1, 1]
        solution: FloatArray = np.linalg.lstsq(kept.T @ kept, kept.T @ values[keep], rcond=None)[0]
        departure = np.abs(values - basis @ solution)
        keep = departure <= max(3.0 * 1.4826 * float(np.median(departure)), _EVEN)
    return solution


def _top(ink: FloatArray) -> float:
    """Return the ink's strength: a high quantile, so that a single cell does not decide."""
    largest = np.sort(ink, axis=None)[::-1]
    return max(float(largest[min(len(largest) // 400, len(largest) - 1)]), 0.0)


def _deviation(values: FloatArray) -> float:
    """Return the standard deviation as estimated from the median absolute deviation, robust to outliers."""
    return 1.4826 * float(np.median(np.abs(values - np.median(values))))
