"""Shifted images, and predictions for them, against plain loops."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from convlens import lens
from convlens.errors import ConfigurationError, DataError, ShapeError
from convlens.lens.shift import grid, shifted
from convlens.nn import Conv2D, Dense, GlobalAveragePool2D, Model, ReLU
from convlens.preprocessing import Preprocessing
from tests.lens.networks import pixels, small


@given(st.integers(1, 5), st.integers(1, 5), st.integers(-7, 7), st.integers(-7, 7))
def test_shifted(height: int, width: int, dy: int, dx: int) -> None:
    images = pixels(2, (height, width, 2))
    found = shifted(images, dy, dx, 9)
    for i in range(height):
        for j in range(width):
            inside = 0 <= i - dy < height and 0 <= j - dx < width
            wanted = images[:, i - dy, j - dx] if inside else np.full((2, 2), 9)
            assert np.array_equal(found[:, i, j], wanted)


def test_under_shift_against_loops() -> None:
    model, images = small(), pixels(40)
    labels = np.arange(40) % 3
    offsets = [(0, 0), (3, 0), (-2, 1), (0, -12)]
    found = lens.under_shift(model, images, labels, offsets)
    still = model.predict(images)
    for place, (dy, dx) in enumerate(offsets):
        right = same = 0
        confidence = []
        for image, label, before in zip(images, labels, still, strict=True):
            moved = np.zeros_like(image)
            for i in range(12):
                for j in range(12):
                    if 0 <= i - dy < 12 and 0 <= j - dx < 12:
                        moved[i, j] = image[i - dy, j - dx]
            probabilities = model.predict_proba(moved)[0]
            right += probabilities.argmax() == label
            same += probabilities.argmax() == before
            confidence.append(probabilities.max())
        assert found.accuracy[place] == right / 40
        assert found.consistency[place] == same / 40
        assert found.confidence[place] == pytest.approx(np.mean(confidence), rel=1e-5)
    assert found.distances.tolist() == [0, 3, 2, 12]
    assert found.at_distance(3) == (found.accuracy[1], found.consistency[1], found.confidence[1])


def test_global_pooling_is_invariant_while_the_object_stays_inside() -> None:
    model = small(Conv2D(6, padding="full"), ReLU(), GlobalAveragePool2D(), Dense(3))
    images = np.zeros((10, 12, 12, 1), np.uint8)
    images[:, 4:8, 4:8] = pixels(10, (4, 4, 1))
    found = lens.under_shift(model, images, np.zeros(10, int), grid(2, 4))
    assert (found.consistency == 1).all()
    assert np.ptp(found.confidence) < 1e-6


def test_blank_pixels_of_floats_are_what_preparation_makes_of_zero() -> None:
    scaled = Preprocessing((12, 12, 1), mean=0.5, deviation=0.25)
    model, images = small(preprocessing=scaled), pixels(20)
    moves = grid(3, 6)
    both = [lens.under_shift(model, one, np.zeros(20, int), moves) for one in (images, scaled(images))]
    np.testing.assert_array_equal(both[0].accuracy, both[1].accuracy)
    np.testing.assert_allclose(both[0].confidence, both[1].confidence, rtol=1e-6)


def test_one_image_at_every_place() -> None:
    model, image = small(), pixels(1)
    found = lens.over_shifts(model, image, 3)
    still = model.predict(image)[0]
    assert found.unshifted == still
    for i in range(7):
        for j in range(7):
            moved = shifted(image, i - 3, j - 3)
            wanted = model.predict_proba(moved)[0]
            np.testing.assert_allclose(found.probabilities[i, j], wanted, rtol=1e-5)
            assert found.confidence()[i, j] == found.probabilities[i, j, still]
            assert found.confidence(2)[i, j] == found.probabilities[i, j, 2]
    ring = [(i, j) for i in range(7) for j in range(7) if max(abs(i - 3), abs(j - 3)) == 2]
    same, confidence = found.at_distance(2)
    assert same == np.mean([found.predicted[one] == still for one in ring])
    assert confidence == pytest.approx(np.mean([found.confidence()[one] for one in ring]))
    assert found.at_distance(0)[0] == 1
    np.testing.assert_array_equal(lens.over_shifts(model, image[0], 3).probabilities, found.probabilities)


def test_one_image_of_floats_is_moved_over_blank_pixels() -> None:
    scaled = Preprocessing((12, 12, 1), mean=0.5, deviation=0.25)
    model, image = small(preprocessing=scaled), pixels(1)
    both = [lens.over_shifts(model, one, 2).probabilities for one in (image, scaled(image))]
    np.testing.assert_allclose(both[0], both[1], rtol=1e-5)


def test_grid() -> None:
    assert len(grid(2, 8)) == 81
    assert grid(1, 1) == [(-1, -1), (-1, 0), (-1, 1), (0, -1), (0, 0), (0, 1), (1, -1), (1, 0), (1, 1)]
    for step, reach in ((0, 4), (3, 4), (2, 0), (1.0, 2)):
        with pytest.raises(ConfigurationError, match="steps of 1 pixel"):
            grid(step, reach)  # type: ignore[arg-type]


def test_wrong_requests() -> None:
    model: Model = small()
    with pytest.raises(ConfigurationError, match="pairs"):
        lens.under_shift(model, pixels(1), [0], [(0.5, 0)])  # type: ignore[list-item]
    with pytest.raises(ConfigurationError, match="pairs"):
        lens.under_shift(model, pixels(1), [0], [(0, 1, 2), (0, 1)])  # type: ignore[list-item]
    with pytest.raises(DataError):
        lens.under_shift(model, pixels(2), [0], [(0, 1)])
    for reach in (0, 12, 2.0):
        with pytest.raises(ConfigurationError, match="1 to 11 pixels"):
            lens.over_shifts(model, pixels(1), reach)  # type: ignore[arg-type]
    with pytest.raises(ShapeError, match="under_shift measures several"):
        lens.over_shifts(model, pixels(2), 2)
    with pytest.raises(ConfigurationError, match="up to 2 pixels, not 5"):
        lens.over_shifts(model, pixels(1), 2).at_distance(5)
    with pytest.raises(ConfigurationError, match="no shift of 5"):
        lens.under_shift(model, pixels(2), [0, 0], [(0, 1)]).at_distance(5)
