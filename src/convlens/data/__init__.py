"""Data sets: where they come from, what they are, how they are split.

Reading order: `idx` (a file) -> `sources` (a data set) -> `assemble` -> `examples` -> `dataset` -> `split` ->
`identity`.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from ..errors import ConfigurationError, DataError, nearest
from ..preprocessing import Intake
from .dataset import Dataset
from .examples import Examples
from .pixel_range import recorded_range
from .sources import FORMATS, SOURCES, Format, Like, Listing, Request, Source, VerifiedFile
from .sources.folder_files import LARGEST_IMAGE
from .sources.refusal import refusal

__all__ = [
    "Dataset",
    "Examples",
    "Listing",
    "VerifiedFile",
    "fetch",
    "listing",
    "load",
    "names",
    "verify",
]


class TakesImages(Protocol):
    """What has images of one shape: a model or a data set. If it has an ``intake``, it says how they were read."""

    @property
    def input_shape(self) -> tuple[int, int, int]:
        """(H, W, C)."""


def load(
    name: str | os.PathLike[str],
    *,
    validation_fraction: float = 0.1,
    seed: int = 0,
    skip_broken: bool = False,
    resize: int | tuple[int, int] | None = None,
    like: TakesImages | None = None,
) -> Dataset:
    """Load a data set.

    Parameters
    ----------
    name
        A name from `names`, or your own data: a folder of images (one sub-folder per class), a folder of IDX files, a
        CSV file or an npz file. A name takes precedence over a folder of the same name (write ``./mnist`` for that).
    validation_fraction
        Share of the training images kept for validation, stratified.
    seed
        Of the split; separate from any training seed, so that runs with different seeds are compared on the same
        images.
    skip_broken
        In a folder of images, leave out files that are broken or not of the common size; the provenance names them.
    resize
        Of a folder of images: H = W, or (H, W). Each image is scaled, its proportions kept, until it covers that size,
        and the middle is cut out. A model trained on the data set does the same with pictures of other sizes.
    like
        A model or data set: a folder of images is read as its training images were, in size, channels, resizing and
        value of white; a table in their range of pixels, where its own does not show. For evaluation on other images.

    Returns
    -------
    Dataset
        With ``train``, ``validation`` and ``test``, each with ``images`` (uint8, NHWC) and ``labels``. For arrays
        in memory, see `Dataset.from_arrays`.

    Raises
    ------
    ConfigurationError
        If there is neither a data set nor a file or folder of that name, fraction, seed or size is out of range,
        `resize` is not the size of `like`, or `skip_broken` or `resize` is set for what is no folder of images.
    DataError
        If the data are damaged or malformed.
    """
    found = _resolve(name)
    if isinstance(found, Source) or not found[1].pictures:
        _check_options(os.fspath(name), skip_broken=skip_broken, resize=resize)
    size = _checked_size(resize)
    request = Request(
        validation_fraction=validation_fraction,
        seed=seed,
        skip_broken=skip_broken,
        resize=size,
        like=_like(like, size),
        pixel_range=recorded_range(like),
    )
    if isinstance(found, Source):
        return found.load(request)
    path, layout = found
    return layout.load(path, request)


def _check_options(name: str, *, skip_broken: bool, resize: int | tuple[int, int] | None) -> None:
    """Raise if an option was given that only a folder of images takes."""
    if skip_broken:
        raise ConfigurationError(
            f"{name}: only a folder of images can be loaded without its broken files; this is read whole "
            "or not at all, so leave skip_broken (--skip-broken) out"
        )
    if resize is not None:
        raise ConfigurationError(
            f"{name}: only the images of a folder are resized; leave resize (--resize) out, or give a folder of images"
        )


def _checked_size(resize: int | tuple[int, int] | None) -> tuple[int, int] | None:
    """Return height and width to resize to, if that is asked for."""
    if resize is None:
        return None
    sides = resize if isinstance(resize, tuple | list) else (resize, resize)
    if len(sides) != 2 or any(type(side) is not int for side in sides):
        raise ConfigurationError(f"resize is a whole number of pixels, or (height, width), not {resize!r}")
    if min(sides) < 1 or sides[0] * sides[1] > LARGEST_IMAGE:
        raise ConfigurationError(f"resize takes 1 to {LARGEST_IMAGE:,} pixels an image (height x width), not {resize}")
    return sides[0], sides[1]


def _like(like: TakesImages | None, size: tuple[int, int] | None) -> Like | None:
    """Return what images are made like, after checking that a size asked for is not another."""
    if like is None:
        return None
    height, width, _ = like.input_shape
    if size is not None and size != (height, width):
        raise ConfigurationError(
            f"resize is {size[0]} x {size[1]}, and the model takes {height} x {width} (height x width); leave resize "
            "(--resize) out, or give the model's size"
        )
    # a model that was saved before its intake was recorded has none
    return Like(like.input_shape, getattr(like, "intake", None) or Intake())


def fetch(name: str, report: Callable[[str], object] = str) -> list[Path]:
    """Download a named data set into the user's cache; every file is verified before it is kept.

    Parameters
    ----------
    name
        A name from `names`.
    report
        Called with a line before each download; by default nothing is reported.

    Returns
    -------
    list[Path]
        The files, in the cache.

    Raises
    ------
    ConfigurationError
        If there is no data set of that name, nothing to download for it, or no cache folder.
    DataError
        If it cannot be downloaded, or a downloaded file is not the published one.
    OutputError
        If the cache cannot be written.
    """
    if name not in SOURCES:
        raise ConfigurationError(f"no data set is called {name!r}{nearest(name, names())}")
    download = SOURCES[name].fetch
    if download is None:
        raise ConfigurationError(f"{name} is part of convlens: there is nothing to fetch; use it with --data {name}")
    return download(report)


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
        If there is neither a data set nor a file or folder of that name.
    DataError
        If `load` could not load it.
    """
    found = _resolve(name)
    if isinstance(found, Source):
        return found.verify()
    path, layout = found
    return layout.verify(path)


def listing() -> list[Listing]:
    """Describe every named data set; nothing is read."""
    return [SOURCES[name].listing() for name in names()]


def _resolve(name: str | os.PathLike[str]) -> Source | tuple[Path, Format]:
    """Find what a name or path stands for."""
    if isinstance(name, str) and name in SOURCES:
        return SOURCES[name]
    if not isinstance(name, str | os.PathLike) or not os.fspath(name):
        raise ConfigurationError(
            f"a data set is given by its name or its path, not {name!r}{nearest('', names())}; arrays are what "
            "Dataset.from_arrays takes"
        )
    path = Path(name)
    try:
        exists = path.exists()
        usable = path.is_file() or path.is_dir()  # and no pipe
        for layout in FORMATS if usable else FORMATS[:1]:  # IDX files are also named by the beginning of their names
            if layout.recognises(path):
                return path, layout
    except (OSError, ValueError) as error:  # a null character, a name too long, a folder that may not be entered
        raise ConfigurationError(f"{name!s}: cannot be read ({error}); give the path of a file or folder") from error
    if exists:
        raise DataError(refusal(path, [layout.expected for layout in FORMATS]))
    raise ConfigurationError(
        f"no data set is called {os.fspath(name)!r}, and no file or folder of that name "
        f"exists{nearest(os.fspath(name), names())}"
    )
