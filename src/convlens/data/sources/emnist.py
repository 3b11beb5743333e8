"""What is peculiar to EMNIST, the letters and digits of MNIST's kind: names of its six sets and of their classes.

Source: G. Cohen, S. Afshar, J. Tapson and A. van Schaik, "EMNIST: an extension of MNIST to handwritten letters", 2017.
"""

from __future__ import annotations

import string

_DIGITS, _UPPER, _LOWER = string.digits, string.ascii_uppercase, string.ascii_lowercase
_MERGED = "abdefghnqrt"  # the small letters that differ from their capitals
_CLASSES = {
    "byclass": _DIGITS + _UPPER + _LOWER,
    "bymerge": _DIGITS + _UPPER + _MERGED,
    "balanced": _DIGITS + _UPPER + _MERGED,
    "letters": _UPPER,
    "digits": _DIGITS,
    "mnist": _DIGITS,
}


def is_emnist(name: str) -> bool:
    """Whether a data set is one of EMNIST's, by its name."""
    return "emnist" in name.lower()


def class_names(name: str, classes: int) -> list[str] | None:
    """Return the characters that an EMNIST set's classes stand for; None for another set, or another number of them."""
    sets = [_CLASSES[word] for word in name.lower().split("-")[1:] if word in _CLASSES] if is_emnist(name) else []
    known = sets[0] if sets else ""
    return list(known) if len(known) == classes else None
