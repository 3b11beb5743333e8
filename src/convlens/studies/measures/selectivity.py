"""Class selectivity by node."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ... import lens
from ...data import Dataset
from ...nn import Model
from ...program import Program
from ..curve import Curve
from ..metric import Metric
from .measure import Measured, NodeMeasure, gain

WORDS = {"mean": "class selectivity", "dead": "units that are never active"}


@dataclass(frozen=True)
class SelectivityMeasure(NodeMeasure):
    """Measure how much units prefer one class, with `convlens.lens.class_selectivity`; of nodes after a ReLU."""

    name = "selectivity"

    def default_nodes(self, program: Program) -> list[str]:
        return [node.name for node in program.nodes if node.op == "relu"]

    def run(self, model: Model, dataset: Dataset, seed: int) -> Measured:
        """Return mean selectivity and share of dead units by node, and the selectivity of the last minus the first."""
        del seed  # nothing is drawn
        examples, nodes = self.examples(dataset), self.labelled(model.program)
        images = examples.images
        found = [
            lens.class_selectivity(lens.activations(model, images, [name])[name], examples.labels)
            for name in nodes.values()
        ]
        metrics, curves = {"selectivity.gain": gain([one.mean for one in found])}, {}
        for kind in WORDS:
            values = [getattr(one, kind) for one in found]
            metrics |= {f"selectivity.{kind}_{label}": one for label, one in zip(nodes, values, strict=True)}
            curves[f"selectivity.{kind}"] = np.array(values)
        return Measured(metrics, curves)

    def _metrics(self) -> tuple[Metric, ...]:
        by_node = (
            metric
            for kind, words in WORDS.items()
            for metric in self.by_node(f"selectivity.{kind}", words, _unit(kind))
        )
        return (Metric("selectivity.gain", "index", "class selectivity, last node − first"), *by_node)

    def _curves(self) -> tuple[Curve, ...]:
        return tuple(
            curve
            for kind, words in WORDS.items()
            for curve in self.along_nodes(f"selectivity.{kind}", words, _unit(kind))
        )


def _unit(kind: str) -> str:
    return "fraction" if kind == "dead" else "index"
