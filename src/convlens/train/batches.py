"""Batches: the training images in a new order every epoch, preprocessed, and augmented if the recipe asks for it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ..data.examples import Examples
from ..data.split import Indexes
from ..engine import Engine
from ..errors import ConfigurationError, DataError, ShapeError
from ..preprocessing import Preprocessing
from ..randomness import stream
from ..typing import Float32, Labels
from .augmentation import Augmentation


class Batches:
    """Examples in shuffled batches; the order depends on seed and epoch alone, so any run can resume.

    One object serves one loop at a time: all epochs share its buffers. A batch is copied twice: its rows of uint8
    pixels are gathered, then converted to float32; augmentation makes a third copy.

    Parameters
    ----------
    examples
        The images and their labels.
    preprocessing
        What is done to the images.
    batch_size
        N of every batch but the last of an epoch, which holds the rest.
    seed
        The run's seed.
    augmentation
        How the images are warped each time they are shown; None leaves them as they are.
    engine
        Warps them; see `Augmentation`.

    Raises
    ------
    ConfigurationError
        If the batch size is less than 1, the seed out of range, or a shift as large as the images.
    ShapeError
        If the preprocessing is for images of another shape.
    DataError
        If there are no examples.
    """

    def __init__(
        self,
        examples: Examples,
        preprocessing: Preprocessing,
        batch_size: int,
        seed: int,
        augmentation: Augmentation | None = None,
        engine: Engine | None = None,
    ) -> None:
        if batch_size < 1:
            raise ConfigurationError(f"a batch has at least 1 image, not {batch_size}")
        if not len(examples):
            raise DataError(f"{examples.name}: no images to make batches of; expected at least one")
        if examples.image_shape != preprocessing.input_shape:
            raise ShapeError(
                f"{examples.name}: images are {examples.image_shape}, the preprocessing is for "
                f"{preprocessing.input_shape}; use the data set's own preprocessing"
            )
        shift, smaller = 0.0 if augmentation is None else augmentation.shift, min(examples.image_shape[:2])
        if shift >= smaller > 1:
            raise ConfigurationError(
                f"augmentation: a shift of {shift:g} pixels moves images of {examples.image_shape[0]}x"
                f"{examples.image_shape[1]} out of sight; choose less than {smaller}, such as {max(1, smaller // 14)}"
            )
        self.batch_size = batch_size
        self.seed = seed
        self._preprocessing = preprocessing
        # Flat rows are copied fastest.
        self._pixels = examples.images.reshape(len(examples), -1)  # (N, H*W*C)
        self._labels = examples.labels
        size = min(batch_size, len(examples))
        self._bytes = np.empty((size, self._pixels.shape[1]), dtype=self._pixels.dtype)
        self._floats = np.empty((size, *preprocessing.input_shape), dtype=np.float32)
        self._augmentation = augmentation if augmentation is not None and augmentation.moves else None
        self._engine = engine
        self._moved = self._floats if self._augmentation is None else np.empty_like(self._floats)
        stream(seed, "shuffle")  # an invalid seed is found here, not in the first epoch

    @property
    def steps_per_epoch(self) -> int:
        """Batches in an epoch, the last partial one included."""
        return -(-len(self._labels) // self.batch_size)

    def order(self, epoch: int) -> Indexes:
        """Return the order of the examples in one epoch: a permutation of 0..N-1.

        Raises
        ------
        ConfigurationError
            If the epoch is negative.
        """
        if epoch < 0:
            raise ConfigurationError(f"epochs are counted from 0, not {epoch}")
        return stream(self.seed, "shuffle", epoch=epoch).permutation(len(self._labels))

    def epoch(self, epoch: int, start_step: int = 0) -> Iterator[tuple[Float32, Labels]]:
        """Return the batches of one epoch.

        Parameters
        ----------
        epoch
            Which one, from 0.
        start_step
            The first step wanted, to resume within an epoch; from 0 to `steps_per_epoch` (no batch is left).

        Returns
        -------
        Iterator[tuple[Float32, Labels]]
            The batches from `start_step` on: images (N, H, W, C), preprocessed and warped, a view of a buffer that is
            **valid until the next batch is taken**; and their labels (N,), a new array.

        Raises
        ------
        ConfigurationError
            If epoch or step is out of range.
        """
        if not 0 <= start_step <= self.steps_per_epoch:
            raise ConfigurationError(f"an epoch starts at a step from 0 to {self.steps_per_epoch}, not {start_step}")
        # The generator is a separate function, so errors are raised at the call and not at the first batch.
        return self._deal(self.order(epoch), epoch, start_step)

    def _deal(self, order: Indexes, epoch: int, start_step: int) -> Iterator[tuple[Float32, Labels]]:
        for step in range(start_step, self.steps_per_epoch):
            rows = order[step * self.batch_size : (step + 1) * self.batch_size]
            size = len(rows)
            # mode="clip" (no row is out of range) lets take write straight into the buffer.
            np.take(self._pixels, rows, axis=0, out=self._bytes[:size], mode="clip")
            images = self._bytes[:size].reshape(size, *self._preprocessing.input_shape)
            prepared = self._preprocessing(images, out=self._floats[:size])
            if self._augmentation is not None:
                prepared = self._augmentation(
                    prepared, self.seed, epoch=epoch, step=step, out=self._moved[:size], engine=self._engine
                )
            yield prepared, self._labels[rows]
