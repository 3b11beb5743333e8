"""Checking numbers: settings also come from TOML files and command lines, so they may be of any type."""

from __future__ import annotations

import math
from numbers import Real


def is_number(value: object) -> bool:
    """Return whether a setting is a finite real number; True and False are not numbers."""
    try:
        return not isinstance(value, bool) and isinstance(value, Real) and math.isfinite(value)
    except OverflowError:  # a whole number beyond the range of floats
        return False
