"""Every row of `layer_cases.CASES`, every check.

What two implementations compute in float32 may differ by 1e-5 of the largest value of each tensor.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from convlens import engine, nn
from convlens.engine import ENGINES, Address, BatchResult, interpreter
from convlens.typing import Array
from tests.gradcheck import check_direction
from tests.layer_cases import CASES, LayerCase

CLOSE = 1e-5
ODD_BATCHES = (1, 3, 5, 13, 37)  # none a multiple of the lanes; the last is longer than a micro-batch
FAST = sorted(set(ENGINES) - {"interpreter"})


@pytest.fixture(scope="module", params=CASES, ids=lambda case: case.name)
def case(request: pytest.FixtureRequest) -> LayerCase:
    return request.param


@pytest.fixture(scope="module")
def model(case: LayerCase) -> nn.Model:
    return case.build()


@pytest.fixture(scope="module")
def meaning(case: LayerCase, model: nn.Model) -> tuple[Array, Array, BatchResult]:
    """Logits and gradient of 37 images by the interpreter: what every engine must agree with."""
    return run(model, "interpreter", 1, *case.batch(37))


def run(model: nn.Model, name: str, threads: int, x: Array, labels: Array) -> tuple[Array, Array, BatchResult]:
    runner = engine.start(model.program, model.flat, name, threads, model.flat_buffers.copy())
    try:
        gradient = np.full_like(model.flat, np.nan)  # so that a part that nobody writes shows
        result = runner.gradient(x, labels, gradient)
        return runner.logits(x), gradient, result
    finally:
        runner.close()


def step(model: nn.Model, x: Array) -> interpreter.Tape:
    """Run a training step's forward pass, which leaves the model's own running statistics alone."""
    drawn = interpreter.draw(model.program, len(x), Address(seed=3), model.flat.dtype)
    context = interpreter.Context(model.flat_buffers.copy(), drawn)
    return interpreter.forward(model.program, model.flat, x, context)


def assert_close(got: Array, wanted: Array, what: str, largest: float | None = None) -> None:
    assert got.dtype == wanted.dtype == np.float32, f"{what}: {got.dtype}, {wanted.dtype}"
    assert got.shape == wanted.shape
    largest = largest or float(np.abs(wanted).max())
    assert float(np.abs(got - wanted).max()) <= CLOSE * largest, what


def assert_same_gradient(model: nn.Model, got: Array, wanted: Array) -> None:
    # batch norm takes away what a bias before it adds: that bias's gradient is zero, and what is computed is rounding
    largest = float(np.abs(wanted).max()) if model.flat_buffers.size else None
    for slot in model.program.slots:
        assert_close(slot.view(got), slot.view(wanted), slot.name, largest)


def test_output_shapes(case: LayerCase, model: nn.Model) -> None:
    stack = len(case.layers) + case.after
    last = [node for node in model.program.nodes if node.layer < stack][-1]
    assert last.output_shape == case.out
    tape = step(model, case.batch(3)[0])
    for node in model.program.nodes:
        assert tape.values[node.name].shape == (3, *node.output_shape), node.name


def test_gradients_by_finite_differences(case: LayerCase) -> None:
    model = case.build(np.float64)
    x, _ = case.batch(3, np.float64)
    draw = np.random.default_rng(1)
    weights = draw.standard_normal((3, model.classes))

    def function() -> float:
        return float((step(model, x).values[model.program.output] * weights).sum())

    gradient = np.full_like(model.flat, np.nan)
    dx = interpreter.backward(model.program, step(model, x), weights, gradient)
    check_direction(function, x, dx, draw, "images")
    for slot in model.program.slots:
        check_direction(function, slot.view(model.flat), slot.view(gradient), draw, slot.name)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_every_value_and_derivative_keeps_the_dtype(case: LayerCase, dtype: type[np.floating[Any]]) -> None:
    model = case.build(dtype)
    tape = step(model, case.batch(2, dtype)[0])
    for node in model.program.nodes:
        y = tape.values[node.name]
        assert y.dtype == dtype, node.name
        assert {a.dtype for a in arrays_in(tape.saved[node.name]) if a.dtype.kind == "f"} <= {np.dtype(dtype)}, (
            node.name
        )
        dinputs, dparameters = interpreter.OPS[node.op].backward(node, np.ones_like(y), tape.saved[node.name])
        assert {a.dtype for a in (*dinputs, *dparameters.values())} == {np.dtype(dtype)}, node.name


def arrays_in(saved: Any) -> Iterator[Array]:
    if isinstance(saved, np.ndarray):
        yield saved
    elif isinstance(saved, tuple):
        for part in saved:
            yield from arrays_in(part)


@pytest.mark.parametrize("name", ENGINES)
def test_a_batch_equals_its_images_one_by_one(case: LayerCase, model: nn.Model, name: str) -> None:
    x, _ = case.batch(5)
    runner = engine.start(model.program, model.flat, name, 1, model.flat_buffers)
    assert_close(np.concatenate([runner.logits(x[i : i + 1]) for i in range(5)]), runner.logits(x), "logits")


def test_a_gradient_is_the_mean_of_its_images_gradients(case: LayerCase, model: nn.Model) -> None:
    if case.couples:
        pytest.skip("each image's gradient depends on the batch it is in")
    x, labels = case.batch(5)
    alone = [run(model, "interpreter", 1, x[i : i + 1], labels[i : i + 1])[1] for i in range(5)]
    together = run(model, "interpreter", 1, x, labels)[1]
    for slot in model.program.slots:  # gradients of several images may all but cancel: their own size is the measure
        largest = max(float(np.abs(slot.view(one)).max()) for one in alone)
        assert_close(slot.view(np.mean(alone, axis=0)), slot.view(together), slot.name, largest)


def test_saved_and_loaded_gives_the_same_bits(case: LayerCase, model: nn.Model, tmp_path: Path) -> None:
    model.save(tmp_path / "model.safetensors")
    again = nn.load(tmp_path / "model.safetensors")
    assert again.layers == model.layers
    np.testing.assert_array_equal(again.flat, model.flat)
    x, _ = case.batch(5)
    np.testing.assert_array_equal(again.use(threads=1).logits(x), model.use(threads=1).logits(x))


@pytest.mark.parametrize("name", FAST)
def test_engines_agree(case: LayerCase, model: nn.Model, meaning: tuple[Array, Array, BatchResult], name: str) -> None:
    assert_agrees(model, run(model, name, 1, *case.batch(37)), meaning)


@pytest.mark.parametrize("name", FAST)
@pytest.mark.parametrize("largest", [1, 4])
def test_partial_micro_batches(
    case: LayerCase,
    model: nn.Model,
    meaning: tuple[Array, Array, BatchResult],
    monkeypatch: pytest.MonkeyPatch,
    largest: int,
    name: str,
) -> None:
    """Lanes of 9 and 10 images in micro-batches of 4 end with 1 or 2."""
    monkeypatch.setattr("convlens.engine.passes.LARGEST_MICRO_BATCH", largest)
    assert_agrees(model, run(model, name, 1, *case.batch(37)), meaning)


def assert_agrees(
    model: nn.Model, got: tuple[Array, Array, BatchResult], meaning: tuple[Array, Array, BatchResult]
) -> None:
    assert_close(got[0], meaning[0], "logits")
    assert_same_gradient(model, got[1], meaning[1])
    assert got[2].loss == pytest.approx(meaning[2].loss, rel=CLOSE)
    assert got[2].correct == meaning[2].correct


@pytest.mark.parametrize("name", ENGINES)
def test_the_bits_do_not_depend_on_the_threads(case: LayerCase, model: nn.Model, name: str) -> None:
    buffers = [model.flat_buffers.copy() for _ in range(3)]
    engines = [engine.start(model.program, model.flat, name, k + 1, own) for k, own in enumerate(buffers)]
    for n in ODD_BATCHES:
        x, labels = case.batch(n)
        gradients = [np.full_like(model.flat, np.nan) for _ in engines]
        results = [one.gradient(x, labels, gradient) for one, gradient in zip(engines, gradients, strict=True)]
        logits = [one.logits(x) for one in engines]
        for k in (1, 2):
            np.testing.assert_array_equal(gradients[k], gradients[0])
            np.testing.assert_array_equal(logits[k], logits[0])
            np.testing.assert_array_equal(buffers[k], buffers[0])
            assert results[k] == results[0]
    for one in engines:
        one.close()
