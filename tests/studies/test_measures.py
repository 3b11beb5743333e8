"""Measures: what they report is what they declare, and it is the lens's."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from convlens import lens
from convlens.data import Dataset
from convlens.errors import ConfigurationError, DataError
from convlens.lens.shift import grid
from convlens.nn import Conv2D, Dense, Flatten, MaxPool2D, Model, ReLU
from convlens.studies.measures import MEASURES, Measure, Measured, measure
from convlens.studies.measures.measure import gain
from convlens.studies.trial import TrialOutcome
from tests.toys import load_toy

DENSE = (Flatten(), Dense(8), ReLU(), Dense(3))
CNN = (Conv2D(4, 3), ReLU(), MaxPool2D(), Conv2D(5, 1), ReLU(), Flatten(), Dense(6), ReLU(), Dense(3))
ROWS: dict[str, dict[str, Any]] = {
    "shift-map": {"images": 40, "reach": 4},
    "equivariance": {"images": 20, "distances": [1, 2], "nodes": [["first", "conv1"], ["last", "dense2"]]},
    "receptive-field": {"images": 5, "nodes": ["conv1", "relu2"], "reach": 5},
    "probes": {"images": 40, "train_images": 60, "nodes": ["input", "relu2"]},
    "selectivity": {"images": 40, "nodes": ["relu1", "relu3"]},
    "position": {"images": 4, "nodes": ["conv1", "conv2"]},
    "permuted-dense": {"images": 10},
}


@pytest.fixture(scope="module")
def toy(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    return load_toy(Path(tmp_path_factory.mktemp("toy")) / "data")


def network(name: str, toy: Dataset) -> Model:
    model = Model(DENSE if name == "permuted-dense" else CNN, toy.input_shape, seed=2, class_names=toy.class_names)
    for key, view in model.parameters.items():
        if key.endswith(".b"):
            view[...] = 0.1
    return model


def run(name: str, toy: Dataset, **changes: Any) -> tuple[Measure, Measured]:
    made = measure({"name": name, **ROWS[name], **changes})
    return made, made.run(network(name, toy), toy, seed=3)


def test_every_measure_has_a_row() -> None:
    assert ROWS.keys() == MEASURES.keys()


@pytest.mark.parametrize("name", ROWS)
def test_what_is_reported_is_what_is_declared(name: str, toy: Dataset) -> None:
    made, found = run(name, toy)
    declared = {one.name for one in made.metrics()}
    assert declared == set(found.metrics)
    for curve in made.curves():
        curve.check(found.curves[curve.name].shape)
    assert {one.name for one in made.curves()} == set(found.curves)
    TrialOutcome(found.metrics, curves=found.curves)  # finite, and of types that are kept
    assert not {one.split(".")[0] for one in declared} & {"train", "validation", "test"}
    assert all(one.arms == ("a", "b") for one in (*made.metrics(["a", "b"]), *made.curves(["a", "b"])))


@pytest.mark.parametrize("name", ROWS)
def test_again_gives_the_same_bits(name: str, toy: Dataset) -> None:
    one, other = (run(name, toy)[1] for _ in range(2))
    assert one.metrics == other.metrics
    for key, curve in one.curves.items():
        assert np.array_equal(curve, other.curves[key])


@pytest.mark.parametrize("name", ROWS)
def test_settings_are_plain_data(name: str) -> None:
    made = measure({"name": name, **ROWS[name]})
    assert made.to_dict().keys() == {"name", *vars(made)}
    assert measure(json.loads(json.dumps(made.to_dict(), sort_keys=True))) == made
    assert hash(made) is not None


@pytest.mark.parametrize("name", [name for name in ROWS if "nodes" in ROWS[name]])
def test_without_names_all_nodes_are_measured(name: str, toy: Dataset) -> None:
    made, found = run(name, toy, nodes=[], **({"distances": [1]} if name == "equivariance" else {}))
    assert {one.name for one in made.metrics()} <= set(found.metrics)
    assert len(found.metrics) > len(made.metrics())
    assert not made.curves()
    assert found.curves


def test_shift_map(toy: Dataset) -> None:
    _, found = run("shift-map", toy)
    images, labels = toy.test.images[:40], toy.test.labels[:40]
    wanted = lens.under_shift(network("shift-map", toy), images, labels, grid(2, 4))
    assert found.curves["shift.accuracy_map"].shape == (5, 5)
    assert found.curves["shift.accuracy_map"][0, 4] == wanted.accuracy[4]  # up 4, right 4
    moved = [
        value for (dy, dx), value in zip(wanted.offsets.tolist(), wanted.accuracy, strict=True) if (dy, dx) != (0, 0)
    ]
    assert found.metrics["shift.accuracy"] == pytest.approx(np.mean(moved))
    ring = [
        c for (dy, dx), c in zip(wanted.offsets.tolist(), wanted.consistency, strict=True) if max(abs(dy), abs(dx)) == 2
    ]
    assert len(ring) == 8
    assert found.metrics["shift.consistency_at_2"] == pytest.approx(np.mean(ring))
    assert found.curves["shift.consistency_by_distance"].tolist()[0] == 1
    resolutions = {one.name: one.resolution for one in measure({"name": "shift-map"}).metrics()}
    assert resolutions["shift.accuracy"] == 1 / 80_000
    assert (resolutions["shift.accuracy_at_0"], resolutions["shift.accuracy_at_8"]) == (1 / 1000, 1 / 32_000)


def test_equivariance(toy: Dataset) -> None:
    _, found = run("equivariance", toy, nodes=["conv1", "relu1", "pool1", "conv2", "flatten1"])
    assert found.metrics["equivariance.intact_at_1"] == 2  # up to the pooling
    assert found.metrics["equivariance.intact_at_2"] == 4
    model, images = network("equivariance", toy), toy.test.images[:20]
    errors = [
        lens.equivariance(model, images, shift, ["conv2"]).nodes[0].kept for shift in ((2, 0), (-2, 0), (0, 2), (0, -2))
    ]
    assert found.metrics["equivariance.kept_at_2_conv2"] == pytest.approx(np.mean(errors))
    assert found.curves["equivariance.kept"][3, 1] == found.metrics["equivariance.kept_at_2_conv2"]
    with pytest.raises(ConfigurationError, match=r"no pixel of 'conv1' is left to compare \(interior\)"):
        run("equivariance", toy, nodes=["conv1"], distances=[7])


def test_energy_is_centred(toy: Dataset) -> None:
    _, found = run("receptive-field", toy)
    whole = lens.receptive_field(network("receptive-field", toy), "conv1", toy.test.images[:5], seed=3).energy
    energy = found.curves["field.energy_conv1"]
    assert energy.shape == (11, 11)
    assert np.array_equal(energy[1:9, 1:9], whole)  # of 8 x 8 pixels, with the centre, (4, 4), at (5, 5)
    assert found.metrics["field.theoretical_conv1"] == 3


def test_probes_and_selectivity(toy: Dataset) -> None:
    _, found = run("probes", toy)
    first, last = (found.metrics[f"probe.accuracy_{one}"] for one in ("input", "relu2"))
    assert found.metrics["probe.gain"] == last - first
    assert gain([0.25, 0.9, 0.5]) == 0.25
    assert found.curves["probe.accuracy"].tolist() == [first, last]
    _, found = run("selectivity", toy)
    values = lens.activations(network("selectivity", toy), toy.test.images[:40], ["relu3"])["relu3"]
    assert found.metrics["selectivity.mean_relu3"] == lens.class_selectivity(values, toy.test.labels[:40]).mean


def test_the_validation_split_leaves_the_test_set_alone(tmp_path: Path) -> None:
    toy = load_toy(tmp_path)
    for name in ROWS:
        run(name, toy, split="validation", images=10)
    assert toy.test.reads == 0


def test_wrong_settings(toy: Dataset) -> None:
    for settings, message in (
        ({"name": "shift-mop"}, "unknown measure 'shift-mop'; did you mean 'shift-map'"),
        ({"name": "shift-map", "stp": 1}, "unknown key 'stp'; did you mean 'step'"),
        ({"name": "shift-map", "step": 3}, "steps of 1 pixel"),
        ({"name": "shift-map", "images": 0}, "images is a whole number from 1 up"),
        ({"name": "shift-map", "split": "train"}, "'test' or 'validation'"),
        ({"name": "equivariance", "distances": []}, "distances are whole numbers"),
        ({"name": "probes", "nodes": "conv1"}, "nodes are different names"),
        ({"name": "probes", "nodes": ["conv1", "conv1"]}, "nodes are different names"),
        ({"name": "probes", "nodes": [["a", "b", "c"]]}, "nodes are different names"),
        ({"step": 3}, "is a name and settings"),
        ("shift-map", "is a name and settings"),
    ):
        with pytest.raises(ConfigurationError, match=message):
            measure(settings)  # type: ignore[arg-type]
    with pytest.raises(DataError, match="measured on 61 images, and the test set has 60"):
        run("shift-map", toy, images=61)
    with pytest.raises(ConfigurationError, match="no node 'relu9'; did you mean 'relu"):
        run("selectivity", toy, nodes=["relu9"])
    linear = Model((Flatten(), Dense(3)), toy.input_shape, class_names=toy.class_names)
    with pytest.raises(ConfigurationError, match="no node that it can be measured of"):
        measure({"name": "selectivity", "images": 10}).run(linear, toy, 0)
