"""A file of NumPy arrays, ``.npz``, named as in Keras or plainly.

::

    x_train, y_train  and, if there is a test set,  x_test, y_test
    images,  labels   and, if there is a test set,  test_images, test_labels
    class_names                                     optional: strings

Images are (N, H, W), (N, H, W, 1 or 3) or flattened square ones, (N, D). The file is not trusted: nothing is unpickled,
and an array is read only if the size its header claims is the size the file holds, and within the limit.
"""

from __future__ import annotations

import contextlib
import math
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import numpy as np

from ...errors import ConvlensError, DataError
from ...typing import Array
from ..assemble import assemble
from ..dataset import Dataset, Examples
from ..identity import file_sum
from ..idx import LARGEST_CONTENT
from ..pixels import SCALED, to_images, to_labels, to_pixels
from .source import Format, Request, VerifiedFile

EXPECTED = "an .npz file with x_train and y_train, or images and labels"
_NAMES = (("x_train", "y_train", "x_test", "y_test"), ("images", "labels", "test_images", "test_labels"))
_NUMBERS = "buif"  # NumPy's kinds: booleans, unsigned and signed integers, floats
_TEXTS = "U"


def load(path: Path, request: Request) -> Dataset:
    """Load an ``.npz`` file.

    Raises
    ------
    DataError
        If the file is damaged, lacks an array, holds Python objects, or has values that cannot be pixels or labels.
    ConfigurationError
        If fraction or seed is out of range.
    """
    given, test, class_names, scaled = _read(path)
    provenance: dict[str, Any] = {
        "source": f"the file {path}",
        "licence": "not stated (one's own data)",
        "sha256": {path.name: file_sum(path)},
    }
    if scaled:
        provenance["pixels"] = SCALED
    return assemble(
        path.stem,
        given,
        test,
        validation_fraction=request.validation_fraction,
        seed=request.seed,
        provenance=provenance,
        class_names=class_names,
    )


def _read(path: Path) -> tuple[Examples, Examples | None, list[str] | None, bool]:
    """Return training and test examples, class names, and whether pixels were floats from 0 to 1."""
    with _opened(path) as archive:
        there = {name.removesuffix(".npy") for name in archive.namelist()}
        x, y, x_test, y_test = _layout(path, there)
        given, scaled = _examples(path, archive, "train", x, y, scaled=None)
        test = None
        if x_test in there:
            test, _ = _examples(path, archive, "test", x_test, y_test, scaled=scaled)
        names = None
        if "class_names" in there:
            names = [str(name) for name in _array(path, archive, "class_names", _TEXTS).ravel()]
    return given, test, names, scaled


def _examples(
    path: Path, archive: zipfile.ZipFile, name: str, images: str, labels: str, *, scaled: bool | None
) -> tuple[Examples, bool]:
    where = f"{path}: {images}"
    pixels, scaled = to_pixels(to_images(_array(path, archive, images, _NUMBERS), where), where, scaled=scaled)
    numbers = to_labels(_array(path, archive, labels, _NUMBERS), f"{path}: {labels}")
    if len(pixels) != len(numbers):
        raise DataError(
            f"{where} holds {len(pixels):,} images, {labels} {len(numbers):,} labels; expected one label per image"
        )
    return Examples(name, np.ascontiguousarray(pixels), numbers), scaled


def _layout(path: Path, there: set[str]) -> tuple[str, str, str, str]:
    """Return the names of the four arrays in this file."""
    for names in _NAMES:
        if there.isdisjoint(names[:2]):
            continue
        pairs = [names[:2]] if there.isdisjoint(names[2:]) else [names[:2], names[2:]]
        for name in (name for pair in pairs for name in pair):
            if name not in there:
                raise DataError(f"{path}: has no array {name}, though it has others of {', '.join(names)}; add it")
        return names
    found = ", ".join(sorted(there)[:5]) or "nothing"
    raise DataError(f"{path}: holds {found}; expected {EXPECTED}")


def _array(path: Path, archive: zipfile.ZipFile, key: str, kinds: str) -> Array:
    """Read one array, after checking its header against the size of its content."""
    name = f"{path}: {key}"
    info = archive.getinfo(f"{key}.npy")
    if info.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
        raise DataError(f"{name}: is compressed in a way that np.savez does not use; save it with NumPy")
    with archive.open(info) as stream:
        shape, fortran, dtype = _header(stream, name)
        if dtype.hasobject:
            raise DataError(f"{name}: holds Python objects, which are never read; save plain numbers")
        if dtype.kind not in kinds or dtype.names:
            raise DataError(f"{name}: holds {dtype}; expected {'texts' if kinds == _TEXTS else 'numbers'}")
        size, held = math.prod(shape) * dtype.itemsize, info.file_size - stream.tell()
        if size != held or min(shape, default=1) < 0:
            raise DataError(
                f"{name}: its header claims {shape} of {dtype}, {size:,} bytes, but the file "
                f"holds {held:,}; save it again"
            )
        if not shape or size == 0 or size > LARGEST_CONTENT:
            raise DataError(f"{name}: is {shape} of {dtype}, {size:,} bytes; expected 1 to {LARGEST_CONTENT:,}")
        content = stream.read(size)
    if len(content) != size:
        raise DataError(f"{name}: ends after {len(content):,} of {size:,} bytes; get the file again")
    return np.frombuffer(content, dtype).reshape(shape, order="F" if fortran else "C")


def _header(stream: IO[bytes], name: str) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    version = np.lib.format.read_magic(stream)
    if version == (1, 0):
        return np.lib.format.read_array_header_1_0(stream)
    if version == (2, 0):
        return np.lib.format.read_array_header_2_0(stream)
    raise DataError(f"{name}: is of NumPy's format {version}, which plain arrays do not need; save plain numbers")


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[zipfile.ZipFile]:
    """Open the file; any problem with it becomes one DataError."""
    try:
        with zipfile.ZipFile(path) as archive:
            yield archive
    except ConvlensError:
        raise
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror or error}); give an .npz file") from error
    # zipfile and NumPy's header reader raise all of these on damaged files
    except (zipfile.BadZipFile, zlib.error, EOFError, ValueError, RuntimeError, TypeError, SyntaxError) as error:
        said = " ".join(str(error).split())[:200]
        raise DataError(f"{path}: is damaged, or not an .npz file ({said}); save it again with np.savez") from error


def recognises(path: Path) -> bool:
    """Whether the path is a file whose name ends in ``.npz``."""
    return path.is_file() and path.suffix.lower() == ".npz"


def verify(path: Path) -> list[VerifiedFile]:
    """Read the whole file and check every value."""
    try:
        given, test, _, _ = _read(path)
    except DataError as error:
        return [VerifiedFile(path.name, "", None, ok=False, items=0, place="folder", problem=str(error))]
    items = len(given) + (0 if test is None else len(test))
    return [VerifiedFile(path.name, file_sum(path), None, ok=True, items=items, place="folder")]


FORMAT = Format(EXPECTED, recognises, load, verify)
