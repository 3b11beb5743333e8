"""The Program and the one flat array: alignment, counts, weight decay, and immutability."""

from __future__ import annotations

import dataclasses
import json
import math

import numpy as np
import pytest

from convlens import nn
from convlens.plain import canonical
from convlens.program import ALIGNMENT, Program, ReceptiveField, aligned_zeros
from tests.layer_cases import CASES, LayerCase


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_views_are_aligned_and_apart(case: LayerCase, dtype: type) -> None:
    model = case.build(dtype)
    end = 0
    for slot in model.program.slots:
        view = model.parameters[slot.name]
        assert np.shares_memory(view, model.flat)
        assert view.flags.c_contiguous
        assert view.shape == slot.shape
        assert view.size == slot.size == math.prod(slot.shape)
        assert view.ctypes.data % 64 == 0, slot.name
        assert end <= slot.offset < end + ALIGNMENT, "no overlap, and no more padding than alignment needs"
        end = slot.offset + slot.size
    assert end <= model.flat.size < end + ALIGNMENT


def test_padding_is_never_counted_and_stays_zero() -> None:
    model = nn.Model([nn.Conv2D(3), nn.Flatten(), nn.Dense(5)], (3, 3, 1))
    assert model.program.parameter_count == 9 * 3 + 3 + 27 * 5 + 5 == 170
    assert model.program.parameter_size == 32 + 16 + 144 + 16
    padding = np.ones(model.flat.size, bool)
    for slot in model.program.slots:
        padding[slot.offset : slot.offset + slot.size] = False
    assert padding.sum() == model.flat.size - 170
    assert not model.flat[padding].any()
    gradient = np.full_like(model.flat, np.nan)
    x = np.random.default_rng(0).random((7, 3, 3, 1), np.float32)
    for name in ("interpreter", "numpy"):
        model.use(name, 1).engine.gradient(x, np.zeros(7, int), gradient)
        assert not gradient[padding].any(), name


@pytest.mark.parametrize("size", [0, 1, 15, 16, 17, 1000])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_aligned_zeros(size: int, dtype: type) -> None:
    for _ in range(5):
        array = aligned_zeros(size, dtype)
        assert array.shape == (size,)
        assert array.dtype == dtype
        assert array.ctypes.data % 64 == 0 or not size
        assert not array.any()


def test_weight_decay_is_for_kernels_and_dense_weights_only() -> None:
    program = nn.Model([nn.Conv2D(3), nn.Flatten(), nn.Dense(5)], (3, 3, 1)).program
    mask = program.decay_mask()
    assert mask.dtype == np.float32
    for slot in program.slots:
        assert (slot.view(mask) == (1 if slot.name.endswith(".w") else 0)).all(), slot.name
    assert mask.sum() == 27 + 135


def program() -> Program:
    return nn.Model([nn.Conv2D(3), nn.ReLU(), nn.Flatten(), nn.Dense(2)], (5, 4, 1)).program


def test_a_program_is_frozen_and_comparable() -> None:
    assert program() == program()
    with pytest.raises(dataclasses.FrozenInstanceError):
        program().nodes[0].name = "other"
    with pytest.raises(TypeError):
        program().nodes[0].parameters["w"] = None


def test_nodes_know_their_layers_inputs_and_shapes() -> None:
    one = program()
    assert [node.name for node in one.nodes] == ["conv1", "relu1", "flatten1", "dense1"]
    assert [node.inputs for node in one.nodes] == [("input",), ("conv1",), ("relu1",), ("flatten1",)]
    assert [node.layer for node in one.nodes] == [0, 1, 2, 3]
    assert one.nodes[2].input_shapes == ((5, 4, 3),)
    assert [node.parameter_count for node in one.nodes] == [30, 0, 0, 122]
    assert one.output == "dense1"
    assert one.output_shape == (2,)
    assert one.consumers("relu1") == (one.nodes[2],)


def test_the_receptive_field_of_one_pixel() -> None:
    assert program().receptive_fields()["input"] == ReceptiveField(1, 1, (1, 1), everything=False)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_program_is_plain_data_and_comes_back_equal(case: LayerCase) -> None:
    one = case.build().program
    again = Program.from_dict(json.loads(canonical(one.to_dict())))
    assert again == one
    assert [*again.slots] == [*one.slots], "the order of the flat array"
    assert [*again.buffer_slots] == [*one.buffer_slots]
