"""Optimisers: state, weight decay, threads, invalid settings. Their arithmetic is checked in tests/golden."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from convlens import nn, optim
from convlens.errors import ConfigurationError
from convlens.typing import Array

KINDS = [
    optim.SGD(),
    optim.SGD(momentum=0.9),
    optim.SGD(momentum=0.9, nesterov=True, weight_decay=0.01),
    optim.Adam(),
    optim.Adam(weight_decay=0.1),
    optim.AdamW(),
]


def model(dtype: type = np.float32) -> nn.Model:
    """Return a model of more than one chunk of parameters, biases not zero."""
    made = nn.Model([nn.Flatten(), nn.Dense(50), nn.Dense(300), nn.Dense(10)], (10, 10, 1), dtype=dtype)
    for slot in made.program.slots:
        if slot.name.endswith(".b"):
            slot.view(made.flat)[...] = 0.5
    return made


def after(
    optimizer: optim.Optimizer, steps: int, threads: int = 1, dtype: type = np.float32, engine: str = "numpy"
) -> nn.Model:
    one, draw = model(dtype), np.random.default_rng(0)
    runner, state = one.use(engine, threads).engine, optimizer.start(one.program, one.flat)
    for _ in range(steps):
        optimizer.step(runner, draw.standard_normal(one.flat.size).astype(dtype), state, 0.01)
    assert state.step == steps
    runner.close()
    return one


@pytest.mark.parametrize("engine", ["numpy", "numba"])
@pytest.mark.parametrize("optimizer", KINDS, ids=str)
def test_the_bits_do_not_depend_on_the_threads(optimizer: optim.Optimizer, engine: str) -> None:
    alone, together = (after(optimizer, 3, threads, engine=engine).flat for threads in (1, 3))
    np.testing.assert_array_equal(alone, together)


@pytest.mark.parametrize("optimizer", KINDS, ids=str)
def test_the_compiled_update_is_numpys(optimizer: optim.Optimizer) -> None:
    ours, numpys = (after(optimizer, 3, 3, engine=engine).flat for engine in ("numba", "numpy"))
    np.testing.assert_allclose(ours, numpys, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("optimizer", KINDS, ids=str)
def test_float32_and_float64_agree(optimizer: optim.Optimizer) -> None:
    single, double = after(optimizer, 3).flat, after(optimizer, 3, dtype=np.float64).flat
    assert double.dtype == np.float64
    assert single.dtype == np.float32
    # the gradients of the one are those of the other, rounded
    np.testing.assert_allclose(single, double, rtol=0, atol=1e-5 * np.abs(double).max())


@pytest.mark.parametrize("optimizer", KINDS, ids=str)
def test_state(optimizer: optim.Optimizer) -> None:
    one = model()
    state = optimizer.start(one.program, one.flat)
    assert tuple(state.arrays) == optimizer.remembers
    assert state.step == 0
    assert (state.decay is None) == (optimizer.weight_decay == 0)
    for array in state.arrays.values():
        assert array.shape == one.flat.shape
        assert array.dtype == one.flat.dtype
        assert not array.any()
        assert array.ctypes.data % 64 == 0


def test_what_each_remembers() -> None:
    assert [kind.remembers for kind in KINDS] == [(), ("velocity",), ("velocity",), ("m", "v"), ("m", "v"), ("m", "v")]


def test_state_carries_on() -> None:
    """Two optimisers that stop and go on from the same state take the same steps."""
    optimizer, one, two = optim.Adam(), model(), model()
    gradients = np.random.default_rng(0).standard_normal((4, one.flat.size)).astype(np.float32)
    whole, part = optimizer.start(one.program, one.flat), optimizer.start(two.program, two.flat)
    for gradient in gradients:
        optimizer.step(one.engine, gradient.copy(), whole, 0.01)
    for gradient in gradients[:2]:
        optimizer.step(two.engine, gradient.copy(), part, 0.01)
    resumed = optim.OptimizerState({name: a.copy() for name, a in part.arrays.items()}, part.decay, part.step)
    for gradient in gradients[2:]:
        optimizer.step(two.engine, gradient.copy(), resumed, 0.01)
    np.testing.assert_array_equal(one.flat, two.flat)


def shrinking(optimizer: optim.Optimizer) -> dict[str, Array]:
    """Return by how much one step with a gradient of zero changes each parameter, relative to its value."""
    one = model()
    before = one.flat.copy()
    optimizer.step(one.engine, np.zeros_like(one.flat), optimizer.start(one.program, one.flat), 0.1)
    return {slot.name: slot.view(one.flat) / slot.view(before) - 1 for slot in one.program.slots}


@pytest.mark.parametrize(
    ("optimizer", "change"), [(optim.SGD(weight_decay=0.2), -0.02), (optim.AdamW(weight_decay=0.2), -0.02)]
)
def test_weight_decay_shrinks_weights_and_leaves_biases_alone(optimizer: optim.Optimizer, change: float) -> None:
    for name, changes in shrinking(optimizer).items():
        np.testing.assert_allclose(changes, change if name.endswith(".w") else 0, atol=1e-6, err_msg=name)


def test_adams_weight_decay_leaves_biases_alone() -> None:
    changes = shrinking(optim.Adam(weight_decay=0.2))
    assert all(changes[name].any() == name.endswith(".w") for name in changes)


@pytest.mark.parametrize("optimizer", [kind for kind in KINDS if not kind.weight_decay], ids=str)
def test_without_weight_decay_nothing_shrinks(optimizer: optim.Optimizer) -> None:
    assert not any(change.any() for change in shrinking(optimizer).values())


@pytest.mark.parametrize("optimizer", KINDS, ids=str)
def test_steps_lead_downhill(optimizer: optim.Optimizer) -> None:
    one, draw = model(), np.random.default_rng(0)
    x, labels = draw.random((20, 10, 10, 1), np.float32), draw.integers(0, 10, 20)
    gradient, state = np.zeros_like(one.flat), optimizer.start(one.program, one.flat)
    losses = []
    for _ in range(30):
        losses.append(one.engine.gradient(x, labels, gradient).loss)
        optimizer.step(one.engine, gradient, state, 0.003)
    assert losses[-1] < 0.8 * losses[0]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: optim.SGD(weight_decay=-0.1), "weight_decay is a number from 0 to below 1, not -0.1"),
        (lambda: optim.AdamW(weight_decay=1.0), "weight_decay is a number from 0 to below 1, not 1.0"),
        (lambda: optim.SGD(momentum=1.0), "momentum is a number from 0 to below 1, not 1.0"),
        (lambda: optim.SGD(momentum=float("nan")), "momentum is a number from 0 to below 1, not nan"),
        (lambda: optim.SGD(nesterov=True), "nesterov needs a momentum above 0"),
        (lambda: optim.Adam(beta1=1.0), "beta1 is a number from 0 to below 1, not 1.0"),
        (lambda: optim.Adam(beta2=-0.1), "beta2 is a number from 0 to below 1, not -0.1"),
        (lambda: optim.AdamW(epsilon=0.0), "epsilon is a number above 0, not 0.0"),
        (lambda: optim.SGD(momentum="0.9"), "momentum is a number from 0 to below 1, not '0.9'"),
        (lambda: optim.Adam(epsilon=None), "epsilon is a number above 0, not None"),
    ],
)
def test_settings_that_cannot_be(make: Callable[[], optim.Optimizer], message: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        make()
    assert str(caught.value) == message


def test_optimizers_are_found_by_name() -> None:
    assert {name: kind.__name__ for name, kind in optim.OPTIMIZERS.items()} == {k: k for k in ("SGD", "Adam", "AdamW")}
