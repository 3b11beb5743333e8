"""Ratios are of pairs within a round, and name the peer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from convlens.bench.cells import GEMM, MAIN, WORKS
from convlens.bench.results import (
    Fastest,
    Ratio,
    Withheld,
    best,
    best_torch,
    better_eager,
    compared,
    disturbance,
    race_ratio,
    ratios,
    share_of_peak,
    undisturbed,
)
from convlens.bench.run import read
from convlens.bench.tables import headline, markdown, terminal
from convlens.figures.speed import LOOK, draw_speed
from tests.bench.toy_result import RATES, toy_cell, toy_result


def test_a_ratio_is_the_median_of_pairs_not_the_ratio_of_medians() -> None:
    assert Ratio.of([10.0, 30.0, 80.0], [10.0, 10.0, 20.0]) == Ratio(3.0, 1.0, 4.0)


def test_a_ratio_of_different_numbers_of_rounds_is_refused() -> None:
    with pytest.raises(ValueError):
        Ratio.of([1.0, 2.0], [1.0])


def test_both_ratios_name_their_peer() -> None:
    eager, best = better_eager(RATES), best_torch(RATES)
    assert (eager, best) == (
        Fastest("torch-channels-last", [100.0, 80.0, 60.0]),
        Fastest("torch-compile", [400.0, 400.0, 100.0]),
    )
    found = ratios(RATES)["convlens-numba"]
    assert found["better eager PyTorch"] == {"peer": "torch-channels-last", "median": 2.0, "low": 1.5, "high": 3.0}
    assert found["best PyTorch"]["median"] == 0.6
    assert "gemm" not in found


def test_each_round_is_compared_with_who_was_fastest_in_it() -> None:
    rates = {"torch-nchw": [30.0, 10.0, 30.0], "torch-channels-last": [20.0, 20.0, 20.0], "torch-compile": [1.0] * 3}
    assert best_torch(rates) == Fastest("torch-nchw", [30.0, 20.0, 30.0])
    found = ratios({"convlens-numba": [60.0, 60.0, 60.0], **rates})["convlens-numba"]
    assert found["better eager PyTorch"] == {"peer": "torch-nchw", "median": 2.0, "low": 2.0, "high": 3.0}


def test_the_best_in_prediction_may_be_a_runtime() -> None:
    runtimes = {"onnxruntime": [300.0, 500.0, 80.0], "openvino": [10.0] * 3}
    assert best(RATES) == best_torch(RATES)
    assert best({**RATES, **runtimes}) == Fastest("torch-compile", [400.0, 500.0, 100.0])
    assert best(runtimes) == Fastest("onnxruntime", [300.0, 500.0, 80.0])
    found = ratios({**RATES, **runtimes})["convlens-numba"]
    assert found["best"] == {"peer": "torch-compile", "median": 0.5, "low": 0.48, "high": 0.9}
    assert found["best PyTorch"] == ratios(RATES)["convlens-numba"]["best PyTorch"]
    assert "best" not in ratios(RATES)["convlens-numba"]


def test_the_kept_result_says_what_its_rates_say() -> None:
    kept = read(Path(__file__).parents[2] / "benchmarks/results/speed.json")
    for cell in kept["cells"].values():
        assert cell["ratios"] == {work: ratios(undisturbed(cell, work)) for work in cell["rates"]}
    assert disturbance(kept) is None


def test_an_absent_peer_has_no_ratio() -> None:
    only = {"convlens-numpy": [1.0], "textbook": [0.5]}
    assert ratios(only) == {
        "convlens-numpy": {"textbook": {"peer": "textbook", "median": 2.0, "low": 2.0, "high": 2.0}}
    }
    assert better_eager(only) is None


def test_training_counts_three_passes_of_the_peak() -> None:
    cell = toy_cell()
    assert share_of_peak(cell, "predict", "convlens-numba") == Ratio(0.2, 0.09, 0.24)
    training = share_of_peak(cell, "train", "convlens-numba")
    assert training is not None
    assert training.median == pytest.approx(0.6)
    assert share_of_peak(cell, "train", "sklearn") is None


def test_the_race_pairs_seeds() -> None:
    race = toy_result()["time-to-99"]
    assert race_ratio(race, "seconds") == Ratio(0.5, 0.5, 0.5)
    race["runs"].pop("torch-channels-last")
    assert race_ratio(race, "seconds") is None


def disturbed_cell(**others: list[float | None]) -> dict[str, Any]:
    """Return a cell in whose rounds of training others took these shares of the machine, by peer."""
    cell = toy_cell()
    cell["others"] = {"train": {name.replace("_", "-"): shares for name, shares in others.items()}, "predict": {}}
    cell["ratios"] = {work: ratios(undisturbed(cell, work)) for work in WORKS}
    return cell


def test_a_disturbed_round_does_not_count() -> None:
    cell = disturbed_cell(torch_channels_last=[0.5, 0.02, None])
    rates = undisturbed(cell, "train")
    assert rates["torch-channels-last"] == [None, 80.0, 60.0]
    assert undisturbed(cell, "predict")["torch-channels-last"] == [100.0, 80.0, 60.0]
    assert better_eager(rates) == Fastest("torch-channels-last", [None, 80.0, 60.0])
    assert compared(rates["convlens-numba"], rates["torch-channels-last"]) == Ratio(2.25, 1.5, 3.0)


def test_a_disturbed_measurement_has_no_ratio_and_says_so_first() -> None:
    """Other processes hold PyTorch up in two rounds of three: that is no ratio of speeds, however large."""
    result = toy_result()
    result["cells"][MAIN] = disturbed_cell(torch_nchw=[0.4, 0.6, 0.0])
    entry = result["cells"][MAIN]["ratios"]["train"]["convlens-numba"]["better eager PyTorch"]
    assert entry == {"peer": "torch-channels-last", "withheld": "2 of 3 rounds"}
    assert headline(result).rows[0] == ("CNN 3x3, batch 128, training", "disturbed", "disturbed", "disturbed")
    assert headline(result).rows[1][1] == "2.00 (1.50 to 3.00)"
    said = disturbance(result)
    assert said is not None
    assert said.startswith("This measurement was disturbed: other processes took up to 60 % of the machine. ")
    assert markdown(result).startswith(said)
    assert str(terminal(result)[0]) == said
    assert draw_speed(result, LOOK) is not None


def test_where_the_load_is_unknown_the_yardstick_shows_it() -> None:
    cell = toy_cell()
    cell["rates"]["train"][GEMM] = [1e9, 0.4e9, 0.6e9]
    assert undisturbed(cell, "train")["convlens-numba"] == [200.0, None, 90.0]
    assert undisturbed(cell, "predict")["convlens-numba"] == [200.0, 240.0, 90.0]


def test_a_race_beside_other_processes_has_no_ratio() -> None:
    race = toy_result()["time-to-99"]
    race["runs"]["convlens"][0]["others"] = 0.3
    assert race_ratio(race, "seconds") == Withheld("1 of 1 rounds")
    assert disturbance({"cells": {}, "time-to-99": race}) is not None
