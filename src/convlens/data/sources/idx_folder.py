"""A folder of IDX files, named like MNIST's: compressed or not, with images of any size.

::

    train-images*   train-labels*                      needed
    t10k-images*    t10k-labels*    (or test-...)      optional: without them a stratified tenth is split off

Found as well: the folder ``raw`` or ``gzip`` below (as torchvision and EMNIST have it), and names with the data set's
name before them (``emnist-letters-train-images-idx3-ubyte.gz``). Of several data sets in one folder,
``folder/emnist-letters`` names one. EMNIST stores its images transposed; they are turned upright.
"""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypeAlias

import numpy as np

from ...errors import DataError
from ...typing import UInt8
from .. import idx
from ..assemble import assemble
from ..dataset import Dataset
from ..examples import Examples
from ..identity import ContentSums
from .emnist import class_names, is_emnist
from .source import Format, Request, VerifiedFile

EXPECTED = (
    "a folder of IDX files named train-images* and train-labels*, and t10k-... or test-... if there is a test set"
)
Kind: TypeAlias = Literal["images", "labels"]
_NAME = re.compile(r"(?P<set>(?:.*[-_.])?)(?P<part>train|t10k|test)[-_.](?P<kind>images|labels)", re.IGNORECASE)
_NOT_IDX = {".md5", ".sha256", ".txt", ".json", ".csv", ".npy", ".npz", ".png", ".jpg", ".zip", ".part", ".crdownload"}
_BELOW = ("raw", "gzip")  # folders that torchvision and EMNIST put their files in


class _Place(NamedTuple):
    """Where a data set's files are."""

    folder: Path
    name: str  # of the data set
    files: dict[tuple[str, Kind], list[Path]]  # by part ("train" or "test") and kind


def load(path: Path, request: Request) -> Dataset:
    """Load a folder of IDX files.

    Raises
    ------
    DataError
        If a file is missing, ambiguous or damaged, images and labels differ in number, or a class has no image.
    ConfigurationError
        If fraction or seed is out of range.
    """
    place = _found(path)
    sums: dict[str, str] = {}
    given, test = _examples(place, "train", sums), _examples(place, "test", sums)
    if given is None:
        raise DataError(
            f"{place.folder}: has no train-images* and train-labels*; expected {EXPECTED}; {_held(place.folder)}"
        )
    notes: list[str] = []
    if is_emnist(place.name):
        given, test = _upright(given), None if test is None else _upright(test)
        notes.append("images were transposed: EMNIST stores them lying on their side")
    first = 0
    if given.labels.min() == 1 and (test is None or test.labels.min(initial=1) >= 1):
        first = 1
        notes.append(f"labels 1 to {given.labels.max()} were numbered from 0")
        given, test = _from_zero(given), None if test is None else _from_zero(test)
    classes = int(given.labels.max()) + 1
    provenance: dict[str, Any] = {
        "source": f"IDX files in {place.folder}",
        "licence": "not stated (one's own data)",
        "sha256": sums,
    }
    if notes:
        provenance["notes"] = notes
    return assemble(
        place.name,
        given,
        test,
        validation_fraction=request.validation_fraction,
        seed=request.seed,
        provenance=provenance,
        class_names=class_names(place.name, classes) or ([str(i + 1) for i in range(classes)] if first else None),
    )


def _examples(place: _Place, part: str, sums: dict[str, str]) -> Examples | None:
    """Read one pair of files; None if neither is there."""
    images, labels = _file(place, part, "images"), _file(place, part, "labels")
    if images is None and labels is None:
        return None
    if images is None or labels is None:
        there, lacking = (labels, "images") if images is None else (images, "labels")
        raise DataError(
            f"{place.folder}: has {there and there.name}, no {_like(there, lacking)}*; add the missing file"
        )
    pixels = idx.parse(_read(images, sums), idx.IMAGES, images)[..., np.newaxis]
    numbers = idx.parse(_read(labels, sums), _dimensions(labels), labels)
    if len(pixels) != len(numbers):
        raise DataError(
            f"{place.folder}: {images.name} holds {len(pixels):,} images, {labels.name} {len(numbers):,} labels; "
            "expected one label per image"
        )
    if numbers.ndim > 1:
        return Examples(part, pixels, numbers[:, 0].astype(np.int64))  # QMNIST: the class, then who wrote it and more
    return Examples(part, pixels, numbers, ContentSums(sums[images.name], sums[labels.name]))


def _upright(examples: Examples) -> Examples:
    return Examples(examples.name, np.ascontiguousarray(examples.images.transpose(0, 2, 1, 3)), examples.labels)


def _from_zero(examples: Examples) -> Examples:
    return Examples(examples.name, examples.images, examples.labels - 1)


