"""How good predictions are: `evaluation` (all results on a set of images) uses `scores`. Arrays in, no model needed."""

from .evaluation import Evaluation, WrongImage, require_finite
from .scores import (
    Calibration,
    CalibrationBin,
    ClassScores,
    MacroScores,
    calibrated_error,
    calibration,
    class_scores,
    confusion_matrix,
    macro_scores,
    wilson_interval,
)

__all__ = [
    "Calibration",
    "CalibrationBin",
    "ClassScores",
    "Evaluation",
    "MacroScores",
    "WrongImage",
    "calibrated_error",
    "calibration",
    "class_scores",
    "confusion_matrix",
    "macro_scores",
    "require_finite",
    "wilson_interval",
]
