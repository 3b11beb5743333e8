"""One artifact is the same model in the page: every value, the logits' softmax and input gradients."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import given, note, settings
from hypothesis import strategies as st

from convlens import lens, nn
from convlens.engine import interpreter
from convlens.ops.activation import softmax
from convlens.preprocessing import Preprocessing
from tests.lab.engine.conftest import Engine
from tests.layer_cases import CASES
from tests.nn.test_random_architectures import architectures

CLOSE = 1e-5  # of the largest
NEAR = 1e-5  # of the largest: a ReLU's input so near 0, or a maximum so near the next, may fall on either side


class Example:
    """A model with an image, a node and weights of its values, and what the interpreter makes of them."""

    def __init__(self, model: nn.Model, x: np.ndarray, draw: np.random.Generator, folder: Path) -> None:
        self.model, self.x = model, x.astype(np.float32)
        nodes = model.program.nodes
        self.node = nodes[int(draw.integers(len(nodes)))]
        self.weights = draw.standard_normal(self.node.output_shape)
        flat, context = (
            model.flat.astype(np.float64),
            interpreter.Context(model.flat_buffers.astype(np.float64)),
        )
        tape = interpreter.forward(model.program, flat, self.x[None].astype(np.float64), context)
        self.values = {name: value[0] for name, value in tape.values.items()}
        self.gradient = interpreter.backward(
            model.program, tape, self.weights[None], np.empty_like(flat), start=self.node.name
        )[0]
        path = folder / "model.safetensors"
        model.save(path)
        self.file = path.read_bytes()

    def given(self) -> dict[str, Any]:
        return {"file": self.file, "x": self.x, "node": self.node.name, "weights": self.weights.ravel()}

    @property
    def is_smooth(self) -> bool:
        """Whether rounding cannot change a decision of a ReLU or of a maximum."""
        for node in self.model.program.nodes:
            x = self.values[node.inputs[0]]
            near = NEAR * np.abs(x).max()
            if node.op == "relu" and ((np.abs(x) < near) & (x != 0)).any():
                return False
            if node.op == "max_pool2d":
                patches = node.window.patches(x[None])[0].reshape(*node.output_shape[:2], -1, x.shape[2])
                if patches.shape[2] > 1:
                    second, first = np.sort(patches, axis=2)[:, :, -2:].transpose(2, 0, 1, 3)
                    if ((first - second < near) & (first != second)).any():
                        return False
        return True

    def check(self, found: dict[str, Any], case: str = "") -> None:
        assert set(found["values"]) == set(self.values)
        for name, wanted in self.values.items():
            assert tuple(found["shapes"][name]) == wanted.shape
            assert_close(found["values"][name].reshape(wanted.shape), wanted, f"{case}: {name}")
        assert_close(found["probabilities"], softmax(self.values[self.model.program.output]), "softmax")
        if self.is_smooth:
            assert_close(
                found["gradient"].reshape(self.x.shape), self.gradient, f"{case}: gradient of {self.node.name}"
            )


def assert_close(got: np.ndarray, wanted: np.ndarray, what: str) -> None:
    assert np.abs(got - wanted).max() <= CLOSE * max(np.abs(wanted).max(), 1e-6), what


def test_every_layer_case_in_the_page(engine: Engine, tmp_path: Path) -> None:
    draw = np.random.default_rng(0)
    examples = [Example(case.build(), case.batch(1)[0][0], draw, tmp_path) for case in CASES]
    assert sum(one.is_smooth for one in examples) > 0.9 * len(examples)
    found = engine.call("everything", [one.given() for one in examples])
    for case, one, answer in zip(CASES, examples, found, strict=True):
        one.check(answer, case.name)


@given(st.lists(st.tuples(architectures(), st.integers(0, 99)), min_size=1, max_size=8))
@settings(max_examples=60)
def test_architectures_that_nobody_thought_of(
    engine: Engine,
    tmp_path_factory: Any,
    drawn: list[tuple[tuple[tuple[nn.Layer, ...], tuple[int, int, int]], int]],
) -> None:
    examples = []
    for (layers, shape), seed in drawn:
        draw = np.random.default_rng(seed)
        model = nn.Model(layers, shape, seed)
        model.flat += (0.1 * draw.standard_normal(model.flat.shape)).astype(np.float32)  # biases of 0 hide mistakes
        for view in model.buffers.values():
            view[...] += 0.3 * draw.random(view.shape).astype(np.float32)
        examples.append(Example(model, draw.standard_normal(shape), draw, tmp_path_factory.getbasetemp()))
        note(str(layers))
    for one, answer in zip(examples, engine.call("everything", [one.given() for one in examples]), strict=True):
        one.check(answer)


def test_of_equal_pixels_the_first_takes_the_gradient(engine: Engine, tmp_path: Path) -> None:
    draw = np.random.default_rng(0)
    x = draw.integers(0, 2, (7, 8, 2))  # half of all windows have several maxima
    example = Example(nn.Model([nn.MaxPool2D(3, 1), nn.Flatten(), nn.Dense(3)], x.shape), x, draw, tmp_path)
    example.check(engine.call("everything", [example.given()])[0])


def test_pixels_are_prepared_to_the_last_bit(engine: Engine, tmp_path: Path) -> None:
    preprocessing = Preprocessing((6, 5, 3), scale=1 / 200, mean=0.4, deviation=0.3)
    model = nn.Model([nn.Flatten(), nn.Dense(3)], (6, 5, 3), preprocessing=preprocessing)
    model.save(tmp_path / "m.safetensors")
    pixels = np.random.default_rng(0).integers(0, 256, (6, 5, 3), dtype=np.uint8)
    answer = engine.call("run", (tmp_path / "m.safetensors").read_bytes(), "forward", pixels)
    assert np.array_equal(answer["found"]["input"]["data"].reshape(6, 5, 3), preprocessing(pixels)[0])
    refused = engine.call("run", (tmp_path / "m.safetensors").read_bytes(), "forward", pixels[:5])["refused"]
    assert refused == "the image has 75 values, and the model takes 6 x 5 x 3; resize it"


def test_the_names_of_classes_are_the_models(engine: Engine, tmp_path: Path) -> None:
    names = ["apple", "Birne", "prune à chair"]
    nn.Model([nn.Flatten(), nn.Dense(3)], (2, 2, 1), class_names=names).save(tmp_path / "m.safetensors")
    assert engine.call("run", (tmp_path / "m.safetensors").read_bytes(), "classNames")["found"] == names


def test_several_images_do_not_share_memory(engine: Engine, tmp_path: Path) -> None:
    model = nn.Model([nn.Conv2D(2), nn.ReLU(), nn.Flatten(), nn.Dense(3)], (4, 5, 1), seed=1)
    model.save(tmp_path / "m.safetensors")
    images = np.random.default_rng(0).integers(0, 256, (3, 4, 5, 1), dtype=np.uint8)
    found = engine.call("run", (tmp_path / "m.safetensors").read_bytes(), "forwardAll", list(images), ["relu1"])[
        "found"
    ]
    for one, wanted in zip(found, lens.activations(model, images, ["relu1"])["relu1"], strict=True):
        assert set(one) == {"relu1"}
        assert_close(one["relu1"]["data"].reshape(wanted.shape), wanted, "relu1")
