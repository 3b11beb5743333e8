"""Hooks: what others may do while training goes on.

They are told what happens and read the training's state; the history, plain data, is the only channel from one to
another.
"""

from __future__ import annotations

from typing import Any

from .training import Training


class Hook:
    """Base of all hooks: does nothing. Override what is of interest."""

    def on_start(self, training: Training) -> None:
        """Called once, before the first step (or the first after resuming)."""

    def on_step(self, training: Training) -> None:
        """Called after every step."""

    def on_epoch(self, training: Training, row: dict[str, Any]) -> None:
        """Called after every epoch with its row of the history."""

    def on_end(self, training: Training) -> None:
        """Called once, however training ended; also after an error."""
