"""The speedrun: trainings in separate processes, with their times and accuracies summarised."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from convlens.cli import speedrun
from convlens.cli.speedrun import SpeedrunSettings, one, run, summarise
from convlens.errors import ConfigurationError, ConvlensError
from convlens.train.recipes import RECIPES
from tests.toys import write_toy_folder


@pytest.fixture(scope="module")
def toy(tmp_path_factory: pytest.TempPathFactory) -> SpeedrunSettings:
    folder = write_toy_folder(tmp_path_factory.mktemp("speedrun") / "bars")
    return SpeedrunSettings(
        seeds=2, target=50, engine="numpy", threads=1, model="baseline", data=str(folder), recipe="good"
    )


def record(seed: int, accuracy: float, seconds: float) -> dict[str, object]:
    return {
        "seed": seed,
        "test.accuracy": accuracy,
        "seconds.train": seconds,
        "seconds.cold_start": seconds + 2,
        "threads": 2,
        "recipe": {"name": "speedrun"},
        "versions": {},
        "hardware": {},
        "images_per_second": 1.0,
    }


def test_means_intervals_and_who_got_there() -> None:
    found = summarise([record(0, 0.99, 5), record(1, 0.9899, 6), record(2, 0.9912, 7)], 99.0)
    assert (found["reached"], found["share"]) == (2, pytest.approx(2 / 3))  # 99.0 % itself is enough
    assert found["seconds.train"]["mean"] == pytest.approx(6)
    assert found["seconds.cold_start"]["mean"] == pytest.approx(8)
    assert found["test.accuracy"]["low"] < 0.99 < found["test.accuracy"]["mean"] < found["test.accuracy"]["high"]
    assert [row["seed"] for row in found["seeds"]] == [0, 1, 2]
    alone = summarise([record(0, 0.99, 5)], 99.1)
    assert (alone["reached"], alone["seconds.train"]["low"]) == (0, None)


@pytest.mark.parametrize("as_json", [True, False])
def test_a_whole_speedrun(toy: SpeedrunSettings, capfd: pytest.CaptureFixture[str], as_json: bool) -> None:
    run(SpeedrunSettings(**{**vars(toy), "json": as_json}))
    output, progress = capfd.readouterr()
    assert "seed 0: " in progress
    assert " left" in progress
    if not as_json:
        assert "of 2 seeds reached 50 %" in output
        assert "from cold start" in output
        return
    found = json.loads(output)
    assert found["engine"] == "numpy"
    assert found["seconds.cold_start"]["mean"] > found["seconds.train"]["mean"] > 0
    assert found["reached"] == sum(row["test.accuracy"] >= 0.5 for row in found["seeds"])
    assert found["recipe"]["name"] == "good"


def test_a_training_that_fails_says_why(toy: SpeedrunSettings) -> None:
    with pytest.raises(ConvlensError, match=r"seed 0 ended with exit code 2: unknown recipe 'godo'; did you mean"):
        one(SpeedrunSettings(**{**vars(toy), "recipe": "godo"}), 0)


@pytest.mark.parametrize("wrong", [{"seeds": 0}, {"target": 0}, {"target": 100.5}, {"target": float("nan")}])
def test_settings_that_cannot_be(wrong: dict[str, float]) -> None:
    with pytest.raises(ConfigurationError, match="--"):
        SpeedrunSettings(**wrong)  # type: ignore[arg-type]


def test_its_recipe_exists_and_every_recipe_is_named_in_the_help() -> None:
    assert SpeedrunSettings().recipe in RECIPES
    command = [sys.executable, "-m", "convlens", "train", "--help"]
    told = subprocess.run(command, capture_output=True, text=True, check=True, env={**os.environ, "COLUMNS": "200"})
    for name in RECIPES:
        assert name in told.stdout


@pytest.mark.skipif(os.name != "posix", reason="needs POSIX signals")
def test_ctrl_c_is_answered_with_one_line() -> None:
    command = [sys.executable, "-m", "convlens", "speedrun", "--engine", "numpy", "--threads", "1"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        assert "5 trainings with recipe speedrun" in process.stderr.readline()
        time.sleep(0.3)
        process.send_signal(signal.SIGINT)
        rest = process.stderr.read()
        assert process.wait(20) == 130, rest
    assert rest.startswith("convlens: stopped after 0 of 5 trainings")
    assert len(rest.splitlines()) == 1


def test_a_training_stopped_by_a_signal_of_its_own_stops_the_speedrun(
    toy: SpeedrunSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    stopped = subprocess.CompletedProcess([], 130, "", "convlens: stopped")
    monkeypatch.setattr(speedrun.subprocess, "run", lambda *_, **__: stopped)
    with pytest.raises(ConvlensError, match="stopped after 0 of 2 trainings"):
        run(toy)


def test_nothing_is_left_behind(toy: SpeedrunSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    monkeypatch.chdir(tmp_path)
    one(toy, 0)
    assert not list(tmp_path.iterdir())
