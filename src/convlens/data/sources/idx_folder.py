"""A folder of the user's own IDX files, named like MNIST's: compressed or not, with images of any size.

::

    train-images*   train-labels*                      needed
    t10k-images*    t10k-labels*    (or test-...)      optional: without them a stratified tenth is split off
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import DataError
from ...typing import UInt8
from .. import idx
from ..assemble import assemble
from ..dataset import Dataset, Examples
from ..identity import ContentSums
from .source import Format, Request, VerifiedFile

_TRAIN = ("train",)
_TEST = ("t10k", "test")
EXPECTED = (
    "a folder of IDX files named train-images* and train-labels*, and t10k-... or test-... if there is a test set"
)


def load(folder: Path, request: Request) -> Dataset:
    """Load a folder of IDX files.

    Parameters
    ----------
    folder
        The folder.
    request
        Split, seed and options.

    Raises
    ------
    DataError
        If a file is missing, ambiguous or damaged, images and labels differ in number, or a class has no image.
    ConfigurationError
        If fraction or seed is out of range.
    """
    sums: dict[str, str] = {}
    provenance: dict[str, Any] = {
        "source": f"IDX files in {folder}",
        "licence": "not stated (one's own data)",
        "sha256": sums,  # filled as the files are read
    }
    given = _examples(folder, _TRAIN, "train", sums)
    if given is None:
        raise DataError(f"{folder}: has no train-images* and train-labels*; expected {EXPECTED}; {_found(folder)}")
    return assemble(
        folder.resolve().name,
        given,
        _examples(folder, _TEST, "test", sums),
        validation_fraction=request.validation_fraction,
        seed=request.seed,
        provenance=provenance,
    )


def _examples(folder: Path, prefixes: tuple[str, ...], name: str, sums: dict[str, str]) -> Examples | None:
    """Read one pair of files; None if neither is there."""
    images, labels = _find(folder, prefixes, "images"), _find(folder, prefixes, "labels")
    if images is None and labels is None:
        return None
    if images is None or labels is None:
        there, lacking = (labels, "images") if images is None else (images, "labels")
        raise DataError(f"{folder}: has {there and there.name}, no {prefixes[0]}-{lacking}*; add the missing file")
    pixels = idx.parse(_read(images, idx.IMAGES, sums), idx.IMAGES, images)[..., np.newaxis]
    numbers = idx.parse(_read(labels, idx.LABELS, sums), idx.LABELS, labels)
    if len(pixels) != len(numbers):
        raise DataError(
            f"{folder}: {images.name} holds {len(pixels):,} images, {labels.name} {len(numbers):,} labels; "
            "expected one label per image"
        )
    return Examples(name, pixels, numbers, ContentSums(sums[images.name], sums[labels.name]))


def _find(folder: Path, prefixes: tuple[str, ...], kind: str) -> Path | None:
    """Return the only file of a kind, or None; DataError if there are several."""
    found = sorted(path for prefix in prefixes for path in folder.glob(f"{prefix}-{kind}*") if path.is_file())
    if len(found) > 1:
        raise DataError(
            f"{folder}: has {' and '.join(path.name for path in found)}; expected one of them: move the others away"
        )
    return found[0] if found else None


def _read(path: Path, dimensions: int, sums: dict[str, str]) -> UInt8:
    content = idx.read_content(path, dimensions)
    sums[path.name] = hashlib.sha256(content.data).hexdigest()
    return content


def _found(folder: Path) -> str:
    """Name the first files of a folder, for a message."""
    names = sorted(path.name for path in folder.iterdir())
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    return f"it holds {', '.join(names[:5])}{more}" if names else "it is empty"


def recognises(folder: Path) -> bool:
    """Whether the path is a folder with a file of one of these names."""
    return folder.is_dir() and any(
        _any(folder, f"{prefix}-{kind}*") for prefix in (*_TRAIN, *_TEST) for kind in ("images", "labels")
    )


def _any(folder: Path, pattern: str) -> bool:
    return next(folder.glob(pattern), None) is not None


def verify(folder: Path) -> list[VerifiedFile]:
    """Read every file in full. Nothing is pinned for the user's own data: the sums are for comparison by eye."""
    checked = []
    for prefixes in (_TRAIN, _TEST):
        for kind, dimensions in (("images", idx.IMAGES), ("labels", idx.LABELS)):
            path = _find(folder, prefixes, kind)
            if path is not None:
                checked.append(_verified(path, dimensions))
    return checked


def _verified(path: Path, dimensions: int) -> VerifiedFile:
    sums: dict[str, str] = {}
    try:
        content = _read(path, dimensions, sums)
    except DataError as error:
        return VerifiedFile(path.name, "", None, ok=False, items=0, place="folder", problem=str(error))
    items = len(idx.parse(content, dimensions, path))
    return VerifiedFile(path.name, sums[path.name], None, ok=True, items=items, place="folder")


FORMAT = Format(EXPECTED, recognises, load, verify)
