"""The missing trials are run once, in balanced order, and an interruption loses one trial."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from convlens.cli.trials import event_line
from convlens.errors import ConfigurationError, OutputError, TrainingInterrupted
from convlens.studies.pools.pool import LocalPool, Result
from convlens.studies.runner import ProgressEvent, failures, plan, run_trials, stored
from convlens.studies.spec import Arm, Metric, Profile
from convlens.studies.storage.store import TrialStore
from convlens.studies.trial import Failure, PlannedTrial, TrialOutcome
from convlens.wording import percent

from .examples import THREE, configuration, execute, make_study, planned_trial


@pytest.fixture
def store(tmp_path):
    with TrialStore(tmp_path / "trials.sqlite") as opened:
        yield opened


class Counting:
    """An executor that counts, and fails where a test wants it."""

    def __init__(self, fail_at: int | None = None, error: type[BaseException] = KeyboardInterrupt) -> None:
        self.ran: list[PlannedTrial] = []
        self.fail_at, self.error = fail_at, error

    def __call__(self, planned: PlannedTrial) -> TrialOutcome:
        if len(self.ran) == self.fail_at:
            raise self.error("stop")
        self.ran.append(planned)
        return execute(planned)


def test_seeds_are_outermost():
    planned = plan(make_study(), THREE, numerics_version=1)
    assert [(t.seed, t.arm) for t in planned] == [(s, a) for s in (0, 1, 2) for a in ("3x3", "5x5", "7x7")]
    assert {t.numerics_version for t in planned} == {1}
    assert planned[0].metrics == ("test.accuracy", "parameters")


def test_arms_of_one_configuration_are_planned_once_and_expensive_arms_for_fewer_seeds():
    arms = (
        Arm("3x3", configuration(3)),
        Arm("as is", configuration(3)),
        Arm("5x5", configuration(5), most_seeds=2),
        Arm("7x7", configuration(7)),
    )
    planned = plan(make_study(arms=arms), THREE, numerics_version=1)
    assert [t.arm for t in planned] == ["3x3", "5x5", "7x7", "3x3", "5x5", "7x7", "3x3", "7x7"]


def test_a_run_that_two_arms_share_must_have_the_metrics_of_both(store):
    twin = Arm("twin", configuration(3))
    metrics = (*make_study().metrics, Metric("shift", "pixels", arms=("twin",)))
    planned = plan(make_study(arms=(*make_study().arms, twin), metrics=metrics), THREE, numerics_version=1)
    assert len(planned) == 9
    assert {trial.arm: trial.metrics[2:] for trial in planned} == {"3x3": ("shift",), "5x5": (), "7x7": ()}
    run_trials(planned, store, LocalPool(execute))
    assert {trial.arm for trial, _ in failures(planned, store)} == {"3x3"}


def test_a_profile_changes_what_is_run_and_so_the_keys():
    quick = Profile("quick", (0, 1, 2), {"recipe.epochs": 1})
    keys = {t.key for t in plan(make_study(), THREE, numerics_version=1)}
    assert keys.isdisjoint(t.key for t in plan(make_study(), quick, numerics_version=1))


def test_a_finished_trial_never_runs_twice(store):
    planned, counting = plan(make_study(), THREE, numerics_version=1), Counting()
    first = run_trials(planned, store, LocalPool(counting))
    again = run_trials(planned, store, LocalPool(counting))
    assert len(counting.ran) == len(store) == 9
    assert [t.key for t in first] == [t.key for t in again] == [t.key for t in planned]
    assert [t.metrics for t in first] == [t.metrics for t in again]
    other_study = plan(make_study(name="renamed"), THREE, numerics_version=1)
    assert len(run_trials(other_study, store, LocalPool(counting))) == 9
    assert len(counting.ran) == 9
    assert len(stored(other_study, store)) == 9


def test_a_trial_planned_twice_runs_once(store):
    counting = Counting()
    assert len(run_trials([planned_trial(), planned_trial(arm="again")], store, LocalPool(counting))) == 2
    assert len(counting.ran) == 1


@pytest.mark.parametrize("error", [KeyboardInterrupt, TrainingInterrupted, OutputError])
def test_what_stops_a_run_keeps_what_is_finished(store, error):
    planned = plan(make_study(), THREE, numerics_version=1)
    events: list[ProgressEvent] = []
    with pytest.raises(error, match="stop"):
        run_trials(planned, store, LocalPool(Counting(fail_at=4, error=error)), events.append)
    assert [t.key for t in stored(planned, store)] == [t.key for t in planned[:4]]
    assert events[-1].kind == ("started" if error is OutputError else "interrupted")
    rest = Counting()
    run_trials(planned, store, LocalPool(rest))
    assert [t.key for t in rest.ran] == [t.key for t in planned[4:]]


def test_a_trial_that_fails_is_recorded_and_the_rest_goes_on_and_the_next_run_tries_it_again(store):
    planned, events = plan(make_study(), THREE, numerics_version=1), list[ProgressEvent]()

    def fail_sometimes(trial: PlannedTrial) -> TrialOutcome:
        if trial.seed == 1:
            raise ValueError("no\nimages")
        return execute(trial)

    done = run_trials(planned, store, LocalPool(fail_sometimes), events.append)
    assert [t.seed for t in done] == [0, 0, 0, 2, 2, 2]
    failed = failures(planned, store)
    assert [trial.key for trial, _ in failed] == [t.key for t in planned if t.seed == 1]
    assert {(one.error, one.message) for _, one in failed} == {("ValueError", "no images")}
    assert [e.kind for e in events].count("failed") == 3
    assert events[-1].seconds_left == 0
    rest = Counting()
    assert len(run_trials(planned, store, LocalPool(rest))) == 9
    assert [t.seed for t in rest.ran] == [1, 1, 1]
    assert failures(planned, store) == []


def test_a_trial_that_two_studies_share_must_have_the_metrics_of_both(store):
    wanted = [planned_trial(metrics=("speed",)), planned_trial(study="other", metrics=("parameters",))]
    assert run_trials(wanted, store, LocalPool(execute)) == []
    assert "has no metric 'speed'" in failures(wanted, store)[0][1].message


def test_any_pool_will_do(store):
    """One that hands results back in its own order, says nothing of starts, and is no generator."""

    class Backwards:
        def run(self, trials: Sequence[PlannedTrial], started: Any = None) -> Iterator[Result]:
            return iter([(trial.key, execute(trial)) for trial in reversed(trials)])

    planned = plan(make_study(), THREE, numerics_version=1)
    assert [t.key for t in run_trials(planned, store, Backwards())] == [t.key for t in planned]


def test_a_trial_keeps_its_number_whatever_ends_first(store, monkeypatch):
    now = [0.0]
    monkeypatch.setattr("convlens.studies.runner.time.monotonic", lambda: now[0])

    class AllAtOnce:
        """Starts everything, and hands back the last trial first; the second fails."""

        def run(self, trials: Sequence[PlannedTrial], started: Any = None) -> Iterator[Result]:
            for trial in trials:
                started(trial)
            for trial in reversed(trials):
                now[0] += 2.0
                failed = Failure("ValueError", "no images", "2026-01-01T00:00:00+00:00")
                yield trial.key, failed if trial is trials[1] else execute(trial)

    planned, events = plan(make_study(), Profile("one", (0,)), numerics_version=1), list[ProgressEvent]()
    run_trials(planned, store, AllAtOnce(), events.append)
    ends = [event for event in events if event.kind != "started"]
    assert [(e.kind, e.position, e.seconds) for e in ends] == [
        ("finished", 3, 2.0),
        ("failed", 2, 4.0),
        ("finished", 1, 6.0),
    ]
    assert ends[0].metrics == execute(planned[2]).metrics
    assert event_line(ends[0]) == f"trial 3/3 finished: {percent(ends[0].metrics['test.accuracy'])}, 2.0 s; 2.3 s left"
    assert event_line(ends[1]).startswith("trial 2/3 failed: kernel-size/5x5, seed 0: ValueError: no images; ")
    assert event_line(events[0]) == "trial 1/3: kernel-size/3x3, seed 0"


def test_progress_estimates_time_left_from_costs(store, monkeypatch):
    now = [0.0]
    monkeypatch.setattr("convlens.studies.runner.time.monotonic", lambda: now[0])

    def slow(planned: PlannedTrial) -> TrialOutcome:
        now[0] += 2 * planned.cost
        return execute(planned)

    planned = plan(make_study(), Profile("two", (0, 1)), numerics_version=1)  # costs 3, 5, 7 twice
    run_trials(planned[:2], store, LocalPool(slow))
    events: list[ProgressEvent] = []
    run_trials(planned, store, LocalPool(slow), events.append)
    finished = [(e.position, e.total, e.seconds_left) for e in events if e.kind == "finished"]
    assert finished == [(3, 6, 30.0), (4, 6, 24.0), (5, 6, 14.0), (6, 6, 0.0)]
    assert [(e.kind, e.seconds_left) for e in events[:3]] == [
        ("found", None),
        ("found", None),
        ("started", None),
    ]


def test_provenance_says_when(store):
    (trial,) = run_trials([planned_trial()], store, LocalPool(execute))
    assert trial.provenance["started"] <= trial.provenance["finished"] == trial.created
    assert trial.provenance["engine"] == "numpy"


def test_a_required_metric_that_nobody_measured(store):
    wanted = planned_trial(metrics=("test.acuracy",))
    message = r"kernel-size/3x3, seed 0 has no metric 'test.acuracy'; did you mean 'test.accuracy'"
    assert run_trials([wanted], store, LocalPool(execute)) == []
    ((_, failed),) = failures([wanted], store)
    assert re.search(message, failed.message)
    assert len(store) == 0  # or the mended executor would never be asked again
    run_trials([planned_trial()], store, LocalPool(execute))
    with pytest.raises(ConfigurationError, match=message):
        run_trials([wanted], store, LocalPool(execute))


@pytest.mark.parametrize("changes", [{"seed": -1}, {"seed": 1.0}, {"cost": 0.0}, {"arm": ""}, {"study": "a\nb"}])
def test_a_plan_that_cannot_be(changes):
    with pytest.raises(ConfigurationError):
        planned_trial(**changes)
