"""Resuming a result: the missing cells or more rounds, never with other settings."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from convlens.bench import run as module
from convlens.bench.environment import Environment
from convlens.bench.run import FILE, BenchSettings, run
from convlens.errors import ConfigurationError
from convlens.train import RECIPES
from convlens.train.provenance import hardware
from tests.bench.toy_result import toy_result

RECIPE = RECIPES["speedrun"]


def go_on(folder: Path, monkeypatch: pytest.MonkeyPatch, **asked: float) -> int:
    """Go on with a result of three rounds whose race is there already; return the rounds that it says then."""
    kept = toy_result()
    kept["time-to-99"]["recipe"] = {name: value for name, value in RECIPE.to_dict().items() if value is not None}
    kept |= {"hardware": hardware(), "seconds": {}}
    (folder / FILE).write_text(json.dumps(kept))
    monkeypatch.setattr(module, "prepare", lambda *_: Environment(Path(sys.executable), {}))
    wanted = {"rounds": 3, "seconds": 0.25, "threads": 2, **asked}
    settings = BenchSettings(
        only=("time-to-99",), recipe=RECIPE, environment=folder, folder=folder, resume=True, **wanted
    )
    return int(run(settings, lambda _: None)["settings"]["rounds"])


@pytest.mark.parametrize("rounds", [3, 6])
def test_a_result_is_gone_on_with_for_more_rounds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rounds: int) -> None:
    assert go_on(tmp_path, monkeypatch, rounds=rounds) == rounds


@pytest.mark.parametrize("asked", [{"rounds": 2}, {"seconds": 1.0}, {"threads": 1}])
def test_another_measurement_is_no_continuation(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, asked: dict[str, float]
) -> None:
    with pytest.raises(ConfigurationError, match="was measured with other settings"):
        go_on(tmp_path, monkeypatch, **asked)
