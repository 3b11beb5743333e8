"""How parameters change: optimisers and learning-rate schedules, both frozen configuration."""

from .optimizers import SGD, Adam, AdamW, Optimizer, OptimizerState
from .schedules import Constant, Cosine, OneCycle, Schedule

OPTIMIZERS: dict[str, type[Optimizer]] = {cls.__name__: cls for cls in (SGD, Adam, AdamW)}
SCHEDULES: dict[str, type[Schedule]] = {cls.__name__: cls for cls in (Constant, Cosine, OneCycle)}

__all__ = [
    "OPTIMIZERS",
    "SCHEDULES",
    "SGD",
    "Adam",
    "AdamW",
    "Constant",
    "Cosine",
    "OneCycle",
    "Optimizer",
    "OptimizerState",
    "Schedule",
]
