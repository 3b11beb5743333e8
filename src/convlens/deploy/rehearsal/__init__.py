"""A rehearsal of a deployment to SageMaker on one's own machine: an emulated AWS, and the real server behind it."""

from __future__ import annotations

from .clock import Clock
from .emulator import Call, Change, Emulator
from .profiles import PROFILES, Profile

__all__ = ["PROFILES", "Call", "Change", "Clock", "Emulator", "Profile"]
