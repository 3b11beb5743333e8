"""Going on until settled, with real trainings: as far as was declared where the verdict stays open, and no further."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from convlens.models import CNN, DenseNet
from convlens.studies import run_study
from convlens.studies.executors.training import METRICS, configuration
from convlens.studies.spec import Arm, Estimand, Profile
from convlens.studies.statistics.verdict import greater_than

from .examples import make_study

LOOKS = Profile("standard", tuple(range(400, 410)), looks=(5, 10))
NETWORKS = {
    "cnn": CNN(filters=(4, 8), hidden=16),
    "hardly larger": CNN(filters=(4, 8), hidden=17),
    "a single unit": DenseNet((1,)),
}


@pytest.mark.slow
def test_an_open_study_goes_to_its_last_look_and_a_settled_one_stops(tmp_path: Path) -> None:
    arms = tuple(
        Arm(name, configuration(network, dataset="mnist", train_images=600, epochs=5))
        for name, network in NETWORKS.items()
    )
    study = make_study(
        arms=arms[:2],
        metrics=METRICS,
        primary=Estimand("gain", "test.accuracy", "hardly larger", greater_than(0.0), reference="cnn"),
        secondary=(),
    )
    first = run_study(study, LOOKS, folder=tmp_path, threads=1)
    assert (first.verdict.word, len(first.trials)) == ("inconclusive", 2 * 5)
    last = run_study(study, LOOKS, folder=tmp_path, threads=1, until_settled=True)
    assert len(last.trials) == 2 * 10
    assert last.evidence.primary.look.seeds == 10
    assert last.evidence.primary.adjusted is not None
    assert last.evidence.primary.adjusted.confidence == pytest.approx(1 - 0.0283)  # not 95 %: it was looked at twice
    assert [one.seeds for one in last.drawn] == [5, 10]
    clear = replace(
        study,
        name="clear",
        arms=(arms[0], arms[2]),
        primary=Estimand("gain", "test.accuracy", "cnn", greater_than(0.0), reference="a single unit"),
    )
    settled = run_study(clear, LOOKS, folder=tmp_path, threads=1, until_settled=True)
    assert (settled.verdict.word, settled.evidence.primary.look.seeds) == ("supported", 5)
    assert len(settled.trials) == 10 + 5  # ten of the first arm were there: that begins no look of this study
    assert settled.evidence.missing == 0
