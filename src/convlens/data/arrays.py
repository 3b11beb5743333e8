"""A data set from arrays in memory: the implementation of `Dataset.from_arrays`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import ConfigurationError, DataError
from ..plain import check_name
from ..typing import Array, Float32, UInt8
from .assemble import assemble
from .class_labels import class_labels
from .dataset import Dataset
from .examples import Examples
from .layout import to_channels_last
from .pixel_range import all_but_black, find_range
from .pixels import refuse, to_pixels

_USUAL = 12.0  # standardised pixels lie within
_LARGEST = float(np.finfo(np.float32).max)


def from_arrays(
    train_images: npt.ArrayLike,
    train_labels: npt.ArrayLike,
    test_images: npt.ArrayLike | None,
    test_labels: npt.ArrayLike | None,
    *,
    class_names: Sequence[str] | None,
    name: str,
    validation_fraction: float,
    seed: int,
) -> Dataset:
    """Make a data set from arrays; see `Dataset.from_arrays`."""
    check_name(name, "a data set")
    if (test_images is None) != (test_labels is None):
        there, lacking = ("labels", "images") if test_images is None else ("images", "labels")
        raise ConfigurationError(
            f"test_{there} came without test_{lacking}; give both, or neither to have a tenth split off"
        )
    given = {"train": (train_images, train_labels)}
    if test_images is not None and test_labels is not None:
        given["test"] = test_images, test_labels
    names = _names(class_names)
    labels = class_labels([(_labels(y, f"{part}_labels"), f"{part}_labels") for part, (_, y) in given.items()], names,
                          renumber=False)  # fmt: skip
    notes, order = labels.notes, list[str]()
    parts = {}
    for (part, (x, _)), numbers in zip(given.items(), labels.parts, strict=True):
        parts[part] = Examples(part, _images(x, f"{part}_images", notes, order), numbers)
    train, test = parts["train"], parts.get("test")
    if test is not None and test.dtype != train.dtype:
        raise DataError(f"test_images became {test.dtype}, train_images {train.dtype}; give both in one type")
    provenance: dict[str, Any] = {"source": "arrays", "licence": "not stated (one's own data)", "sha256": {}}
    for examples in parts.values():
        sums = examples.sums
        provenance["sha256"] |= {f"{examples.name}_images": sums.images, f"{examples.name}_labels": sums.labels}
    if notes:
        provenance["notes"] = notes
    return assemble(
        name,
        train,
        test,
        validation_fraction=validation_fraction,
        seed=seed,
        provenance=provenance,
        class_names=labels.class_names,
    )


def _names(class_names: Sequence[str] | None) -> list[str] | None:
    """Return the names of the classes as a list; a single text is one name, and not a sequence of letters."""
    if class_names is None:
        return None
    if isinstance(class_names, str) or not all(isinstance(one, str) for one in class_names):
        raise ConfigurationError(f"class names are a list of texts, not {class_names!r}; give one for each class")
    return [str(one) for one in class_names]


def _array(values: npt.ArrayLike, name: str, expected: str) -> Array:
    """Return an array of what NumPy understands: arrays, lists, tensors in main memory, tables, Pillow images."""
    if isinstance(values, list | tuple) and any(getattr(one, "mode", None) == "P" for one in values):
        raise DataError(
            f"{name}: has Pillow images of mode P, whose values are places in a palette and no shades; "
            "give image.convert('RGB'), or 'L' for grey, for each"
        )
    try:
        found: Array = np.asarray(values)
        if found.dtype.kind == "O" and found.ndim == 1 and all(isinstance(one, np.ndarray) for one in found):
            found = np.stack(list(found))
    except (ValueError, TypeError, RuntimeError) as error:  # the last two: tensors of other libraries
        said = " ".join(str(error).split())[:200]
        raise DataError(f"{name}: is not an array ({said}); expected {expected}, as an array or a list") from error
    return found


def _labels(values: npt.ArrayLike, name: str) -> Array:
    """Return labels as an array; NumPy would turn a list of names and numbers into names without a word."""
    if isinstance(values, list | tuple):
        texts = [isinstance(one, str) for one in values]
        if any(texts) and not all(texts):
            first = values[texts.index(not texts[0])]
            raise DataError(f"{name}: holds both {values[0]!r} and {first!r}; expected all class numbers, or all names")
    return _array(values, name, "one class number or name for each image")


def _images(given: npt.ArrayLike, name: str, notes: list[str], order: list[str]) -> UInt8 | Float32:
    """Return a copy of images (N, H, W, C), so that changing the array later does not change the data set."""
    values = to_channels_last(
        _array(given, name, "images of one size and mode"), name, notes, order=order, in_memory=True
    )
    if np.issubdtype(values.dtype, np.floating):
        found = _floats(values, name)
        if (largest := float(np.abs(found).max())) > _USUAL:
            notes.append(
                f"{name} are floats as large as {largest:g}, and the network's input as they are: networks learn best "
                "from floats from 0 to 1, or from whole numbers from 0 to 255, which are scaled"
            )
        return found
    if values.dtype.kind in "iu":
        _require_bytes(values, name)
    pixels = np.array(to_pixels(values, name)[0])
    notes += [warning for warning in [all_but_black(pixels)] if warning]
    return pixels


def _require_bytes(values: Array, name: str) -> None:
    """Raise DataError if whole numbers go from 0 to 1 or to 16, say; a prediction would take them for nearly black."""
    refuse((values < 0) | (values > 255), values, name, "0 to 255")
    white = find_range([(values, name)]).white
    if white != 255:
        raise DataError(
            f"{name}: its whole numbers go from 0 to {white:g}, and pixels from 0 to 255; give floats, images / "
            f"{white:g}, which are the network's input as they are, or multiply by {255 / white:g} and round"
        )


def _floats(values: Array, name: str) -> Float32:
    with np.errstate(invalid="ignore", over="ignore"):  # the comparison with NaN, and of float16 with so large a number
        refuse(~(np.abs(values) <= _LARGEST), values, name, "a finite number within float32's range")
    return np.array(values, np.float32, order="C")
