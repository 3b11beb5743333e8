"""Find out whether images are like MNIST's: light ink on black, scaled to one box and centred by mass.

A network trained on such images has seen nothing else, so any other picture must be made like them first (see
`digits`). The pixels decide, not the names of the classes: ten textures named 0 to 9 are no pen digits, and letters
that were prepared as MNIST's digits were need the same preparation.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from ..preprocessing import BOX
from ..typing import BoolArray, FloatArray, UInt8

BOXES = (BOX, 20 / 32)  # of MNIST, and of MNIST padded to 32 x 32, as for LeNet
SHARE = 0.9  # of the images that must be like MNIST's; of MNIST's own, more than 0.99 are, and 0.98 saved as JPEG

_BLACK = 16  # grey levels: the border of an image on black has no lighter median, even after JPEG compression
_BRIGHT = 64  # grey levels: the lightest pixel of an image with ink has at least this
_FULLEST = 0.6  # share of the image that ink can cover


def box_of(images: Iterable[UInt8]) -> float | None:
    """Return the box of images, each (H, W, C) uint8, if nearly all are prepared as MNIST's are; None if they are not.

    The box is the share of an image's shorter side that the longer side of the ink takes.

    Stops reading where the first 40 show that they are not: they may be large photographs.
    """
    seen, alike = 0, dict.fromkeys(BOXES, 0)
    for image in images:
        seen += 1
        for box in BOXES:
            alike[box] += prepared(image, box)
        if seen >= 40 and max(alike.values()) < seen / 2:
            return None
    found = max(BOXES, key=alike.__getitem__)
    return found if seen > 0 and alike[found] >= SHARE * seen else None


def prepared(image: UInt8, box: float = BOX) -> bool:
    r"""Whether an image (H, W, C) is light on black, of MNIST's scale, and centred by mass.

    With :math:`s = \min(H, W)`, of the ink (what is lighter than a quarter of the lightest pixel) the longer side is
    :math:`box \cdot s` within 6 % and a pixel, and the centre of mass is the image's centre within :math:`s/28`, but
    at least 0.6 pixels. The tolerances admit MNIST resized, or compressed as JPEG.
    """
    height, width, channels = image.shape
    if channels not in {1, 3} or min(height, width) < 8 or (image != image[..., :1]).any():
        return False
    grey = image[..., 0]
    brightest = int(grey.max())
    frame = np.concatenate((grey[0], grey[-1], grey[:, 0], grey[:, -1]))
    if brightest < _BRIGHT or np.median(frame) > _BLACK:
        return False
    ink: BoolArray = grey > brightest // 4
    if ink.mean() > _FULLEST:
        return False
    shorter = min(height, width)
    wanted, off = box * shorter, max(0.6, shorter / 28)
    row, column = _centre(np.where(ink, grey, 0).astype(np.float64))
    side = max(_span(ink, 0), _span(ink, 1))
    return bool(abs(side - wanted) <= 0.06 * wanted + 1 and max(abs(row - height / 2), abs(column - width / 2)) <= off)


def _span(ink: BoolArray, axis: int) -> int:
    """Return the number of pixels from the first that has ink to the last, along an axis."""
    found = np.flatnonzero(ink.any(axis=1 - axis))
    return int(found[-1] - found[0]) + 1


def _centre(values: FloatArray) -> tuple[float, float]:
    """Return row and column of the centre of mass, counted from the middle of pixel (0, 0)."""
    height, width = values.shape
    total = values.sum()
    return float(values.sum(axis=1) @ np.arange(height) / total), float(values.sum(axis=0) @ np.arange(width) / total)
