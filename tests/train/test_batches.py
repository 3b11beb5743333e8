from __future__ import annotations

import numpy as np
import pytest

from convlens.data import Examples
from convlens.errors import ConfigurationError, DataError, ShapeError
from convlens.preprocessing import Preprocessing
from convlens.train.batches import Batches

PREPROCESSING = Preprocessing((2, 3, 1))


def examples(count: int = 10) -> Examples:
    pixels = np.arange(count * 6, dtype=np.uint8).reshape(count, 2, 3, 1)
    return Examples("ten", pixels, np.arange(count))


def dealt(batches: Batches, epoch: int, start_step: int = 0) -> list[tuple[int, np.ndarray, np.ndarray]]:
    batches_left = enumerate(batches.epoch(epoch, start_step), start_step)
    return [(step, images.copy(), labels) for step, (images, labels) in batches_left]


def test_an_epoch_is_every_example_once_and_prepared() -> None:
    data = examples()
    batches = Batches(data, PREPROCESSING, 4, seed=1)
    assert batches.steps_per_epoch == 3
    got = dealt(batches, 0)
    assert [(step, len(images)) for step, images, _ in got] == [(0, 4), (1, 4), (2, 2)]
    labels = np.concatenate([labels for _, _, labels in got])
    assert labels.tolist() == batches.order(0).tolist()
    assert sorted(labels) == list(range(10))
    np.testing.assert_array_equal(np.concatenate([images for _, images, _ in got]), PREPROCESSING(data.images[labels]))


def test_order_depends_on_seed_and_epoch_alone() -> None:
    first, second = (
        Batches(examples(), PREPROCESSING, 4, seed=1),
        Batches(examples(), PREPROCESSING, 3, seed=1),
    )
    _ = dealt(first, 0)
    assert first.order(7).tolist() == second.order(7).tolist()
    assert first.order(7).tolist() != first.order(8).tolist()
    assert first.order(7).tolist() != Batches(examples(), PREPROCESSING, 4, seed=2).order(7).tolist()


@pytest.mark.parametrize("start", [1, 2, 3])
def test_an_epoch_goes_on_where_it_stopped(start: int) -> None:
    batches = Batches(examples(), PREPROCESSING, 4, seed=1)
    whole, rest = dealt(batches, 5), dealt(batches, 5, start)
    assert len(rest) == 3 - start
    for expected, got in zip(whole[start:], rest, strict=True):
        assert expected[0] == got[0]
        np.testing.assert_array_equal(expected[1], got[1])
        np.testing.assert_array_equal(expected[2], got[2])


def test_images_are_read_once_and_share_a_buffer() -> None:
    data = examples()
    batches = Batches(data, PREPROCESSING, 4, seed=1)
    kept = [images for epoch in range(2) for images, _ in batches.epoch(epoch)]
    assert data.reads == 1
    assert all(np.shares_memory(kept[0], images) for images in kept)


def test_fewer_examples_than_a_batch() -> None:
    batches = Batches(examples(3), PREPROCESSING, 128, seed=0)
    assert batches.steps_per_epoch == 1
    assert len(next(batches.epoch(0))[0]) == 3


def test_refused() -> None:
    with pytest.raises(ConfigurationError, match="at least 1 image, not 0"):
        Batches(examples(), PREPROCESSING, 0, seed=0)
    with pytest.raises(ConfigurationError, match="seed"):
        Batches(examples(), PREPROCESSING, 4, seed=-1)
    with pytest.raises(DataError, match="ten: no images"):
        Batches(examples().take([]), PREPROCESSING, 4, seed=0)
    with pytest.raises(ShapeError, match=r"ten: images are \(2, 3, 1\), the preprocessing is for \(3, 2, 1\)"):
        Batches(examples(), Preprocessing((3, 2, 1)), 4, seed=0)
    batches = Batches(examples(), PREPROCESSING, 4, seed=0)
    with pytest.raises(ConfigurationError, match="epochs are counted from 0, not -1"):
        batches.epoch(-1)
    for step in (-1, 4):
        with pytest.raises(ConfigurationError, match=f"from 0 to 3, not {step}"):
            batches.epoch(0, step)
