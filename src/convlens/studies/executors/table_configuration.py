"""The configuration of a trial on a table, read and checked: every key is known, and every value in its range."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from ... import tables
from ...errors import ConfigurationError, ConvlensError
from ...plain import check_keys, check_name, choose, places, replaced
from ...randomness import stream
from ...typing import FloatArray
from ..trial import NAMES
from .seeds import SeedChoice, Seeds
from .table_models import MODELS, TableModel


@dataclass(frozen=True)
class TablePart:
    """Which table, and what of it the model is given: its ``rows``, or its ``features``."""

    name: str
    settings: Mapping[str, Any]
    sha256: str
    view: str

    def __post_init__(self) -> None:
        if not (isinstance(self.sha256, str) and re.fullmatch("[0-9a-f]{64}", self.sha256)):
            raise ConfigurationError(f"sha256 is 64 hexadecimal digits, not {self.sha256!r}")
        tables.source(self.name, self.settings)
        choose(self.view, ("rows", "features"), "view")


@dataclass(frozen=True)
class ResamplingPart:
    """Number of folds, and the share of a fold's training rows on which its candidate is chosen."""

    folds: int
    validation_fraction: float

    def __post_init__(self) -> None:
        if type(self.folds) is not int or not 2 <= self.folds <= 100:
            raise ConfigurationError(f"folds is a whole number from 2 to 100, not {self.folds!r}")
        fraction = self.validation_fraction
        if not (isinstance(fraction, float) and 0 < fraction < 1):
            raise ConfigurationError(f"validation_fraction is a number between 0 and 1, not {fraction!r}")


@dataclass(frozen=True)
class SeedsPart(Seeds):
    """The seeds by purpose: a number, the same in every trial, or ``"trial"``, the trial's own.

    ``folds`` assigns rows to folds, ``columns`` permutes the columns (None: they stay in their natural order), and
    ``model`` is for what a model draws.
    """

    optional: ClassVar[tuple[str, ...]] = ("columns",)

    folds: SeedChoice
    columns: SeedChoice | None
    model: SeedChoice


@dataclass(frozen=True)
class NamesPart:
    """Display names of table and model."""

    table: str
    model: str

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            check_name(value, f"the {name}")


@dataclass(frozen=True)
class _Sections:
    """The keys at the top of a configuration."""

    kind: str
    table: Any
    model: Any
    candidates: Any
    resampling: Any
    seeds: Any
    names: Any


@dataclass(frozen=True)
class TableConfiguration:
    """A configuration all parts of which have been checked; `models` are the candidates, in their order."""

    table: TablePart
    models: tuple[TableModel, ...]
    resampling: ResamplingPart
    seeds: SeedsPart
    names: NamesPart

    @classmethod
    def read(cls, given: Mapping[str, Any], where: str) -> TableConfiguration:
        """Read plain data.

        Raises
        ------
        ConfigurationError
            If a key at any depth is unknown or missing, or a value is out of range.
        """
        check_keys(_Sections, given, where)
        return cls(
            _part(TablePart, given["table"], f"{where}: table"),
            _models(given["model"], given["candidates"], where),
            _part(ResamplingPart, given["resampling"], f"{where}: resampling"),
            _part(SeedsPart, given["seeds"], f"{where}: seeds"),
            _part(NamesPart, given[NAMES], f"{where}: {NAMES}"),
        )

    @property
    def needs_scikit_learn(self) -> bool:
        """Whether table or model come from scikit-learn, whose results may differ between versions and processors."""
        return self.models[0].needs_scikit_learn or self.table.name in tables.BUNDLED

    def load(self) -> tables.Table:
        """Return the table, checked against its SHA-256."""
        return tables.load(self.table.name, self.table.settings, self.table.sha256)

    def columns(self, table: tables.Table, trial_seed: int) -> FloatArray:
        """Return what the model is given, (N, H, W, C), the columns permuted if that is asked for."""
        rows = table.view(self.table.view)
        if self.seeds.columns is None:
            return rows
        flat = rows.reshape(len(rows), -1)
        draw = stream(self.seeds.of("columns", trial_seed), "shuffle", "columns")
        order: np.ndarray[Any, np.dtype[np.int64]] = draw.permutation(flat.shape[1])
        return flat[:, order].reshape(rows.shape)


def _models(model: Any, candidates: Any, where: str) -> tuple[TableModel, ...]:
    """Return one model for each candidate: the model's settings with some replaced."""
    if not isinstance(model, Mapping) or "kind" not in model:
        raise ConfigurationError(f"{where}: model is a mapping with a 'kind'; known: {', '.join(MODELS)}")
    if not isinstance(candidates, list | tuple) or not candidates:
        raise ConfigurationError(f"{where}: candidates is a list of one or more mappings, not {candidates!r}")
    cls = MODELS[choose(model["kind"], MODELS, f"{where}: kind of model")]
    settings = {key: value for key, value in model.items() if key != "kind"}
    found = []
    for number, changed in enumerate(candidates):
        here = f"{where}: candidates[{number}]"
        check_keys(sorted(places(settings)), changed, here)
        found.append(_part(cls, replaced(settings, changed), f"{where}: model"))
    return tuple(found)


def _part(cls: Any, given: object, where: str) -> Any:
    """Make a part from its keys; every error says where."""
    check_keys(cls, given, where)
    try:
        return cls(**given)  # type: ignore[arg-type] # check_keys: a mapping
    except ConvlensError as error:
        raise ConfigurationError(f"{where}: {error}") from error
