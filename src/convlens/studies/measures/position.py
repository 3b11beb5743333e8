"""How well position can be read off each node."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ... import lens
from ...data import Dataset
from ...nn import Model
from ...program import Program
from ..curve import Curve
from ..metric import Metric
from .measure import Measured, NodeMeasure, maps

WORDS = {"blank": "position read off a blank image", "noise": "position read off noise"}


@dataclass(frozen=True)
class PositionMeasure(NodeMeasure):
    """Measure R² of a linear readout of position, with `convlens.lens.position_information`.

    It reads no data: its images are blank, and noise, of which there are `images`.
    """

    images: int = 64

    name = "position"

    def default_nodes(self, program: Program) -> list[str]:
        shapes = {node.name: node.output_shape for node in program.nodes}
        return [name for name in maps(program) if shapes[name][0] * shapes[name][1] >= 4]

    def run(self, model: Model, dataset: Dataset, seed: int) -> Measured:
        """Return R² by node, mean over rows and columns, on blank images and on noise."""
        del dataset
        nodes = self.labelled(model.program)
        found = [lens.position_information(model, name, self.images, seed) for name in nodes.values()]
        metrics: dict[str, float] = {}
        curves = {}
        for kind in WORDS:
            values = [getattr(one, kind) for one in found]
            metrics |= {f"position.{kind}_{label}": one for label, one in zip(nodes, values, strict=True)}
            curves[f"position.{kind}"] = np.array(values)
        return Measured(metrics, curves)

    def _metrics(self) -> tuple[Metric, ...]:
        return tuple(
            metric for kind, words in WORDS.items() for metric in self.by_node(f"position.{kind}", words, "R²")
        )

    def _curves(self) -> tuple[Curve, ...]:
        return tuple(
            curve for kind, words in WORDS.items() for curve in self.along_nodes(f"position.{kind}", words, "R²")
        )
