"""Activations: functions of one value at a time, and softmax, which turns scores into probabilities."""

from __future__ import annotations

import numpy as np

from ..typing import BoolArray, FloatArray

LARGEST_LOGIT = float(np.float32(3.4e38))  # from here on it is no number: compiled code writes -3.4e38 for -infinity


def relu(x: FloatArray) -> tuple[FloatArray, BoolArray]:
    """Return y = max(x, 0), of any shape."""
    return np.maximum(x, x.dtype.type(0)), x > 0


def relu_backward(dy: FloatArray, positive: BoolArray) -> FloatArray:
    """Pass dy where x was positive; the derivative at zero is taken as zero (as in PyTorch)."""
    return np.where(positive, dy, dy.dtype.type(0))


def tanh(x: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return y = tanh(x), of any shape."""
    y = np.tanh(x)
    return y, y


def tanh_backward(dy: FloatArray, y: FloatArray) -> FloatArray:
    """Return dx = dy * (1 - y**2)."""
    return dy * (1 - y * y)


def softmax(logits: FloatArray) -> FloatArray:
    """Return p[k] = exp(z[k]) / sum over j of exp(z[j]) along the last axis.

    The largest logit is subtracted first: it changes nothing mathematically, and exp cannot overflow.
    """
    # ufuncs themselves, in place: for one image, the methods of arrays take twice as long
    probabilities: FloatArray = np.subtract(logits, np.maximum.reduce(logits, axis=-1, keepdims=True))
    np.exp(probabilities, out=probabilities)
    probabilities /= np.add.reduce(probabilities, axis=-1, keepdims=True)
    return probabilities
