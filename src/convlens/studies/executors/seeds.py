"""Seeds by purpose, as every kind of configuration names them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal, TypeAlias

from ...errors import ConfigurationError
from ..trial import check_seed

SeedChoice: TypeAlias = int | Literal["trial"]


@dataclass(frozen=True)
class Seeds:
    """Base of the seeds by purpose: each a number, the same in every trial, or ``"trial"``, the trial's own seed."""

    optional: ClassVar[tuple[str, ...]] = ()  # purposes that may be None: nothing is drawn

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if value is None and name in self.optional:
                continue
            if isinstance(value, str) and value != "trial":
                raise ConfigurationError(f"{name} is a number or 'trial', the trial's own seed, not {value!r}")
            if value != "trial":
                check_seed(value, name)

    def of(self, what: str, trial_seed: int) -> int:
        """Return the seed for one purpose, in the trial with seed `trial_seed`."""
        choice: SeedChoice = getattr(self, what)
        return trial_seed if choice == "trial" else choice
