"""What padding tells a network about position.

A convolution treats all positions alike, but its padding does not: beside it, maps differ from those further inside.
Kernels that look at such values pass the difference on, layer by layer. Source: Islam, Jia & Bruce, "How much position
information do convolutional neural networks encode?", ICLR 2020; Kayhan & van Gemert, "On translation invariance in
CNNs", CVPR 2020.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..errors import ConfigurationError
from ..nn import Model
from ..randomness import stream
from ..typing import FloatArray
from .result import Result, Table
from .values import find, value

_RIDGE = 1e-3
_ROUNDING = 1e-5  # of the largest value: a channel that varies less does so by rounding


@dataclass(frozen=True)
class PositionInformation(Result):
    """How well a pixel's row and column can be read off its channels.

    Each is R**2 of a linear readout, on pixels that it was not fitted to: 1 if the position can be read off exactly, 0
    if the mean position is as good a guess, below 0 if it is a better one.

    Attributes
    ----------
    node
        Name of the map.
    blank_row, blank_column
        On a blank image, where nothing but padding tells positions apart; fitted to every second pixel, as on a
        chessboard, and tested on the others.
    noise_row, noise_column
        On images of noise; fitted to half of them, and tested on the others.
    """

    node: str
    blank_row: float
    blank_column: float
    noise_row: float
    noise_column: float

    @property
    def blank(self) -> float:
        """Mean over row and column, on a blank image."""
        return (self.blank_row + self.blank_column) / 2

    @property
    def noise(self) -> float:
        """Mean over row and column, on noise."""
        return (self.noise_row + self.noise_column) / 2

    def table(self) -> Table:
        rows = [
            ("a blank image", f"{self.blank_row:.3f}", f"{self.blank_column:.3f}"),
            ("noise", f"{self.noise_row:.3f}", f"{self.noise_column:.3f}"),
        ]
        return f"position read off {self.node}: R²", ("images", "row", "column"), rows


def position_information(model: Model, node: str, images: int = 64, seed: int = 0) -> PositionInformation:
    """Measure how well row and column of a pixel can be read off a node's map, by a linear readout of its channels.

    The readout is least squares with a small ridge penalty (1e-3 of the number of pixels) on standardised channels. Its
    sums are plain NumPy in float64 in one written order, no BLAS, so the bits are the same on every processor that runs
    the compiled engine. Digits are not used: they are centred, so what a pixel sees of them already tells its position.

    Parameters
    ----------
    model
        Trained or not.
    node
        Name of a node with a map.
    images
        Number of images of noise, 2 or more: every pixel uniform between black and white.
    seed
        Of the noise.

    Raises
    ------
    ConfigurationError
        If the node is unknown or has no map, or there are too few images.

    Examples
    --------
    >>> from convlens import lens, models
    >>> valid = lens.position_information(models.build("cnn", padding="valid"), "conv2")
    >>> padded = lens.position_information(models.build("cnn", padding="full"), "conv2")
    >>> valid.noise < 0.05 < padded.noise
    True
    """
    shape = find(model.program, node).output_shape
    if len(shape) != 3 or shape[0] * shape[1] < 4:
        raise ConfigurationError(f"{node!r} has shape {shape}, without positions; name a node with a map of pixels")
    if type(images) is not int or images < 2:
        raise ConfigurationError(f"images of noise are a whole number from 2 up, not {images!r}")
    black, white = model.preprocessing.of_pixels(0, 255)
    uniform = stream(seed, "measure", "noise").random((images, *model.input_shape), np.float32)
    noise = value(model, uniform * np.float32(white - black) + np.float32(black), node).astype(np.float64)
    empty = value(model, np.full((1, *model.input_shape), black, np.float32), node)[0].astype(np.float64)
    row, column = np.meshgrid(
        *(np.linspace(-1, 1, size) if size > 1 else np.zeros(1) for size in shape[:2]), indexing="ij"
    )
    chess = (np.add.outer(np.arange(shape[0]), np.arange(shape[1])) % 2).astype(bool)
    half = images // 2
    found = [
        *(readout(empty[~chess], one[~chess], empty[chess], one[chess]) for one in (row, column)),
        *(readout(*_pixels(noise[:half], one), *_pixels(noise[half:], one)) for one in (row, column)),
    ]
    return PositionInformation(node, *found)


def _pixels(maps: FloatArray, places: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the channels of all pixels of maps (N, H, W, C), and the place (H, W) of each."""
    return maps.reshape(-1, maps.shape[3]), np.tile(places.ravel(), len(maps))


def readout(x: FloatArray, y: FloatArray, x_test: FloatArray, y_test: FloatArray) -> float:
    """Return R**2, on a test set, of linear least squares of y (N,) on channels x (N, C).

    0 where y does not vary in the test set.
    """
    mean, deviation = x.mean(axis=0), x.std(axis=0)
    varies = deviation > _ROUNDING * np.abs(x).max(initial=0)
    predicted = np.full(len(y_test), y.mean())
    if varies.any():
        z, z_test = ((one[:, varies] - mean[varies]) / deviation[varies] for one in (x, x_test))
        products = np.stack([(z * z[:, [i]]).sum(axis=0) for i in range(z.shape[1])])  # (C, C)
        products += _RIDGE * len(z) * np.eye(len(products))
        weights = solve(products, (z * (y - y.mean())[:, None]).sum(axis=0))
        predicted += (z_test * weights).sum(axis=1)
    spread = np.square(y_test - y_test.mean()).sum()
    return float(1 - np.square(y_test - predicted).sum() / spread) if spread > 0 else 0.0


def solve(a: FloatArray, b: FloatArray) -> FloatArray:
    """Solve a x = b for a symmetric, positive definite a by Cholesky's method, in one written order."""
    lower = np.zeros_like(a)
    rest = a.copy()
    for i in range(len(a)):
        lower[i:, i] = rest[i:, i] / np.sqrt(rest[i, i])
        rest[i:, i:] -= lower[i:, [i]] * lower[i:, i]
    x = b.astype(np.float64)
    for i in range(len(a)):  # lower y = b
        x[i] = (x[i] - (lower[i, :i] * x[:i]).sum()) / lower[i, i]
    for i in reversed(range(len(a))):  # lower^T x = y
        x[i] = (x[i] - (lower[i + 1 :, i] * x[i + 1 :]).sum()) / lower[i, i]
    return x
