"""A study's tables with the columns that answer its question; the page, and `--details`, have the others."""

from __future__ import annotations

from dataclasses import replace

from ..studies.assessment.evidence import Evidence
from ..studies.results.result import StudyResult
from .sections import Rows, arms_table, contrasts, contrasts_table

_OF_A_CONTRAST = ("contrast", "difference", "95 % interval, these test images", "claimed", "verdict")


def short_arms_table(result: StudyResult) -> Rows:
    """Return what the question is about, and what is constant (parameters, cost), of every arm."""
    study = result.evidence.study
    asked = result.evidence.primary.estimand.metric
    metrics = [metric.label for metric in study.metrics if metric.name == asked or metric.constant]
    return arms_table(result).only(("arm", "n", *metrics))


def short_contrasts_table(evidence: Evidence) -> Rows:
    """Return the difference, claim and verdict of every contrast, under its name."""
    table = contrasts_table(evidence).only(_OF_A_CONTRAST)
    names = [one.estimand.name for one in contrasts(evidence)]
    return replace(table, rows=[(name, *row[1:]) for name, row in zip(names, table.rows, strict=True)])
