"""The exceptions of convlens, in one tree.

::

    ConvlensError                 the base: `except ConvlensError` catches all that convlens raises on purpose
    ├── ConfigurationError        a request that cannot be right: an unknown key, a value out of range
    │   └── ShapeError            layers or arrays whose shapes do not fit; names the layer and both shapes
    ├── DataError                 data that is not what it claims: truncated, mislabelled, wrong checksum
    ├── ArtifactError             a model or checkpoint file that is damaged, not convlens's, or from another version
    ├── OutputError               a result that cannot be written to the given place
    ├── DeploymentError           a deployment that is refused or has failed; says what decides, and what is left
    ├── TrainingDiverged          the loss is no longer finite
    └── TrainingInterrupted       Ctrl-C: the message says what is saved and how to resume

Every message says what was expected, what came, and what to do. The command line prints it as one line and
exits with the class's ``exit_code``.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from .names import shown


class ConvlensError(Exception):
    """Base of every error that convlens raises on purpose: one line, whatever the names in it hold (`names.shown`)."""

    exit_code = 2

    def __init__(self, message: object = "") -> None:
        super().__init__(shown(message))


class ConfigurationError(ConvlensError):
    """A request that cannot be right: an unknown key, or a value out of its range."""


class ShapeError(ConfigurationError):
    """Shapes that do not fit together; the message names the layer and both shapes."""


class DataError(ConvlensError):
    """Data that is not what it claims to be."""


class ArtifactError(ConvlensError):
    """A model or checkpoint file that is damaged, not convlens's, or of an unknown version."""


class OutputError(ConvlensError):
    """A result that cannot be written to the given place."""


class DeploymentError(ConvlensError):
    """A deployment that is refused or has failed; the message says what decides, and what is left behind."""

    exit_code = 4


class TrainingDiverged(ConvlensError):  # noqa: N818 - an event, and named as one
    """The loss is no longer finite; the last good checkpoint is kept."""

    exit_code = 3


class TrainingInterrupted(ConvlensError):  # noqa: N818 - an event, and named as one
    """Training was stopped by Ctrl-C; the message says what is saved and how to resume."""

    exit_code = 130


def nearest(name: str, known: Iterable[str]) -> str:
    """Return ``"; did you mean 'x'?"`` for the known name nearest to `name`, or all of them when none is close.

    Every "unknown ..." message of the package ends with it.
    """
    choices = sorted(known)
    close = difflib.get_close_matches(name, choices, n=1, cutoff=0.6)
    if close:
        return f"; did you mean {close[0]!r}?"
    return f"; known: {', '.join(choices)}" if choices else ""
