"""Tuning: the rate with the best validation accuracy, found once for each network, before a study runs."""

from __future__ import annotations

import dataclasses
import json
import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from convlens import NUMERICS_VERSION
from convlens.cli.main import app
from convlens.errors import ArtifactError, ConfigurationError, ConvlensError, OutputError, TrainingInterrupted
from convlens.models import CNN, DenseNet
from convlens.studies import catalog, tuned, tuning
from convlens.studies.catalog import StudyEntry
from convlens.studies.executors.training import configuration
from convlens.studies.pools.pool import LocalPool
from convlens.studies.runner import plan
from convlens.studies.spec import Arm, Estimand, Metric, Study
from convlens.studies.statistics.verdict import greater_than
from convlens.studies.trial import PlannedTrial, TrialOutcome
from convlens.studies.tuned import PROTOCOL, rate_key, rates_file, read_rates, require_tuned
from convlens.studies.tuning import networks, tune
from tests.toys import write_toy_folder

from .examples import THREE, make_study

SMALL, LARGE = CNN(filters=(3, 4), hidden=8), CNN(filters=(5, 6), hidden=8)
BEST = {3: 0.005, 5: 0.02}  # the rate with the highest accuracy, by the filters of the first layer


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_toy_folder(tmp_path / "bars")


@pytest.fixture(autouse=True)
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty file of rates, in place of the package's."""
    path = tmp_path / "tuned.json"
    for module in (tuned, tuning):
        monkeypatch.setattr(module, "TUNED", path)
    return path


def study(name: str, folder: Path, *architectures: CNN | DenseNet, fixed: bool = False) -> Study:
    wanted = [configuration(one, dataset=str(folder), epochs=7, train_images=90) for one in architectures]
    arms = [Arm(f"arm {n}", one if fixed else tuned.tuned(one)) for n, one in enumerate(wanted)]
    metric = Metric("validation.accuracy", "fraction")
    primary = Estimand("e", metric.name, "arm 0", greater_than(0))
    return make_study(name=name, arms=arms, metrics=(metric,), primary=primary, secondary=())


@pytest.fixture
def listed(monkeypatch: pytest.MonkeyPatch, folder: Path) -> Callable[..., None]:
    """Make functions that return studies the whole catalogue."""

    def put(**studies: Callable[[], Study]) -> None:
        found = {name: StudyEntry(name, one, {"standard": THREE}) for name, one in studies.items()}
        monkeypatch.setattr(tuning, "entries", lambda broken: found)
        monkeypatch.setattr(tuning, "entry", lambda name: found[name])

    return put


def measured(planned: PlannedTrial) -> tuple[float, float]:
    """Return accuracy and loss of a tuning trial: worse the further its rate is from the best; seeds vary."""
    given: Any = planned.configuration
    first, rate = given["model"]["layers"][0]["filters"], given["recipe"]["schedule"]["rate"]
    away = abs(math.log2(rate / BEST[first]))
    noise = ((planned.seed * 7919 + round(rate * 1e5) * 104729) % 100) / 100 * 0.005
    return 0.9 - 0.02 * away + noise, 0.3 + away


class Recorder:
    """Executes nothing; keeps what it was asked for, and stops or fails where it is told to."""

    def __init__(self, stop_after: int | None = None, fail: str = "") -> None:
        self.asked: list[PlannedTrial] = []
        self.stop_after, self.fail = stop_after, fail

    def __call__(self, planned: PlannedTrial) -> TrialOutcome:
        if len(self.asked) == self.stop_after:
            raise KeyboardInterrupt
        self.asked.append(planned)
        if self.fail and self.fail in planned.arm:
            raise ValueError("no memory")
        accuracy, loss = measured(planned)
        return TrialOutcome({"validation.accuracy": accuracy, "validation.loss": loss})


