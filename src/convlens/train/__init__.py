"""Training. Reading order: `recipes`, `loop` (`fit` -> `run_epoch`), `training` (`step`), `batches`, `hooks`."""

from ..metrics import Evaluation
from ..nn import Model
from .augmentation import Augmentation
from .batches import Batches
from .hooks import Hook
from .loop import fit
from .progress import TrainingProgress
from .recipes import RECIPES, Recipe, recipe
from .run import Run
from .saver import Saver
from .snapshots import Snapshots
from .training import Training

evaluate = Model.evaluate  # evaluate(model, data): the same function under its older name

__all__ = [
    "RECIPES",
    "Augmentation",
    "Batches",
    "Evaluation",
    "Hook",
    "Recipe",
    "Run",
    "Saver",
    "Snapshots",
    "Training",
    "TrainingProgress",
    "evaluate",
    "fit",
    "recipe",
]
