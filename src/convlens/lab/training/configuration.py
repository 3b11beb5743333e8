"""One training as frozen data: the network, the recipe, the data, the seed, and when to stop early."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from ... import data as datasets
from ...data import Dataset
from ...errors import ConfigurationError, ShapeError
from ...nn import Model
from ...nn.serialize import layers_from_data
from ...plain import canonical, check_keys, choose, is_number, plain, require
from ...randomness import checked_seed
from ...train.recipes import RECIPES, Recipe
from .composition import compose, layer_words

LONGEST_TITLE = 60
MOST_SEEDS = 20


@dataclass(frozen=True)
class StopWhen:
    """When to stop before the recipe ends; None: not for that reason.

    Parameters
    ----------
    accuracy
        Of validation, after an epoch: 0 to 1.
    steps
        Taken in all.
    minutes
        Since training was started or taken up again.
    """

    accuracy: float | None = None
    steps: int | None = None
    minutes: float | None = None

    def __post_init__(self) -> None:
        if self.accuracy is not None and not (is_number(self.accuracy) and 0 < self.accuracy <= 1):
            raise ConfigurationError(f"training stops at an accuracy above 0, up to 1, not at {self.accuracy!r}")
        if self.steps is not None and not (type(self.steps) is int and self.steps > 0):
            raise ConfigurationError(f"training stops after a whole number of steps above 0, not after {self.steps!r}")
        if self.minutes is not None and not (is_number(self.minutes) and self.minutes > 0):
            raise ConfigurationError(f"training stops after a number of minutes above 0, not after {self.minutes!r}")


@dataclass(frozen=True)
class Configuration:
    """One training.

    Parameters
    ----------
    layers
        Of the network, as plain data.
    recipe
        How it is trained.
    data
        The name of a data set, or the path of the user's own.
    resize, skip_broken
        Of a folder of images; see `convlens.data.load`.
    share
        Of the training images that are used, above 0, up to 1: a stratified subset.
    seed
        Of the weights, and of the order of the images.
    title
        What the user calls it.
    stop
        When to stop early.
    """

    layers: tuple[Mapping[str, Any], ...]
    recipe: Recipe
    data: str = "mnist"
    resize: int | tuple[int, int] | None = None
    skip_broken: bool = False
    share: float = 1.0
    seed: int = 0
    title: str = ""
    stop: StopWhen = field(default_factory=StopWhen)

    def __post_init__(self) -> None:
        object.__setattr__(self, "seed", checked_seed(self.seed))
        if not isinstance(self.data, str) or not self.data:
            raise ConfigurationError(f"data is the name of a data set, or a path, not {self.data!r}")
        object.__setattr__(self, "resize", _size(self.resize))
        require(self.skip_broken, bool, "skip_broken", "True")
        if not (is_number(self.share) and 0 < self.share <= 1 and math.isfinite(self.share)):
            raise ConfigurationError(f"the share of the training images is above 0, up to 1, not {self.share!r}")
        if not isinstance(self.title, str) or len(self.title) > LONGEST_TITLE or not (self.title or "x").isprintable():
            raise ConfigurationError(f"a title has at most {LONGEST_TITLE} printable characters, not {self.title!r}")

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON."""
        return {
            "layers": plain(self.layers, "layers"),
            "recipe": self.recipe.to_dict(),
            "data": self.data,
            **({} if self.resize is None else {"resize": plain(self.resize, "resize")}),
            **({"skip_broken": True} if self.skip_broken else {}),
            "share": self.share,
            "seed": self.seed,
            "title": self.title,
            "stop": asdict(self.stop),
        }

    @classmethod
    def from_dict(cls, given: Mapping[str, Any]) -> Configuration:
        """Read what `to_dict` wrote, or what the page sends: there a recipe may be ``{"base": "good"}`` and changes.

        Raises
        ------
        ConfigurationError
            If a key is unknown or missing, or a value is out of range.
        """
        check_keys(cls, given, "training")
        stop = given.get("stop") or {}
        check_keys(StopWhen, stop, "stop")
        layers = given["layers"]
        if not isinstance(layers, list | tuple) or not all(isinstance(one, Mapping) for one in layers):
            raise ConfigurationError(f"layers are a list such as [{{'layer': 'Flatten'}}], not {layers!r}")
        kept = tuple(plain(one, "layer") for one in layers)
        return cls(**{**given, "layers": kept, "recipe": _recipe(given["recipe"]), "stop": StopWhen(**stop)})

    @property
    def group(self) -> str:
        """What the seeds of one configuration share: 12 hexadecimal digits of its SHA-256."""
        decisive = {key: value for key, value in self.to_dict().items() if key not in ("seed", "title", "stop")}
        return hashlib.sha256(canonical(decisive).encode()).hexdigest()[:12]

    def dataset(self) -> Dataset:
        """Return the data set, with the share of its training images.

        Raises
        ------
        ConfigurationError, DataError
            If it is not there, or damaged; see `convlens.data.load`.
        """
        found = dataset_of(self.data, self.resize, skip_broken=self.skip_broken)
        if self.share == 1:
            return found
        wanted = round(self.share * len(found.train))
        return found.subset(min(len(found.train), max(len(found.class_names), wanted)))

    def check(self) -> None:
        """Raise what a training would, as far as that is known beforehand: ShapeError names the layer, from 1."""
        dataset = self.dataset()
        found = compose(list(self.layers), dataset.input_shape, len(dataset.class_names))
        if found.problem:
            where = "" if found.at is None else f"{layer_words(found.at)}: "
            raise ShapeError(where + found.problem)

    def model(self, dataset: Dataset) -> Model:
        """Return the untrained network."""
        return Model(
            layers_from_data(list(self.layers)), dataset.input_shape, self.seed, class_names=dataset.class_names
        )


