"""Model files: round trips, and all that can be wrong with one. Every refusal is an ArtifactError of one line."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.numpy

from convlens import artifact, nn
from convlens.errors import ArtifactError, OutputError
from convlens.preprocessing import Preprocessing
from convlens.program import Program
from convlens.typing import Array


@pytest.fixture(scope="module")
def model() -> nn.Model:
    return nn.Model(
        [nn.Conv2D(2, (3, 2), padding_mode="reflect"), nn.ReLU(), nn.MaxPool2D(), nn.Flatten(), nn.Dense(3)],
        (4, 4, 1),
        seed=7,
        preprocessing=Preprocessing((4, 4, 1), mean=0.25),
        class_names=["cat", "déjà", "three"],
    )


@pytest.fixture(scope="module")
def saved(model: nn.Model, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("saved") / "model.safetensors"
    model.save(path, training={"epochs": 3})
    return path


def refusal(path: Path, raw: bytes | None = None) -> str:
    """Return the message with which a file (of these bytes) is refused."""
    if raw is not None:
        path.write_bytes(raw)
    with pytest.raises(ArtifactError) as caught:
        nn.load(path)
    message = str(caught.value)
    assert "\n" not in message
    assert message.startswith((str(path), "there is no file"))
    return message


def test_everything_comes_back(model: nn.Model, saved: Path) -> None:
    again = nn.load(saved)
    for name in ("layers", "input_shape", "seed", "preprocessing", "class_names", "program"):
        assert getattr(again, name) == getattr(model, name), name
    assert again.training == {"epochs": 3}
    np.testing.assert_array_equal(again.flat, model.flat)
    images = np.random.default_rng(0).integers(0, 256, (9, 4, 4, 1), dtype=np.uint8)
    np.testing.assert_array_equal(again.logits(images), model.logits(images))


def test_saving_twice_gives_the_same_bytes(model: nn.Model, saved: Path, tmp_path: Path) -> None:
    model.save(tmp_path / "again", training={"epochs": 3})
    assert (tmp_path / "again").read_bytes() == saved.read_bytes()


def test_a_file_that_cannot_be_written(model: nn.Model, tmp_path: Path) -> None:
    with pytest.raises(OutputError):
        model.save(tmp_path / "nowhere" / "model.safetensors")


def test_a_missing_file_or_a_folder(tmp_path: Path) -> None:
    assert "name a model that convlens has saved" in refusal(tmp_path / "none.safetensors")
    assert refusal(tmp_path).endswith("is a folder; name a model's file")


def test_every_truncation_is_found(saved: Path, tmp_path: Path) -> None:
    raw = saved.read_bytes()
    for length in (0, 1, 7, 8, 9, 100, *range(200, len(raw), 97), len(raw) - 1):
        assert "is damaged, or not a safetensors file" in refusal(tmp_path / "cut", raw[:length])
    refusal(tmp_path / "cut", raw + b"\0")


def flipped(raw: bytes, position: int, bits: int = 1) -> bytes:
    return b"".join((raw[:position], bytes([raw[position] ^ bits]), raw[position + 1 :]))


@pytest.mark.parametrize("kind", ["model", "checkpoint"])
def test_every_flip_in_table_and_header_is_refused(saved: Path, tmp_path: Path, kind: artifact.Kind) -> None:
    """Even where the file would still describe something: another scale, another seed, another number of steps."""
    path, honest = tmp_path / "damaged", artifact.read(saved, "model")
    artifact.write(path, kind, {**honest.header, "kind": kind, "optimizer_step": 5}, honest.arrays)
    raw = path.read_bytes()
    for position in range(8 + struct.unpack("<Q", raw[:8])[0]):
        for bits in (1, 0xFF) if position % 3 else (4,):
            path.write_bytes(flipped(raw, position, bits))
            with pytest.raises(ArtifactError) as caught:
                artifact.read(path, kind)
            assert "\n" not in str(caught.value), position


def test_damage_anywhere_in_the_arrays_is_found(saved: Path, tmp_path: Path) -> None:
    """Weights of another value are weights; only a checksum can tell."""
    raw = saved.read_bytes()
    for position in range(8 + struct.unpack("<Q", raw[:8])[0], len(raw), 5):
        assert "does not have the checksum in its header" in refusal(tmp_path / "damaged", flipped(raw, position))


@pytest.mark.parametrize("checksum", ["", "0" * 64, "A" * 64, "é" * 64, None, 5, ["a"]])
def test_a_checksum_of_the_file_that_lies(saved: Path, tmp_path: Path, checksum: Any) -> None:
    honest = artifact.read(saved, "model")
    text = json.dumps({**honest.header, "file_sha256": checksum})
    raw = safetensors.numpy.save(honest.arrays, metadata={"convlens": text})
    assert "it does not have the checksum in its header" in refusal(tmp_path / "m", raw)


@pytest.mark.parametrize("checksum", ["", "0" * 64, None, 5, ["a"]])
def test_a_checksum_of_the_arrays_that_lies(saved: Path, tmp_path: Path, checksum: Any) -> None:
    honest = artifact.read(saved, "model")
    text = json.dumps({**honest.header, "arrays_sha256": checksum})
    raw = safetensors.numpy.save(honest.arrays, metadata={"convlens": text})
    assert "its arrays do not have the checksum" in refusal(tmp_path / "m", raw)


def test_files_of_the_time_before_checksums_still_load(model: nn.Model, saved: Path, tmp_path: Path) -> None:
    honest = artifact.read(saved, "model")
    header = {name: value for name, value in honest.header.items() if name != "arrays_sha256"}
    raw = safetensors.numpy.save(honest.arrays, metadata={"convlens": json.dumps(header)})
    (tmp_path / "early").write_bytes(raw)
    assert nn.load(tmp_path / "early").flat.tobytes() == model.flat.tobytes()


def test_files_of_the_time_before_programs_still_load(model: nn.Model, saved: Path, tmp_path: Path) -> None:
    honest = artifact.read(saved, "model")
    header = {name: value for name, value in honest.header.items() if name != "program"}
    artifact.write(tmp_path / "early", "model", header, honest.arrays)
    assert nn.load(tmp_path / "early").program == model.program


def test_the_program_in_the_header_is_the_models(model: nn.Model, saved: Path) -> None:
    assert Program.from_dict(artifact.read(saved, "model").header["program"]) == model.program


PROGRAM_LIES: dict[str, tuple[Callable[[dict[str, Any]], Any], str]] = {
    "another op": (
        lambda program: program["nodes"][1].update(op="tanh"),
        "its Program is not that of its layers (program.nodes[1].op is 'tanh', not 'relu')",
    ),
    "another window": (
        lambda program: program["nodes"][2]["sight"].update(stride=[2, 1]),
        "(program.nodes[2].sight.stride[1] is 1, not 2)",
    ),
    "another array": (
        lambda program: program["nodes"][0]["parameters"]["w"].update(name="dense1.w"),
        "(program.nodes[0].parameters.w.name is 'dense1.w', not 'conv1.w')",
    ),
    "an attribute": (
        lambda program: program["nodes"][1]["attributes"].update(slope=0.1),
        "(program.nodes[1].attributes has an unknown key 'slope')",
    ),
    "a node less": (lambda program: program["nodes"].pop(), "(program.nodes has 4 entries, not 5)"),
    "true for one": (lambda program: program["nodes"][1].update(layer=True), "program.nodes[1].layer is True, not 1"),
    "an unknown key": (lambda program: program["nodes"][0].update(opp=1), "unknown key 'opp'; did you mean 'op'?"),
    "a missing key": (lambda program: program["nodes"][0].pop("op"), "program.nodes[0] lacks 'op'"),
    "nodes out of order": (
        lambda program: program["nodes"].reverse(),
        "program.nodes[0] reads ('flatten1',)",
    ),
    "a shape of text": (lambda program: program["nodes"][0].update(output_shape="4"), "a shape is a list"),
    "no program": (lambda program: program.clear(), "program lacks 'input_shape'"),
    "a number for nodes": (lambda program: program.update(nodes=5), "does not describe a model"),
    "lists without end": (
        lambda program: program["nodes"][1]["attributes"].update(deep=json.loads("[" * 900 + "]" * 900)),
        "is damaged",
    ),
}


@pytest.mark.parametrize(("change", "message"), PROGRAM_LIES.values(), ids=PROGRAM_LIES)
def test_programs_that_lie(saved: Path, tmp_path: Path, change: Callable[[dict[str, Any]], Any], message: str) -> None:
    honest = artifact.read(saved, "model")
    change(honest.header["program"])
    raw = safetensors.numpy.save(honest.arrays, metadata={"convlens": json.dumps(honest.header)})
    assert message in refusal(tmp_path / "m", raw)


def test_the_program_of_an_earlier_format_is_not_compared(
    model: nn.Model, saved: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A later convlens may lower the same layers to another Program; files are then read by their layers."""
    program = artifact.read(saved, "model").header["program"]
    program["nodes"][1]["op"] = "rectify"
    path = rewritten(saved, tmp_path / "m", program=program)
    refusal(path)
    monkeypatch.setattr(artifact, "FORMAT_VERSION", 2)
    assert nn.load(path).program == model.program


