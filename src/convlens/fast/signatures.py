"""Kinds of values that compiled functions take and return."""

from __future__ import annotations

from enum import Enum

import numpy as np


class Kind(Enum):
    """What a value is; for an array, its dtype."""

    NOTHING = "nothing"
    SIZE = "a whole number of 64 bits"
    NUMBER = "a float32 number"
    FLAG = "a flag"
    STATE = "32 bits"
    VECTOR = "sixteen float32 numbers"
    WORDS = "the address of 64-bit words"
    FLOATS = np.float32
    DOUBLES = np.float64
    INDICES = np.int32
    LABELS = np.int64  # these alone may lie in memory that cannot be written

    @property
    def is_array(self) -> bool:
        """Whether it is a one-dimensional array, contiguous in memory."""
        return isinstance(self.value, type)


NOTHING, SIZE, NUMBER, FLAG, STATE = Kind.NOTHING, Kind.SIZE, Kind.NUMBER, Kind.FLAG, Kind.STATE
VECTOR, WORDS = Kind.VECTOR, Kind.WORDS
FLOATS, DOUBLES, INDICES, LABELS = Kind.FLOATS, Kind.DOUBLES, Kind.INDICES, Kind.LABELS
