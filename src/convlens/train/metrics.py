"""How good a classifier is: loss, accuracy, scores of each class, confusion matrix, calibration, what is most wrong."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

import numpy as np

from ..data import Examples
from ..nn import Model
from ..ops import softmax, softmax_cross_entropy
from ..typing import Float32, IntArray, Labels
from .scores import Calibration, ClassScores, MacroScores, calibration, class_scores, macro_scores, wilson_interval
from .scores import calibration_error as calibration_error
from .scores import confusion_matrix as confusion_matrix


@dataclass(frozen=True)
class WrongImage:
    """An image that was classified wrong.

    Attributes
    ----------
    index
        Its place among the examples, from 0.
    label, prediction
        What it is, and what it was called.
    confidence
        Probability of the class it was called, 0 to 1.
    """

    index: int
    label: int
    prediction: int
    confidence: float


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
    calibration
        Confidence against accuracy, and the expected calibration error.
    confusion
        (K, K): images of class i (row) that were called j (column).
    labels, predictions
        (N,) true classes, and classes given.
    confidence
        (N,) probability of the class given, 0 to 1.
    """

    images: int
    loss: float
    accuracy: float
    calibration: Calibration
    confusion: IntArray
    labels: Labels
    predictions: Labels
    confidence: Float32

    @property
    def calibration_error(self) -> float:
        """Expected calibration error, 0 to 1: see `Calibration`."""
        return self.calibration.error

    @property
    def accuracy_interval(self) -> tuple[float, float]:
        """The accuracy's 95 % interval over images: see `wilson_interval`."""
        return wilson_interval(int(self.confusion.trace()), self.images)

    @cached_property
    def classes(self) -> tuple[ClassScores, ...]:
        """Precision, recall, F1 and support of every class."""
        return class_scores(self.confusion)

    @property
    def macro(self) -> MacroScores:
        """Means over the classes."""
        return macro_scores(self.classes)

    @property
    def wrong(self) -> int:
        """How many images were classified wrong."""
        return self.images - int(self.confusion.trace())

    def most_wrong(self, limit: int) -> list[WrongImage]:
        """Return up to `limit` images that were classified wrong, the most confident first."""
        wrong = np.flatnonzero(self.predictions != self.labels)
        first = wrong[np.argsort(-self.confidence[wrong], kind="stable")][:limit]  # stable: ties by index
        return [
            WrongImage(index, int(self.labels[index]), int(self.predictions[index]), float(self.confidence[index]))
            for index in first.tolist()
        ]

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain data, without the single images; what is undefined is None."""
        return {
            "images": self.images,
            "loss": self.loss,
            "accuracy": self.accuracy,
            "accuracy_interval": list(self.accuracy_interval),
            "calibration_error": self.calibration_error,
            "macro": asdict(self.macro),
            "classes": [asdict(one) for one in self.classes],
            "calibration": self.calibration.to_list(),
            "confusion": self.confusion.tolist(),
        }


def evaluate(model: Model, examples: Examples) -> Evaluation:
    """Run a model over examples, once."""
    logits = model.logits(examples.images).astype(np.float64)
    labels = examples.labels
    losses, _ = softmax_cross_entropy(logits, labels)
    predictions = logits.argmax(axis=1)
    confidence = softmax(logits).max(axis=1)
    return Evaluation(
        images=len(labels),
        loss=float(losses.mean()),
        accuracy=float((predictions == labels).mean()),
        calibration=calibration(confidence, predictions == labels),
        confusion=confusion_matrix(labels, predictions, model.classes),
        labels=labels,
        predictions=predictions,
        confidence=confidence.astype(np.float32),
    )
