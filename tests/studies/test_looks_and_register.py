"""Looks: a study goes on only as declared. The register: what was declared and concluded, and every change."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from convlens.errors import ConfigurationError, TrainingInterrupted
from convlens.studies import read_study, run_study
from convlens.studies.pools.pool import LocalPool
from convlens.studies.spec import Estimand, Profile, Study
from convlens.studies.statistics.verdict import between, greater_than

from .examples import configuration, execute, make_study

LOOKS = Profile("standard", tuple(range(10)), looks=(5, 10))


def count(folder: Path, study: Study | None = None, **options: Any) -> int:
    """Return how many trials are there once the study has been run."""
    return len(run_study(study or make_study(), LOOKS, folder=folder, pool=LocalPool(execute), **options).trials)


def test_a_study_stops_at_its_first_look(tmp_path: Path) -> None:
    assert count(tmp_path) == 3 * 5


def test_a_settled_study_does_not_go_on(tmp_path: Path) -> None:
    assert count(tmp_path, until_settled=True) == 3 * 5


def test_an_open_study_goes_on_to_its_next_look_if_asked(tmp_path: Path) -> None:
    primary = Estimand("gain", "test.accuracy", "3x3", greater_than(0.04), reference="7x7")
    open_question = make_study(primary=primary)
    assert count(tmp_path, study=open_question) == 3 * 5
    assert count(tmp_path, study=open_question, until_settled=True, most_seeds=7) == 3 * 5
    assert count(tmp_path, study=open_question, until_settled=True) == 3 * 10


def test_trials_of_another_study_begin_no_look(tmp_path: Path) -> None:
    primary = Estimand("gain", "test.accuracy", "3x3", greater_than(0.04), reference="7x7")
    other = make_study(name="other", primary=primary, secondary=())
    found = run_study(other, LOOKS, folder=tmp_path, pool=LocalPool(execute), until_settled=True)
    assert len(found.trials) == 3 * 10
    arms = (*make_study().arms[:2], replace(make_study().arms[2], name="9x9", configuration=configuration(9)))
    gain = Estimand("gain", "test.accuracy", "3x3", greater_than(0.06), reference="9x9")
    shares_two = make_study(arms=arms, primary=gain)
    first = run_study(shares_two, LOOKS, folder=tmp_path, pool=LocalPool(execute))
    assert (first.evidence.missing, first.evidence.primary.look.seeds) == (0, 5)
    assert first.drawn
    assert first.verdict.word == "inconclusive"
    last = run_study(shares_two, LOOKS, folder=tmp_path, pool=LocalPool(execute), until_settled=True)
    assert last.evidence.primary.look.seeds == 10


def test_most_seeds_without_going_on_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="until it is settled"):
        count(tmp_path, most_seeds=5)


@pytest.mark.parametrize("looks", [(5, 5), (10, 5), (5, 7), (0, 10)])
def test_looks_rise_to_the_number_of_seeds(looks: tuple[int, ...]) -> None:
    with pytest.raises(ConfigurationError, match="looks rise to the number of seeds, 10"):
        replace(LOOKS, looks=looks)


def test_a_profile_runs_its_arms_and_asks_its_own_question(tmp_path: Path) -> None:
    two = Profile("quick", (0, 1), arms=("3x3", "5x5"), primary="middle")
    result = run_study(make_study(), two, folder=tmp_path, pool=LocalPool(execute))
    assert [arm.name for arm in result.arms] == ["3x3", "5x5"]
    assert result.evidence.primary.estimand.name == "middle"
    assert [one.estimand.name for one in result.evidence.secondary] == ["size"]
    with pytest.raises(ConfigurationError, match="runs no arm of its primary estimand 'gain'"):
        make_study().under(replace(two, primary=None))
    with pytest.raises(ConfigurationError, match="unknown estimand 'middel'; did you mean 'middle'"):
        make_study().under(replace(two, primary="middel"))


def test_the_register_shows_every_change_and_every_verdict(tmp_path: Path) -> None:
    first = run_study(make_study(), LOOKS, folder=tmp_path, pool=LocalPool(execute))
    again = run_study(make_study(), LOOKS, folder=tmp_path, pool=LocalPool(execute))
    assert len(first.declared) == len(again.declared) == 1
    assert len(again.drawn) == 1
    edited = make_study(prediction="By a lot.", primary=Estimand("gain", "test.accuracy", "3x3", between(0, 1), "7x7"))
    changed = run_study(edited, LOOKS, folder=tmp_path, pool=LocalPool(execute))
    assert changed.declared[0].amended is None
    assert changed.declared[1].amended is not None
    assert "study" in changed.declared[1].amended
    assert len(changed.drawn) == 2
    assert read_study(edited, LOOKS, folder=tmp_path).declared == changed.declared


def test_what_is_declared_is_written_before_the_first_trial(tmp_path: Path) -> None:
    class Stops:
        def run(self, trials, started=None):  # type: ignore[no-untyped-def]
            raise KeyboardInterrupt
            yield

    with pytest.raises(TrainingInterrupted):
        run_study(make_study(), LOOKS, folder=tmp_path, pool=Stops())
    found = read_study(make_study(), LOOKS, folder=tmp_path)
    assert not found.trials
    assert len(found.declared) == 1
