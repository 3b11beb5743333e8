"""What is a number: settings come from TOML files and command lines too, and must be refused as what they are."""

from __future__ import annotations

from numbers import Real


def is_number(value: object) -> bool:
    """Return whether a setting is a real number; True and False are not."""
    return isinstance(value, Real) and not isinstance(value, bool)
