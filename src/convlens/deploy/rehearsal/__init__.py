"""A rehearsal of a deployment to SageMaker on one's own machine: an emulated AWS, and the real server behind it."""

from __future__ import annotations

from importlib.util import find_spec

from ...errors import ConfigurationError

if any(find_spec(name) is None for name in ("boto3", "flask", "moto")):
    raise ConfigurationError("a rehearsal needs boto3, moto and flask; install them: pip install 'convlens[rehearse]'")

from .clock import EmulatedClock
from .emulator import Change, Emulator, RecordedCall
from .profiles import PROFILES, AccountProfile
from .rehearse import Rehearsal, Stage, rehearse

__all__ = [
    "PROFILES",
    "AccountProfile",
    "Change",
    "EmulatedClock",
    "Emulator",
    "RecordedCall",
    "Rehearsal",
    "Stage",
    "rehearse",
]
