"""What an engine refuses before it runs: compiled code writes wherever a label, or an array's length, sends it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from convlens import engine, nn, optim
from convlens.engine import ENGINES, Engine, engines
from convlens.errors import ConfigurationError, ConvlensError, DataError, ShapeError

X = np.random.default_rng(0).random((6, 10, 10, 1), np.float32)
LABELS = np.arange(6) % 4


@pytest.fixture(scope="module", params=ENGINES)
def runner(request: pytest.FixtureRequest) -> Engine:
    model = nn.Model([nn.Conv2D(3), nn.ReLU(), nn.MaxPool2D(), nn.Flatten(), nn.Dense(4)], (10, 10, 1), seed=2)
    return engine.start(model.program, model.flat, request.param, 2)


def read_only(array: Any) -> Any:
    array.flags.writeable = False
    return array


BATCHES: dict[str, tuple[dict[str, Any], type[ConvlensError], str]] = {
    "a negative label": ({"labels": [0, 1, 2, 3, 0, -1]}, DataError, "labels: number 5 is -1, expected 0 to 3"),
    "label K": ({"labels": [0, 1, 2, 3, 4, 0]}, DataError, "labels: number 4 is 4, expected 0 to 3"),
    "a huge label": ({"labels": LABELS * 10**9}, DataError, "number 1 is 1000000000"),
    "beyond int64": ({"labels": LABELS.astype(np.uint64) * 2**62}, DataError, "expected 0 to 3"),
    "floats as labels": ({"labels": LABELS / 1}, DataError, "expected integers"),
    "true and false": ({"labels": LABELS > 1}, DataError, "expected integers"),
    "one-hot": ({"labels": np.eye(4)[LABELS]}, DataError, "6 images has labels of shape (6, 4)"),
    "labels as a column": ({"labels": LABELS[:, None]}, DataError, "labels of shape (6, 1)"),
    "one label for all": ({"labels": LABELS[:1]}, DataError, "one label each"),
    "no images": ({"x": X[:0], "labels": LABELS[:0]}, DataError, "an image or more"),
    "pixels": ({"x": (X * 255).astype(np.uint8)}, DataError, "not uint8; give pixels to model.preprocessing"),
    "fewer rows": ({"x": X[:, 1:]}, ShapeError, "(N, 10, 10, 1), not (6, 9, 10, 1)"),
    "a row that NumPy would repeat": ({"x": X[:, :1]}, ShapeError, "not (6, 1, 10, 1)"),
    "no channels": ({"x": X[..., 0]}, ShapeError, "not (6, 10, 10)"),
    "text": ({"x": "six"}, DataError, "not <U3"),
    "a short gradient": ({"out": np.zeros(9, np.float32)}, ConfigurationError, "not float32 of shape (9,)"),
    "every second value": ({"out": ...}, ConfigurationError, "not contiguous"),
    "a list": ({"out": [0.0]}, ConfigurationError, "not a list"),
    "smoothing": ({"smoothing": 1.0}, ConfigurationError, "from 0 to below 1, not 1.0"),
    "no smoothing": ({"smoothing": None}, ConfigurationError, "not None"),
}


@pytest.mark.parametrize(("change", "error", "message"), BATCHES.values(), ids=BATCHES)
def test_batches_that_are_refused(
    runner: Engine, change: dict[str, Any], error: type[ConvlensError], message: str
) -> None:
    given = {"x": X, "labels": LABELS, "out": np.zeros_like(runner.parameters), **change}
    if given["out"] is ...:
        given["out"] = np.zeros(2 * runner.parameters.size, np.float32)[::2]
    with pytest.raises(error) as caught:
        runner.gradient(**given)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("change", [lambda flat: flat.astype(np.float64), read_only], ids=["float64", "read-only"])
def test_gradients_of_another_type(runner: Engine, change: Callable[[Any], Any]) -> None:
    with pytest.raises(ConfigurationError, match="a gradient is a writable, contiguous float32 array of"):
        runner.gradient(X, LABELS, change(np.zeros_like(runner.parameters)))


@pytest.mark.parametrize("change", [X[:, 1:], X[:, :1, :1], X[0], np.zeros((6, 100), np.float32)])
def test_images_of_another_shape_have_no_logits(runner: Engine, change: Any) -> None:
    with pytest.raises(ShapeError, match="an engine takes images of shape"):
        runner.logits(change)


@pytest.mark.parametrize("labels", [list(LABELS), LABELS.astype(np.uint8), LABELS.astype(">i4"), LABELS[::-1][::-1]])
def test_labels_of_any_integer_type(runner: Engine, labels: Any) -> None:
    first, second = np.zeros((2, runner.parameters.size), np.float32)
    assert runner.gradient(X[:, ::-1], labels, first) == runner.gradient(X[:, ::-1].copy(), LABELS, second)
    np.testing.assert_array_equal(first, second)


def test_steps_that_are_refused(runner: Engine) -> None:
    before, adam = runner.parameters.copy(), optim.Adam()
    state, gradient = adam.start(runner.program, runner.parameters), np.ones_like(runner.parameters)
    for wrong in (gradient[:9], gradient.astype(np.float64), np.ones(2 * gradient.size, np.float32)[::2]):
        with pytest.raises(ConfigurationError, match="adam: g is a writable, contiguous float32 array"):
            adam.step(runner, wrong, state, 0.1)
    with pytest.raises(ConfigurationError, match="adam: m is a writable"):
        adam.step(runner, gradient, adam.start(runner.program, runner.parameters[:9]), 0.1)
    with pytest.raises(ConfigurationError, match=r"the state is another optimiser's: it has none, and Adam .* m, v"):
        adam.step(runner, gradient, optim.SGD().start(runner.program, runner.parameters), 0.1)
    for rate in ("fast", None, float("nan")):
        with pytest.raises(ConfigurationError, match="a learning rate is a finite number"):
            adam.step(runner, gradient, state, rate)  # type: ignore[arg-type]
    np.testing.assert_array_equal(runner.parameters, before)


@pytest.mark.parametrize("threads", [0, -1, 65, 10**6, 2.5, "2", True, [2], float("nan")])
def test_numbers_of_threads_that_are_refused(runner: Engine, threads: Any) -> None:
    with pytest.raises(ConfigurationError, match="threads is a whole number from 1 to 64, not"):
        engine.start(runner.program, runner.parameters, runner.name, threads)


@pytest.mark.parametrize(
    "change", [lambda flat: flat[:9], list, lambda flat: flat.astype(int), lambda flat: np.repeat(flat, 2)[::2]]
)
def test_arrays_that_are_not_the_programs(runner: Engine, change: Callable[[Any], Any]) -> None:
    with pytest.raises(ConfigurationError, match="the parameters of this Program are a contiguous float32 or float64"):
        engine.start(runner.program, change(runner.parameters), runner.name)
    norm = nn.Model([nn.BatchNorm(), nn.Flatten(), nn.Dense(2)], (3, 3, 1))
    for buffers in (None, change(norm.flat_buffers)):
        with pytest.raises(ConfigurationError, match="the buffers, the running statistics, of this Program are"):
            engine.start(norm.program, norm.flat, runner.name, buffers=buffers)


@pytest.mark.parametrize("name", ["", "nmba", 3, True, b"numpy", ["numpy"]])
def test_names_of_engines_that_are_refused(runner: Engine, name: Any) -> None:
    with pytest.raises(ConfigurationError, match="unknown engine"):
        engine.start(runner.program, runner.parameters, name)


@pytest.mark.parametrize("name", ["numpy", "numba"])
@pytest.mark.parametrize("norm", [False, True])
def test_few_plans_are_kept(name: str, norm: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """And those that are made again give the same bits."""
    if name == "numba":
        pytest.importorskip("numba")
    middle = [nn.BatchNorm()] if norm else []
    model = nn.Model([nn.Conv2D(3), *middle, nn.ReLU(), nn.Flatten(), nn.Dense(4)], (10, 10, 1), seed=2)
    gradient = np.zeros((2, model.flat.size), np.float32)
    runner = model.use(name, 1).engine
    assert isinstance(runner, engines.Plan)
    for turn in gradient:
        monkeypatch.setattr(engines, "KEPT_PLANS", 1 << 40)
        for images in range(1, 7):
            runner.gradient(X[:images], LABELS[:images], turn)
        held = [plan.nbytes for plan in runner._plans.values()]
        assert len(held) == 6
        assert min(held) > X[0].nbytes
        monkeypatch.setattr(engines, "KEPT_PLANS", sum(held[-3:]))
        for images in (4, 1, 2):
            runner.gradient(X[:images], LABELS[:images], turn)
            assert sum(plan.nbytes for plan in runner._plans.values()) <= engines.KEPT_PLANS
        assert [*runner._plans][-3:] == [4, 1, 2]  # in the order of their last use
    np.testing.assert_array_equal(*gradient)


def test_the_interpreter_predicts_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    model = nn.Model([nn.Conv2D(3), nn.ReLU(), nn.Flatten(), nn.Dense(4)], (10, 10, 1), seed=2).use("interpreter")
    wanted, forward, blocks = model.logits(X), engines.interpreter.forward, []

    def counted(program: Any, parameters: Any, x: Any, context: Any) -> Any:
        blocks.append(len(x))
        return forward(program, parameters, x, context)

    monkeypatch.setattr(engines.interpreter, "forward", counted)
    # an image: 100 pixels, patches of 9 values, 3 channels twice, flattened, 4 logits, each of 4 bytes
    monkeypatch.setattr(engines, "BLOCK_BYTES", 4 * 4 * (100 + 900 + 3 * 300 + 4))
    np.testing.assert_array_equal(model.logits(X), wanted)
    assert blocks == [4, 2]
    assert model.logits(X[:0]).shape == (0, 4)
