"""A forked process has its parent's memory, and none of its threads."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
import pytest
from threadpoolctl import threadpool_info

from convlens import engine, models, nn
from convlens.engine import blas

X = np.random.default_rng(0).random((40, 28, 28, 1), np.float32)

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork"),
    pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning"),
]


def in_child(call: Callable[[], object]) -> object:
    """Return what a call returns in a forked child; None if the child hangs or fails."""
    ours, theirs = multiprocessing.get_context("fork").Pipe()
    child = multiprocessing.get_context("fork").Process(target=lambda: theirs.send(call()))
    child.start()
    theirs.close()
    try:
        return ours.recv() if ours.poll(20) else None
    except EOFError:
        return None
    finally:
        child.kill()
        child.join()


@pytest.fixture(params=["numba", "numpy", "interpreter"])
def model(request: pytest.FixtureRequest) -> nn.Model:
    if request.param == "numba":
        pytest.importorskip("numba")
    return models.build("cnn", filters=(4, 4), hidden=8).use(request.param, 3)


def test_a_model_of_the_parent_answers_in_a_child_and_its_child(model: nn.Model) -> None:
    gradient = np.zeros_like(model.flat)

    def answer() -> bytes:
        model.engine.gradient(X, np.arange(40) % 10, gradient)
        return model.logits(X).tobytes() + gradient.tobytes()

    wanted = answer()  # so that the threads are there
    assert in_child(answer) == wanted
    assert in_child(lambda: in_child(answer)) == wanted
    assert answer() == wanted  # and here it goes on


def test_children_answer_while_other_threads_predict(model: nn.Model) -> None:
    wanted, ended = model.logits(X).tobytes(), threading.Event()

    def predict() -> None:
        while not ended.is_set():
            model.logits(X)

    threads = [threading.Thread(target=predict) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(3):
            assert in_child(lambda: model.logits(X).tobytes()) == wanted
    finally:
        ended.set()
        for thread in threads:
            thread.join()


@contextmanager
def running(work: Callable[[], object], began: threading.Event) -> Iterator[None]:
    """Run `work` in another thread during the block, which begins once it has set `began`."""
    thread = threading.Thread(target=work)
    thread.start()
    assert began.wait(10)
    yield
    thread.join()


def test_the_limit_of_blas_in_a_child(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forked while another thread sets the limit, and while it works under it."""
    began, controller = threading.Event(), blas._current_controller

    def slow() -> object:
        began.set()
        time.sleep(0.2)
        return controller()

    def use() -> list[int]:
        with blas.single_threaded_blas():
            pass
        return [found["num_threads"] for found in threadpool_info() if found["user_api"] == "blas"]

    def work() -> None:
        with blas.single_threaded_blas():
            time.sleep(0.2)

    wanted = use()
    monkeypatch.setattr(blas, "_current_controller", slow)
    with running(work, began):
        assert in_child(use) == wanted
        assert in_child(use) == wanted
    assert use() == wanted


def test_a_model_whose_engine_another_thread_was_starting(monkeypatch: pytest.MonkeyPatch) -> None:
    began, start = threading.Event(), engine.start

    def slow(*arguments: object) -> engine.Engine:
        began.set()
        time.sleep(0.2)
        return start(*arguments)  # type: ignore[arg-type]

    model = nn.Model([nn.Flatten(), nn.Dense(3)], (28, 28, 1))
    monkeypatch.setattr(engine, "start", slow)
    with running(lambda: model.engine, began):
        assert in_child(lambda: model.logits(X).shape) == (40, 3)


def logits(model: nn.Model) -> bytes:
    return model.logits(X).tobytes()


def test_a_model_is_sent_to_a_process_of_its_own() -> None:
    """By pickle, as every pool does; a new process has nothing of this one's."""
    model = models.build("cnn", filters=(4, 4), hidden=8).use("numpy", 1)
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        assert pool.apply(logits, (model,)) == model.logits(X).tobytes()
    assert len(pickle.dumps(model)) < 2 * model.flat.nbytes + 10_000
