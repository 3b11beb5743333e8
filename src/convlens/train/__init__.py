"""Training: read `recipes`, `loop` (`fit` -> `run_epoch` -> `step`), `batches`, `augmentation`, `metrics`."""

from .augmentation import Augmentation
from .batches import Batch, Batches
from .hooks import Hook
from .loop import fit
from .metrics import Evaluation, evaluate
from .recipes import RECIPES, Recipe, recipe
from .run import Run
from .training import Training

__all__ = [
    "RECIPES",
    "Augmentation",
    "Batch",
    "Batches",
    "Evaluation",
    "Hook",
    "Recipe",
    "Run",
    "Training",
    "evaluate",
    "fit",
    "recipe",
]
