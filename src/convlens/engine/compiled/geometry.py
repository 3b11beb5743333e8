"""The geometry of a convolution as tables of offsets, which is all that compiled code knows of it.

They are used in `convlens.fast.conv` and, for rows in pairs, in `convlens.fast.pairs`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from ...fast.pairs import PARTS
from ...fast.vector import WIDTH
from ...ops.window import Pair, Window
from ...typing import Array

PIXELS = 224  # outputs that a product should have: so several small images, or rows of pooling windows, at a time
PAIRED_PIXELS = 98  # outputs that a part should have, where rows are in pairs
WORTH_PAIRS = 24  # fewest values in a row of a kernel for which pairs of rows save more than they cost


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

    Where rows are in pairs, both hold one table for each part of the lifted images; `parts` says where the offsets of
    each part begin. `spans` are ranges of pairs that need the same positions: part, first pair, the one after the last,
    and positions likewise. `lifting` is the geometry, and `lifted_size` the number of values in a block of lifted
    images. All of these are empty otherwise.
    """

    outputs: Array
    taps: Array
    parts: Array
    spans: Array
    lifting: Array
    lifted_size: int


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
    sources, factors
        The factors of the gradient of kernels: where outputs' patches begin, and where derivatives are. With rows in
        pairs: in one part of all lifted images (`lifted_size` values), and for each part.
    """

    group: int
    padded_size: int
    lines: Array
    mirrored: Array
    forward: PatchTables
    back: PatchTables
    area: int
    places: Array
    sources: Array
    factors: Array
    lifted_size: int


def in_pairs(window: Window, channels: int, pool: Pair, rows: int) -> bool:
    """Return whether `rows` rows of a convolution's outputs are computed in pairs: if possible and worth it."""
    height, width = window.kernel
    possible = height % 2 == 1 and height > 1 and window.stride[0] == 1 and (pool == (1, 1) or pool[0] == 2)
    saves = (rows + 1) // 2 * (3 * height - 1) < 2 * rows * height  # products of rows, twice
    return possible and saves and channels * width >= WORTH_PAIRS


