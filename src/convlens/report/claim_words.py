"""What was measured for a claim, in words: in the unit of its metric, and what is stored beside it."""

from __future__ import annotations

from collections.abc import Sequence

from .. import wording
from ..claims.rows import ClaimRow
from ..figures import numbers
from ..studies.statistics.stats import Interval


def parts(row: ClaimRow, interval: Interval) -> tuple[str, str]:
    """Return mean and bounds separately, so that a line may break between them; no bounds for a single seed.

    The folds of one repeated cross-validation have an interval, but it says nothing of other seeds.
    """
    if row.metric is None:
        return numbers.parts(interval)
    unit, digits = row.metric.unit, numbers.digits(row.metric, interval)
    mean = wording.quantity(interval.mean, unit, signed=row.signed, digits=digits)
    return mean, numbers.bounds(interval, unit, signed=row.signed, digits=digits) if interval.n > 1 else ""


def measured(row: ClaimRow, interval: Interval | None) -> str:
    """Return mean and bounds: ``+1.23 points [+1.10, +1.36]``."""
    return wording.NONE if interval is None else " ".join(parts(row, interval)).strip()


def any_stored(claims: Sequence[ClaimRow]) -> bool:
    """Return whether stored results stand beside any of the claims."""
    return any(row.stored is not None for row in claims)


def stored(row: ClaimRow) -> str:
    """Return what is stored: ``+1.23 points [+1.10, +1.36], 10 seeds: supported``; a dash if nothing is."""
    if row.stored is None:
        return wording.NONE
    found = row.stored
    return f"{measured(row, found.interval)}, {wording.seeds(found.interval.n)}: {found.verdict.label}"
