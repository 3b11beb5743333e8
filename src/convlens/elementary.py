"""exp, log, sine, cosine and integer powers in float64, from basic IEEE operations alone.

The last bits of a C library's functions, and of NumPy's, vary between systems and processors. What training depends on
(a learning rate, the rotation of an image) is computed with these: every step is one IEEE operation, rounded
separately, so the result is the same everywhere. They take numbers and arrays alike, and are meant for a handful of
values: each call takes some twenty passes.

The relative errors are below 4e-16, two units in the last place (`tests/test_elementary.py`); those of sine and cosine
are relative to 1. Each is a range reduction and a truncated series.
"""

from __future__ import annotations

import math
from typing import Any, TypeVar

import numpy as np

from .typing import FloatArray

Number = TypeVar("Number", float, FloatArray)

_LN2_HIGH, _LN2_LOW = float.fromhex("0x1.62e42fee00000p-1"), float.fromhex("0x1.a39ef35793c76p-33")
_PI_HIGH, _PI_LOW = float.fromhex("0x1.921fb54400000p+0"), float.fromhex("0x1.0b4611a626331p-34")  # of pi / 2
_EXP_TERMS, _LOG_TERMS, _WAVE_TERMS = 14, 12, 10


def exp(x: Number) -> Number:
    """Return exp(x) = 2**n * exp(r) with |r| at most log(2) / 2, for x from -700 to 700."""
    n = _nearest(x * (1 / (_LN2_HIGH + _LN2_LOW)))
    r = (x - n * _LN2_HIGH) - n * _LN2_LOW
    total = r * 0 + 1.0
    for k in range(_EXP_TERMS, 0, -1):
        total = 1.0 + total * r / k
    value: Number = _like(x, np.ldexp(total, np.int32(n)))
    return value


def log(x: Number) -> Number:
    """Return the natural logarithm of x > 0: with x = m * 2**n, log(m) = 2 atanh(f), f = (m - 1) / (m + 1)."""
    m, n = np.frexp(x)
    small = m < math.sqrt(0.5)
    m, n = np.where(small, m + m, m), n - small
    f = (m - 1.0) / (m + 1.0)
    square = f * f
    total = square * 0.0
    for k in range(2 * _LOG_TERMS - 1, 1, -2):
        total = square * (1.0 / k + total)
    value: Number = _like(x, n * _LN2_HIGH + (2.0 * f + (2.0 * f * total + n * _LN2_LOW)))
    return value


def cos(x: Number) -> Number:
    """Return the cosine of x, in radians, for x from -1000 to 1000."""
    value: Number = _wave(x, 1)
    return value


def sin(x: Number) -> Number:
    """Return the sine of x, in radians, for x from -1000 to 1000."""
    value: Number = _wave(x, 0)
    return value


def _wave(x: Any, quarter: int) -> Any:
    """Return sin(x + quarter * pi / 2): with x = n * pi / 2 + r, the sine or cosine of r, up to sign."""
    n = _nearest(x * (1 / (_PI_HIGH + _PI_LOW)))
    r = (x - n * _PI_HIGH) - n * _PI_LOW
    square = r * r
    sine, cosine = square * 0 + 1.0, square * 0 + 1.0
    for k in range(2 * _WAVE_TERMS, 0, -2):
        cosine = 1.0 - square * cosine / (k * (k - 1))
        sine = 1.0 - square * sine / (k * (k + 1))
    turn = (n + quarter) % 4
    if not isinstance(turn, np.ndarray):  # np.where would take ten times as long as all the rest
        value = cosine if turn % 2 else r * sine
        return -value if turn >= 2 else value
    return np.where(turn % 2 == 1, cosine, r * sine) * np.where(turn >= 2, -1.0, 1.0)


def _nearest(x: Any) -> Any:
    """Round to the nearest integer, ties to even."""
    return np.rint(x) if isinstance(x, np.ndarray) else float(round(x))


def power(base: float, exponent: int) -> float:
    """Return base**exponent for an integer exponent of 0 or more, by squaring."""
    result = 1.0
    while exponent:
        if exponent % 2:
            result *= base
        base, exponent = base * base, exponent // 2
    return result


def _like(x: Any, value: Any) -> Any:
    """Return `value` as x came: a number for a number, an array for an array."""
    return value if isinstance(x, np.ndarray) else float(value)
