"""A rehearsal of a deployment to SageMaker on one's own machine: an emulated AWS, and the real server behind it."""

from __future__ import annotations

from importlib.util import find_spec

from ...errors import ConfigurationError

if any(find_spec(name) is None for name in ("boto3", "flask", "moto")):
    raise ConfigurationError("a rehearsal needs boto3, moto and flask; install them: pip install 'convlens[rehearse]'")

from .clock import Clock
from .emulator import Call, Change, Emulator
from .profiles import PROFILES, Profile
from .rehearse import Rehearsal, Stage, rehearse

__all__ = ["PROFILES", "Call", "Change", "Clock", "Emulator", "Profile", "Rehearsal", "Stage", "rehearse"]
