"""The figures, one module each; those of reports are drawn in four looks: light or dark, wide or for a phone.

Which figures a study has is decided by what it measured, never by its name: contrasts, arms, levels, curves, maps and
learning curves.
"""

from __future__ import annotations

from ..claims.reproduction import KERNELS, NETWORKS, Reproduction
from ..studies.result import StudyResult
from . import confusion, contrasts, curves, filters, kernel_size, learning, levels, seeds
from .picture import Picture as Picture
from .style import LOOKS as LOOKS
from .style import Look as Look
from .style import png as png


def study_pictures(result: StudyResult) -> list[Picture]:
    """Return the figures of any study, what answers its question first; nothing is drawn yet."""
    found = (contrasts.picture(result), levels.picture(result), *curves.pictures(result), seeds.picture(result))
    return [one for one in (*found, learning.picture(result)) if one is not None]


def pictures(reproduction: Reproduction) -> list[Picture]:
    """Return the report's figures in their order, the answers to its two questions first; nothing is drawn yet."""
    return [
        seeds.picture(reproduction.studies[NETWORKS]),
        kernel_size.picture(reproduction.studies[KERNELS]),
        *(one for result in reproduction.studies.values() if (one := learning.picture(result)) is not None),
        confusion.picture(reproduction),
        filters.picture(reproduction),
    ]
