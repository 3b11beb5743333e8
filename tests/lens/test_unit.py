"""One unit's arithmetic and receptive field: every layer against the network's own value, and what changes it."""

from __future__ import annotations

from importlib import import_module

import numpy as np
import pytest

from convlens import lens
from convlens.errors import ConfigurationError, ShapeError
from convlens.lens.unit import Field, seen_by
from convlens.nn import AveragePool2D, Conv2D, Dense, Flatten, LocallyConnected2D, Model, ReLU, Residual, Tanh
from convlens.ops.window import Window
from convlens.program import Node, Program
from tests.layer_cases import CASES, LayerCase
from tests.lens.networks import pixels, pooled, small


def places(node: Node, draw: np.random.Generator) -> list[tuple[int, ...]]:
    """Return the first and the last unit of a node, and some between."""
    shape = node.output_shape
    some = [tuple(int(draw.integers(size)) for size in shape) for _ in range(3)]
    return [(0,) * len(shape), tuple(size - 1 for size in shape), *some]


@pytest.mark.parametrize("row", CASES, ids=lambda row: row.name)
def test_the_sum_is_the_networks_value_and_nothing_else_is_seen(row: LayerCase) -> None:
    """For every layer there is: exact in float64, and no pixel outside the field has a derivative."""
    model, draw = row.build(np.float64), np.random.default_rng(2)
    image = row.batch(1, np.float64)[0]
    values = lens.activations(model, image)
    for node in model.program.nodes:
        for place in places(node, draw):
            found = lens.unit(model, image, node.name, place)
            assert found.patch.shape == found.kernel.shape == found.products.shape
            assert found.total == pytest.approx(found.value, rel=1e-12, abs=1e-12)
            assert found.value == values[found.node][0][place]
            assert node.name in (found.node, found.activation) or found.activation is not None
            if found.activation is not None:
                assert found.activated == values[found.activation][0][place]
            slopes = lens.input_gradient(model, image, place, node.name)[0].any(axis=2)
            top, left, bottom, right = found.sees
            slopes[top:bottom, left:right] = False
            assert not slopes.any()


def test_a_convolution_by_hand() -> None:
    model, image = small(Conv2D(3, 3, strides=2), ReLU(), Flatten(), Dense(3), shape=(8, 8, 2)), pixels(1, (8, 8, 2))
    x = np.pad(image[0] / np.float32(255), ((0, 1), (0, 1), (0, 0)))  # "same", stride 2: the odd pixel goes after
    found = lens.unit(model, image, "relu1", (3, 1, 2))
    np.testing.assert_allclose(found.patch, x[6:9, 2:5], rtol=1e-6)
    np.testing.assert_array_equal(found.kernel, model.parameters["conv1.w"][..., 2])
    total = found.bias + sum(
        float(x[6 + i, 2 + j, c]) * float(model.parameters["conv1.w"][i, j, c, 2])
        for i in range(3)
        for j in range(3)
        for c in range(2)
    )
    assert found.total == pytest.approx(total, rel=1e-6)
    assert found.value == pytest.approx(total, rel=1e-5, abs=1e-6)
    assert found.activated == max(0.0, found.value)
    assert (found.node, found.activation, found.reads, found.op) == ("conv1", "relu1", ("input",), "conv2d")
    assert found.sees == (6, 2, 8, 5)
    assert lens.unit(model, image, "conv1", (3, 1, 2)).to_dict() == found.to_dict()


def test_an_activation_that_follows_no_sum() -> None:
    for layers in ((Tanh(), Flatten(), Dense(3)), (Conv2D(2), ReLU(), Tanh(), Flatten(), Dense(3))):
        model, image = small(*layers), pixels(1)
        found = lens.unit(model, image, "tanh1", (4, 5, 0))
        assert found.node == "tanh1"
        assert found.activation is None
        assert found.total == pytest.approx(found.value, rel=1e-6)


