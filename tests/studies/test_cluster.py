"""Trials on a Dask cluster: the same bits as here, one store, and a line for everything that goes wrong."""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from convlens.cli.main import app
from convlens.errors import ConfigurationError, ConvlensError, DataError, TrainingInterrupted
from convlens.models import CNN
from convlens.studies import run_study
from convlens.studies.executors import ExecutionOptions
from convlens.studies.executors import execute as execute_trial
from convlens.studies.executors.training import configuration
from convlens.studies.pools import cluster, cluster_worker
from convlens.studies.pools.cluster import DaskPool, cluster_pool
from convlens.studies.pools.cluster_worker import Needs
from convlens.studies.pools.pool import LocalPool
from convlens.studies.runner import ProgressEvent, failures, plan, run_trials
from convlens.studies.storage.store import TrialStore
from convlens.studies.trial import PlannedTrial, Trial, TrialOutcome

from .clusters import Cluster
from .examples import THREE, execute, make_study, planned_trial

distributed = pytest.importorskip("distributed")


def measured(trials: Sequence[Trial]) -> list[Any]:
    """Return all that trials measured and that is not a time, to the bit."""
    return [
        (
            trial.key,
            {name: v for name, v in trial.metrics.items() if not name.startswith(("seconds", "images_per"))},
            trial.history,
            {
                f"{kind}.{name}": (array.dtype, array.shape, array.tobytes())
                for kind in ("predictions", "labels", "curves")
                for name, array in getattr(trial, kind).items()
            },
        )
        for trial in trials
    ]


def slow(planned: PlannedTrial, seconds: float, log: Path) -> TrialOutcome:
    """Take a while, and write down who began which trial."""
    with log.open("a") as file:
        file.write(f"{os.getpid()} {planned.key}\n")
    time.sleep(seconds)
    return execute(planned)


def fail_at_two(planned: PlannedTrial) -> TrialOutcome:
    if planned.seed == 2:
        raise DataError("no data for seed 2")
    return execute(planned)


def stop(planned: PlannedTrial) -> TrialOutcome:
    raise TrainingInterrupted("the time is over")


