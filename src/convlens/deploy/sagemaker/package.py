"""A model packed for SageMaker: ``model.tar.gz``, the same bytes for the same model.

It holds four regular files:

``model.npz``
    The weights, and a description of the network: what `inference` reads, with NumPy alone.
``model.safetensors``
    The model as it was saved: what ``convlens serve`` reads.
``code/inference.py``
    The module that SageMaker's ready-made images call; a copy of `inference`.
``manifest.json``
    The SHA-256 and the length of each of the others, and what the model takes and answers.

Nothing in it depends on when, where or by whom it was packed: files are in a fixed order, without times, owners and
rights of their own. The compressed bytes are those of this machine's zlib; `Package.digest`, the SHA-256 of the
manifest, is the same with any.
"""

from __future__ import annotations

import dataclasses
import gzip
import hashlib
import io
import json
import os
import tarfile
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ... import artifact
from ...errors import ConfigurationError
from ...files import checked_path, require_distinct, require_writable, write_atomically
from ...nn import load
from ...nn.scale import range_of_floats, takes_pixels, trained_on_floats
from ...plain import canonical
from ...predictor import Predictor
from ...typing import Array
from ...version import __version__

MANIFEST = "manifest.json"
ARRAYS = "model.npz"
MODEL = "model.safetensors"
CODE = "code/inference.py"
NAMES = (MANIFEST, CODE, ARRAYS, MODEL)
"""The files of an archive, in their order there."""

_INFERENCE = Path(__file__).with_name("inference.py")


@dataclasses.dataclass(frozen=True)
class Package:
    """A packed model.

    Attributes
    ----------
    path
        The archive.
    sha256, size
        Of the archive: its checksum, and its length in bytes.
    digest
        SHA-256 of its manifest, and so of all that is in it: the same on every machine. Names of resources are made of
        it.
    manifest
        What ``manifest.json`` says.
    """

    path: Path
    sha256: str
    size: int
    digest: str
    manifest: dict[str, Any]

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain JSON data."""
        return {**dataclasses.asdict(self), "path": str(self.path)}


def package(model: str | os.PathLike[str], out: str | os.PathLike[str]) -> Package:
    """Pack a saved model for SageMaker.

    Parameters
    ----------
    model
        A model's file, written by `Model.save`.
    out
        Where the archive is written, atomically: ``model.tar.gz``.

    Returns
    -------
    Package
        What was written.

    Raises
    ------
    ArtifactError
        If the model's file is missing, damaged or not a model.
    ConfigurationError
        If `out` does not end in ``.tar.gz``, as SageMaker requires.
    OutputError
        If it cannot be written, or is the model itself.
    """
    model, out = checked_path(model, "a model's file"), checked_path(out, "an archive")
    if not out.name.endswith(".tar.gz"):
        raise ConfigurationError(f"SageMaker takes an archive whose name ends in .tar.gz, not {out.name!r}; rename it")
    require_writable(out)
    require_distinct([out], [model])
    files = contents(model)
    archived = _archived(files)
    write_atomically(out, archived)
    manifest = files[MANIFEST]
    return Package(out, _sha256(archived), len(archived), _sha256(manifest), json.loads(manifest))


def contents(model: Path) -> dict[str, bytes]:
    """Return the files of a model's archive by name, in their order: what training leaves in /opt/ml/model, too.

    Raises
    ------
    ArtifactError
        If the model's file is missing, damaged or not a model.
    """
    stored, header = model_arrays(model)
    files = {CODE: _INFERENCE.read_bytes(), ARRAYS: _npz(stored, header), MODEL: model.read_bytes()}
    manifest = {
        "kind": "convlens model archive",
        "format_version": artifact.FORMAT_VERSION,
        "convlens_version": __version__,
        "input_shape": header["preprocessing"]["input_shape"],
        "class_names": header["class_names"],
        "files": {name: {"sha256": _sha256(content), "bytes": len(content)} for name, content in files.items()},
    }
    return {MANIFEST: f"{json.dumps(manifest, indent=2, sort_keys=True)}\n".encode(), **files}


def model_arrays(path: Path) -> tuple[dict[str, Array], dict[str, Any]]:
    """Return a saved model's arrays by name, and the description of it that `inference` reads.

    The description is part of the file's header (``docs/format.md``), and what convlens decides from the rest of it:
    ``intake``, ``takes_pixels``, and ``range``, the least and largest value of the network's input in training.
    """
    predictor = Predictor(load(path).use("interpreter"))
    model, stored = predictor.model, artifact.read(path, "model")
    pixels = takes_pixels(model.training, model.preprocessing)
    known = range_of_floats(model.training)
    if known is None and not trained_on_floats(model.training):
        dark, light = sorted(model.preprocessing.of_pixels(0, 255))
        known = dark, light
    return stored.arrays, {
        "format_version": artifact.FORMAT_VERSION,
        "program": model.program.to_dict(),
        "preprocessing": model.preprocessing.to_dict(),
        "class_names": list(model.class_names),
        "intake": predictor.intake.to_dict(),
        "takes_pixels": bool(pixels),
        "range": known,
    }


def _npz(arrays: Mapping[str, Array], header: Mapping[str, Any]) -> bytes:
    """Return arrays as an npz file without times, with the header's JSON as an array of bytes."""
    text = canonical(header, "header").encode()
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as into:
        for name, array in {"header": np.frombuffer(text, np.uint8), **dict(sorted(arrays.items()))}.items():
            entry = zipfile.ZipInfo(f"{name}.npy")  # its time is the start of 1980
            entry.create_system, entry.external_attr = 3, 0o644 << 16  # as on Unix, wherever it is packed
            with io.BytesIO() as one:
                np.lib.format.write_array(one, np.ascontiguousarray(array), version=(1, 0), allow_pickle=False)
                into.writestr(entry, one.getvalue())
    return stream.getvalue()


def _archived(files: Mapping[str, bytes]) -> bytes:
    """Return files as a compressed archive, without times and owners."""
    stream = io.BytesIO()
    with (
        gzip.GzipFile("", "wb", compresslevel=6, fileobj=stream, mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT) as archive,
    ):
        for name, content in files.items():
            entry = tarfile.TarInfo(name)  # its time, owner and group are 0
            entry.size, entry.mode = len(content), 0o644
            archive.addfile(entry, io.BytesIO(content))
    return stream.getvalue()


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
