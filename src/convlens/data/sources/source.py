"""The interface of a data source: a name and a few functions."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

from ...preprocessing import Intake
from ...typing import Shape
from ..dataset import Dataset


@dataclasses.dataclass(frozen=True)
class Like:
    """What pictures are made like: the training images of a model, or those of another data set.

    Attributes
    ----------
    input_shape
        (H, W, C).
    intake
        How they were read.
    """

    input_shape: tuple[int, int, int]
    intake: Intake


@dataclasses.dataclass(frozen=True)
class Request:
    """How to load a data set.

    Attributes
    ----------
    validation_fraction
        Share of the training images used for validation.
    seed
        Of the splits.
    skip_broken
        Leave out files that cannot be read and name them in the provenance, instead of raising an error.
    resize
        (H, W) that pictures are resized to; None: not asked for.
    like
        What pictures must be made like; None: this is found out from the pictures.
    pixel_range
        Black and white in a table of pixels, as recorded by a model trained on such tables: used where a table's own
        values do not show it.
    """

    validation_fraction: float = 0.1
    seed: int = 0
    skip_broken: bool = False
    resize: tuple[int, int] | None = None
    like: Like | None = None
    pixel_range: tuple[float, float] | None = None


@dataclasses.dataclass(frozen=True)
class VerifiedFile:
    """What a full check of one file found.

    Attributes
    ----------
    name
        The file's name.
    sha256
        Of its unpacked content; empty if it could not be unpacked.
    expected
        The SHA-256 pinned for it; None for the user's own data.
    ok
        Whether the file is as expected.
    items
        Number of images or labels it holds; 0 if unknown.
    place
        ``"archive"`` (part of the package), ``"system"`` (installed for all users), ``"cache"`` (the user's copy) or
        ``"folder"`` (the user's own data).
    problem
        What is wrong and what to do, if anything is.
    """

    name: str
    sha256: str
    expected: str | None
    ok: bool
    items: int
    place: str
    problem: str = ""


@dataclasses.dataclass(frozen=True)
class Listing:
    """One line of ``convlens data list``.

    Attributes
    ----------
    name
        The name for `load`.
    title
        What it is, in a few words.
    train_images, test_images
        Number of images; the training images include those for validation.
    image_shape
        (H, W, C).
    classes
        Number of classes.
    licence, origin
        As commonly stated.
    ready
        Whether it can be loaded without a download.
    sha256
        `Dataset.sha256`, where the content is pinned, so that a study can name the data without reading them; None
        where they must be read.
    how
        How to get it where it is not ready: ``"apt install dataset-fashion-mnist, or ..."``.
    """

    name: str
    title: str
    train_images: int
    test_images: int
    image_shape: Shape
    classes: int
    licence: str
    origin: str
    ready: bool
    sha256: str | None = None
    how: str = ""


@dataclasses.dataclass(frozen=True)
class Source:
    """A data set known by name.

    Attributes
    ----------
    name
        The name for `load`.
    load
        request -> Dataset.
    verify
        () -> one entry per file.
    listing
        () -> its line in the list.
    fetch
        report -> the files in the user's cache; `report` is called with a line before each download. None if there is
        nothing to download.
    """

    name: str
    load: Callable[[Request], Dataset]
    verify: Callable[[], list[VerifiedFile]]
    listing: Callable[[], Listing]
    fetch: Callable[[Callable[[str], object]], list[Path]] | None = None


@dataclasses.dataclass(frozen=True)
class Format:
    """A format of files or folders with the user's own data.

    Attributes
    ----------
    expected
        What a file or folder of this format holds, for the message when no format fits.
    recognises
        path -> whether it seems meant to be of this format.
    load
        (path, request) -> Dataset.
    verify
        path -> one entry per file.
    pictures
        Whether it consists of picture files: broken ones can be left out, and all can be resized.
    """

    expected: str
    recognises: Callable[[Path], bool]
    load: Callable[[Path, Request], Dataset]
    verify: Callable[[Path], list[VerifiedFile]]
    pictures: bool = False
