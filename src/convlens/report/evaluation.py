"""The figures of one evaluation: confusion matrix, reliability diagram, and the most wrong images."""

from __future__ import annotations

from collections.abc import Sequence

from ..figures.matrix import draw_matrix
from ..figures.reliability import draw_reliability
from ..figures.style import Look, png
from ..figures.wrong import Tile, draw_wrong
from ..metrics import Evaluation, WrongImage
from ..typing import UInt8


def evaluation_figures(
    evaluation: Evaluation,
    images: UInt8,
    names: Sequence[str],
    most_wrong: Sequence[WrongImage],
    look: Look | None = None,
) -> dict[str, bytes]:
    """Return the figures of an evaluation as PNG by file name.

    Parameters
    ----------
    evaluation
        The model's evaluation on the images.
    images
        (N, H, W, C) uint8: all of them.
    names
        Names of the K classes.
    most_wrong
        The wrong images to show; see `Evaluation.most_wrong`.
    look
        By default light and wide.
    """
    chosen = look or Look()
    tiles = [
        Tile(images[one.index], one.index, names[one.label], names[one.prediction], one.confidence)
        for one in most_wrong
    ]
    coloured = images.shape[3] == 3
    with chosen.applied():
        return {
            "confusion.png": png(draw_matrix(evaluation.confusion, names, chosen, "class")),
            "calibration.png": png(draw_reliability(evaluation.calibration, chosen)),
            "wrong.png": png(draw_wrong(tiles, evaluation.wrong, evaluation.images, chosen), palette=not coloured),
        }
