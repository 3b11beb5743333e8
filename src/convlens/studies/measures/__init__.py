"""Measures: what can be measured on a trained network, one file each, in a table by name."""

from __future__ import annotations

from .measure import MEASURES as MEASURES
from .measure import Measure as Measure
from .measure import Measured as Measured
from .measure import measure as measure