@pytest.mark.parametrize("position", [0, 4, 7, 8, 9, 20])
def test_damage_at_the_beginning(saved: Path, tmp_path: Path, position: int) -> None:
    raw = bytearray(saved.read_bytes())
    raw[position] ^= 0xFF
    assert "is damaged" in refusal(tmp_path / "damaged", bytes(raw))


@pytest.mark.parametrize("contents", [b"", b"hello", b"PK\x03\x04" * 50, b"\x80\x04\x95" + b"x" * 100, b"\0" * 64])
def test_files_of_other_kinds(tmp_path: Path, contents: bytes) -> None:
    assert "expected a model that convlens has saved" in refusal(tmp_path / "other", contents)


def test_safetensors_of_another_program(tmp_path: Path) -> None:
    arrays = {"w": np.zeros(3, np.float32)}
    for metadata in (None, {}, {"format": "pt"}):
        raw = safetensors.numpy.save(arrays, metadata=metadata)
        assert refusal(tmp_path / "foreign", raw).endswith("of another program: it has no convlens header")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "is not JSON"),
        ("[1]", "is not a JSON object"),
        ("null", "is not a JSON object"),
        ("[" * 10_000, "is not JSON"),
    ],
)
def test_headers_that_are_no_header(tmp_path: Path, text: str, message: str) -> None:
    raw = safetensors.numpy.save({"w": np.zeros(3, np.float32)}, metadata={"convlens": text})
    assert message in refusal(tmp_path / "odd", raw)


