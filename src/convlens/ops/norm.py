"""Batch normalisation: every channel is given mean 0 and variance 1 over the batch, then a learned scale and shift.

With m values of a channel in the batch (N for a flat input, N*H*W for images)::

    mean = sum(x) / m        variance = sum((x - mean)**2) / m
    x_hat = (x - mean) / sqrt(variance + epsilon)        y = gamma * x_hat + beta

Every output depends on every image of the batch. Source: Ioffe & Szegedy, ICML 2015, in PyTorch's arrangement: the
biased variance normalises, the unbiased one (over m - 1) goes into the running statistics.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np

from ..typing import FloatArray

Saved: TypeAlias = tuple[FloatArray, FloatArray, FloatArray]
Given: TypeAlias = tuple[FloatArray, FloatArray, FloatArray, FloatArray, float]  # gamma, beta, mean, variance, epsilon


def batch_norm(
    x: FloatArray, gamma: FloatArray, beta: FloatArray, epsilon: float
) -> tuple[FloatArray, Saved, FloatArray, FloatArray]:
    """Normalise with the batch's own statistics.

    Parameters
    ----------
    x
        (N, C) or (N, H, W, C).
    gamma, beta
        Scale and shift, (C,).
    epsilon
        Added to the variance.

    Returns
    -------
    y, saved, mean, variance
        y like x; what the backward pass needs; the batch's mean and biased variance, (C,).
    """
    count = x.dtype.type(x.size // x.shape[-1])
    shift = x.reshape(-1, x.shape[-1])[0]  # where the mean is far above the deviation, sums of x itself lose digits
    centred = x - shift
    apart = _sum(centred) / count
    centred -= apart
    mean = shift + apart
    variance = _sum(np.square(centred)) / count
    inverse = 1 / np.sqrt(variance + x.dtype.type(epsilon))
    x_hat = centred * inverse
    return gamma * x_hat + beta, (x_hat, gamma, inverse), mean, variance


def batch_norm_backward(dy: FloatArray, saved: Saved) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return (dx, dgamma, dbeta).

    dx = gamma / sqrt(variance + epsilon) * (dy - mean(dy) - x_hat * mean(dy * x_hat)), means over the batch.
    """
    x_hat, gamma, inverse = saved
    dgamma, dbeta = _sum(dy * x_hat), _sum(dy)
    count = dy.dtype.type(dy.size // dy.shape[-1])
    dx = gamma * inverse * (dy - dbeta / count - x_hat * (dgamma / count))
    return dx, dgamma, dbeta


def _sum(values: FloatArray) -> FloatArray:
    """Return the sum for each channel, an axis at a time: one long sum in float32 loses digits."""
    while values.ndim > 1:
        values = values.sum(axis=-2)
    return values


def normalize(
    x: FloatArray, gamma: FloatArray, beta: FloatArray, mean: FloatArray, variance: FloatArray, epsilon: float
) -> FloatArray:
    """Normalise with given statistics, as in prediction: each image on its own."""
    return (x - mean) * (gamma / np.sqrt(variance + x.dtype.type(epsilon))) + beta


def normalize_backward(dy: FloatArray, x: FloatArray, given: Given) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return (dx, dgamma, dbeta) of `normalize`, where `given` are its arguments after x.

    dx = dy * gamma / sqrt(variance + epsilon): the statistics are constants.
    """
    gamma, _beta, mean, variance, epsilon = given
    inverse = 1 / np.sqrt(variance + x.dtype.type(epsilon))
    return dy * (gamma * inverse), _sum(dy * ((x - mean) * inverse)), _sum(dy)


def unbiased(variance: FloatArray, count: int) -> FloatArray:
    """Return the unbiased variance of `count` values from their biased one; a single value keeps the biased one."""
    return variance * variance.dtype.type(count / max(count - 1, 1))
