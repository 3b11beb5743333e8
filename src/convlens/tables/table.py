"""A table: examples as rows, with a grid of columns, and what a simple rival is given of them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np

from ..errors import ConfigurationError, DataError
from ..typing import FloatArray, Labels


@dataclass(frozen=True, eq=False)
class Table:
    """Rows with labels.

    Attributes
    ----------
    rows
        (N, H, W, C) float64, as measured or made: not scaled.
    labels
        (N,) class numbers 0..K-1.
    class_names
        One for each class.
    features
        (N, F) float64: what somebody who knows the task would compute from a row; None where the columns are it.

    Raises
    ------
    DataError
        If the arrays do not fit together, or a number is not finite.
    """

    rows: FloatArray
    labels: Labels
    class_names: tuple[str, ...]
    features: FloatArray | None = None

    def __post_init__(self) -> None:
        count = len(self.labels)
        if self.rows.ndim != 4 or len(self.rows) != count:
            raise DataError(f"a table has rows (N, H, W, C) and N labels, not {self.rows.shape} and {count}")
        if self.features is not None and (self.features.ndim != 2 or len(self.features) != count):
            raise DataError(f"features are (N, F) with N = {count}, not {self.features.shape}")
        if not all(np.isfinite(part).all() for part in (self.rows, self.features) if part is not None):
            raise DataError("a table has finite numbers only; leave out rows with missing values")

    @cached_property
    def sha256(self) -> str:
        """Of rows, labels, shape and class names: 64 hexadecimal digits. Features follow from the rows."""
        content = hashlib.sha256(repr((self.rows.shape, self.class_names)).encode())
        content.update(np.ascontiguousarray(self.rows, "<f8").tobytes())
        content.update(np.ascontiguousarray(self.labels, "<i8").tobytes())
        return content.hexdigest()

    def view(self, name: str) -> FloatArray:
        """Return ``"rows"`` as they are, or ``"features"`` as (N, 1, F, 1).

        Raises
        ------
        ConfigurationError
            If the table has no features: its columns are what a rival is given.
        """
        if name == "rows":
            return self.rows
        if self.features is None:
            raise ConfigurationError("this table has no features of its own; use the view 'rows'")
        return self.features.reshape(len(self.features), 1, -1, 1)


class TableSource(Protocol):
    """Where a table comes from: a frozen dataclass whose fields are its settings."""

    @property
    def sha256(self) -> str:
        """The SHA-256 that its table must have."""

    def table(self) -> Table:
        """Read or make the table."""


def require_range(what: str, value: object, low: int, high: int) -> None:
    """Raise ConfigurationError unless a setting is a whole number from `low` to `high`."""
    if type(value) is not int or not low <= value <= high:
        raise ConfigurationError(f"{what} is a whole number from {low} to {high:,}, not {value!r}")


def require_flag(what: str, value: object) -> None:
    """Raise ConfigurationError unless a setting is True or False."""
    if type(value) is not bool:
        raise ConfigurationError(f"{what} is true or false, not {value!r}")
