"""The claims in one call, with a pool of one's own."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from convlens.claims import reproduce, reproduction
from convlens.claims.questions import questions
from convlens.claims.reproduction import plans
from convlens.claims.rows import studies_of_claims
from convlens.errors import ConfigurationError
from convlens.studies.catalog import entry
from convlens.studies.executors import ExecutionOptions
from convlens.studies.pools.pool import LocalPool
from convlens.studies.results.shipped import read_shipped, write_shipped
from convlens.studies.runner import plan
from convlens.studies.statistics.looks import FEWEST_SEEDS
from convlens.studies.trial import PlannedTrial
from convlens.version import NUMERICS_VERSION
from tests.rates import rated_entry
from tests.report.reproductions import outcome, result, study

MINUTES = 13  # of 15, declared in seconds on one thread: the rest is for starting, drawing and slower machines
PRIMARY = {
    3: "cnn-accuracy-plain", 4: "cnn-over-baseline-wide", 6: "3x3-over-5x5", 7: "stacked-over-5x5", 8: "locality",
    9: "invariance", 10: "breast-cancer-logistic-regression",
}  # fmt: skip
"""The row that each claim is first of all about; 1, 2 and 5 are arithmetic alone."""


@pytest.fixture(autouse=True)
def _rates(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give every network a learning rate, so that its study can be planned."""
    monkeypatch.setattr(reproduction, "entry", rated_entry)


def every_trial(profile: str) -> Iterator[PlannedTrial]:
    for described, size in plans(profile):
        yield from plan(study(described.name), size, numerics_version=NUMERICS_VERSION)


def seconds(profile: str) -> float:
    """Return the declared seconds of all different trials, with the trainings that measurements need."""
    found: dict[str, float] = {}
    trials = list(every_trial(profile))
    for trial in trials:
        if trial.parent() is None:
            found.setdefault(trial.key, trial.cost)
    for trial in trials:
        parent = trial.parent()
        if parent is not None:
            found.setdefault(trial.key, trial.cost)
            found.setdefault(parent.key, trial.cost)  # as the runner counts it: see `convlens.studies.regime`
    return sum(found.values())


def test_it_takes_at_most_a_quarter_of_an_hour_on_two_cores() -> None:
    assert seconds("standard") / 2 / 60 <= MINUTES


def test_a_preview_takes_about_a_minute() -> None:
    """Costs are those of all images, so a bound on the number of trials stands for the time."""
    trials = list(every_trial("quick"))
    assert len({trial.seed for trial in trials if "table" in str(trial.configuration["kind"])}) == 1
    assert all(len(size.seeds) == 1 for _, size in plans("quick"))
    images = [
        trial.configuration.get("of", trial.configuration)["data"]["train_images"]  # type: ignore[index,union-attr]
        for trial in trials
        if trial.configuration["kind"] != "table"
    ]
    assert sum(count == 1000 for count in images) >= len(images) - 1  # the control's parent has the usual number


def test_the_primary_estimands_of_all_claims_are_trained_with_five_seeds() -> None:
    sizes = {described.name: (described, size) for described, size in plans("standard")}
    named = {one.name: one for one in questions()}
    for number, name in PRIMARY.items():
        one = named[name]
        described, size = sizes[one.study]
        assert one.number == number
        assert one.estimand in {estimand.name for estimand in described.under(size).estimands}
        assert len(size.seeds) == FEWEST_SEEDS


@pytest.mark.parametrize("name", studies_of_claims())
def test_trials_are_those_of_the_standard_profile(name: str) -> None:
    wanted = [entry(name).profile(profile) for profile in ("claims", "standard")]
    claims, standard = (
        {trial.key for trial in plan(study(name), one, numerics_version=NUMERICS_VERSION)} for one in wanted
    )
    assert claims <= standard
    assert wanted[0].all_looks == (FEWEST_SEEDS,)


def test_a_pool_decides_for_itself_where_models_are_kept(tmp_path: Path) -> None:
    made = reproduce("quick", tmp_path, pool=LocalPool(_with_weights))
    assert (made.missing, len(made.claims) > 0, sorted(made.studies)) == (0, True, sorted(studies_of_claims()))
    with pytest.raises(ConfigurationError, match="a pool brings its own options"):
        reproduce("quick", tmp_path, pool=LocalPool(outcome), options=ExecutionOptions())


def test_an_unknown_size_names_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="quick, standard, full; did you mean 'standard'"):
        reproduce("standart", tmp_path)


def test_without_scikit_learn_claim_10_says_so_and_the_rest_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "sklearn", None)
    made = reproduce("quick", tmp_path, pool=LocalPool(_with_weights))
    assert set(studies_of_claims()) - set(made.studies) == {"not-for-convolution"} == set(made.absent)
    words = {row.number: row.verdict for row in made.claims if row.metric is not None and not row.beside}
    assert words[9].word == "preview"
    assert words[10].label == "incomplete: not possible here"
    assert "pip install 'convlens[studies]'" in words[10].sentence


def test_stored_results_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stored = tmp_path / "stored"
    stored.mkdir()
    write_shipped(result("stacking", entry("stacking").profile("standard")), stored / "stacking.json")
    monkeypatch.setattr(reproduction, "shipped_names", lambda: ["stacking", "boundary"])
    monkeypatch.setattr(reproduction, "read_shipped", lambda name: read_shipped(name, stored))
    made = reproduce("quick", tmp_path, pool=LocalPool(_with_weights))
    assert list(made.stored) == ["stacking"]
    found = {row.name: row for row in made.claims}["stacked-over-5x5"]
    assert found.stored is not None
    assert (found.verdict.word, found.stored.interval.n) == ("preview", 10)


def _with_weights(planned: PlannedTrial):  # type: ignore[no-untyped-def]
    """Return an outcome, with weights where a measurement asks for them."""
    from dataclasses import replace

    return replace(outcome(planned), weights=b"weights") if planned.keep_weights else outcome(planned)
