"""Engines as their users meet them: choosing one, threads, many callers at once, errors in workers."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from convlens import engine, nn
from convlens.engine import ENGINES, available_threads, engines
from convlens.engine.arena import Arena
from convlens.engine.blas import single_threaded_blas
from convlens.engine.interpreter import FIRST
from convlens.engine.lanes import CHUNK, MOST_THREADS, Workers, split
from convlens.errors import ConfigurationError
from convlens.typing import Array


@pytest.fixture(scope="module")
def model() -> nn.Model:
    layers = [nn.Conv2D(8), nn.ReLU(), nn.MaxPool2D(), nn.Flatten(), nn.Dense(20), nn.ReLU(), nn.Dense(4)]
    return nn.Model(layers, (10, 10, 1), seed=2)


def batch(n: int) -> tuple[Array, Array]:
    draw = np.random.default_rng(n)
    return draw.random((n, 10, 10, 1), np.float32), draw.integers(0, 4, n)


def test_choosing_an_engine(model: nn.Model, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CONVLENS_ENGINE", raising=False)
    assert engine.start(model.program, model.flat).name == engine.fastest()
    monkeypatch.setenv("CONVLENS_ENGINE", "interpreter")
    assert engine.start(model.program, model.flat).name == "interpreter"
    assert engine.start(model.program, model.flat, "numpy").name == "numpy"
    monkeypatch.setenv("CONVLENS_ENGINE", "nump")
    with pytest.raises(ConfigurationError, match="unknown engine 'nump'; did you mean 'numpy'"):
        engine.start(model.program, model.flat)


@pytest.mark.parametrize("name", ENGINES)
def test_images_and_labels_may_lie_in_memory_that_cannot_be_written(model: nn.Model, name: str) -> None:
    images, labels = batch(6)
    images.flags.writeable = labels.flags.writeable = False
    gradient = np.zeros_like(model.flat)
    assert engine.start(model.program, model.flat, name).gradient(images, labels, gradient).loss > 0


@pytest.mark.parametrize("name", ENGINES)
def test_float64_takes_the_interpreter(name: str) -> None:
    model = nn.Model([nn.Flatten(), nn.Dense(2)], (3, 3, 1), dtype=np.float64)
    assert model.use(name).engine.name == "interpreter"
    assert model.logits(np.ones((1, 3, 3, 1))).dtype == np.float64


@pytest.mark.parametrize("threads", [0, -1, 65])
def test_numbers_of_threads_that_cannot_be(model: nn.Model, threads: int) -> None:
    with pytest.raises(ConfigurationError, match=f"from 1 to 64, not {threads}"):
        engine.start(model.program, model.flat, "numpy", threads)


def test_threads_by_default(model: nn.Model) -> None:
    assert 1 <= available_threads() <= MOST_THREADS
    assert engine.start(model.program, model.flat).threads == available_threads()
    assert engine.start(model.program, model.flat, threads=7).threads == 7


@pytest.mark.parametrize("name", ENGINES)
def test_more_threads_than_lanes_change_no_bit(model: nn.Model, name: str) -> None:
    x, labels = batch(21)  # four lanes
    one, nine = (engine.start(model.program, model.flat, name, threads) for threads in (1, 9))
    gradients = np.zeros_like(model.flat), np.zeros_like(model.flat)
    assert one.gradient(x, labels, gradients[0]) == nine.gradient(x, labels, gradients[1])
    np.testing.assert_array_equal(gradients[0], gradients[1])
    np.testing.assert_array_equal(one.logits(x), nine.logits(x))
    nine.close()


@pytest.mark.parametrize("name", ENGINES)
def test_engines_read_the_parameters_anew(model: nn.Model, name: str) -> None:
    flat, (x, labels) = model.flat.copy(), batch(9)
    runner, gradient = engine.start(model.program, flat, name, 1), np.zeros_like(flat)
    before, loss = runner.logits(x), runner.gradient(x, labels, gradient).loss
    flat *= 2
    assert not np.array_equal(runner.logits(x), before)
    assert runner.gradient(x, labels, gradient).loss != loss
    flat /= 2
    np.testing.assert_array_equal(runner.logits(x), before)


@pytest.mark.parametrize("name", ENGINES)
def test_many_callers_at_the_same_time_get_what_one_gets(model: nn.Model, name: str) -> None:
    runner = engine.start(model.program, model.flat, name, 2)
    batches = [batch(n)[0] for n in (1, 2, 7, 40, 70, 130)] * 8
    alone = [runner.logits(x) for x in batches]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(runner.logits, batches))
    for got, wanted in zip(together, alone, strict=True):
        np.testing.assert_array_equal(got, wanted)
    runner.close()


@pytest.mark.parametrize("name", ENGINES)
def test_batches_of_changing_size_leave_nothing_behind(model: nn.Model, name: str) -> None:
    """A batch's gradient is the same whatever ran before it, also where some lanes are empty."""
    used, gradient, fresh = engine.start(model.program, model.flat, name, 2), model.flat.copy(), model.flat.copy()
    for n in (37, 2, 64, 1, 37, 3):
        used.gradient(*batch(n), gradient)
        engine.start(model.program, model.flat, name, 1).gradient(*batch(n), fresh)
        np.testing.assert_array_equal(gradient, fresh)
    used.close()


