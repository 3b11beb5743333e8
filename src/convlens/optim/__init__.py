"""How parameters change: optimisers and learning-rate schedules, both frozen configuration."""

from .clipping import clip_by_norm
from .optimizers import SGD, Adam, AdamW, Optimizer, OptimizerState
from .schedules import Constant, Cosine, OneCycle, Schedule, StepDecay

OPTIMIZERS: dict[str, type[Optimizer]] = {cls.__name__: cls for cls in (SGD, Adam, AdamW)}
SCHEDULES: dict[str, type[Schedule]] = {cls.__name__: cls for cls in (Constant, Cosine, OneCycle, StepDecay)}

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
    "StepDecay",
    "clip_by_norm",
]