def rewritten(saved: Path, path: Path, arrays: dict[str, Array] | None = None, **lies: Any) -> Path:
    """Write the file again with other entries in its header, or with other arrays."""
    honest = artifact.read(saved, "model")
    artifact.write(path, "model", {**honest.header, **lies}, honest.arrays if arrays is None else arrays)
    return path


def test_another_kind_of_file(saved: Path, tmp_path: Path) -> None:
    path = rewritten(saved, tmp_path / "model", kind="checkpoint")
    assert refusal(path).endswith("is a checkpoint, and a model is needed")


@pytest.mark.parametrize("version", [0, -1, False])
def test_versions_that_never_were(saved: Path, tmp_path: Path, version: Any) -> None:
    message = refusal(rewritten(saved, tmp_path / "model", format_version=version))
    assert message.endswith(f"is damaged: it has format version {version!r}, and the first was 1")


@pytest.mark.parametrize("version", [2, 99, "1", None, 1.5, True])
def test_later_versions(saved: Path, tmp_path: Path, version: Any) -> None:
    message = refusal(rewritten(saved, tmp_path / "model", format_version=version))
    assert f"has format version {version!r}" in message
    assert "reads up to 1; upgrade convlens" in message


LIES: dict[str, dict[str, Any]] = {
    "no layers": {"layers": []},
    "layers are text": {"layers": "Conv2D"},
    "layers are numbers": {"layers": [1, 2]},
    "nothing for layers": {"layers": None},
    "unknown layer": {"layers": [{"layer": "Magic"}]},
    "input shape": {"input_shape": [4, 4]},
    "input shape of text": {"input_shape": "441"},
    "other input shape": {"input_shape": [8, 8, 1]},
    "preprocessing of another shape": {"preprocessing": {"input_shape": [5, 5, 1]}},
    "preprocessing with an extra": {"preprocessing": {"input_shape": [4, 4, 1], "gamma": 1}},
    "no preprocessing": {"preprocessing": None},
    "seed of text": {"seed": "7"},
    "seed below zero": {"seed": -1},
    "seed too large": {"seed": 2**70},
    "too few class names": {"class_names": ["a"]},
    "class names are numbers": {"class_names": [1, 2, 3]},
    "one number for class names": {"class_names": 3},
    "training is a number": {"training": 5},
}


