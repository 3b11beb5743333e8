"""MNIST, which is part of the package: nothing is downloaded. Origin and licence: ``archive/README.md``."""

from __future__ import annotations

from pathlib import Path

from .. import idx
from ..assemble import assemble
from ..dataset import Dataset
from ..identity import ContentSums, identity
from .pinned import PinnedFile, PinnedSet
from .source import Listing, Request, Source, VerifiedFile

ARCHIVE = Path(__file__).parent.parent / "archive"
LICENCE = "CC BY-SA 3.0 (as commonly stated)"
ORIGIN = "LeCun, Cortes, Burges: The MNIST database, from NIST Special Databases 1 and 3"
_ADVICE = "install convlens again"

FILES = PinnedSet(
    "",
    PinnedFile(
        "train-images-idx3-ubyte.gz",
        idx.IMAGES,
        60_000,
        "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    ),
    PinnedFile(
        "train-labels-idx1-ubyte.gz",
        idx.LABELS,
        60_000,
        "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    ),
    PinnedFile(
        "t10k-images-idx3-ubyte.gz",
        idx.IMAGES,
        10_000,
        "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    ),
    PinnedFile(
        "t10k-labels-idx1-ubyte.gz",
        idx.LABELS,
        10_000,
        "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
    ),
)

_TRAIN, _TEST = (
    ContentSums(images.sha256, labels.sha256)
    for images, labels in ((FILES.train_images, FILES.train_labels), (FILES.test_images, FILES.test_labels))
)
SHA256 = FILES.identity([*"0123456789"])
# of data sets that are MNIST, wherever they were read from: both its sets, or only one of them
IDENTITIES = frozenset((SHA256, *(identity(part, None, [*"0123456789"]) for part in (_TRAIN, _TEST))))


def load(request: Request) -> Dataset:
    """Load MNIST: by default 54,000 images for training and 6,000 for validation, and 10,000 for the test.

    Raises
    ------
    DataError
        If a file of the archive is missing or not the published one.
    ConfigurationError
        If fraction or seed is out of range.
    """
    train, test = FILES.examples(ARCHIVE, _ADVICE)
    provenance = {
        "source": ORIGIN,
        "licence": LICENCE,
        "sha256": {file.name: file.sha256 for file in FILES.files},
    }
    return assemble(
        "mnist", train, test, validation_fraction=request.validation_fraction, seed=request.seed, provenance=provenance
    )


def verify() -> list[VerifiedFile]:
    """Compute the SHA-256 of the archive's four files, and of their unpacked copies in the cache."""
    return FILES.verified(ARCHIVE, "archive", _ADVICE)


def listing() -> Listing:
    """Describe MNIST without reading it."""
    return Listing(
        name="mnist",
        title="handwritten digits, white on black",
        train_images=FILES.train_images.items,
        test_images=FILES.test_images.items,
        image_shape=(28, 28, 1),
        classes=10,
        licence=LICENCE,
        origin=ORIGIN,
        ready=FILES.lies_in(ARCHIVE),
        sha256=SHA256,
        how=_ADVICE,
    )


SOURCE = Source("mnist", load, verify, listing)
