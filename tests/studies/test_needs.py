"""Arms whose data are not on this computer are left out, and the rest of the study is judged."""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path

import pytest

from convlens import data, studies
from convlens.data.sources import fashion_mnist
from convlens.errors import DataError
from convlens.report.words import warnings
from convlens.studies import tuned, tuning
from convlens.studies.catalog import entry
from convlens.studies.executors import check
from convlens.studies.executors.training import configuration
from convlens.studies.needs import needs
from convlens.studies.pools.pool import LocalPool
from convlens.studies.run import STORE
from convlens.studies.spec import Arm, Estimand, Profile, Study
from convlens.studies.statistics.verdict import greater_than
from convlens.studies.storage.register import registrations
from convlens.studies.storage.store import TrialStore

from .examples import configuration as toy
from .examples import execute, make_study

FASHION = "fashion-mnist"
FIVE = Profile("standard", (0, 1, 2, 3, 4))
HOW = "apt install dataset-fashion-mnist, or convlens data fetch fashion-mnist"


@pytest.fixture
def without_fashion(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take Fashion-MNIST away."""
    monkeypatch.setattr(fashion_mnist, "_places", list)


def two_sets(**changes: object) -> Study:
    other = tuple(
        dataclasses.replace(
            arm, name=f"{arm.name}, clothes", configuration={**toy(k), "names": {"data": FASHION}, "data": FASHION}
        )
        for k, arm in ((3, make_study().arms[0]), (7, make_study().arms[2]))
    )
    clothes = Estimand("clothes", "test.accuracy", other[0].name, greater_than(0.02), reference=other[1].name)
    study = make_study()
    return make_study(**{"arms": (*study.arms, *other), "secondary": (*study.secondary, clothes), **changes})


def test_pinned_data_are_named_without_their_files(without_fashion: None) -> None:
    named = configuration("cnn", dataset=FASHION)
    check(named, "here")
    assert named["data"]["sha256"] == fashion_mnist.SHA256
    assert (needs(named), needs(configuration("cnn"))) == (HOW, "")


@pytest.mark.parametrize("name", ["mnist", FASHION])
def test_the_pinned_identity_is_that_of_the_data(name: str) -> None:
    listed = next(one for one in data.listing() if one.name == name)
    if not listed.ready:
        pytest.skip(f"{name} is not on this computer")
    found = data.load(name)
    assert (listed.sha256, listed.image_shape, listed.classes) == (
        found.sha256,
        found.input_shape,
        len(found.class_names),
    )


def test_arms_without_data_are_left_out_and_named(without_fashion: None, tmp_path: Path) -> None:
    study = two_sets()
    result = studies.run_study(study, FIVE, folder=tmp_path, pool=LocalPool(execute))
    assert result.left_out == {"3x3, clothes": HOW, "7x7, clothes": HOW}
    assert (len(result.trials), result.evidence.missing, result.verdict.word) == (15, 0, "supported")
    assert [one.estimand.name for one in result.evidence.secondary] == ["middle", "size"]
    assert any("3x3, clothes" in line and HOW in line for line in warnings([result], "convlens"))
    assert studies.read_study(study, FIVE, folder=tmp_path).left_out == result.left_out
    assert result.to_dict()["left_out"] == dict(result.left_out)


def test_the_declaration_is_the_same_with_and_without_the_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    study, places = two_sets(), fashion_mnist._places
    for how in (list, places):
        monkeypatch.setattr(fashion_mnist, "_places", how)
        studies.run_study(study, FIVE, folder=tmp_path, pool=LocalPool(execute))
    with TrialStore(tmp_path / STORE, read_only=True) as store:
        assert len(registrations(store, study.name, FIVE.name)) == 1


def test_trials_from_elsewhere_are_shown_without_the_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fashion_mnist, "_places", lambda: [(Path("/"), "here", "")])
    monkeypatch.setattr(type(fashion_mnist.FILES), "lies_in", lambda *_: True)
    study = two_sets()
    whole = studies.run_study(study, FIVE, folder=tmp_path, pool=LocalPool(execute))
    assert not whole.left_out
    monkeypatch.setattr(fashion_mnist, "_places", list)
    found = studies.read_study(study, FIVE, folder=tmp_path)
    assert (found.left_out, len(found.trials)) == ({}, 25)


def test_networks_whose_data_are_absent_are_not_tuned_but_named(
    without_fashion: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    arms = (Arm("clothes", tuned.tuned(configuration("baseline", dataset=FASHION))),)
    primary = Estimand("a", "test.accuracy", "clothes", greater_than(0))
    monkeypatch.setattr(tuning, "_studies", lambda *_: [make_study(arms=arms, primary=primary, secondary=())])
    found = tuning.tune(folder=tmp_path, file=tmp_path / "tuned.json", pool=LocalPool(execute))
    assert (found.rates, found.failed, found.left_out) == ({}, [], {"kernel-size/clothes": f"needs: {HOW}"})


def test_scikit_learn_is_needed_by_its_tables_and_models_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    arms = {arm.name: arm.configuration for arm in entry("not-for-convolution").study().arms}
    monkeypatch.setitem(sys.modules, "sklearn", None)
    wanted = {name for name, described in arms.items() if needs(described)}
    assert {"wine: dense network", "series: logistic regression", "graphs: gradient boosting"} <= wanted
    assert not {"series: convolution", "graphs: dense network", "position: convolution"} & wanted
    assert needs(arms["wine: convolution"]) == "pip install 'convlens[studies]'"
    monkeypatch.undo()
    pytest.importorskip("sklearn")
    assert not any(map(needs, arms.values()))


def test_a_primary_estimand_without_data_is_an_error(without_fashion: None, tmp_path: Path) -> None:
    study = two_sets()
    study = dataclasses.replace(study, primary=study.secondary[-1], secondary=study.secondary[:-1])
    with pytest.raises(DataError, match="3x3, clothes cannot be run on this computer; needs: apt install"):
        studies.run_study(study, FIVE, folder=tmp_path, pool=LocalPool(execute))
