"""Read the images of a folder: one size, grey or colour, and one value of white for all of them.

What the files have in common decides, never a single file: the size most of them have, whether most of them show
colours, and the largest value in all files with more than eight bits a channel.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ...errors import DataError
from ...pictures.conversion import with_channels
from ...pictures.depth import FULL, Depth, white_of
from ...pictures.image_file import Header, decoded, depth_of_content, header_of, read_content
from ...pictures.problem import PictureError
from ...preprocessing import Intake
from ...typing import UInt8
from ..dataset import Examples
from ..idx import LARGEST_CONTENT
from .folder_layout import Layout, Part, entries, part_of
from .source import Request

LARGEST_IMAGE = 2**20  # pixels of one training image: a network on larger ones needs gigabytes
SKIP = "repair or remove it, or skip such files: skip_broken=True, --skip-broken"

_RESIZE = "for instance resize=64, --resize 64"
_COLOURED = 3  # the largest difference between the channels of a grey image that was saved in colour, with losses
_DARK = 64  # a whole set whose brightest pixel is below this is all but black
_APART = 16  # how many times as bright white may be in one part as in another


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


class _File(NamedTuple):
    """A file and what its header says."""

    path: Path
    label: int
    header: Header


@dataclass
class PartImages:
    """The images of one part, the files they came from, and the SHA-256 of each file."""

    examples: Examples
    paths: list[Path]
    sums: list[bytes]


@dataclass
class FolderImages:
    """All images of a folder, how they were read, and what is to be said about that."""

    parts: dict[Part, PartImages]
    intake: Intake
    notes: list[str]
    skipped: list[SkippedFile]


class _Plan(NamedTuple):
    """How all images are read: (width, height), channels if they are given, and intake."""

    size: tuple[int, int]
    channels: int | None
    intake: Intake


def read_images(folder: Path, layout: Layout, request: Request) -> FolderImages:
    """Read all images of a folder.

    Raises
    ------
    DataError
        If a file cannot be used (and `skip_broken` is not set), a class is left without an image, the images have no
        common size, or they would take too much memory.
    """
    broken, notes = Broken(folder, request.skip_broken), list[str]()
    files = {part: _headers(layout, part, broken, notes) for part in layout.parts}
    everything = [file for part in files.values() for file in part]
    size = _size(folder, everything, request)
    resize = request.resize is not None or (request.like is not None and request.like.intake.resize)
    if not resize:
        files = {part: _of_size(one, size, broken, modelled=request.like is not None) for part, one in files.items()}
    elif odd := sum(file.header.size != size for file in everything):
        notes.append(
            f"{odd:,} of {len(everything):,} images were resized to {size[0]} x {size[1]} pixels: scaled to cover that "
            "size, the middle cut out"
        )
    white = FULL if request.like is None else request.like.intake.white
    if request.like is None:
        white = _white(folder, files, notes)
    channels = None if request.like is None else request.like.input_shape[2]
    plan = _Plan(size, channels, Intake(resize=resize, white=white))
    parts = _decoded(files, plan, broken, notes, folder)
    _check_classes(layout, parts["train"].examples)
    brightest = max(int(part.examples.images.max(initial=0)) for part in parts.values())
    if brightest < _DARK:
        notes.append(f"the images are all but black: the brightest pixel of all is {brightest} of 255; brighten them")
    return FolderImages(parts, plan.intake, notes, broken.skipped)


def _headers(layout: Layout, part: Part, broken: Broken, notes: list[str]) -> list[_File]:
    """Read the headers of all files of a part."""
    files: list[_File] = []
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


def _class_headers(folder: Path, label: int, broken: Broken, layout: Layout) -> Iterator[_File]:
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
            yield _File(path, label, header_of(path))
        except PictureError as error:
            broken.found(path, error.problem)


def _size(folder: Path, files: Sequence[_File], request: Request) -> tuple[int, int]:
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
            f"have them resized, {_RESIZE}: each is scaled to cover that size, and the middle is cut out"
        )
    if size[0] * size[1] > LARGEST_IMAGE:
        raise DataError(
            f"{folder}: its images are of {size[0]:,} x {size[1]:,} pixels, and a network is trained on "
            f"{LARGEST_IMAGE:,} at most; have them resized, {_RESIZE}"
        )
    return size


def _of_size(files: Sequence[_File], size: tuple[int, int], broken: Broken, *, modelled: bool) -> list[_File]:
    """Return the files of a size, that of most images or of a model; the others are broken."""
    width, height = size
    expected = f"{'the model takes' if modelled else 'most images are'} {width:,} x {height:,}"
    option = f"resize=({height}, {width}), --resize {height}x{width}" if modelled else _RESIZE
    kept = []
    for file in files:
        if file.header.size == size:
            kept.append(file)
            continue
        found = "{:,} x {:,}".format(*file.header.size)
        advice = f"{SKIP}; or have all images resized, {option}"
        broken.found(file.path, f"is {found} pixels, and {expected}", advice)
    return kept


def _white(folder: Path, files: dict[Part, list[_File]], notes: list[str]) -> int:
    """Find out what is white in files with more than eight bits a channel."""
    depths = {part: list(_depths(one)) for part, one in files.items()}
    everything = [depth for part in depths.values() for depth in part]
    white = white_of(everything, str(folder))
    deep = [depth for depth in everything if depth.kind != "colour"]
    if not deep:
        return white
    for part, found in depths.items():
        if found and _APART * white_of(found, str(folder)) <= white and any(depth.most > 0 for depth in found):
            raise DataError(
                f"{folder}: the images of {part} have values up to {max(depth.most for depth in found):,.6g}, and "
                f"{white:,} seems to be white in others; convert all images to eight bits a channel"
            )
    notes.append(
        f"{len(deep):,} of {sum(map(len, files.values())):,} images have more than eight bits a channel, with values "
        f"up to {max(depth.most for depth in deep):,.6g}: {white:,} was taken for white"
    )
    return white


def _depths(files: Sequence[_File]) -> Iterator[Depth]:
    """Yield the values of deep files; what is broken is found out when it is decoded."""
    for file in files:
        if file.header.deep:
            try:
                yield depth_of_content(*read_content(file.path))
            except PictureError:
                continue


def _decoded(
    files: dict[Part, list[_File]], plan: _Plan, broken: Broken, notes: list[str], folder: Path
) -> dict[Part, PartImages]:
    """Decode all images, and decide whether they are grey or in colour if the plan leaves it open."""
    everything = [file for part in files.values() for file in part]
    coloured_modes = sum(not file.header.grey for file in everything)
    channels = plan.channels or (3 if 2 * coloured_modes >= max(len(everything), 1) else 1)
    _check_memory(folder, len(everything), plan.size, channels)
    coloured: list[Path] = []
    parts = {part: _decoded_part(part, one, plan, channels, broken, coloured) for part, one in files.items()}
    kept = sum(len(part.paths) for part in parts.values())
    if plan.channels is None and channels == 3 and 2 * len(coloured) < kept:
        channels = 1
        for part in parts.values():
            part.examples = Examples(part.examples.name, _grey(part.examples), part.examples.labels)
    exceptions = coloured if channels == 1 else []
    if exceptions:
        notes.append(
            f"{len(exceptions):,} of {kept:,} images show colours and were made grey, as the others are: "
            f"{_shown(exceptions, broken.root)}"
        )
    elif channels == 3 and len(coloured) < kept and plan.channels is None:
        notes.append(f"{kept - len(coloured):,} of {kept:,} images are grey; all were read in colour, as most are")
    return parts


def _grey(examples: Examples) -> UInt8:
    grey: UInt8 = np.empty((*examples.images.shape[:3], 1), np.uint8)
    for number, image in enumerate(examples.images):
        grey[number] = with_channels(image, 1)
    return grey


def _decoded_part(
    part: Part, files: Sequence[_File], plan: _Plan, channels: int, broken: Broken, coloured: list[Path]
) -> PartImages:
    """Decode the images of a part, and note those that show colours."""
    width, height = plan.size
    images: UInt8 = np.empty((len(files), height, width, channels), np.uint8)
    labels, kept, sums = list[int](), list[Path](), list[bytes]()
    for file in files:
        try:
            content, name = read_content(file.path)
            natural = decoded(content, name, plan.size, plan.intake.white)
        except PictureError as error:
            broken.found(file.path, error.problem)
            continue
        if _shows_colours(natural):
            coloured.append(file.path)
        images[len(labels)] = with_channels(natural, channels)
        labels.append(file.label)
        kept.append(file.path)
        sums.append(hashlib.sha256(content).digest())
    return PartImages(Examples(part, images[: len(labels)], np.array(labels, np.int64)), kept, sums)


def _shows_colours(pixels: UInt8) -> bool:
    if pixels.shape[-1] == 1:
        return False
    red, green, blue = pixels[..., 0], pixels[..., 1], pixels[..., 2]  # quicker than np.ptp along so short an axis
    highest, lowest = np.maximum(np.maximum(red, green), blue), np.minimum(np.minimum(red, green), blue)
    return int((highest - lowest).max()) > _COLOURED


def _check_memory(folder: Path, count: int, size: tuple[int, int], channels: int) -> None:
    needed = count * size[0] * size[1] * channels
    if needed > LARGEST_CONTENT:
        raise DataError(
            f"{folder}: {count:,} images of {size[0]:,} x {size[1]:,} x {channels} would take {needed / 2**30:,.1f} "
            f"GiB, more than the limit of {LARGEST_CONTENT / 2**30:g} GiB; have them resized, {_RESIZE}"
        )


def _check_classes(layout: Layout, given: Examples) -> None:
    """Raise DataError if skipping files has left a class empty."""
    for label, name in enumerate(layout.names):
        if not (given.labels == label).any():
            raise DataError(
                f"{layout.classes['train'][name]}: no image of the class {name!r} is left; repair them, or remove "
                "the folder"
            )


def _shown(paths: Sequence[Path], root: Path) -> str:
    names = [str(path.relative_to(root)) for path in paths[:5]]
    return ", ".join(names) + (f" and {len(paths) - 5:,} more" if len(paths) > 5 else "")
