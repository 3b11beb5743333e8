"""Results of trainings compared: paired where seeds and split match, Welch's test otherwise, never on other images."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats

from convlens.errors import ConfigurationError, DataError
from convlens.studies.results.comparison import Trainings, compare


def result(name: str, accuracies: Mapping[int, float], **changes: Any) -> Trainings:
    """Return a result with these accuracies by seed; changes are dotted names in the configuration."""
    runs = []
    for seed, accuracy in accuracies.items():
        split = {"seed": 0, "fractions": {"validation": 0.1, "test": 0.1}, "counts": {"train": 80}, "subsets": []}
        configuration: dict[str, Any] = {
            "model": {"seed": seed, "layers": [1, 2]},
            "data": {"name": "toy", "sha256": "f00", "split": split, "provenance": {"source": name}},
            "recipe": {"name": name, "label_smoothing": 0.0},
            "seed": seed,
        }
        for place, value in changes.items():
            *path, last = place.split("__")
            inner = configuration
            for key in path:
                inner = inner[key]
            inner[last] = value
        runs.append({
            "seed": seed,
            "parameters": 10,
            "seconds": {"train": 2.0},
            "test": {"accuracy": accuracy, "images": 1000},
            "configuration": configuration,
        })  # fmt: skip
    return Trainings(name, tuple(runs))


A = {0: 0.90, 1: 0.92, 2: 0.91, 3: 0.95}
B = {0: 0.92, 1: 0.93, 2: 0.93, 3: 0.96}


def test_paired_where_seeds_and_split_match() -> None:
    [found] = compare([result("a", A), result("b", B, recipe__label_smoothing=0.1)])
    wanted = stats.ttest_rel(list(B.values()), list(A.values()))
    assert found.interval.mean == pytest.approx(0.015)
    assert found.interval.low == pytest.approx(wanted.confidence_interval().low, abs=1e-4)  # steps of an image widen it
    assert found.p == pytest.approx(wanted.pvalue, rel=0.01)
    assert found.outcome == "better"
    assert found.settings == {"recipe.label_smoothing": (0.0, 0.1)}
    [found] = compare([result("b", B), result("a", A)])
    assert found.outcome == "worse"


def test_seeds_without_a_partner_are_left_out() -> None:
    [found] = compare([result("a", A), result("b", {**B, 9: 0.1})])
    assert (found.interval.n, found.interval.dropped) == (4, 1)


@pytest.mark.parametrize("other", [
    result("b", {seed + 10: value for seed, value in B.items()}),
    result("b", B, data__split={"seed": 0, "fractions": {"validation": 0.2, "test": 0.1}, "subsets": []}),
    result("b", {0: 0.92, 11: 0.93, 12: 0.93, 13: 0.96}),
], ids=["other seeds", "another split", "one seed shared"])  # fmt: skip
def test_welch_otherwise(other: Trainings) -> None:
    [found] = compare([result("a", A), other])
    wanted = stats.ttest_ind(list(B.values()), list(A.values()), equal_var=False)
    assert found.interval.low == pytest.approx(wanted.confidence_interval().low, abs=1e-4)
    assert found.interval.high == pytest.approx(wanted.confidence_interval().high, abs=1e-4)
    assert found.p == pytest.approx(wanted.pvalue, rel=0.01)
    assert found.outcome == "inconclusive"


@pytest.mark.parametrize(("one", "other"), [({0: 0.9}, {0: 0.99}), ({0: 0.9}, {1: 0.99}), ({0: 0.9}, B), (A, {9: 0.5})])
def test_one_seed_decides_nothing(one: dict[int, float], other: dict[int, float]) -> None:
    [found] = compare([result("a", one), result("b", other)])
    assert found.outcome == "inconclusive"
    assert found.why.startswith("one seed decides nothing")
    assert np.isinf(found.interval.high)


def test_equal_differences_vary_by_what_a_step_hides() -> None:
    """Steps of 1 / 1000: the difference is certain where it is large, and open where it is one image."""
    same = dict.fromkeys(A, 0.5)
    large, small = compare([result("a", same), result("b", dict.fromkeys(A, 0.75)), result("c", same)])
    assert (large.outcome, large.interval.mean) == ("better", 0.25)
    assert large.interval.half_width == pytest.approx(3.182446 / 1000 / np.sqrt(12 * 4), rel=1e-6)
    assert (small.outcome, small.p) == ("inconclusive", 1.0)


def test_several_differences_are_adjusted() -> None:
    alone = compare([result("a", A), result("b", B)])[0]
    both = compare([result("a", A), result("b", B), result("c", {**A, 0: 0.93})])
    assert alone.p is not None
    assert both[0].p == pytest.approx(2 * alone.p)


OTHER_IMAGES = {
    "other data": {"data__sha256": "bad"},
    "another split into training and test": {"data__split": {"seed": 1, "fractions": {"test": 0.1}, "subsets": []}},
    "a larger test set": {"data__split": {"seed": 0, "fractions": {"test": 0.2}, "subsets": []}},
}


@pytest.mark.parametrize("case", OTHER_IMAGES)
def test_other_test_images_are_refused(case: str) -> None:
    with pytest.raises(ConfigurationError, match=r"a and b were tested on different images .*same test set"):
        compare([result("a", A), result("b", B, **OTHER_IMAGES[case])])


def test_the_seed_of_a_split_does_not_matter_where_the_source_has_a_test_set() -> None:
    split = {"seed": 0, "fractions": {"validation": 0.1, "test": None}, "subsets": []}
    one, other = result("a", A, data__split=split), result("b", B, data__split={**split, "seed": 1})
    [found] = compare([one, other])
    assert found.interval.method.startswith("Welch")  # the training images differ


def test_both_kinds_of_results_are_read(tmp_path: Path) -> None:
    runs = [dict(run) for run in result("a", A).runs]
    (tmp_path / "one.json").write_text(json.dumps(runs[1]))
    (tmp_path / "several.json").write_text(json.dumps({"runs": runs, "diverged": [{"seed": 7, "error": "nan"}]}))
    assert Trainings.read(tmp_path / "one.json").accuracies == {1: 0.92}
    found = Trainings.read(tmp_path / "several.json")
    assert found.accuracies == A
    assert found.diverged == (7,)


def _without(key: str) -> Any:
    run = copy.deepcopy(dict(result("a", {0: 0.9}).runs[0]))
    del run[key]
    return run


@pytest.mark.parametrize(
    "wrong",
    [
        {"a": 1}, [], 3, None, {"runs": []}, {"runs": 3}, {"runs": [3]}, _without("test"), _without("configuration"),
        {**_without("test"), "test": None}, {"runs": [None]},
        {"runs": list(result("a", {0: 0.9}).runs) * 2},
        {"runs": [*result("a", {0: 0.9}).runs, *result("b", {1: 0.9}, data__sha256="bad").runs]},
    ],
    ids=str,
)  # fmt: skip
def test_what_is_no_result_is_refused(tmp_path: Path, wrong: Any) -> None:
    (tmp_path / "x.json").write_text(json.dumps(wrong))
    with pytest.raises(DataError, match=r"x\.json"):
        Trainings.read(tmp_path / "x.json")
