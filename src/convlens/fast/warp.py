"""`convlens.ops.warp.warp`, compiled: image by image, so that nothing leaves the first-level cache."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from ..ops.warp import gaussian_matrix
from ..typing import Array, Float32
from .native import helper
from .product import NO_FLOOR, product
from .script import entry
from .signatures import Indices
from .vector import (
    WIDTH,
    at_least,
    gather,
    load,
    minus,
    plus,
    spread,
    store,
    store_some,
    times,
    where_greater,
    whole,
)

_NONE = np.zeros(0, np.float32)


@helper
def _smooth(noise, n0, down, across, rows, strips, count, height, width, no_bias, between, field):  # type: ignore[no-untyped-def]
    """Write one image's field (2, H, strips): noise (2, H, W) from n0 on, smoothed along its rows and columns."""
    stride = strips[1]
    for s in range(0, width, WIDTH):
        product(
            *(noise, n0, rows[height:], 0, 2 * height, count, strips, width, across, s, 0),
            *(between, s, stride, no_bias, 0, 0, NO_FLOOR, WIDTH),
        )
        for part in range(0, 2 * height * stride, height * stride):
            product(
                *(down, 0, rows, 0, height, count, strips, height, between, part + s, 0),
                *(field, part + s, stride, no_bias, 0, 0, NO_FLOOR, WIDTH),
            )


@helper
def _at_most(value, most):  # type: ignore[no-untyped-def]
    return where_greater(value, spread(most), spread(most), value)


@helper
def _mixed(one, other, share):  # type: ignore[no-untyped-def]
    """Return (1 - share) * one + share * other; exactly `one` where share is 0."""
    return plus(times(minus(spread(1), share), one), times(share, other))


@helper
def _move(images, x0, m, m0, field, across, height, width, channels, strip, out):  # type: ignore[no-untyped-def]
    """Sample one image at the places given by its matrix and field; see `convlens.ops.warp.bilinear`.

    `across` holds the columns from the centre, padded to whole strips; `strip` is memory for one strip.
    """
    middle, centre, stride = (height - 1) / 2, (width - 1) / 2, len(across)
    last_row, last_column = np.float32(height - 1), np.float32(width - 1)
    for i in range(height):
        y = i - middle
        row, column = m[m0] * y + (m[m0 + 2] + middle), m[m0 + 3] * y + (m[m0 + 5] + centre)
        for j in range(0, width, WIDTH):
            x = load(across, j)
            r = plus(spread(row), times(spread(m[m0 + 1]), x))
            c = plus(spread(column), times(spread(m[m0 + 4]), x))
            if len(field):
                r = plus(r, load(field, i * stride + j))
                c = plus(c, load(field, (height + i) * stride + j))
            r, c = _at_most(at_least(r, 0), last_row), _at_most(at_least(c, 0), last_column)
            above, left = whole(r), whole(c)
            u, v = minus(r, above), minus(c, left)
            # on the last row or column the next one has weight zero, but must exist
            below, right = _at_most(plus(above, spread(1)), last_row), _at_most(plus(left, spread(1)), last_column)
            above, below = times(above, spread(width * channels)), times(below, spread(width * channels))
            left, right = times(left, spread(channels)), times(right, spread(channels))
            for k in range(channels):
                of, to = x0 + k, x0 + (i * width + j) * channels + k
                upper = _mixed(gather(images, of, plus(above, left)), gather(images, of, plus(above, right)), v)
                lower = _mixed(gather(images, of, plus(below, left)), gather(images, of, plus(below, right)), v)
                if channels == 1:
                    store_some(_mixed(upper, lower, u), out, to, width - j)
                    continue
                store(_mixed(upper, lower, u), strip, 0)
                for one in range(min(WIDTH, width - j)):
                    out[to + one * channels] = strip[one]


@entry
def _warp(
    images: Float32,
    matrices: Float32,
    noise: Float32,
    down: Float32,
    across: Float32,
    rows: Indices,
    strips: Indices,
    count: Indices,
    height: int,
    width: int,
    channels: int,
    columns: Float32,
    no_bias: Float32,
    strip: Float32,
    between: Float32,
    field: Float32,
    out: Float32,
) -> None:
    """Warp images; `columns` are counted from the centre, `no_bias` is zeros, and the arrays after it are memory."""
    size = height * width * channels
    for n in range(len(matrices) // 6):
        if len(noise):
            n0 = n * 2 * height * width
            _smooth(noise, n0, down, across, rows, strips, count, height, width, no_bias, between, field)
        _move(images, n * size, matrices, n * 6, field, columns, height, width, channels, strip, out)


@lru_cache(maxsize=8)
def _tables(height: int, width: int, strength: float, deviation: float) -> tuple[Array, ...]:
    """Return the factors of `_smooth`, and its tables of offsets.

    The Gaussians, along columns (H, H) and, multiplied by the strength, along rows (W, strips of sixteen); where the
    rows of the former begin, then those of an image's noise; where rows of strips begin; and 0, 1, 2 ...
    """
    stride = -(-width // WIDTH) * WIDTH
    across = np.zeros((width, stride), np.float32)
    across[:, :width] = gaussian_matrix(width, deviation).T * np.float32(strength)
    rows = np.concatenate([np.arange(height) * height, np.arange(2 * height) * width])
    strips, count = np.arange(max(height, width, 2)) * stride, np.arange(max(height, width))
    down = gaussian_matrix(height, deviation)
    return down.reshape(-1), across.reshape(-1), *(table.astype(np.int32) for table in (rows, strips, count))


def warp(
    images: Float32,
    matrices: Float32,
    noise: Float32 | None,
    strength: float,
    deviation: float,
    out: Float32 | None = None,
) -> Float32:
    """See `convlens.ops.warp.warp`; float32 alone."""
    height, width, channels = images.shape[1:]
    moved = np.empty(images.shape, np.float32) if out is None else out
    fields = _NONE if noise is None else np.ascontiguousarray(noise).reshape(-1)
    tables = _tables(height, width, strength, deviation)
    stride = int(tables[-2][1])
    columns = (np.arange(stride) - (width - 1) / 2).astype(np.float32)
    memory = np.empty((2, 2 * height * stride if len(fields) else 0), np.float32)
    down, across, rows, strips, count = tables
    between, field = memory
    call = _warp(
        images=np.ascontiguousarray(images).reshape(-1),
        matrices=np.ascontiguousarray(matrices).reshape(-1),
        noise=fields,
        down=down,
        across=across,
        rows=rows,
        strips=strips,
        count=count,
        height=height,
        width=width,
        channels=channels,
        columns=columns,
        no_bias=np.zeros(WIDTH, np.float32),
        strip=np.empty(WIDTH, np.float32),
        between=between,
        field=field,
        out=moved.reshape(-1),
    )
    call()
    return moved
