"""Simulated studies with known answers: intervals cover, errors keep to their rate. The 2,000 are in benchmarks/.

Bounds are those of a right implementation plus four standard errors of the number of studies simulated here.
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from .test_benchmark_scripts import BENCHMARKS, script

STUDIES = 400
ERROR = 4 * (0.05 * 0.95 / STUDIES) ** 0.5  # 4.4 points


@pytest.fixture
def coverage(monkeypatch: pytest.MonkeyPatch) -> Any:
    return script("coverage.py", monkeypatch)


@pytest.mark.parametrize("n", [3, 5, 10])
def test_the_interval_over_seeds_covers(coverage: Any, n: int) -> None:
    assert coverage.fixed(n, STUDIES) == pytest.approx(0.95, abs=ERROR)


@pytest.mark.parametrize("looks", [(5, 10), (5, 10, 20)])
@pytest.mark.parametrize("true", [0.0, 0.001])
def test_looking_again_keeps_the_error_rate(coverage: Any, looks: tuple[int, ...], true: float) -> None:
    found = coverage.looked_at(looks, true, STUDIES)
    assert found["coverage"] > 0.93 - ERROR
    assert found["wrong"] < 0.05 + ERROR
    assert coverage.exact_level(looks, 100_000) == pytest.approx(0.05, abs=0.004)


def test_a_family_of_contrasts_has_few_false_findings(coverage: Any) -> None:
    """Without Holm's method, some 14 % of the studies would have one."""
    assert coverage.family(8, (5,), STUDIES) < 0.05 + ERROR


@pytest.mark.parametrize("n", [5, 20])
def test_the_two_way_interval_covers_images_in_general(coverage: Any, n: int) -> None:
    found = coverage.in_general(n, STUDIES, images=200)
    assert found["two_way"] > 0.95 - ERROR
    assert found["seeds"] < 0.9  # with other images in mind it covers too seldom


def test_the_interval_covers_differences_that_are_resampled(coverage: Any) -> None:
    assert coverage.resampled(np.random.default_rng(1).normal(0, 1, 20), 5, STUDIES) > 0.95 - ERROR - 0.01


def test_the_kept_simulations_are_within_bounds() -> None:
    found = json.loads((BENCHMARKS / "results" / "coverage.json").read_text(encoding="utf-8"))
    assert found["studies"] == 2000
    assert all(0.93 <= share <= 0.97 for share in found["fixed n, coverage"].values())
    assert all(share >= 0.9 for share in found["resampled, coverage"].values())
    assert all(share >= 0.9 for share in found["stored differences, coverage"]["mean"].values())
    assert all(one["coverage"] >= 0.93 and one["wrong"] <= 0.05 for one in found["looks, until settled"].values())
    error = (0.05 * 0.95 / 2000) ** 0.5  # of a share of 5 %: half a point
    assert all(share <= 0.05 + 3 * error for share in found["false better"].values())
    assert all(one["two_way"] >= 0.9 for one in found["images in general, coverage"].values())
