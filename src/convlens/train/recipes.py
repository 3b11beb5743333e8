"""Recipes: how to train, as frozen configuration with a name."""

from __future__ import annotations

import math
import operator
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from types import NoneType
from typing import Any, SupportsIndex, TypeVar

from ..errors import ConfigurationError
from ..optim import OPTIMIZERS, SCHEDULES, SGD, AdamW, Constant, OneCycle, Optimizer, Schedule
from ..plain import check_keys, check_name, choose, is_number, read_toml, require
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
        check_name(self.name, "a recipe")
        require(self.optimizer, Optimizer, "optimizer", "convlens.optim.Adam()")
        require(self.schedule, Schedule, "schedule", "convlens.optim.OneCycle(5e-3)")
        require(self.augmentation, (Augmentation, NoneType), "augmentation", "Augmentation(shift=2), or None")
        for field in ("epochs", "batch_size", "patience"):
            value = getattr(self, field)
            if field != "patience" or value is not None:
                object.__setattr__(self, field, _positive(field, value))
        smoothing, longest, decay = self.label_smoothing, self.clip_norm, self.ema_decay
        if not (is_number(smoothing) and 0 <= smoothing < 1):
            raise ConfigurationError(f"label_smoothing is a number from 0 to below 1, not {smoothing!r}")
        if longest is not None and not (is_number(longest) and 0 < longest < math.inf):
            raise ConfigurationError(f"clip_norm is a number above 0, or None, not {longest!r}")
        if decay is not None and not (is_number(decay) and 0 < decay < 1):
            raise ConfigurationError(f"ema_decay is a number between 0 and 1, or None, not {decay!r} (--average)")

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
        _require_rate_in_schedule(given, "recipe")
        check_keys(cls, given, "recipe")
        optimizer = _named(OPTIMIZERS, given["optimizer"], "optimiser")
        schedule = _named(SCHEDULES, given["schedule"], "schedule")
        moved = given.get("augmentation")
        augmentation = None if moved is None else Augmentation.from_dict(moved)
        return cls(**{**given, "optimizer": optimizer, "schedule": schedule, "augmentation": augmentation})

    def begins_like(self, other: Recipe, taken: int, steps: int) -> bool:
        """Return whether another recipe, perhaps of other epochs, gives the first steps the same learning rates.

        Parameters
        ----------
        other
            The other recipe.
        taken
            The number of these steps.
        steps
            Steps in an epoch.

        Examples
        --------
        >>> long, plain = RECIPES["plain"].changed({"epochs": 9}), RECIPES["plain"]
        >>> plain.begins_like(long, taken=30, steps=10)
        True
        """
        ours, theirs = self.epochs * steps, other.epochs * steps
        return all(self.schedule.at(step / ours) == other.schedule.at(step / theirs) for step in range(taken))

    def changed(self, changes: Mapping[str, Any]) -> Recipe:
        """Return the recipe with some settings changed.

        Parameters
        ----------
        changes
            Settings as plain data, as in `to_dict`. Optimizer, schedule and augmentation are changed setting by
            setting, unless another ``name`` is given: then all its other settings are the defaults of that class.
            ``"none"`` turns off what can be None.

        Raises
        ------
        ConfigurationError
            If a setting is unknown (the message names the nearest right one) or out of range.

        Examples
        --------
        >>> RECIPES["good"].changed({"epochs": 5, "schedule": {"rate": 0.01}}).schedule
        OneCycle(rate=0.01, warm_up=0.3, start_divisor=25.0)
        """
        _require_rate_in_schedule(changes, "recipe")
        check_keys([field.name for field in fields(Recipe)], changes, "recipe")
        settings = self.to_dict()
        for key, value in changes.items():
            off = key in _MAY_BE_NONE and isinstance(value, str) and value.casefold() == "none"
            settings[key] = None if off else value
        for part in ("optimizer", "schedule", "augmentation"):
            settings[part] = _merged(getattr(self, part), self.to_dict()[part], settings[part])
        return Recipe.from_dict(settings)


