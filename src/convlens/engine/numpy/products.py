"""Matrix products in blocks of the size at which OpenBLAS is fastest.

Up to a million multiply-adds OpenBLAS multiplies without packing; above that it first copies both factors into packed
panels. The matrices of a small network are long and narrow, so packing takes up to a third of the time: without it,
the second convolution of the MNIST network runs at 112 GFLOP/s per core instead of 80 (measured in benchmarks/). NumPy
multiplies a stack of matrices in one call, so a product is cut into a stack of row blocks when it is bound.
"""

from __future__ import annotations

from ...typing import Array

LARGEST_UNPACKED = 1_000_000  # multiply-adds; OpenBLAS's own limit for its small-matrix kernels
SMALLEST_BLOCK = 16  # rows


def block_rows(rows: int, inner: int, outer: int, smallest: int = SMALLEST_BLOCK) -> int:
    """Return how many rows of a (rows, inner) by (inner, outer) product to multiply at a time: a divisor of `rows`.

    It is the largest for which nothing is packed; or `rows`, if that would be below `smallest`.
    """
    most = LARGEST_UNPACKED // (inner * outer)
    if rows <= most:
        return rows
    return next((block for block in range(most, smallest - 1, -1) if rows % block == 0), rows)


def as_rows(array: Array) -> Array:
    """Return an array as a matrix whose rows are its last axis."""
    return array.reshape(-1, array.shape[-1])


def blocks(matrix: Array, rows: int) -> Array:
    """Return a matrix (R, D), of either memory order, as a stack of row blocks (R / rows, rows, D), without copying."""
    by_row, by_column = matrix.strides
    stack = matrix.view()
    if by_column <= by_row:
        return stack.reshape(-1, rows, matrix.shape[1])
    return stack.T.reshape(matrix.shape[1], -1, rows).transpose(1, 2, 0)
