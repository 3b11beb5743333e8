"""Recipes: how to train, as frozen configuration with a name."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, TypeVar

from ..errors import ConfigurationError, nearest
from ..optim import OPTIMIZERS, SCHEDULES, SGD, Adam, AdamW, Constant, OneCycle, Optimizer, Schedule
from ..optim.numbers import is_number
from ..plain import check_keys
from .augmentation import Augmentation

_Part = TypeVar("_Part", Optimizer, Schedule)


@dataclass(frozen=True)
class Recipe:
    """How to train.

    Attributes
    ----------
    name
        Its name on the command line.
    optimizer, schedule
        See `convlens.optim`.
    epochs
        Passes over the training images.
    batch_size
        Images per step.
    patience
        Stop after this number of epochs without a better validation accuracy, and return to the weights of the best
        epoch; if None, train to the end and keep the last weights.
    label_smoothing
        Share of the target that is spread over all classes, in the training loss only. See
        `convlens.ops.softmax_cross_entropy`.
    clip_norm
        Largest norm of a gradient; a longer one is scaled down to it. See `convlens.optim.clip_by_norm`.
    ema_decay
        Decay of the exponential moving average of the weights over the steps. The average is evaluated, and kept in
        place of the last weights; training itself continues with the weights. Running statistics are averaged likewise.
        See `convlens.ops.update.average`.
    augmentation
        How training images are warped each time they are shown; None leaves them as they are.
    """

    name: str
    optimizer: Optimizer
    schedule: Schedule
    epochs: int = 3
    batch_size: int = 64
    patience: int | None = None
    label_smoothing: float = 0.0
    clip_norm: float | None = None
    ema_decay: float | None = None
    augmentation: Augmentation | None = None

    def __post_init__(self) -> None:
        for field in ("epochs", "batch_size", "patience"):
            value = getattr(self, field)
            if not (field == "patience" and value is None) and not (type(value) is int and value > 0):
                raise ConfigurationError(f"{field} is a whole number above 0, not {value!r}")
        smoothing, longest, decay = self.label_smoothing, self.clip_norm, self.ema_decay
        if not (is_number(smoothing) and 0 <= smoothing < 1):
            raise ConfigurationError(f"label_smoothing is a number from 0 to below 1, not {smoothing!r}")
        if longest is not None and not (is_number(longest) and 0 < longest < math.inf):
            raise ConfigurationError(f"clip_norm is a number above 0, or None, not {longest!r}")
        if decay is not None and not (is_number(decay) and 0 < decay < 1):
            raise ConfigurationError(f"ema_decay is a number between 0 and 1, or None, not {decay!r}")

    def to_dict(self) -> dict[str, Any]:
        """Return the recipe as plain data: every setting, so that it means the same when a default has changed."""
        return {
            **{field.name: getattr(self, field.name) for field in fields(self)},
            "optimizer": {"name": type(self.optimizer).__name__, **asdict(self.optimizer)},
            "schedule": {"name": type(self.schedule).__name__, **asdict(self.schedule)},
            "augmentation": None if self.augmentation is None else self.augmentation.to_dict(),
        }

    @classmethod
    def from_dict(cls, given: Mapping[str, Any]) -> Recipe:
        """Read what `to_dict` wrote; settings that are missing have their default value.

        Raises
        ------
        ConfigurationError
            If an optimiser, a schedule or a setting is unknown; the message names the nearest right one.
        """
        check_keys(cls, given, "recipe")
        optimizer = _named(OPTIMIZERS, given["optimizer"], "optimiser")
        schedule = _named(SCHEDULES, given["schedule"], "schedule")
        moved = given.get("augmentation")
        augmentation = None if moved is None else Augmentation.from_dict(moved)
        return cls(**{**given, "optimizer": optimizer, "schedule": schedule, "augmentation": augmentation})


def _named(classes: Mapping[str, type[_Part]], given: Mapping[str, Any], what: str) -> _Part:
    """Return the part that ``{"name": ..., settings}`` describes."""
    if not isinstance(given, Mapping):
        raise ConfigurationError(f"{what} is a mapping such as {{'name': {next(iter(classes))!r}}}, not {given!r}")
    settings = dict(given)
    name = str(settings.pop("name", ""))
    if name not in classes:
        raise ConfigurationError(f"unknown {what} {name!r}{nearest(name, classes)}")
    check_keys(classes[name], settings, name)
    try:
        return classes[name](**settings)
    except TypeError as error:  # a value of a type that it does not expect
        raise ConfigurationError(f"{name}: {error}") from error


RECIPES: dict[str, Recipe] = {
    recipe.name: recipe
    for recipe in (
        # as small projects often train: gradient descent at a constant rate, with the defaults of Keras
        Recipe(name="plain", optimizer=SGD(), schedule=Constant(0.01), epochs=3, batch_size=32),
        # Adam with the one-cycle policy; peak and batch size were chosen on validation, by the mean of 3 seeds
        Recipe(name="good", optimizer=Adam(), schedule=OneCycle(5e-3), epochs=3, batch_size=64),
        # the three below were found by benchmarks/search, on validation, by the mean of 3 seeds
        Recipe(
            name="speedrun",
            optimizer=Adam(),
            schedule=OneCycle(8e-3),
            epochs=2,
            batch_size=128,
            label_smoothing=0.1,
            augmentation=Augmentation(shift=1),
        ),
        Recipe(
            name="best",
            optimizer=AdamW(weight_decay=0.02),
            schedule=OneCycle(3e-3),
            epochs=40,
            batch_size=128,
            label_smoothing=0.1,
            ema_decay=0.998,
            augmentation=Augmentation(shift=2, rotation=12, scale=0.1, shear=0.1),
        ),
        Recipe(
            name="best-dense",
            optimizer=AdamW(weight_decay=0.02),
            schedule=OneCycle(3e-3),
            epochs=80,
            batch_size=128,
            ema_decay=0.998,
            augmentation=Augmentation(shift=1, rotation=8, scale=0.08, shear=0.08, elastic=15),
        ),
    )
}


def recipe(name: str) -> Recipe:
    """Return a recipe by name; ConfigurationError names the nearest right one."""
    if name not in RECIPES:
        raise ConfigurationError(f"unknown recipe {name!r}{nearest(name, RECIPES)}")
    return RECIPES[name]
