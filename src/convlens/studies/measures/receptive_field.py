"""Theoretical and effective receptive field by node."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ... import lens
from ...data import Dataset
from ...nn import Model
from ...program import Program
from ...typing import FloatArray
from ..curve import Axis, Curve
from ..metric import Metric
from .measure import Measured, NodeMeasure, maps

SIZES = {
    "theoretical": ("theoretical receptive field, side", "pixels"),
    "side": ("effective receptive field, side of 95.45 % of the energy", "pixels"),
    "spread": ("effective receptive field, 2 sqrt(variance)", "pixels"),
    "filled": ("effective over theoretical receptive field, sides", "fraction"),
}


@dataclass(frozen=True)
class FieldMeasure(NodeMeasure):
    """Measure the receptive field of the centre of maps, with `convlens.lens.receptive_field`.

    Parameters
    ----------
    reach
        The map of the energy reaches this many pixels from the image's centre, in each direction; beyond the image it
        is 0.
    """

    images: int = 200
    reach: int = 14

    name = "receptive-field"

    def __post_init__(self) -> None:
        super().__post_init__()
        self.require_count("reach")

    def default_nodes(self, program: Program) -> list[str]:
        return maps(program)

    def run(self, model: Model, dataset: Dataset, seed: int) -> Measured:
        """Return the sizes by node, and the map of each node's energy."""
        nodes, images = self.labelled(model.program), self.examples(dataset).images
        metrics: dict[str, float] = {}
        curves = {}
        for label, name in nodes.items():
            found = lens.receptive_field(model, name, images, seed)
            sizes = (math.sqrt(math.prod(found.theoretical)), found.side, sum(found.spread) / 2, found.filled)
            metrics |= {f"field.{size}_{label}": value for size, value in zip(SIZES, sizes, strict=True)}
            curves[f"field.energy_{label}"] = self._window(found.energy)
        for size in SIZES:
            curves[f"field.{size}"] = np.array([metrics[f"field.{size}_{label}"] for label in nodes])
        return Measured(metrics, curves)

    def _window(self, energy: FloatArray) -> FloatArray:
        """Return the energy around the image's centre, (2 reach + 1, 2 reach + 1)."""
        padded = np.pad(energy, self.reach)
        row, column = (size // 2 for size in energy.shape)
        side = 2 * self.reach + 1
        return padded[row : row + side, column : column + side]

    def _metrics(self) -> tuple[Metric, ...]:
        return tuple(
            metric for size, (words, unit) in SIZES.items() for metric in self.by_node(f"field.{size}", words, unit)
        )

    def _curves(self) -> tuple[Curve, ...]:
        places = tuple(range(-self.reach, self.reach + 1))
        axes = Axis("down from the centre, pixels", places), Axis("right of the centre, pixels", places)
        energy = (Curve(f"field.energy_{one}", f"energy of the gradient, {one}", "share", axes) for one in self.labels)
        lines = (
            curve for size, (words, unit) in SIZES.items() for curve in self.along_nodes(f"field.{size}", words, unit)
        )
        return (*lines, *energy)
