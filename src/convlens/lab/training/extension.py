"""Training on: one that has ended is given more epochs, where that comes to the bits of one run of that length."""

from __future__ import annotations

from dataclasses import replace

from ...errors import ConfigurationError
from ...wording import count
from .configuration import Configuration
from .session import Session


def extended(session: Session, epochs: object) -> Configuration:
    """Return the configuration of a training with more epochs.

    Parameters
    ----------
    session
        The training, which nothing runs.
    epochs
        In all, those already trained among them.

    Raises
    ------
    ConfigurationError
        If they are not more; or if one run of that length would have taken other steps, so that training on would give
        something else: its learning rates are spread over all epochs, or its patience had an end.
    """
    given = session.configuration()
    longer = given.recipe.changed({"epochs": epochs})
    if longer.epochs <= given.recipe.epochs:
        had = count(given.recipe.epochs, "epoch")
        raise ConfigurationError(f"this training has {had}; give it more, counted from its beginning")
    summary = session.summary()
    start, taken = summary["start"], summary["step"]
    if start is not None:
        _require_same_steps(given, longer.epochs, taken, start["epoch_steps"], ended=summary["state"] == "finished")
    return replace(given, recipe=longer)


def _require_same_steps(given: Configuration, epochs: int, taken: int, steps: int, *, ended: bool) -> None:
    recipe = given.recipe
    if ended and taken < recipe.epochs * steps:
        raise ConfigurationError(
            f"its patience of {count(recipe.patience or 0, 'epoch')} ended this training, and would have ended one of "
            f"{epochs} epochs at the same step; train it anew with more patience"
        )
    if not recipe.begins_like(replace(recipe, epochs=epochs), taken, steps):
        kind = type(recipe.schedule).__name__
        raise ConfigurationError(
            f"the schedule {kind} spreads its learning rates over all epochs: one run of {epochs} epochs would have "
            f"taken other steps, so this training is not its beginning. Train it anew with {epochs} epochs; "
            "with the schedule Constant, a training can be extended"
        )
