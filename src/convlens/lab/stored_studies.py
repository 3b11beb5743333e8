"""The studies whose results ship with the package, as the room Studies shows them: plain JSON, a file for each.

The page asks the question before it answers, so each has its *expectations*: the places in which the primary estimand
can lie, between the bounds of its claim and its margin, in words.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from functools import cache
from itertools import pairwise
from typing import Any

from ..studies.assessment.judgement import EstimandEvidence
from ..studies.metric import Metric
from ..studies.results.result import ArmTrials, StudyResult
from ..studies.results.shipped import read_shipped, shipped_names
from ..studies.statistics.stats import Interval
from ..wording import FRACTIONS, bare, bound, named, quantity, seeds
from .stored_curves import described_curves

INDEX = "api/studies.json"


def study_files() -> Mapping[str, Callable[[], bytes]]:
    """Return the files of the room Studies by address; each is made when it is first asked for."""
    return {INDEX: _index, **{_address(name): lambda name=name: _file(name) for name in shipped_names()}}  # type: ignore[misc]


def _address(name: str) -> str:
    return f"api/studies/{name}.json"


_result = cache(read_shipped)


@cache
def _index() -> bytes:
    """Return the list of studies: questions alone, so that the page loads the one that is opened."""
    return _json({"studies": [_listed(name) for name in shipped_names()]})


def _listed(name: str) -> dict[str, str]:
    return {"name": name, "address": _address(name), "question": _result(name).evidence.study.question}


@cache
def _file(name: str) -> bytes:
    return _json(described(_result(name)))


def _json(content: Mapping[str, Any]) -> bytes:
    return json.dumps(content, allow_nan=False, ensure_ascii=False).encode()


def described(result: StudyResult) -> dict[str, Any]:
    """Return a study's result as the page shows it; every value has its text beside it, as reports write it."""
    evidence, study = result.evidence, result.evidence.study
    metrics = {metric.name: metric for metric in study.metrics}
    primary = evidence.primary
    told = expectations(primary, metrics[primary.estimand.metric])
    return {
        "name": result.name,
        "question": study.question,
        "prediction": study.prediction,
        "why": study.why,
        "factor": study.factor,
        "controls": list(study.controls),
        "sources": list(study.sources),
        "varies": study.varies,
        "profile": evidence.profile.name,
        "measured": result.started[:10],
        "command": result.command.partition(" --out ")[0],
        "verdict": {"word": result.verdict.word, "label": result.verdict.label, "sentence": result.verdict.sentence},
        "claim": f"{primary.estimand.described}, {metrics[primary.estimand.metric].label}: "
        + primary.estimand.region.described(
            metrics[primary.estimand.metric].unit, signed=primary.estimand.reference is not None
        ),
        **told,
        "estimands": [_estimand(one, metrics[one.estimand.metric]) for one in (primary, *evidence.secondary)],
        "metrics": [_metric(one) for one in study.metrics],
        "arms": [_arm(one, metrics) for one in result.arms],
        "curves": described_curves(result),
    }


def expectations(primary: EstimandEvidence, metric: Metric) -> dict[str, Any]:
    """Return the places where the primary estimand can lie, in words, and where it was found.

    Returns
    -------
    dict
        ``asked``: what it is, and ``expectations``: a sentence for each place, from low to high. ``found``: the number
        of the place in which the whole interval lies by which it is decided; None if it lies in no single one.
    """
    estimand, signed = primary.estimand, primary.estimand.reference is not None
    cuts = list(estimand.cuts)
    ends = [-math.inf, *cuts, math.inf]
    interval = primary.adjusted or primary.interval
    found = None
    if interval is not None and math.isfinite(interval.half_width):
        inside = [low <= interval.low and interval.high <= high for low, high in pairwise(ends)]
        found = inside.index(True) if any(inside) else None
    return {
        "asked": f"{estimand.described}: {metric.label}",
        "expectations": [_place(low, high, metric, signed=signed) for low, high in pairwise(ends)],
        "found": found,
    }


def _place(low: float, high: float, metric: Metric, *, signed: bool) -> str:
    first, last = (bound(end, metric.unit, signed=signed) for end in (low, high))
    unit = named(metric.unit, signed=signed)
    if math.isinf(low):
        return f"less than {last}{unit}"
    if math.isinf(high):
        return f"more than {first}{unit}"
    return f"between {first} and {last}{unit}"


def _estimand(found: EstimandEvidence, metric: Metric) -> dict[str, Any]:
    estimand, signed = found.estimand, found.estimand.reference is not None
    return {
        "name": estimand.name,
        "what": estimand.description or estimand.name,  # both say which of several there is, unlike the arms alone
        "metric": metric.name,
        "role": found.role,
        "unit": named(metric.unit, signed=signed).strip(),
        "signed": signed,
        "claim": estimand.region.described(metric.unit, signed=signed),
        "region": [_scaled(end, metric) for end in (estimand.region.low, estimand.region.high)],
        "verdict": found.verdict.label,
        "word": found.verdict.word,
        "sentence": found.verdict.sentence,
        **_interval(found.interval, metric, signed=signed),
    }


def _interval(interval: Interval | None, metric: Metric, *, signed: bool = False) -> dict[str, Any]:
    """Return mean and bounds in the unit that is shown, and as a text; only a text where nothing was measured."""
    if interval is None:
        return {"mean": None, "text": "not measured"}
    mean = quantity(interval.mean, metric.unit, signed=signed)
    low, high = _scaled(interval.low, metric), _scaled(interval.high, metric)
    if low is None or high is None:
        return {"mean": _scaled(interval.mean, metric), "text": f"{mean} ({seeds(interval.n)})"}
    bounds = " to ".join(bare(end, metric.unit, signed=signed) for end in (interval.low, interval.high))
    return {
        "mean": _scaled(interval.mean, metric),
        "low": low,
        "high": high,
        "text": mean if interval.low == interval.high else f"{mean} [{bounds}]",
        "n": interval.n,
    }


def _scaled(value: float, metric: Metric) -> float | None:
    """Return a value in the unit that is shown: hundredths of fractions; None for what is infinite."""
    if not math.isfinite(value):
        return None
    return 100 * value if metric.unit in FRACTIONS else value


def _metric(metric: Metric) -> dict[str, Any]:
    return {"name": metric.name, "label": metric.label, "unit": named(metric.unit).strip()}


def _arm(arm: ArmTrials, metrics: Mapping[str, Metric]) -> dict[str, Any]:
    values = {}
    for name, interval in arm.evidence.metrics.items():
        if interval is not None and name in metrics:
            every = {str(seed): _scaled(value, metrics[name]) for seed, value in sorted(arm.values(name).items())}
            values[name] = {**_interval(interval, metrics[name]), "seeds": every}
    return {"name": arm.name, "values": values}
