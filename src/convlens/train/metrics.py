"""How good a classifier is: loss, accuracy, confusion matrix, calibration error."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..data import Examples
from ..nn import Model
from ..ops import softmax, softmax_cross_entropy
from ..typing import FloatArray, IntArray, Labels

BINS = 15  # of the calibration error, as usual since Guo et al. 2017


@dataclass(frozen=True)
class Evaluation:
    """What a model does on a set of images.

    Attributes
    ----------
    images
        How many there are.
    loss
        Mean cross-entropy, in nats.
    accuracy
        Share classified right, 0 to 1.
    calibration_error
        Expected calibration error, 0 to 1: see `calibration_error`.
    confusion
        (K, K): images of class i (row) that were called j (column).
    predictions
        (N,) classes given.
    """

    images: int
    loss: float
    accuracy: float
    calibration_error: float
    confusion: IntArray
    predictions: Labels

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain data, without the single predictions."""
        return {
            "images": self.images,
            "loss": self.loss,
            "accuracy": self.accuracy,
            "calibration_error": self.calibration_error,
            "confusion": self.confusion.tolist(),
        }


def evaluate(model: Model, examples: Examples) -> Evaluation:
    """Run a model over examples, once."""
    logits = model.logits(examples.images).astype(np.float64)
    labels = examples.labels
    losses, _ = softmax_cross_entropy(logits, labels)
    predictions = logits.argmax(axis=1)
    return Evaluation(
        images=len(labels),
        loss=float(losses.mean()),
        accuracy=float((predictions == labels).mean()),
        calibration_error=calibration_error(softmax(logits), labels),
        confusion=confusion_matrix(labels, predictions, model.classes),
        predictions=predictions,
    )


def confusion_matrix(labels: IntArray, predictions: IntArray, classes: int) -> IntArray:
    """Return (K, K): how often class i (row) was called j (column)."""
    return np.bincount(labels * classes + predictions, minlength=classes**2).reshape(classes, classes)


def calibration_error(probabilities: FloatArray, labels: IntArray, bins: int = BINS) -> float:
    """Return the expected calibration error: how far confidence and accuracy lie apart.

    Images are sorted into equal bins of confidence (the largest probability); ECE = sum over bins of
    (share of the images) * |mean confidence - accuracy|. Source: Guo et al., "On calibration of modern neural
    networks", ICML 2017.
    """
    confidence = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == labels
    which = np.minimum((confidence * bins).astype(int), bins - 1)
    surplus = np.bincount(which, weights=confidence - right, minlength=bins)
    return float(np.abs(surplus).sum() / len(labels))
