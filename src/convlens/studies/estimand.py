"""An estimand: the number that a claim is about, declared before anything is measured."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..errors import ConfigurationError
from ..plain import check_keys, check_name
from .statistics.region import Region


@dataclass(frozen=True)
class Estimand:
    """The number a claim is about: a metric's mean over seeds, or its mean paired difference between two arms.

    Parameters
    ----------
    name
        Short: ``"gain at 1,000 images"``.
    metric
        Name of the metric: ``"test.accuracy"``.
    arm
        The arm whose metric is used.
    region
        Values for which the claim is true, in the metric's unit.
    reference
        The arm that is subtracted, seed by seed; None for the metric itself.
    description
        What it is, in words that a value may follow: ``"the CNN minus a dense network of the same size"``. Where it is
        empty, `described` names the arms.
    """

    name: str
    metric: str
    arm: str
    region: Region
    reference: str | None = None
    description: str = ""

    def __post_init__(self) -> None:
        check_name(self.name, "an estimand")
        if self.reference == self.arm:
            raise ConfigurationError(f"estimand {self.name!r} compares {self.arm!r} with itself")

    @property
    def described(self) -> str:
        """What it is, in words: the description, or else its arms."""
        return self.description or f"“{self.arm}”" + (f" minus “{self.reference}”" if self.reference else "")

    @property
    def margin(self) -> float | None:
        """The smallest difference of interest, by which a contrast is better, equivalent or worse.

        It is the bound of the region; None for the metric of one arm, and for a claimed range that is not about zero.
        """
        return None if self.reference is None else self.region.margin

    @property
    def cuts(self) -> tuple[float, ...]:
        """What the estimate is tested against: the region's bounds and the margin, on both sides of zero."""
        margin = () if self.margin is None else (-self.margin, self.margin)
        return tuple(sorted({*self.region.bounds, *margin}))

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON."""
        return {
            "name": self.name,
            "metric": self.metric,
            "arm": self.arm,
            "region": self.region.to_dict(),
            "reference": self.reference,
            "description": self.description,
        }

    @classmethod
    def from_dict(cls, given: Mapping[str, Any]) -> Estimand:
        """Read what `to_dict` wrote."""
        check_keys(cls, given, "estimand")
        return cls(**{**given, "region": Region.from_dict(given["region"])})
