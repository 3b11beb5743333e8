"""Augmentation: every training image is warped a little each time it is shown; its class stays the same.

The settings are a frozen dataclass; the mathematics is in `convlens.ops.warp`. Draws are addressed by seed, epoch and
step, so a resumed run sees the same images; each image has a fixed place among the draws, so the number of threads
does not matter.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from .. import elementary
from ..engine import Engine
from ..engine.blas import single_threaded_blas
from ..errors import ConfigurationError
from ..ops.warp import affine_matrices, warp
from ..plain import check_keys
from ..randomness import stream
from ..typing import Float32

_LARGEST = {"shift": 1000.0, "rotation": 180.0, "scale": 10.0, "shear": 10.0, "elastic": 1000.0, "smoothness": 100.0}
_AFFINE_DRAWS = 5
_SHARE = 16  # images that a thread warps at a time


@dataclasses.dataclass(frozen=True)
class Augmentation:
    """How much training images are warped. Each image has its own draws, uniform between the limits.

    Parameters
    ----------
    shift
        Largest translation in each direction, in pixels; fractions of a pixel occur.
    rotation
        Largest angle to either side, in degrees.
    scale
        Largest enlargement: 0.1 scales by a factor from 1/1.1 to 1.1.
    shear
        Largest shift of a row against the next, to either side, in pixels.
    elastic
        Strength of elastic distortion: Simard's alpha, 34 in his paper. The mean displacement at the default
        smoothness is about a thirtieth of it, in pixels.
    smoothness
        Simard's sigma: the standard deviation of the Gaussian that smooths the distortion, in pixels.

    Raises
    ------
    ConfigurationError
        If a setting is out of range.

    Examples
    --------
    >>> Augmentation(shift=2, rotation=12).to_dict()["rotation"]
    12.0
    """

    shift: float = 0.0
    rotation: float = 0.0
    scale: float = 0.0
    shear: float = 0.0
    elastic: float = 0.0
    smoothness: float = 4.0

    def __post_init__(self) -> None:
        for name, largest in _LARGEST.items():
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= largest:
                raise ConfigurationError(
                    f"augmentation: {name} is a number from 0 to {largest:g}, not {value!r}; 0 moves nothing"
                )
            object.__setattr__(self, name, float(value))
        if self.smoothness < 0.1:
            raise ConfigurationError(f"augmentation: smoothness is 0.1 pixels or more, not {self.smoothness!r}")

    @property
    def moves(self) -> bool:
        """Whether it changes anything."""
        return self._affine or self.elastic > 0

    @property
    def _affine(self) -> bool:
        return max(self.shift, self.rotation, self.scale, self.shear) > 0

    def __call__(
        self,
        images: Float32,
        seed: int,
        *,
        epoch: int = 0,
        step: int = 0,
        out: Float32 | None = None,
        engine: Engine | None = None,
    ) -> Float32:
        """Warp the images of one batch.

        Parameters
        ----------
        images
            (N, H, W, C) float32, preprocessed.
        seed, epoch, step
            The address of the draws.
        out
            (N, H, W, C) float32, C-contiguous, not `images` itself; without it, a new array.
        engine
            Warps the images, on its threads; without it, NumPy does, in this thread.

        Returns
        -------
        Float32
            (N, H, W, C); `images` itself if no setting changes anything.
        """
        if not self.moves:
            return images
        moved = np.empty_like(images) if out is None else out
        matrices = self._matrices(len(images), stream(seed, "augment", epoch=epoch, step=step))
        move = warp if engine is None else engine.warp

        def share(part: slice) -> None:
            noise = None
            if self.elastic:
                noise = _noise(part, images.shape[:3], stream(seed, "augment", epoch=epoch, step=step))
            move(images[part], matrices[part], noise, self.elastic, self.smoothness, moved[part])

        with single_threaded_blas():
            if engine is None:
                share(slice(0, len(images)))
            else:
                engine.workers.each(share, len(images), _SHARE)
        return moved

    def _matrices(self, n: int, draw: np.random.Generator) -> Float32:
        """Return the affine matrix of each image, (N, 2, 3)."""
        # All five are always drawn: turning one setting on must not change the draws of the others.
        down, right, turn, size, slant = draw.uniform(-1, 1, (_AFFINE_DRAWS, n))
        matrices: Float32 = affine_matrices(
            math.radians(self.rotation) * turn,
            elementary.exp(elementary.log(1 + self.scale) * size),
            self.shear * slant,
            self.shift * np.stack((down, right), axis=1),
        )
        return matrices

    def to_dict(self) -> dict[str, float]:
        """Return plain JSON data from which `from_dict` makes an equal object."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, settings: Mapping[str, Any]) -> Augmentation:
        """Make the object that `to_dict` described.

        Raises
        ------
        ConfigurationError
            If a key is unknown (the message names the nearest right one) or a value is out of range.
        """
        check_keys(cls, settings, "augmentation")
        return cls(**settings)


def _noise(part: slice, shape: tuple[int, ...], draw: np.random.Generator) -> Float32:
    """Return the noise (n, 2, H, W) of a part of a batch (N, H, W), uniform from -1 to 1.

    In the stream it comes after the draws of all images' matrices and the noise of the images before. The generator
    skips to it: a tick gives four 64-bit numbers; a draw for a matrix takes one, and two draws of noise take one.
    """
    n, height, width = shape
    before = _AFFINE_DRAWS * n + part.start * height * width
    generator: Any = draw.bit_generator
    generator.advance(before // 4)
    generator.random_raw(before % 4)
    noise = draw.random((part.stop - part.start, 2, height, width), dtype=np.float32)
    noise *= 2
    noise -= 1
    return noise
