"""The control for shuffled pixels."""

from __future__ import annotations

import math
from dataclasses import dataclass

from ... import lens
from ...data import Dataset
from ...nn import Model
from ...randomness import stream
from ..curve import Curve
from ..metric import Metric
from .measure import Measure, Measured


@dataclass(frozen=True)
class PermutedDenseMeasure(Measure):
    """Shuffle pixels and the first dense layer's weights alike, with `convlens.lens.permuted_dense`.

    The permutation is drawn anew for each seed.
    """

    name = "permuted-dense"

    def run(self, model: Model, dataset: Dataset, seed: int) -> Measured:
        """Return how far the logits move, with the weights shuffled too and without, relative to the largest."""
        pixels = math.prod(model.input_shape[:2])
        permutation = stream(seed, "measure", "permutation").permutation(pixels)
        found = lens.permuted_dense(model, permutation, self.examples(dataset).images)
        return Measured(
            {
                "permutation.difference": found.difference,
                "permutation.unmatched": found.unmatched,
                "permutation.changed": float(not found.same_predictions),
            }
        )

    def _metrics(self) -> tuple[Metric, ...]:
        return (
            Metric("permutation.difference", "fraction", "change of the logits, weights shuffled too"),
            Metric("permutation.unmatched", "fraction", "change of the logits, pixels alone shuffled"),
            Metric("permutation.changed", "count", "whether a prediction changed, weights shuffled too", 1.0),
        )

    def _curves(self) -> tuple[Curve, ...]:
        return ()
