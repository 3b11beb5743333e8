"""The geometry of a convolution as tables of offsets, which is all that compiled code knows of it.

They are used in `convlens.fast.conv` and, for results in squares, in `convlens.fast.minimal`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from ...fast.lifting import KERNELS, kernel_order
from ...fast.minimal import NUMBERS
from ...fast.toom import FOUR, TWO, Form
from ...fast.vector import WIDTH
from ...ops.window import Pair, Window
from ...typing import Array

PIXELS = 224  # outputs that a product should have: so several small images, or rows of pooling windows, at a time
BLOCK_SUMS = 784  # positions of squares at a time, where results are in squares
WORTH_FOUR = 0.85  # most multiplications, of those in squares of 2 x 2, for which squares of 4 x 4 save time
WORTH_SQUARES = 14  # fewest values in a row of a kernel for which squares save more than they cost


@dataclass(frozen=True)
class Raster:
    """The layout of a group of images, in strips of channels.

    Attributes
    ----------
    group
        Number of images.
    image, line, pixel, strip
        Distance, in values, from one image, line, pixel or strip to the next.
    """

    group: int
    image: int
    line: int
    pixel: int
    strip: int

    def places(self, lines: Array, across: Array) -> Array:
        """Return the places (images, lines, across) of the values at offsets `across` in each line."""
        images = np.arange(self.group)[:, None, None] * self.image
        return np.asarray(images + lines[:, None] * self.line + across)

    def taps(self, height: int, width: int, channels: int) -> Array:
        """Return the places of a kernel's positions."""
        u, v, c = np.ogrid[:height, :width, :channels]
        places = u * self.line + v * self.pixel + c // self.pixel * self.strip + c % self.pixel
        return np.asarray(places).reshape(-1)


@dataclass(frozen=True)
class PatchTables:
    """Tables of a convolution of one group of images: where its outputs' patches begin, and the offsets in a patch.

    Where results are in squares, `outputs` are those of a block's squares at one position, and `taps` has one table for
    each position; `parts` says where each begins. `geometry` is what `convlens.fast.minimal` knows of the rest; a block
    of lifted images has `lifted_size` values, and `squares` squares, of which `form` says how they are computed. All of
    these are empty, zero or None otherwise.
    """

    outputs: Array
    taps: Array
    parts: Array
    geometry: Array
    lifted_size: int = 0
    squares: int = 0
    form: Form | None = None


@dataclass(frozen=True)
class Tables:
    """All tables of a convolution layer, int32, for a group of images.

    Attributes
    ----------
    group, padded_size, lines, mirrored
        Number of images; number of values in all of them, padded; the tables of `convlens.fast.planes.pad`, empty if
        nothing is copied.
    forward, back
        The convolution itself, and that of the spread-out derivatives, which computes dx.
    area, places
        Number of values in a strip of spread-out derivatives, and where in it each output is.
    whole
        As `forward`, for the gradient of kernels: with results in squares, its block is the whole group.
    derivatives
        The geometry of the derivatives' squares; empty without.
    dpadded_size
        Number of values in the derivatives of all padded images, where padding reflects; 0 elsewhere.
    """

    group: int
    padded_size: int
    lines: Array
    mirrored: Array
    forward: PatchTables
    back: PatchTables
    area: int
    places: Array
    whole: PatchTables
    derivatives: Array
    dpadded_size: int


def in_squares(window: Window, channels: int, pool: Pair) -> bool:
    """Return whether a convolution's results are computed in squares: if possible and worth it."""
    height, width = window.kernel
    possible = height == width and height in KERNELS[TWO] and window.stride == (1, 1)
    return possible and pool in ((1, 1), (2, 2)) and channels * width >= WORTH_SQUARES


def form_of(kernel: int, results: Pair) -> Form:
    """Return the form of a convolution's squares: the larger one, where not too much of its last squares sticks out."""
    two, four = (math.prod(_squares(form, results)) * form.size**2 for form in (TWO, FOUR))
    return FOUR if kernel in KERNELS[FOUR] and four <= WORTH_FOUR * two else TWO


