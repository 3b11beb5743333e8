"""Fashion-MNIST: ten kinds of clothing, with MNIST's image size and number of images. Not part of the package.

It is looked for where Debian's package ``dataset-fashion-mnist`` installs it, then in the user's cache, to which
``convlens data fetch fashion-mnist`` downloads it. In either place its content must have the pinned SHA-256 sums.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from ...errors import ConfigurationError, DataError
from ...files import cache_folder
from .. import idx
from ..assemble import assemble
from ..dataset import Dataset
from ..download import download
from .pinned import PinnedFile, PinnedSet
from .source import Listing, Request, Source, VerifiedFile

NAME = "fashion-mnist"
SYSTEM = Path("/usr/share/datasets/fashion-mnist")
MIRRORS = (
    "https://github.com/zalandoresearch/fashion-mnist/raw/master/data/fashion/",
    "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
)
LICENCE = "MIT"
ORIGIN = "Xiao, Rasul, Vollgraf: Fashion-MNIST, arXiv:1708.07747 (Zalando SE)"
CLASS_NAMES = (
    "T-shirt/top",
    "trouser",
    "pullover",
    "dress",
    "coat",
    "sandal",
    "shirt",
    "sneaker",
    "bag",
    "ankle boot",
)
_LARGEST_FILE = 64 * 2**20  # bytes, compressed; the largest of the four has 26 million

FILES = PinnedSet(
    "fashion-",
    PinnedFile(
        "train-images-idx3-ubyte.gz",
        idx.IMAGES,
        60_000,
        "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
    ),
    PinnedFile(
        "train-labels-idx1-ubyte.gz",
        idx.LABELS,
        60_000,
        "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
    ),
    PinnedFile(
        "t10k-images-idx3-ubyte.gz",
        idx.IMAGES,
        10_000,
        "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
    ),
    PinnedFile(
        "t10k-labels-idx1-ubyte.gz",
        idx.LABELS,
        10_000,
        "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
    ),
)
SHA256 = FILES.identity(CLASS_NAMES)


def load(request: Request) -> Dataset:
    """Load Fashion-MNIST from this computer; nothing is downloaded.

    Raises
    ------
    DataError
        If it is not on this computer (the message says how to get it), or a file is not the published one.
    ConfigurationError
        If fraction or seed is out of range.
    """
    folder, _, advice = _found()
    train, test = FILES.examples(folder, advice)
    provenance = {
        "source": ORIGIN,
        "licence": LICENCE,
        "sha256": {file.name: file.sha256 for file in FILES.files},
    }
    return assemble(
        NAME,
        train,
        test,
        validation_fraction=request.validation_fraction,
        seed=request.seed,
        provenance=provenance,
        class_names=CLASS_NAMES,
    )


def fetch(report: Callable[[str], object]) -> list[Path]:
    """Download the files that the user's cache lacks; each is verified before it is kept.

    Nothing is downloaded if the system has them all.

    Parameters
    ----------
    report
        Called with a line before each download.

    Returns
    -------
    list[Path]
        The four files, in the cache or where the system has them.

    Raises
    ------
    DataError
        If they cannot be downloaded, or a downloaded file is not the published one.
    ConfigurationError
        If there is no cache folder.
    OutputError
        If the cache cannot be written.
    """
    if FILES.lies_in(SYSTEM) and all(file.verified(SYSTEM, "system", "").ok for file in FILES.files):
        report(f"{NAME} is installed in {SYSTEM}")
        return [SYSTEM / file.name for file in FILES.files]
    folder = _cached()
    if folder is None:
        raise ConfigurationError(f"there is no cache folder to keep {NAME} in; name one in CONVLENS_CACHE")
    for file in FILES.files:
        if not file.verified(folder, "cache", "").ok:
            report(f"downloading {file.name}")
            urls = [mirror + file.name for mirror in MIRRORS]
            download(
                urls,
                folder / file.name,
                check=file.check,
                largest=_LARGEST_FILE,
                otherwise=_otherwise(),
            )
    return [folder / file.name for file in FILES.files]


def verify() -> list[VerifiedFile]:
    """Compute the SHA-256 of every file; DataError if the data set is not on this computer."""
    folder, place, advice = _found()
    return FILES.verified(folder, place, advice)


def listing() -> Listing:
    """Describe Fashion-MNIST without reading it."""
    return Listing(
        name=NAME,
        title="articles of clothing, light on black",
        train_images=FILES.train_images.items,
        test_images=FILES.test_images.items,
        image_shape=(28, 28, 1),
        classes=len(CLASS_NAMES),
        licence=LICENCE,
        origin=ORIGIN,
        ready=any(FILES.lies_in(folder) for folder, _, _ in _places()),
        sha256=SHA256,
        how=f"apt install dataset-{NAME}, or convlens data fetch {NAME}",
    )


def _places() -> list[tuple[Path, str, str]]:
    """Return the folders to look in, in order, each with its name and advice about a wrong file there."""
    again = f"delete it and run 'convlens data fetch {NAME}'"
    cached = _cached()
    system = (SYSTEM, "system", "install the package dataset-fashion-mnist again, or remove it")
    return [system] if cached is None else [system, (cached, "cache", again)]


def _found() -> tuple[Path, str, str]:
    for place in _places():
        if FILES.lies_in(place[0]):
            return place
    raise DataError(
        f"{NAME} is not on this computer; 'convlens data fetch {NAME}' downloads it (30 MB), or {_otherwise()}"
    )


def _cached() -> Path | None:
    folder = cache_folder()
    return None if folder is None else folder / NAME


def _otherwise() -> str:
    """Say how to get the data set by other means."""
    return (
        f"install Debian's package dataset-fashion-mnist, or copy the files {FILES.train_images.name} and so on from "
        f"another computer into {_cached() or 'a folder'}"
    )


SOURCE = Source(NAME, load, verify, listing, fetch)
