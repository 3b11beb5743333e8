"""Convolution, as the field uses the word: a cross-correlation of the image with every kernel.

Forward::

    y[n, i, j, o] = b[o] + sum over (u, v, c) of  x_padded[n, i*sh + u, j*sw + v, c] * w[u, v, c, o]

Every output pixel is a dot product of a patch with a kernel, so all of them together are one matrix product of the
patches (N*H_out*W_out, KH*KW*C_in) with the kernels (KH*KW*C_in, C_out). The backward pass is the chain rule for it.
"""

from __future__ import annotations

from typing import TypeAlias

from ..typing import FloatArray, Shape
from .window import Window

Saved: TypeAlias = tuple[FloatArray, FloatArray, Shape, Window]


def conv2d(x: FloatArray, w: FloatArray, b: FloatArray, window: Window) -> tuple[FloatArray, Saved]:
    """Convolve images with kernels.

    Parameters
    ----------
    x
        Images, (N, H, W, C_in).
    w
        Kernels, (KH, KW, C_in, C_out).
    b
        Biases, (C_out,).
    window
        Geometry; ``window.kernel`` equals (KH, KW).

    Returns
    -------
    y
        (N, H_out, W_out, C_out).
    saved
        What `conv2d_backward` needs.
    """
    patches = window.patches(window.pad(x))  # (N, H_out, W_out, KH, KW, C_in)
    columns = patches.reshape(-1, w[..., 0].size)  # (N*H_out*W_out, KH*KW*C_in), copied
    y = columns @ w.reshape(-1, w.shape[3]) + b
    return y.reshape(*patches.shape[:3], w.shape[3]), (columns, w, x.shape, window)


def conv2d_backward(dy: FloatArray, saved: Saved) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return (dx, dw, db) for dy (N, H_out, W_out, C_out)."""
    columns, w, (_, height, width, _), window = saved
    rows = dy.reshape(-1, w.shape[3])  # (N*H_out*W_out, C_out)
    dw = (columns.T @ rows).reshape(w.shape)
    db = dy.sum(axis=1).sum(axis=1).sum(axis=0)  # an axis at a time: one long sum in float32 loses digits
    dcolumns = rows @ w.reshape(-1, w.shape[3]).T  # (N*H_out*W_out, KH*KW*C_in)
    dx = window.scatter(dcolumns.reshape(*dy.shape[:3], *w.shape[:3]), height, width)
    return dx, dw, db
