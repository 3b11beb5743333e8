"""Whatever is dropped on the page that is no model is refused with one sentence that says what it is."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import save

from convlens import nn
from tests.lab.engine.conftest import Engine


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("model") / "model.safetensors"
    layers = [
        nn.Conv2D(2, padding_mode="reflect"),
        nn.BatchNorm(),
        nn.ReLU(),
        nn.MaxPool2D(),
        nn.Flatten(),
        nn.Dense(3),
    ]
    nn.Model(layers, (4, 4, 1), seed=0).save(path)
    return path.read_bytes()


def test_a_whole_file_is_read(engine: Engine, file: bytes) -> None:
    assert engine.call("refusals", [file]) == [""]


@given(st.lists(st.tuples(st.integers(0, 10_000), st.integers(1, 255)), min_size=40, max_size=40))
@settings(max_examples=25)
def test_any_damaged_byte_is_noticed(engine: Engine, file: bytes, damages: list[tuple[int, int]]) -> None:
    files = []
    for place, change in damages:
        damaged = bytearray(file)
        damaged[place % len(file)] ^= change
        files.append(bytes(damaged))
    for sentence, (place, change) in zip(engine.call("refusals", files), damages, strict=True):
        assert is_sentence(sentence), (place % len(file), change)


def test_a_damaged_name_of_the_checksum_is_noticed(engine: Engine, file: bytes) -> None:
    """Without it, the file would look like an early one, which has no checksum."""
    name = b"file_sha256"
    at = file.index(name)
    files = []
    for place in range(len(name)):
        for byte in b"\\x_":
            damaged = bytearray(file)
            damaged[at + place] = byte
            files.append(bytes(damaged))
    for damaged, sentence in zip(files, engine.call("refusals", files), strict=True):
        assert is_sentence(sentence) or damaged == file


@given(st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 10_000), st.binary(max_size=9)), min_size=20))
@settings(max_examples=15)
def test_files_cut_and_patched_are_refused(engine: Engine, file: bytes, cuts: list[tuple[int, int, bytes]]) -> None:
    files = []
    for one, other, patch in cuts:
        start, stop = sorted((one % len(file), other % len(file)))
        files.append(file[:start] + patch + file[stop:])
    for damaged, sentence in zip(files, engine.call("refusals", files), strict=True):
        assert is_sentence(sentence) or damaged == file


def is_sentence(text: str) -> bool:
    return text.startswith("model.safetensors ") and "\n" not in text and len(text) < 500


def test_files_of_others(engine: Engine, tmp_path: Path) -> None:
    foreign = save({"w": np.zeros((2, 2), np.float32)})
    picture = b"\x89PNG\r\n\x1a\n" + bytes(5000)
    empty, huge = b"", struct.pack("<Q", 2**60) + bytes(100)
    found = engine.call("refusals", [foreign, picture, empty, huge])
    assert found[0] == "model.safetensors is a safetensors file of another program: it has no convlens header"
    assert all(one.startswith("model.safetensors is not a model that convlens has saved") for one in found[1:])


def edited(file: bytes, edit: Callable[[dict[str, Any]], object]) -> bytes:
    """Return a file whose header is another, with right tables, and without checksums."""
    (length,) = struct.unpack("<Q", file[:8])
    table = json.loads(file[8 : 8 + length])
    header = json.loads(table["__metadata__"]["convlens"])
    for key in ("arrays_sha256", "file_sha256"):
        header.pop(key)
    edit(header)
    table["__metadata__"]["convlens"] = json.dumps(header)
    text = json.dumps(table).encode()
    return struct.pack("<Q", len(text)) + text + file[8 + length :]


def node(header: dict[str, Any], op: str) -> dict[str, Any]:
    return next(one for one in header["program"]["nodes"] if one["op"] == op)


EDITS: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "later version": (
        lambda h: h.update(format_version=2),
        "has format version 2, and this page reads up to 1; use a newer convlens",
    ),
    "checkpoint": (lambda h: h.update(kind="checkpoint"), "is a checkpoint, and a model is needed"),
    "early": (lambda h: h.pop("program"), "was saved by an early convlens, without its Program"),
    "unknown op": (lambda h: node(h, "relu").update(op="gelu"), "the unknown op \"gelu\"; did you mean 'relu'?"),
    "inherited name": (lambda h: node(h, "relu").update(op="toString"), 'the unknown op "toString"'),
    "unknown key": (lambda h: node(h, "relu").update(input=[]), "has the unknown key 'input'; did you mean 'inputs'?"),
    "key is gone": (lambda h: node(h, "relu").pop("inputs"), "lacks the key 'inputs'"),
    "reads what is not there": (lambda h: node(h, "relu").update(inputs=["late"]), 'reads "late" of shape'),
    "two of one name": (lambda h: node(h, "relu").update(name="conv1"), "a name of its own is needed"),
    "wrong output": (lambda h: node(h, "relu").update(output_shape=[4, 4, 3]), "which its inputs do not give"),
    "wrong kernel": (lambda h: node(h, "conv2d")["sight"].update(kernel=[3, 2]), "which its inputs do not give"),
    "huge padding": (lambda h: node(h, "conv2d")["sight"].update(rows=[10**12, 0], mode="zeros"), "do not give"),
    "huge stride and padding": (
        lambda h: node(h, "max_pool2d")["sight"].update(rows=[10**9, 0], stride=[10**9 + 1, 2]),
        "its values up to pool1 do not fit into a page's memory",
    ),
    "no window": (lambda h: node(h, "conv2d").update(sight="all"), "and a window is needed"),
    "too much reflection": (lambda h: node(h, "conv2d")["sight"].update(rows=[9, 9]), "does not fit into 4 x 4"),
    "epsilon is a word": (lambda h: node(h, "batch_norm")["attributes"].update(epsilon="1"), "a finite number"),
    "no array": (lambda h: node(h, "dense")["parameters"]["w"].update(name="lost"), 'the file has no array "lost"'),
    "an array too many": (lambda h: h["program"]["nodes"].pop(), "belongs to no node"),
    "another preprocessing": (lambda h: h["preprocessing"].update(scale=0), "must be greater than 0"),
    "another size": (lambda h: h["preprocessing"].update(input_shape=[5, 4, 1]), "have different input shapes"),
    "a class too few": (lambda h: h["class_names"].pop(), "there are 2 class names for an output of shape [3]"),
    "no classes": (lambda h: h.update(class_names=None), "class_names is null"),
    "no list of nodes": (lambda h: h["program"].update(nodes={}), "program.nodes is not a list"),
}


def test_headers_that_describe_no_model(engine: Engine, file: bytes) -> None:
    found = engine.call("refusals", [edited(file, edit) for edit, _ in EDITS.values()])
    assert engine.call("refusals", [edited(file, lambda _: None)]) == [""]
    for (name, (_, wanted)), sentence in zip(EDITS.items(), found, strict=True):
        assert is_sentence(sentence), name
        assert wanted in sentence, (name, sentence)


def test_arrays_that_are_no_numbers(engine: Engine, file: bytes) -> None:
    damaged = edited(file, lambda _: None)[:-4] + struct.pack("<f", np.inf)
    (sentence,) = engine.call("refusals", [damaged])
    assert sentence == "model.safetensors is damaged: norm1.variance holds non-finite values"