@pytest.mark.parametrize("lie", LIES.values(), ids=LIES)
def test_headers_that_lie(saved: Path, tmp_path: Path, lie: dict[str, Any]) -> None:
    assert "is damaged" in refusal(rewritten(saved, tmp_path / "model", **lie))


@pytest.mark.parametrize("units", [10**8, 10**13, 2**62])
def test_a_header_that_asks_for_any_amount_of_memory(saved: Path, tmp_path: Path, units: int) -> None:
    """The arrays in the file say how large a model can be: nothing is allocated on the header's word."""
    path = rewritten(saved, tmp_path / "model", layers=[{"layer": "Flatten"}, {"layer": "Dense", "units": units}])
    refusal(path)
    huge = [*artifact.read(saved, "model").header["layers"][:-1], {"layer": "Dense", "units": units}]
    assert f"{units}) is needed" in refusal(rewritten(saved, tmp_path / "model", layers=huge))


@pytest.mark.parametrize("key", ["layers", "input_shape", "seed", "preprocessing", "class_names", "training", "kind"])
def test_headers_with_something_missing(saved: Path, tmp_path: Path, key: str) -> None:
    honest = artifact.read(saved, "model")
    header = {name: value for name, value in honest.header.items() if name != key}
    refusal(tmp_path / "m", safetensors.numpy.save(honest.arrays, metadata={"convlens": json.dumps(header)}))


CHANGES: dict[str, tuple[Callable[[dict[str, Array]], Any], str]] = {
    "missing": (lambda arrays: arrays.pop("dense1.b"), "are not those of its layers (dense1.b)"),
    "extra": (lambda arrays: arrays.update(odd=np.zeros(2, np.float32)), "are not those of its layers (odd)"),
    "shape": (lambda arrays: arrays.update({"dense1.b": np.zeros(4, np.float32)}), "shape (4,), and (3,) is needed"),
    "transposed": (
        lambda arrays: arrays.update({"dense1.w": arrays["dense1.w"].T.copy()}),
        "dense1.w has shape (3, 8)",
    ),
    "type": (lambda arrays: arrays.update({"dense1.b": np.zeros(3)}), "holds float64, and float32 is needed"),
    "half": (lambda arrays: arrays.update({"dense1.b": np.zeros(3, np.float16)}), "dense1.b holds F16"),
    "NaN": (lambda arrays: arrays["conv1.w"].fill(np.nan), "conv1.w holds non-finite values"),
    "infinity": (lambda arrays: arrays["dense1.b"].fill(np.inf), "dense1.b holds non-finite values"),
}


@pytest.mark.parametrize(("change", "message"), CHANGES.values(), ids=CHANGES)
def test_arrays_that_do_not_fit(
    saved: Path, tmp_path: Path, change: Callable[[dict[str, Array]], Any], message: str
) -> None:
    arrays = {name: array.copy() for name, array in artifact.read(saved, "model").arrays.items()}
    change(arrays)
    assert message in refusal(rewritten(saved, tmp_path / "model", arrays))


@pytest.mark.parametrize(("dtype", "count"), [("BF16", 6), ("F8_E4M3", 12)])
def test_number_types_that_numpy_does_not_have(saved: Path, tmp_path: Path, dtype: str, count: int) -> None:
    honest = artifact.read(saved, "model")  # without the checksum of the file
    raw = safetensors.numpy.save(honest.arrays, metadata={"convlens": json.dumps(honest.header)})
    end = 8 + struct.unpack("<Q", raw[:8])[0]
    layout = json.loads(raw[8:end])
    layout["dense1.b"] |= {"dtype": dtype, "shape": [count]}
    text = json.dumps(layout).encode()
    assert f"dense1.b holds {dtype}" in refusal(tmp_path / "m", struct.pack("<Q", len(text)) + text + raw[end:])
