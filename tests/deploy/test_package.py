"""Archives: the same model gives the same bytes, and all that is in them is what it says."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import subprocess
import sys
import tarfile
from pathlib import Path

import numpy as np
import pytest

from convlens.deploy.sagemaker.package import NAMES, package
from convlens.errors import ArtifactError, ConfigurationError, ConvlensError, OutputError
from convlens.nn import Model, load


def test_the_same_model_gives_the_same_bytes(
    digits_file: Path, archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another place, another hour, another name, another user's rights."""
    elsewhere = tmp_path / "other.safetensors"
    elsewhere.write_bytes(digits_file.read_bytes())
    elsewhere.chmod(0o600)
    os.utime(elsewhere, (1, 1))
    monkeypatch.setattr("time.time", lambda: 4e9)
    found = package(elsewhere, tmp_path / "a.tar.gz")
    content = archive.read_bytes()
    assert (tmp_path / "a.tar.gz").read_bytes() == content
    assert (found.sha256, found.size) == (hashlib.sha256(content).hexdigest(), len(content))


def test_nothing_in_it_says_when_or_by_whom(archive: Path) -> None:
    content = archive.read_bytes()
    assert content[3:8] == bytes(5)  # gzip: no name, no time
    with tarfile.open(archive) as members:
        entries = members.getmembers()
    assert [entry.name for entry in entries] == list(NAMES)
    for entry in entries:
        assert entry.isreg()
        assert (entry.mtime, entry.uid, entry.gid, entry.uname, entry.gname, entry.mode) == (0, 0, 0, "", "", 0o644)


def test_the_manifest_is_right(archive: Path, digits: Model, digits_file: Path) -> None:
    with tarfile.open(archive) as members:
        files = {name: members.extractfile(name).read() for name in members.getnames()}  # type: ignore[union-attr]
    manifest = json.loads(files.pop("manifest.json"))
    assert manifest["files"] == {
        name: {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)} for name, content in files.items()
    }
    assert manifest["class_names"] == list("0123456789")
    assert files["model.safetensors"] == digits_file.read_bytes()
    with np.load(io.BytesIO(files["model.npz"]), allow_pickle=False) as stored:
        assert {name: stored[name].tobytes() for name in stored.files if name != "header"} == {
            name: view.tobytes() for name, view in digits.parameters.items()
        }
        header = json.loads(stored["header"].tobytes())
    assert header["program"] == digits.program.to_dict()
    assert (header["takes_pixels"], header["range"], header["intake"]["prepare"]) == (True, [0.0, 1.0], "digits")


def test_the_digest_does_not_depend_on_the_compression(
    digits_file: Path, archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = package(digits_file, tmp_path / "one.tar.gz")
    whole = gzip.GzipFile.__init__
    monkeypatch.setattr(
        gzip.GzipFile, "__init__", lambda *given, **named: whole(*given, **{**named, "compresslevel": 1})
    )
    other = package(digits_file, tmp_path / "other.tar.gz")
    assert one.sha256 != other.sha256
    assert one.digest == other.digest


def test_another_model_has_another_digest(digits: Model, digits_file: Path, tmp_path: Path) -> None:
    other = load(digits_file)
    other.parameters["conv1.b"][0] += 1
    other.save(tmp_path / "other.safetensors")
    found = [package(path, tmp_path / "m.tar.gz").digest for path in (digits_file, tmp_path / "other.safetensors")]
    assert found[0] != found[1]


@pytest.mark.parametrize(
    ("model", "out", "error", "words"),
    [
        ("digits.safetensors", "model.zip", ConfigurationError, r"\.tar\.gz"),
        ("none.safetensors", "model.tar.gz", ArtifactError, "no file"),
        ("digits.safetensors", "nowhere/model.tar.gz", OutputError, "no folder"),
        ("model.tar.gz", "model.tar.gz", OutputError, "it is read too"),
    ],
)
def test_what_cannot_be_packed(
    digits_file: Path, archive: Path, tmp_path: Path, model: str, out: str, error: type[ConvlensError], words: str
) -> None:
    for path in (digits_file, archive):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    with pytest.raises(error, match=words):
        package(tmp_path / model, tmp_path / out)


def test_the_command(digits_file: Path, archive: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "convlens", "sagemaker", "package", str(digits_file), "--out", "m.tar.gz"]
    found = subprocess.run([*command, "--json"], cwd=tmp_path, capture_output=True, text=True, check=True)
    told = json.loads(found.stdout)
    assert (tmp_path / "m.tar.gz").read_bytes() == archive.read_bytes()
    assert told["sha256"] == hashlib.sha256(archive.read_bytes()).hexdigest()
    assert list(told["manifest"]["files"]) == ["code/inference.py", "model.npz", "model.safetensors"]
    words = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    assert told["sha256"] in words.replace("\n", "")
