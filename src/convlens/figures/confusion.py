"""The confusion matrix of the CNN, which emphasises the errors."""

from __future__ import annotations

from functools import partial

from matplotlib.figure import Figure

from ..claims.reproduction import BEST_CNN, Confusion, Reproduction
from ..wording import seeds
from .context import setting
from .matrix import draw_matrix
from .picture import Picture
from .style import Look

_NAME, _HEADING = "confusion", f"Which digits are taken for which: “{BEST_CNN}”"


def picture(reproduction: Reproduction) -> Picture:
    """Return the confusion matrix of the CNN under the better recipe, summed over its seeds."""
    arm = reproduction.best_cnn()
    confusion = Confusion.of(arm)
    if arm is None or confusion is None:
        return Picture(_NAME, _HEADING, f"No trial of “{BEST_CNN}” with predictions has been stored yet.")
    total, wrong = int(confusion.matrix.sum()), sum(count for _, _, count in confusion.errors)
    n = len(confusion.seeds)
    often = ", ".join(f"{true} called {called} ({count})" for true, called, count in confusion.errors[:5])
    caption = (
        f"Test images by true digit (row) and predicted digit (column), summed over {seeds(n)} of “{BEST_CNN}”: "
        f"{wrong:,} errors in {total:,} predictions. Only errors are coloured; correct ones, on the diagonal, are "
        f"grey, so that they do not hide the errors. Most frequent: {often or 'none'}. " + setting([arm])
    )
    alt = f"Confusion matrix: {wrong:,} errors in {total:,} predictions. Most frequent: {often or 'none'}."
    return Picture(_NAME, _HEADING, caption, alt, partial(_draw, confusion))


def _draw(confusion: Confusion, look: Look) -> Figure:
    digits = [str(digit) for digit in range(len(confusion.matrix))]
    return draw_matrix(confusion.matrix, digits, look, "digit")
