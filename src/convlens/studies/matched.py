"""How close an arm came to the one whose size or cost it was to match."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal, TypeAlias, get_args

from ..errors import ConfigurationError, nearest
from ..plain import check_keys, check_name

Matchable: TypeAlias = Literal["parameters", "flops", "receptive field"]


@dataclass(frozen=True)
class Matched:
    """What a solver matched, and how close it came.

    Parameters
    ----------
    measure
        ``"parameters"``, ``"flops"`` (one image forward), or ``"receptive field"`` (side in pixels, of the last
        convolution or pooling).
    to
        What it was matched to: ``"cnn"``.
    wanted, got
        The value there, and the value here.
    """

    measure: Matchable
    to: str
    wanted: int
    got: int

    def __post_init__(self) -> None:
        if self.measure not in get_args(Matchable):
            raise ConfigurationError(
                f"cannot match the measure {self.measure!r}{nearest(str(self.measure), get_args(Matchable))}"
            )
        check_name(self.to, "what is matched")
        if self.wanted < 1 or self.got < 1:
            raise ConfigurationError(f"matched values are above 0, not {self.wanted} and {self.got}")

    @property
    def ratio(self) -> float:
        """The value here over the value there; 1 for an exact match."""
        return self.got / self.wanted

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, given: Mapping[str, Any]) -> Matched:
        """Read what `to_dict` wrote."""
        check_keys(cls, given, "matched")
        return cls(**given)
