"""What trials say image by image: correctness, its variance components, and McNemar's tests."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ...plain import check_keys
from ...typing import BoolArray
from ..statistics.mcnemar import McNemar, mcnemar_exact
from ..statistics.two_way import Components
from ..trial import Trial


@dataclass(frozen=True)
class ByImage:
    """What the predictions of a study's trials said: kept where the predictions themselves are not.

    Attributes
    ----------
    arms
        Variance components of an arm's accuracies, over all its seeds: by arm, then by metric.
    estimands
        Those of an estimand's arm, or of its paired differences, over the seeds of its look: by estimand.
    mcnemar
        McNemar's tests by estimand, then by seed.
    """

    arms: Mapping[str, Mapping[str, Components]] = field(default_factory=dict)
    estimands: Mapping[str, Components] = field(default_factory=dict)
    mcnemar: Mapping[str, Mapping[int, McNemar]] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON; a test as its counts b, c and n."""
        return {
            "arms": {arm: {name: one.to_dict() for name, one in found.items()} for arm, found in self.arms.items()},
            "estimands": {name: one.to_dict() for name, one in self.estimands.items()},
            "mcnemar": {
                name: {str(seed): [one.b, one.c, one.n] for seed, one in found.items()}
                for name, found in self.mcnemar.items()
            },
        }

    @classmethod
    def from_dict(cls, given: Mapping[str, Any]) -> ByImage:
        """Read what `to_dict` wrote."""
        check_keys(cls, given, "what predictions said")
        return cls(
            {arm: {name: Components.from_dict(one) for name, one in found.items()}
             for arm, found in given["arms"].items()},
            {name: Components.from_dict(one) for name, one in given["estimands"].items()},
            {name: {int(seed): McNemar.of(*counts) for seed, counts in found.items()}
             for name, found in given["mcnemar"].items()},
        )  # fmt: skip


def split_of(metric: str) -> str | None:
    """Return the split whose images an accuracy is the mean over: ``"test"`` of ``"test.accuracy"``; None of others."""
    split, _, name = metric.rpartition(".")
    return split if split and name == "accuracy" else None


def correctness(trial: Trial, metric: str) -> BoolArray | None:
    """Return which images (N,) a trial classified correctly; None if the metric is no accuracy or nothing is stored."""
    split = split_of(metric)
    if split is None or split not in trial.predictions or split not in trial.labels:
        return None
    right: BoolArray = trial.predictions[split] == trial.labels[split]
    return right


def components(trials: Iterable[Trial], metric: str, reference: Iterable[Trial] | None = None) -> Components | None:
    """Return the variance components of an accuracy, or of its paired differences from a reference arm's.

    None if the metric is no accuracy, a trial stored no predictions, trials differ in their labels (so that an image's
    position does not identify it), or there are fewer than two seeds.
    """
    own = {trial.seed: trial for trial in trials}
    other = None if reference is None else {trial.seed: trial for trial in reference}
    shared = sorted(own if other is None else own.keys() & other.keys())
    rows: list[np.ndarray] = []
    for seed in shared:
        pair = [own[seed]] if other is None else [own[seed], other[seed]]
        found = [correctness(trial, metric) for trial in pair]
        if any(right is None for right in found) or not _same_images([own[shared[0]], *pair], metric):
            return None
        signed = [np.asarray(right, np.int8) for right in found]
        rows.append(signed[0] if other is None else signed[0] - signed[1])
    if len(rows) < 2 or rows[0].size < 2:
        return None
    return Components.of(np.stack(rows))


def mcnemar_by_seed(trials: Iterable[Trial], metric: str, reference: Iterable[Trial]) -> dict[int, McNemar]:
    """Return McNemar's tests by seed of an arm against its reference, for an accuracy; empty for other metrics.

    A seed is left out if one of its trials stored no predictions or labels, or the two trials have different labels.
    """
    references = {trial.seed: trial for trial in reference}
    tests = {}
    for trial in trials:
        other = references.get(trial.seed)
        if other is None:
            continue
        one, two = correctness(trial, metric), correctness(other, metric)
        if one is not None and two is not None and _same_images([trial, other], metric):
            tests[trial.seed] = mcnemar_exact(one, two)
    return tests


def _same_images(trials: Sequence[Trial], metric: str) -> bool:
    split = split_of(metric)
    assert split is not None
    first = trials[0].labels[split]
    return all(np.array_equal(trial.labels[split], first) for trial in trials[1:])
