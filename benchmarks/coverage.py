"""How often the studies' statistics are right, in 2,000 simulated studies whose truth is known.

    python benchmarks/coverage.py [STORED.json ...]

Writes ``results/coverage.json``. Without files it simulates everything. With stored results of studies it resamples
from the paired differences of their real seeds, contrast by contrast, and writes that part of the results alone. The
functions under test are those that the studies call.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from scipy import special

from convlens.studies.assessment.judgement import Sample, judge
from convlens.studies.estimand import Estimand
from convlens.studies.spec import Arm, Metric, Study
from convlens.studies.statistics.finding import finding
from convlens.studies.statistics.looks import LEVELS, Look, level
from convlens.studies.statistics.stats import mean_estimate
from convlens.studies.statistics.two_way import Components, two_way
from convlens.studies.statistics.verdict import greater_than
from independent import differences

RESULTS = Path(__file__).parent / "results" / "coverage.json"
STUDIES = 2000
MARGIN = 0.001
SPREAD = 0.0008  # of paired differences over seeds: that of a few epochs on MNIST

NS = (5, 10, 20)
LEAST = 10  # seeds of a contrast that is resampled

Looks = tuple[int, ...]


def fixed(n: int, studies: int = STUDIES, seed: int = 0) -> float:
    """Return the coverage of the t-interval of n normal differences."""
    draws = np.random.default_rng([seed, n]).normal(MARGIN, SPREAD, (studies, n))
    return _share(_covers(mean_estimate(row).interval(), MARGIN) for row in draws)


def resampled(
    differences: np.ndarray, n: int, studies: int = STUDIES, seed: int = 0, resolution: float | None = 1e-4
) -> float:
    """Return the coverage of the t-interval of n differences drawn from given ones."""
    draws = np.random.default_rng([seed, n]).choice(differences, (studies, n))
    return _share(_covers(mean_estimate(row, resolution=resolution).interval(), differences.mean()) for row in draws)


def resampled_contrasts(stored: Mapping[str, Any], studies: int = STUDIES) -> dict[str, dict[int, float]]:
    """Return the coverage of the t-interval of n differences, for every contrast of a stored result.

    Left out: those over folds, which have another interval; those whose difference is the same under all seeds; and
    those of fewer than `LEAST` seeds, because a population of five points has no tails, or one point is all of them.
    """
    found = {}
    for asked in (stored["study"]["primary"], *stored["study"]["secondary"]):
        if asked["reference"] is not None:
            values, metric = differences(stored, asked)
            if values.ndim == 1 and len(values) >= LEAST and np.ptp(values) > 0:
                found[asked["name"]] = {n: resampled(values, n, studies, resolution=metric["resolution"]) for n in NS}
    return found


def together(found: Mapping[str, Mapping[str, Mapping[int, float]]]) -> dict[str, Any]:
    """Return the mean and the lowest coverage of all contrasts of all studies, and how many there are."""
    shares = {n: [one[n] for study in found.values() for one in study.values()] for n in NS}
    return {
        "contrasts": len(shares[NS[0]]),
        "mean": {n: float(np.mean(every)) for n, every in shares.items()},
        "lowest": {n: min(every) for n, every in shares.items()},
    }


def looked_at(looks: Looks, true: float, studies: int = STUDIES, seed: int = 0) -> dict[str, float]:
    """Return coverage and errors of studies that go on to the next look until they are settled.

    Coverage is that of the interval at the look where a study stops; an error is a finding that is not true.
    """
    draws = np.random.default_rng([seed, len(looks)]).normal(true, SPREAD, (studies, looks[-1]))
    allowed = {"better"} if true > MARGIN else {"worse"} if true < -MARGIN else {"equivalent"}
    covered = wrong = 0
    for row in draws:
        for look in looks:
            interval = mean_estimate(row[:look]).interval(1 - level(looks))
            found = finding(interval, MARGIN)
            if found != "inconclusive":
                break
        covered += _covers(interval, true)
        wrong += found not in {*allowed, "inconclusive"}
    return {"coverage": covered / studies, "wrong": wrong / studies}


def exact_level(looks: Looks, studies: int = 400_000, seed: int = 0) -> float:
    """Return how often at least one of the looks rejects a true null hypothesis, two-sided, by t-tests."""
    draws = np.random.default_rng([seed, *looks]).normal(0, 1, (studies, looks[-1]))
    rejected = np.zeros(studies, bool)
    for n in looks:
        t = draws[:, :n].mean(axis=1) * np.sqrt(n) / draws[:, :n].std(axis=1, ddof=1)
        rejected |= np.abs(t) > special.stdtrit(n - 1, 1 - level(looks) / 2)
    return float(rejected.mean())


def family(members: int, looks: Looks, studies: int = STUDIES, seed: int = 0, effects: str = "at") -> float:
    """Return how often a study finds a false *better* among its primary and its other contrasts, at any look.

    The contrasts share their reference, so their errors are correlated. All true differences are at the margin
    (``"at"``, the worst case), or every second one is far above it (``"mixed"``), so that Holm's method goes on.
    """
    draw = np.random.default_rng([seed, members, len(looks)])
    study = _study(members)
    true = np.full(members, MARGIN)
    if effects == "mixed":
        true[1::2] += 0.01
    false = 0
    for _ in range(studies):
        reference = draw.normal(0, SPREAD / np.sqrt(2), looks[-1])
        arms = true[:, None] + draw.normal(0, SPREAD / np.sqrt(2), (members, looks[-1]))
        false += any(_false_better(study, arms, reference, looks, look, true) for look in looks)
    return false / studies


def _false_better(
    study: Study, arms: np.ndarray, reference: np.ndarray, looks: Looks, look: int, true: np.ndarray
) -> bool:
    base = dict(enumerate(reference[:look]))
    samples = {f"gain {k}": Sample(Look(looks, look), dict(enumerate(arm[:look])), base) for k, arm in enumerate(arms)}
    found = judge(study, samples)
    return any(one.finding == "better" and true[k] <= MARGIN for k, one in enumerate(found))


def _study(members: int) -> Study:
    gains = [
        Estimand(f"gain {k}", "a", f"arm {k}", greater_than(MARGIN), reference="reference") for k in range(members)
    ]
    names = ("reference", *(f"arm {k}" for k in range(members)))
    return Study(
        "simulated", "?", "?", "?", "arm", names, (), ("none",), tuple(Arm(name, {"arm": name}) for name in names),
        (Metric("a", "fraction"),), gains[0], 1.0, tuple(gains[1:]),
    )  # fmt: skip


def in_general(
    n: int, studies: int = STUDIES, seed: int = 0, images: int = 1000, kind: str = "normal"
) -> dict[str, float]:
    """Return the coverage of the true mean over all images, by the two-way interval and by the one over seeds.

    ``"normal"``: seeds, images and residual add up. ``"binary"``: correctness, of images that are right with a
    probability of their own (most of them nearly always), shifted by the seed.
    """
    draw = np.random.default_rng([seed, n, images])
    both = seeds = 0
    for _ in range(studies):
        table, true = _table(draw, n, images, kind)
        both += _covers(two_way(Components.of(table)).interval(), true)
        seeds += _covers(mean_estimate(table.mean(axis=1)).interval(), true)
    return {"two_way": both / studies, "seeds": seeds / studies}


def _table(draw: np.random.Generator, n: int, N: int, kind: str) -> tuple[np.ndarray, float]:
    if kind == "normal":
        return 0.5 + draw.normal(0, 0.003, (n, 1)) + draw.normal(0, 0.1, N) + draw.normal(0, 0.08, (n, N)), 0.5
    right = draw.beta(4.5, 0.5, N) + draw.normal(0, 0.003, (n, 1))  # mean 0.9; the ends are cut off alike
    return (draw.random((n, N)) < right).astype(float), _true_binary()


def _true_binary() -> float:
    """Return the mean of clip(beta + shift, 0, 1), from a large sample drawn once."""
    if not _TRUE:
        draw = np.random.default_rng(99)
        _TRUE.append(float(np.clip(draw.beta(4.5, 0.5, 4_000_000) + draw.normal(0, 0.003, 4_000_000), 0, 1).mean()))
    return _TRUE[0]


_TRUE: list[float] = []


def _covers(interval: Any, true: float) -> bool:
    return bool(interval.low <= true <= interval.high)


def _share(found: Any) -> float:
    every = list(found)
    return sum(every) / len(every)


def measured(studies: int = STUDIES) -> Mapping[str, Any]:
    """Return every simulation's result."""
    skewed = np.random.default_rng(0).lognormal(0, 0.5, 20) * SPREAD
    families = ((3, (5,)), (8, (5,)), (8, (10,)), (8, (5, 10)))
    return {
        "studies": studies,
        "fixed n, coverage": {n: fixed(n, studies) for n in (3, 5, 10)},
        "resampled, coverage": {n: resampled(skewed, n, studies) for n in NS},
        "looks, level": {str(looks): exact_level(looks) for looks in LEVELS},
        "looks, until settled": {
            f"{looks}, true {true}": looked_at(looks, true, studies)
            for looks in LEVELS
            for true in (0.0, MARGIN, 2 * MARGIN)
        },
        "false better": {
            f"{members} contrasts, looks {looks}, {effects}": family(members, looks, studies, effects=effects)
            for members, looks in families
            for effects in ("at", "mixed")
        },
        "images in general, coverage": {
            f"{kind}, {n} seeds": in_general(n, studies, kind=kind)
            for kind in ("normal", "binary")
            for n in (5, 10, 20)
        },
    }


def main(*paths: str) -> None:
    """Run all of it, or what the given stored results are for, and write the results."""
    before = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {}
    if paths:
        files = {Path(path).stem: json.loads(Path(path).read_text(encoding="utf-8")) for path in paths}
        of = {name: resampled_contrasts(one) for name, one in files.items()}
        found = {"stored differences, coverage": {**together(of), "by contrast": of}}
    else:
        found = dict(measured())
    RESULTS.write_text(json.dumps({**before, **found}, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main(*sys.argv[1:])
