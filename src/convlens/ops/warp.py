r"""Warping images: every output pixel is interpolated from four neighbouring input pixels.

A warp gives, for each output pixel, the place in the input that it comes from, so no output pixel is left empty.
Beyond the edge, the edge's own pixels are repeated: that is background, whatever its value. Rows run
downwards and columns to the right, both from 0, so a positive rotation is clockwise as seen.

Reading order: `affine_matrices` (what a warp does) -> `affine_places` -> `elastic_displacement` -> `bilinear` ->
`warp`, which combines them.
"""

from __future__ import annotations

import numpy as np

from .. import elementary
from ..typing import FloatArray

_TAIL = 4.0  # standard deviations after which a Gaussian is cut off


def affine_matrices(
    rotation: FloatArray, scale: FloatArray, shear: FloatArray, shift: FloatArray, dtype: type[np.floating] = np.float32
) -> FloatArray:
    r"""Return the matrices that map output pixels back to input pixels.

    The image is scaled, sheared, rotated and finally shifted, all about its centre:
    :math:`p_{out} = R\,S\,s\,p_{in} + t`, so :math:`p_{in} = (R\,S\,s)^{-1}(p_{out} - t)` with

    ::

        p = (row, column) from the centre,   R = [[cos, sin], [-sin, cos]],   S = [[1, 0], [shear, 1]]

    Parameters
    ----------
    rotation
        (N,) radians, clockwise as seen.
    scale
        (N,) factors above 0; 2 makes things twice as large.
    shear
        (N,) columns to the right for each row further down.
    shift
        (N, 2) pixels down and to the right.
    dtype
        Of the result; the matrices are computed in float64.

    Returns
    -------
    FloatArray
        (N, 2, 3): ``input = m[:, :, :2] @ output + m[:, :, 2]``, both from the centre.
    """
    cos, sin = elementary.cos(rotation), elementary.sin(rotation)
    inverse = np.empty((len(cos), 2, 3))
    # S^-1 R^-1 / scale
    inverse[:, 0, 0], inverse[:, 0, 1] = cos / scale, -sin / scale
    inverse[:, 1, 0], inverse[:, 1, 1] = (sin - shear * cos) / scale, (cos + shear * sin) / scale
    down, right = np.asarray(shift, np.float64).T[:, :, None]
    inverse[:, :, 2] = -(inverse[:, :, 0] * down + inverse[:, :, 1] * right)  # no BLAS: its order of summation varies
    return inverse.astype(dtype)


def affine_places(matrices: FloatArray, height: int, width: int) -> tuple[FloatArray, FloatArray]:
    """Return where in the input each output pixel comes from: rows and columns, each (N, H, W)."""
    dtype = matrices.dtype
    centre_row, centre_column = dtype.type((height - 1) / 2), dtype.type((width - 1) / 2)
    row = (np.arange(height, dtype=dtype) - centre_row)[:, None]  # (H, 1)
    column = np.arange(width, dtype=dtype) - centre_column  # (W,)
    m = matrices[:, :, :, None, None]  # (N, 2, 3, 1, 1)
    rows = (m[:, 0, 0] * row + (m[:, 0, 2] + centre_row)) + m[:, 0, 1] * column
    columns = (m[:, 1, 1] * column + (m[:, 1, 2] + centre_column)) + m[:, 1, 0] * row
    return rows, columns


def gaussian_matrix(size: int, deviation: float, dtype: type[np.floating] = np.float32) -> FloatArray:
    """Return the (size, size) matrix that smooths a column by a Gaussian, with zeros beyond the ends."""
    reach = int(_TAIL * deviation + 0.5)
    offsets = np.arange(-reach, reach + 1)
    weights = elementary.exp(-0.5 * (offsets / deviation) ** 2)
    weights /= weights.sum()
    distance = np.arange(size)[:, None] - np.arange(size)
    return np.where(np.abs(distance) <= reach, weights[np.clip(distance + reach, 0, 2 * reach)], 0.0).astype(dtype)


