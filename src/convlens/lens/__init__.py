"""Looking inside a network: numbers, no figures. Functions of a model and images; results show themselves in notebooks.

Reading order::

    values.py           activations of every node, filters
    gradient.py         derivative of any value with respect to the input
    shift.py            accuracy and consistency of shifted images
    equivariance.py     which layer breaks it
    receptive_field.py  theoretical and effective
    probe.py            what a linear classifier reads off each layer
    selectivity.py      how much a unit prefers one class
    position.py         what padding tells about position
    permutation.py      the control for shuffled pixels
    wrong.py            images that every seed gets wrong
"""

from .equivariance import Equivariance, NodeError, equivariance
from .gradient import input_gradient
from .permutation import PermutedDense, permuted_dense
from .position import PositionInformation, position_information
from .probe import Probe, Probes, linear_probe, probes
from .receptive_field import EffectiveField, receptive_field
from .result import Result
from .selectivity import Selectivity, class_selectivity
from .shift import ShiftMap, under_shift
from .values import activations, filters
from .wrong import AlwaysWrong, always_wrong

__all__ = [
    "AlwaysWrong",
    "EffectiveField",
    "Equivariance",
    "NodeError",
    "PermutedDense",
    "PositionInformation",
    "Probe",
    "Probes",
    "Result",
    "Selectivity",
    "ShiftMap",
    "activations",
    "always_wrong",
    "class_selectivity",
    "equivariance",
    "filters",
    "input_gradient",
    "linear_probe",
    "permuted_dense",
    "position_information",
    "probes",
    "receptive_field",
    "under_shift",
]
