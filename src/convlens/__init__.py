"""convlens: a laboratory for finding out why convolutional layers work, and when they do not.

Written from scratch on NumPy.

>>> import convlens as cl
>>> digits = cl.data.load("mnist")
>>> model = cl.models.build("cnn", kernel_size=3, seed=0)
>>> run = cl.train.fit(model, digits, epochs=3)  # doctest: +SKIP

Rooms are loaded when they are first used, so that importing convlens is quick.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from .version import NUMERICS_VERSION, __version__

if TYPE_CHECKING:  # what a type checker and an editor see; at run time, __getattr__ below
    from . import claims as claims
    from . import data as data
    from . import engine as engine
    from . import figures as figures
    from . import lens as lens
    from . import metrics as metrics
    from . import models as models
    from . import nn as nn
    from . import ops as ops
    from . import optim as optim
    from . import pictures as pictures
    from . import predictor as predictor
    from . import report as report
    from . import studies as studies
    from . import train as train
    from . import verification as verification
    from .nn import load as load
    from .predictor import Predictor as Predictor

_ROOMS = (
    "claims",
    "data",
    "engine",
    "figures",
    "lens",
    "metrics",
    "models",
    "nn",
    "ops",
    "optim",
    "pictures",
    "predictor",
    "report",
    "studies",
    "train",
    "verification",
)

__all__ = ["NUMERICS_VERSION", "Predictor", "__version__", "load", *_ROOMS]


def __getattr__(name: str) -> Any:
    if name in _ROOMS:
        return importlib.import_module(f".{name}", __name__)
    if name == "load":
        return importlib.import_module(".nn", __name__).load
    if name == "Predictor":
        return importlib.import_module(".predictor", __name__).Predictor
    raise AttributeError(f"module 'convlens' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
