"""Results of trainings as ``convlens train --json`` writes them: means with intervals, and their differences.

Where two results have the same data, split and at least two seeds in common, their difference is paired by seed;
otherwise it is that of two independent samples (Welch).
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from ...errors import ConfigurationError, DataError
from ...plain import require
from ..statistics.finding import Finding, holm
from ..statistics.looks import FEWEST_SEEDS, LEVEL
from ..statistics.power import seeds_needed
from ..statistics.stats import Estimate, Interval, mean_interval, paired_estimate
from ..statistics.welch import welch_estimate

_NAMES = ("model.seed", "seed", "start", "recipe.name", "data.name")


@dataclass(frozen=True)
class Trainings:
    """Trainings of one model on one data set, which differ in their seeds alone.

    Attributes
    ----------
    name
        Of their result, such as its file.
    runs
        The result of each, as `convlens.train.Run.to_dict` gives it.
    diverged
        Seeds whose training diverged, and has no result.

    Raises
    ------
    DataError
        If there are no trainings with a test accuracy, or two have the same seed.
    """

    name: str
    runs: tuple[Mapping[str, Any], ...]
    diverged: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if not self.runs:
            raise DataError(f"{self.name} holds no training that came to an end")
        try:
            seeds = list(self.accuracies)
            test_sets = [_test_set(run) for run in self.runs]
            _ = self.split, self.mean, self.seconds, [int(run["parameters"]) for run in self.runs]
            if not all(isinstance(seed, int) and 0 <= value <= 1 for seed, value in self.accuracies.items()):
                raise ValueError("a seed is a whole number, and an accuracy from 0 to 1")
        except (AttributeError, KeyError, TypeError, ValueError, ConfigurationError) as error:
            raise DataError(
                f"{self.name} is no result of a training; expected what convlens train --json writes"
            ) from error
        if len(set(seeds)) < len(self.runs):
            raise DataError(f"{self.name} holds two trainings of one seed; expected each seed once")
        if any(one != self.test_set for one in test_sets):
            raise DataError(f"{self.name} holds trainings with different test sets; compare those of one test set")

    @classmethod
    def read(cls, path: str | os.PathLike[str]) -> Trainings:
        """Read a result that ``convlens train --json`` has written, with or without ``--seeds``.

        Raises
        ------
        DataError
            If the file cannot be read, or is something else.
        ConfigurationError
            If `path` is not the name of a file.
        """
        require(path, (str, os.PathLike), "path", "'cnn.json'")
        try:
            found = json.loads(Path(path).read_text(encoding="utf-8"))
        except OSError as error:
            raise DataError(f"cannot read {os.fspath(path)}: {error.strerror or error}") from error
        except UnicodeDecodeError as error:
            raise DataError(
                f"{os.fspath(path)} is not a text file; expected the JSON of convlens train --json (a model is "
                "measured by convlens evaluate)"
            ) from error
        except (ValueError, RecursionError) as error:
            raise DataError(
                f"{os.fspath(path)} is no result of a training (not JSON: {error}); expected what convlens train "
                "--json writes"
            ) from error
        several = isinstance(found, dict) and isinstance(found.get("runs"), list)
        runs = found["runs"] if several else [found]
        diverged = found.get("diverged") if several else None
        failed = [one.get("seed") for one in diverged if isinstance(one, dict)] if isinstance(diverged, list) else []
        return cls(os.fspath(path), tuple(runs), tuple(seed for seed in failed if isinstance(seed, int)))

    @cached_property
    def accuracies(self) -> dict[int, float]:
        """Test accuracy by seed, 0 to 1."""
        return {run["seed"]: float(run["test"]["accuracy"]) for run in self.runs}

    @property
    def test_set(self) -> tuple[object, ...]:
        """What identifies the test images."""
        return _test_set(self.runs[0])

    @property
    def split(self) -> Mapping[str, Any]:
        """How the data were split, subsets of the training images included."""
        split: Mapping[str, Any] = self.runs[0]["configuration"]["data"]["split"]
        return split

    @property
    def mean(self) -> Interval:
        """Mean test accuracy, with its 95 % interval over seeds."""
        return mean_interval(list(self.accuracies.values()))

    @property
    def seconds(self) -> float:
        """Mean time of training, in seconds."""
        return sum(float(run["seconds"]["train"]) for run in self.runs) / len(self.runs)


@dataclass(frozen=True)
class Difference:
    """The test accuracy of one result minus that of another.

    Attributes
    ----------
    name, reference
        The results; the reference is subtracted.
    interval
        Of the difference; infinite bounds where no interval can be given.
    p
        Two-sided p-value that the difference is 0, adjusted by Holm's method for all differences of the comparison;
        None where there is none.
    outcome
        ``"better"`` or ``"worse"`` where p is below 0.05, else ``"inconclusive"``.
    why
        Why it is inconclusive, and what would settle it; empty if it is not.
    settings
        Settings in which the two differ, with both values (the reference's first).
    """

    name: str
    reference: str
    interval: Interval
    p: float | None
    outcome: Finding
    why: str
    settings: Mapping[str, tuple[object, object]]


def compare(results: Sequence[Trainings]) -> list[Difference]:
    """Return the differences of all results from the first.

    Raises
    ------
    ConfigurationError
        If they were tested on different images (their accuracies cannot be compared), or there are none.
    """
    if not results:
        raise ConfigurationError("there are no results to compare; name at least one")
    for one in results:
        require(one, Trainings, "a result", "Trainings.read('cnn.json')")
    reference, *others = results
    for other in others:
        if other.test_set != reference.test_set:
            raise ConfigurationError(
                f"{reference.name} and {other.name} were tested on different images ({_described(reference)}; "
                f"{_described(other)}); compare results on the same test set"
            )
    names = [f"{position} {other.name}" for position, other in enumerate(others)]  # one file may come twice
    found = [_difference(other, reference) for other in others]
    p_values = {name: p for name, one in zip(names, found, strict=True) if (p := one.p_other_than(0.0)) is not None}
    adjusted = holm(p_values)
    return [
        _judged(other, reference, estimate, adjusted.get(name))
        for name, other, estimate in zip(names, others, found, strict=True)
    ]


def _difference(one: Trainings, other: Trainings) -> Estimate:
    """Return the difference of the means: paired by seed where that is possible."""
    a, b = one.accuracies, other.accuracies
    shared, resolution = len(a.keys() & b.keys()), 1 / int(one.runs[0]["test"]["images"])
    if one.split == other.split and (shared > 1 or (shared and min(len(a), len(b)) == 1)):
        return paired_estimate(a, b, resolution=resolution)
    return welch_estimate(list(a.values()), list(b.values()), resolution=resolution)


def _judged(one: Trainings, other: Trainings, estimate: Estimate, p: float | None) -> Difference:
    """Return a difference with its outcome, against a margin of zero."""
    settings = dict(_settings_that_differ(other.runs[0]["configuration"], one.runs[0]["configuration"]))
    outcome: Finding = "inconclusive"
    why = ""
    if p is None:
        why = f"one seed decides nothing: train with --seeds {FEWEST_SEEDS} or more"
    elif p < LEVEL:
        outcome = "better" if estimate.mean > 0 else "worse"
    else:
        why = _outlook(estimate)
    return Difference(one.name, other.name, estimate.interval(), p, outcome, why, settings)


def _outlook(estimate: Estimate) -> str:
    interval = estimate.interval()
    if interval.low > 0 or interval.high < 0:
        return "the interval excludes 0, but of several differences one does so by chance (Holm's adjustment)"
    needed = seeds_needed(estimate, (0.0,))
    return "more seeds may settle it" if needed is None else f"a new run would take {needed} to settle it"


def _test_set(run: Mapping[str, Any]) -> tuple[object, ...]:
    data = run["configuration"]["data"]
    split, share = data["split"], data["split"]["fractions"]["test"]
    return data["sha256"], share, None if share is None else split["seed"], run["test"]["images"]


def _described(one: Trainings) -> str:
    return f"{one.runs[0]['test']['images']:,} of {one.runs[0]['configuration']['data'].get('name')}"


def _settings_that_differ(one: object, other: object, place: str = "") -> Iterator[tuple[str, tuple[object, object]]]:
    """Yield the settings in which two configurations differ, without names, seeds and the place of the data."""
    if place in _NAMES or place == "data.provenance":
        return
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        for key in sorted({*one, *other}):
            inner = f"{place}.{key}" if place else key
            yield from _settings_that_differ(one.get(key), other.get(key), inner)
    elif one != other:
        yield place, (one, other)
