"""Trials on tables: what is refused, that folds are fair, that results are those of an independent loop."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import pytest

from convlens import tables
from convlens.errors import ConfigurationError, DataError
from convlens.models import DenseNet
from convlens.nn.serialize import layer_to_dict
from convlens.optim import AdamW, OneCycle
from convlens.plain import places, replaced
from convlens.studies.executors import ExecutionOptions, check, execute
from convlens.studies.executors.cross_validation import Plan, cross_validate, folds_of, standardised
from convlens.studies.executors.table import configuration
from convlens.studies.executors.table_models import Fitted
from convlens.studies.trial import PlannedTrial, TrialOutcome, trial_key
from convlens.train import Recipe

LOGISTIC = {"kind": "logistic-regression", "C": 1.0, "max_iter": 200}
BOOSTING = {
    "kind": "gradient-boosting",
    "learning_rate": 0.1,
    "max_iter": 5,
    "max_leaf_nodes": 4,
    "min_samples_leaf": 5,
}
SMALL = {"count": 60}


def network(**changes: Any) -> dict[str, Any]:
    recipe = Recipe("table", AdamW(), OneCycle(0.02), epochs=4, batch_size=16).to_dict()
    layers = DenseNet((8,)).layers(2)
    return {
        "kind": "network",
        "layers": [layer_to_dict(layer, defaults=True) for layer in layers],
        "recipe": {key: value for key, value in {**recipe, **changes}.items() if key != "name"},
    }


def described(model: dict[str, Any] | None = None, **settings: Any) -> dict[str, Any]:
    return configuration("graphs", model or network(), [{}], settings=SMALL, **{"folds": 3, **settings})


def run(given: dict[str, Any], seed: int = 0, threads: int = 1) -> TrialOutcome:
    return execute(PlannedTrial("toy", "a", seed, given, 1), ExecutionOptions(threads=threads))


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [
        ("tabel", {}, "toy: unknown key 'tabel'; did you mean 'table'"),
        ("table.settings.node", 3, "toy: table: table 'graphs': unknown key 'node'; did you mean 'nodes'"),
        ("table.shuffle", 3, "toy: table: unknown key 'shuffle'"),
        ("table.view", "feature", "unknown view 'feature'; did you mean 'features'"),
        ("table.sha256", "abc", "sha256 is 64 hexadecimal digits, not 'abc'"),
        ("model.layer", 3, "toy: model: unknown key 'layer'; did you mean 'layers'"),
        ("model.recipe.epoch", 3, "toy: model: recipe: unknown key 'epoch'; did you mean 'epochs'"),
        ("model.recipe.patience", 3, "patience is None in a trial on a table"),
        ("model.kind", "netwrok", "'netwrok'; did you mean 'network'"),
        ("candidates", [{"recipe.rate": 1}], r"candidates\[0\]: unknown key 'recipe.rate'"),
        ("candidates", [], "candidates is a list of one or more"),
        ("resampling.folds", 1, "folds is a whole number from 2 to 100"),
        ("resampling.repeats", 1, "resampling: unknown key 'repeats'"),
        ("resampling.validation_fraction", 2.0, "validation_fraction is a number between 0 and 1"),
        ("seeds.folds", "trail", "seeds: folds is a number or 'trial'"),
        ("seeds.folds", None, "seeds: folds: a seed is a whole number"),
        ("names.model", "", "the name of the model is 1 to 100"),
    ],
)
def test_what_is_unknown_or_out_of_range_is_named(place: str, value: Any, message: str) -> None:
    given = described()
    *path, last = place.split(".")
    inner = given
    for key in path:
        inner = inner[key]
    inner[last] = value
    with pytest.raises(ConfigurationError, match=message):
        check(given, "toy")


def test_what_is_missing_is_named_and_settings_of_rivals_are_checked() -> None:
    for model, name in ((LOGISTIC, "C"), (BOOSTING, "max_iter"), (network(), "recipe")):
        with pytest.raises(ConfigurationError, match=f"model lacks '{name}'"):
            described({key: value for key, value in model.items() if key != name})
    with pytest.raises(ConfigurationError, match="C is a number above 0, not -1"):
        configuration("graphs", LOGISTIC, [{"C": -1}], settings=SMALL)


def test_names_are_not_in_the_key_and_all_else_is() -> None:
    base = described(permuted=True)
    key = trial_key(base, 0, 1)
    for place in places(base):
        if place != "names":
            assert (trial_key(replaced(base, {place: "another"}), 0, 1) == key) == place.startswith("names."), place


def test_folds_are_disjoint_complete_stratified_and_follow_the_seed() -> None:
    labels = np.repeat(np.arange(3), (50, 31, 20))
    folds = folds_of(labels, Plan(5, 0.2, 7, 0))
    np.testing.assert_array_equal(np.sort(np.concatenate(folds)), np.arange(101))
    for number, share in enumerate((10, 6.2, 4)):
        assert all(abs((labels[fold] == number).sum() - share) <= 1 for fold in folds)
    again, other = folds_of(labels, Plan(5, 0.2, 7, 1)), folds_of(labels, Plan(5, 0.2, 8, 0))
    assert all((one == two).all() for one, two in zip(folds, again, strict=True))
    assert any(len(one) != len(two) or (one != two).any() for one, two in zip(folds, other, strict=True))
    with pytest.raises(DataError, match="the rarest class has 20 rows, and 21 folds"):
        folds_of(labels, Plan(21, 0.2, 7, 0))


class Memory:
    """Knows the rows it was fitted to by their number, their only column; `right` says how often it is right."""

    needs_scikit_learn = False

    def __init__(self, right: float, diverged: bool = False) -> None:
        self.right, self.diverged, self.asked = right, diverged, list[tuple[set[float], set[float]]]()

    def fitted(self, rows: Any, labels: Any, asked: Any, seed: int, options: Any) -> Fitted:
        self.asked.append((set(rows.ravel().round(9)), set(asked.ravel().round(9))))
        share = np.where(np.arange(len(asked)) < self.right * len(asked), 0.9, 0.1)
        return Fitted(np.stack([share, 1 - share], axis=1), self.diverged)


def test_a_candidate_is_chosen_without_its_test_rows_and_one_that_diverged_never_if_another_did_not() -> None:
    rows, labels = np.arange(60.0).reshape(60, 1, 1, 1), np.arange(60) % 2
    bad, good, diverged = Memory(0.0), Memory(1.0), Memory(1.0, diverged=True)
    labels[:] = [0] * 40 + [1] * 20
    found = cross_validate([diverged, bad, good], rows, labels, Plan(3, 0.25, 0, 0), ExecutionOptions())
    assert found.chosen.tolist() == [2, 2, 2]
    assert found.accuracies == pytest.approx(found.validation, abs=0.05)
    assert found.diverged == 0
    assert len(bad.asked) == 3
    assert len(good.asked) == 6
    for fitted, asked in good.asked:
        assert not fitted & asked
    sizes = [(len(fitted), len(asked)) for fitted, asked in good.asked]
    assert sizes == [(30, 10), (40, 20)] * 3


def test_equal_accuracies_are_decided_by_loss_then_by_order() -> None:
    class Sure(Memory):
        def fitted(self, rows: Any, labels: Any, asked: Any, seed: int, options: Any) -> Fitted:
            return Fitted(np.tile([self.right, 1 - self.right], (len(asked), 1)))

    rows, labels = np.arange(30.0).reshape(30, 1, 1, 1), np.arange(30) % 3 % 2
    plan = Plan(3, 0.3, 0, 0)
    found = cross_validate([Sure(0.9999), Sure(0.7), Sure(0.7)], rows, labels, plan, ExecutionOptions())
    assert found.chosen.tolist() == [1, 1, 1]


def test_columns_are_standardised_by_the_rows_that_are_fitted_and_constant_ones_stay_finite() -> None:
    rows = np.array([[1.0, 5], [3, 5]]).reshape(2, 1, 2, 1)
    asked = np.array([[5.0, 6]]).reshape(1, 1, 2, 1)
    assert standardised(asked, rows).ravel().tolist() == [3.0, 1.0]


def test_an_outcome_has_one_prediction_a_row_and_accuracies_by_fold() -> None:
    found = run(described(), seed=4)
    labels = tables.load("graphs", SMALL).labels
    np.testing.assert_array_equal(found.labels["test"], labels)
    right = found.predictions["test"] == labels
    folds = folds_of(labels, Plan(3, 0.25, 4, 0))
    assert found.curves["fold.accuracy"].tolist() == [right[fold].mean() for fold in folds]
    assert found.metrics["test.accuracy"] == pytest.approx(right.mean())
    assert found.curves["fold.test_rows"].tolist() == [20, 20, 20]
    assert found.curves["fold.train_rows"].tolist() == [40, 40, 40]
    assert found.provenance["exact"] is True
    assert found.provenance["engine"]


def test_a_trial_is_the_same_again_on_any_threads_and_another_with_another_seed() -> None:
    first, again, other = run(described()), run(described(), threads=2), run(described(), seed=1)
    assert first.metrics["test.accuracy"] == again.metrics["test.accuracy"]
    np.testing.assert_array_equal(first.predictions["test"], again.predictions["test"])
    assert (first.predictions["test"] != other.predictions["test"]).any()


def test_columns_are_permuted_by_the_trial_and_arms_share_their_folds() -> None:
    pytest.importorskip("sklearn")
    orders = (False, True)
    linear = [run(described(LOGISTIC, permuted=permuted)).predictions["test"] for permuted in orders]
    assert (linear[0] == linear[1]).mean() > 0.95  # the order says nothing to it
    dense = [run(described(permuted=permuted)).predictions["test"] for permuted in orders]
    assert (dense[0] != dense[1]).any()


def test_a_network_that_diverges_predicts_the_most_common_class_and_says_so() -> None:
    given = described(network(schedule={"name": "Constant", "rate": 1e30}, optimizer={"name": "SGD"}))
    found = run(given)
    assert found.metrics["diverged"] == 3
    assert found.metrics["test.accuracy"] == pytest.approx(0.5, abs=0.1)


def test_rivals_equal_scikit_learn_called_by_hand() -> None:
    linear = pytest.importorskip("sklearn.linear_model")
    found = run(described(LOGISTIC, view="features"))
    table = tables.load("graphs", SMALL)
    assert table.features is not None
    for test in folds_of(table.labels, Plan(3, 0.25, 0, 0)):
        train = np.setdiff1d(np.arange(60), test)
        mean, deviation = table.features[train].mean(axis=0), table.features[train].std(axis=0)
        deviation[deviation == 0] = 1
        x = (table.features - mean) / deviation
        by_hand = linear.LogisticRegression(C=1.0, max_iter=200).fit(x[train], table.labels[train]).predict(x[test])
        np.testing.assert_array_equal(found.predictions["test"][test], by_hand)
    assert found.provenance["exact"] is False
    assert "scikit-learn" in found.provenance["versions"]  # type: ignore[operator]


def test_boosting_runs_with_features_and_a_seed() -> None:
    pytest.importorskip("sklearn")
    found = run(described(BOOSTING, view="features"))
    again = run(described(BOOSTING, view="features"))
    np.testing.assert_array_equal(found.predictions["test"], again.predictions["test"])


def test_without_scikit_learn_a_rival_is_described_and_its_trial_fails_with_one_line(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("sklearn", "sklearn.linear_model"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ConfigurationError, match=r"needs scikit-learn .*pip install 'convlens\[studies\]'"):
        run(described(LOGISTIC))
    assert run(described()).metrics["test.accuracy"] > 0


def test_a_table_that_is_another_than_planned_is_refused() -> None:
    with pytest.raises(DataError, match="the table 'graphs' has SHA-256"):
        run(replaced(described(), {"table.sha256": "0" * 64}))
