"""The figures, one module each; those of reports are drawn in four looks: light or dark, wide or for a phone.

Which figures a study has is decided by what it measured, never by its name: contrasts, arms, levels, curves, maps and
learning curves.
"""

from __future__ import annotations

from dataclasses import replace

from ..claims.reproduction import KERNELS, NETWORKS, Reproduction
from ..studies.results.result import StudyResult
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
        *(one for name in (NETWORKS, KERNELS) if (one := learning.picture(reproduction.studies[name])) is not None),
        confusion.picture(reproduction),
        filters.picture(reproduction),
    ]


def claim_pictures(reproduction: Reproduction) -> dict[int, list[Picture]]:
    """Return the figures of the claims, by number: one for each study that measured rows of it.

    A row's interval is that of the estimand that decides it; so this follows the claims, whichever they are.
    """
    found: dict[int, list[Picture]] = {}
    for number in dict.fromkeys(row.number for row in reproduction.claims):
        measured = [
            id(row.interval) for row in reproduction.claims if row.number == number and row.interval is not None
        ]
        for name, result in reproduction.studies.items():
            every = (result.evidence.primary, *result.evidence.secondary)
            only = [one.estimand.name for one in every if id(one.interval) in measured]
            picture = contrasts.picture(result, only, f"claim-{number}-{name}") if only else None
            if picture is not None:
                heading = f"Claim {number}: {picture.heading.lower()} ({name})"
                found.setdefault(number, []).append(replace(picture, heading=heading))
    return found
