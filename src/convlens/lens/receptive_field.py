"""How much of the image a unit sees: in theory, and measured by its gradients."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..errors import ShapeError
from ..nn import Model
from ..program import ReceptiveField
from ..randomness import stream
from ..typing import FloatArray
from .gradient import input_gradient
from .result import Result, Table
from .values import checked, find

SHARE = 0.9545  # of a normal distribution, within two standard deviations


@dataclass(frozen=True, eq=False)
class EffectiveField(Result):
    """The theoretical and the effective receptive field of a node's centre.

    Attributes
    ----------
    node
        Its name.
    images
        Number of images.
    theoretical
        (height, width) in pixels, from the windows alone, cut to the image; all of it after a layer that sees all.
    energy
        (H, W): mean over images, sum over input channels, of the squared gradient of the centre. It sums to 1, or is 0
        throughout if the centre depends on no pixel (a ReLU that is off for every image).
    side
        Side of a square with as many pixels as the smallest set of pixels that holds 95.45 % of the energy.
    spread
        2 * sqrt(variance) of the energy's position, (down, right), in pixels.
    """

    node: str
    images: int
    theoretical: tuple[int, int]
    energy: FloatArray
    side: float
    spread: tuple[float, float]

    @property
    def filled(self) -> float:
        """Side of the effective field over that of the theoretical one: 0 to 1."""
        return self.side / math.sqrt(math.prod(self.theoretical))

    def table(self) -> Table:
        rows = [
            ("theoretical", "{} x {}".format(*self.theoretical)),
            ("effective: side of 95.45 % of the energy", f"{self.side:.1f}"),
            ("effective: 2 sqrt(variance), down and right", "{:.1f}, {:.1f}".format(*self.spread)),
        ]
        return f"receptive field of {self.node}, in pixels ({self.images:,} images)", ("", "pixels"), rows


def receptive_field(model: Model, node: str, images: npt.ArrayLike, seed: int = 0) -> EffectiveField:
    """Measure which pixels the centre of a node's map depends on.

    Each image's gradient is that of a sum over the centre's channels with weights drawn from a normal distribution, a
    new draw for each image: its squares have the mean of the sum over channels of the squared derivatives. For a flat
    value the sum is over all units. The theoretical field is Araujo's (`convlens.program.ReceptiveField`).

    Source: Luo et al., "Understanding the effective receptive field in deep convolutional neural networks", NIPS 2016:
    it is smaller than the theoretical one, and nearly Gaussian. There the 95.45 % are those of the value at the centre;
    here they are of the energy, which needs no Gaussian.

    Parameters
    ----------
    model
        With its initial or trained weights.
    node
        Name of a node.
    images
        As for `Model.logits`, at least one.
    seed
        Of the weights; they depend on seed and node alone.

    Raises
    ------
    ConfigurationError
        If the node is unknown.
    ShapeError
        If there are no images.

    Examples
    --------
    >>> from convlens import lens, models
    >>> found = lens.receptive_field(models.build("cnn"), "conv2", np.full((5, 28, 28, 1), 100, np.uint8))
    >>> found.theoretical, 4 < found.side < 8
    ((8, 8), True)
    """
    batch, shape = checked(model, images), find(model.program, node).output_shape
    if not len(batch):
        raise ShapeError("the receptive field is measured with at least one image")
    draws = stream(seed, "measure", f"receptive field of {node}").standard_normal((len(batch), shape[-1]))
    weights = np.zeros((len(batch), *shape))
    if len(shape) == 3:
        weights[:, shape[0] // 2, shape[1] // 2] = draws
    else:
        weights[...] = draws
    gradient = input_gradient(model, batch, weights, node).astype(np.float64)
    energy = np.square(gradient).sum(axis=3).sum(axis=0)  # (H, W)
    total = energy.sum()
    energy = energy / total if total > 0 else energy
    return EffectiveField(node, len(batch), _theoretical(model, node), energy, _side(energy), _spread(energy))


def _theoretical(model: Model, node: str) -> tuple[int, int]:
    height, width, _ = model.input_shape
    field: ReceptiveField = model.program.receptive_fields()[node]
    if field.everything or field.scattered:
        return height, width
    return min(field.height, height), min(field.width, width)


def _side(energy: FloatArray) -> float:
    """Return the square root of the number of pixels, the strongest first, that hold `SHARE` of the energy."""
    held = np.cumsum(np.sort(energy, axis=None)[::-1])
    if held[-1] == 0:
        return 0.0
    return math.sqrt(int(np.searchsorted(held, SHARE * held[-1])) + 1)


def _spread(energy: FloatArray) -> tuple[float, float]:
    """Return twice the standard deviation of the position, down and right."""
    found = []
    for line in (energy.sum(axis=1), energy.sum(axis=0)):
        places, total = np.arange(len(line)), line.sum()
        mean = (line * places).sum() / total if total > 0 else 0.0
        found.append(2 * math.sqrt((line * (places - mean) ** 2).sum() / total) if total > 0 else 0.0)
    return found[0], found[1]
