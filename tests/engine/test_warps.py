"""Warps as the engines run them: the compiled one against NumPy's, and on any number of threads."""

from __future__ import annotations

import numpy as np
import pytest

from convlens import engine, nn
from convlens.data import Examples
from convlens.engine.toolbox import Warp
from convlens.ops.warp import affine_matrices, warp
from convlens.preprocessing import Preprocessing
from convlens.train.augmentation import Augmentation
from convlens.train.batches import Batches
from convlens.typing import Float32

EVERYTHING = Augmentation(shift=2, rotation=12, scale=0.1, shear=0.1, elastic=34)
SHAPES = [(28, 28, 1), (9, 7, 3), (5, 33, 2), (40, 17, 1), (1, 5, 1), (6, 1, 2), (1, 1, 1)]


@pytest.fixture(scope="module")
def compiled() -> Warp:
    pytest.importorskip("numba")
    from convlens.fast.warp import warp as compiled

    return compiled


def started(name: str, threads: int, shape: tuple[int, ...] = (28, 28, 1)) -> engine.Engine:
    model = nn.Model([nn.Flatten(), nn.Dense(2)], shape)
    return engine.start(model.program, model.flat, name, threads)


def far(n: int) -> Float32:
    """Return matrices that move some images over the edge."""
    draw = np.random.default_rng(n)
    turn, size, slant = draw.uniform(-1, 1, (3, n))
    return affine_matrices(turn, np.exp(size), slant, draw.uniform(-9, 9, (n, 2)))


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("deviation", [None, 4.0, 0.7])
def test_the_compiled_warp_is_numpys(compiled: Warp, shape: tuple[int, ...], deviation: float | None) -> None:
    draw = np.random.default_rng(1)
    images, matrices = draw.random((5, *shape), np.float32), far(5)
    noise = None if deviation is None else draw.uniform(-1, 1, (5, 2, *shape[:2])).astype(np.float32)
    expected = warp(images, matrices, noise, 20.0, deviation or 4.0)
    memory = np.full((7, *shape), np.nan, np.float32)
    got = compiled(images, matrices, noise, 20.0, deviation or 4.0, memory[1:-1])
    np.testing.assert_allclose(got, expected, atol=3e-5)
    assert np.shares_memory(got, memory)
    assert np.isnan(memory[[0, -1]]).all()


@pytest.mark.parametrize("shape", SHAPES)
def test_no_movement_gives_the_same_bits_compiled_too(compiled: Warp, shape: tuple[int, ...]) -> None:
    images = np.random.default_rng(0).normal(size=(2, *shape)).astype(np.float32)
    still = affine_matrices(np.zeros(2), np.ones(2), np.zeros(2), np.zeros((2, 2)))
    assert compiled(images, still, None, 0.0, 4.0).tobytes() == images.tobytes()


@pytest.mark.parametrize("name", engine.ENGINES)
@pytest.mark.parametrize("shape", [(28, 28, 1), (9, 7, 3)])
def test_images_are_moved_to_the_same_bits_on_any_number_of_threads(name: str, shape: tuple[int, ...]) -> None:
    images = np.random.default_rng(0).random((71, *shape), np.float32)
    alone = EVERYTHING(images, 3, epoch=1, step=2)
    one = EVERYTHING(images, 3, epoch=1, step=2, engine=started(name, 1, shape))
    np.testing.assert_allclose(one, alone, atol=3e-5)
    for threads in (2, 3):
        runner = started(name, threads, shape)
        assert EVERYTHING(images, 3, epoch=1, step=2, engine=runner).tobytes() == one.tobytes()
        runner.close()
    if name != "numba":
        assert one.tobytes() == alone.tobytes()  # where it is cut into shares changes nothing


def test_batches_are_moved_by_the_engine_they_are_given() -> None:
    pytest.importorskip("numba")
    pixels = np.random.default_rng(5).integers(0, 256, (40, 28, 28, 1), dtype=np.uint8)
    examples, preprocessing = Examples("forty", pixels, np.arange(40) % 2), Preprocessing((28, 28, 1))
    runner = started("numba", 2)
    plain = Batches(examples, preprocessing, 30, 7)
    moved = Batches(examples, preprocessing, 30, 7, EVERYTHING, runner)
    for step, ((before, _), (after, _)) in enumerate(zip(plain.epoch(1), moved.epoch(1), strict=True)):
        expected = EVERYTHING(before, 7, epoch=1, step=step, engine=runner)
        np.testing.assert_array_equal(after, expected)
    runner.close()
