"""The equivariance error, against plain loops and networks whose answer is known."""

from __future__ import annotations

import math

import numpy as np
import pytest

from convlens import lens
from convlens.engine import interpreter
from convlens.errors import ConfigurationError
from convlens.lens import NodeError
from convlens.lens.shift import shifted
from convlens.nn import (
    BatchNorm,
    Conv2D,
    Dense,
    Flatten,
    Layer,
    LocallyConnected2D,
    MaxPool2D,
    Model,
    ReLU,
    Reshape,
    Residual,
    Tanh,
)
from tests.lens.networks import pixels, pooled, small

STACKS: dict[str, tuple[Layer, ...]] = {
    "same": (Conv2D(3), ReLU(), Conv2D(2, 5)),
    "valid": (Conv2D(3, padding="valid"), Tanh(), MaxPool2D(), Conv2D(2, padding="valid")),
    "full": (Conv2D(3, padding="full"), ReLU(), Conv2D(2, (2, 3), padding="full")),
    "reflect": (Conv2D(3, padding_mode="reflect"), MaxPool2D()),
    "even kernel, stride 2": (Conv2D(3, 4, 2), ReLU(), Conv2D(3, 2)),
    "branch": (Conv2D(3), Residual((Conv2D(3), ReLU())), BatchNorm()),
}


def sees_only_the_image(model: Model, name: str, i: int, j: int, first: tuple[int, int]) -> bool:
    """Whether output (i, j) of a node reads no padding, of any layer, and no pixel before row and column `first`."""
    if name == "input":
        height, width = model.input_shape[:2]
        return first[0] <= i < height and first[1] <= j < width
    node = next(one for one in model.program.nodes if one.name == name)
    if node.sight == "point":
        return all(sees_only_the_image(model, one, i, j, first) for one in node.inputs)
    window, (height, width) = node.window, node.input_shapes[0][:2]
    for u in range(window.kernel[0]):
        for v in range(window.kernel[1]):
            row, column = i * window.stride[0] + u - window.rows[0], j * window.stride[1] + v - window.columns[0]
            inside = 0 <= row < height and 0 <= column < width
            if not inside or not sees_only_the_image(model, node.inputs[0], row, column, first):
                return False
    return True


@pytest.mark.parametrize("stack", STACKS)
@pytest.mark.parametrize("shift", [(2, 0), (0, 4), (2, 2)])
def test_against_loops(stack: str, shift: tuple[int, int]) -> None:
    model, images = pooled(*STACKS[stack]), pixels(3)
    values = [
        interpreter.forward(model.program, model.flat, x, interpreter.Context(model.flat_buffers)).values
        for x in map(model.preprocessing, (images, shifted(images, *shift)))
    ]
    fields = model.program.receptive_fields()
    for one in lens.equivariance(model, images, shift).nodes[:-3]:  # the pooled ones are tested below
        down, right = (s // by for s, by in zip(shift, fields[one.node].stride, strict=True))
        still, moved = (value[one.node] for value in values)
        sums = {"error": [0.0, 0.0], "kept": [0.0, 0.0], "interior": [0.0, 0.0]}
        for i in range(moved.shape[1]):
            for j in range(moved.shape[2]):
                kept = i >= down and j >= right
                wanted = still[:, i - down, j - right] if kept else 0
                apart, size = (float((a**2).sum()) for a in (moved[:, i, j] - wanted, moved[:, i, j]))
                interior = kept and sees_only_the_image(model, one.node, i, j, shift)
                for place, counts in (("error", True), ("kept", kept), ("interior", interior)):
                    sums[place][0] += apart * counts
                    sums[place][1] += size * counts
        assert (one.kind, one.whole, one.moved) == ("equivariance", True, (down, right))
        for place, (apart, size) in sums.items():
            found = getattr(one, place)
            wanted_error = math.sqrt(apart / size) if size else None
            assert found == (None if wanted_error is None else pytest.approx(wanted_error, rel=1e-3, abs=2e-6)), place
        assert one.interior is None or one.interior < 1e-5
        assert not one.broken


def test_a_kernel_of_one_pixel_is_equivariant_up_to_the_edge() -> None:
    found = {one.node: one for one in lens.equivariance(pooled(Conv2D(3, 1), ReLU()), pixels(4), (1, -2)).nodes}
    assert found["conv1"].kept < 1e-6 < 0.01 < found["conv1"].error


def test_weights_of_their_own_at_every_position_break_it() -> None:
    found = lens.equivariance(pooled(Conv2D(2), LocallyConnected2D(3), ReLU()), pixels(4), (0, 1))
    assert found.first_broken == "local1"
    assert found.nodes[2].interior > 0.5


def test_a_stride_that_does_not_divide_the_shift_breaks_it() -> None:
    model, images = pooled(Conv2D(2), MaxPool2D(), Conv2D(2)), pixels(4)
    found = lens.equivariance(model, images, (1, 2))
    assert found.first_broken == "pool1"
    pool = found.nodes[2]
    assert not pool.whole
    assert pool.broken
    before, after = (lens.activations(model, x, ["pool1"])["pool1"] for x in (images, shifted(images, 1, 2)))
    best = [np.linalg.norm(after - shifted(before, down, 1)) / np.linalg.norm(after) for down in (0, 1)]
    assert pool.error == pytest.approx(min(best), rel=1e-5)
    assert pool.moved == (int(np.argmin(best)), 1)


def test_a_value_without_positions_has_an_invariance_error() -> None:
    model, images = small(), pixels(5)
    found = lens.equivariance(model, images, (2, 0), ["dense1", "flatten1"])
    before, after = (lens.activations(model, x, ["dense1"])["dense1"] for x in (images, shifted(images, 2, 0)))
    flat, dense = found.nodes
    assert (flat.node, flat.kind, dense.node, dense.kind) == ("flatten1", "invariance", "dense1", "invariance")
    assert dense.error == pytest.approx(np.linalg.norm(after - before) / np.linalg.norm(after), rel=1e-5)
    assert dense.kept is None
    assert found.first_broken == "flatten1"
    reshaped = lens.equivariance(small(Flatten(), Reshape((6, 24, 1)), Flatten(), Dense(3)), images, (2, 0))
    assert [one.kind for one in reshaped.nodes] == ["equivariance", *["invariance"] * 4]


def test_without_a_whole_shift_of_the_map_equivariance_is_broken_whatever_the_error() -> None:
    assert NodeError("pool1", "equivariance", 0.0, 0.0, 0.0, whole=False).broken
    assert not NodeError("pool1", "equivariance", 0.5, 0.5, 0.0).broken
    assert NodeError("dense1", "invariance", 0.5).broken


def test_nothing_left_to_compare() -> None:
    found = {
        one.node: one for one in lens.equivariance(small(Conv2D(2, 9), Flatten(), Dense(3)), pixels(2), (8, 0)).nodes
    }
    assert found["conv1"].interior is None
    assert found["conv1"].kept is not None
    blank = lens.equivariance(pooled(Conv2D(2), ReLU()), np.zeros((2, 12, 12, 1), np.uint8), (1, 0))
    assert blank.nodes[0].error == 0


def test_wrong_shifts() -> None:
    for shift in ((0, 0), (12, 0), (1.0, 0), (1,), 3):
        with pytest.raises(ConfigurationError, match="a shift is"):
            lens.equivariance(small(), pixels(1), shift)  # type: ignore[arg-type]
    with pytest.raises(ConfigurationError, match="did you mean"):
        lens.equivariance(small(), pixels(1), (1, 0), ["con1"])
