"""The fully connected layer: every output sees every input, each through its own weight."""

from __future__ import annotations

from typing import TypeAlias

from ..typing import FloatArray

Saved: TypeAlias = tuple[FloatArray, FloatArray]


def dense(x: FloatArray, w: FloatArray, b: FloatArray) -> tuple[FloatArray, Saved]:
    """Return y = x w + b for x (N, D_in), w (D_in, D_out), b (D_out,): y (N, D_out)."""
    return x @ w + b, (x, w)


def dense_backward(dy: FloatArray, saved: Saved) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return (dx, dw, db) for dy (N, D_out)."""
    x, w = saved
    return dy @ w.T, x.T @ dy, dy.sum(axis=0)
