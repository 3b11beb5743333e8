"""The classification tables that come with scikit-learn, each pinned by its SHA-256.

Not iris: four columns are too few for a neighbourhood, and 150 rows too few for a difference of a point.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from . import scikit_learn
from .table import Table


@dataclass(frozen=True)
class _Bundled:
    """A table that ``sklearn.datasets`` loads from a file in its package."""

    loader: ClassVar[str]
    sha256: ClassVar[str]

    def table(self) -> Table:
        found = getattr(scikit_learn.part("datasets"), self.loader)()
        rows = np.ascontiguousarray(found.data, np.float64)
        names = tuple(str(name) for name in found.target_names)
        return Table(rows.reshape(len(rows), 1, -1, 1), found.target.astype(np.int64), names)


@dataclass(frozen=True)
class BreastCancer(_Bundled):
    """569 tumours, 30 columns in three groups of ten measurements (mean, error, worst), 2 classes.

    Source: Street, Wolberg & Mangasarian, "Nuclear feature extraction for breast tumor diagnosis", SPIE 1905 (1993).
    """

    loader = "load_breast_cancer"
    sha256 = "57f9c31fdc07ca660d84d4ed7e8f41abe46df6e0238251b01cd2653afa2dce3e"


@dataclass(frozen=True)
class Wine(_Bundled):
    """178 wines, 13 chemical measurements, 3 growers.

    Source: Aeberhard & Forina, "Wine", UCI Machine Learning Repository (1992).
    """

    loader = "load_wine"
    sha256 = "39098a212e682b8ce378ff10346c30517832f11c9cb07964adef60f2053b1330"


@dataclass(frozen=True)
class Digits(_Bundled):
    """1,797 digits, 8 x 8 pixels in one row of 64 columns, 10 classes: a table whose natural order means something.

    Source: Alpaydin & Kaynak, "Optical recognition of handwritten digits", UCI Machine Learning Repository (1998).
    """

    loader = "load_digits"
    sha256 = "f612233932f607bc5596016b2524bb5838b51b7ac0326cc0f5cf6051d31686d4"
