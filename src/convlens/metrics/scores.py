"""Scores from labels, predictions and confidences: precision and recall of each class, calibration, an interval.

An undefined score (the precision of a class that was never predicted) is None, never zero or NaN: nothing was
measured.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from statistics import NormalDist
from typing import Any

import numpy as np

from ..data.labels import check_labels
from ..errors import ConfigurationError, DataError
from ..plain import is_number
from ..typing import BoolArray, FloatArray, IntArray

BINS = 15  # for the calibration error, as in Guo et al. 2017


@dataclass(frozen=True)
class ClassScores:
    """Precision, recall and F1 of one class.

    Attributes
    ----------
    precision
        Share of the images predicted as this class that are of it; None where none was predicted.
    recall
        Share of the images of this class that were predicted as it; None where there are none.
    f1
        Harmonic mean of the two: 2 right / (support + called); None where support and called are 0.
    support
        Images of this class.
    called
        Images predicted as this class.
    """

    precision: float | None
    recall: float | None
    f1: float | None
    support: int
    called: int


@dataclass(frozen=True)
class MacroScores:
    """Unweighted means over the classes whose score is defined."""

    precision: float | None
    recall: float | None
    f1: float | None


def class_scores(confusion: IntArray) -> tuple[ClassScores, ...]:
    """Return the scores of every class, for a confusion matrix (K, K) of true (row) by predicted (column).

    Raises
    ------
    DataError
        If it is not square.
    """
    confusion = np.asarray(confusion)
    if confusion.ndim != 2 or confusion.shape[0] != confusion.shape[1]:
        raise DataError(f"a confusion matrix has shape (K, K), not {confusion.shape}")
    right, support, called = confusion.diagonal(), confusion.sum(axis=1), confusion.sum(axis=0)
    counts = zip(right.tolist(), support.tolist(), called.tolist(), strict=True)
    return tuple(
        ClassScores(
            precision=_share(right, called),
            recall=_share(right, support),
            f1=_share(2 * right, support + called),
            support=support,
            called=called,
        )
        for right, support, called in counts
    )


def macro_scores(classes: Sequence[ClassScores]) -> MacroScores:
    """Return the macro averages."""
    return MacroScores(
        precision=_mean(one.precision for one in classes),
        recall=_mean(one.recall for one in classes),
        f1=_mean(one.f1 for one in classes),
    )


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _mean(values: Iterable[float | None]) -> float | None:
    defined = [value for value in values if value is not None]
    return math.fsum(defined) / len(defined) if defined else None


def confusion_matrix(labels: IntArray, predictions: IntArray, classes: int) -> IntArray:
    """Return (K, K): how often class i (row) was predicted as class j (column).

    Raises
    ------
    DataError
        If labels and predictions (N,) differ in number, or one is not a class number 0..K-1.
    """
    labels = check_labels(labels, classes)
    predictions = check_labels(predictions, classes, "predictions")
    if len(labels) != len(predictions):
        raise DataError(f"{len(labels):,} labels and {len(predictions):,} predictions; expected one each for an image")
    return np.bincount(labels * classes + predictions, minlength=classes**2).reshape(classes, classes)


def wilson_interval(successes: float, n: int, confidence: float = 0.95) -> tuple[float, float]:
    """Return the confidence interval of a proportion: `successes` of n independent images.

    ::

        (p + z**2 / 2n  -+  z * sqrt(p * (1 - p) / n + z**2 / 4n**2)) / (1 + z**2 / n),   p = successes / n

    with z the normal quantile (1.96 for 95 %). Unlike p -+ z * sqrt(p * (1 - p) / n), it lies within 0 and 1, and its
    width is above zero where p is 0 or 1. It measures the uncertainty of *this* network's score due to the sample of
    images; it does not cover the variation between seeds. Source: Wilson, "Probable inference, the law of
    succession, and statistical inference", JASA 22 (1927); Brown, Cai & DasGupta, Statistical Science 16 (2001). No
    images: 0 to 1.

    Raises
    ------
    ConfigurationError
        If there are more successes than images, or the confidence is not between 0 and 1.
    """
    if not (is_number(successes) and is_number(n) and 0 <= successes <= n):
        raise ConfigurationError(f"successes are 0 to n, the number of images, not {successes!r} of {n!r}")
    if not (is_number(confidence) and 0 < confidence < 1):
        raise ConfigurationError(f"a confidence is a number between 0 and 1, not {confidence!r}")
    if not n:
        return 0.0, 1.0
    z, p = NormalDist().inv_cdf((1 + confidence) / 2), successes / n
    centre, spread = p + z**2 / (2 * n), z * math.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
    low, high = ((centre + sign * spread) / (1 + z**2 / n) for sign in (-1, 1))
    return 0.0 if successes == 0 else low, 1.0 if successes == n else high  # exact, where rounding may not be


@dataclass(frozen=True)
class CalibrationBin:
    """The images whose confidence lies from `low` to below `high` (to 1 in the last bin).

    Attributes
    ----------
    count
        Number of images.
    confidence, accuracy
        Their mean confidence, and the share classified correctly; None where the bin is empty.
    right
        Number classified correctly.
    """

    low: float
    high: float
    count: int
    right: int
    confidence: float | None
    accuracy: float | None


@dataclass(frozen=True)
class Calibration:
    """Calibration: accuracy as a function of confidence, and the expected calibration error.

    Attributes
    ----------
    error
        Expected calibration error, 0 to 1: the sum over bins of (share of the images) * |mean confidence - accuracy|.
    bins
        Bins of equal width, from confidence 0 to 1.
    """

    error: float
    bins: tuple[CalibrationBin, ...]

    def to_list(self) -> list[dict[str, Any]]:
        """Return the bins as plain data."""
        return [asdict(one) for one in self.bins]


def calibration(confidence: FloatArray, right: BoolArray, bins: int = BINS) -> Calibration:
    """Return the calibration of predictions with confidences (N,), the largest probabilities, and `right` (N,).

    Source: Guo et al., "On calibration of modern neural networks", ICML 2017.

    Raises
    ------
    DataError
        If a confidence is not from 0 to 1, or `right` does not hold true or false for each.
    """
    confidence, right = np.asarray(confidence), np.asarray(right, bool if not np.size(right) else None)
    if confidence.ndim != 1 or confidence.dtype.kind not in "fiu" or not ((confidence >= 0) & (confidence <= 1)).all():
        raise DataError("confidences are probabilities from 0 to 1, of shape (N,), and these are not")
    if right.shape != confidence.shape or right.dtype != np.bool_:
        raise DataError(f"right holds true or false for each confidence, not {right.dtype} of shape {right.shape}")
    which = np.minimum((confidence * bins).astype(int), bins - 1)
    counts = np.bincount(which, minlength=bins).tolist()
    rights = np.bincount(which[right], minlength=bins).tolist()
    sums = np.bincount(which, weights=confidence, minlength=bins).tolist()
    surplus = np.bincount(which, weights=confidence - right, minlength=bins)  # n * (confidence - accuracy)
    return Calibration(
        error=float(np.abs(surplus).sum() / max(len(confidence), 1)),
        bins=tuple(
            CalibrationBin(
                low=index / bins,
                high=(index + 1) / bins,
                count=counts[index],
                right=rights[index],
                confidence=sums[index] / counts[index] if counts[index] else None,
                accuracy=_share(rights[index], counts[index]),
            )
            for index in range(bins)
        ),
    )
