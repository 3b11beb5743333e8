from __future__ import annotations

import numpy as np
import pytest

from convlens.metrics import calibration, confusion_matrix


def calibration_error(probabilities: np.ndarray, labels: np.ndarray) -> float:
    return calibration(probabilities.max(axis=1), probabilities.argmax(axis=1) == labels).error


def test_confusion_matrix_counts_true_by_called() -> None:
    matrix = confusion_matrix(np.array([0, 0, 1, 2, 2]), np.array([0, 1, 1, 2, 0]), 3)
    assert matrix.tolist() == [[1, 1, 0], [0, 1, 0], [1, 0, 1]]


def test_calibration_error_of_the_perfectly_sure_and_right_is_zero() -> None:
    assert calibration_error(np.eye(3), np.arange(3)) == 0


def test_calibration_error_of_the_perfectly_sure_and_wrong_is_one() -> None:
    assert calibration_error(np.eye(3), np.array([1, 2, 0])) == 1


def test_calibration_error_by_hand() -> None:
    # two images at 0.8, one right; two at 0.6, both right: 1/2 * |0.8 - 0.5| + 1/2 * |0.6 - 1|
    probabilities = np.array([[0.8, 0.2], [0.8, 0.2], [0.4, 0.6], [0.4, 0.6]])
    assert calibration_error(probabilities, np.array([0, 1, 1, 1])) == pytest.approx(0.35)
