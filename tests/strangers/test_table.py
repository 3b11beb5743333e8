"""Every row of every table of what strangers bring."""

from __future__ import annotations

import importlib
import pkgutil
from pathlib import Path

import pytest

import tests.strangers
from tests.strangers.table import Row

TABLES = sorted(found.name for found in pkgutil.iter_modules(tests.strangers.__path__) if found.name[:5] == "rows_")
ROWS = [
    (table.removeprefix("rows_"), row)
    for table in TABLES
    for row in importlib.import_module(f"tests.strangers.{table}").ROWS
]


@pytest.mark.parametrize("row", [row for _, row in ROWS], ids=[f"{table}: {row.name}" for table, row in ROWS])
def test_row(row: Row, tmp_path: Path) -> None:
    row.run(tmp_path)


def test_names_of_rows_differ() -> None:
    names = [(table, row.name) for table, row in ROWS]
    assert len(set(names)) == len(names)
