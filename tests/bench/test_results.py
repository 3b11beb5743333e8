"""Ratios are of pairs within a round, and name the peer."""

from __future__ import annotations

from pathlib import Path

import pytest

from convlens.bench.results import Fastest, Ratio, best_torch, better_eager, race_ratio, ratios, share_of_peak
from convlens.bench.run import read
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


def test_the_kept_result_says_what_its_rates_say() -> None:
    kept = read(Path(__file__).parents[2] / "benchmarks/results/speed.json")
    for cell in kept["cells"].values():
        assert cell["ratios"] == {work: ratios(rates) for work, rates in cell["rates"].items()}


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
