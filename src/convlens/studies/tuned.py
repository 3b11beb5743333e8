"""Tuned learning rates: every arm of a study is trained with the peak rate that suits it.

`convlens.studies.tuning` finds the rates on validation and keeps them in ``tuned.json``; `tuned` looks one up::

    Arm("5x5", tuned(configuration(CNN(5))))

A rate is looked up by what decides it: layers, data, split, permutation, and the recipe but its rate and number of
epochs. So a network that occurs in several studies is tuned once. It is tuned at one size (`PROTOCOL`) and used at all:
trials with more or fewer images, or more epochs, have the rate that was found there.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from ..errors import ArtifactError, ConfigurationError, ConvlensError
from ..plain import canonical, check_keys, places, plain, replaced
from ..version import NUMERICS_VERSION

TUNED = Path(__file__).with_name("tuned.json")
"""The tuned rates that come with the package."""

RATE = "recipe.schedule.rate"
_NOT_IN_THE_KEY = {"data": ("train_images", "test"), "recipe": ("epochs",)}


@dataclass(frozen=True)
class Protocol:
    """How rates are tuned: the same for every arm.

    Parameters
    ----------
    numerics_version
        Version of the arithmetic.
    train_images
        Size of the stratified subset of the training images; all of them where the data have fewer.
    epochs
        Passes over these.
    seeds
        The tuning seeds, of subset, initial weights and order of the images; no profile uses them.
    grid
        The rates tried, each twice the one before. Recipe ``good``, at 54,000 images, has 0.005; fewer steps want more.
    """

    numerics_version: int = NUMERICS_VERSION
    train_images: int = 6_000
    epochs: int = 3
    seeds: tuple[int, ...] = (9_001, 9_002, 9_003)
    grid: tuple[float, ...] = (0.0025, 0.005, 0.01, 0.02, 0.04, 0.08)


PROTOCOL = Protocol()


@dataclass(frozen=True)
class TunedRate:
    """The rate of one network on one data set, and the grid that it was chosen from.

    Parameters
    ----------
    names
        Display names: ``model``, ``recipe``, ``data``.
    accuracy, loss
        Means over the tuning seeds on validation, one for each rate of the grid.
    rate
        The winner: the highest accuracy; of equal ones, the lowest loss, then the lowest rate.
    """

    names: Mapping[str, str] = field(hash=False)
    accuracy: tuple[float, ...]
    loss: tuple[float, ...]
    rate: float

    @classmethod
    def chosen(cls, names: Mapping[str, str], accuracy: tuple[float, ...], loss: tuple[float, ...]) -> TunedRate:
        """Return the winner of the grid."""
        best = min(range(len(PROTOCOL.grid)), key=lambda place: (-accuracy[place], loss[place]))
        return cls(names, accuracy, loss, PROTOCOL.grid[best])

    @property
    def at_edge(self) -> bool:
        """Whether it is the lowest or the highest of the grid: a better one may lie beyond."""
        return self.rate in (PROTOCOL.grid[0], PROTOCOL.grid[-1])


def tuned(configuration: Mapping[str, Any]) -> dict[str, Any]:
    """Return a training's configuration with the learning rate that was tuned for it.

    If it has not been tuned yet, the rate is None: the study can be described and tuned, but not run (see
    `require_tuned`).

    Raises
    ------
    ConfigurationError
        If the configuration is not one of a training.
    """
    if configuration.get("kind") != "training":
        raise ConfigurationError(
            f"only a training has a learning rate to tune, not the kind {configuration.get('kind')!r}; of a "
            "measurement, tune the training that it names"
        )
    found = read_rates().get(rate_key(configuration))
    return replaced(configuration, {RATE: None if found is None else found.rate})


def require_tuned(configuration: Mapping[str, Any], study: str, where: str) -> None:
    """Raise ConfigurationError, which names the command that tunes it, if a rate within a configuration is missing."""
    if any(RATE in places(one) and one["recipe"]["schedule"]["rate"] is None for one in trainings(configuration)):
        raise ConfigurationError(
            f"{where}: no learning rate has been tuned for it{_why_none()}; run: convlens study tune {study}"
        )


def trainings(configuration: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield the trainings in a configuration: itself, or those that a measurement names."""
    if configuration.get("kind") == "training":
        yield configuration
        return
    for value in configuration.values():
        if isinstance(value, Mapping):
            yield from trainings(value)


def rate_key(configuration: Mapping[str, Any]) -> str:
    """Return 16 hexadecimal digits for what decides a training's best rate: see this module's introduction."""
    content = {
        "model": configuration["model"],
        **{
            part: {
                key: value for key, value in configuration[part].items() if key not in left_out and value is not None
            }
            for part, left_out in _NOT_IN_THE_KEY.items()
        },
    }
    schedule = {key: value for key, value in content["recipe"]["schedule"].items() if key != "rate"}
    content["recipe"] = {**content["recipe"], "schedule": schedule}
    return hashlib.sha256(canonical(content, "configuration").encode()).hexdigest()[:16]


def read_rates(path: Path | None = None) -> dict[str, TunedRate]:
    """Return the tuned rates by `rate_key`; none if the file is of another protocol, or there is no file.

    Raises
    ------
    ArtifactError
        If the file is damaged.
    """
    protocol, rates = _read(path or TUNED)
    return dict(rates) if protocol == plain(asdict(PROTOCOL), "protocol") else {}


def rates_file(rates: Mapping[str, TunedRate]) -> bytes:
    """Return the contents of a file of tuned rates: JSON, sorted, one line for each network."""
    lines = ",\n".join(f'  "{key}": {json.dumps(asdict(rate), sort_keys=True)}' for key, rate in sorted(rates.items()))
    return f'{{"protocol": {json.dumps(asdict(PROTOCOL), sort_keys=True)},\n "rates": {{\n{lines}\n}}}}\n'.encode()


def _read(path: Path) -> tuple[Any, Mapping[str, TunedRate]]:
    try:
        return _parsed(path, path.stat().st_mtime_ns)
    except FileNotFoundError:
        return None, {}


@lru_cache(maxsize=4)
def _parsed(path: Path, changed: int) -> tuple[Any, Mapping[str, TunedRate]]:
    """Read a file; `changed`, its time, makes one that was written anew another one."""
    del changed
    try:
        content = json.loads(path.read_bytes())
        check_keys(("protocol", "rates"), content, str(path))
        return content["protocol"], {key: _rate(one, f"{path}: {key}") for key, one in content["rates"].items()}
    except (ValueError, KeyError, TypeError, ConvlensError) as error:
        raise ArtifactError(f"{path} is damaged ({error}); make it again: convlens study tune") from error


def _rate(given: Mapping[str, Any], where: str) -> TunedRate:
    check_keys(TunedRate, given, where)
    return TunedRate(**{**given, "accuracy": tuple(given["accuracy"]), "loss": tuple(given["loss"])})


def _why_none() -> str:
    protocol, _ = _read(TUNED)
    return "" if protocol in (None, plain(asdict(PROTOCOL), "protocol")) else " since the protocol of tuning changed"
