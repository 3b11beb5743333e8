"""README and docs/claims.md quote the claims that were measured, as the script renders them from what it kept."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from tests.report.reproductions import make_all
from tests.scripts import script

from convlens.claims.questions import CLAIMS
from convlens.claims.row import ClaimRow
from convlens.claims.rows import claims, studies_of_claims
from convlens.report.results import results

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def quote() -> ModuleType:
    return script("docs/quote_claims.py")


@pytest.fixture(scope="module")
def quoted(quote: ModuleType) -> dict[str, Any]:
    """Return what the documents quote."""
    return dict(json.loads(quote.KEPT.read_text(encoding="utf-8")))


@pytest.fixture(scope="module")
def made(quote: ModuleType) -> dict[str, Any]:
    """Return what would be quoted of a fake reproduction, with stored results beside it."""
    found = results(make_all(stored=["kernel-size", "translation"]))
    return dict(quote.kept(json.loads(json.dumps(found))))


def with_verdict(quoted: Mapping[str, Any], name: str, word: str) -> dict[str, Any]:
    """Return a quote in which a claim has this verdict, and nothing stored."""
    other = copy.deepcopy(dict(quoted))
    (claim,) = [claim for claim in other["claims"] if claim["name"] == name]
    claim["verdict"] |= {"word": word, "how": ""}
    claim["stored"] = None
    return other


@pytest.mark.parametrize("name", ["README.md", "claims.md"])
def test_documents_quote_what_was_measured(quote: ModuleType, quoted: dict[str, Any], name: str) -> None:
    (document,) = [path for path in quote.DOCUMENTS if path.name == name]
    text = document.read_text(encoding="utf-8")
    assert quoted["profile"] == "standard"
    assert quote.PLACE.search(text)
    assert quote.replaced(text, quoted) == text, "run docs/quote_claims.py"
    assert quote.replaced(text, with_verdict(quoted, "3x3-over-5x5", "preview")) != text


def test_documents_say_where_nothing_is_measured(quote: ModuleType, quoted: dict[str, Any]) -> None:
    assert (quote.NOTHING in quote.why(quoted)) == bool(quoted["missing_trials"])


def test_every_view_has_its_place(quote: ModuleType) -> None:
    names = [found[2] for document in quote.DOCUMENTS for found in quote.PLACE.finditer(document.read_text())]
    assert sorted(names) == sorted(quote.VIEWS)


def test_every_claim_is_quoted_with_all_its_rows(quote: ModuleType, made: dict[str, Any]) -> None:
    page = quote.every_row(made)
    assert re.findall(r"^### (\d+)\. (.+)$", page, re.M) == [(str(number), text) for number, text in CLAIMS.items()]
    assert all(claim["claim"] in page for claim in made["claims"])
    assert page.count("Verdict: **") == 10


@pytest.mark.parametrize("word", ["supported", "refuted", "inconclusive"])
def test_a_sentence_says_what_its_verdict_says(quote: ModuleType, made: dict[str, Any], word: str) -> None:
    sentences = [*(one for point in quote.WHY for one in point), *quote.CONCLUSION]
    for sentence in (one for one in sentences if one.rests_on):
        view = quote.chosen_rows if sentence in quote.CONCLUSION else quote.why
        page = view(with_verdict(made, sentence.rests_on, word))
        beginning = {key: text.partition("{")[0] for key, text in sentence.texts.items()}
        assert beginning[word] in page
        others = {text for key, text in beginning.items() if key != word and not beginning[word].startswith(text)}
        assert not any(text in page for text in others), sentence.rests_on


def test_a_sentence_is_not_written_for_a_verdict_without_a_text(quote: ModuleType, made: dict[str, Any]) -> None:
    for sentence in (one for one in quote.CONCLUSION if one.rests_on):
        with pytest.raises(SystemExit, match=f"{sentence.rests_on} is now true, not supported, refuted"):
            quote.chosen_rows(with_verdict(made, sentence.rests_on, "true"))


def test_what_is_undecided_is_left_out(quote: ModuleType, made: dict[str, Any]) -> None:
    assert "3x3 is not better than 5x5." in quote.chosen_rows(with_verdict(made, "3x3-over-5x5", "refuted"))
    assert "better than 5x5." not in quote.chosen_rows(with_verdict(made, "3x3-over-5x5", "preview"))


def test_the_claims_that_are_quoted_are_those_that_are_tested(quoted: dict[str, Any]) -> None:
    assert [claim["claim"] for claim in quoted["claims"]] == [row.claim for row in claims({}, "")]


def test_readme_quotes_stored_results_and_the_page_of_claims_both(quote: ModuleType, made: dict[str, Any]) -> None:
    row = next(row for row in map(ClaimRow.from_dict, made["claims"]) if row.name == "invariance-strided")
    assert row.stored is not None
    assert row.interval is not None
    assert (row.interval.n, row.stored.interval.n) == (5, 10)
    (chosen,) = [line for line in quote.chosen_rows(made).splitlines() if row.claim in line]
    assert f"| {100 * row.stored.interval.mean:+.1f} points" in chosen
    assert "| 10 |" in chosen
    assert "| 5 |" not in chosen
    (both,) = [line for line in quote.every_row(made).splitlines() if row.claim in line]
    assert "| 5 |" in both
    assert "| 10 |" in both


def test_a_quoted_row(quote: ModuleType, made: dict[str, Any]) -> None:
    assert made["made_by"] == ["engine numba, 2 threads"]
    lines = quote.every_row(made).splitlines()
    for row in make_all().claims:
        (line,) = [line for line in lines if line.startswith((f"| {row.claim} |", f"| *{row.claim}* |"))]
        if row.metric is None:
            assert f" {row.verdict.word} by arithmetic |" in line
        elif row.interval is not None and row.metric.unit == "fraction":
            shown = [float(number) for number in re.findall(r"\d+\.\d+", line)]
            assert min(abs(number - abs(100 * row.interval.mean)) for number in shown) <= 0.05
            assert f" {row.verdict.label} |" in line


def test_rows_are_read_as_they_were_written() -> None:
    for row in make_all(stored=studies_of_claims()).claims:
        assert ClaimRow.from_dict(json.loads(json.dumps(row.to_dict()))) == row