_MAY_BE_NONE = ("patience", "clip_norm", "ema_decay", "augmentation")


def _merged(part: object, before: Mapping[str, Any] | None, after: object) -> Any:
    """Return the settings of a part: `after` laid over those `before`, unless it names another class."""
    given = {"name": after} if isinstance(after, str) and before and "name" in before else after
    if not isinstance(given, Mapping) or before is None:
        return given
    name = given.get("name")
    if name is None or str(name).casefold() == type(part).__name__.casefold():
        return {**before, **given}
    return given


def _require_rate_in_schedule(given: object, where: str) -> None:
    """Raise ConfigurationError if settings hold a learning rate, which many libraries give to the optimiser."""
    for key in ("lr", "learning_rate"):
        if isinstance(given, Mapping) and key in given:
            raise ConfigurationError(f"{where}: no key {key!r}; the learning rate is the key 'rate' of the schedule")


def _positive(field: str, value: object) -> int:
    """Return a whole number above 0, of whatever type of integer, as int."""
    if isinstance(value, SupportsIndex) and not isinstance(value, bool) and operator.index(value) > 0:
        return operator.index(value)
    raise ConfigurationError(f"{field} is a whole number above 0, not {value!r}")


def _named(classes: Mapping[str, type[_Part]], given: object, what: str) -> _Part:
    """Return the part that ``{"name": ..., settings}``, or a name alone, describes."""
    if isinstance(given, str):
        given = {"name": given}
    if not isinstance(given, Mapping):
        raise ConfigurationError(f"{what} is a mapping such as {{'name': {next(iter(classes))!r}}}, not {given!r}")
    settings = dict(given)
    name = choose(settings.pop("name", ""), classes, what)
    if classes is OPTIMIZERS:
        _require_rate_in_schedule(settings, name)
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
        # the four below were found by benchmarks/search on validation, the first two among settings drawn at random
        Recipe(
            name="good",
            optimizer=AdamW(weight_decay=0.1, beta1=0.9, beta2=0.99),
            schedule=OneCycle(5e-3),
            epochs=3,
            batch_size=64,
            label_smoothing=0.05,
        ),
        Recipe(
            name="speedrun",
            optimizer=AdamW(weight_decay=0.05, beta1=0.9, beta2=0.99),
            schedule=OneCycle(8e-3, warm_up=0.1),
            epochs=1,
            batch_size=32,
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


def recipe(name: str | os.PathLike[str]) -> Recipe:
    """Return a recipe by name, in any case of letters, or from a TOML file.

    The file has the settings of `Recipe`, as `Recipe.changed` takes them; ``base`` names the one of `RECIPES` that they
    change::

        base = "good"
        epochs = 5
        label_smoothing = 0.1

        [schedule]
        rate = 0.003

        [augmentation]
        shift = 2
        rotation = 12

    Without ``base``, optimizer and schedule must be there. The recipe's name is the file's, unless it states one.

    Raises
    ------
    ConfigurationError
        If the name, or a setting in the file, is unknown (the message names the nearest right one), a setting is out of
        range, or the file cannot be read.
    """
    require(name, (str, os.PathLike), "recipe", "'good', or the path of a TOML file")
    path = Path(name)
    if path.suffix.lower() != ".toml":
        return RECIPES[choose(os.fspath(name), RECIPES, "recipe", " (or name a TOML file that describes one)")]
    settings = read_toml(path)
    if "layers" in settings:
        raise ConfigurationError(f"{path} describes a model, not a recipe; name it in place of MODEL")
    if "base" not in settings and not {"optimizer", "schedule"} <= settings.keys():
        raise ConfigurationError(
            f'{path} names no base; write one, such as base = "good", or both an optimizer and a schedule'
        )
    try:
        base = settings.pop("base", None)
        named = {"name": path.stem, **settings}
        return Recipe.from_dict(named) if base is None else RECIPES[choose(base, RECIPES, "base")].changed(named)
    except ConfigurationError as error:
        raise ConfigurationError(f"{path}: {error}") from error