@lru_cache(maxsize=256)
def tables(window: Window, size: tuple[int, int, int], filters: int, pool: Pair, output: Pair, most: int) -> Tables:
    """Return the tables for images of `size` (H, W, C), at most `most` of them at a time."""
    (height, width, channels), (kh, kw), (sh, sw) = size, window.kernel, window.stride
    rows, (padded_height, padded_width) = pool[0] * output[0], window.padded_size(height, width)
    group = max(1, min(most, -(-PIXELS // (rows * pool[1] * output[1]))))
    high, wide, (top, _), (left, _) = height, width, window.rows, window.columns
    if window.is_padded and window.mode == "reflect":  # then dx is first computed for padded images
        high, wide, top, left = padded_height, padded_width, 0, 0
    above, before, spread_height = kh - 1 - top, kw - 1 - left, high + kh - 1
    paired = in_pairs(window, channels, pool, rows)
    if paired:  # the last pair may lack its second row, which needs a place all the same
        padded_height = max(padded_height, rows + rows % 2 + kh - 1)
        spread_height = max(high + high % 2 + kh - 1, above + rows + rows % 2)
    line, line_back = padded_width * channels, (wide + kw - 1) * WIDTH
    image, image_back = padded_height * line, spread_height * line_back
    image += WIDTH if paired else 0  # the values after the last row are lifted with it
    # outputs are ordered by row, by phase in a pooling window (across), and by column of windows
    across = (np.arange(output[1]) * pool[1] + np.arange(pool[1])[:, None]).reshape(-1) * sw
    lines, pixels = np.arange(rows) * sh, np.arange(wide) * WIDTH
    folds = 2 * group * -(-rows // 2) * len(across) if paired else 0
    area = group * image_back + folds * WIDTH
    images = Raster(group, image, line, channels, group * image)
    spread = Raster(group, image_back, line_back, WIDTH, area)
    places = spread.places(lines + above, (across + before) * WIDTH)
    padded_with_zeros = window.is_padded and window.mode == "zeros"
    of, back = (
        (images, lines, across * channels, (kh, kw, channels), (top, top + height) if padded_with_zeros else None),
        (spread, np.arange(high), pixels, (kh, kw, filters), (above, above + rows)),
    )
    forward, backward = (_in_pairs(*each) if paired else _plain(*each) for each in (of, back))
    sources, factors, lifted_size = forward.outputs, places, 0
    if paired:
        whole = _lifted(images, group, -(-rows // 2), kh)
        sources, lifted_size = whole.places(np.arange(-(-rows // 2)), across * channels), whole.strip // PARTS
        upper, folded = places[:, ::2].reshape(-1), group * image_back + np.arange(folds) * WIDTH
        factors = np.concatenate((upper, folded, upper + line_back))
    rows_of_images = _padding(window, height, width, channels, always=paired)
    wanted = _table(places), _table(sources), _table(factors)
    return Tables(group, group * image, *rows_of_images, forward, backward, area, *wanted, lifted_size)


def _plain(
    images: Raster, lines: Array, across: Array, kernel: tuple[int, int, int], filled: Pair | None
) -> PatchTables:
    del filled
    nothing = _table(())
    return PatchTables(_table(images.places(lines, across)), _table(images.taps(*kernel)), nothing, nothing, nothing, 0)


def _in_pairs(
    images: Raster, lines: Array, across: Array, kernel: tuple[int, int, int], filled: Pair | None
) -> PatchTables:
    """Return the tables of a block: some pairs of rows of one image, or whole images if they are small.

    Only rows from ``filled[0]`` to before ``filled[1]`` are non-zero; if `filled` is None, all may be.
    """
    height, width, channels = kernel
    pairs, triples, strips = -(-len(lines) // 2), height // 2, -(-channels // images.pixel)
    block_pairs = min(pairs, max(1, PAIRED_PIXELS // len(across)))
    block = min(images.group, max(1, PAIRED_PIXELS // (pairs * len(across)))) if block_pairs == pairs else 1
    lifted = _lifted(images, block, block_pairs, height)
    places, part = lifted.places(np.arange(block_pairs), across), lifted.strip // PARTS
    taps = [lifted.taps(rows, width, channels) for rows in (1, triples, triples, triples)]
    lifting = (
        *(images.image, images.line, images.strip, strips, lifted.line, triples),
        *(len(across), pairs, len(lines), block, block_pairs),
    )
    parts = np.cumsum([0, *map(len, taps)])
    needed = filled if block == 1 else None  # pairs of several images are not consecutive
    return PatchTables(
        _table(np.stack([places + p * part for p in range(PARTS)])),
        _table(np.concatenate(taps)),
        _table(parts),
        _table([span for p in range(PARTS) for span in _spans(p, parts, pairs, width * channels, needed)]),
        _table(lifting),
        strips * lifted.strip,
    )


def _spans(part: int, parts: Array, pairs: int, row: int, filled: Pair | None) -> list[tuple[int, ...]]:
    """Return the spans of a part of lifted images, without the positions whose rows are zero for a pair.

    `row` is the number of positions in a row of a kernel. A pair that needs none keeps one, so that it has a sum.
    """
    begin, end = int(parts[part]), int(parts[part + 1])
    if filled is None:
        return [(part, 0, pairs, begin, end)]
    of = (part, 2 if part < 2 else 1)  # the two rows whose sum or difference the part is
    spans: list[tuple[int, ...]] = []
    for pair in range(pairs):
        rows = range((end - begin) // row)
        live = [r for r in rows if any(filled[0] <= 2 * (pair + r) + k < filled[1] for k in of)]
        positions = (begin + live[0] * row, begin + (live[-1] + 1) * row) if live else (begin, begin + 1)
        if spans and spans[-1][3:] == positions:
            spans[-1] = (*spans[-1][:2], pair + 1, *positions)
        else:
            spans.append((part, pair, pair + 1, *positions))
    return spans


def _lifted(images: Raster, group: int, pairs: int, height: int) -> Raster:
    """Return the layout of a group's lifted images in each part; a strip holds all parts."""
    line = -(-images.line // WIDTH) * WIDTH
    image = (pairs + height // 2 - 1) * line
    return Raster(group, image, line, images.pixel, PARTS * group * image)


def _table(values: Any) -> Array:
    return np.ascontiguousarray(values, np.int32).reshape(-1)


def _padding(window: Window, height: int, width: int, channels: int, *, always: bool) -> tuple[Array, Array]:
    """Return where in a padded image each row begins, and the pairs of mirrored values with their origins.

    Both are empty where nothing is padded, unless images must `always` be copied.
    """
    nothing = _table(())
    if not window.is_padded and not always:
        return nothing, nothing
    _, padded_width = window.padded_size(height, width)
    lines = ((np.arange(height) + window.rows[0]) * padded_width + window.columns[0]) * channels
    if window.mode == "zeros" or not window.is_padded:
        return _table(lines), nothing
    places = np.arange(lines[-1] + padded_width * channels)  # only those of the image itself are used
    inside = np.stack([places[line : line + width * channels] for line in lines])
    origin = window.pad(inside.reshape(1, height, width, channels)).reshape(-1)
    border = np.flatnonzero(origin != np.arange(origin.size))
    return _table(lines), _table(np.stack((border, origin[border]), axis=1))
