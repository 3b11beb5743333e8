"""`convlens.ops.loss`, compiled: a micro-batch's loss and the derivatives of its logits at once."""

from __future__ import annotations

import math

from numba import types

from ..typing import Float32, IntArray
from .compiler import FLOATS, LABELS, NUMBER, SIZE, compiled


@compiled(types.UniTuple(types.float64, 2), FLOATS, LABELS, SIZE, NUMBER, NUMBER, FLOATS)
def _judge(logits, labels, classes, smoothing, weight, dlogits):  # type: ignore[no-untyped-def]
    loss, correct = 0.0, 0.0
    for n in range(len(labels)):
        z, slope, label = logits[n * classes : (n + 1) * classes], dlogits[n * classes : (n + 1) * classes], labels[n]
        largest, best = z[0], 0
        for k in range(1, classes):
            # the first of equals; NaN is larger than all, as it is for NumPy
            if z[k] > largest or (math.isnan(z[k]) and not math.isnan(largest)):
                largest, best = z[k], k
        total = type(largest)(0)
        mean = 0.0
        for k in range(classes):
            slope[k] = math.exp(z[k] - largest)
            total += slope[k]
            mean += z[k] - largest
        target = z[label] - largest
        if smoothing:
            target = (1 - smoothing) * target + smoothing * type(largest)(mean / classes)
        loss += math.log(total) - target
        correct += best == label
        for k in range(classes):
            wanted = (1 - smoothing if k == label else type(largest)(0)) + smoothing / classes
            slope[k] = (slope[k] / total - wanted) * weight
    return loss, correct


def judge(logits: Float32, labels: IntArray, smoothing: float, weight: float, dlogits: Float32) -> tuple[float, int]:
    """See `convlens.engine.toolbox.Judge`."""
    loss, correct = _judge(logits.reshape(-1), labels, logits.shape[1], smoothing, weight, dlogits.reshape(-1))
    return loss, int(correct)
