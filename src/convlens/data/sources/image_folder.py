"""A folder of image files: one sub-folder per class, whose name is the class's name.

::

    cats-and-dogs/cat/*.png                 or     cats-and-dogs/train/cat/*.png
    cats-and-dogs/dog/*.jpg                        cats-and-dogs/test/cat/*.png ...

All images must have one size, the most common one. They are grey if every file is grey. Hidden files are ignored and
links are followed. Any other file that is not an intact image of that size is an error or, with `skip_broken`, left out
and named in the provenance.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ...errors import DataError
from ...pictures.image_file import damage_named, is_grey, lies_on_its_side, open_image, pixels_of, read_content
from ...typing import UInt8
from ..assemble import assemble
from ..dataset import Dataset, Examples
from ..idx import LARGEST_CONTENT
from .source import Format, Request, VerifiedFile

EXPECTED = "a folder of images with a sub-folder for each class (cat/, dog/), or train/ and test/ above those"
_SYSTEM_FILES = {"thumbs.db", "desktop.ini", "__macosx"}  # created by operating systems; treated as hidden
_SKIP = "repair or remove it, or skip such files: skip_broken=True, --skip-broken"


class _File(NamedTuple):
    """What an image file's header says."""

    path: Path
    label: int
    size: tuple[int, int]  # width, height
    grey: bool


class _Broken:
    """What to do about a file that cannot be used: raise, or note it and go on."""

    def __init__(self, root: Path, *, skip: bool) -> None:
        self.root, self.skip = root, skip
        self.skipped: list[str] = []

    def found(self, path: Path, problem: str) -> None:
        """Raise DataError, or note the file."""
        if not self.skip:
            raise DataError(f"{path}: {problem}; {_SKIP}")
        self.skipped.append(f"{path.relative_to(self.root)}: {problem}")


def load(folder: Path, request: Request) -> Dataset:
    """Load a folder of images.

    Raises
    ------
    DataError
        If a file is broken or of another size (and `skip_broken` is not set), a class is empty, there is only one
        class, or the test set has a class that the training set lacks.
    ConfigurationError
        If fraction or seed is out of range.
    """
    broken = _Broken(folder, skip=request.skip_broken)
    train_folder, test_folder = _parts(folder)
    names = _class_names(train_folder)
    train = _headers(train_folder, names, broken)
    test = None if test_folder is None else _headers(test_folder, names, broken)
    size = Counter(file.size for file in train).most_common(1)[0][0]
    channels = 1 if all(file.grey for file in (*train, *(test or ()))) else 3
    digest = hashlib.sha256()
    given = _decoded("train", train, size, channels, broken, digest)
    test_examples = None if test is None else _decoded("test", test, size, channels, broken, digest)
    _check_classes(train_folder, given, names)
    provenance: dict[str, Any] = {
        "source": f"image files in {folder}",
        "licence": "not stated (one's own data)",
        "sha256": {"all files in order": digest.hexdigest()},
    }
    if broken.skipped:
        provenance["skipped"] = broken.skipped
    name = folder.resolve().name
    return assemble(
        name,
        given,
        test_examples,
        validation_fraction=request.validation_fraction,
        seed=request.seed,
        provenance=provenance,
        class_names=names,
    )


def _parts(folder: Path) -> tuple[Path, Path | None]:
    """Return the training folder, and the test folder if there is one."""
    names = {path.name for path in _visible(folder) if path.is_dir()}
    if names == {"train", "test"}:
        return folder / "train", folder / "test"
    return (folder / "train", None) if names == {"train"} else (folder, None)


def _visible(folder: Path) -> list[Path]:
    """Return the entries of a folder that are not hidden, sorted by name."""
    try:
        found = [p for p in folder.iterdir() if p.name[0] != "." and p.name.lower() not in _SYSTEM_FILES]
    except OSError as error:
        raise DataError(f"{folder}: cannot be read ({error.strerror or error}); give a readable folder") from error
    return sorted(found, key=lambda path: path.name)


def _class_names(folder: Path) -> list[str]:
    """Return the names of the classes: in numerical order if all are numbers, else alphabetically."""
    names = [path.name for path in _visible(folder) if path.is_dir()]
    if len(names) < 2:
        found = f"only {names[0]}" if names else "no sub-folder"
        raise DataError(f"{folder}: has {found}; expected two classes or more: {EXPECTED}")
    return sorted(names, key=int) if all(name.isdecimal() for name in names) else names