@pytest.mark.parametrize(
    "layers",
    [
        (Conv2D(3, 3), AveragePool2D(), Conv2D(2, 5, strides=2)),
        (Conv2D(2, (2, 4), strides=(1, 2), padding="valid"), Conv2D(2, 3, padding="full")),
        (LocallyConnected2D(2, 3), AveragePool2D(3, 2)),
        (Conv2D(2, 1), Residual((Conv2D(2, 3), Tanh(), Conv2D(2, 3))), AveragePool2D()),
    ],
    ids=["pooled", "rectangular", "local", "residual"],
)
def test_the_field_is_as_small_as_what_changes_the_unit(layers: tuple) -> None:  # type: ignore[type-arg]
    """Every pixel is changed in turn; those that matter fill a rectangle, as all weights are positive."""
    model = pooled(*layers, shape=(11, 9, 1), dtype=np.float64)
    model.flat[...] = np.abs(model.flat) + 0.01
    images = np.random.default_rng(0).random((1, 11, 9, 1)) / 10
    changed = np.repeat(images, 99, axis=0)
    changed.reshape(99, 99)[np.arange(99), np.arange(99)] += 0.5
    node = model.program.nodes[-3 if model.program.nodes[-2].op == "reshape" else -2]
    node = next(
        one for one in reversed(model.program.nodes) if len(one.output_shape) == 3 and max(one.output_shape[:2]) > 1
    )
    still, moved = (lens.activations(model, one, [node.name])[node.name] for one in (images, changed))
    draw = np.random.default_rng(1)
    for place in places(node, draw):
        matters = np.abs(moved[(slice(None), *place)] - still[(0, *place)]).reshape(11, 9) > 1e-12
        rows, columns = np.flatnonzero(matters.any(axis=1)), np.flatnonzero(matters.any(axis=0))
        wanted = (rows[0], columns[0], rows[-1] + 1, columns[-1] + 1)
        assert lens.unit(model, images, node.name, place).sees == wanted


def test_fields_at_the_edge_and_of_everything() -> None:
    model = small()
    assert seen_by(model.program, "conv1", (0, 11, 0)) == Field(0, 10, 2, 12)
    assert seen_by(model.program, "dense1", (2,)) == Field(0, 0, 12, 12)
    assert Field(1, 2, 3, 4).through(Window((3, 2), (2, 1), (1, 0), (0, 1)), 9, 9) == Field(1, 2, 6, 5)
    reflecting = Window((3, 3), (1, 1), (2, 2), (2, 2), "reflect")
    assert Field(0, 10, 1, 11).through(reflecting, 9, 9) == Field(0, 6, 3, 9)  # rows -2 to 0 are rows 2 to 0
    assert Field(1, 2, 3, 4).joined(Field(0, 3, 2, 9)) == Field(0, 2, 3, 9)


def test_where_branches_meet_both_are_seen_whichever_comes_first() -> None:
    shape = (9, 9, 1)
    windows = {"one": Window((1, 1)), "three": Window((3, 3), (1, 1), (1, 1), (1, 1))}
    for names in (("one", "three"), ("three", "one")):
        branches = [Node(name, "max_pool2d", ("input",), (shape,), shape, windows[name]) for name in names]
        total = Node("sum", "add", names, (shape, shape), shape)
        assert seen_by(Program(shape, (*branches, total), 0), "sum", (4, 5, 0)) == Field(3, 4, 6, 7)


def test_wrong_units() -> None:
    model, image = small(), pixels(1)
    for node, place in (("conv1", (0, 0)), ("conv1", (0, 12, 0)), ("conv1", 3), ("dense1", (6,)), ("dense1", True)):
        with pytest.raises(ConfigurationError, match="within that, not"):
            lens.unit(model, image, node, place)
    with pytest.raises(ConfigurationError, match="did you mean 'conv2'"):
        lens.unit(model, image, "conv_2", (0, 0, 0))
    with pytest.raises(ShapeError, match="not for 2"):
        lens.unit(model, pixels(2), "conv1", (0, 0, 0))


def test_most_active_against_loops(monkeypatch: pytest.MonkeyPatch) -> None:
    model, images = small(), pixels(15)
    for block in (2**24, 1, 12 * 12 * 4 * 4):  # all images together, one by one, four together
        monkeypatch.setattr(import_module("convlens.lens.most_active"), "_BLOCK_NUMBERS", block)
        for node in ("relu1", "conv2", "dense1"):
            values = lens.activations(model, images, [node])[node]
            found = lens.most_active(model, images, node, 4)
            assert found.index.shape == (values.shape[-1], 4)
            for unit in range(values.shape[-1]):
                best = [float(one[..., unit].max()) for one in values]
                order = sorted(range(15), key=lambda n: (-best[n], n))[:4]
                assert found.index[unit].tolist() == order
                np.testing.assert_allclose(found.values[unit], [best[n] for n in order], rtol=1e-6)
                for rank, n in enumerate(order):
                    cells = values[n][..., unit]
                    where = np.unravel_index(cells.argmax(), cells.shape) if cells.ndim else (0, 0)
                    assert found.places[unit, rank].tolist() == list(where)
                    place = (*map(int, where), unit) if cells.ndim else unit
                    assert tuple(found.sees[unit, rank]) == lens.unit(model, images[n], node, place).sees


def test_wrong_requests_for_the_most_active() -> None:
    model: Model = small()
    assert lens.most_active(model, pixels(2), "conv1", 9).index.shape == (4, 2)
    with pytest.raises(ShapeError, match="at least one"):
        lens.most_active(model, pixels(0), "conv1")
    for count in (0, 1.5, True):
        with pytest.raises(ConfigurationError, match="above 0"):
            lens.most_active(model, pixels(2), "conv1", count)  # type: ignore[arg-type]
