"""The description of a study: frozen, validated data, written before anything is measured.

A study asks one question, varies one factor, and declares its primary estimand (the number that answers the question)
with the region of values in which the claim is true. A profile gives the seeds and the size of a run.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeAlias, TypeVar

from ..errors import ConfigurationError, nearest
from ..plain import JSON, check_keys, check_name, places, replaced
from .arm import Arm as Arm
from .curve import Axis as Axis
from .curve import Curve as Curve
from .estimand import Estimand as Estimand
from .metric import Metric as Metric
from .profile import Profile as Profile
from .trial import TrialKey as TrialKey
from .trial import trial_key as trial_key

Level: TypeAlias = str | int | float
_Measured = TypeVar("_Measured", Metric, Curve)


@dataclass(frozen=True)
class Study:
    """One question, and how it will be answered.

    Parameters
    ----------
    name
        Short, as typed on the command line: ``"kernel-size"``.
    question, prediction, why
        What is asked, what is expected and why, each in a sentence or two.
    factor, levels
        What differs between the arms, and its values.
    controls
        What is kept equal, or also measured, so that only the factor explains the result.
    data
        Names of the data sets.
    arms
        The alternatives compared.
    metrics
        What trials must report.
    primary
        The estimand that answers the question.
    max_minutes
        Maximum time of the standard profile, in minutes on two cores.
    secondary
        Further estimands.
    sources
        References for the question, the protocol or a number.
    curves
        What trials must report at many points.
    varies
        What differs between the seeds of an arm, in a sentence.

    Raises
    ------
    ConfigurationError
        If names repeat, a text is empty, or an estimand names an unknown arm or metric.
    """

    name: str
    question: str
    prediction: str
    why: str
    factor: str
    levels: tuple[Level, ...]
    controls: tuple[str, ...]
    data: tuple[str, ...]
    arms: tuple[Arm, ...]
    metrics: tuple[Metric, ...]
    primary: Estimand
    max_minutes: float
    secondary: tuple[Estimand, ...] = ()
    sources: tuple[str, ...] = ()
    curves: tuple[Curve, ...] = ()
    varies: str = "Initial weights and order of the training images; split and images are the same."

    def __post_init__(self) -> None:
        check_name(self.name, "a study")
        for name in ("question", "prediction", "why", "factor"):
            if not getattr(self, name).strip():
                raise ConfigurationError(f"study {self.name!r}: {name} is empty; write a sentence")
        for name in ("levels", "controls", "data", "arms", "metrics", "secondary", "sources", "curves"):
            object.__setattr__(self, name, self._tuple(name))
        if not (math.isfinite(self.max_minutes) and self.max_minutes > 0):
            raise ConfigurationError(f"study {self.name!r}: max_minutes is above 0, not {self.max_minutes}")
        arms = self._different("arm", (arm.name for arm in self.arms))
        self._different("metric", (metric.name for metric in self.metrics))
        measures: tuple[Metric | Curve, ...] = (*self.metrics, *self.curves)
        for measured in measures:
            for arm in measured.arms or ():
                _check_known(f"study {self.name!r}: {measured.name!r}", "arm", arm, arms)
        self._different("estimand", (estimand.name for estimand in self.estimands))
        for estimand in self.estimands:
            where = f"study {self.name!r}: estimand {estimand.name!r}"
            for arm in (estimand.arm, estimand.reference or estimand.arm):
                _check_known(where, "arm", arm, arms)
                _check_known(where, "metric", estimand.metric, self.required_of(arm))

    def _tuple(self, name: str) -> tuple[Any, ...]:
        value = getattr(self, name)
        if isinstance(value, str) or not isinstance(value, Iterable):  # tuple("mnist") would be five names
            raise ConfigurationError(f"study {self.name!r}: {name} is a tuple, not {value!r}")
        return tuple(value)

    def _different(self, what: str, names: Iterable[str]) -> list[str]:
        found = list(names)
        if not found or len(set(found)) < len(found):
            raise ConfigurationError(f"study {self.name!r} needs one or more {what}s with different names, not {found}")
        return found

    @property
    def estimands(self) -> tuple[Estimand, ...]:
        """The primary estimand, then the secondary ones."""
        return (self.primary, *self.secondary)

    def required_of(self, arm: str) -> tuple[str, ...]:
        """Return the names of the metrics that trials of an arm must report."""
        return tuple(metric.name for metric in self.metrics if metric.is_of(arm))

    def curves_of(self, arm: str) -> tuple[Curve, ...]:
        """Return the curves that trials of an arm must report."""
        return tuple(curve for curve in self.curves if curve.is_of(arm))

    def under(self, profile: Profile) -> Study:
        """Return the study as the profile runs it: its arms, with its overrides, and its primary estimand.

        Raises
        ------
        ConfigurationError
            If no arm has an overridden path, or the profile names an unknown arm or estimand.
        """
        where = f"profile {profile.name!r}"
        known = set().union(*(places(arm.configuration) for arm in self.arms))
        for place in profile.overrides:
            _check_known(where, "path to override", place, known)
        for name in profile.arms or ():
            _check_known(where, "arm", name, [arm.name for arm in self.arms])
        kept = [arm for arm in self.arms if profile.arms is None or arm.name in profile.arms]
        names = {arm.name for arm in kept}
        first = self.primary.name if profile.primary is None else profile.primary
        _check_known(where, "estimand", first, [estimand.name for estimand in self.estimands])
        found = {one.name: one for one in self.estimands if {one.arm, one.reference or one.arm} <= names}
        if first not in found:
            raise ConfigurationError(f"{where} runs no arm of its primary estimand {first!r}; add its arms")
        return replace(
            self,
            arms=tuple(_overridden(arm, profile.overrides) for arm in kept),
            metrics=tuple(_among(metric, names) for metric in self.metrics),
            curves=tuple(_among(curve, names) for curve in self.curves),
            primary=found.pop(first),
            secondary=tuple(found.values()),
        )

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON."""
        return {
            **{name: getattr(self, name) for name in ("name", "question", "prediction", "why", "factor")},
            **{name: list(getattr(self, name)) for name in ("levels", "controls", "data")},
            "arms": [arm.to_dict() for arm in self.arms],
            "metrics": [metric.to_dict() for metric in self.metrics],
            "primary": self.primary.to_dict(),
            "max_minutes": self.max_minutes,
            "secondary": [estimand.to_dict() for estimand in self.secondary],
            "sources": list(self.sources),
            "curves": [curve.to_dict() for curve in self.curves],
            "varies": self.varies,
        }

    @classmethod
    def from_dict(cls, given: Mapping[str, Any]) -> Study:
        """Read what `to_dict` wrote.

        Raises
        ------
        ConfigurationError
            If a key is unknown or missing.
        """
        check_keys(cls, given, "study")
        parts = {
            "arms": tuple(Arm.from_dict(arm) for arm in given["arms"]),
            "metrics": tuple(Metric.from_dict(metric) for metric in given["metrics"]),
            "primary": Estimand.from_dict(given["primary"]),
            "secondary": tuple(Estimand.from_dict(estimand) for estimand in given.get("secondary", ())),
            "curves": tuple(Curve.from_dict(curve) for curve in given.get("curves", ())),
        }
        return cls(**{**given, **parts})


def _check_known(where: str, what: str, name: str, known: Iterable[str]) -> None:
    choices = set(known)
    if name not in choices:
        raise ConfigurationError(f"{where} names an unknown {what} {name!r}{nearest(name, choices)}")


def _among(measured: _Measured, names: set[str]) -> _Measured:
    """Return a metric or a curve without the arms that are not run."""
    if measured.arms is None:
        return measured
    return replace(measured, arms=tuple(arm for arm in measured.arms if arm in names))


def _overridden(arm: Arm, overrides: Mapping[str, JSON]) -> Arm:
    return replace(arm, configuration=replaced(arm.configuration, overrides))
