"""The training contract under a temporary /opt/ml: what goes in, what comes out, and what a kill leaves."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from convlens import data
from convlens.deploy.sagemaker import inference, training
from convlens.deploy.sagemaker.archive import check
from convlens.deploy.sagemaker.hyperparameters import Hyperparameters
from convlens.deploy.sagemaker.package import NAMES, package
from convlens.errors import ConfigurationError
from convlens.nn import load
from tests.toys import toy_images, write_toy_folder

SMALL = {"model": "baseline", "recipe": "plain", "epochs": "2", "batch_size": "50"}
CHANNEL = {"training": {"TrainingInputMode": "File", "S3DistributionType": "FullyReplicated"}}


def prepared(root: Path, hyperparameters: dict[str, Any], channels: dict[str, Any] = CHANNEL) -> Path:
    """Write what SageMaker writes before it starts a container."""
    config = root / "input" / "config"
    config.mkdir(parents=True, exist_ok=True)
    (config / "hyperparameters.json").write_text(json.dumps(hyperparameters))
    (config / "resourceconfig.json").write_text(json.dumps({"current_host": "algo-1", "hosts": ["algo-1"]}))
    (config / "inputdataconfig.json").write_text(json.dumps(channels))
    return root


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A folder like /opt/ml with a small channel."""
    write_toy_folder(tmp_path / "ml" / "input" / "data" / "training")
    return tmp_path / "ml"


def failure(root: Path) -> str:
    return (root / "output" / "failure").read_text("utf-8")


def test_a_training_from_its_files_to_its_model(root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert training.train(prepared(root, {**SMALL, "seed": "3", "sagemaker_program": "x", "train_images": "200"})) == 0
    assert not (root / "output" / "failure").exists()
    assert [path.relative_to(root / "model").as_posix() for path in check(root / "model")] == list(NAMES)
    result = json.loads((root / "output" / "data" / "result.json").read_text())
    assert (result["seed"], result["configuration"]["recipe"]["epochs"]) == (3, 2)
    assert result["configuration"]["recipe"]["batch_size"] == 50
    assert result["configuration"]["data"]["split"]["counts"]["train"] == 200
    packed = package(root / "model" / "model.safetensors", tmp_path / "m.tar.gz")
    assert packed.manifest == json.loads((root / "model" / "manifest.json").read_text())
    model, images = load(root / "model" / "model.safetensors"), toy_images(5, seed=5)[0]
    assert model.seed == 3
    served = inference.predict_fn(images, inference.model_fn(str(root / "model")))
    assert isinstance(served, dict)
    np.testing.assert_allclose(served["probabilities"], model.predict_proba(images), atol=2e-6)
    check_metrics(capsys.readouterr().out, result)


def check_metrics(log: str, result: dict[str, Any]) -> None:
    """Find in the log, as SageMaker does, what the result says."""
    found = {one["Name"]: re.findall(one["Regex"], log) for one in training.METRIC_DEFINITIONS}
    for name in ("train:loss", "train:accuracy", "validation:loss", "validation:accuracy"):
        wanted = [row[name.replace(":", ".")] for row in result["history"]]
        assert [float(value) for value in found[name]] == pytest.approx(wanted, rel=1e-5)
        assert len(wanted) == 2
    assert [float(value) for value in found["test:accuracy"]] == pytest.approx([result["test"]["accuracy"]], rel=1e-5)


@pytest.mark.parametrize("number", [1e-7, 1.0, 123456789.0])
def test_metrics_of_any_size_are_found_whole(number: float) -> None:
    [pattern] = [one["Regex"] for one in training.METRIC_DEFINITIONS if one["Name"] == "train:loss"]
    assert float(re.findall(pattern, f"epoch=1 train:loss={number:.6g} x")[0]) == pytest.approx(number, rel=1e-5)


def test_files_of_one_table_and_no_channel_at_all(root: Path) -> None:
    """A channel of one npz file; and without a channel, MNIST as it comes with convlens."""
    folder = root / "input" / "data" / "training"
    shutil.rmtree(folder)
    folder.mkdir()
    images, labels = toy_images(90, seed=1)
    np.savez(folder / "bars.npz", x_train=images, y_train=labels, x_test=images[:30], y_test=labels[:30])
    assert training.train(prepared(root, {**SMALL, "epochs": "1"})) == 0
    assert load(root / "model" / "model.safetensors").input_shape == (8, 8, 1)
    shutil.rmtree(root / "checkpoints")
    assert training.train(prepared(root, {**SMALL, "epochs": "1", "train_images": "500"}, {})) == 0
    model = load(root / "model" / "model.safetensors")
    assert model.input_shape == (28, 28, 1)
    assert model.training["data"]["sha256"] == data.load("mnist").sha256


# ---------------------------------------------------------------- interruptions

LONG = {"model": "cnn", "filters": "4,6", "recipe": "plain", "epochs": "25", "batch_size": "10"}


def started(root: Path) -> subprocess.Popen[str]:
    environment = {**os.environ, "SAGEMAKER_BASE_DIR": str(root)}
    command = [sys.executable, "-m", "convlens.deploy.sagemaker.container", "train"]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def results(root: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in check(root / "model")}


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_training_taken_away_goes_on_to_the_same_bits(root: Path, number: signal.Signals) -> None:
    prepared(root, LONG)
    with started(root) as run:
        assert run.wait(120) == 0, run.stderr
    whole = results(root)
    for folder in ("model", "checkpoints", "output"):
        shutil.rmtree(root / folder)
    with started(root) as run:
        assert run.stdout is not None
        for line in run.stdout:
            if line.startswith("epoch=3 "):
                run.send_signal(number)
                break
        code = run.wait(60)
    assert code == (-signal.SIGKILL if number == signal.SIGKILL else 130)
    assert not (root / "output" / "failure").exists()
    assert not list((root / "model").iterdir())
    with started(root) as run:
        out, error = run.communicate(timeout=120)
        assert run.returncode == 0, error
    assert re.search(r"^resuming in epoch [3-9]", out, re.MULTILINE)
    assert results(root) == whole


# ---------------------------------------------------------------- failures


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"epoch": "3"}, "unknown key 'epoch'; did you mean 'epochs'?"),
        ({"epochs": 3}, "hyperparameter epochs is a whole number, in a string, not 3"),
        ({"epochs": "3.5"}, "a whole number"),
        ({"learning_rate": "fast"}, "hyperparameter learning_rate is a number"),
        ({"skip_broken": "yes"}, "true or false"),
        ({"seed": "-1"}, "seed"),
        ({"model": "cmn"}, "'cnn'"),
        ({"recipe": "goood"}, "'good'"),
        ({"filters": "4;5", "model": "cnn"}, "whole numbers with commas"),
    ],
)
def test_wrong_hyperparameters_are_named(root: Path, changes: dict[str, Any], words: str) -> None:
    assert training.train(prepared(root, {**SMALL, **changes})) == 2
    assert words in failure(root)
    assert not (root / "model").exists() or not list((root / "model").iterdir())