def requested(given: Mapping[str, Any]) -> list[Configuration]:
    """Return the trainings that the page asks for, one for each seed.

    Parameters
    ----------
    given
        What `Configuration.from_dict` takes, with ``seeds``, a list, in place of ``seed``.

    Raises
    ------
    ConfigurationError
        If something is out of range; whether the network suits the data is left to `Configuration.check`.
    """
    seeds = given.get("seeds", [0])
    if not isinstance(seeds, list) or not 1 <= len(seeds) <= MOST_SEEDS or len(set(map(str, seeds))) < len(seeds):
        raise ConfigurationError(f"seeds are a list of 1 to {MOST_SEEDS} different numbers, not {seeds!r}")
    rest = {key: value for key, value in given.items() if key != "seeds"}
    return [Configuration.from_dict({**rest, "seed": seed}) for seed in seeds]


def _recipe(given: object) -> Recipe:
    if isinstance(given, Mapping) and "base" in given:
        changes = {key: value for key, value in given.items() if key != "base"}
        return RECIPES[choose(given["base"], RECIPES, "recipe")].changed(changes)
    if not isinstance(given, Mapping):
        raise ConfigurationError(f"a recipe is a mapping such as {{'base': 'good', 'epochs': 3}}, not {given!r}")
    return Recipe.from_dict(given)


def dataset_of(name: str, resize: object = None, *, skip_broken: bool = False) -> Dataset:
    """Return a data set by name or path, as one types or pastes it; the last two stay in memory until they change.

    Raises
    ------
    ConfigurationError, DataError
        If it is not there, or damaged; see `convlens.data.load`.
    """
    require(name, str, "data", "'mnist', or the path of your own")
    require(skip_broken, bool, "skip_broken", "True")
    text = name.strip().strip("\"'")
    if text in datasets.names():
        return _dataset(text, 0.0, _size(resize), skip_broken)
    try:
        path = Path(text).expanduser()
        changed = max(one.stat().st_mtime for one in _folders(path))
    except (OSError, RuntimeError, ValueError):
        return _dataset(name, 0.0, _size(resize), skip_broken)  # which loading will report
    return _dataset(str(path), changed, _size(resize), skip_broken)


def _folders(path: Path) -> Iterator[Path]:
    """Return a path and, of a folder, the folders in it and in those: where images come and go."""
    yield path
    for level in ("*/", "*/*/"):
        yield from path.glob(level)


def _size(resize: object) -> int | tuple[int, int] | None:
    """Return height and width to resize to; what else it has to be, `convlens.data.load` knows."""
    if resize is None or type(resize) is int:
        return resize
    if isinstance(resize, list | tuple) and len(resize) == 2 and all(type(side) is int for side in resize):
        return resize[0], resize[1]
    raise ConfigurationError(f"resize is a whole number of pixels, or two (height, width), not {resize!r}")


@lru_cache(maxsize=2)
def _dataset(name: str, changed: float, resize: int | tuple[int, int] | None, skip_broken: bool) -> Dataset:  # noqa: FBT001
    del changed  # of the key alone
    return datasets.load(name, resize=resize, skip_broken=skip_broken)
