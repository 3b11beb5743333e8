"""docs/format.md is enough to write a reader: `format_reader` is one, and runs every saved layer case."""

from __future__ import annotations

import ast
import json
import re
import struct
from pathlib import Path

import numpy as np
import pytest

from convlens import artifact, nn
from convlens.engine import interpreter
from convlens.engine.interpreter import OPS
from convlens.ops import Window
from convlens.preprocessing import Preprocessing
from convlens.program import Node, Program, Slot
from tests.layer_cases import CASES, LayerCase
from tests.nn import format_reader
from tests.nn.format_reader import Reader

CLOSE = 1e-5
PAGE = (Path(__file__).parents[2] / "docs" / "format.md").read_text(encoding="utf-8")


def test_the_reader_is_short_and_independent() -> None:
    source = Path(format_reader.__file__).read_text(encoding="utf-8")
    assert len(source.splitlines()) < 150
    imported = {
        alias.name if isinstance(node, ast.Import) else node.module
        for node in ast.walk(ast.parse(source))
        if isinstance(node, (ast.Import, ast.ImportFrom))
        for alias in node.names
    }
    standard = {"__future__", "collections.abc", "hashlib", "json", "math", "pathlib", "struct", "typing"}
    assert imported == {*standard, "numpy"}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_it_computes_every_value_of_every_layer_case(case: LayerCase, tmp_path: Path) -> None:
    model, (x, _) = case.build(), case.batch(4)
    model.save(tmp_path / "model.safetensors")
    context = interpreter.Context(model.flat_buffers)
    wanted = interpreter.forward(model.program, model.flat, x, context).values
    got = Reader(tmp_path / "model.safetensors").run(x)
    assert set(got) == set(wanted)
    for name, value in wanted.items():
        assert np.abs(got[name] - value).max() <= CLOSE * np.abs(value).max(), name


def test_from_pixels_to_class_names(tmp_path: Path) -> None:
    preprocessing = Preprocessing((6, 5, 3), scale=1 / 200, mean=0.4, deviation=0.3)
    model = nn.Model(
        [nn.Conv2D(4, 3, 2), nn.ReLU(), nn.Flatten(), nn.Dense(3)],
        (6, 5, 3),
        preprocessing=preprocessing,
        class_names=["apple", "Birne", "prune à chair"],
    )
    model.save(tmp_path / "m.safetensors")
    images = np.random.default_rng(0).integers(0, 256, (9, 6, 5, 3), dtype=np.uint8)
    reader, wanted = Reader(tmp_path / "m.safetensors"), model.logits(images)
    assert np.abs(reader.logits(images) - wanted).max() <= CLOSE * np.abs(wanted).max()
    assert reader.predict(images) == [model.class_names[k] for k in model.predict(images)]


def test_the_page_names_every_op_and_every_key(tmp_path: Path) -> None:
    model = nn.Model([nn.BatchNorm(), nn.Dropout(), nn.Flatten(), nn.Dense(3)], (6, 5, 3))
    model.save(tmp_path / "m.safetensors")
    header = artifact.read(tmp_path / "m.safetensors", "model").header
    keys = {*header, *header["preprocessing"]}
    for cls in (Program, Node, Slot, Window):
        keys |= set(cls.__dataclass_fields__)
    attributes = {key for case in CASES for node in case.build().program.nodes for key in node.attributes}
    for word in (*keys, *OPS, *attributes, *interpreter.OPS):
        assert f"`{word}`" in PAGE, word


def test_the_example_of_the_page_is_a_model(tmp_path: Path) -> None:
    """The page's header is what is saved, but for the version of convlens."""
    (text,) = re.findall(r"```json\n(.*?)```", PAGE, re.S)
    shown = json.loads(text)
    model = nn.Model(
        [nn.Conv2D(2), nn.ReLU(), nn.GlobalAveragePool2D()], (4, 4, 1), class_names=["circle", "cross"], seed=0
    )
    model.save(tmp_path / "m.safetensors")
    saved = Reader(tmp_path / "m.safetensors").header
    if shown["convlens_version"] != saved["convlens_version"]:
        for header in (shown, saved):
            header.pop("convlens_version")
            header.pop("file_sha256")
    assert shown == saved


def test_the_arrays_lie_as_the_page_says(tmp_path: Path) -> None:
    model = nn.Model([nn.Flatten(), nn.Dense(3)], (2, 2, 1))
    model.save(tmp_path / "m.safetensors")
    raw = (tmp_path / "m.safetensors").read_bytes()
    (length,) = struct.unpack("<Q", raw[:8])
    table = json.loads(raw[8 : 8 + length])
    start, stop = (8 + length + offset for offset in table["dense1.w"]["data_offsets"])
    assert raw[start:stop] == model.parameters["dense1.w"].astype("<f4").tobytes()
