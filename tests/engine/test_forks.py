"""A forked process has its parent's memory, and none of its threads."""

from __future__ import annotations

import multiprocessing
import os

import numpy as np
import pytest

from convlens import models, nn

X = np.random.default_rng(0).random((40, 28, 28, 1), np.float32)


def answer(model: nn.Model, connection: object) -> None:
    connection.send(model.logits(X).tobytes())  # type: ignore[attr-defined]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
@pytest.mark.parametrize("engine", ["numba", "numpy"])
def test_a_model_of_the_parent_answers_in_a_child(engine: str) -> None:
    if engine == "numba":
        pytest.importorskip("numba")
    model = models.build("cnn", filters=(4, 4), hidden=8).use(engine, 3)
    wanted = model.logits(X).tobytes()  # so that the threads are there
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe()
    child = context.Process(target=answer, args=(model, theirs))
    child.start()
    try:
        assert ours.poll(20), "the child hangs"
        assert ours.recv() == wanted
    finally:
        child.kill()
        child.join()
    assert model.logits(X).tobytes() == wanted  # and here it goes on
