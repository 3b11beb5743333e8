"""The pages on serving and deployment quote the benchmark, as the script renders it."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from types import ModuleType

import pytest
from tests.scripts import script

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def quote() -> ModuleType:
    return script("docs/quote_serving.py")


def test_the_pages_quote_what_was_measured(quote: ModuleType) -> None:
    found = json.loads(quote.RESULTS.read_text(encoding="utf-8"))
    places = 0
    for path in quote.DOCUMENTS:
        text = path.read_text(encoding="utf-8")
        assert quote.replaced(text, found) == text, f"{path.name}: run docs/quote_serving.py"
        places += len(quote.PLACE.findall(text))
    assert places == len(quote.VIEWS)


def test_twice_the_rate_needs_half_the_machines(quote: ModuleType) -> None:
    found = json.loads(quote.RESULTS.read_text(encoding="utf-8"))
    faster = copy.deepcopy(found)
    for one in faster["summary"]:
        one["per_second"] *= 2

    def machines(of: object) -> int:
        row = next(line for line in quote.capacity(of).splitlines() if line.startswith("| 10,000 "))
        return int(row.split("|")[2].replace(",", ""))

    assert abs(machines(faster) - machines(found) / 2) <= 1


def test_script_mode_has_a_column_of_its_own_once_it_is_measured(quote: ModuleType) -> None:
    found = json.loads(quote.RESULTS.read_text(encoding="utf-8"))
    found["summary"] = [one for one in found["summary"] if one["server"] != quote.SCRIPT]
    assert "was not measured" in quote.capacity(found)
    most = max(one["connections"] for one in found["summary"])
    found["summary"].append({"server": quote.SCRIPT, "connections": most, "per_second": 1000.0})
    text = quote.capacity(found)
    row = next(line for line in text.splitlines() if line.startswith("| 10,000 "))
    assert row.split("|")[3].strip() == "20"
    assert "was not measured" not in text
