"""The one file format: a safetensors file with a JSON header and raw arrays. Never pickle.

Models and checkpoints are such files. The header is one JSON object under the key ``convlens`` of the file's
metadata; it states the kind of file, the version of the format, and the checksum of the arrays. Reading runs no code
from the file, and checks everything in it. ``docs/format.md`` describes a model's file well enough to write another
reader.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save as to_bytes

from .errors import ArtifactError
from .files import write_atomically
from .plain import canonical
from .typing import Array
from .version import __version__

FORMAT_VERSION = 1
LARGEST_HEADER = 16 << 20  # characters of JSON
_KEY, _SUM = "convlens", "arrays_sha256"
_NUMPY_TYPES = ("F32", "F64", "I64", "I32", "U8", "BOOL")  # as safetensors names them

Kind: TypeAlias = Literal["model", "checkpoint"]


@dataclass(frozen=True)
class Artifact:
    """The contents of a file: its header and its arrays by name."""

    header: dict[str, Any]
    arrays: dict[str, Array]


def write(path: Path, kind: Kind, header: Mapping[str, Any], arrays: Mapping[str, Array]) -> None:
    """Write a file, atomically.

    Raises
    ------
    OutputError
        If it cannot be written; a file already there is untouched.
    """
    about = {"format_version": FORMAT_VERSION, "kind": kind, "convlens_version": __version__}
    contiguous = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
    text = canonical({**about, **header, _SUM: _sum(contiguous)}, "header")
    write_atomically(path, to_bytes(contiguous, metadata={_KEY: text}))


def read(path: Path, kind: Kind) -> Artifact:
    """Read a file of the given kind.

    Raises
    ------
    ArtifactError
        If there is no such file, or it is damaged, not convlens's, of another kind, or of a later version of the
        format.
    """
    if not path.is_file():
        raise ArtifactError(f"there is no file {path}; name a {kind} that convlens has saved")
    try:
        with safe_open(path, framework="numpy") as stream:
            header = _header(path, stream.metadata())
            _check(path, kind, header)
            names = stream.keys()
            for name in names:
                _check_type(path, name, stream.get_slice(name).get_dtype())
            arrays = {name: stream.get_tensor(name) for name in names}
    except (SafetensorError, OSError) as error:
        reason = str(error).removeprefix("Error while deserializing header: ")
        raise ArtifactError(
            f"{path} is damaged, or not a safetensors file ({reason}); expected a {kind} that convlens has saved"
        ) from error
    if _SUM in header and header[_SUM] != _sum(arrays):  # early files have no checksum
        raise ArtifactError(f"{path} is damaged: its arrays do not have the checksum in its header; use another copy")
    return Artifact(header, arrays)


def _sum(arrays: Mapping[str, Array]) -> str:
    """Return the SHA-256 of arrays, with their names, types and shapes, in the order of their names."""
    digest = hashlib.sha256()
    for name in sorted(arrays):
        array = arrays[name]
        digest.update(json.dumps([name, array.dtype.str, array.shape]).encode())
        digest.update(array.tobytes())
    return digest.hexdigest()


def _header(path: Path, metadata: Mapping[str, str] | None) -> dict[str, Any]:
    text = (metadata or {}).get(_KEY)
    if text is None or len(text) > LARGEST_HEADER:
        raise ArtifactError(f"{path} is a safetensors file of another program: it has no convlens header")
    try:
        header = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ArtifactError(f"{path} is damaged: its convlens header is not JSON") from error
    if not isinstance(header, dict):
        raise ArtifactError(f"{path} is damaged: its convlens header is not a JSON object")
    return header


def _check_type(path: Path, name: str, dtype: str) -> None:
    """Refuse number types that NumPy does not have, such as bfloat16."""
    if dtype not in _NUMPY_TYPES:
        raise ArtifactError(f"{path} is damaged: {name} holds {dtype}, and convlens writes {', '.join(_NUMPY_TYPES)}")


def _check(path: Path, kind: Kind, header: Mapping[str, Any]) -> None:
    version, found = header.get("format_version"), header.get("kind")
    if isinstance(version, int) and version < 1:
        raise ArtifactError(f"{path} is damaged: it has format version {version!r}, and the first was 1")
    if type(version) is not int or version > FORMAT_VERSION:
        raise ArtifactError(
            f"{path} has format version {version!r}, and this convlens ({__version__}) reads up to {FORMAT_VERSION}; "
            "upgrade convlens"
        )
    if found != kind:
        raise ArtifactError(f"{path} is a {found}, and a {kind} is needed")
