"""Precision, recall, F1, calibration and Wilson's interval, against plain loops and known values."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from convlens import nn
from convlens.data import Dataset
from convlens.errors import ConvlensError
from convlens.metrics import (
    Evaluation,
    calibrated_error,
    calibration,
    class_scores,
    confusion_matrix,
    macro_scores,
    wilson_interval,
)
from convlens.ops import softmax

PAIRS = st.integers(1, 5).flatmap(
    lambda k: st.tuples(st.just(k), st.lists(st.tuples(st.integers(0, k - 1), st.integers(0, k - 1)), max_size=12))
)


def evaluation(labels: list[int], predictions: list[int], confidence: list[float], classes: int) -> Evaluation:
    true, called = np.array(labels, np.int64), np.array(predictions, np.int64)
    sure = np.array(confidence, np.float32)
    return Evaluation(
        images=len(true), loss=0.5, accuracy=float((true == called).mean()),
        calibration=calibration(sure, true == called),
        confusion=confusion_matrix(true, called, classes), labels=true, predictions=called, confidence=sure,
    )  # fmt: skip


@given(PAIRS)
def test_class_scores_by_counting(drawn: tuple[int, list[tuple[int, int]]]) -> None:
    classes, pairs = drawn
    labels, predictions = (np.array([pair[i] for pair in pairs], np.int64) for i in (0, 1))
    found = class_scores(confusion_matrix(labels, predictions, classes))
    for k, scores in enumerate(found):
        right = wrongly = missed = 0
        for true, called in pairs:
            right += true == k == called
            wrongly += called == k != true
            missed += true == k != called
        assert (scores.support, scores.called) == (right + missed, right + wrongly)
        assert scores.precision == (right / (right + wrongly) if right + wrongly else None)
        assert scores.recall == (right / (right + missed) if right + missed else None)
        if right:
            assert scores.precision
            assert scores.recall
            harmonic = 2 * scores.precision * scores.recall / (scores.precision + scores.recall)
            assert scores.f1 == pytest.approx(harmonic, rel=1e-12)
        else:
            assert scores.f1 == (0 if wrongly or missed else None)
    macro = macro_scores(found)
    for name in ("precision", "recall", "f1"):
        defined = [getattr(one, name) for one in found if getattr(one, name) is not None]
        assert getattr(macro, name) == (pytest.approx(sum(defined) / len(defined)) if defined else None)


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=30), st.integers(1, 20))
def test_calibration_by_counting(drawn: list[tuple[float, bool]], bins: int) -> None:
    confidence, right = np.array([c for c, _ in drawn]), np.array([r for _, r in drawn])
    found = calibration(confidence, right, bins)
    members: list[list[tuple[float, bool]]] = [[] for _ in range(bins)]
    for c, r in drawn:
        members[min(int(c * bins), bins - 1)].append((c, r))
    error = 0.0
    for index, (one, inside) in enumerate(zip(found.bins, members, strict=True)):
        assert (one.low, one.high) == (index / bins, (index + 1) / bins)
        assert (one.count, one.right) == (len(inside), sum(r for _, r in inside))
        if not inside:
            assert one.confidence is None
            assert one.accuracy is None
            continue
        assert one.confidence == pytest.approx(math.fsum(c for c, _ in inside) / len(inside), abs=1e-12)
        assert one.accuracy == one.right / one.count
        error += one.count / len(drawn) * abs(one.confidence - one.accuracy)
    assert found.error == pytest.approx(error, abs=1e-12)  # the number is the curve's


@pytest.mark.parametrize(
    ("successes", "n", "low", "high"),
    # Newcombe, Statistics in Medicine 17 (1998), table I, method 3
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_wilson_interval_as_published(successes: int, n: int, low: float, high: float) -> None:
    assert wilson_interval(successes, n) == pytest.approx((low, high), abs=5e-5)
    other = wilson_interval(n - successes, n)
    assert other == pytest.approx((1 - high, 1 - low), abs=5e-5)


@given(st.integers(1, 10_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_bounds_solve_its_equation(drawn: tuple[int, int]) -> None:
    successes, n = drawn
    low, high = wilson_interval(successes, n)
    p, z = successes / n, 1.959963984540054
    assert 0 <= low <= p <= high <= 1
    for bound in (low, high):  # the shares from which p is just z standard errors away
        assert (p - bound) ** 2 == pytest.approx(z**2 * bound * (1 - bound) / n, abs=1e-12)


def test_no_image_says_nothing() -> None:
    assert wilson_interval(0, 0) == (0, 1)


def test_what_is_undefined_is_none_in_json() -> None:
    found = evaluation([0, 0, 1], [0, 0, 0], [0.9, 0.8, 0.7], 3).to_dict()
    data = json.loads(json.dumps(found, allow_nan=False))
    assert data["classes"][0] == {"precision": 2 / 3, "recall": 1, "f1": 0.8, "support": 2, "called": 3}
    assert data["classes"][1] == {"precision": None, "recall": 0, "f1": 0, "support": 1, "called": 0}
    assert data["classes"][2] == {"precision": None, "recall": None, "f1": None, "support": 0, "called": 0}
    assert data["macro"] == {"precision": 2 / 3, "recall": 0.5, "f1": 0.4}
    assert data["calibration"][0]["accuracy"] is None
    assert sum(one["count"] for one in data["calibration"]) == 3


def test_the_most_wrong_come_first_and_ties_in_order() -> None:
    found = evaluation([0, 0, 1, 1, 2, 2], [0, 1, 0, 2, 1, 2], [1.0, 0.5, 0.9, 0.5, 0.9, 0.3], 3)
    assert [one.index for one in found.most_wrong(10)] == [2, 4, 1, 3]
    assert [one.index for one in found.most_wrong(3)] == [2, 4, 1]
    first = found.most_wrong(1)[0]
    assert (first.label, first.prediction, first.confidence) == (1, 0, pytest.approx(0.9))
    assert found.wrong == 4
    assert replace(found, predictions=found.labels).most_wrong(3) == []


def test_an_evaluation_fits_together(toy: Dataset) -> None:
    model = nn.Model([nn.Flatten(), nn.Dense(3)], toy.input_shape, 1)
    found = model.evaluate(toy.validation)
    probabilities = softmax(model.logits(toy.validation.images).astype(np.float64))
    np.testing.assert_allclose(found.confidence, probabilities[np.arange(len(probabilities)), found.predictions])
    assert found.confidence.dtype == np.float32
    assert found.accuracy == sum(one.right for one in found.calibration.bins) / found.images
    assert found.wrong == found.images - found.confusion.trace()
    low, high = found.accuracy_interval
    assert low < found.accuracy < high


REFUSED: dict[str, tuple[Callable[[], object], str]] = {
    "a label of no class": (lambda: confusion_matrix([0, 5], [0, 1], 3), "labels: number 1 is 5, expected 0 to 2"),
    "a prediction of no class": (lambda: confusion_matrix([0, 1], [0, -1], 3), "predictions: number 1 is -1"),
    "labels as floats": (lambda: confusion_matrix([0.0], [0], 3), "labels: expected integers"),
    "labels of another number": (lambda: confusion_matrix([0, 1], [0, 1, 1], 3), "2 labels and 3 predictions"),
    "an oblong matrix": (lambda: class_scores(np.ones((2, 3), int)), "has shape (K, K), not (2, 3)"),
    "more successes than images": (lambda: wilson_interval(5, 3), "not 5 of 3"),
    "fewer than none": (lambda: wilson_interval(-1, 3), "not -1 of 3"),
    "a confidence in percent": (lambda: wilson_interval(1, 3, 95), "between 0 and 1, not 95"),
    "NaN": (lambda: calibration([np.nan, 0.5], [True, False]), "probabilities from 0 to 1"),
    "percent": (lambda: calibration([50.0, 60.0], [True, False]), "probabilities from 0 to 1"),
    "class numbers as right": (lambda: calibration([0.5, 0.6], [1, 0]), "true or false for each confidence, not int"),
    "one right for two": (lambda: calibration([0.5, 0.6], [True]), "not bool of shape (1,)"),
}


@pytest.mark.parametrize(("call", "message"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_scored_is_refused(call: Callable[[], object], message: str) -> None:
    with pytest.raises(ConvlensError) as caught:
        call()
    assert message in str(caught.value)


def test_lists_are_scored_as_arrays_are() -> None:
    assert confusion_matrix([0, 1, 1], [0, 1, 0], 2).tolist() == [[1, 0], [1, 1]]
    assert class_scores([[1, 0], [1, 1]]) == class_scores(np.array([[1, 0], [1, 1]]))
    assert calibration([0.5, 0.6], [True, False]) == calibration(np.array([0.5, 0.6]), np.array([True, False]))
    assert calibration([], []).error == 0


@pytest.mark.parametrize(("images", "twins"), [(10_000, 100), (1_000, 300)])
def test_the_error_of_a_calibrated_twin_is_that_of_simulated_ones(images: int, twins: int) -> None:
    draw = np.random.default_rng(images)
    confidence = np.clip(draw.beta(8, 0.3, images), 0.1, 1)
    errors = [calibration(confidence, draw.random(images) < confidence).error for _ in range(twins)]
    assert calibrated_error(confidence) == pytest.approx(np.mean(errors), rel=0.05)
    assert calibrated_error(np.array([0.9])) == pytest.approx(2 * 0.9 * 0.1)
    assert calibrated_error(np.ones(5)) == 0
