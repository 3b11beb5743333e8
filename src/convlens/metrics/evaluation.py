"""How good a classifier is: loss, accuracy, scores of each class, confusion matrix, calibration, worst errors."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

import numpy as np

from ..data.labels import check_labels
from ..errors import ConfigurationError, DataError
from ..ops import softmax, softmax_cross_entropy
from ..ops.activation import LARGEST_LOGIT
from ..typing import Float32, FloatArray, IntArray, Labels
from .scores import (
    Calibration,
    ClassScores,
    MacroScores,
    calibration,
    class_scores,
    confusion_matrix,
    macro_scores,
    wilson_interval,
)


def require_finite(logits: FloatArray) -> None:
    """Check that all logits (N, K) are finite, and not as large as a float32 can be.

    Raises
    ------
    DataError
        If one is not; the message names its image.
    """
    if np.vdot(logits, logits) < LARGEST_LOGIT:  # nearly always: the sum of squares takes a tenth of the time
        return
    wrong = ~(np.abs(logits) < LARGEST_LOGIT).all(axis=1)  # NaN is not below it either
    if wrong.any():
        raise DataError(
            f"the network's output is not finite for {int(wrong.sum()):,} of {len(logits):,} images, first for number "
            f"{int(np.argmax(wrong)):,}; its weights, or these images, are not finite or far too large: train it again "
            "with a smaller learning rate, or scale the images as those it was trained on"
        )


@dataclass(frozen=True)
class WrongImage:
    """A misclassified image.

    Attributes
    ----------
    index
        Its position among the examples, from 0.
    label, prediction
        The true class, and the predicted one.
    confidence
        Probability of the predicted class, 0 to 1.
    """

    index: int
    label: int
    prediction: int
    confidence: float


@dataclass(frozen=True)
class Evaluation:
    """How well a model classifies a set of images.

    Attributes
    ----------
    images
        N, the number of images.
    loss
        Mean cross-entropy, in nats.
    accuracy
        Share classified correctly, 0 to 1.
    calibration
        Confidence against accuracy, and the expected calibration error.
    confusion
        (K, K): images of class i (row) that were predicted as class j (column).
    labels, predictions
        (N,) true and predicted classes.
    confidence
        (N,) probability of the predicted class, 0 to 1.
    """

    images: int
    loss: float
    accuracy: float
    calibration: Calibration
    confusion: IntArray
    labels: Labels
    predictions: Labels
    confidence: Float32

    @classmethod
    def of(cls, logits: FloatArray, labels: Labels) -> Evaluation:
        """Return the evaluation of logits (N, K) against the true classes (N,).

        Raises
        ------
        DataError
            If there are none, their number differs, a label is not in 0..K-1, or a logit is not finite: nothing can be
            measured then.
        """
        scores = np.asarray(logits, np.float64)
        if scores.ndim != 2 or not scores.size or np.shape(labels) != scores.shape[:1]:
            raise DataError(
                f"logits of shape {scores.shape} and labels of shape {np.shape(labels)}; expected (N, K) and (N,), "
                "at least one image"
            )
        labels = check_labels(labels, scores.shape[1])
        require_finite(scores)
        losses, _ = softmax_cross_entropy(scores, labels)
        predictions = scores.argmax(axis=1)
        right, confidence = predictions == labels, softmax(scores).max(axis=1)
        return cls(
            images=len(labels),
            loss=float(losses.mean()),
            accuracy=float(right.mean()),
            calibration=calibration(confidence, right),
            confusion=confusion_matrix(labels, predictions, scores.shape[1]),
            labels=labels,
            predictions=predictions,
            confidence=confidence.astype(np.float32),
        )

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
        """Number of misclassified images."""
        return self.images - int(self.confusion.trace())

    def most_wrong(self, limit: int) -> list[WrongImage]:
        """Return up to `limit` misclassified images, the most confident first; ConfigurationError if it is below 0."""
        if type(limit) is not int or limit < 0:
            raise ConfigurationError(f"a limit is a whole number from 0, not {limit!r}")
        wrong = np.flatnonzero(self.predictions != self.labels)
        first = wrong[np.argsort(-self.confidence[wrong], kind="stable")][:limit]  # stable: ties by index
        return [
            WrongImage(index, int(self.labels[index]), int(self.predictions[index]), float(self.confidence[index]))
            for index in first.tolist()
        ]

    def to_dict(self) -> dict[str, Any]:
        """Return plain data, without the single images; undefined scores are None."""
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
