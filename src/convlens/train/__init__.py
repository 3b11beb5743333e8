"""Training: read `recipes`, `loop` (`fit` -> `run_epoch` -> `step`), `scores`, `metrics`, `checkpoint`, `run`."""

from .hooks import Hook
from .loop import fit
from .metrics import Evaluation, evaluate
from .recipes import RECIPES, Recipe, recipe
from .run import Run
from .training import Training

__all__ = ["RECIPES", "Evaluation", "Hook", "Recipe", "Run", "Training", "evaluate", "fit", "recipe"]
