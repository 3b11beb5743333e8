"""What ships with the lab: trained models, snapshots of one training, recorded trainings, and test digits.

They are made by ``python -m convlens.lab.make_assets`` and lie in the folder ``assets`` beside this file, for the
server and for the exported page alike. ``index.json`` there lists them all, with size and SHA-256.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import ArtifactError, ConfigurationError, nearest
from ..typing import IntArray, Labels, UInt8

FOLDER = Path(__file__).with_name("assets")
INDEX = "index.json"


@dataclass(frozen=True, eq=False)
class ShippedDigits:
    """Test digits that ship with the lab.

    Attributes
    ----------
    images
        (N, H, W, C) uint8.
    labels
        (N,) their digits.
    indexes
        (N,) their places in the test set, from 0.
    """

    images: UInt8
    labels: Labels
    indexes: IntArray


def read_index(folder: Path = FOLDER) -> dict[str, Any]:
    """Return the index of a folder of assets, as plain data.

    Its keys: ``files`` (by path within the folder: ``bytes``, ``sha256``), ``digits``, ``models``, ``snapshots`` and
    ``recordings``, which name the files and say what is in each.

    Raises
    ------
    ArtifactError
        If it cannot be read.
    """
    try:
        index: dict[str, Any] = json.loads((folder / INDEX).read_bytes())
    except (OSError, ValueError) as error:
        raise ArtifactError(f"{folder / INDEX} cannot be read ({error}); install convlens again") from error
    return index


def model_path(name: str, folder: Path = FOLDER) -> Path:
    """Return the file of a shipped model.

    Parameters
    ----------
    name
        ``"dense"``, ``"local"`` or ``"cnn"``.
    folder
        Where the assets are; by default those of the package.

    Raises
    ------
    ConfigurationError
        If there is none of this name.
    ArtifactError
        If the index cannot be read.
    """
    files: dict[str, str] = {one["name"]: one["file"] for one in read_index(folder)["models"]}
    if name not in files:
        raise ConfigurationError(f"no model {name!r} ships with the lab{nearest(name, files)}")
    return folder / files[name]


def read_digits(folder: Path = FOLDER) -> ShippedDigits:
    """Return the shipped test digits.

    Raises
    ------
    ArtifactError
        If they cannot be read, or are not what the index says.
    """
    about = read_index(folder)["digits"]
    try:
        pixels = np.frombuffer((folder / about["file"]).read_bytes(), np.uint8)
        images: UInt8 = pixels.reshape(about["shape"])
    except (OSError, ValueError) as error:
        raise ArtifactError(f"the lab's digits cannot be read ({error}); install convlens again") from error
    return ShippedDigits(images, np.array(about["labels"], np.int64), np.array(about["indexes"], np.int64))


def damages(folder: Path = FOLDER) -> Iterator[str]:
    """Yield, in words, every way in which the files of a folder are not what its index says."""
    listed: Mapping[str, Any] = read_index(folder)["files"]
    present = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()} - {INDEX}
    yield from (f"{name} is missing" for name in sorted(listed.keys() - present))
    yield from (f"{name} is not in the index" for name in sorted(present - listed.keys()))
    for name in sorted(listed.keys() & present):
        if described(folder / name) != listed[name]:
            yield f"{name} is not the file that the index describes"


def described(path: Path) -> dict[str, Any]:
    """Return what the index says of a file: its size in bytes and its SHA-256."""
    contents = path.read_bytes()
    return {"bytes": len(contents), "sha256": hashlib.sha256(contents).hexdigest()}
