"""What a source of data is: a few functions and a name."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

from ...typing import Shape
from ..dataset import Dataset


@dataclasses.dataclass(frozen=True)
class Request:
    """How a data set is to be loaded.

    Attributes
    ----------
    validation_fraction
        Share of the training images that validates.
    seed
        Of the splits.
    skip_broken
        Leave out what cannot be read and name it in the provenance, rather than refuse the whole.
    """

    validation_fraction: float = 0.1
    seed: int = 0
    skip_broken: bool = False


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
        The sum pinned for it; None if none is (one's own data).
    ok
        Whether all is as it should be.
    items
        How many images or labels it holds; 0 if that could not be found out.
    place
        ``"archive"`` (part of the package), ``"system"`` (installed for everybody), ``"cache"`` (the user's copy) or
        ``"folder"`` (one's own).
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
        What `load` takes.
    title
        What it is, in a few words.
    train_images, test_images
        How many there are; validation images are among those for training.
    image_shape
        (H, W, C).
    classes
        How many.
    licence, origin
        As commonly stated.
    ready
        Whether it can be loaded here and now.
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


@dataclasses.dataclass(frozen=True)
class Source:
    """A data set known by name.

    Attributes
    ----------
    name
        What `load` takes.
    load
        How it is to be loaded -> Dataset.
    verify
        () -> one entry a file.
    listing
        () -> its line in the list.
    fetch
        (what to call with a line before each download) -> the files in the user's cache; None where there is nothing to
        download.
    """

    name: str
    load: Callable[[Request], Dataset]
    verify: Callable[[], list[VerifiedFile]]
    listing: Callable[[], Listing]
    fetch: Callable[[Callable[[str], object]], list[Path]] | None = None


@dataclasses.dataclass(frozen=True)
class Format:
    """A way in which a file or a folder can hold somebody's own data.

    Attributes
    ----------
    expected
        What such a file or folder holds, for the message when no format fits.
    recognises
        Whether a path looks as if it were meant to be of this format.
    load
        (path, how it is to be loaded) -> Dataset.
    verify
        (path) -> one entry a file.
    skips
        Whether it can leave out what is broken.
    """

    expected: str
    recognises: Callable[[Path], bool]
    load: Callable[[Path, Request], Dataset]
    verify: Callable[[Path], list[VerifiedFile]]
    skips: bool = False
