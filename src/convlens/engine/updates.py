"""Updates of flat arrays that an optimiser asks an engine for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from ..ops import update
from ..typing import Array
from .kernel import Step


@dataclass(frozen=True)
class Update:
    """One call of a function of `convlens.ops.update`: its name, its flat arrays and its other arguments, by name."""

    name: str
    arrays: Mapping[str, Array | None]
    settings: Mapping[str, float]

    def run(self, part: slice) -> None:
        """Apply it to a part of the arrays."""
        function: Any = getattr(update, self.name)
        arrays = {name: None if array is None else array[part] for name, array in self.arrays.items()}
        function(**arrays, **self.settings)

    def has_arrays_of(self, other: Update) -> bool:
        """Return whether it is an update of the same arrays."""
        mine, theirs = ([*one.arrays.items()] for one in (self, other))
        return len(mine) == len(theirs) and all(a == b and x is y for (a, x), (b, y) in zip(mine, theirs, strict=True))


class BoundUpdate(Protocol):
    """An update bound to its arrays, to be run many times with different settings."""

    tasks: Sequence[Step]

    def set(self, settings: Mapping[str, float]) -> None:
        """Take the settings for the next time that the tasks run."""


class Binder(Protocol):
    """Binds an update to its arrays; each task does one thread's parts of them."""

    def __call__(self, change: Update, parts: Sequence[Sequence[slice]]) -> BoundUpdate:
        """Return the bound update, with at most one task for each list of parts."""
