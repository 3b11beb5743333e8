"""Pooling: every window is replaced by its largest value, its mean, or a weighted mean.

A window that would reach over the edge is dropped. Where several values of a window are equally large, the first one in
reading order is the maximum, and takes the whole gradient (as in PyTorch): blank areas of an image are full of ties.
"""

from __future__ import annotations

import math
from typing import TypeAlias

import numpy as np
from numpy.typing import DTypeLike

from ..typing import Array, FloatArray, Shape
from .window import Window

MaxSaved: TypeAlias = tuple[Array, Shape, Window]
AverageSaved: TypeAlias = tuple[Shape, Window]


def max_pool2d(x: FloatArray, window: Window) -> tuple[FloatArray, MaxSaved]:
    """Return the maximum of each window: (N, H, W, C) -> (N, H_out, W_out, C)."""
    patches = window.patches(x)  # (N, H_out, W_out, KH, KW, C)
    n, h_out, w_out, kh, kw, c = patches.shape
    values = patches.reshape(n, h_out, w_out, kh * kw, c)
    winner = values.argmax(axis=3)[:, :, :, None]  # (N, H_out, W_out, 1, C); argmax takes the first of equals
    return np.take_along_axis(values, winner, axis=3)[:, :, :, 0], (winner, x.shape, window)


def max_pool2d_backward(dy: FloatArray, saved: MaxSaved) -> FloatArray:
    """Give each dy (N, H_out, W_out, C) to the pixel that was the maximum."""
    winner, (_, height, width, _), window = saved
    (kh, kw), (n, h_out, w_out, c) = window.kernel, dy.shape
    dpatches = np.zeros((n, h_out, w_out, kh * kw, c), dy.dtype)
    np.put_along_axis(dpatches, winner, dy[:, :, :, None], axis=3)
    return window.scatter(dpatches.reshape(n, h_out, w_out, kh, kw, c), height, width)


def average_pool2d(x: FloatArray, window: Window) -> tuple[FloatArray, AverageSaved]:
    """Return the mean of each window: (N, H, W, C) -> (N, H_out, W_out, C)."""
    return window.patches(x).mean(axis=(3, 4)), (x.shape, window)


def average_pool2d_backward(dy: FloatArray, saved: AverageSaved) -> FloatArray:
    """Share each dy (N, H_out, W_out, C) equally among the pixels of its window."""
    (_, height, width, c), window = saved
    kh, kw = window.kernel
    share = (dy / dy.dtype.type(kh * kw))[:, :, :, None, None]
    return window.scatter(np.broadcast_to(share, (*dy.shape[:3], kh, kw, c)), height, width)


def blur_pool2d(x: FloatArray, window: Window) -> tuple[FloatArray, AverageSaved]:
    """Return each window's mean weighted by binomial coefficients: (N, H, W, C) -> (N, H_out, W_out, C).

    Blurring before taking every s-th pixel removes what the coarser grid cannot represent, so a shifted image gives
    a shifted result. Source: Zhang, "Making convolutional networks shift-invariant again", ICML 2019.
    """
    weights = binomial(window, x.dtype)
    return np.einsum("nhwijc,ij->nhwc", window.patches(window.pad(x)), weights, optimize=False), (x.shape, window)


def blur_pool2d_backward(dy: FloatArray, saved: AverageSaved) -> FloatArray:
    """Share each dy (N, H_out, W_out, C) among the pixels of its window by their weights."""
    (_, height, width, _), window = saved
    weights = binomial(window, dy.dtype)
    return window.scatter(dy[:, :, :, None, None] * weights[:, :, None], height, width)


def binomial(window: Window, dtype: DTypeLike) -> FloatArray:
    """Return the window's binomial weights (KH, KW), which add up to one: 1, 2, 1 along each axis for three pixels."""
    rows, columns = ([math.comb(k - 1, i) / 2 ** (k - 1) for i in range(k)] for k in window.kernel)
    return np.outer(rows, columns).astype(dtype)