@pytest.mark.parametrize("name", ENGINES)
def test_loss_and_number_right(model: nn.Model, name: str) -> None:
    x, labels = batch(30)
    runner = engine.start(model.program, model.flat, name, 1)
    logits = runner.logits(x).astype(np.float64)
    losses = np.log(np.exp(logits).sum(axis=1)) - logits[np.arange(30), labels]
    result = runner.gradient(x, labels, np.zeros_like(model.flat))
    assert result.loss == pytest.approx(losses.mean(), rel=1e-6)
    assert result.correct == (logits.argmax(axis=1) == labels).sum()


@pytest.mark.parametrize("count", [0, 1, 3, 4, 5, 13, 128])
@pytest.mark.parametrize("parts", [1, 3, 4])
def test_splits_cover_everything_evenly(count: int, parts: int) -> None:
    slices = split(count, parts)
    assert [i for part in slices for i in range(count)[part]] == list(range(count))
    sizes = [part.stop - part.start for part in slices]
    assert len(sizes) == parts
    assert max(sizes) - min(sizes) <= 1


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_chunks_cover_an_array_once(threads: int) -> None:
    workers, seen = Workers(threads), np.zeros(3 * CHUNK + 17, int)

    def mark(chunk: slice) -> None:
        seen[chunk] += 1

    workers.each(mark, seen.size)
    assert (seen == 1).all()
    workers.close()


@pytest.mark.parametrize("name", ["numpy", "numba"])
def test_an_error_in_a_worker_is_raised_once_all_have_ended(model: nn.Model, name: str) -> None:
    workers, ended = engine.start(model.program, model.flat, name, 3).workers, []

    def fail() -> None:
        raise ValueError("this one")

    def slow() -> None:
        time.sleep(0.05)
        ended.append("slow")

    for tasks in ([fail, slow, slow], [slow, fail, slow]):
        with pytest.raises(ValueError, match="this one"):
            workers.run(tasks)
        assert ended == ["slow", "slow"]
        ended.clear()
    workers.close()


@pytest.mark.parametrize(("name", "limits"), [("numpy", True), ("numba", False)])
def test_blas_is_limited_only_where_a_kernel_calls_it(
    model: nn.Model, monkeypatch: pytest.MonkeyPatch, name: str, limits: bool
) -> None:
    pytest.importorskip("numba")
    times = []

    @contextmanager
    def noted() -> Iterator[None]:
        times.append(name)
        yield

    monkeypatch.setattr(engines, "single_threaded_blas", noted)
    runner, (x, labels) = engine.start(model.program, model.flat, name, 1), batch(3)
    runner.logits(x)
    runner.gradient(x, labels, np.zeros_like(model.flat))
    assert len(times) == 2 * limits


def blas_threads() -> list[int]:
    return [library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"]


def test_blas_has_one_thread_inside_and_its_own_number_again_outside() -> None:
    with threadpool_limits(2, user_api="blas"):
        before = blas_threads()
        with single_threaded_blas(), single_threaded_blas():
            assert set(blas_threads()) <= {1}
        assert blas_threads() == before


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_blas_has_its_own_number_again_after_an_error(error: type[BaseException]) -> None:
    with threadpool_limits(2, user_api="blas"):
        before = blas_threads()
        with pytest.raises(error), single_threaded_blas():  # noqa: PT012 - it is the block that fails
            assert set(blas_threads()) <= {1}
            raise error
        assert blas_threads() == before


@pytest.mark.parametrize("name", ENGINES)
def test_blas_has_its_own_number_again_after_a_batch_that_fails(model: nn.Model, name: str) -> None:
    images = np.zeros((8, *model.input_shape), np.float32)
    with threadpool_limits(2, user_api="blas"):
        before, runner = blas_threads(), engine.start(model.program, model.flat, name, 2)
        with pytest.raises(ValueError):
            runner._predict(images[..., :0], None, probable=False)
        with pytest.raises((ValueError, IndexError)):
            runner._gradient(images[:, 1:], np.zeros(8, np.int64), np.zeros_like(model.flat), FIRST, 0.0)
        assert blas_threads() == before
        assert np.isfinite(runner.logits(images)).all()


def test_blas_is_limited_from_any_thread_and_given_back_by_another() -> None:
    """threadpoolctl ignores, without a word, all threads but the first that ever set a limit."""
    with threadpool_limits(2, user_api="blas"), ThreadPoolExecutor(1) as pool:
        before = blas_threads()

        def inside() -> list[int]:
            with single_threaded_blas():
                return blas_threads()

        assert set(pool.submit(inside).result()) <= {1}
        assert blas_threads() == before
        first, second = single_threaded_blas(), single_threaded_blas()
        first.__enter__()
        pool.submit(second.__enter__).result()
        first.__exit__(None, None, None)
        assert set(blas_threads()) <= {1}, "the other one is still inside"
        pool.submit(second.__exit__, None, None, None).result()
        assert blas_threads() == before


def test_the_arena_gives_aligned_memory_apart_and_takes_it_back() -> None:
    arena = Arena()
    first = arena.take((3, 5))
    mark = arena.mark()
    second, large = arena.take((7,)), arena.take((2, 1 << 20))
    assert all(array.ctypes.data % 64 == 0 for array in (first, second, large))
    assert not any(np.shares_memory(a, b) for a, b in ((first, second), (first, large), (second, large)))
    arena.release(mark)
    assert np.shares_memory(arena.take((7,)), second)
    assert arena.high_water >= 15 + 7 + (2 << 20)
