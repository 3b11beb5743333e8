"""Small classification tasks as tables: a row is an example, and its columns stand in a grid (H, W, C).

Those of `bundled` come with scikit-learn; the others are made here from a seed, with the same bits on every
processor. Each is a frozen dataclass whose fields are its settings. Reading order: `table` -> `bundled` -> `position`
-> `series` -> `graphs`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..errors import ConfigurationError, DataError
from ..plain import check_keys, choose
from .bundled import BreastCancer, Digits, Wine
from .graphs import Graphs
from .position import Position
from .series import Series
from .table import Table as Table
from .table import TableSource as TableSource

TABLES: dict[str, type[TableSource]] = {
    "breast-cancer": BreastCancer,
    "digits": Digits,
    "graphs": Graphs,
    "position": Position,
    "series": Series,
    "wine": Wine,
}

BUNDLED = ("breast-cancer", "digits", "wine")
"""Those that need scikit-learn."""

__all__ = ["BUNDLED", "TABLES", "Table", "TableSource", "load", "source"]


def source(name: str, settings: Mapping[str, Any] | None = None) -> TableSource:
    """Return a table's source by name and settings; nothing is read or made yet.

    Raises
    ------
    ConfigurationError
        If the name or a setting is unknown (the message names the nearest right one), or a value is out of range.
    """
    cls, given = TABLES[choose(name, TABLES, "table")], settings or {}
    check_keys(cls, given, f"table {name!r}")
    try:
        return cls(**given)
    except ConfigurationError as error:
        raise ConfigurationError(f"table {name!r}: {error}") from error


def load(name: str, settings: Mapping[str, Any] | None = None, sha256: str | None = None) -> Table:
    """Return a table, checked against its SHA-256 where one is given.

    Raises
    ------
    ConfigurationError
        For the reasons of `source`; or if scikit-learn, which a bundled table comes with, is not installed.
    DataError
        If the content is another.
    """
    found = source(name, settings).table()
    if sha256 is not None and found.sha256 != sha256:
        raise DataError(
            f"the table {name!r} has SHA-256 {found.sha256[:16]}…, and {sha256[:16]}… was expected: it is another "
            "table; install the version of convlens, and of scikit-learn, that the trial was planned with"
        )
    return found