def elastic_displacement(noise: FloatArray, strength: float, deviation: float) -> FloatArray:
    """Return a smooth random field of displacements.

    Parameters
    ----------
    noise
        (N, 2, H, W) uniform between -1 and 1: one field for rows, one for columns.
    strength
        Alpha, the factor of the smoothed noise, in pixels.
    deviation
        Sigma of the Gaussian that smooths, in pixels.

    Returns
    -------
    FloatArray
        (N, 2, H, W), in pixels.

    Notes
    -----
    Source: Simard, Steinkraus, Platt, "Best practices for convolutional neural networks applied to visual document
    analysis", ICDAR 2003; there sigma is 4 and alpha 34, for images of 29 x 29.
    """
    dtype = noise.dtype.type
    height, width = noise.shape[2:]
    down, across = gaussian_matrix(height, deviation, dtype), gaussian_matrix(width, deviation, dtype)
    # Small matrices one by one, so that no library divides the sum among threads.
    smoothed: FloatArray = np.matmul(np.matmul(down, noise), across.T)
    smoothed *= dtype(strength)
    return smoothed


def bilinear(images: FloatArray, rows: FloatArray, columns: FloatArray, out: FloatArray | None = None) -> FloatArray:
    r"""Sample images between their pixels.

    With :math:`r = i + u`, :math:`c = j + v`, and i, j whole:
    :math:`y = (1-u)\,[(1-v)\,x_{i,j} + v\,x_{i,j+1}] + u\,[(1-v)\,x_{i+1,j} + v\,x_{i+1,j+1}]`.
    A place beyond the edge is moved to the edge. At integer places the pixel is returned exactly.

    Parameters
    ----------
    images
        (N, H, W, C).
    rows, columns
        (N, H_out, W_out): where each output pixel comes from.
    out
        (N, H_out, W_out, C), C-contiguous; without it, a new array. Not `images` itself.

    Returns
    -------
    FloatArray
        (N, H_out, W_out, C) of the images' dtype.
    """
    n, height, width, channels = images.shape
    flat = np.ascontiguousarray(images).reshape(n * height * width, channels)
    row, u = _split(rows, height, images.dtype)
    column, v = _split(columns, width, images.dtype)
    place = row * width
    place += column
    place += (np.arange(n, dtype=np.intp) * (height * width))[:, None, None]
    below, right = width * (height > 1), int(width > 1)
    u, v = u[..., None], v[..., None]  # over channels
    upper = _between(flat, place, right, v)
    upper *= 1 - u
    place += below
    lower = _between(flat, place, right, v)
    lower *= u
    return np.add(upper, lower, out=out)


def _split(places: FloatArray, size: int, dtype: np.dtype[np.floating]) -> tuple[np.ndarray, FloatArray]:
    """Return the pixel before each place (the last but one at most, if there are two) and the fraction, 0 to 1."""
    inside = np.clip(places, 0, size - 1).astype(dtype, copy=False)
    whole = inside.astype(np.intp)
    np.minimum(whole, max(size - 2, 0), out=whole)
    return whole, inside - whole.astype(dtype)


def _between(flat: FloatArray, place: np.ndarray, right: int, v: FloatArray) -> FloatArray:
    """Return the pixels at `place` and their right neighbours, interpolated by v."""
    left_pixel = flat.take(place, axis=0)
    right_pixel = flat.take(place + right, axis=0)
    left_pixel *= 1 - v
    right_pixel *= v
    left_pixel += right_pixel
    return left_pixel


def warp(
    images: FloatArray,
    matrices: FloatArray,
    noise: FloatArray | None,
    strength: float,
    deviation: float,
    out: FloatArray | None = None,
) -> FloatArray:
    """Warp images: each by an affine map and, where noise is given, an elastic displacement.

    Parameters
    ----------
    images, out
        (N, H, W, C), as for `bilinear`.
    matrices
        (N, 2, 3): see `affine_matrices`.
    noise, strength, deviation
        See `elastic_displacement`; without noise there is no displacement.
    """
    rows, columns = affine_places(matrices, *images.shape[1:3])
    if noise is not None:
        field = elastic_displacement(noise, strength, deviation)
        rows += field[:, 0]
        columns += field[:, 1]
    return bilinear(images, rows, columns, out=out)
