"""Data: loading, splitting, preparing and dealing out images.

Reading order: `idx` (a file) -> `sources` (a data set) -> `dataset` -> `split` -> `preprocess` -> `batches`.
"""

from __future__ import annotations

import os
from pathlib import Path

from ..errors import ConfigurationError, DataError, nearest
from .augment import Augmentation
from .batches import Batch, Batches
from .dataset import Dataset, Examples
from .encode import one_hot
from .image import read_image
from .preprocess import Preprocessing
from .sources import FOLDER_FORMATS, SOURCES, FolderFormat, Listing, Source, VerifiedFile

__all__ = [
    "Augmentation",
    "Batch",
    "Batches",
    "Dataset",
    "Examples",
    "Listing",
    "Preprocessing",
    "VerifiedFile",
    "listing",
    "load",
    "names",
    "one_hot",
    "read_image",
    "verify",
]


def load(name: str | os.PathLike[str], *, validation_fraction: float = 0.1, seed: int = 0) -> Dataset:
    """Load a data set.

    Parameters
    ----------
    name
        A name from `names`, or a folder with IDX files of your own. A name goes before a folder called the
        same (write ``./mnist`` for that).
    validation_fraction
        Share of the training images kept for validation, stratified.
    seed
        Of the split; apart from any training seed, so that runs with different seeds are judged by the same
        images.

    Returns
    -------
    Dataset
        With ``train``, ``validation`` and ``test``, each with ``images`` (uint8, NHWC) and ``labels``.

    Raises
    ------
    ConfigurationError
        If there is neither a data set nor a folder of that name, or fraction or seed is out of range.
    DataError
        If the data are not what they should be.
    """
    found = _resolve(name)
    if isinstance(found, Source):
        return found.load(validation_fraction, seed)
    folder, layout = found
    return layout.load(folder, validation_fraction, seed)


def names() -> tuple[str, ...]:
    """Return the names of the data sets that `load` knows."""
    return tuple(sorted(SOURCES))


def verify(name: str | os.PathLike[str]) -> list[VerifiedFile]:
    """Read every file of a data set in full and compute its SHA-256; what is wrong is reported, not raised.

    Parameters
    ----------
    name
        As for `load`.

    Raises
    ------
    ConfigurationError
        If there is neither a data set nor a folder of that name.
    DataError
        If the folder is none that could be loaded.
    """
    found = _resolve(name)
    if isinstance(found, Source):
        return found.verify()
    folder, layout = found
    return layout.verify(folder)


def listing() -> list[Listing]:
    """Describe every data set that has a name; nothing is read."""
    return [SOURCES[name].listing() for name in names()]


def _resolve(name: str | os.PathLike[str]) -> Source | tuple[Path, FolderFormat]:
    """Find what a name or path stands for."""
    if isinstance(name, str) and name in SOURCES:
        return SOURCES[name]
    folder = Path(name)
    if folder.is_dir():
        for layout in FOLDER_FORMATS:
            if layout.recognises(folder):
                return folder, layout
        expected = "; or ".join(layout.expected for layout in FOLDER_FORMATS)
        raise DataError(f"{folder}: holds no data that convlens can read; expected {expected}")
    if folder.exists():
        raise ConfigurationError(f"{folder}: is a file; give the folder it lies in, or a name: {', '.join(names())}")
    raise ConfigurationError(
        f"no data set is called {os.fspath(name)!r}, and no folder of that name "
        f"exists{nearest(os.fspath(name), names())}"
    )