def test_a_network_is_tuned_once_and_the_best_mean_wins(folder: Path, listed: Any, file: Path, tmp_path: Path) -> None:
    listed(one=lambda: study("one", folder, SMALL, LARGE), two=lambda: study("two", folder, LARGE, SMALL))
    asked = Recorder()
    found = tune(folder=tmp_path / "out", pool=LocalPool(asked))
    assert list(found.rates) == ["one/arm 0", "one/arm 1"]
    assert [rate.rate for rate in found.rates.values()] == [0.005, 0.02]
    assert len(asked.asked) == 2 * len(PROTOCOL.grid) * len(PROTOCOL.seeds)
    means = [
        sum(measured(t)[0] for t in asked.asked if t.arm == f"one/arm 0 at {rate:g}") / 3 for rate in PROTOCOL.grid
    ]
    assert found.rates["one/arm 0"].accuracy == pytest.approx(means)
    assert {key: rate.rate for key, rate in read_rates().items()} == {
        rate_key(configuration(one, dataset=str(folder))): BEST[one.filters[0]] for one in (SMALL, LARGE)
    }


def test_tuning_trials_are_of_the_protocol_and_read_no_test_set(folder: Path, listed: Any, tmp_path: Path) -> None:
    listed(one=lambda: study("one", folder, SMALL))
    asked = Recorder()
    tune(["one"], folder=tmp_path / "out", pool=LocalPool(asked))
    wanted = {(seed, rate) for seed in PROTOCOL.seeds for rate in PROTOCOL.grid}
    found = [(trial.seed, trial.configuration) for trial in asked.asked]
    assert {(seed, given["recipe"]["schedule"]["rate"]) for seed, given in found} == wanted
    for _, given in found:
        assert given["data"]["test"] is False
        assert given["data"]["train_images"] is None  # there are fewer than the protocol's
        assert given["recipe"]["epochs"] == PROTOCOL.epochs
        assert given["seeds"] == {"split": 0, "subset": "trial", "initialisation": "trial", "shuffle": "trial"}


def test_a_study_runs_only_once_it_is_tuned(folder: Path, listed: Any, tmp_path: Path) -> None:
    listed(one=lambda: study("one", folder, SMALL))
    message = "one/arm 0: no learning rate has been tuned for it; run: convlens study tune one$"
    with pytest.raises(ConfigurationError, match=message):
        plan(study("one", folder, SMALL), THREE, numerics_version=NUMERICS_VERSION)
    tune(folder=tmp_path / "out", pool=LocalPool(Recorder()))
    trials = plan(study("one", folder, SMALL), THREE, numerics_version=NUMERICS_VERSION)
    used: Any = [trial.configuration for trial in trials]
    assert {given["recipe"]["schedule"]["rate"] for given in used} == {0.005}
    assert {given["recipe"]["epochs"] for given in used} == {7}
    again = Recorder()
    assert list(tune(folder=tmp_path / "elsewhere", pool=LocalPool(again)).rates) == ["one/arm 0"]
    assert not again.asked


def test_an_arm_with_a_rate_of_its_own_is_left_alone(folder: Path, listed: Any, file: Path, tmp_path: Path) -> None:
    listed(one=lambda: study("one", folder, SMALL, fixed=True))
    assert not tune(folder=tmp_path / "out", pool=LocalPool(Recorder())).rates
    assert plan(study("one", folder, SMALL, fixed=True), THREE, numerics_version=NUMERICS_VERSION)


def test_tuning_goes_on_where_it_was_stopped(folder: Path, listed: Any, file: Path, tmp_path: Path) -> None:
    listed(one=lambda: study("one", folder, SMALL))
    with pytest.raises(TrainingInterrupted, match="5 of 18 trials are kept"):
        tune(folder=tmp_path / "out", pool=LocalPool(Recorder(stop_after=5)))
    assert not file.exists()
    rest = Recorder()
    tune(folder=tmp_path / "out", pool=LocalPool(rest))
    assert len(rest.asked) == 13
    whole = file.read_bytes()
    file.unlink()
    tune(folder=tmp_path / "whole", pool=LocalPool(Recorder()))
    assert file.read_bytes() == whole


