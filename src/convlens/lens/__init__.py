"""Looking inside a network: numbers, no figures. Functions of a model and images; results show themselves in notebooks.

Reading order::

    values.py           activations of every node, filters
    gradient.py         derivative of any value with respect to the input
    unit.py             what one unit sees, and its arithmetic
    most_active.py      the images that make a unit most active
    relevance.py        which pixels a score depends on
    attribution.py      the same, with the check that it shows the network at all
    shift.py            accuracy and consistency of shifted images, and one image at every shift
    equivariance.py     which layer breaks it
    receptive_field.py  theoretical and effective
    probe.py            what a linear classifier reads off each layer
    selectivity.py      how much a unit prefers one class
    position.py         what padding tells about position
    permutation.py      the control for shuffled pixels
    wrong.py            images that every seed gets wrong
    inspection.py       one image in one network, by all of these
"""

from .attribution import ATTRIBUTIONS, Attribution, attribution
from .equivariance import Equivariance, NodeError, equivariance
from .gradient import input_gradient, value_gradient
from .inspection import Inspection, inspect
from .most_active import MostActive, most_active
from .permutation import PermutedDense, permuted_dense
from .position import PositionInformation, position_information
from .probe import Probe, Probes, linear_probe, probes
from .receptive_field import EffectiveField, receptive_field
from .relevance import grad_cam, integrated_gradients, occlusion, saliency
from .result import Result
from .selectivity import Selectivity, class_selectivity
from .shift import ImageShifts, ShiftMap, over_shifts, under_shift
from .unit import UnitArithmetic, unit
from .values import activations, filters
from .wrong import AlwaysWrong, always_wrong

__all__ = [
    "ATTRIBUTIONS",
    "AlwaysWrong",
    "Attribution",
    "EffectiveField",
    "Equivariance",
    "ImageShifts",
    "Inspection",
    "MostActive",
    "NodeError",
    "PermutedDense",
    "PositionInformation",
    "Probe",
    "Probes",
    "Result",
    "Selectivity",
    "ShiftMap",
    "UnitArithmetic",
    "activations",
    "always_wrong",
    "attribution",
    "class_selectivity",
    "equivariance",
    "filters",
    "grad_cam",
    "input_gradient",
    "inspect",
    "integrated_gradients",
    "linear_probe",
    "most_active",
    "occlusion",
    "over_shifts",
    "permuted_dense",
    "position_information",
    "probes",
    "receptive_field",
    "saliency",
    "under_shift",
    "unit",
    "value_gradient",
]
