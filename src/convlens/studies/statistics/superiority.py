"""P(A > B): how often one training of an arm beats one of another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from ...errors import ConfigurationError
from ...metrics import wilson_interval


@dataclass(frozen=True)
class Superiority:
    """The probability that an arm's value is above another's under the same seed, with its 95 % Wilson interval.

    A mean difference may be certain and still so small beside the spread that it seldom decides which of two trainings
    is better; this says how often it does.

    Attributes
    ----------
    probability
        Share of the seeds in which it is above; an equal pair counts half.
    low, high
        The interval: see `convlens.metrics.wilson_interval`.
    n
        Number of pairs.

    References
    ----------
    Bouthillier et al., "Accounting for variance in machine learning benchmarks", MLSys (2021).
    """

    probability: float
    low: float
    high: float
    n: int

    @classmethod
    def of(cls, a: Mapping[int, float], b: Mapping[int, float]) -> Superiority:
        """Compare values by seed, over the seeds that both have; ConfigurationError if there are none."""
        shared = a.keys() & b.keys()
        if not shared:
            raise ConfigurationError(f"no seed is shared: {sorted(a)} and {sorted(b)}")
        above = sum(1.0 if a[seed] > b[seed] else 0.5 if a[seed] == b[seed] else 0.0 for seed in shared)
        low, high = wilson_interval(above, len(shared))
        return cls(above / len(shared), low, high, len(shared))

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON."""
        return asdict(self)
