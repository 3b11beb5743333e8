"""Hooks: code that is called at the events of a training.

Each is called with the training, and may read its state. The events of one training, in order::

    on_training_begin
        on_epoch_begin
            on_step_begin          the batch is assembled
            on_gradient            `training.gradient` holds its gradient; the weights are those before the update
            on_step_end            the weights are updated
        on_epoch_end               validation is evaluated, and `row` is in the history
    on_training_end                whatever happened since its own on_training_begin; the test set is not read yet

Any of them may call `training.stop()`, which ends training after the step under way.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .training import Training


class Hook:
    """Base of all hooks: does nothing. Override the events of interest."""

    def on_training_begin(self, training: Training) -> None:
        """Called once, before the first step (or the first after resuming)."""

    def on_epoch_begin(self, training: Training) -> None:
        """Called before the first step of an epoch, or the first after resuming within it."""

    def on_step_begin(self, training: Training) -> None:
        """Called before every step, once its batch is assembled."""

    def on_gradient(self, training: Training) -> None:
        """Called once the gradient of a step is in ``training.gradient``: before clipping, and before the update.

        The array is flat; ``training.gradients`` has views of it by parameter name. The update overwrites it.
        """

    def on_step_end(self, training: Training) -> None:
        """Called after every step."""

    def on_epoch_end(self, training: Training, row: dict[str, Any]) -> None:
        """Called after every epoch with its row of the history, and after one cut short by `Training.stop`."""

    def on_training_end(self, training: Training) -> None:
        """Called once if `on_training_begin` has returned, however training ended: finished, stopped or failed.

        The test set has not been read yet. Hooks are called in reverse order, each even if another raised.
        """
