"""What a contrast comes to, three-sided: better, equivalent or worse, against a margin; or inconclusive."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from itertools import pairwise
from math import inf
from typing import Literal, TypeAlias, TypeVar

from ...errors import ConfigurationError
from .stats import Estimate, Interval

Finding: TypeAlias = Literal["better", "equivalent", "worse", "inconclusive"]
"""A difference above +margin, within the margin of zero, below -margin, or none of them for certain."""

Key = TypeVar("Key", bound=Hashable)


def finding(interval: Interval, margin: float) -> Finding:
    """Return what a difference comes to: where its whole interval lies.

    Deciding by the interval of confidence 1 - level is deciding by one-sided p-values against the margin at level / 2:
    `Estimate.p_above(margin)` for *better*, `p_below(-margin)` for *worse*, and both `p_above(-margin)` and
    `p_below(margin)` for *equivalent*.

    Parameters
    ----------
    interval
        Of the difference, at the level at which it is decided.
    margin
        The smallest effect of interest, 0 or more. With 0, only what is the same by construction is equivalent.

    References
    ----------
    Goeman, Solari & Stijnen, "Three-sided hypothesis testing: simultaneous testing of superiority, equivalence and
    inferiority", Statistics in Medicine 29 (2010).
    """
    if margin < 0:
        raise ConfigurationError(f"a margin is 0 or more, not {margin}")
    if interval.low > margin:
        return "better"
    if interval.high < -margin:
        return "worse"
    return "equivalent" if -margin <= interval.low and interval.high <= margin else "inconclusive"


def placing_p(estimate: Estimate, cuts: Iterable[float]) -> float:
    """Return the p-value of the place of an estimate among cuts: one-sided, and the smallest of all places.

    The cuts are the margins, or the bounds of a claim. They divide the line into places; that the true value is in one
    is tested against each of its ends, and the larger p-value counts. So with cuts -m and +m this is the smallest of
    the p-values of *better*, *equivalent* and *worse*.
    """
    ends = (-inf, *sorted(set(cuts)), inf)
    return min(max(estimate.p_above(low), estimate.p_below(high)) for low, high in pairwise(ends))


def holm(p_values: Mapping[Key, float]) -> dict[Key, float]:
    """Return p-values adjusted for multiple comparisons by Holm's step-down method.

    With p(1) <= ... <= p(m): adjusted(i) = max over j <= i of min(1, (m - j + 1) p(j)). Returned in the order given.

    Parameters
    ----------
    p_values
        P-values by name of the contrast.

    Raises
    ------
    ConfigurationError
        If one is not between 0 and 1.

    References
    ----------
    Holm, "A simple sequentially rejective multiple test procedure", Scandinavian Journal of Statistics 6
    (1979).
    """
    adjusted: dict[Key, float] = {}
    largest = 0.0
    for position, name in enumerate(sorted(p_values, key=lambda name: p_values[name])):
        p = p_values[name]
        if not 0 <= p <= 1:
            raise ConfigurationError(f"the p-value of {name!r} is {p}; expected 0 to 1")
        largest = max(largest, min(1.0, (len(p_values) - position) * p))
        adjusted[name] = largest
    return {name: adjusted[name] for name in p_values}


def holm_factors(p_values: Mapping[Key, float], level: float) -> dict[Key, int]:
    """Return by what each contrast's level is divided, so that its interval is consistent with Holm's decision.

    A contrast that is decided (its adjusted p-value is at most `level` / 2) is divided by the number of those that are
    not decided before it; every other one by the number of those that are never decided. Then the interval of
    confidence 1 - level / factor lies in one place if, and only if, Holm decides. The intervals are not simultaneous.

    Parameters
    ----------
    p_values
        One-sided: see `placing_p`.
    level
        Two-sided level of the family.
    """
    left, found = len(p_values), {}
    for name in sorted(p_values, key=lambda name: p_values[name]):
        found[name] = left
        if left * p_values[name] <= level / 2:
            left -= 1
    return found