def _headers(folder: Path, names: Sequence[str], broken: _Broken) -> list[_File]:
    """Read the headers of all images of a folder."""
    for path in _visible(folder):
        if not path.is_dir():
            broken.found(path, "is beside the classes' folders")
        elif path.name not in names:
            raise DataError(f"{path}: there is no training class of that name; expected {', '.join(names[:10])}")
    files: list[_File] = []
    for label, name in enumerate(names):
        before = len(files)
        for path in _visible(folder / name) if (folder / name).is_dir() else ():
            try:
                files.append(_header(path, label))
            except DataError as error:
                broken.found(path, _problem(path, error))
        if len(files) == before and folder.name != "test":
            raise DataError(f"{folder / name}: the class {name!r} has no image; add some, or remove the folder")
    if not files:
        raise DataError(f"{folder}: has no images; add some, or remove the folder")
    return files


def _header(path: Path, label: int) -> _File:
    if path.is_dir():
        raise DataError("is a folder within a class; expected images")
    content, name = read_content(path)
    with damage_named(name):
        image = open_image(content, name)
        width, height = image.size
        return _File(path, label, (height, width) if lies_on_its_side(image) else (width, height), is_grey(image))


def _problem(path: Path, error: DataError) -> str:
    """Return what is wrong with a file, without its name and without advice for a single image."""
    return str(error).removeprefix(f"{path}: ").partition("; ")[0]


def _decoded(
    name: str, files: Sequence[_File], size: tuple[int, int], channels: int, broken: _Broken, digest: Any
) -> Examples:
    """Decode the images, and hash their files."""
    width, height = size
    if len(files) * width * height * channels > LARGEST_CONTENT:
        raise DataError(
            f"{broken.root}: {len(files):,} images of {width} x {height} x {channels} are more than "
            f"{LARGEST_CONTENT:,} bytes; make them smaller"
        )
    images: UInt8 = np.empty((len(files), height, width, channels), np.uint8)
    labels: list[int] = []
    for file in files:
        if file.size != size:
            problem = f"is {file.size[0]} x {file.size[1]} pixels, and most images are {width} x {height}"
            broken.found(file.path, problem)
            continue
        try:
            content, shown = read_content(file.path)
            with damage_named(shown):
                images[len(labels)] = pixels_of(open_image(content, shown), channels, turned=True)
        except DataError as error:
            broken.found(file.path, _problem(file.path, error))
            continue
        digest.update(hashlib.sha256(content).digest())
        labels.append(file.label)
    return Examples(name, images[: len(labels)], np.array(labels, np.int64))


def _check_classes(folder: Path, given: Examples, names: Sequence[str]) -> None:
    """Raise DataError if skipping files has left a class empty."""
    for label in range(len(names)):
        if not (given.labels == label).any():
            raise DataError(
                f"{folder / names[label]}: no image of the class {names[label]!r} is left; repair them, or remove "
                "the folder"
            )


def recognises(path: Path) -> bool:
    """Whether the path is a folder that contains a folder."""
    return path.is_dir() and any(child.is_dir() for child in _visible(path))


def verify(folder: Path) -> list[VerifiedFile]:
    """Decode every image: one entry per class, and one per file that is broken or of another size."""
    train_folder, test_folder = _parts(folder)
    names = _class_names(train_folder)
    broken = _Broken(folder, skip=True)
    checked = []
    size = None
    for part in (train_folder, test_folder):
        if part is None:
            continue
        files = _headers(part, names, broken)
        size = size or Counter(file.size for file in files).most_common(1)[0][0]
        checked += list(_verified(part, names, files, size, broken))
    for line in broken.skipped:
        name, _, problem = line.partition(": ")
        checked.append(VerifiedFile(name, "", None, ok=False, items=0, place="folder", problem=f"{problem}; {_SKIP}"))
    return checked


def _verified(
    part: Path, names: Sequence[str], files: Sequence[_File], size: tuple[int, int], broken: _Broken
) -> Iterator[VerifiedFile]:
    channels = 1 if all(file.grey for file in files) else 3
    for label, name in enumerate(names):
        digest = hashlib.sha256()
        found = _decoded(name, [file for file in files if file.label == label], size, channels, broken, digest)
        shown = str((part / name).relative_to(broken.root))
        yield VerifiedFile(shown, digest.hexdigest(), None, ok=True, items=len(found), place="folder")


FORMAT = Format(EXPECTED, recognises, load, verify, skips=True)
