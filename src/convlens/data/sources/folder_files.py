"""The image files of a folder: which can be used, and which size most of them have, by their headers alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ...errors import DataError
from ...pictures.image_file import Header, header_of
from ...pictures.problem import PictureError
from .folder_layout import Layout, Part, entries, part_of
from .source import Request

LARGEST_IMAGE = 2**20  # pixels of one training image: a network on larger ones needs gigabytes
SKIP = "repair or remove it, or skip such files: skip_broken=True, --skip-broken"
RESIZE = "for instance resize=64, --resize 64"


@dataclass(frozen=True)
class SkippedFile:
    """A file that was left out, by its path below the folder, and why."""

    name: str
    problem: str


@dataclass
class Broken:
    """What to do about a file that cannot be used: raise, or note it and go on."""

    root: Path
    skip: bool
    skipped: list[SkippedFile] = field(default_factory=list)

    def found(self, path: Path, problem: str, advice: str = SKIP) -> None:
        """Raise DataError, or note the file."""
        if not self.skip:
            raise DataError(f"{path}: {problem}; {advice}")
        self.skipped.append(SkippedFile(str(path.relative_to(self.root)), problem))


class File(NamedTuple):
    """A file and what its header says."""

    path: Path
    label: int
    header: Header


def headers(layout: Layout, part: Part, broken: Broken, notes: list[str]) -> list[File]:
    """Read the headers of all files of a part."""
    files: list[File] = []
    without = []
    for label, name in enumerate(layout.names):
        before = len(files)
        if name in layout.classes[part]:
            files += _class_headers(layout.classes[part][name], label, broken, layout)
        if len(files) == before:
            without.append(name)
    if without and part == "train":
        folder = layout.classes[part][without[0]]
        raise DataError(f"{folder}: the class {without[0]!r} has no image; add some, or remove the folder")
    if not files:
        raise DataError(f"{layout.parts[part]}: has no images; add some, or remove the folder")
    if without:
        notes.append(f"{layout.parts[part].name} has no image of {', '.join(without[:10])}")
    return files


def _class_headers(folder: Path, label: int, broken: Broken, layout: Layout) -> Iterator[File]:
    found = entries(folder)
    layout.passed_over.extend(found.passed_over)
    for path in found.folders:
        if part_of(path) is not None:
            raise DataError(
                f"{folder}: holds {path.name}/ within a class; expected the classes within the parts: "
                f"{path.name}/{folder.name}"
            )
        broken.found(path, "is a folder within a class", f"move its images into {folder.name}, or {SKIP}")
    for path in found.files:
        try:
            yield File(path, label, header_of(path))
        except PictureError as error:
            broken.found(path, error.problem)


def common_size(folder: Path, files: Sequence[File], request: Request) -> tuple[int, int]:
    """Return width and height for all images; DataError if they have nothing in common, or are too large."""
    if request.resize is not None:
        height, width = request.resize
        return width, height
    if request.like is not None:
        height, width, _ = request.like.input_shape
        return width, height
    (size, count), *others = Counter(file.header.size for file in files).most_common()
    if 2 * count <= len(files) and others:
        smallest, largest = (
            "{:,} x {:,}".format(*pick((s for s, _ in (*others, (size, count))), key=np.prod)) for pick in (min, max)
        )
        raise DataError(
            f"{folder}: its {len(files):,} images are of {len(others) + 1} sizes, from {smallest} to {largest} pixels; "
            f"have them resized, {RESIZE}: each is scaled to cover that size, and the middle is cut out"
        )
    if size[0] * size[1] > LARGEST_IMAGE:
        raise DataError(
            f"{folder}: its images are of {size[0]:,} x {size[1]:,} pixels, and a network is trained on "
            f"{LARGEST_IMAGE:,} at most; have them resized, {RESIZE}"
        )
    return size


def of_size(files: Sequence[File], size: tuple[int, int], broken: Broken, *, modelled: bool) -> list[File]:
    """Return the files of a size, that of most images or of a model; the others are broken."""
    width, height = size
    expected = f"{'the model takes' if modelled else 'most images are'} {width:,} x {height:,}"
    option = f"resize=({height}, {width}), --resize {height}x{width}" if modelled else RESIZE
    kept = []
    for file in files:
        if file.header.size == size:
            kept.append(file)
            continue
        found = "{:,} x {:,}".format(*file.header.size)
        advice = f"{SKIP}; or have all images resized, {option}"
        broken.found(file.path, f"is {found} pixels, and {expected}", advice)
    return kept
