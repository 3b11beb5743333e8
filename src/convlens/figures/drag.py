"""An image that can be dragged over its pixels in a notebook, and what networks say about it at every place."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from pathlib import Path
from string import Template

import numpy as np

from ..errors import ConfigurationError, ShapeError
from ..lens.shift import over_shifts
from ..nn import Model
from ..typing import Array, UInt8

_PAGE = Path(__file__).with_suffix(".html")


@dataclass(frozen=True, eq=False, repr=False)
class Draggable:
    """The answers of networks to one image, shifted by every number of pixels up to `reach`.

    Attributes
    ----------
    image
        (H, W) grey pixels, 0 to 255.
    class_names
        Of the classes.
    shares
        By name of the network: (2 * reach + 1, 2 * reach + 1, classes), the probabilities for the shift of
        ``i - reach`` pixels down and ``j - reach`` to the right.
    """

    image: UInt8
    class_names: tuple[str, ...]
    shares: Mapping[str, Array]

    def __repr__(self) -> str:
        return f"<Draggable: {_alt(self)}>"

    def _repr_html_(self) -> str:
        """Return HTML that needs nothing else: drag the image with the pointer, or move it with the arrow keys."""
        data = {
            "size": list(self.image.shape),
            "pixels": base64.b64encode(self.image.tobytes()).decode(),
            "classes": list(self.class_names),
            "networks": {
                name: base64.b64encode(np.rint(255 * one).astype(np.uint8).tobytes()).decode()
                for name, one in self.shares.items()
            },
            "reach": len(next(iter(self.shares.values()))) // 2,
        }
        packed = json.dumps(data).replace("<", "\\u003c")  # no name may end the script
        return Template(_PAGE.read_text(encoding="utf-8")).substitute(data=packed, alt=escape(_alt(self)))


def draggable(image: Array, networks: Mapping[str, Model], reach: int = 8) -> Draggable:
    """Return an image to drag in a notebook, beside the answers of networks to it.

    Parameters
    ----------
    image
        (H, W, 1) pixels, uint8.
    networks
        By the name that is shown.
    reach
        How far it can be moved, in pixels, in each direction.

    Raises
    ------
    ConfigurationError
        If there is no network, or they have different classes.
    ShapeError
        If the image is no grey image of pixels, or smaller than what it is moved by.
    """
    names = {model.class_names for model in networks.values()}
    if len(names) != 1:
        raise ConfigurationError("expected one or more networks with the same classes")
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 1 or not 1 <= reach < min(image.shape[:2]):
        raise ShapeError(
            f"expected grey pixels (H, W, 1), uint8, larger than the {reach} pixels that they are moved by, not "
            f"{image.dtype} of shape {image.shape}"
        )
    answers = {name: over_shifts(model, image, reach).probabilities for name, model in networks.items()}
    return Draggable(image[..., 0].copy(), tuple(names.pop() or ()), answers)


def _alt(one: Draggable) -> str:
    middle = len(next(iter(one.shares.values()))) // 2
    said = ", ".join(f"{name}: {one.class_names[int(p[middle, middle].argmax())]}" for name, p in one.shares.items())
    return f"An image that can be dragged. Unmoved it is taken for: {said}."
