"""Checking numbers: settings also come from TOML files and command lines, so they may be of any type."""

from __future__ import annotations

from numbers import Real


def is_number(value: object) -> bool:
    """Return whether a setting is a real number; True and False are not."""
    return isinstance(value, Real) and not isinstance(value, bool)
