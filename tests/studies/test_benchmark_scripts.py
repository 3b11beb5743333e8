"""The scripts that search for recipes and measure them: what is finished stays, and a search reads no test set."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest

from convlens.data import Examples
from convlens.studies.executors.training import configuration
from convlens.train import Recipe, recipe
from tests import scripts
from tests.toys import write_toy_folder

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


def script(path: str, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Return a benchmark, which can import what is beside it."""
    monkeypatch.syspath_prepend(str((BENCHMARKS / path).parent))
    return scripts.script(f"benchmarks/{path}")


@pytest.fixture
def toy(tmp_path: Path) -> str:
    return str(write_toy_folder(tmp_path / "bars"))


def test_the_search_reads_no_test_set_keeps_what_is_done_and_ranks(
    toy: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    search = script("search/search.py", monkeypatch)
    quick = replace(recipe("good"), name="candidate", epochs=1)
    slow: Recipe = replace(quick, schedule=replace(quick.schedule, rate=1e-7))
    stage = sys.modules["candidates"].Stage("baseline", (0, 1), {"slow": slow, "quick": quick})
    monkeypatch.setattr(search, "STAGES", {"toy": stage})
    monkeypatch.setattr(search, "configuration", lambda model: configuration(model, dataset=toy))
    arguments = ["search.py", "toy", "--store", str(tmp_path / "store"), "--results", str(tmp_path)]
    monkeypatch.setattr(sys, "argv", [*arguments, "--seconds", "0"])
    with pytest.raises(SystemExit, match="run the same command to go on"):
        search.main()
    monkeypatch.setattr(sys, "argv", arguments)
    search.main()
    rows = json.loads((tmp_path / "search.json").read_text())["toy"]
    assert [row["name"] for row in rows] == ["quick", "slow"]
    assert all(row["validation.accuracy"]["n"] == 2 for row in rows)
    assert "| quick | " in (tmp_path / "search.md").read_text()
    assert capsys.readouterr().err.count("finished") == 4
    search.main()
    assert "finished" not in capsys.readouterr().err


def test_accuracy_reads_the_test_set_once_a_seed_and_keeps_it(
    toy: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    accuracy = script("accuracy.py", monkeypatch)
    monkeypatch.setattr(accuracy, "configuration", lambda model, **more: configuration(model, dataset=toy, **more))
    arguments = ["accuracy.py", "baseline", "good", "--seeds", "2", "--store", str(tmp_path / "store")]
    monkeypatch.setattr(sys, "argv", [*arguments, "--out", str(tmp_path / "found.json")])
    accuracy.main()
    found = json.loads((tmp_path / "found.json").read_text())
    assert [row["test.reads"] for row in found["seeds"]] == [1, 1]
    assert found["test.accuracy"]["n"] == 2
    assert accuracy.row(found) in capsys.readouterr().out
    assert "| 2 |" in accuracy.row(found)
    monkeypatch.setattr(Examples, "images", property(lambda _: pytest.fail("a stored seed was trained again")))
    accuracy.main()


def test_the_page_on_training_quotes_what_was_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    accuracy = script("accuracy.py", monkeypatch)
    page = (BENCHMARKS.parent / "docs" / "training.md").read_text(encoding="utf-8")
    written = sorted((BENCHMARKS / "results").glob("accuracy-*.json"))
    assert written
    for path in written:
        found = json.loads(path.read_text())
        assert accuracy.row(found) in page
        assert Recipe.from_dict(found["recipe"]) == recipe(found["recipe"]["name"]), (
            "measured with another of that name"
        )