def end_the_worker(planned: PlannedTrial) -> TrialOutcome:
    if planned.seed == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    return execute(planned)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[TrialStore]:
    with TrialStore(tmp_path / "trials.sqlite") as opened:
        yield opened


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Two workers that no test harms."""
    with Cluster(tmp_path_factory.mktemp("cluster"), "", "") as started:
        yield started


# What the coordinator decides, without a cluster.


class StubClient:
    """Answers as a client of distributed does, for two workers."""

    def __init__(self, scheduler: str | None = None, workers: int = 2, **second: Any) -> None:
        ours = dict(cluster_worker.software())
        self._scheduler, self._workers = scheduler or ours["distributed"], workers
        self._second = second.get("error") or tuple({**ours, **second}.items())

    def wait_for_workers(self, count: int, timeout: float) -> None:
        if self._workers < count:
            raise TimeoutError

    def run_on_scheduler(self, function: Any, *given: Any) -> Any:
        return self._scheduler

    def run(self, function: Any, on_error: str) -> Mapping[str, Any]:
        return {"tcp://10.0.0.1:1": function(), "tcp://10.0.0.2:2": self._second}


@pytest.mark.parametrize(
    ("client", "says"),
    [
        (StubClient(workers=0), r"tcp://here:1 has no workers after 3 s; start some: dask worker tcp://here:1$"),
        (StubClient(scheduler="2020.1"), r"scheduler at tcp://here:1 has distributed 2020\.1, here 20"),
        (StubClient(convlens="9.9"), r"worker tcp://10\.0\.0\.2:2 cannot run.*it has convlens 9\.9, here 0\.1\.0;"),
        (StubClient(**{"source code": "abc"}), r"10\.0\.0\.2:2 cannot run.*it has source code abc, here \w{12};"),
        (StubClient(numerics="5", Python="3.9"), r"it has numerics 5, here \d+; Python 3\.9, here 3\.\d+;"),
        (StubClient(error=ImportError("No module")), r"10\.0\.0\.2:2.*import this convlens \(ImportError: No module\)"),
    ],
)
def test_a_cluster_that_is_not_like_this_machine_is_refused(client: StubClient, says: str) -> None:
    with pytest.raises(ConvlensError, match=says) as caught:
        cluster._check_workers(client, "tcp://here:1", 3)
    assert "\n" not in str(caught.value)


def test_a_cluster_like_this_machine_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    cluster._check_workers(StubClient(), "tcp://here:1", 3)


@pytest.mark.parametrize("address", ["foo", "10.0.0.1:8786", "http://a:1", "tcp://a", "tcp://a:b", "tcp://:1", ""])
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(ConfigurationError, match=r"such as tcp://192\.168\.1\.10:8786, not"):
        DaskPool(address, execute)


@pytest.mark.parametrize("address", ["tcp://10.0.0.1:8786", "tls://node-1.lab:8786", "tcp://[fe80::1%eth0]:8786"])
def test_addresses(address: str) -> None:
    assert DaskPool(address, execute).address == address


def test_without_dask_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    result = CliRunner().invoke(app, ["study", "run", "kernel-size", "--cluster", "tcp://a:1"])
    assert isinstance(result.exception, ConfigurationError)
    assert 'pip install "convlens[cluster]"' in str(result.exception)


@pytest.mark.parametrize("verb", [["study", "run", "kernel-size"], ["reproduce"]])
def test_threads_are_the_workers_own(verb: list[str], tmp_path: Path) -> None:
    words = [*verb, "--cluster", "tcp://a:1", "--threads", "2", "--out", str(tmp_path)]
    result = CliRunner().invoke(app, words)
    assert isinstance(result.exception, ConfigurationError)
    assert "--threads is for this machine" in str(result.exception)


def test_certificates_are_asked_for() -> None:
    with pytest.raises(ConfigurationError, match=r"needs certificates.*distributed\.comm\.tls"):
        list(DaskPool("tls://127.0.0.1:1", execute).run([planned_trial()]))


def test_a_scheduler_that_does_not_answer(capfd: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:  # takes the connection and says nothing
        address = f"tcp://127.0.0.1:{silent.getsockname()[1]}"
        began = time.monotonic()
        with pytest.raises(ConvlensError, match=rf"no Dask scheduler answers at {address} within 0\.5 s.*dask schedul"):
            list(DaskPool(address, execute, answer_seconds=0.5).run([planned_trial()]))
        assert time.monotonic() - began < 10
    assert capfd.readouterr() == ("", "")


def test_data_of_a_configuration_and_of_those_within_it() -> None:
    training = {"data": {"sha256": "ab"}, "names": {"data": "mnist"}}
    assert list(cluster_worker.data_of(training)) == [("mnist", "ab")]
    assert list(cluster_worker.data_of({"kind": "measurement", "of": training, "names": {}})) == [("mnist", "ab")]
    assert list(cluster_worker.data_of({"kind": "toy", "data": "mnist"})) == []


def test_what_a_worker_lacks() -> None:
    ours = cluster_worker.software()
    digest = configuration(CNN())["data"]["sha256"]
    assert cluster_worker._reason(Needs(ours, "interpreter", (("mnist", digest),))) is None
    assert "'mnist' have the SHA-256" in str(cluster_worker._reason(Needs(ours, None, (("mnist", "ab"),))))
    assert "no-such-set" in str(cluster_worker._reason(Needs(ours, None, (("no-such-set", "ab"),))))
    assert "no-such-engine" in str(cluster_worker._reason(Needs(ours, "no-such-engine")))
    assert "convlens 0" in str(cluster_worker._reason(Needs((("convlens", "9"),))))


# On a real cluster.


@pytest.mark.slow
def test_the_same_outcomes_as_here(store: TrialStore, two: Cluster, tmp_path: Path) -> None:
    planned = plan(make_study(), THREE, numerics_version=1)
    events: list[ProgressEvent] = []
    there = run_trials(planned, store, DaskPool(two.address, execute), events.append)
    with TrialStore(tmp_path / "other.sqlite") as other:
        here = run_trials(planned, other, LocalPool(execute))
    assert len(there) == 9
    assert measured(there) == measured(here)
    assert [event.kind for event in events].count("finished") == 9
    assert {trial.provenance["trials side by side"] for trial in there} == {2}


@pytest.mark.slow
def test_trials_are_announced_when_a_worker_has_them(two: Cluster, tmp_path: Path) -> None:
    started: list[int] = []
    pool = DaskPool(two.address, partial(slow, seconds=1.5, log=tmp_path / "log"))
    results = pool.run([planned_trial(seed) for seed in range(4)], lambda planned: started.append(planned.seed))
    seen = [len(started) for _ in results]
    assert seen[0] == 2, "no more than the workers have threads"
    assert sorted(started) == [0, 1, 2, 3]


@pytest.mark.slow
def test_a_failure_is_recorded_with_its_worker_and_the_rest_goes_on(store: TrialStore, two: Cluster) -> None:
    planned = [planned_trial(seed) for seed in range(5)]
    done = run_trials(planned, store, DaskPool(two.address, fail_at_two))
    assert [trial.seed for trial in done] == [0, 1, 3, 4]
    ((_, failed),) = failures(planned, store)
    assert failed.error == "DataError"
    assert failed.message.startswith("no data for seed 2 (on tcp://127.0.0.1:")


@pytest.mark.slow
def test_what_stops_a_trial_stops_everything(store: TrialStore, two: Cluster) -> None:
    with pytest.raises(TrainingInterrupted, match="time is over"):
        run_trials([planned_trial(seed) for seed in range(6)], store, DaskPool(two.address, stop))
    assert len(store) == 0
    assert run_trials([planned_trial()], store, DaskPool(two.address, execute)), "the cluster is free again"


@pytest.mark.slow
def test_ctrl_c_leaves_the_cluster_free(store: TrialStore, two: Cluster, tmp_path: Path) -> None:
    def interrupt(event: ProgressEvent) -> None:
        if event.kind == "finished":
            raise KeyboardInterrupt

    planned, log = [planned_trial(seed) for seed in range(8)], tmp_path / "log"
    with pytest.raises(KeyboardInterrupt):
        run_trials(planned, store, DaskPool(two.address, partial(slow, seconds=0.5, log=log)), interrupt)
    assert len(store) == 1
    begun = len(log.read_text().splitlines())
    time.sleep(2)
    assert len(log.read_text().splitlines()) == begun <= 4, "what waited was not begun"


@pytest.mark.slow
def test_a_worker_of_other_data_or_another_module_is_named(two: Cluster) -> None:
    settings = {**planned_trial().configuration, "data": {"sha256": "ab"}, "names": {"data": "mnist"}}
    with pytest.raises(ConfigurationError, match=r"worker tcp://127.0.0.1:\d+ cannot run.*data 'mnist' have the SHA"):
        list(DaskPool(two.address, execute).run([planned_trial(configuration=settings)]))
    with pytest.raises(ConfigurationError, match=r"no_such_engine"):
        list(DaskPool(two.address, execute, engine="no_such_engine").run([planned_trial()]))


@pytest.mark.slow
def test_a_worker_killed_in_mid_run(store: TrialStore, tmp_path: Path) -> None:
    planned, log = plan(make_study(), THREE, numerics_version=1), tmp_path / "log"
    with Cluster(tmp_path / "cluster", "", "") as started:
        victim = started.workers[0]

        def kill() -> None:
            """Wait until the worker has begun its second trial, and kill it in the middle of that."""
            while not log.exists() or log.read_text().count(f"{victim.pid} ") < 2:
                time.sleep(0.02)
            victim.kill()

        threading.Thread(target=kill, daemon=True).start()
        pool = DaskPool(started.address, partial(slow, seconds=1.0, log=log))
        there = run_trials(planned, store, pool)
    with TrialStore(tmp_path / "other.sqlite") as other:
        here = run_trials(planned, other, LocalPool(execute))
    assert len(there) == 9
    assert measured(there) == measured(here)
    begun = [line.split() for line in log.read_text().splitlines()]
    lost = [key for pid, key in begun if int(pid) == victim.pid][-1]
    assert [key for _, key in begun].count(lost) == 2, "the trial under way was begun again elsewhere"


@pytest.mark.slow
def test_trainings_on_a_cluster_have_the_bits_of_those_here(tmp_path: Path) -> None:
    settings = [configuration(CNN(kernel_size=size), epochs=1, train_images=1000) for size in (3, 5)]
    arms = tuple(replace(arm, configuration=one) for arm, one in zip(make_study().arms[::2], settings, strict=True))
    study = make_study(arms=arms, levels=(3, 7), secondary=())
    with Cluster(tmp_path / "cluster", "", "--nthreads 2") as started:

        def kill(event: ProgressEvent) -> None:
            if event.kind == "finished" and started.workers[0].poll() is None:
                started.workers[0].kill()

        there = run_study(study, THREE, folder=tmp_path / "there", pool=cluster_pool(started.address), progress=kill)
    local = partial(execute_trial, options=ExecutionOptions(threads=1))
    here = run_study(study, THREE, folder=tmp_path / "here", pool=LocalPool(local))
    assert len(there.trials) == 6
    assert measured(there.trials) == measured(here.trials)
    found, expected = (one.evidence.to_dict() for one in (there, here))
    assert found.pop("provenance") != expected.pop("provenance"), "it says how many trials ran side by side"
    assert found == expected


@pytest.mark.slow
def test_a_trial_that_kills_every_worker_has_failed(store: TrialStore, tmp_path: Path) -> None:
    with Cluster(tmp_path / "cluster", *[""] * 5) as started:
        done = run_trials([planned_trial(seed) for seed in (1, 0)], store, DaskPool(started.address, end_the_worker))
    assert [trial.seed for trial in done] == [0]
    ((trial, failed),) = failures([planned_trial(1)], store)
    assert trial.seed == 1
    assert failed.message.startswith("4 workers ended while they ran it, the last at tcp://127.0.0.1:")


@pytest.mark.slow
def test_a_scheduler_that_goes_away(store: TrialStore, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with Cluster(tmp_path / "cluster", "", "") as started:

        def kill(event: ProgressEvent) -> None:
            if event.kind == "finished":
                started.scheduler.kill()
                started.scheduler.wait()

        pool = DaskPool(started.address, partial(slow, seconds=0.5, log=tmp_path / "log"))
        with pytest.raises(ConvlensError, match=rf"the scheduler at {started.address} has gone .*finished trials are"):
            run_trials([planned_trial(seed) for seed in range(8)], store, pool, kill)
    assert 1 <= len(store) < 8
    assert capfd.readouterr() == ("", "")


@pytest.mark.slow
def test_a_cluster_that_loses_its_last_worker(store: TrialStore, tmp_path: Path) -> None:
    with Cluster(tmp_path / "cluster", "") as started:

        def kill(event: ProgressEvent) -> None:
            if event.kind == "finished":
                started.workers[0].kill()

        pool = DaskPool(started.address, partial(slow, seconds=0.5, log=tmp_path / "log"), lonely_seconds=2)
        with pytest.raises(ConvlensError, match=r"has had no worker for 2 s; finished trials are kept"):
            run_trials([planned_trial(seed) for seed in range(4)], store, pool, kill)
        assert len(store) == 1
        started.add()
        assert (
            len(run_trials([planned_trial(seed) for seed in range(4)], store, DaskPool(started.address, execute))) == 4
        )
