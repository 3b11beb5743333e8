"""How close an arm came to the one whose size or cost it was to match; `convlens.models.match` finds it."""

from ..models.matching import Matched as Matched
