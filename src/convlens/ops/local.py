"""The locally connected layer: a convolution without weight sharing.

Forward::

    y[n, i, j, o] = b[i, j, o] + sum over (u, v, c) of  x_padded[n, i*sh + u, j*sw + v, c] * w[i, j, u, v, c, o]

Every output sees only its patch, as in a convolution; but each position has its own kernels. So comparing the two
measures weight sharing, with locality held equal.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np

from ..typing import FloatArray, Shape
from .window import Window

Saved: TypeAlias = tuple[FloatArray, FloatArray, Shape, Window]


def local2d(x: FloatArray, w: FloatArray, b: FloatArray, window: Window) -> tuple[FloatArray, Saved]:
    """Connect locally: x (N, H, W, C_in), w (H_out, W_out, KH, KW, C_in, C_out), b (H_out, W_out, C_out).

    Returns y (N, H_out, W_out, C_out) and what the backward pass needs.
    """
    patches = window.patches(window.pad(x))  # (N, H_out, W_out, KH, KW, C_in)
    n, h_out, w_out = patches.shape[:3]
    columns = patches.transpose(1, 2, 0, 3, 4, 5).reshape(h_out, w_out, n, -1)  # by position, copied
    y = np.matmul(columns, w.reshape(h_out, w_out, -1, w.shape[-1]))  # (H_out, W_out, N, C_out)
    return y.transpose(2, 0, 1, 3) + b, (columns, w, x.shape, window)


def local2d_backward(dy: FloatArray, saved: Saved) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return (dx, dw, db) for dy (N, H_out, W_out, C_out)."""
    columns, w, (n, height, width, _), window = saved
    h_out, w_out = w.shape[:2]
    rows = dy.transpose(1, 2, 0, 3)  # (H_out, W_out, N, C_out)
    dw = np.matmul(columns.transpose(0, 1, 3, 2), rows).reshape(w.shape)
    weights = w.reshape(h_out, w_out, -1, w.shape[-1])
    dcolumns = np.matmul(rows, weights.transpose(0, 1, 3, 2))  # (H_out, W_out, N, KH*KW*C_in)
    dpatches = dcolumns.reshape(h_out, w_out, n, *w.shape[2:5]).transpose(2, 0, 1, 3, 4, 5)
    return window.scatter(dpatches, height, width), dw, dy.sum(axis=0)
