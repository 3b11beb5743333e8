"""Read the images of a folder: one size, grey or colour, and one value of white for all of them.

What the files have in common decides, never a single file: the size most of them have, whether most of them show
colours, and the largest value in all files with more than eight bits a channel.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ...errors import DataError
from ...pictures.conversion import with_channels
from ...pictures.depth import FULL, Depth, white_of
from ...pictures.image_file import decoded, depth_of_content, read_content
from ...pictures.problem import PictureError
from ...preprocessing import Intake
from ...typing import UInt8
from ..examples import Examples
from ..idx import LARGEST_CONTENT
from ..pixel_range import all_but_black
from .folder_files import RESIZE, Broken, File, SkippedFile, common_size, headers, of_size
from .folder_layout import Layout, Part
from .source import Request

_COLOURED = 3  # the largest difference between the channels of a grey image that was saved in colour, with losses
_APART = 16  # how many times as bright white may be in one part as in another


@dataclass
class PartImages:
    """The images (N, H, W, C) and labels (N,) of one part, the files they came from, and the SHA-256 of each file."""

    part: Part
    images: UInt8
    labels: list[int]
    paths: list[Path]
    sums: list[bytes]

    @property
    def examples(self) -> Examples:
        """The images with their labels."""
        return Examples(self.part, self.images, np.array(self.labels, np.int64))


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
    broken, notes = Broken(folder, request.skip_broken), list(layout.notes)
    files = {part: headers(layout, part, broken, notes) for part in layout.parts}
    everything = [file for part in files.values() for file in part]
    if several := [file.path for file in everything if file.header.several]:
        notes.append(
            f"{len(several):,} of {len(everything):,} images have several frames or pages; the first of each was read: "
            f"{_shown(several, folder)}"
        )
    size = common_size(folder, everything, request)
    resize = request.resize is not None or (request.like is not None and request.like.intake.resize)
    if not resize:
        files = {part: of_size(one, size, broken, modelled=request.like is not None) for part, one in files.items()}
    elif odd := sum(file.header.size != size for file in everything):
        notes.append(
            f"{odd:,} of {len(everything):,} images were resized to {size[0]} x {size[1]} pixels: scaled to cover that "
            "size, the middle cut out"
        )
    white = _white(folder, files, None if request.like is None else request.like.intake.white, notes)
    channels = None if request.like is None else request.like.input_shape[2]
    plan = _Plan(size, channels, Intake(resize=resize, white=white))
    parts = _decoded(files, plan, broken, notes, folder)
    if "train" in parts:
        _check_classes(layout, parts["train"].labels)
    if dark := all_but_black(max((part.images for part in parts.values()), key=len)):
        notes.append(dark)
    return FolderImages(parts, plan.intake, notes, broken.skipped)


def _white(folder: Path, files: dict[Part, list[File]], known: int | None, notes: list[str]) -> int:
    """Find out what is white in files with more than eight bits a channel.

    `known` is white in a model's training images. It is 65535 if those had eight bits; far less here then counts.
    """
    depths = {part: list(_depths(one)) for part, one in files.items()}
    everything = [depth for part in depths.values() for depth in part]
    white = white_of(everything, str(folder))
    deep = [depth for depth in everything if depth.kind != "colour"]
    if not deep:
        return white if known is None else known
    most = f"{max(depth.most for depth in deep):,.6g}"
    if known is not None and known < white:
        raise DataError(
            f"{folder}: has values up to {most}, and {known:,} is white in the model's training images; convert the "
            "images to eight bits a channel"
        )
    if known is not None and not (known == FULL and _APART * white <= FULL):
        white = known
    for part, found in depths.items():
        if found and _APART * white_of(found, str(folder)) <= white and any(depth.most > 0 for depth in found):
            raise DataError(
                f"{folder}: the images of {part} have values up to {max(depth.most for depth in found):,.6g}, and "
                f"{white:,} seems to be white in others; convert all images to eight bits a channel"
            )
    notes.append(
        f"{len(deep):,} of {sum(map(len, files.values())):,} images have more than eight bits a channel, with values "
        f"up to {most}: {white:,} was taken for white"
    )
    return white


def _depths(files: Sequence[File]) -> Iterator[Depth]:
    """Yield the values of deep files; what is broken is found out when it is decoded."""
    for file in files:
        if file.header.deep:
            try:
                yield depth_of_content(*read_content(file.path))
            except PictureError:
                continue


def _decoded(
    files: dict[Part, list[File]], plan: _Plan, broken: Broken, notes: list[str], folder: Path
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
            part.images = _grey(part.images)
    if coloured and channels == 1:
        like = "the others are" if plan.channels is None else "the model takes them"
        notes.append(
            f"{len(coloured):,} of {kept:,} images show colours and were made grey, as {like}: "
            f"{_shown(coloured, broken.root)}"
        )
    elif channels == 3 and len(coloured) < kept and plan.channels is None:
        notes.append(f"{kept - len(coloured):,} of {kept:,} images are grey; all were read in colour, as most are")
    return parts


def _grey(images: UInt8) -> UInt8:
    grey: UInt8 = np.empty((*images.shape[:3], 1), np.uint8)
    for number, image in enumerate(images):
        grey[number] = with_channels(image, 1)
    return grey


def _decoded_part(
    part: Part, files: Sequence[File], plan: _Plan, channels: int, broken: Broken, coloured: list[Path]
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
    return PartImages(part, images[: len(labels)], labels, kept, sums)


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
            f"GiB, more than the limit of {LARGEST_CONTENT / 2**30:g} GiB; have them resized, {RESIZE}"
        )


def _check_classes(layout: Layout, labels: Sequence[int]) -> None:
    """Raise DataError if skipping files has left a class empty."""
    present = set(labels)
    for label, name in enumerate(layout.names):
        if label not in present:
            raise DataError(
                f"{layout.classes['train'][name]}: no image of the class {name!r} is left; repair them, or remove "
                "the folder"
            )


def _shown(paths: Sequence[Path], root: Path) -> str:
    names = [str(path.relative_to(root)) for path in paths[:5]]
    return ", ".join(names) + (f" and {len(paths) - 5:,} more" if len(paths) > 5 else "")
