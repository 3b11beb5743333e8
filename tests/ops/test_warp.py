"""Warps against SciPy's, which knows nothing of ours."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage

from convlens.ops.warp import affine_matrices, affine_places, bilinear, elastic_displacement


def matrices(
    *, rotation: float = 0, scale: float = 1, shear: float = 0, shift: tuple[float, float] = (0, 0)
) -> np.ndarray:
    one = [np.array([value], dtype=float) for value in (rotation, scale, shear)]
    return affine_matrices(one[0], one[1], one[2], np.array([shift], dtype=float), np.float64)


def warped(image: np.ndarray, found: np.ndarray) -> np.ndarray:
    return bilinear(image[None], *affine_places(found, *image.shape[:2]))[0]


@given(
    st.tuples(st.integers(1, 9), st.integers(1, 9), st.integers(1, 3)),
    st.sampled_from([np.float32, np.float64]),
    st.integers(0, 99),
)
def test_bilinear_is_what_scipy_says(shape: tuple[int, int, int], dtype: type, seed: int) -> None:
    draw = np.random.default_rng(seed)
    images = draw.normal(size=(3, *shape)).astype(dtype)
    rows, columns = draw.uniform(-3, 11, (2, 3, 4, 5)).astype(dtype)
    got = bilinear(images, rows, columns)
    assert got.dtype == dtype
    for image, r, c, y in zip(images, rows, columns, got, strict=True):
        for channel in range(shape[2]):
            expected = ndimage.map_coordinates(image[..., channel], [r, c], order=1, mode="nearest")
            np.testing.assert_allclose(y[..., channel], expected, atol=3e-6)


@pytest.mark.parametrize("seed", range(5))
def test_affine_is_what_scipy_says(seed: int) -> None:
    draw = np.random.default_rng(seed)
    image = draw.normal(size=(9, 12, 1))
    turn, size, slant = draw.uniform(-1, 1), draw.uniform(0.7, 1.4), draw.uniform(-0.4, 0.4)
    shift = draw.uniform(-2, 2, 2)
    rotate = np.array([[math.cos(turn), math.sin(turn)], [-math.sin(turn), math.cos(turn)]])
    back = np.linalg.inv(rotate @ np.array([[1, 0], [slant, 1]]) * size)
    centre = np.array([4, 5.5])
    expected = ndimage.affine_transform(
        image[..., 0], back, offset=centre - back @ (centre + shift), order=1, mode="nearest"
    )
    found = matrices(rotation=turn, scale=size, shear=slant, shift=(shift[0], shift[1]))
    np.testing.assert_allclose(warped(image, found)[..., 0], expected, atol=1e-12)


def test_the_directions_are_those_in_the_words() -> None:
    image = np.zeros((5, 5, 1))
    image[0, 2] = 1  # above the centre
    assert warped(image, matrices(shift=(2, 1)))[2, 3, 0] == 1
    assert warped(image, matrices(rotation=math.pi / 2))[2, 4, 0] == pytest.approx(1)  # clockwise: now on the right
    assert warped(image, matrices(scale=0.5))[1, 2, 0] == pytest.approx(1)
    assert warped(image, matrices(shear=1))[0, 0, 0] == 1  # two rows above the centre: two columns to the left


@pytest.mark.parametrize("shape", [(28, 28, 1), (7, 4, 3), (1, 5, 1), (1, 1, 2)])
def test_no_movement_gives_the_same_bits(shape: tuple[int, int, int]) -> None:
    images = np.random.default_rng(0).normal(size=(2, *shape)).astype(np.float32)
    still = affine_matrices(np.zeros(2), np.ones(2), np.zeros(2), np.zeros((2, 2)))
    out = np.empty_like(images)
    assert bilinear(images, *affine_places(still, *shape[:2]), out=out) is out
    assert out.tobytes() == images.tobytes()


def test_a_shift_by_whole_pixels_is_exact_and_the_edge_goes_on() -> None:
    image = np.random.default_rng(0).normal(size=(6, 6, 1)).astype(np.float32)
    down = affine_matrices(np.zeros(1), np.ones(1), np.zeros(1), np.array([[2.0, 0.0]]))
    got = bilinear(image[None], *affine_places(down, 6, 6))[0]
    np.testing.assert_array_equal(got[2:], image[:4])
    np.testing.assert_array_equal(got[:2], image[[0, 0]])


@pytest.mark.parametrize(("sigma", "shape"), [(4.0, (29, 29)), (1.0, (5, 12)), (0.3, (4, 4))])
def test_elastic_fields_are_smoothed_as_scipy_smooths(sigma: float, shape: tuple[int, int]) -> None:
    noise = np.random.default_rng(1).uniform(-1, 1, (2, 2, *shape))
    expected = 34 * ndimage.gaussian_filter(noise, (0, 0, sigma, sigma), mode="constant")
    np.testing.assert_allclose(elastic_displacement(noise, 34.0, sigma), expected, atol=1e-12)
