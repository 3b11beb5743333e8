"""The loss: cross-entropy of the softmax of the logits, with optional label smoothing."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np

from ..typing import FloatArray, IntArray

Saved: TypeAlias = tuple[FloatArray, IntArray, float]


def softmax_cross_entropy(logits: FloatArray, labels: IntArray, smoothing: float = 0.0) -> tuple[FloatArray, Saved]:
    """Return each image's loss in nats, (N,), for logits (N, K) and labels (N,).

    Without smoothing it is -log p[label], computed as log(sum over j of exp(z[j] - max z)) - (z[label] - max z), which
    does not overflow for logits of any size. With smoothing s, from 0 to below 1, the target is not the label alone but
    (1 - s) * onehot(label) + s / K, and the loss -sum over k of target[k] * log p[k].

    Source: Szegedy et al., "Rethinking the Inception architecture for computer vision", CVPR 2016; the same as
    PyTorch's ``cross_entropy(label_smoothing=s)``.
    """
    shifted = logits - logits.max(axis=1, keepdims=True)  # (N, K)
    exponentials = np.exp(shifted)
    total = exponentials.sum(axis=1, keepdims=True)  # (N, 1), at least 1
    target = shifted[np.arange(len(labels)), labels]  # (N,): sum over k of target[k] * shifted[k]
    if smoothing:
        mean = shifted.mean(axis=1, dtype=np.float64).astype(shifted.dtype)  # a sum of large logits could overflow
        target = (1 - smoothing) * target + smoothing * mean
    losses = np.log(total[:, 0]) - target
    return losses, (exponentials / total, labels, smoothing)


def softmax_cross_entropy_backward(dlosses: FloatArray, saved: Saved) -> FloatArray:
    """Return dlogits (N, K) = (p - target) * dloss, for dlosses (N,); 1/N each makes the loss a mean."""
    probabilities, labels, smoothing = saved
    if smoothing:
        probabilities = probabilities - smoothing / probabilities.shape[1]
    dlogits = probabilities * dlosses[:, None]
    dlogits[np.arange(len(labels)), labels] -= (1 - smoothing) * dlosses if smoothing else dlosses
    return dlogits
