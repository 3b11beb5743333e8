"""An emulator that had a fault fails the test that used it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from convlens.deploy.rehearsal import Emulator


@pytest.fixture(autouse=True, scope="session")
def no_emulator_has_faults() -> Iterator[None]:
    """Look at every emulator's faults as it ends; `expects_faults` says that there must be some."""
    leave = Emulator.__exit__

    def left(self: Emulator, *given: Any) -> None:
        leave(self, *given)
        assert bool(self.faults) == getattr(self, "expects_faults", False), self.faults

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Emulator, "__exit__", left)
        yield