def _like(there: Path | None, lacking: str) -> str:
    """Return the beginning of the name of the file that belongs to another."""
    match = _NAME.match(there.name) if there else None
    return f"{match['set']}{match['part']}-{lacking}" if match else lacking


def _file(place: _Place, part: str, kind: Kind) -> Path | None:
    """Return the file of a part and kind, or None; DataError if there are several that differ."""
    found = place.files.get((part, kind), [])
    plain = [path for path in found if path.suffix != ".gz"]
    if len(found) == 2 and len(plain) == 1 and {path.name.removesuffix(".gz") for path in found} == {plain[0].name}:
        one, other = (idx.read_content(path, _dimensions(path)) for path in found)
        if np.array_equal(one, other):
            return plain[0]
        raise DataError(
            f"{place.folder}: {found[0].name} and {found[1].name} differ; expected the same content, packed and "
            "unpacked: move one away"
        )
    if len(found) > 1:
        raise DataError(
            f"{place.folder}: has {' and '.join(path.name for path in found)}; expected one of them: "
            "move the others away"
        )
    return found[0] if found else None


def _dimensions(path: Path) -> int:
    """Return the dimensions that a file must have, by its name."""
    if "images" in path.name.lower():
        return idx.IMAGES
    return idx.RECORDS if "idx2" in path.name.lower() else idx.LABELS


def _read(path: Path, sums: dict[str, str]) -> UInt8:
    content = idx.read_content(path, _dimensions(path))
    sums[path.name] = hashlib.sha256(content.data).hexdigest()
    return content


def _held(folder: Path) -> str:
    """Name the first files of a folder, for a message."""
    names = sorted(path.name for path in folder.iterdir())
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    return f"it holds {', '.join(names[:5])}{more}" if names else "it is empty"


def _found(path: Path) -> _Place:
    """Return where the only data set at a path is; DataError if there are several."""
    places = _places(path)
    if len(places) > 1:
        ways = [str(place.folder / place.name if place.folder in path.parents or place.folder == path else place.folder)
                for place in places]  # fmt: skip
        raise DataError(f"{path}: holds {len(places)} data sets; give one of them: {', '.join(ways)}")
    return places[0]


def _places(path: Path) -> list[_Place]:
    """Return all data sets at a path: a folder, one above it, or a folder and the beginning of its files' names."""
    if not path.is_dir():
        return [place for place in _sets(path.parent) if place.name == path.name] if path.parent.is_dir() else []
    if here := _sets(path):
        return here
    below = [path / name for name in _BELOW]
    below += [folder for name in _BELOW for folder in sorted(path.glob(f"*/{name}"))]
    return [place for folder in below if folder.is_dir() for place in _sets(folder)]


def _sets(folder: Path) -> list[_Place]:
    """Return the data sets whose files are in a folder, by the beginning of their names."""
    sets: dict[str, dict[tuple[str, Kind], list[Path]]] = defaultdict(lambda: defaultdict(list))
    try:
        entries = sorted(folder.iterdir())
    except OSError as error:
        raise DataError(f"{folder}: cannot be read ({error.strerror or error}); give a readable folder") from error
    for path in entries:
        match = _NAME.match(path.name)
        if match and path.suffix.lower() not in _NOT_IDX and (not match["set"] or "idx" in path.name.lower()):
            part = "train" if match["part"].lower() == "train" else "test"
            kind: Kind = "images" if match["kind"].lower() == "images" else "labels"
            if path.is_file() or (path / path.name).is_file():  # unpacked into a folder of its own
                sets[match["set"].lower()][part, kind].append(path if path.is_file() else path / path.name)
    above = folder.resolve()
    name = above.parent.name if above.name.lower() in _BELOW and above.parent.name else above.name
    return [_Place(folder, prefix.rstrip("-_.") or name, dict(files)) for prefix, files in sets.items()]


def recognises(path: Path) -> bool:
    """Whether a path is a folder with a file of one of these names, one above it, or names a set of them."""
    return bool(_places(path))


def verify(path: Path) -> list[VerifiedFile]:
    """Read every file in full. Nothing is pinned for the user's own data: the sums are for comparison by eye."""
    place = _found(path)
    return [
        _verified(file)
        for part in ("train", "test")
        for kind in ("images", "labels")
        if (file := _file(place, part, kind)) is not None
    ]


def _verified(path: Path) -> VerifiedFile:
    sums: dict[str, str] = {}
    try:
        content = _read(path, sums)
    except DataError as error:
        return VerifiedFile(path.name, "", None, ok=False, items=0, place="folder", problem=str(error))
    items = len(idx.parse(content, _dimensions(path), path))
    return VerifiedFile(path.name, sums[path.name], None, ok=True, items=items, place="folder")


FORMAT = Format(EXPECTED, recognises, load, verify)
