"""Augmentation: addressed, bounded, plain data, and no change if nothing is asked for."""

from __future__ import annotations

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from convlens.data import Examples
from convlens.errors import ConfigurationError
from convlens.preprocessing import Preprocessing
from convlens.train.augmentation import Augmentation
from convlens.train.batches import Batches

EVERYTHING = Augmentation(shift=2, rotation=12, scale=0.1, shear=0.1, elastic=34)


def digits(count: int = 6, shape: tuple[int, int, int] = (28, 28, 1)) -> np.ndarray:
    images = np.zeros((count, *shape), np.float32)
    images[:, 8:20, 10:18] = np.random.default_rng(0).random((count, 12, 8, shape[2]), np.float32)
    return images


def test_no_settings_leave_every_bit() -> None:
    images = digits()
    assert Augmentation()(images, 0) is images
    tiny = Augmentation(shift=1e-300)(images, 0)  # goes through the mathematics
    assert tiny.tobytes() == images.tobytes()


def test_draws_have_an_address() -> None:
    images = digits()
    first = EVERYTHING(images, 3, epoch=1, step=2)
    assert EVERYTHING(images, 3, epoch=1, step=2).tobytes() == first.tobytes()
    for other in ({"epoch": 2, "step": 2}, {"epoch": 1, "step": 3}):
        assert EVERYTHING(images, 3, **other).tobytes() != first.tobytes()
    assert EVERYTHING(images, 4, epoch=1, step=2).tobytes() != first.tobytes()
    same = np.repeat(images[:1], 6, axis=0)
    assert len({image.tobytes() for image in EVERYTHING(same, 0)}) == 6  # each image draws for itself


def test_a_further_setting_leaves_the_other_draws_alone() -> None:
    images = digits()
    alone = Augmentation(shift=2)(images, 0)
    nearly = Augmentation(shift=2, rotation=1e-9, elastic=1e-9)(images, 0)
    np.testing.assert_allclose(alone, nearly, atol=1e-5)


def test_movements_stay_within_their_limits() -> None:
    images = np.zeros((200, 41, 41, 1), np.float32)
    images[:, 20, 20] = 1
    moved = Augmentation(shift=3)(images, 0)[..., 0]
    places = np.arange(41) - 20.0
    down, right = (moved.sum(axis=axis) @ places for axis in (2, 1))
    for shift in (down, right):
        assert -3 <= shift.min() < -2.5 < 2.5 < shift.max() <= 3


def test_elastic_moves_pixels_by_about_a_thirtieth_of_its_strength() -> None:
    ramp = np.broadcast_to(np.arange(61, dtype=np.float32)[:, None], (40, 61, 61))[..., None]
    moved = Augmentation(elastic=34)(np.ascontiguousarray(ramp), 0)
    assert 0.7 < np.abs(moved - ramp)[:, 20:40, 20:40].mean() < 1.5


@pytest.mark.parametrize("shape", [(28, 28, 1), (96, 80, 3)])
def test_bits_do_not_depend_on_threads(shape: tuple[int, int, int]) -> None:
    images = digits(shape=shape)
    with threadpool_limits(1):
        one = EVERYTHING(images, 0)
    with threadpool_limits(3):
        assert EVERYTHING(images, 0).tobytes() == one.tobytes()
    assert one.dtype == np.float32


def test_settings_travel_as_plain_data() -> None:
    assert Augmentation.from_dict(EVERYTHING.to_dict()) == EVERYTHING
    with pytest.raises(ConfigurationError, match=r"unknown key 'rotate'; did you mean 'rotation'\?"):
        Augmentation.from_dict({"rotate": 1})
    with pytest.raises(ConfigurationError, match="expected settings by name"):
        Augmentation.from_dict([1])  # type: ignore[arg-type]


@pytest.mark.parametrize("wrong", [-1, float("nan"), float("inf"), True, "2", None, 10_000])
def test_settings_out_of_range(wrong: object) -> None:
    with pytest.raises(ConfigurationError, match="augmentation: shift is a number from 0 to 1000"):
        Augmentation(shift=wrong)  # type: ignore[arg-type]


def batches(augmentation: Augmentation | None) -> Batches:
    pixels = np.random.default_rng(5).integers(0, 256, (10, 8, 8, 1), dtype=np.uint8)
    return Batches(Examples("ten", pixels, np.arange(10)), Preprocessing((8, 8, 1)), 4, 7, augmentation)


def test_batches_are_moved_and_go_on_where_they_stopped() -> None:
    plain = [images.copy() for images, _ in batches(None).epoch(1)]
    assert [images.tobytes() for images, _ in batches(Augmentation()).epoch(1)] == [x.tobytes() for x in plain]
    moved = [images.copy() for images, _ in batches(EVERYTHING).epoch(1)]
    for step, (before, after) in enumerate(zip(plain, moved, strict=True)):
        np.testing.assert_array_equal(EVERYTHING(before, 7, epoch=1, step=step), after)
    again = batches(EVERYTHING)
    assert [images.tobytes() for images, _ in again.epoch(1, 2)] == [x.tobytes() for x in moved[2:]]
    shared = [images for images, _ in again.epoch(0)]
    assert all(np.shares_memory(shared[0], images) for images in shared)
