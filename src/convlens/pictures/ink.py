"""Find the ink in a picture: how far each pixel departs from the paper, in grey levels.

The border is assumed to be paper: a smooth surface, which models uneven lighting, is fitted to it and subtracted. Ink
is what departs from the paper; the side that departs further decides whether it is dark on light or light on dark.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ..typing import BoolArray, Float32, FloatArray, IntArray, UInt8

_COARSE = 64  # cells along the longer side of the grid on which the paper is fitted
_FINE = 400  # blocks along the longer side of the grid on which ink is separated from paper
_SOME = 20_011  # blocks are enough to measure noise
_PAPER = 0.75  # of a picture is paper of one tone, else there may be a shadow
_NARROW = 0.2  # of the side: strokes are narrower, shadows wider
_BOLD = 0.8  # of the contrast: a surface that departs more from the paper is a bold stroke, not a shadow
_EVEN = 3.0  # grey levels: paper that varies less counts as evenly lit
_NEAR = 12.0  # grey levels: what departs less from the paper may be paper
_OTHER = 24.0  # grey levels: the border's tone, if it departs more from the commonest, need not be paper


class Ink(NamedTuple):
    """The ink of a picture.

    Attributes
    ----------
    map
        (H, W) float32: departure of each pixel from the paper towards the ink, in grey levels; may be negative.
    blocks
        (h, w): the same for blocks of `step` pixels, at most `_FINE` along the longer side.
    mask
        (h, w): the blocks that hold ink.
    step
        See `blocks`.
    dark
        Whether the ink is darker than its paper.
    contrast
        Grey levels between paper and ink; 0 if there is no ink.
    gradient
        Grey levels between the lightest and the darkest paper.
    unrest
        Departure of the paper from a smooth surface, in grey levels (a robust standard deviation over cells).
    noise
        The same over the blocks of the mask: the paper's grain.
    """

    map: Float32
    blocks: Float32
    mask: BoolArray
    step: int
    dark: bool
    contrast: float
    gradient: float
    unrest: float
    noise: float

    @property
    def stands_out(self) -> bool:
        """Whether there is any ink."""
        return self.contrast >= max(6.0, 4 * self.unrest, 5.5 * self.noise)


def find_ink(grey: Float32) -> Ink:
    """Separate ink from paper in a grey image (H, W), 0-255."""
    cells = reduced(grey, -(-max(grey.shape) // _COARSE))
    step = -(-max(grey.shape) // _FINE)
    fine = reduced(grey, step)
    basis = _basis(*cells.shape)
    # Both polarities are tried; the one with more contrast relative to the paper's unevenness wins.
    dark, light = (_against(cells, fine, basis, sign) for sign in (-1.0, 1.0))
    is_dark = dark.clearness > light.clearness
    found, sign = (dark, -1.0) if is_dark else (light, 1.0)
    departure = np.float32(sign) * (grey - _surface(found.coefficients, *grey.shape))
    ink = _separated(departure, found.departure, step, found, dark=is_dark)
    return _beside_shadow(grey, fine, ink, found.share) if _of_several_tones(found, dark=is_dark) else ink


def _separated(departure: Float32, blocks: Float32, step: int, found: _Guess, *, dark: bool) -> Ink:
    """Return the ink, given the departure from the paper."""
    threshold = max(0.25 * found.contrast, 4 * found.unrest, 4 * found.noise)
    mask = blocks > min(threshold, 0.8 * found.contrast)
    return Ink(departure, blocks, mask, step, dark, found.contrast, found.gradient, found.unrest, found.noise)


def _of_several_tones(found: _Guess, *, dark: bool) -> bool:
    """Whether there is a surface that is neither paper nor stroke: it is wider than most strokes and frames.

    A dark one may also be as dark as the ink: a bold stroke. A light one need not be ink: it may be paper in the light.
    """
    if found.share > _PAPER:
        return False
    cells = reduced(found.departure, -(-max(found.departure.shape) // _COARSE))
    other = np.abs(cells) > max(_NEAR, 4 * found.unrest)
    if dark:
        other &= cells < _BOLD * found.contrast
    reach = max(2, round(0.06 * min(cells.shape)))
    solid = -_widest(-np.pad(other, reach).astype(np.float32), 2 * reach + 1)  # a border at the edge is narrow
    return float(solid.mean()) > 0.02


def _beside_shadow(grey: Float32, fine: Float32, ink: Ink, share: float) -> Ink:
    """Separate ink from paper of several tones, such as beside a shadow: ink is what is narrower than any of them.

    The paper is the picture's morphological closing (for light ink, its opening): steps of any height remain in it, and
    strokes vanish. `ink` comes back as it is unless that explains more of the picture as paper than its `share`.
    """
    edge = np.percentile(fine[_border(fine.shape)], (5, 95))
    dark = edge[0] - float(np.percentile(fine, 0.5)) > float(np.percentile(fine, 99.5)) - edge[1]
    sign = np.float32(-1 if dark else 1)
    window = max(3, round(_NARROW * min(fine.shape)))
    ground = _widest(-_widest(-sign * fine, window), window)
    blocks = sign * fine - ground
    some = blocks.ravel()[:: 1 + blocks.size // _SOME]
    noise = _deviation(some[some < 30])
    found = _Guess(np.zeros(0), _strength(blocks), float(np.ptp(ground)), noise, noise, 1.0, blocks)
    paper = ground.repeat(ink.step, axis=0).repeat(ink.step, axis=1)[: grey.shape[0], : grey.shape[1]]
    separated = _separated(sign * grey - paper, blocks, ink.step, found, dark=bool(dark))
    explained = 1 - float(separated.mask.mean())
    return separated if separated.stands_out and explained > max(share + 0.1, _PAPER) else ink


def _widest(values: Float32, window: int) -> Float32:
    """Dilate by the maximum in a square window of odd size; beyond the edge values go on as at the edge."""
    reach = window // 2
    result: Float32 = np.pad(values, reach, mode="edge")
    for _ in range(2):
        length = 1
        while length < 2 * reach + 1:  # maxima over twice the length, until they cover the window
            shift = min(length, 2 * reach + 1 - length)
            result = np.maximum(result[:-shift], result[shift:])
            length += shift
        result = result.T
    return result


class _Guess(NamedTuple):
    """The fit for one assumed polarity: ink darker than paper, or lighter."""

    coefficients: FloatArray  # of the paper's surface
    contrast: float
    gradient: float
    unrest: float
    noise: float
    share: float  # of the picture that is paper
    departure: Float32  # of the blocks

    @property
    def clearness(self) -> float:
        return self.contrast / (self.unrest + 1.0)


def _against(cells: Float32, fine: Float32, basis: FloatArray, sign: float) -> _Guess:
    """Fit the paper, begun at the border; or at the commonest tone, where that gives much more paper."""
    border = _border(cells.shape)
    edge = basis[..., :3] @ _fitted(basis[border][:, :3], cells[border])
    level = _commonest(cells)
    begun = _fitted_paper(cells, fine, basis, sign, edge)
    if abs(level - float(np.median(edge))) <= _OTHER:
        return begun
    other = _fitted_paper(cells, fine, basis, sign, np.full_like(edge, level))
    return other if other.share > max(1.5 * begun.share, 0.35) else begun


def _commonest(values: FloatArray) -> float:
    """Return the commonest tone: the median of the values around the mode of their histogram."""
    counts = np.bincount(np.clip(values, 0, 255).astype(int).ravel(), minlength=256)
    mode = int(np.argmax(np.convolve(counts, np.ones(17), "same")))
    return float(np.median(values[np.abs(values - mode) <= 12]))


def _fitted_paper(cells: Float32, fine: Float32, basis: FloatArray, sign: float, paper: FloatArray) -> _Guess:
    """Alternate four times between finding the ink and fitting the paper to the rest."""
    blank = border = _border(cells.shape)
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
    unrest = _deviation(ink[blank])
    departure = np.float32(sign) * (fine - _surface(coefficients, *fine.shape))
    some = departure.ravel()[:: 1 + departure.size // _SOME]
    noise = _deviation(some[np.abs(some) < 30])
    share = float((np.abs(ink) <= max(3 * unrest, _NEAR)).mean())
    return _Guess(coefficients, _strength(departure), float(np.ptp(paper)), unrest, noise, share, departure)


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


def blobs(mask: BoolArray) -> tuple[IntArray, int]:
    """Label the 8-connected components of a mask: labels (H, W), from 1, 0 outside; and their number.

    Runs of ink along rows are joined to those that they touch in the row above: each takes the least label of its
    component, found by repeated hooking and pointer jumping (Shiloach and Vishkin, 1982).
    """
    height, width = mask.shape
    change = np.diff(np.pad(mask, ((0, 0), (1, 1))).astype(np.int8), axis=1)
    (rows, starts), ends = np.nonzero(change == 1), np.nonzero(change == -1)[1]
    above = (rows - 1) * (width + 2)
    first = np.searchsorted(rows * (width + 2) + ends, above + starts)
    last = np.searchsorted(rows * (width + 2) + starts, above + ends, side="right")
    touching = np.maximum(last - first, 0)
    lower = np.repeat(np.arange(len(rows)), touching)
    upper = np.arange(len(lower)) - np.repeat(np.cumsum(touching) - touching - first, touching)
    least = _least_of_component(len(rows), lower, upper)
    names, number = np.unique(least, return_inverse=True)
    labels = np.zeros((height, width), np.intp)
    labels[mask] = np.repeat(number + 1, ends - starts)
    return labels, len(names)


def _least_of_component(count: int, ones: IntArray, others: IntArray) -> IntArray:
    """Return for each node the least number of a node in its component, given the edges."""
    parents = np.arange(count)
    while True:
        roots, other_roots = parents[ones], parents[others]
        lower = np.minimum(roots, other_roots)
        if np.array_equal(roots, other_roots):
            return parents
        np.minimum.at(parents, roots, lower)
        np.minimum.at(parents, other_roots, lower)
        while not np.array_equal(parents, parents[parents]):
            parents = parents[parents]


def extent(mask: BoolArray) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return (first, last + 1) of a mask's rows and of its columns; the full ranges if it is empty."""
    spans = []
    for axis in (1, 0):
        found = np.flatnonzero(mask.any(axis=axis))
        spans.append((int(found[0]), int(found[-1]) + 1) if len(found) else (0, mask.shape[1 - axis]))
    return spans[0], spans[1]


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


def _strength(departure: FloatArray) -> float:
    """Return the contrast of the ink: that of its darkest sixteen blocks, or fewer in a tiny picture."""
    place = departure.size - min(16, departure.size // 400 + 1)
    return max(float(np.partition(departure, place, axis=None)[place]), 0.0)


def _deviation(values: FloatArray) -> float:
    """Return the standard deviation as estimated from the median absolute deviation, robust to outliers."""
    return 1.4826 * float(np.median(np.abs(values - np.median(values)))) if values.size else 0.0
