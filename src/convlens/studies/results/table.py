"""Every trial's numbers as a table: a row for each arm, seed and metric, as data analysis wants it."""

from __future__ import annotations

import csv
import io

from .result import StudyResult

COLUMNS = ("study", "profile", "arm", "seed", "metric", "value", "unit", "key")


def csv_of(result: StudyResult) -> str:
    """Return a result as CSV with the columns `COLUMNS`; values are written with all their digits.

    The unit is that of the study's metric; empty for numbers that the study does not ask for.
    """
    units = {metric.name: metric.unit for metric in result.evidence.study.metrics}
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(COLUMNS)
    for arm in result.arms:
        for trial in arm.trials:
            for name, value in sorted(trial.metrics.items()):
                unit = units.get(name, "")
                rows.writerow(
                    (
                        result.name,
                        result.evidence.profile.name,
                        arm.name,
                        trial.seed,
                        name,
                        repr(value),
                        unit,
                        trial.key,
                    )
                )
    return text.getvalue()
