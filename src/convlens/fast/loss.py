"""`convlens.ops.loss` and softmax, compiled: a micro-batch's loss and the derivatives of its logits in one pass."""

from __future__ import annotations

import math

import numpy as np

from ..typing import Float32
from .elementary import exponential, logarithm
from .product import NO_FLOOR
from .script import entry
from .signatures import Doubles, Labels
from .vector import WIDTH, first, load_some, minus, spread, store_some

_LARGEST = np.float32(-NO_FLOOR)  # a product writes it, negative, in place of minus infinity


@entry
def probabilities(logits: Float32, classes: int, out: Float32) -> None:
    """Compute the softmax of logits, as `convlens.ops.softmax` does: the largest is subtracted first.

    It is NaN for an image with a logit that is not finite, or as large as a float32 can be.
    """
    for n in range(len(logits) // classes):
        z, p = logits[n * classes : (n + 1) * classes], out[n * classes : (n + 1) * classes]
        largest, known = z[0], True
        for k in range(classes):
            known = known and abs(z[k]) < _LARGEST  # NaN is not
            largest = max(largest, z[k])
        for k in range(0, classes, WIDTH):
            store_some(exponential(minus(load_some(z, k, classes - k), spread(largest))), p, k, classes - k)
        total = type(largest)(0)
        for k in range(classes):
            total += p[k]
        if not known:
            total = type(largest)(math.nan)
        for k in range(classes):
            p[k] /= total


@entry
def cross_entropy(
    logits: Float32,
    labels: Labels,
    classes: int,
    settings: Doubles,
    dlogits: Float32,
    result: Doubles,
) -> None:
    """Compute a micro-batch's losses and the derivatives of its logits.

    `settings` are the label smoothing, and the weight of each image's loss in the sum that is differentiated. The sum
    of the losses and the number of images classified correctly are added to `result`.
    """
    smoothing, weight = np.float32(settings[0]), np.float32(settings[1])
    for n in range(len(labels)):
        z, slope, label = logits[n * classes : (n + 1) * classes], dlogits[n * classes : (n + 1) * classes], labels[n]
        largest, best = z[0], 0
        for k in range(1, classes):
            # the first of equals; NaN counts as the largest, as in NumPy
            if z[k] > largest or (math.isnan(z[k]) and not math.isnan(largest)):
                largest, best = z[k], k
        for k in range(0, classes, WIDTH):
            store_some(exponential(minus(load_some(z, k, classes - k), spread(largest))), slope, k, classes - k)
        total = type(largest)(0)
        mean = 0.0
        for k in range(classes):
            total += slope[k]
            mean += z[k] - largest
        target = z[label] - largest
        if smoothing:
            target = (1 - smoothing) * target + smoothing * type(largest)(mean / classes)
        result[0] += first(logarithm(spread(total))) - target
        result[1] += best == label
        for k in range(classes):
            wanted = (1 - smoothing if k == label else type(largest)(0)) + smoothing / classes
            slope[k] = (slope[k] / total - wanted) * weight
