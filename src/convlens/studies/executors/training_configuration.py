"""The configuration of a training, read and checked: every key is known, and every value in its range."""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from ... import data
from ...data import Dataset
from ...errors import ConfigurationError, ConvlensError, DataError
from ...nn import Model
from ...nn.layers import Layer
from ...nn.serialize import layers_from_data
from ...plain import check_keys
from ...train import Recipe
from ..trial import NAMES, check_seed
from .seeds import SeedChoice, Seeds


@dataclass(frozen=True)
class ModelPart:
    """The model: its layers as plain data."""

    layers: list[Any]


@dataclass(frozen=True)
class DataPart:
    """The data, and what is done with them.

    Parameters
    ----------
    sha256
        What they are.
    validation_fraction
        Share of the training images that is set apart.
    train_images
        Number of training images; None for all.
    permute
        Seed of one shuffle of the pixels, the same for all images; None leaves them in place.
    test
        Whether the test set is read, at the end; a search for settings must not.
    """

    sha256: str
    validation_fraction: float
    train_images: int | None
    permute: int | None
    test: bool

    def __post_init__(self) -> None:
        if not (isinstance(self.sha256, str) and re.fullmatch("[0-9a-f]{64}", self.sha256)):
            raise ConfigurationError(f"sha256 is 64 hexadecimal digits, not {self.sha256!r}")
        fraction = self.validation_fraction
        if not (isinstance(fraction, float) and 0 < fraction < 1):
            raise ConfigurationError(f"validation_fraction is a number between 0 and 1, not {fraction!r}")
        images = self.train_images
        if images is not None and not (type(images) is int and images > 0):
            raise ConfigurationError(f"train_images is a whole number above 0, or None for all, not {images!r}")
        if self.permute is not None:
            check_seed(self.permute, "permute")
        if type(self.test) is not bool:
            raise ConfigurationError(f"test is true or false, not {self.test!r}")


@dataclass(frozen=True)
class SeedsPart(Seeds):
    """The seeds by purpose: a number, the same in every trial, or ``"trial"``, the trial's own seed.

    ``shuffle`` seeds everything drawn during training: the order of the images, augmentation, dropout.
    """

    split: SeedChoice
    subset: SeedChoice
    initialisation: SeedChoice
    shuffle: SeedChoice


@dataclass(frozen=True)
class NamesPart:
    """Display names of model and recipe, and the name or path of the data."""

    model: str
    recipe: str
    data: str

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if not isinstance(value, str):
                raise ConfigurationError(f"{name} is a text, not {value!r}")


@dataclass(frozen=True)
class _Sections:
    """The keys at the top of a configuration."""

    kind: str
    model: Any
    data: Any
    seeds: Any
    recipe: Any
    names: Any


@dataclass(frozen=True)
class TrainingConfiguration:
    """A configuration all parts of which have been checked."""

    layers: tuple[Layer, ...]
    data: DataPart
    seeds: SeedsPart
    recipe: Recipe
    names: NamesPart

    @classmethod
    def read(cls, given: Mapping[str, Any], where: str) -> TrainingConfiguration:
        """Read plain data.

        Raises
        ------
        ConfigurationError
            If a key at any depth is unknown or missing, or a value is out of range.
        """
        check_keys(_Sections, given, where)
        names = _part(NamesPart, given[NAMES], f"{where}: {NAMES}")
        model = _part(ModelPart, given["model"], f"{where}: model")
        seeds = _part(SeedsPart, given["seeds"], f"{where}: seeds")
        wanted = _part(DataPart, given["data"], f"{where}: data")
        settings = _mapping(given["recipe"], f"{where}: recipe")
        if "name" in settings:
            raise ConfigurationError(f"{where}: recipe: unknown key 'name'; its name is in names.recipe")
        described = {"name": names.recipe, **settings}
        check_keys(Recipe, described, f"{where}: recipe")
        try:
            layers, recipe = layers_from_data(model.layers), Recipe.from_dict(described)
        except ConvlensError as error:
            raise ConfigurationError(f"{where}: {error}") from error
        return cls(layers, wanted, seeds, recipe, names)

    def dataset(self, trial_seed: int) -> Dataset:
        """Return the data, split and reduced for the trial with seed `trial_seed`.

        Raises
        ------
        DataError
            If the data found under this name do not have the SHA-256 in the configuration.
        """
        whole = _same_data(
            *(self.names.data, self.data.sha256, self.data.validation_fraction),
            *(self.seeds.of("split", trial_seed), threading.get_ident()),
        )
        wanted, shuffled = self.data.train_images, self.data.permute
        part = whole if wanted is None else whole.subset(wanted, self.seeds.of("subset", trial_seed))
        return part if shuffled is None else part.permuted(shuffled)

    def build(self, dataset: Dataset, trial_seed: int) -> Model:
        """Return the untrained model of the trial with seed `trial_seed`."""
        return Model(
            self.layers,
            dataset.input_shape,
            self.seeds.of("initialisation", trial_seed),
            preprocessing=dataset.preprocessing,
            class_names=dataset.class_names,
        )


def load_data(name: str, validation_fraction: float = 0.1, seed: int = 0) -> Dataset:
    """Load a data set as it is now; all trials get their data here."""
    return data.load(name, validation_fraction=validation_fraction, seed=seed)


@lru_cache(maxsize=2)
def _same_data(name: str, sha256: str, validation_fraction: float, seed: int, thread: int) -> Dataset:
    """Load a data set and check its SHA-256; cached, because successive trials use the same one.

    Each thread has its own, because a data set counts its reads and gathers its images when they are first read.
    """
    del thread
    found = load_data(name, validation_fraction, seed)
    if found.sha256 != sha256:
        raise DataError(
            f"the data {name!r} has changed: a trial was planned with SHA-256 {sha256[:16]}…, and it is now "
            f"{found.sha256[:16]}…; plan the trial again"
        )
    return found


def _part(cls: Any, given: object, where: str) -> Any:
    """Make a part from its keys; every error says where."""
    check_keys(cls, _mapping(given, where), where)
    try:
        return cls(**_mapping(given, where))
    except ConfigurationError as error:
        raise ConfigurationError(f"{where}: {error}") from error


def _mapping(given: object, where: str) -> Mapping[str, Any]:
    if not isinstance(given, Mapping):
        raise ConfigurationError(f"{where} is a mapping of names to values, not {given!r}")
    return given
