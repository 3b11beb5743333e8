"""How parameters are initialised.

=====================  =============================================
``he_normal``          normal, variance 2 / fan_in
``he_uniform``         uniform, variance 2 / fan_in
``glorot_normal``      normal, variance 2 / (fan_in + fan_out)
``glorot_uniform``     uniform, variance 2 / (fan_in + fan_out)
``zeros``, ``ones``    constant: biases; scales and running variances
=====================  =============================================

fan_in is the number of inputs one output sees (KH*KW*C_in for a kernel), fan_out the number of outputs one input
reaches. He's variance preserves that of activations through ReLUs, Glorot's through linear layers. Sources: He et al.,
ICCV 2015; Glorot & Bengio, AISTATS 2010. (Keras truncates its normal distributions; these are plain.)
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import TypeAlias

import numpy as np

from .. import elementary
from ..program import Slot
from ..randomness import stream
from ..typing import Array

Initializer: TypeAlias = Callable[[np.random.Generator, Slot], Array]


def _he(slot: Slot) -> float:
    return math.sqrt(2 / slot.fan_in)


def _glorot(slot: Slot) -> float:
    return math.sqrt(2 / (slot.fan_in + slot.fan_out))


def _normal(deviation: Callable[[Slot], float]) -> Initializer:
    return lambda draw, slot: deviation(slot) * standard_normal(draw, math.prod(slot.shape)).reshape(slot.shape)


def _uniform(deviation: Callable[[Slot], float]) -> Initializer:
    # a uniform distribution on (-a, a) has variance a**2 / 3
    return lambda draw, slot: math.sqrt(3) * deviation(slot) * draw.uniform(-1, 1, slot.shape)


INITIALIZERS: dict[str, Initializer] = {
    "he_normal": _normal(_he),
    "he_uniform": _uniform(_he),
    "glorot_normal": _normal(_glorot),
    "glorot_uniform": _uniform(_glorot),
    "zeros": lambda _draw, slot: np.zeros(slot.shape),
    "ones": lambda _draw, slot: np.ones(slot.shape),
}


def standard_normal(draw: np.random.Generator, count: int) -> Array:
    """Return `count` values of mean 0 and variance 1, float64, (count,).

    Two uniform numbers u, v in [0, 1) give two independent normal ones, sqrt(-2 log(1 - u)) times the cosine and the
    sine of 2 pi v. NumPy's own generator is faster, but calls the C library's exp and log, whose last bits differ
    between systems. Source: Box & Muller, "A note on the generation of random normal deviates", 1958.
    """
    u, v = draw.random((2, -(-count // 2)))
    radius, angle = np.sqrt(-2 * elementary.log(1 - u)), 2 * math.pi * v
    return np.concatenate([radius * elementary.cos(angle), radius * elementary.sin(angle)])[:count]


def initialize(slots: Iterable[Slot], flat: Array, seed: int) -> None:
    """Initialise the named arrays of a flat array, each from its own random stream, by seed and name.

    Values are drawn in float64 and rounded, so float32 and float64 models of one seed begin with the same weights, up
    to rounding.
    """
    for slot in slots:
        slot.view(flat)[...] = INITIALIZERS[slot.initializer](stream(seed, "initialise", slot.name), slot)
