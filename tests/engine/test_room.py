"""What an engine needs is estimated before it is allocated: the sum, not each array alone."""

from __future__ import annotations

import numpy as np
import pytest

from convlens import memory, nn
from convlens.errors import ConfigurationError

PLAIN = [nn.Conv2D(8) for _ in range(30)]  # each value of an image is 8 KiB, and so is each derivative
NORMED = [layer for _ in range(10) for layer in (nn.Conv2D(8), nn.BatchNorm(), nn.ReLU())]
IMAGES = 40
ENGINES = ["numba", "numpy", "interpreter"]


def model_of(layers: list[nn.Layer], engine: str) -> nn.Model:
    if engine == "numba":
        pytest.importorskip("numba")
    return nn.Model([*layers, nn.GlobalAveragePool2D(), nn.Dense(2)], (16, 16, 1)).use(engine, 1)


def leave(monkeypatch: pytest.MonkeyPatch, kibibytes: int) -> None:
    """Let the system say that this much memory is available, and let it be asked for more than 64 KiB at a time."""
    monkeypatch.setattr(memory, "LARGE", 1 << 16)
    monkeypatch.setattr(memory, "available", lambda: kibibytes << 10)


def train(model: nn.Model, images: int = IMAGES) -> None:
    x = np.zeros((images, *model.input_shape), np.float32)
    model.engine.gradient(x, np.zeros(images, int), np.zeros_like(model.flat))


def predict(model: nn.Model) -> None:
    model.engine.logits(np.zeros((1, *model.input_shape), np.float32))


@pytest.mark.parametrize("engine", ENGINES)
def test_a_deep_network_is_refused_if_its_values_together_do_not_fit(
    engine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    leave(monkeypatch, 4200)  # a plan asks for 4 MiB at a time
    model = model_of(PLAIN * 20, engine)
    for run in (predict, train):
        with pytest.raises(ConfigurationError, match="iB of memory, and 4 MiB are available; choose smaller"):
            run(model)
    leave(monkeypatch, 1 << 20)
    predict(model)


@pytest.mark.parametrize("engine", ENGINES)
def test_with_barriers_the_values_of_the_whole_batch_must_fit(engine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    model = model_of(NORMED, engine)
    leave(monkeypatch, 5000)
    with pytest.raises(ConfigurationError, match=f"training on batches of {IMAGES} images"):
        train(model)
    leave(monkeypatch, 1 << 20)
    train(model)


def test_memory_that_a_plan_has_already_is_not_asked_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    model = model_of(PLAIN, "numpy")
    train(model)
    leave(monkeypatch, 0)
    train(model, IMAGES // 2)
