"""What ships with the lab is what its index says, loads, and classifies the digits as recorded."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from convlens import artifact, data, load, models
from convlens.errors import ArtifactError, ConfigurationError
from convlens.lab import make_assets, recording, shipped
from convlens.train import RECIPES, fit

MB = 1_000_000


def test_every_file_is_what_the_index_says() -> None:
    assert list(shipped.damages()) == []
    sizes = {name: one["bytes"] for name, one in shipped.read_index()["files"].items()}
    assert sum(sizes.values()) <= 12 * MB
    assert sizes["models/local.safetensors"] <= 5 * MB
    assert sum(size for name, size in sizes.items() if name.startswith("snapshots/")) <= 2 * MB


def test_damage_is_noticed(tmp_path: Path) -> None:
    folder = tmp_path / "assets"
    (folder / "recordings").mkdir(parents=True)
    for name in (shipped.INDEX, "digits.bin", "recordings/cnn.json"):
        shutil.copy(shipped.FOLDER / name, folder / name)
    index = shipped.read_index()
    index["files"] = {name: index["files"][name] for name in ("digits.bin", "recordings/cnn.json")}
    (folder / shipped.INDEX).write_text(json.dumps(index))
    assert list(shipped.damages(folder)) == []
    (folder / "digits.bin").write_bytes(bytes(5))
    (folder / "recordings/cnn.json").unlink()
    (folder / "more").write_text("")
    assert [line.partition(" is ")[0] for line in shipped.damages(folder)] == [
        "recordings/cnn.json",
        "more",
        "digits.bin",
    ]
    with pytest.raises(ArtifactError, match="install convlens again"):
        shipped.read_digits(folder)
    with pytest.raises(ArtifactError, match="install convlens again"):
        shipped.read_index(tmp_path)


def test_the_digits_are_test_digits_and_thirty_of_each() -> None:
    digits, test = shipped.read_digits(), data.load("mnist").test
    assert np.bincount(digits.labels).tolist() == [30] * 10
    assert (np.diff(digits.indexes) > 0).all()
    np.testing.assert_array_equal(digits.images, test.images[digits.indexes])
    np.testing.assert_array_equal(digits.labels, test.labels[digits.indexes])
    assert 140 <= (digits.indexes < 5_000).sum() <= 160  # the halves of the test set differ in difficulty


def test_models_load_and_classify_the_digits_as_recorded() -> None:
    index, digits = shipped.read_index(), shipped.read_digits()
    assert [one["name"] for one in index["models"]] == ["dense", "cnn", "local"]
    for one in index["models"]:
        model = load(shipped.model_path(one["name"]))
        right = int((model.predict(digits.images) == digits.labels).sum())
        assert right == one["digits_right"] >= 285
        assert model.program.parameter_count == one["parameters"]
        assert model.training["recipe"] == one["recipe"] == RECIPES["good"].to_dict()
        assert model.training["test.accuracy"] == one["test.accuracy"] > 0.97
    with pytest.raises(ConfigurationError, match="did you mean 'dense'"):
        shipped.model_path("danse")


def test_locally_connected_has_the_widths_of_the_cnn() -> None:
    local, cnn = (load(shipped.model_path(name)) for name in ("local", "cnn"))
    assert [node.output_shape for node in local.program.nodes] == [node.output_shape for node in cnn.program.nodes]


def test_snapshots_go_from_random_weights_to_trained_ones() -> None:
    index, digits = shipped.read_index()["snapshots"], shipped.read_digits()
    assert [one["step"] for one in index["models"]] == [0, 10, 30, 100, 300, 844, 1688, 2532]
    found = [load(shipped.FOLDER / one["file"]) for one in index["models"]]
    right = [int((model.predict(digits.images) == digits.labels).sum()) for model in found]
    assert right == [one["digits_right"] for one in index["models"]]
    assert right[0] < 90 < 280 < right[-1]
    first = models.build("cnn", filters=(8, 8), seed=0)
    np.testing.assert_array_equal(found[0].flat, first.flat)


def test_recordings_are_of_the_models_that_ship() -> None:
    index = shipped.read_index()
    for one in index["recordings"]:
        record = json.loads((shipped.FOLDER / one["file"]).read_bytes())
        assert [run["seed"] for run in record["runs"]] == one["seeds"] == [0, 1, 2]
        for run in record["runs"]:
            curve, states = run["curve"], run["states"]
            assert curve["step"] == list(range(12, 2533, 12))
            assert len(curve["loss"]) == len(curve["accuracy"]) == 211
            assert [state["step"] for state in states] == [0, 10, 30, 100, 300, 844, 1688, 2532]
            last = np.array(states[-1]["confusion"])
            assert last.sum() == 6_000
            assert last.trace() / 6_000 == states[-1]["validation.accuracy"] == run["validation.accuracy"]
            assert np.trace(run["test.confusion"]) / 10_000 == run["test.accuracy"]
    for name in ("dense", "cnn", "local"):
        model = load(shipped.model_path(name))
        record = json.loads((shipped.FOLDER / f"recordings/{name}.json").read_bytes())
        assert record["runs"][0]["test.accuracy"] == model.training["test.accuracy"]
        kernels = record["runs"][0]["states"][-1]["filters"]
        if name == "cnn":
            np.testing.assert_allclose(kernels, np.moveaxis(model.parameters["conv1.w"], -1, 0), rtol=1e-3)
        else:
            assert kernels is None


def test_a_recording_agrees_with_the_history() -> None:
    """Weighted by the steps that they are means of, the points of an epoch have its mean loss and accuracy."""
    dataset = data.load("mnist").subset(1_536)  # 24 steps of 64
    recorded = recording.Recording([0, 24, 48])
    model = models.build("cnn", filters=(2, 2), hidden=4)
    run = fit(model, dataset, "good", epochs=2, test=False, doubt=False, progress=False, hooks=[recorded])
    found = recorded.to_dict(run)
    for epoch, row in enumerate(run.history):
        points = slice(2 * epoch, 2 * epoch + 2)
        assert np.mean(found["curve"]["loss"][points]) == pytest.approx(row["train.loss"], rel=1e-3)
        assert np.mean(found["curve"]["accuracy"][points]) == pytest.approx(row["train.accuracy"], rel=1e-3)
    assert [state["step"] for state in found["states"]] == [0, 24, 48]
    assert found["states"][-1]["validation.accuracy"] == run.validation.accuracy
    assert found["test.accuracy"] is None


def test_an_unknown_asset(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="did you mean 'dense'"):
        make_assets.make(["danse"], tmp_path)
    assert make_assets.main(["danse"]) == 2


def test_a_changed_weight_and_a_missing_file_are_differences(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What `--check` compares, without training."""
    name = "models/dense.safetensors"

    def make(names: object, folder: Path, say: object) -> None:
        (folder / "models").mkdir(parents=True)
        shutil.copy(shipped.FOLDER / name, folder / name)

    monkeypatch.setattr(make_assets, "make", make)
    assert make_assets.differences(["dense"]) == []
    assert make_assets.differences(["dense"], tmp_path) == [f"{name} is missing"]
    model = load(shipped.FOLDER / name)
    model.flat[3] += 1e-6
    (tmp_path / "models").mkdir()
    model.save(tmp_path / name)
    assert make_assets.differences(["dense"], tmp_path) == [f"{name} comes out differently"]
    assert "doubt" not in artifact.read(tmp_path / name, "model").header


@pytest.mark.slow
def test_training_again_gives_the_same_bits() -> None:
    assert make_assets.differences(["dense"]) == []
