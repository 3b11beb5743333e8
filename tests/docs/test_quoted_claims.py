"""README quotes the claims that were measured: its table is what the script renders from what it kept."""

from __future__ import annotations

import copy
import importlib.util
import json
from pathlib import Path
from types import ModuleType

import pytest
from tests.report.reproductions import make

from convlens.report.results import results

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def quote() -> ModuleType:
    spec = importlib.util.spec_from_file_location("quote_claims", ROOT / "docs" / "quote_claims.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_readme_quotes_what_was_measured(quote: ModuleType) -> None:
    readme, quoted = quote.README.read_text(encoding="utf-8"), json.loads(quote.KEPT.read_text(encoding="utf-8"))
    assert (quoted["profile"], quoted["missing_trials"]) == ("standard", 0)
    assert quote.replaced(readme, quoted) == readme, "run docs/quote_claims.py"
    other = copy.deepcopy(quoted)
    measured = next(claim["measured"] for claim in other["claims"] if claim["measured"])
    measured["mean"] += 0.0001
    assert quote.replaced(readme, other) != readme


def test_the_claims_that_are_quoted_are_those_that_are_tested(quote: ModuleType) -> None:
    quoted = json.loads(quote.KEPT.read_text(encoding="utf-8"))
    assert [c["claim"] for c in quoted["claims"]] == [row.claim for row in make().claims]


def test_a_quoted_row(quote: ModuleType) -> None:
    found = quote.kept(json.loads(json.dumps(results(make()))))
    assert found["made_by"] == ["engine numba, 2 threads"]
    lines = quote.rendered(found).splitlines()
    for row in make().claims:
        (line,) = [line for line in lines if row.claim in line] or [""]
        if row.interval is None:
            assert line.endswith(" false by arithmetic |") == (row.verdict.word == "false")
        else:
            assert f"{100 * row.interval.mean:+.2f}".lstrip("+-") in line
            assert line.endswith(f" {row.verdict.word} |")
