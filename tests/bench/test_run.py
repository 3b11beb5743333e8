"""Resuming a result: the missing cells or more rounds, never with other settings."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from convlens.bench import run as module
from convlens.bench.cells import MAIN, WORKS, Cell, cells, chosen
from convlens.bench.environment import Environment
from convlens.bench.run import FILE, BenchSettings, run
from convlens.errors import ConfigurationError
from convlens.train import RECIPES
from convlens.train.provenance import hardware
from tests.bench.toy_result import toy_result

RECIPE = RECIPES["speedrun"]


@pytest.fixture(autouse=True)
def _quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "others_now", lambda: 0.0)
    monkeypatch.setattr(module, "prepare", lambda *_: Environment(Path(sys.executable), {}))


def go_on(folder: Path, **asked: float) -> int:
    """Go on with a result of three rounds whose race is there already; return the rounds that it says then."""
    kept = toy_result()
    kept["time-to-99"]["recipe"] = {name: value for name, value in RECIPE.to_dict().items() if value is not None}
    kept |= {"hardware": hardware(), "seconds": {}}
    (folder / FILE).write_text(json.dumps(kept))
    wanted = {"rounds": 3, "seconds": 0.25, "threads": 2, **asked}
    settings = BenchSettings(
        only=("time-to-99",), recipe=RECIPE, environment=folder, folder=folder, resume=True, **wanted
    )
    return int(run(settings, lambda _: None)["settings"]["rounds"])


@pytest.mark.parametrize("rounds", [3, 6])
def test_a_result_is_gone_on_with_for_more_rounds(tmp_path: Path, rounds: int) -> None:
    assert go_on(tmp_path, rounds=rounds) == rounds


@pytest.mark.parametrize("asked", [{"rounds": 2}, {"seconds": 1.0}, {"threads": 1}])
def test_another_measurement_is_no_continuation(tmp_path: Path, asked: dict[str, float]) -> None:
    with pytest.raises(ConfigurationError, match="was measured with other settings"):
        go_on(tmp_path, **asked)


class Peers:
    """Fake peers: a cell takes no time, and the one that is named is interrupted."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.timed: list[str] = []
        self.asked: list[tuple[str, ...]] = []
        self.interrupt_at: str | None = None
        monkeypatch.setattr(module, "time_cell", self.time_cell)

    def time_cell(self, cell: Cell, *_: Any) -> dict[str, Any]:
        if cell.name == self.interrupt_at:
            raise KeyboardInterrupt
        self.timed.append(cell.name)
        self.asked.append(cell.peers)
        rows = {work: {"convlens-numba": [1.0], "torch-nchw": [1.0]} for work in WORKS}
        shares = {work: {name: [0.0] for name in of_work} for work, of_work in rows.items()}
        return {"cell": cell.to_dict(), "rates": rows, "others": shares, "absent": {}, "first_call_seconds": {}}


def bench(folder: Path, said: list[str], *only: str, **asked: Any) -> dict[str, Any]:
    wanted = {"rounds": 1, "seconds": 0.25, "threads": 2, "recipe": RECIPE, "environment": folder, **asked}
    return run(BenchSettings(only=only, folder=folder, **wanted), said.append)


SEVENS = ["cnn-7x7-batch1", "cnn-7x7-batch128", "cnn-7x7-batch512"]


def test_an_interrupted_measurement_is_continued_and_a_finished_one_begins_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    peers, said = Peers(monkeypatch), list[str]()
    peers.interrupt_at = SEVENS[2]
    with pytest.raises(KeyboardInterrupt):
        bench(tmp_path, said, "cnn-7x7-*")
    assert peers.timed == SEVENS[:2]
    peers.interrupt_at = None
    peers.timed.clear()
    assert list(bench(tmp_path, said, "cnn-7x7-*")["cells"]) == SEVENS
    assert peers.timed == SEVENS[2:]
    assert "that was interrupted: 2 cells so far" in said[-2]
    peers.timed.clear()
    assert bench(tmp_path, said, "cnn-7x7-*")["complete"]
    assert peers.timed == SEVENS


@pytest.mark.parametrize(("only", "asked"), [("cnn-7x7-batch1", {}), ("cnn-7x7-*", {"threads": 1})])
def test_another_measurement_than_the_interrupted_one_begins_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, only: str, asked: dict[str, int]
) -> None:
    peers = Peers(monkeypatch)
    peers.interrupt_at = SEVENS[2]
    with pytest.raises(KeyboardInterrupt):
        bench(tmp_path, [], "cnn-7x7-*")
    peers.interrupt_at = None
    peers.timed.clear()
    bench(tmp_path, [], only, **asked)
    assert SEVENS[0] in peers.timed


def test_more_rounds_are_measured_with_the_peers_that_had_the_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    peers = Peers(monkeypatch)
    bench(tmp_path, [], MAIN)
    kept = json.loads((tmp_path / FILE).read_text())
    kept["cells"][MAIN]["peers"] = ["convlens-numba", "torch-nchw"]
    (tmp_path / FILE).write_text(json.dumps(kept))
    bench(tmp_path, [], MAIN, rounds=2, resume=True)
    assert peers.asked == [chosen((MAIN,), 2)[0][0].peers, ("convlens-numba", "torch-nchw")]


def test_the_whole_benchmark_is_expected_to_take_15_minutes_at_most() -> None:
    parts = [*[module.CELL_SECONDS] * len(cells(2)), *module.OTHER_SECONDS.values()]
    assert sum(parts) <= 15 * 60


def test_it_says_first_how_long_it_takes_and_who_is_in_the_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Peers(monkeypatch)
    said: list[str] = []
    bench(tmp_path, said, "cnn-3x3-batch*", rounds=6)
    assert said == ["4 measurements, about 4 min; Ctrl-C keeps what is measured"]
    monkeypatch.setattr(module, "others_now", lambda: 0.57)
    bench(tmp_path, said, MAIN)
    assert said[1].startswith("1 measurement, about 1 min")
    assert said[2].startswith("other processes take 57 % of this machine: what they disturb will have no ratio")
