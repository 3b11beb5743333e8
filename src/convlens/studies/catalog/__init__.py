"""The studies: one file each, and this table of them.

Each file has a function ``study()`` that returns the frozen description, and ``PROFILES``: how large it can be run.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ..spec import Profile, Study
from . import baseline_vs_cnn, kernel_size


@dataclass(frozen=True)
class Entry:
    """A study of the catalogue."""

    study: Callable[[], Study]
    profiles: Mapping[str, Profile]


CATALOG: dict[str, Entry] = {
    "baseline-vs-cnn": Entry(baseline_vs_cnn.study, baseline_vs_cnn.PROFILES),
    "kernel-size": Entry(kernel_size.study, kernel_size.PROFILES),
}
