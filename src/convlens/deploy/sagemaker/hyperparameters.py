"""The hyperparameters of a training on SageMaker: strings all of them, read strictly."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Mapping
from typing import Any

from ...errors import ConfigurationError
from ...plain import check_keys
from ...randomness import LARGEST_SEED


@dataclasses.dataclass(frozen=True)
class Hyperparameters:
    """What ``convlens train`` has as options, under the same names with underscores.

    Attributes
    ----------
    model
        ``baseline``, ``baseline-wide``, ``baseline-flops``, ``local`` or ``cnn``.
    recipe
        A name of `convlens.train.RECIPES`, which the next six change.
    epochs, batch_size, learning_rate, label_smoothing, average, patience
        As in `convlens.train.Recipe`; `learning_rate` is the schedule's rate, `average` the decay of the mean weights.
    seed
        Of the initial weights, and of the order of the images.
    train_images, validation_fraction
        The size of a stratified subset, and the share kept for validation.
    skip_broken, resize
        Of a folder of images; see `convlens.data.load`.
    kernel_size, filters, padding, pooling
        Of the architecture; `filters` are numbers with commas.
    """

    model: str = "cnn"
    recipe: str = "good"
    epochs: int | None = None
    batch_size: int | None = None
    learning_rate: float | None = None
    label_smoothing: float | None = None
    average: float | None = None
    patience: int | None = None
    seed: int = 0
    train_images: int | None = None
    validation_fraction: float = 0.1
    skip_broken: bool = False
    resize: int | None = None
    kernel_size: int | None = None
    filters: list[int] | None = None
    padding: str | None = None
    pooling: str | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.seed <= LARGEST_SEED:
            raise ConfigurationError(f"hyperparameter seed is a whole number from 0 to 2**63 - 1, not {self.seed}")

    @classmethod
    def from_strings(cls, given: object) -> Hyperparameters:
        """Read what ``hyperparameters.json`` holds.

        Parameters
        ----------
        given
            Strings by name. Names that begin with ``sagemaker_`` or ``_`` are SageMaker's own, and ignored. Its SDK
            writes a string as JSON, in quotes; it is taken with and without.

        Raises
        ------
        ConfigurationError
            If a name is unknown (the message names the nearest right one), or a value is not of its kind.
        """
        if isinstance(given, Mapping):
            given = {name: value for name, value in given.items() if not str(name).startswith(("sagemaker_", "_"))}
        check_keys([field.name for field in dataclasses.fields(cls)], given, "hyperparameters")
        assert isinstance(given, Mapping)
        kinds = {field.name: str(field.type).removesuffix(" | None") for field in dataclasses.fields(cls)}
        return cls(**{name: _read(name, value, kinds[name]) for name, value in given.items()})

    def recipe_changes(self) -> dict[str, Any]:
        """Return what changes the recipe, as `convlens.train.Recipe.changed` takes it."""
        changes: dict[str, Any] = {
            "epochs": self.epochs,
            "batch_size": self.batch_size,
            "schedule": None if self.learning_rate is None else {"rate": self.learning_rate},
            "label_smoothing": self.label_smoothing,
            "ema_decay": self.average,
            "patience": self.patience,
        }
        return {key: value for key, value in changes.items() if value is not None}

    def architecture(self) -> dict[str, Any]:
        """Return the options of the architecture that were given."""
        names = ("kernel_size", "filters", "padding", "pooling")
        return {name: value for name in names if (value := getattr(self, name)) is not None}


def _truth(text: str) -> bool:
    """Return a truth value, in any case of letters."""
    return {"true": True, "false": False}[text.casefold()]


def _numbers(text: str) -> list[int]:
    return [int(part) for part in text.strip("[]").split(",")]


_READERS: dict[str, tuple[Callable[[str], Any], str]] = {
    "str": (str, "a word"),
    "int": (int, "a whole number"),
    "float": (float, "a number"),
    "bool": (_truth, "true or false"),
    "list[int]": (_numbers, "whole numbers with commas, such as 16,32"),
}


def _read(name: str, value: object, kind: str) -> Any:
    """Return the value of a string; ConfigurationError says what was expected and what came."""
    read, expected = _READERS[kind]
    text = value
    if isinstance(value, str) and value.startswith('"'):
        try:
            text = json.loads(value)
        except ValueError:
            text = None
    try:
        if not isinstance(text, str):
            raise TypeError
        return read(text.strip())
    except (KeyError, TypeError, ValueError):
        raise ConfigurationError(f"hyperparameter {name} is {expected}, in a string, not {value!r}") from None
