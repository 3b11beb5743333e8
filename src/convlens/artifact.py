"""The one file format: a safetensors file with a JSON header and raw arrays. Never pickle.

Models and checkpoints are such files. The header is one JSON object under the key ``convlens`` of the file's
metadata; it states the kind of file, the version of the format, and two checksums: of the whole file, and of the
arrays. Reading runs no code from the file, and checks everything in it. ``docs/format.md`` describes a model's file
well enough to write another reader.
"""

from __future__ import annotations

import difflib
import hashlib
import json
import os
import re
import struct
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
_KEY, _SUM, _FILE_SUM = "convlens", "arrays_sha256", "file_sha256"
_UNKNOWN = "0" * 64  # stands for the checksum of the file while that is computed
_PIECE = 1 << 20  # bytes read at a time
_NUMPY_TYPES = ("F32", "F64", "I64", "I32", "U8", "BOOL")  # as safetensors names them

Kind: TypeAlias = Literal["model", "checkpoint"]


@dataclass(frozen=True)
class Artifact:
    """The contents of a file: its header, without the checksum of the file, and its arrays by name."""

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
    complete = {**about, **header, _SUM: _sum(contiguous)}

    def contents(file_sum: str) -> bytes:
        return to_bytes(contiguous, metadata={_KEY: canonical({**complete, _FILE_SUM: file_sum}, "header")})

    write_atomically(path, contents(hashlib.sha256(contents(_UNKNOWN)).hexdigest()))


def read(path: Path, kind: Kind) -> Artifact:
    """Read a file of the given kind.

    Raises
    ------
    ArtifactError
        If there is no such file, or it is damaged, not convlens's, of another kind, or of a later version of the
        format.
    """
    if os.path.isdir(path):  # noqa: PTH112
        raise ArtifactError(f"{path} is a folder; name a {kind}'s file")
    if not os.path.isfile(path):  # noqa: PTH113 - False, not an error, for a name that is too long
        raise ArtifactError(f"there is no file {path}; name a {kind} that convlens has saved")
    try:
        with safe_open(path, framework="numpy") as stream:
            header = _header(path, stream.metadata())
            _check_file_sum(path, header)
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
    return Artifact({key: value for key, value in header.items() if key != _FILE_SUM}, arrays)


def _check_file_sum(path: Path, header: Mapping[str, Any]) -> None:
    """Check the checksum of the whole file: table, header and arrays; early files have none.

    Raises
    ------
    ArtifactError
        If the file has another one. Also if the header lacks it and has a key of nearly that name: then it is the name
        that is damaged.
    """
    if _FILE_SUM not in header:
        damaged = difflib.get_close_matches(_FILE_SUM, header, n=1, cutoff=0.9)
    else:
        wanted = header[_FILE_SUM]
        known = isinstance(wanted, str) and re.fullmatch("[0-9a-f]{64}", wanted)
        damaged = [] if known and wanted == _file_sum(path, wanted) else [_FILE_SUM]
    if damaged:
        raise ArtifactError(f"{path} is damaged: it does not have the checksum in its header; use another copy")


def _file_sum(path: Path, digits: str) -> str:
    """Return the SHA-256 of a file in whose beginning, up to the arrays, zeros stand in place of `digits`."""
    with path.open("rb") as stream:
        size = stream.read(8)
        beginning = size + stream.read(*struct.unpack("<Q", size))
        digest = hashlib.sha256(beginning.replace(digits.encode(), _UNKNOWN.encode()))
        while piece := stream.read(_PIECE):
            digest.update(piece)
    return digest.hexdigest()


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
