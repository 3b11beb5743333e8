"""A file of NumPy arrays, ``.npz``, whose names say what they are (see `array_names`).

::

    x_train, y_train, and optionally  x_val, y_val,  x_test, y_test
    images,  labels                   one set
    class_names                       optional: texts

Images are (N, H, W), (N, H, W, C) or (N, C, H, W) with 1 or 3 channels, or flattened square ones, (N, D). Labels are
class numbers, names, or one-hot rows. The range of pixels and the order of flattened colours are found out and noted.

The file is not trusted: nothing is unpickled, and an array is read only if the size its header claims is the size the
file holds, and within the limit.
"""

from __future__ import annotations

import contextlib
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from ...errors import ConvlensError, DataError
from ...typing import Array
from ..class_labels import class_labels
from ..dataset import Dataset
from ..examples import Examples
from ..identity import file_sum
from ..idx import LARGEST_CONTENT
from ..labels import listed
from ..layout import to_channels_last
from ..npy import NUMBERS, read_array
from ..pixel_range import find_range, range_notes
from .array_names import array_names
from .source import Format, Request, VerifiedFile
from .tables import Content, to_dataset

EXPECTED = "an .npz file with x_train and y_train, or images and labels"
_TEXTS = "US"
_SUFFIX = ".npy"  # of each array within the file


def load(path: Path, request: Request) -> Dataset:
    """Load an ``.npz`` file.

    Raises
    ------
    DataError
        If the file is damaged, lacks an array, holds Python objects, or has values that cannot be pixels or labels.
    ConfigurationError
        If fraction or seed is out of range.
    """
    content = _read(path, request)
    return to_dataset(content, request, path.stem, f"the file {path}", [path])


def _read(path: Path, request: Request) -> Content:
    notes: list[str] = []
    evaluating = request.like is not None
    with _opened(path) as archive:
        there = {name.removesuffix(_SUFFIX) for name in archive.namelist() if name.endswith(_SUFFIX)}
        found = array_names(there, str(path), EXPECTED, evaluating=evaluating)
        images = {part: _array(path, archive, names[0], NUMBERS) for part, names in found.parts.items()}
        labels = {part: _array(path, archive, names[1], NUMBERS + _TEXTS) for part, names in found.parts.items()}
        names = None if found.class_names is None else _class_names(path, archive, found.class_names)
    if found.others:
        notes.append(f"arrays that are neither images nor labels are not used: {listed(found.others)}")
    where = {part: f"{path}: {names[0]}" for part, names in found.parts.items()}
    given = [(labels[part], f"{path}: {pair[1]}") for part, pair in found.parts.items()]
    classes = class_labels(given, names, evaluating=evaluating)
    order: list[str] = []
    for (part, values), numbers in zip(images.items(), classes.parts, strict=True):
        _check_number(where[part], values, found.parts[part][1], len(numbers))
        images[part] = to_channels_last(values, where[part], notes, order=order)
    pixels = find_range([(values, where[part]) for part, values in images.items()], request.pixel_range)
    parts = {}
    for (part, values), numbers in zip(images.items(), classes.parts, strict=True):
        parts[part] = Examples(part, np.ascontiguousarray(pixels.to_pixels(values, where[part])), numbers)
    notes += [*classes.notes, *range_notes(pixels, next(iter(parts.values())).images)]
    return Content(parts, classes.class_names, pixels, [note.replace(f"{path}: ", "") for note in notes])


def _check_number(where: str, images: Array, labels: str, count: int) -> None:
    """Raise DataError unless there is one label for each image."""
    if len(images) == count:
        return
    advice = "expected one label per image"
    if images.ndim > 2 and images.shape[-1] == count:
        advice += f"; the last axis of {images.shape} has {count:,} entries: save np.moveaxis(images, -1, 0)"
    raise DataError(f"{where} holds {len(images):,} images, {labels} {count:,} labels; {advice}")


def _class_names(path: Path, archive: zipfile.ZipFile, key: str) -> list[str]:
    names = _array(path, archive, key, _TEXTS + "ui").ravel()
    if names.dtype.kind == "S":
        names = np.char.decode(names, "utf-8", "replace")
    return [str(name) for name in names]


def _array(path: Path, archive: zipfile.ZipFile, key: str, kinds: str) -> Array:
    """Read one array, after checking its header against the size of its content."""
    name = f"{path}: {key}"
    info = archive.getinfo(key + _SUFFIX)
    if info.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
        raise DataError(f"{name}: is compressed in a way that np.savez does not use; save it with NumPy")
    with archive.open(info) as stream:
        return read_array(stream, info.file_size, name, kinds=kinds, largest=LARGEST_CONTENT)


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
        content = _read(path, Request())
    except DataError as error:
        return [VerifiedFile(path.name, "", None, ok=False, items=0, place="folder", problem=str(error))]
    items = sum(map(len, content.parts.values()))
    return [VerifiedFile(path.name, file_sum(path), None, ok=True, items=items, place="folder")]


FORMAT = Format(EXPECTED, recognises, load, verify)
