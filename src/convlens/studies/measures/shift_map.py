"""Accuracy and consistency of predictions for shifted images."""

from __future__ import annotations

from dataclasses import dataclass

from ... import lens
from ...data import Dataset
from ...lens.shift import grid
from ...nn import Model
from ..curve import Axis, Curve
from ..metric import Metric
from .measure import Measure, Measured

KINDS = ("accuracy", "consistency")


@dataclass(frozen=True)
class ShiftMeasure(Measure):
    """Shift images in all directions, and count what is still classified correctly, and what is classified as before.

    Parameters
    ----------
    step, reach
        Shifts are the multiples of `step` pixels up to `reach`, in both directions: by default every second pixel to 8,
        81 positions.
    """

    step: int = 2
    reach: int = 8

    name = "shift-map"

    def __post_init__(self) -> None:
        super().__post_init__()
        grid(self.step, self.reach)

    def run(self, model: Model, dataset: Dataset, seed: int) -> Measured:
        """Return the means over all moved positions, those over each distance, and the maps."""
        del seed  # nothing is drawn
        examples = self.examples(dataset.with_classes(model.class_names))
        found = lens.under_shift(model, examples.images, examples.labels, grid(self.step, self.reach))
        moved, side = found.distances > 0, len(self._line)
        metrics, curves = {}, {}
        for kind in KINDS:
            values = getattr(found, kind)
            rings = [values[found.distances == distance].mean() for distance in self._distances]
            metrics[f"shift.{kind}"] = float(values[moved].mean())
            metrics |= {f"shift.{kind}_at_{d}": float(v) for d, v in zip(self._distances, rings, strict=True)}
            curves[f"shift.{kind}_map"] = values.reshape(side, side)
            curves[f"shift.{kind}_by_distance"] = values.dtype.type(rings)
        return Measured(metrics, curves)

    @property
    def _line(self) -> tuple[int, ...]:
        return tuple(range(-self.reach, self.reach + 1, self.step))

    @property
    def _distances(self) -> tuple[int, ...]:
        return tuple(range(0, self.reach + 1, self.step))

    def _metrics(self) -> tuple[Metric, ...]:
        found = []
        for kind in KINDS:
            moved = len(self._line) ** 2 - 1
            found.append(Metric(f"shift.{kind}", "fraction", f"{kind}, shifted images", 1 / (self.images * moved)))
            for distance in self._distances:
                positions = 8 * distance // self.step or 1  # of the ring
                found.append(
                    Metric(
                        f"shift.{kind}_at_{distance}",
                        "fraction",
                        f"{kind}, shifted by {distance} pixels",
                        1 / (self.images * positions),
                    )
                )
        return tuple(found)

    def _curves(self) -> tuple[Curve, ...]:
        down, right = Axis("shift down, pixels", self._line), Axis("shift to the right, pixels", self._line)
        distance = Axis("shift, pixels", self._distances)
        return tuple(
            curve
            for kind in KINDS
            for curve in (
                Curve(f"shift.{kind}_map", kind, "fraction", (down, right)),
                Curve(f"shift.{kind}_by_distance", kind, "fraction", (distance,)),
            )
        )