@pytest.mark.parametrize(
    ("channels", "words"),
    [
        ({"images": {}}, "expected one channel, training or train, not images"),
        ({"train": {}, "training": {}}, "expected one channel"),
        ({"training": {"TrainingInputMode": "Pipe"}}, "use File or FastFile"),
        ({"train": {}}, "there is no folder"),
    ],
)
def test_wrong_channels_are_named(root: Path, channels: dict[str, Any], words: str) -> None:
    assert training.train(prepared(root, SMALL, channels)) == 2
    assert words in failure(root)


def test_other_failures_are_written_too(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    prepared(root, SMALL)
    resources = root / "input" / "config" / "resourceconfig.json"
    resources.write_text('{"hosts": ["algo-1", "algo-2"]}')
    assert training.train(root) == 2
    assert "set the instance count to 1" in failure(root)
    for text in ("[]", "{", "\xff"):
        resources.write_bytes(text.encode("latin1"))
        assert training.train(root) == 2
        assert "resourceconfig.json" in failure(root)
    prepared(root, SMALL)

    def fail(*given: object, **named: object) -> None:
        raise RuntimeError("é" * 5000)

    monkeypatch.setattr(training, "fit", fail)
    with pytest.raises(RuntimeError):
        training.train(root)
    assert failure(root) == ("RuntimeError: " + "é" * 5000)[:1024]


def test_a_diverged_training_fails(root: Path) -> None:
    assert training.train(prepared(root, {**SMALL, "learning_rate": "1e30"})) == 3
    assert "loss became" in failure(root)


def test_the_checkpoint_of_another_training_is_refused(root: Path) -> None:
    assert training.train(prepared(root, SMALL)) == 0
    assert training.train(prepared(root, {**SMALL, "seed": "9"})) == 2
    assert "belongs to another training: model.seed is 0 there and 9 here" in failure(root)


def test_strings_as_the_sdk_writes_them() -> None:
    """Its estimators write every value as JSON, in a string; others write Python's words."""
    assert Hyperparameters.from_strings(
        {"model": '"local"', "epochs": "7", "skip_broken": "True", "filters": "[8,16]", "_tuning_objective_metric": "x"}
    ) == Hyperparameters(model="local", epochs=7, skip_broken=True, filters=[8, 16])
    assert Hyperparameters.from_strings({"skip_broken": "true"}).skip_broken
    assert not Hyperparameters.from_strings({"skip_broken": "False"}).skip_broken
    with pytest.raises(ConfigurationError, match="expected settings by name"):
        Hyperparameters.from_strings([])