def test_a_failed_trial_costs_its_own_network_alone(folder: Path, listed: Any, tmp_path: Path) -> None:
    listed(one=lambda: study("one", folder, SMALL, LARGE))
    found = tune(folder=tmp_path / "out", pool=LocalPool(Recorder(fail="arm 0 at 0.01")))
    assert list(found.rates) == ["one/arm 1"]
    assert len(found.failed) == 3
    rest = Recorder()
    assert len(tune(folder=tmp_path / "out", pool=LocalPool(rest)).rates) == 2
    assert len(rest.asked) == 3


def test_rates_that_nobody_asks_for_leave_the_file(folder: Path, listed: Any, tmp_path: Path) -> None:
    listed(one=lambda: study("one", folder, SMALL, LARGE))
    tune(folder=tmp_path / "out", pool=LocalPool(Recorder()))
    listed(one=lambda: study("one", folder, SMALL))
    tune(["one"], folder=tmp_path / "out", pool=LocalPool(Recorder()))
    assert len(read_rates()) == 2
    tune(folder=tmp_path / "out", pool=LocalPool(Recorder()))
    assert len(read_rates()) == 1


def test_a_study_without_its_data_is_left_out_and_its_rates_stay(folder: Path, listed: Any, tmp_path: Path) -> None:
    def absent() -> Study:
        raise ConvlensError("its data are not here")

    listed(one=lambda: study("one", folder, SMALL), two=lambda: study("two", folder, LARGE))
    tune(folder=tmp_path / "out", pool=LocalPool(Recorder()))
    listed(one=lambda: study("one", folder, SMALL), two=absent)
    found = tune(folder=tmp_path / "out", pool=LocalPool(Recorder()))
    assert found.left_out == {"two": "its data are not here"}
    assert len(read_rates()) == 2


def test_the_key_is_what_decides(folder: Path) -> None:
    given = configuration(SMALL, dataset=str(folder))

    def key(part: str, **changes: Any) -> str:
        return rate_key({**given, part: {**given[part], **changes}})

    schedule = given["recipe"]["schedule"]
    same = [
        key("data", train_images=100),
        key("data", test=False),
        key("data", permute=None),
        key("recipe", epochs=30),
        key("recipe", schedule={**schedule, "rate": 1.0}),
        key("names", model="another"),
        key("seeds", split="trial"),
    ]
    assert set(same) == {rate_key(given)}
    others = [
        rate_key(configuration(LARGE, dataset=str(folder))),
        key("data", permute=3),
        key("data", sha256="0" * 64),
        key("recipe", batch_size=32),
        key("recipe", schedule={**schedule, "warm_up": 0.2}),
    ]
    assert len({rate_key(given), *others}) == 6


@pytest.mark.parametrize("change", [{"numerics_version": NUMERICS_VERSION - 1}, {"grid": (0.001,)}, {"epochs": 9}])
def test_rates_of_another_protocol_do_not_count(
    folder: Path, listed: Any, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: dict[str, Any]
) -> None:
    listed(one=lambda: study("one", folder, SMALL))
    tune(folder=tmp_path / "out", pool=LocalPool(Recorder()))
    content = json.loads(file.read_bytes())
    content["protocol"] |= change
    file.write_text(json.dumps(content))
    assert read_rates() == {}
    with pytest.raises(ConfigurationError, match="tuned for it since the protocol of tuning changed; run: convlens"):
        plan(study("one", folder, SMALL), THREE, numerics_version=NUMERICS_VERSION)
    assert len(tune(folder=tmp_path / "out", pool=LocalPool(Recorder())).rates) == 1
    assert len(read_rates()) == 1


@pytest.mark.parametrize("content", ["", "[]", '{"protocol": {}, "rates": {"x": {"rate": 1}}}', '{"rate": {}}'])
def test_a_damaged_file_is_named(folder: Path, file: Path, content: str) -> None:
    file.write_text(content)
    with pytest.raises(ArtifactError, match=r"tuned\.json is damaged .*convlens study tune") as raised:
        tuned.tuned(configuration(SMALL, dataset=str(folder)))
    assert "\n" not in str(raised.value)


