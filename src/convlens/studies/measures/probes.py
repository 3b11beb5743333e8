"""Accuracy of linear probes by node."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ... import lens
from ...data import Dataset
from ...nn import Model
from ...program import INPUT, Program
from ..curve import Curve
from ..metric import Metric
from .measure import Measured, NodeMeasure, first, gain


@dataclass(frozen=True)
class ProbeMeasure(NodeMeasure):
    """Fit a linear classifier to the values of each node, with `convlens.lens.probes`.

    Parameters
    ----------
    train_images
        Number of training images, the first of the training set, that it is fitted to.
    """

    train_images: int = 2000

    name = "probes"

    def __post_init__(self) -> None:
        super().__post_init__()
        self.require_count("train_images")

    def default_nodes(self, program: Program) -> list[str]:
        return [INPUT, *(node.name for node in program.nodes if node.op != "reshape")]

    def run(self, model: Model, dataset: Dataset, seed: int) -> Measured:
        """Return the accuracy by node, and that of the last minus that of the first."""
        del seed  # nothing is drawn
        known = dataset.with_classes(model.class_names)
        train, test = first(known.train, self.train_images, self.name), self.examples(known)
        nodes = self.labelled(model.program)
        found = {one.node: one.accuracy for one in lens.probes(model, train, test, nodes.values()).probes}
        accuracy = [found[name] for name in nodes.values()]
        metrics = {f"probe.accuracy_{label}": one for label, one in zip(nodes, accuracy, strict=True)}
        return Measured({"probe.gain": gain(accuracy), **metrics}, {"probe.accuracy": np.array(accuracy)})

    def _metrics(self) -> tuple[Metric, ...]:
        resolution = 1 / self.images
        words = "probe accuracy, last node − first"
        return (
            Metric("probe.gain", "difference of fractions", words, resolution),
            *self.by_node("probe.accuracy", "probe accuracy", "fraction", resolution=resolution),
        )

    def _curves(self) -> tuple[Curve, ...]:
        return self.along_nodes("probe.accuracy", "accuracy of a linear probe", "fraction")