def _squares(form: Form, results: Pair) -> Pair:
    """Return the numbers of squares in a column and in a row."""
    return -(-results[0] // form.results), -(-results[1] // form.results)


@lru_cache(maxsize=256)
def tables(window: Window, size: tuple[int, int, int], filters: int, pool: Pair, output: Pair, most: int) -> Tables:
    """Return the tables for images of `size` (H, W, C), at most `most` of them at a time."""
    (height, width, channels), (kh, kw), (sh, sw) = size, window.kernel, window.stride
    rows, columns, padded_size = pool[0] * output[0], pool[1] * output[1], window.padded_size(height, width)
    group = max(1, min(most, -(-PIXELS // (rows * columns))))
    squares, of = in_squares(window, channels, pool), form_of(kh, (rows, columns))
    if squares:  # the last squares may stick out
        padded_size = _at_least(padded_size, _filled(of, (rows, columns), kh))
    high, wide, (top, _), (left, _) = height, width, window.rows, window.columns
    reflects = window.is_padded and window.mode == "reflect"
    if reflects:  # then dx is first computed for padded images
        (high, wide), top, left = padded_size, 0, 0
    above, before, form_back = kh - 1 - top, kw - 1 - left, form_of(kh, (high, wide))
    spread_size = high + kh - 1, wide + kw - 1
    if squares:
        height_of, width_of = _filled(of, (rows, columns), 1)
        spread_size = _at_least(
            spread_size, _filled(form_back, (high, wide), kh), (above + height_of, before + width_of)
        )
    line, line_back = padded_size[1] * channels, spread_size[1] * WIDTH
    image, image_back = padded_size[0] * line, spread_size[0] * line_back
    image += WIDTH if squares else 0  # whole strips are lifted, so values after the last pixel's are read
    images = Raster(group, image, line, channels, group * image)
    spread = Raster(group, image_back, line_back, WIDTH, group * image_back)
    # outputs are ordered by row, by phase in a pooling window (across), and by column of windows
    across = (np.arange(output[1]) * pool[1] + np.arange(pool[1])[:, None]).reshape(-1) * sw
    lines, pixels = np.arange(rows) * sh, np.arange(wide) * WIDTH
    if squares:
        forward = _in_squares(of, images, (rows, columns), (kh, channels), WIDTH)
        whole = _in_squares(of, images, (rows, columns), (kh, channels), WIDTH, whole=True)
        back = _in_squares(form_back, spread, (high, wide), (kh, filters), spread.strip)
        derivatives = _geometry(of, spread, (rows, columns), (1, filters), spread.strip, group, 0)
    else:
        forward = whole = _plain(images, lines, across * channels, (kh, kw, channels))
        back, derivatives = _plain(spread, np.arange(high), pixels, (kh, kw, filters)), ()
    places = _table(spread.places(lines + above, (across + before) * WIDTH))
    rows_of_images = _padding(window, size, padded_size, always=squares)
    return Tables(
        *(group, group * image, *rows_of_images, forward, back, group * image_back, places, whole),
        *(_table(derivatives), group * high * wide * channels if reflects else 0),
    )


def _at_least(*sizes: Pair) -> Pair:
    return max(size[0] for size in sizes), max(size[1] for size in sizes)


def _filled(form: Form, results: Pair, kernel: int) -> Pair:
    """Return the size of an image, for whole squares of results."""
    rows, columns = _squares(form, results)
    return rows * form.results + kernel - 1, columns * form.results + kernel - 1


def _plain(images: Raster, lines: Array, across: Array, kernel: tuple[int, int, int]) -> PatchTables:
    nothing = _table(())
    return PatchTables(_table(images.places(lines, across)), _table(images.taps(*kernel)), nothing, nothing)


def _geometry(
    form: Form, images: Raster, results: Pair, kernel: Pair, strip: int, block: int, block_rows: int
) -> tuple[int, ...]:
    """Return the numbers that `convlens.fast.minimal` names; a kernel has a height and channels."""
    rows, columns = _squares(form, results)
    numbers = (
        *(images.image, images.line, images.pixel, strip, -(-kernel[1] // WIDTH)),
        *(columns, rows, form.sections(kernel[0]) - 1, results[1], results[0], block, block_rows),
        *(form.results, form.size),
    )
    assert len(numbers) == NUMBERS
    return numbers


def _in_squares(
    form: Form, images: Raster, results: Pair, kernel: Pair, strip: int, *, whole: bool = False
) -> PatchTables:
    """Return the tables of a block: some rows of squares of one image, or whole images if they are small."""
    (size, channels), (rows, columns), positions = kernel, _squares(form, results), form.size**2
    most = BLOCK_SUMS // positions
    block_rows = min(rows, max(1, most // columns))
    block = min(images.group, max(1, most // (rows * columns))) if block_rows == rows else 1
    if whole:
        block, block_rows = images.group, rows
    more, pitch = form.sections(size) - 1, -(-channels // WIDTH) * WIDTH
    line = (columns + more) * pitch
    image = (block_rows + more) * line
    lifted = Raster(block, image, line, pitch, 0)
    sections, of = form.kernel_rows(size), np.arange(channels)
    taps: list[Array] = []
    counts = [0] * positions
    for i, j in kernel_order(form, size):
        taps.append(sections[i].section * line + sections[j].section * pitch + of)
        counts[sections[i].position * form.size + sections[j].position] += channels
    return PatchTables(
        _table(lifted.places(np.arange(block_rows), np.arange(columns) * pitch)),
        _table(np.concatenate(taps)),
        _table(np.cumsum([0, *counts])),
        _table(_geometry(form, images, results, kernel, strip, block, block_rows)),
        (block * image + WIDTH) * positions,
        block * block_rows * columns,
        form,
    )


def _table(values: Any) -> Array:
    return np.ascontiguousarray(values, np.int32).reshape(-1)


def _padding(window: Window, size: tuple[int, int, int], padded: Pair, *, always: bool) -> tuple[Array, Array]:
    """Return where in an image of `padded` size each row begins, and the pairs of mirrored values with their origins.

    Both are empty where nothing is padded, unless images must `always` be copied.
    """
    nothing, (height, width, channels) = _table(()), size
    if not window.is_padded and not always:
        return nothing, nothing
    (top, _), (left, _) = window.rows, window.columns
    lines = ((np.arange(height) + top) * padded[1] + left) * channels
    if window.mode == "zeros" or not window.is_padded:
        return _table(lines), nothing
    places = np.arange(padded[0] * padded[1] * channels, dtype=np.float64).reshape(*padded, channels)
    origin = window.pad(places[None, top : top + height, left : left + width])[0]
    places = places[: origin.shape[0], : origin.shape[1]]
    border = origin != places
    return _table(lines), _table(np.stack((places[border], origin[border]), axis=1))
