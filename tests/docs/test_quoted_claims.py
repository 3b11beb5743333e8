"""README and docs/claims.md quote the claims that were measured, as the script renders them from what it kept."""

from __future__ import annotations

import copy
import importlib.util
import json
from pathlib import Path
from types import ModuleType
from typing import Any

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


@pytest.fixture
def quoted(quote: ModuleType) -> dict[str, Any]:
    return dict(json.loads(quote.KEPT.read_text(encoding="utf-8")))


@pytest.mark.parametrize("name", ["README.md", "claims.md"])
def test_documents_quote_what_was_measured(quote: ModuleType, quoted: dict[str, Any], name: str) -> None:
    (document,) = [path for path in quote.DOCUMENTS if path.name == name]
    text = document.read_text(encoding="utf-8")
    assert (quoted["profile"], quoted["missing_trials"]) == ("standard", 0)
    assert quote.PLACE.search(text)
    assert quote.replaced(text, quoted) == text, "run docs/quote_claims.py"
    other = copy.deepcopy(quoted)
    next(claim["measured"] for claim in other["claims"] if claim["name"] == "cnn-accuracy-good")["mean"] += 0.0001
    assert quote.replaced(text, other) != text


def test_every_view_has_its_place(quote: ModuleType) -> None:
    names = [found[2] for document in quote.DOCUMENTS for found in quote.PLACE.finditer(document.read_text())]
    assert sorted(names) == sorted(quote.VIEWS)


def test_a_sentence_is_not_written_once_a_verdict_changes(quote: ModuleType, quoted: dict[str, Any]) -> None:
    for sentence in (*quote.WHY, *quote.CONCLUSION):
        for name in sentence.rests_on:
            other = copy.deepcopy(quoted)
            (claim,) = [claim for claim in other["claims"] if claim["name"] == name]
            word = "supported" if claim["verdict"]["word"] == "inconclusive" else "inconclusive"
            claim["verdict"] |= {"word": word, "how": ""}
            view = quote.why if sentence in quote.WHY else quote.chosen_rows
            with pytest.raises(SystemExit, match=f"{name} is now {word}"):
                view(other)


def test_the_claims_that_are_quoted_are_those_that_are_tested(quote: ModuleType) -> None:
    quoted = json.loads(quote.KEPT.read_text(encoding="utf-8"))
    assert [c["claim"] for c in quoted["claims"]] == [row.claim for row in make().claims]


def test_a_quoted_row(quote: ModuleType) -> None:
    found = quote.kept(json.loads(json.dumps(results(make()))))
    assert found["made_by"] == ["engine numba, 2 threads"]
    lines = quote.every_row(found).splitlines()
    for row in make().claims:
        (line,) = [line for line in lines if row.claim in line] or [""]
        if row.interval is None:
            assert line.endswith(f" {row.verdict.word} by arithmetic |")
        else:
            assert f"{100 * row.interval.mean:+.2f}".lstrip("+-") in line
            assert line.endswith(f" {row.verdict.label} |")
