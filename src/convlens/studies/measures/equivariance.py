"""The equivariance error of every node, by distance of the shift."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ... import lens
from ...data import Dataset
from ...errors import ConfigurationError
from ...nn import Model
from ...program import INPUT, Program
from ..curve import Axis, Curve
from ..metric import Metric
from .measure import Measured, NodeMeasure

ROUNDING = 1e-6
"""Smallest difference of errors that means anything: float32 rounds sums to some 1e-7 of their size."""

PLACES = {"map": "the whole map", "kept": "pixels that stay in the image", "interior": "away from the image's edge"}


@dataclass(frozen=True)
class EquivarianceMeasure(NodeMeasure):
    """Shift images up, down, left and right, and average the errors of `convlens.lens.equivariance`.

    A node without positions has one error, the invariance error, for all three places.

    Parameters
    ----------
    distances
        Of the shifts, in pixels. A shift that a node's stride does not divide is measured by the nearest of its map.
    """

    images: int = 200
    distances: tuple[int, ...] = (1, 2, 4)

    name = "equivariance"

    def __post_init__(self) -> None:
        super().__post_init__()
        distances = tuple(self.distances) if isinstance(self.distances, list | tuple) else ()
        if not distances or any(type(one) is not int or one < 1 for one in distances):
            raise ConfigurationError(f"{self.name}: distances are whole numbers from 1 up, not {self.distances!r}")
        object.__setattr__(self, "distances", distances)

    def default_nodes(self, program: Program) -> list[str]:
        return [INPUT, *(node.name for node in program.nodes)]

    def run(self, model: Model, dataset: Dataset, seed: int) -> Measured:
        """Return the errors by node and distance, and how many nodes come before the first that breaks equivariance."""
        del seed  # nothing is drawn
        nodes, images = self.labelled(model.program), self.examples(dataset).images
        errors, metrics = np.empty((len(PLACES), len(nodes), len(self.distances))), {}
        for column, distance in enumerate(self.distances):
            shifts = [(distance, 0), (-distance, 0), (0, distance), (0, -distance)]
            found = [lens.equivariance(model, images, shift, nodes.values()) for shift in shifts]
            by_name = [{one.node: one for one in each.nodes} for each in found]
            rows = [[each[name] for each in by_name] for name in nodes.values()]
            errors[:, :, column] = np.array([_means(row) for row in rows]).T
            intact = [not any(one.broken or one.kind == "invariance" for one in row) for row in rows]
            metrics[f"equivariance.intact_at_{distance}"] = float([*intact, False].index(False))
        for place, of_place in zip(PLACES, errors, strict=True):
            for label, of_node in zip(nodes, of_place, strict=True):
                for distance, error in zip(self.distances, of_node, strict=True):
                    metrics[f"equivariance.{place}_at_{distance}_{label}"] = float(error)
        return Measured(metrics, {f"equivariance.{place}": one for place, one in zip(PLACES, errors, strict=True)})

    def _metrics(self) -> tuple[Metric, ...]:
        intact = (
            Metric(f"equivariance.intact_at_{d}", "count", f"equivariant nodes, shift {d} pixels", 1.0)
            for d in self.distances
        )
        errors = (
            metric
            for place, words in PLACES.items()
            for d in self.distances
            for metric in self.by_node(
                f"equivariance.{place}_at_{d}", f"error, {words}, shift {d} pixels", "fraction", resolution=ROUNDING
            )
        )
        return (*intact, *errors)

    def _curves(self) -> tuple[Curve, ...]:
        axis = Axis("shift, pixels", self.distances)
        return tuple(
            curve
            for place, words in PLACES.items()
            for curve in self.along_nodes(f"equivariance.{place}", f"error, {words}", "fraction", axis)
        )


def _means(errors: list[lens.NodeError]) -> list[float]:
    """Return the mean errors over the directions: whole map, kept pixels, interior."""
    found = []
    for place in ("error", "kept", "interior"):
        values = [one.error if one.kind == "invariance" else getattr(one, place) for one in errors]
        known = [value for value in values if value is not None]
        if len(known) < len(values):
            raise ConfigurationError(
                f"equivariance: no pixel of {errors[0].node!r} is left to compare ({place}); use smaller shifts, or "
                "leave the node out"
            )
        found.append(float(np.mean(known)))
    return found
