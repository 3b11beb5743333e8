"""The figures, one file each; all of them drawn in four looks: light and dark, wide and for a phone."""

from __future__ import annotations

from ..claims.reproduction import Reproduction
from . import confusion, filters, kernel_size, learning
from .picture import Picture as Picture
from .style import LOOKS as LOOKS
from .style import Look as Look
from .style import png as png


def pictures(reproduction: Reproduction) -> list[Picture]:
    """Return the report's figures in their order; nothing is drawn yet."""
    return [
        *(learning.picture(reproduction, study) for study in reproduction.evidence),
        kernel_size.picture(reproduction),
        confusion.picture(reproduction),
        filters.picture(reproduction),
    ]
