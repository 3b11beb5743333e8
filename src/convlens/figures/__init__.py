"""The figures, one module each; those of reports are drawn in four looks: light or dark, wide or for a phone."""

from __future__ import annotations

from ..claims.reproduction import KERNELS, NETWORKS, Reproduction
from ..studies.result import StudyResult
from . import confusion, filters, kernel_size, learning, seeds
from .picture import Picture as Picture
from .style import LOOKS as LOOKS
from .style import Look as Look
from .style import png as png


def study_pictures(result: StudyResult) -> list[Picture]:
    """Return the figures of any study; nothing is drawn yet."""
    return [seeds.picture(result), *_curves(result)]


def pictures(reproduction: Reproduction) -> list[Picture]:
    """Return the report's figures in their order, the answers to its two questions first; nothing is drawn yet."""
    return [
        seeds.picture(reproduction.studies[NETWORKS]),
        kernel_size.picture(reproduction.studies[KERNELS]),
        *(curves for result in reproduction.studies.values() for curves in _curves(result)),
        confusion.picture(reproduction),
        filters.picture(reproduction),
    ]


def _curves(result: StudyResult) -> list[Picture]:
    found = learning.picture(result)
    return [] if found is None else [found]
