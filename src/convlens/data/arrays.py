"""A data set from arrays in memory: the implementation of `Dataset.from_arrays`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import ConfigurationError, DataError, nearest
from ..plain import check_name
from ..typing import Array, Float32, Labels
from .assemble import assemble
from .dataset import Dataset, Examples
from .pixels import refuse, to_images, to_labels, to_pixels

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
    numbers, names = _numbered(_array(train_labels, "train_labels"), class_names, "train_labels")
    given = _examples("train", train_images, numbers)
    if (test_images is None) != (test_labels is None):
        there, lacking = ("labels", "images") if test_images is None else ("images", "labels")
        raise ConfigurationError(
            f"test_{there} came without test_{lacking}; give both, or neither to have a tenth split off"
        )
    test = None
    if test_images is not None and test_labels is not None:
        known = names or [str(number) for number in range(int(numbers.max(initial=-1)) + 1)]
        numbers, _ = _numbered(_array(test_labels, "test_labels"), known, "test_labels")
        test = _examples("test", test_images, numbers)
        if test.dtype != given.dtype:
            raise DataError(f"test_images became {test.dtype}, train_images {given.dtype}; give both in one type")
    provenance: dict[str, Any] = {"source": "arrays", "licence": "not stated (one's own data)", "sha256": {}}
    for examples in (given,) if test is None else (given, test):
        sums = examples.sums
        provenance["sha256"] |= {f"{examples.name}_images": sums.images, f"{examples.name}_labels": sums.labels}
    return assemble(
        name,
        given,
        test,
        validation_fraction=validation_fraction,
        seed=seed,
        provenance=provenance,
        class_names=names,
    )


def _array(values: npt.ArrayLike, name: str) -> Array:
    try:
        return np.asarray(values)
    except ValueError as error:
        raise DataError(
            f"{name}: is not an array ({error}); expected images of one size, with one label each"
        ) from error


def _examples(part: str, images: npt.ArrayLike, numbers: Labels) -> Examples:
    """Return examples with a copy of the images, so that changing the array later does not change the data set."""
    name = f"{part}_images"
    values = to_images(_array(images, name), name, any_channels=True)
    kept = _floats(values, name) if np.issubdtype(values.dtype, np.floating) else np.array(to_pixels(values, name)[0])
    return Examples(part, kept, numbers)


def _floats(values: Array, name: str) -> Float32:
    with np.errstate(invalid="ignore", over="ignore"):  # the comparison with NaN, and of float16 with so large a number
        refuse(~(np.abs(values) <= _LARGEST), values, name, "a finite number within float32's range")
    return np.array(values, np.float32, order="C")


def _numbered(labels: Array, class_names: Sequence[str] | None, name: str) -> tuple[Labels, Sequence[str] | None]:
    """Return labels as class numbers, and the names of the classes if there are any."""
    if labels.dtype.kind == "O" and all(isinstance(label, str) for label in labels.ravel()):
        labels = labels.astype(np.str_)
    if labels.dtype.kind not in "US":
        return to_labels(labels, name), class_names
    if labels.ndim != 1 or labels.dtype.kind == "S":
        raise DataError(
            f"{name}: is {labels.dtype} of shape {labels.shape}; expected one row of class numbers or names"
        )
    present, numbers = np.unique(labels, return_inverse=True)
    found = [str(label) for label in present]
    if class_names is None:
        class_names = sorted(found, key=int) if all(map(str.isdecimal, found)) else found
    place = {known: number for number, known in enumerate(class_names)}
    for label in found:
        if label not in place:
            raise DataError(f"{name}: {label!r} is none of the classes{nearest(label, class_names)}")
    return np.array([place[label] for label in found], np.int64)[numbers], class_names
