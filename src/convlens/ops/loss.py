"""The loss: cross-entropy of the softmax of the logits."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np

from ..typing import FloatArray, IntArray

Saved: TypeAlias = tuple[FloatArray, IntArray]


def softmax_cross_entropy(logits: FloatArray, labels: IntArray) -> tuple[FloatArray, Saved]:
    """Return each image's loss -log p[label] in nats, (N,), for logits (N, K) and labels (N,).

    Computed as log(sum over j of exp(z[j] - max z)) - (z[label] - max z), which is exact for logits of any size.
    """
    shifted = logits - logits.max(axis=1, keepdims=True)  # (N, K)
    exponentials = np.exp(shifted)
    total = exponentials.sum(axis=1, keepdims=True)  # (N, 1), at least 1
    losses = np.log(total[:, 0]) - shifted[np.arange(len(labels)), labels]
    return losses, (exponentials / total, labels)


def softmax_cross_entropy_backward(dlosses: FloatArray, saved: Saved) -> FloatArray:
    """Return dlogits (N, K) = (p - onehot(label)) * dloss, for dlosses (N,); 1/N each makes the loss a mean."""
    probabilities, labels = saved
    dlogits = probabilities * dlosses[:, None]
    dlogits[np.arange(len(labels)), labels] -= dlosses
    return dlogits
