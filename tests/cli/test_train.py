"""``convlens train`` with several seeds: stopped, resumed, and read by another program."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from convlens.cli.trainings import augmentation_settings
from convlens.errors import ConfigurationError
from convlens.studies.results.comparison import Trainings, compare
from tests.toys import write_toy_folder

SEEDS = ["cnn", "--data", "bars", "--seeds", "3", "--recipe", "plain", "--epochs", "60", "--json", "r.json"]


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "convlens", "train", *arguments]


def test_seeds_are_stopped_kept_and_resumed(tmp_path: Path) -> None:
    """A stop keeps the finished trainings and the one under way; in the end all is as if it had not been."""
    for name in ("whole", "stopped"):
        write_toy_folder(tmp_path / name / "bars")
    whole = subprocess.run(command(*SEEDS), cwd=tmp_path / "whole", capture_output=True, text=True, check=True)
    assert "over 3 seeds: mean" in whole.stdout
    place = tmp_path / "stopped"
    with subprocess.Popen(command(*SEEDS), cwd=place, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as run:
        assert run.stderr is not None
        for line in run.stderr:
            if line.startswith("seed 1"):
                break
        run.stderr.readline()
        run.send_signal(signal.SIGINT)
        rest = run.stderr.read()
        assert run.wait(20) == 130, rest
    assert "repeat the command with --resume (finished, and kept: 1 of 3 trainings)" in rest
    assert json.loads((place / "r.json").read_text())["seeds"] == [0]
    assert sorted(path.name for path in place.glob("*.checkpoint")) == ["cnn-seed0.checkpoint", "cnn-seed1.checkpoint"]
    again = subprocess.run(command(*SEEDS, "--resume"), cwd=place, capture_output=True, text=True, check=True)
    assert "finished already, after 60 epochs" in again.stderr
    assert "resuming in epoch" in again.stderr
    assert not list(place.glob("*.checkpoint"))
    one, other = (json.loads((tmp_path / name / "r.json").read_text()) for name in ("whole", "stopped"))
    assert one["test.accuracy"] == other["test.accuracy"]
    assert [run["history"] for run in one["runs"]] == [run["history"] for run in other["runs"]]
    [found] = compare([Trainings.read(tmp_path / name / "r.json") for name in ("whole", "stopped")])
    assert (found.interval.mean, found.interval.n, dict(found.settings)) == (0.0, 3, {})


def test_standard_output_is_json_alone(tmp_path: Path) -> None:
    write_toy_folder(tmp_path / "bars")
    arguments = ["baseline", "--data", "bars", "--epochs", "1", "--seeds", "2", "--json", "-"]
    found = subprocess.run(command(*arguments), cwd=tmp_path, capture_output=True, text=True, check=True)
    assert json.loads(found.stdout)["seeds"] == [0, 1]
    assert "over 2 seeds: mean" in found.stderr
    assert not (tmp_path / "-").exists()


def test_settings_of_augmentation() -> None:
    assert augmentation_settings("shift=2, rotation = 12") == {"shift": 2.0, "rotation": 12.0}
    assert augmentation_settings("None") == "None"
    assert augmentation_settings(None) is None
    for wrong in ("", "shift", "shift=", "shift=2;rotation=3", "shift 2"):
        with pytest.raises(ConfigurationError, match="--augment takes settings"):
            augmentation_settings(wrong)