def test_a_file_that_cannot_be_written_is_found_out_first(folder: Path, listed: Any, tmp_path: Path) -> None:
    listed(one=lambda: study("one", folder, SMALL))
    asked = Recorder()
    with pytest.raises(OutputError, match="there is no folder"):
        tune(folder=tmp_path / "out", file=tmp_path / "nowhere" / "rates.json", pool=LocalPool(asked))
    assert not asked.asked


def test_the_training_that_a_measurement_names_is_tuned(folder: Path) -> None:
    inner = tuned.tuned(configuration(SMALL, dataset=str(folder)))
    outer = {"kind": "measurement", "of": inner, "weights": "trained"}
    with pytest.raises(ConfigurationError, match="x/y: no learning rate"):
        require_tuned(outer, "x", "x/y")
    described = dataclasses.replace(study("one", folder, SMALL), arms=(Arm("arm 0", outer),))
    assert list(networks([described])) == [rate_key(inner)]
    with pytest.raises(ConfigurationError, match="only a training has a learning rate to tune, not the kind 'measure"):
        tuned.tuned(outer)


def test_ties_go_to_the_lower_loss() -> None:
    accuracy, loss = (0.5, 0.9, 0.8, 0.9, 0.9, 0.1), (1.0, 0.4, 0.1, 0.3, 0.3, 2.0)
    assert tuned.TunedRate.chosen({}, accuracy, loss).rate == PROTOCOL.grid[3]


def test_the_command_prints_the_grid_and_warns_of_an_edge(
    folder: Path, listed: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed(one=lambda: study("one", folder, SMALL, LARGE))
    monkeypatch.setitem(BEST, 5, 0.08)
    monkeypatch.setattr(tuning, "default_pool", lambda *_: LocalPool(Recorder()))
    done = CliRunner().invoke(app, ["study", "tune", "one", "--out", str(tmp_path / "out")], catch_exceptions=False)
    assert done.exit_code == 0
    assert "one/arm 1: the best rate, 0.08, is at the edge of the grid" in " ".join(done.stderr.split())
    assert "one/arm 0: the best rate" not in done.stderr
    asked = CliRunner().invoke(app, ["study", "tune", "one", "--out", str(tmp_path / "out"), "--json"])
    found = json.loads(asked.stdout)
    assert [one["rate"] for one in found.values()] == [0.005, 0.08]
    printed = re.findall(r"(?<!\d)\d\d\.\d\d(?!\d)", done.stdout)
    assert printed == [f"{100 * share:.2f}" for one in found.values() for share in one["accuracy"]]


def test_real_trainings_are_tuned(folder: Path, listed: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    listed(one=lambda: study("one", folder, DenseNet((4,))))
    monkeypatch.setattr(tuning, "PROTOCOL", dataclasses.replace(PROTOCOL, seeds=PROTOCOL.seeds[:1]))
    found = tune(folder=tmp_path / "out", threads=1).rates["one/arm 0"]
    assert all(0 <= one <= 1 for one in found.accuracy)
    assert len(set(found.loss)) == len(PROTOCOL.grid)


PACKAGED = Path(tuned.__file__).with_name("tuned.json")


def test_the_rates_of_the_package_are_of_this_version() -> None:
    content = json.loads(PACKAGED.read_bytes())
    assert content["protocol"] == json.loads(json.dumps(dataclasses.asdict(PROTOCOL))), "run: convlens study tune"
    assert PACKAGED.read_bytes() == rates_file(read_rates(PACKAGED)), "written by hand; run: convlens study tune"


def test_every_arm_of_the_catalogue_that_asks_has_a_rate(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (tuned, tuning):
        monkeypatch.setattr(module, "TUNED", PACKAGED)
    asking = networks(tuning._studies((), {}))
    lacking = [one.label for key, one in asking.items() if key not in read_rates()]
    assert not lacking, "run: convlens study tune"


def test_no_profile_uses_a_tuning_seed() -> None:
    for entry in catalog.entries({}).values():
        for profile in entry.profiles.values():
            assert not set(profile.seeds) & set(PROTOCOL.seeds), entry.name
