"""The Model: layers, the Program they were lowered to, and its parameters."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from .. import artifact, engine
from ..errors import ConfigurationError, ShapeError
from ..files import checked_path
from ..memory import require
from ..metrics import Evaluation, require_finite
from ..preprocessing import Intake, Preprocessing, checked_shape
from ..program import INPUT, Program, Slot, aligned_zeros
from ..randomness import checked_seed
from ..typing import Array, FloatArray, Labels, Shape
from ..version import NUMERICS_VERSION
from .builder import ProgramBuilder
from .doubt import Doubt
from .initializers import initialize
from .labelled import LabelledImages, images_and_labels
from .layers import Layer
from .layers.base import checked_layers
from .scale import refusal_of_pixels, require_scaled, takes_pixels
from .serialize import layer_to_dict
from .summary import Summary, summarize

_starting = threading.Lock()


def _renew_lock() -> None:
    global _starting
    _starting = threading.Lock()


if hasattr(os, "register_at_fork"):  # not on Windows, which cannot fork
    os.register_at_fork(after_in_child=_renew_lock)  # another thread may have held it when the process was copied


class Parameters(Mapping[str, Array]):
    """Arrays by name (``"conv1.w"``): views of one flat array, so writing into them changes the model."""

    def __init__(self, slots: Iterable[Slot], flat: Array) -> None:
        self._views = {slot.name: slot.view(flat) for slot in slots}

    def __getitem__(self, name: str) -> Array:
        return self._views[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._views)

    def __len__(self) -> int:
        return len(self._views)


class Model:
    """A network: built once, with every shape known.

    Any number of threads may predict and evaluate with it at the same time; training is for one. It can be copied
    (`copy.deepcopy`) and sent to other processes: a copy has weights, and starts an engine, of its own.

    Parameters
    ----------
    layers
        The layers in order, from the image to the logits.
    input_shape
        (height, width, channels) of an image.
    seed
        Of the initial weights.
    preprocessing
        How uint8 images become the network's input; where None, they are scaled to [0, 1].
    class_names
        A name for each output; where None, "0", "1", ...
    dtype
        float32, or float64 to check gradients.

    Attributes
    ----------
    program
        What the layers were lowered to.
    flat
        All parameters in one array.
    parameters
        The same parameters by name.
    buffers
        Running statistics by name: saved, but not trained.
    training
        How it was trained, as plain data; empty before training.
    intake
        How a picture from elsewhere becomes an image like those it was trained on: `fit` takes it from the data set.
        None: not recorded, since it is untrained, or comes from a file that does not say.
    doubt
        How pictures unlike the training images are recognised, and which answers are not probable enough: `fit` finds
        it out on validation. None: not recorded.

    Raises
    ------
    ShapeError
        If a layer does not accept the output of the one before it; the message names it.
    ConfigurationError
        If the parameters do not fit into memory, before any is allocated.

    Examples
    --------
    >>> from convlens import nn
    >>> model = nn.Model([nn.Flatten(), nn.Dense(10)], input_shape=(28, 28, 1), seed=0)
    >>> model.program.parameter_count
    7850
    """

    def __init__(
        self,
        layers: Sequence[Layer],
        input_shape: Sequence[int],
        seed: int = 0,
        *,
        preprocessing: Preprocessing | None = None,
        class_names: Sequence[str] | None = None,
        dtype: type[np.floating[Any]] = np.float32,
    ) -> None:
        self.layers = checked_layers(layers, "a model's layers")
        self.input_shape = checked_shape(input_shape)
        if dtype not in (np.float32, np.float64):
            raise ConfigurationError(f"a model's dtype is np.float32 or np.float64, not {dtype!r}")
        self.seed = checked_seed(seed)
        self.program = lower(self.layers, self.input_shape)
        _require_memory(self.program, np.dtype(dtype).itemsize)
        self.flat = aligned_zeros(self.program.parameter_size, dtype)
        self.flat_buffers = aligned_zeros(self.program.buffer_size, dtype)
        initialize(self.program.slots, self.flat, seed)
        initialize(self.program.buffer_slots, self.flat_buffers, seed)
        self.parameters = Parameters(self.program.slots, self.flat)
        self.buffers = Parameters(self.program.buffer_slots, self.flat_buffers)
        self.preprocessing = Preprocessing(self.input_shape) if preprocessing is None else preprocessing
        if not isinstance(self.preprocessing, Preprocessing):
            raise ConfigurationError(f"preprocessing is a Preprocessing or None, not {preprocessing!r}")
        if self.preprocessing.input_shape != self.input_shape:
            raise ShapeError(
                f"the preprocessing is for images of shape {self.preprocessing.input_shape}, and the model takes "
                f"{self.input_shape}; give both the same"
            )
        self.class_names = _checked_names(range(self.classes) if class_names is None else class_names, self.classes)
        self.training: dict[str, Any] = {}
        self.intake: Intake | None = None
        self.doubt: Doubt | None = None
        self._engine: engine.Engine | None = None
        self._chosen: tuple[str | None, int | None] = None, None  # by `use`

    def __getstate__(self) -> dict[str, Any]:
        """Return what a copy, or another process, needs: all but the engine and what follows from the layers."""
        left_out = ("_engine", "program", "parameters", "buffers")
        return {name: value for name, value in vars(self).items() if name not in left_out}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self.program = lower(self.layers, self.input_shape)
        self.flat, self.flat_buffers = _aligned(state["flat"]), _aligned(state["flat_buffers"])
        self.parameters = Parameters(self.program.slots, self.flat)
        self.buffers = Parameters(self.program.buffer_slots, self.flat_buffers)
        self._engine = None

    @property
    def classes(self) -> int:
        """Number of outputs."""
        return self.program.output_shape[0]

    @property
    def engine(self) -> engine.Engine:
        """The engine that runs the model: by default the fastest available, started on first use."""
        if self._engine is None:
            with _starting:  # two threads that use a model first at the same time share one engine
                if self._engine is None:
                    self._engine = engine.start(self.program, self.flat, *self._chosen, self.flat_buffers)
        return self._engine

    def use(self, name: str | None = None, threads: int | None = None) -> Model:
        """Choose the engine (see `convlens.engine.start`), for its copies too, and return the model itself."""
        self._engine = engine.start(self.program, self.flat, name, threads, self.flat_buffers)
        self._chosen = name, threads
        return self

    def __repr__(self) -> str:
        shape = "x".join(map(str, self.input_shape))
        count = self.program.parameter_count
        return f"<Model: {len(self.layers)} layers, {shape} to {self.classes} classes, {count:,} parameters>"

    def _repr_html_(self) -> str:
        return self.summary()._repr_html_()

    def summary(self) -> Summary:
        """Return a printable table of shapes, parameters, FLOPs, receptive field and stride of every layer."""
        return summarize(self.program)

    def logits(self, images: npt.ArrayLike) -> FloatArray:
        """Return the scores (N, K) of images (N, H, W, C), or (1, K) of one image (H, W, C).

        Pixels, whole numbers from 0 to 255 of any type, are preprocessed; floats are taken as the network's input.

        Raises
        ------
        DataError
            If the images are neither, such as file names (use `convlens.Predictor` for those).
        ShapeError
            If the model takes images of another shape.
        """
        return self._predicted(self.preprocessing.as_batch(images))

    def _predicted(self, batch: Array, *, probable: bool = False) -> FloatArray:
        """Return the logits, or the probabilities, of uint8 or float images (N, H, W, C)."""
        predict = self.engine.probabilities if probable else self.engine.logits
        if batch.dtype == self.flat.dtype:
            return predict(batch)
        if batch.dtype != np.uint8:
            return predict(batch.astype(self.flat.dtype))
        if takes_pixels(self.training, self.preprocessing) is False:  # None, in early files: as ever
            raise ConfigurationError(refusal_of_pixels(self.training))
        return predict(batch, self.preprocessing.fill)

    def predict_proba(self, images: npt.ArrayLike) -> FloatArray:
        """Return the probability of every class, (N, K); images as for `logits`.

        Raises
        ------
        DataError
            If the images are not as for `logits`, are floats far beyond the scaled pixels of the training, or a logit
            is not finite.
        """
        return self._finite(images, probable=True)

    def predict(self, images: npt.ArrayLike) -> Labels:
        """Return the most probable class of each image, (N,); images as for `logits`. Raises as `predict_proba`."""
        classes: Labels = self._finite(images).argmax(axis=1)
        return classes

    def _finite(self, images: npt.ArrayLike, *, probable: bool = False) -> FloatArray:
        """Return logits or probabilities, or raise DataError: without logits there is no class to name."""
        batch = self.preprocessing.as_batch(images)
        require_scaled(batch, self.training, self.preprocessing)
        if self.engine.warns or batch.dtype not in (np.uint8, self.flat.dtype):
            with np.errstate(all="ignore"):  # an overflow is reported below, in one line
                found = self._predicted(batch, probable=probable)
        else:
            found = self._predicted(batch, probable=probable)
        if not probable:
            require_finite(found)
        elif not np.vdot(found, found) >= 0:  # NaN
            with np.errstate(all="ignore"):
                require_finite(self._predicted(batch))
        return found

    def evaluate(self, data: LabelledImages) -> Evaluation:
        """Return loss, accuracy, the scores of each class, confusion and calibration on labelled images.

        Parameters
        ----------
        data
            Examples, such as ``dataset.validation``; a pair ``(images, labels)``, with images as for `logits`; or a
            data set, of which the *test* images are read, and whose classes are matched with the model's by name.

        Raises
        ------
        DataError
            If there are no images, their number differs from that of the labels, a label is out of range, the data set
            has a class that the model does not know, or `predict_proba` refuses the images.
        ShapeError
            If the images are of another shape than the model takes.

        Examples
        --------
        >>> import numpy as np
        >>> from convlens import nn
        >>> model = nn.Model([nn.Flatten(), nn.Dense(3)], input_shape=(8, 8, 1))
        >>> model.evaluate((np.zeros((6, 8, 8, 1), np.uint8), [0, 0, 0, 0, 1, 2])).images
        6
        """
        images, labels = images_and_labels(data, self.class_names, self.preprocessing)
        require_scaled(images, self.training, self.preprocessing)
        with np.errstate(all="ignore"):  # an overflow is reported below, in one line
            found = self.logits(images)
        return Evaluation.of(found, labels)

    def save(self, path: str | os.PathLike[str], *, training: Mapping[str, Any] | None = None) -> None:
        """Write the model to one safetensors file.

        Raises
        ------
        ConfigurationError
            If the weights are float64 or not finite, so that such a file could not be read again, `path` is no path, or
            `training` is not plain data by name.
        OutputError
            If it cannot be written there.
        """
        place = checked_path(path, "a model's file")
        record = self.training if training is None else training
        if not isinstance(record, Mapping):
            raise ConfigurationError(f"training is a record by name, such as model.training, not {record!r}")
        if self.flat.dtype != np.float32:
            raise ConfigurationError(
                f"models are saved in float32, and this one is {self.flat.dtype}, for checking gradients; build it in "
                "float32 to save it"
            )
        for name, array in {**self.parameters, **self.buffers}.items():
            if not np.isfinite(array).all():
                raise ConfigurationError(f"{name} holds non-finite values, so the model is not saved; train it again")
        header = {
            **architecture(self),
            "program": self.program.to_dict(),
            "preprocessing": self.preprocessing.to_dict(),
            "class_names": list(self.class_names),
            "numerics_version": NUMERICS_VERSION,
            "training": dict(record),
        }
        if self.intake is not None:
            header["intake"] = self.intake.to_dict()
        if self.doubt is not None:
            header["doubt"] = self.doubt.to_dict()
        artifact.write(place, "model", header, {**self.parameters, **self.buffers})


def lower(layers: Sequence[Layer], input_shape: Shape) -> Program:
    """Lower layers to a Program; a ShapeError names the layer, counted from 1."""
    builder, value = ProgramBuilder(input_shape), INPUT
    for position, layer in enumerate(layers):
        builder.layer = position
        try:
            value = layer.lower(builder, value)
        except ShapeError as error:
            raise ShapeError(f"layer {position + 1}, {layer}: {error}") from error
    program = builder.build()
    if len(program.output_shape) != 1:
        raise ShapeError(
            f"the last layer gives shape {program.output_shape}; a classifier ends in one score a class: "
            "put Flatten() or GlobalAveragePool2D() and Dense(classes) at the end"
        )
    return program


def _require_memory(program: Program, itemsize: int) -> None:
    """Raise ConfigurationError if the parameters do not fit into memory."""
    drawing = 32 * max((slot.size for slot in program.slots), default=0)  # a few arrays of float64, one slot at a time
    require(
        itemsize * program.parameter_size + drawing,
        f"a network of {program.parameter_count:,} parameters",
        "choose smaller kernels, fewer filters or units, or pool before the first dense layer",
    )


def architecture(model: Model) -> dict[str, Any]:
    """Return layers, input shape and seed as plain data, from which the same untrained model can be built."""
    return {
        "layers": [layer_to_dict(layer) for layer in model.layers],
        "input_shape": list(model.input_shape),
        "seed": model.seed,
    }


def _checked_names(names: Any, classes: int) -> tuple[str, ...]:
    """Return the names of the classes; ConfigurationError unless there is one for each, all different."""
    if isinstance(names, str | Mapping) or not isinstance(names, Iterable):
        raise ConfigurationError(f"class names are a list of strings, one for each output, not {names!r}")
    found = tuple(map(str, names) if isinstance(names, range) else names)
    if len(found) != classes:
        raise ConfigurationError(f"{len(found)} class names for {classes} outputs; give one for each")
    if not all(isinstance(name, str) for name in found):
        raise ConfigurationError(f"class names are strings, not {found!r}")
    if len(set(found)) < classes:
        raise ConfigurationError(f"class names must differ, and these do not: {', '.join(found)}")
    return tuple(map(str, found))  # a NumPy string is a str, and prints as something else


def _aligned(values: Array) -> Array:
    """Return a copy of a flat array that begins on a 64-byte boundary."""
    flat = aligned_zeros(values.size, values.dtype.type)
    flat[...] = values
    return flat
