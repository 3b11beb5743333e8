"""Results that ship: they come back whole, edits are noticed, and trials can be run again to the bit."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from convlens.errors import ArtifactError, ConfigurationError
from convlens.models import CNN
from convlens.plain import canonical
from convlens.studies import catalog, run_study
from convlens.studies.assessment.evidence import assess
from convlens.studies.executors import execute
from convlens.studies.executors.training import configuration
from convlens.studies.pools.pool import LocalPool
from convlens.studies.results.result import StudyResult
from convlens.studies.results.shipped import (
    FOLDER,
    LONGEST_HISTORY,
    THINNED_HISTORY,
    read_shipped,
    shipped_names,
    thinned,
    write_shipped,
)
from convlens.studies.results.verify import verify_trials
from convlens.studies.spec import Arm, Profile
from convlens.version import NUMERICS_VERSION
from tests.toys import write_toy_folder

from .examples import make_study


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> StudyResult:
    place = tmp_path_factory.mktemp("shipped")
    folder = write_toy_folder(place / "bars")
    arms = tuple(
        Arm(f"{k}x{k}", configuration(CNN(k, filters=(3, 4), hidden=8), dataset=str(folder), epochs=2), cost=k)
        for k in (3, 5, 7)
    )
    return run_study(make_study(arms=arms), Profile("standard", (0, 1)), folder=place, pool=LocalPool(execute))


@pytest.fixture
def path(result: StudyResult, tmp_path: Path) -> Path:
    write_shipped(result, tmp_path / "kernel-size.json")
    return tmp_path / "kernel-size.json"


def test_a_result_comes_back_whole(result: StudyResult, path: Path) -> None:
    found = read_shipped("kernel-size", path.parent)
    assert shipped_names(path.parent) == ["kernel-size"]
    assert found.stored
    assert found.evidence.to_dict() == result.evidence.to_dict()  # of arms without predictions too
    assert found.evidence.secondary[0].components is not None
    assert found.evidence.secondary[0].mcnemar
    assert found.declared == tuple(result.declared)
    assert {one.key: one.history for one in found.trials} == {one.key: one.history for one in result.trials}
    for one, other in zip(found.arms[0].trials, result.arms[0].trials, strict=True):
        assert np.array_equal(one.predictions["test"], other.predictions["test"])
        assert np.array_equal(one.labels["test"], other.labels["test"])
    assert not found.arms[1].trials[0].predictions  # of arms that the primary estimand does not name
    assert path.read_bytes().count(b'"key"') == 6


def test_what_ships_follows_from_the_store(result: StudyResult, path: Path) -> None:
    later = replace(result, started="2099-01-01T00:00:00+00:00", seconds=0.0)
    write_shipped(later, path.with_name("later.json"))
    assert path.with_name("later.json").read_bytes() == path.read_bytes()


def test_a_file_of_another_format_says_how_to_write_it_again(path: Path) -> None:
    contents = json.loads(path.read_bytes())
    contents["format_version"] = 1
    del contents["sha256"]
    contents["sha256"] = hashlib.sha256(canonical(contents).encode()).hexdigest()
    path.write_text(json.dumps(contents), encoding="utf-8")
    with pytest.raises(ArtifactError, match="convlens study export kernel-size --format stored"):
        read_shipped("kernel-size", path.parent)


def test_writing_twice_gives_the_same_bytes(result: StudyResult, path: Path) -> None:
    write_shipped(read_shipped("kernel-size", path.parent), path.with_name("again.json"))
    assert path.with_name("again.json").read_bytes() == path.read_bytes()


@pytest.mark.parametrize("edit", ["value", "prediction", "cut", "sum"])
def test_an_edited_file_is_refused(path: Path, edit: str) -> None:
    text = path.read_text(encoding="utf-8")
    contents: dict[str, Any] = json.loads(text)
    if edit == "value":
        contents["trials"][0]["metrics"]["test.accuracy"] = 0.999
    if edit == "prediction":
        contents["study"]["prediction"] = "As it came out."
    if edit == "sum":
        del contents["sha256"]
    path.write_text(text[:-200] if edit == "cut" else json.dumps(contents), encoding="utf-8")
    with pytest.raises(ArtifactError, match=r"kernel-size\.json"):
        read_shipped("kernel-size", path.parent)


def test_an_unknown_or_unfinished_result_is_refused(result: StudyResult, path: Path) -> None:
    with pytest.raises(ConfigurationError, match="did you mean 'kernel-size'"):
        read_shipped("kernel-sizes", path.parent)
    part = run_part(result)
    with pytest.raises(ConfigurationError, match="lacks 3 of its trials"):
        write_shipped(part, path)


def run_part(result: StudyResult) -> StudyResult:
    kept = [trial for trial in result.trials if trial.seed == 0]
    return replace(result, trials=kept, evidence=assess(result.evidence.declared, kept, result.evidence.profile))


def test_trials_run_again_to_the_bit(path: Path) -> None:
    found = read_shipped("kernel-size", path.parent)
    seen: list[tuple[str, int]] = []
    verified = verify_trials(found, 4, started=lambda arm, seed: seen.append((arm, seed)))
    assert seen == [("3x3", 0), ("5x5", 0), ("7x7", 0), ("3x3", 1)]
    assert all(one.same and one.exact and one.compared > 10 for one in verified)
    assert [one.arm for one in verify_trials(found, arm="7x7")] == ["7x7"]
    with pytest.raises(ConfigurationError, match="no arm '9x9'"):
        verify_trials(found, arm="9x9")


def test_a_difference_of_one_bit_is_found(result: StudyResult) -> None:
    trial = result.arms[0].trials[0]
    for changed in (
        replace(trial, metrics={**trial.metrics, "validation.loss": np.nextafter(trial.metrics["validation.loss"], 9)}),
        replace(trial, predictions={"test": (trial.predictions["test"] + 1) % 2}),
        replace(trial, history=[{**trial.history[0], "train.loss": 0.5}]),
    ):
        others = [one for one in result.trials if one.key != trial.key]
        (verified,) = verify_trials(replace(result, trials=[changed, *others]), arm="3x3")
        assert len(verified.differences) == 1


def test_maps_come_back_in_float32_and_lines_whole(result: StudyResult, tmp_path: Path) -> None:
    first, *others = result.trials
    exact = np.linspace(0, 1, 12).reshape(3, 4)
    with_map = replace(first, curves={"a map": exact, "a line": exact[0]})
    write_shipped(replace(result, trials=[with_map, *others]), tmp_path / "maps.json")
    read = read_shipped("maps", tmp_path).trials[0].curves
    assert read["a map"].dtype == np.float32
    assert np.array_equal(read["a map"], exact.astype(np.float32))
    assert np.array_equal(read["a line"], exact[0])
    assert read["a line"].dtype == np.float64


def test_a_long_history_is_thinned_and_keeps_its_last_row() -> None:
    history = [{"epoch": n} for n in range(100)]
    kept = thinned(history)
    assert len(kept) == THINNED_HISTORY
    assert thinned(history[:LONGEST_HISTORY]) == history[:LONGEST_HISTORY]
    assert kept[-1] == history[-1]
    assert thinned(history[:3]) == history[:3]


@pytest.mark.parametrize("name", shipped_names())
def test_what_is_stored_is_of_the_study_as_it_is_declared_now(name: str) -> None:
    found = read_shipped(name)
    assert found.evidence.numerics_version == NUMERICS_VERSION, "make studies"
    entry = catalog.entry(name)
    assert found.evidence.declared.to_dict() == entry.study().to_dict(), "make studies"
    assert found.evidence.profile.to_dict() == entry.profile("standard").to_dict(), "make studies"
    assert not found.evidence.missing


def test_every_study_of_the_catalogue_has_a_stored_result() -> None:
    assert sorted(set(catalog.entries()) - set(shipped_names())) == [], "not stored yet; see “make studies”"


def test_stored_results_are_small() -> None:
    sizes = {path.stem: path.stat().st_size for path in FOLDER.glob("*.json")}
    assert {name: size for name, size in sizes.items() if size > 300_000} == {}
    assert sum(sizes.values()) < 3_000_000


@pytest.mark.slow
@pytest.mark.parametrize("name", shipped_names())
def test_the_cheapest_stored_trial_has_the_same_bits_here(name: str) -> None:
    (verified,) = verify_trials(read_shipped(name))
    assert verified.same or not verified.exact, verified.differences
