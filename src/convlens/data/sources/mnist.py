"""MNIST, which is part of the package: nothing is downloaded. Origin and licence: ``archive/README.md``."""

from __future__ import annotations

import dataclasses
import hashlib
from pathlib import Path

import numpy as np

from ...errors import DataError
from ...typing import UInt8
from .. import cache, idx
from ..assemble import assemble
from ..dataset import Dataset, Examples
from .source import Listing, Source, VerifiedFile

ARCHIVE = Path(__file__).parent.parent / "archive"
LICENCE = "CC BY-SA 3.0 (as commonly stated)"
ORIGIN = "LeCun, Cortes, Burges: The MNIST database, from NIST Special Databases 1 and 3"


@dataclasses.dataclass(frozen=True)
class _File:
    """One file of the archive, and the SHA-256 of its unpacked content."""

    name: str
    dimensions: int
    items: int
    sha256: str

    @property
    def path(self) -> Path:
        return ARCHIVE / self.name

    @property
    def copy_name(self) -> str:
        """What its unpacked copy in the cache is called."""
        return self.name.removesuffix(".gz")

    def unpack(self) -> UInt8:
        """Read the file in full and compare its sum."""
        content = idx.read_content(self.path, self.dimensions)
        found = _sum(content)
        if found != self.sha256:
            raise DataError(
                f"{self.path}: is not the file convlens was published with (SHA-256 of its content {found}, "
                f"expected {self.sha256}); install convlens again"
            )
        return content


_TRAIN_IMAGES = _File(
    "train-images-idx3-ubyte.gz",
    idx.IMAGES,
    60_000,
    "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
)
_TRAIN_LABELS = _File(
    "train-labels-idx1-ubyte.gz",
    idx.LABELS,
    60_000,
    "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
)
_TEST_IMAGES = _File(
    "t10k-images-idx3-ubyte.gz",
    idx.IMAGES,
    10_000,
    "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
)
_TEST_LABELS = _File(
    "t10k-labels-idx1-ubyte.gz",
    idx.LABELS,
    10_000,
    "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
)
FILES = (_TRAIN_IMAGES, _TRAIN_LABELS, _TEST_IMAGES, _TEST_LABELS)


def load(validation_fraction: float, seed: int) -> Dataset:
    """Load MNIST: 54,000 images for training, 6,000 for validation, 10,000 for the test.

    Parameters
    ----------
    validation_fraction
        Share of the 60,000 that validates; 0.1 gives the numbers above.
    seed
        Of that split.

    Raises
    ------
    DataError
        If a file of the archive is missing or not the one published.
    ConfigurationError
        If fraction or seed is out of range.
    """
    return assemble(
        "mnist",
        _examples("train", _TRAIN_IMAGES, _TRAIN_LABELS),
        _examples("test", _TEST_IMAGES, _TEST_LABELS),
        validation_fraction=validation_fraction,
        seed=seed,
        provenance={
            "source": ORIGIN,
            "licence": LICENCE,
            "sha256": {file.name: file.sha256 for file in FILES},
        },
    )


def _examples(name: str, images: _File, labels: _File) -> Examples:
    # Only images are worth a copy in the cache; labels unpack in less time than a file takes to open.
    content = cache.unpacked(images.copy_name, images.sha256, images.unpack)
    pixels = idx.parse(content, idx.IMAGES, images.path)[..., np.newaxis]
    return Examples(name, pixels, idx.parse(labels.unpack(), idx.LABELS, labels.path))


def verify() -> list[VerifiedFile]:
    """Compute every sum in full: the archive's four files, and their unpacked copies where there are any."""
    archive = [_verified(file) for file in FILES]
    copies = [_verified_copy(file) for file in FILES]
    return archive + [copy for copy in copies if copy is not None]


def _verified(file: _File) -> VerifiedFile:
    try:
        content = idx.read_content(file.path, file.dimensions)
    except DataError as error:
        return VerifiedFile(file.name, "", file.sha256, ok=False, items=0, place="archive", problem=str(error))
    found = _sum(content)
    items = len(idx.parse(content, file.dimensions, file.path))
    problem = "" if found == file.sha256 else "not the file convlens was published with; install convlens again"
    return VerifiedFile(file.name, found, file.sha256, not problem, items, "archive", problem)


def _verified_copy(file: _File) -> VerifiedFile | None:
    found = cache.check_copy(file.copy_name, file.sha256)
    if found is None:
        return None
    problem = (
        ""
        if found == file.sha256
        else "the unpacked copy was damaged and is deleted; it is made again when next needed"
    )
    return VerifiedFile(file.copy_name, found, file.sha256, not problem, 0 if problem else file.items, "cache", problem)


def listing() -> Listing:
    """Describe MNIST without reading it."""
    return Listing(
        name="mnist",
        title="handwritten digits, white on black",
        train_images=_TRAIN_IMAGES.items,
        test_images=_TEST_IMAGES.items,
        image_shape=(28, 28, 1),
        classes=10,
        licence=LICENCE,
        origin=ORIGIN,
        ready=all(file.path.is_file() for file in FILES),
    )


def _sum(content: UInt8) -> str:
    return hashlib.sha256(content.data).hexdigest()


SOURCE = Source("mnist", load, verify, listing)
