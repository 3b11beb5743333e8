"""The kinds of values that compiled functions take and return.

A function of many arguments (`convlens.fast.script.entry`, `convlens.fast.native.linked`) declares them once, in its
signature; `kinds_of` reads them there.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Any, TypeAlias

import numpy as np

from ..typing import Array


class Kind(Enum):
    """What a value is; for an array, its dtype."""

    NOTHING = "nothing"
    SIZE = "a 64-bit integer"
    NUMBER = "a float32 number"
    FLAG = "a flag"
    STATE = "32 bits"
    VECTOR = "sixteen float32 numbers"
    WORDS = "the address of 64-bit words"
    FLOATS = np.float32
    DOUBLES = np.float64
    INDICES = np.int32
    LABELS = np.int64  # only these may be in read-only memory

    @property
    def is_array(self) -> bool:
        """Whether it is a one-dimensional array, contiguous in memory."""
        return isinstance(self.value, type)


NOTHING, SIZE, NUMBER, FLAG, STATE = Kind.NOTHING, Kind.SIZE, Kind.NUMBER, Kind.FLAG, Kind.STATE
VECTOR, WORDS = Kind.VECTOR, Kind.WORDS
FLOATS, DOUBLES, INDICES, LABELS = Kind.FLOATS, Kind.DOUBLES, Kind.INDICES, Kind.LABELS

# names of arrays in a signature; for float32 numbers it is `Float32`
Indices: TypeAlias = Array
Doubles: TypeAlias = Array
Labels: TypeAlias = Array

_DECLARED = {
    "Float32": FLOATS,
    "Indices": INDICES,
    "Doubles": DOUBLES,
    "Labels": LABELS,
    "int": SIZE,
    "float": NUMBER,
    "bool": FLAG,
}


def kinds_of(function: Callable[..., Any]) -> dict[str, Kind]:
    """Return the kind of each parameter, by name, in their order, as the function's signature declares them."""
    names = function.__code__.co_varnames[: function.__code__.co_argcount]
    return {name: _DECLARED[function.__annotations__[name]] for name in names}
