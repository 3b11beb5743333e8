"""How much single units prefer one class."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..data.labels import check_labels
from ..errors import DataError
from ..typing import FloatArray, IntArray
from .result import Result, Table


@dataclass(frozen=True, eq=False)
class Selectivity(Result):
    """The class selectivity of a layer's units.

    Attributes
    ----------
    index
        (units,) 0 (no class preferred) to 1 (active for one class only); 0 for a unit that is never active.
    preferred
        (units,) class with the highest mean activation.
    active
        (units,) whether a unit is active for any image.
    """

    index: FloatArray
    preferred: IntArray
    active: npt.NDArray[np.bool_]

    @property
    def mean(self) -> float:
        """Mean index of the active units; 0 if there are none."""
        return float(self.index[self.active].mean()) if self.active.any() else 0.0

    @property
    def dead(self) -> float:
        """Share of the units that are never active."""
        return float(1 - self.active.mean())

    def table(self) -> Table:
        rows = [("units", len(self.index)), ("mean index", f"{self.mean:.3f}"), ("never active", f"{self.dead:.1%}")]
        return "class selectivity", ("", "value"), rows


def class_selectivity(activations: FloatArray, labels: npt.ArrayLike) -> Selectivity:
    """Return the class selectivity of every unit.

    For the means mu_k of a unit's activation over the images of class k, it is ::

        (mu_max - mu_rest) / (mu_max + mu_rest)

    with mu_max the largest, and mu_rest the mean of the others. Source: Morcos et al., "On the importance of single
    directions for generalization", ICLR 2018. A high index does not mean that the unit matters to the network: that is
    one of their results.

    Parameters
    ----------
    activations
        (N, H, W, C), of which each channel, averaged over its positions, is a unit, or (N, D). After a ReLU: at least
        0, without which the index has no meaning.
    labels
        (N,) class numbers; at least two classes occur.

    Raises
    ------
    DataError
        If an activation is negative, there are fewer than two classes, or numbers do not match.

    Examples
    --------
    >>> class_selectivity(np.array([[1.0, 2.0], [1.0, 0.0]]), [0, 1]).index
    array([0., 1.])
    """
    units = np.asarray(activations, np.float64)
    while units.ndim > 2:
        units = units.mean(axis=1)  # (N, C)
    classes = check_labels(labels, name="labels")
    if len(units) != len(classes):
        raise DataError(f"{len(units):,} activations and {len(classes):,} labels; expected one label each")
    if units.size and np.min(activations) < 0:
        raise DataError("class selectivity is that of activations from 0 up, such as a ReLU's; these go below 0")
    present = np.unique(classes)
    if len(present) < 2:
        raise DataError("class selectivity compares classes: give images of two or more")
    means = np.stack([units[classes == one].mean(axis=0) for one in present])  # (K, units)
    largest, rest = means.max(axis=0), (means.sum(axis=0) - means.max(axis=0)) / (len(present) - 1)
    active = largest > 0
    index = np.where(active, (largest - rest) / np.where(active, largest + rest, 1), 0)
    return Selectivity(index, present[means.argmax(axis=0)], active)
