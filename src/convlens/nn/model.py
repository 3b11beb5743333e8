"""The Model: layers, the Program they were lowered to, and its parameters."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from .. import artifact, engine
from ..errors import ArtifactError, ConfigurationError, ConvlensError, ShapeError
from ..metrics import Evaluation
from ..ops.activation import softmax
from ..plain import difference
from ..preprocessing import Preprocessing
from ..program import INPUT, Program, Slot, aligned_zeros
from ..typing import Array, FloatArray, Labels, Shape
from ..version import NUMERICS_VERSION
from .builder import ProgramBuilder
from .doubt import Doubt
from .initializers import initialize
from .labelled import LabelledImages, images_and_labels
from .layers import Layer
from .serialize import layer_to_dict, layers_from_data
from .summary import Summary, summarize


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
    doubt
        How pictures unlike the training images are recognised: `fit` finds it out on validation. None: not recorded.

    Raises
    ------
    ShapeError
        If a layer does not accept the output of the one before it; the message names it.

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
        self.layers = tuple(layers)
        self.input_shape = _input_shape(input_shape)
        self.seed = seed
        self.program = lower(self.layers, self.input_shape)
        self.flat = aligned_zeros(self.program.parameter_size, dtype)
        self.flat_buffers = aligned_zeros(self.program.buffer_size, dtype)
        initialize(self.program.slots, self.flat, seed)
        initialize(self.program.buffer_slots, self.flat_buffers, seed)
        self.parameters = Parameters(self.program.slots, self.flat)
        self.buffers = Parameters(self.program.buffer_slots, self.flat_buffers)
        self.preprocessing = preprocessing or Preprocessing(self.input_shape)
        if self.preprocessing.input_shape != self.input_shape:
            raise ShapeError(
                f"the preprocessing is for images of shape {self.preprocessing.input_shape}, and the model takes "
                f"{self.input_shape}; give both the same"
            )
        self.class_names = tuple(map(str, range(self.classes)) if class_names is None else class_names)
        if len(self.class_names) != self.classes:
            raise ConfigurationError(
                f"{len(self.class_names)} class names for {self.classes} outputs; give one for each"
            )
        if not all(isinstance(name, str) for name in self.class_names):
            raise ConfigurationError(f"class names are strings, not {self.class_names!r}")
        if len(set(self.class_names)) < self.classes:
            raise ConfigurationError(f"class names must differ, and these do not: {', '.join(self.class_names)}")
        self.training: dict[str, Any] = {}
        self.doubt: Doubt | None = None
        self._engine: engine.Engine | None = None

    @property
    def classes(self) -> int:
        """Number of outputs."""
        return self.program.output_shape[0]

    @property
    def engine(self) -> engine.Engine:
        """The engine that runs the model: by default the fastest available, started on first use."""
        if self._engine is None:
            self._engine = engine.start(self.program, self.flat, buffers=self.flat_buffers)
        return self._engine

    def use(self, name: str | None = None, threads: int | None = None) -> Model:
        """Choose the engine (see `convlens.engine.start`) and return the model itself."""
        self._engine = engine.start(self.program, self.flat, name, threads, self.flat_buffers)
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

    def logits(self, images: Array) -> FloatArray:
        """Return the scores (N, K) of images (N, H, W, C), or (1, K) of one image (H, W, C).

        uint8 images are preprocessed; floating-point images are taken as the network's input.

        Raises
        ------
        DataError
            If the images are neither; pixels in another type are not scaled on a guess.
        ShapeError
            If the model takes images of another shape.
        """
        batch, dtype = self.preprocessing.as_batch(images), self.flat.dtype
        if batch.dtype != np.uint8:
            return self.engine.logits(np.ascontiguousarray(batch, dtype))
        size = engine.LARGEST_BLOCK  # in blocks, as the engine computes: float32 takes four times the memory of uint8
        blocks = [batch[start : start + size] for start in range(0, max(len(batch), 1), size)]
        found = [self.engine.logits(self.preprocessing(block).astype(dtype, copy=False)) for block in blocks]
        return found[0] if len(found) == 1 else np.concatenate(found)

    def predict_proba(self, images: Array) -> FloatArray:
        """Return the probability of every class, (N, K)."""
        return softmax(self.logits(images))

    def predict(self, images: Array) -> Labels:
        """Return the most probable class of each image, (N,)."""
        classes: Labels = self.logits(images).argmax(axis=1)
        return classes

    def evaluate(self, data: LabelledImages) -> Evaluation:
        """Return loss, accuracy, the scores of each class, confusion and calibration on labelled images.

        Parameters
        ----------
        data
            Examples, such as ``dataset.validation``; a pair ``(images, labels)``, with images as for `logits`; or a
            data set, of which the *test* images are read.

        Raises
        ------
        DataError
            If there are no images, their number differs from that of the labels, or a label is out of range.
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
        images, labels = images_and_labels(data, self.classes)
        return Evaluation.of(self.logits(images), labels)

    def save(self, path: str | os.PathLike[str], *, training: Mapping[str, Any] | None = None) -> None:
        """Write the model to one safetensors file.

        Raises
        ------
        ConfigurationError
            If the weights are float64 or not finite: such a file could not be read again.
        OutputError
            If it cannot be written there.
        """
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
            "training": dict(training if training is not None else self.training),
        }
        if self.doubt is not None:
            header["doubt"] = self.doubt.to_dict()
        artifact.write(Path(path), "model", header, {**self.parameters, **self.buffers})


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


def architecture(model: Model) -> dict[str, Any]:
    """Return layers, input shape and seed as plain data, from which the same untrained model can be built."""
    return {
        "layers": [layer_to_dict(layer) for layer in model.layers],
        "input_shape": list(model.input_shape),
        "seed": model.seed,
    }


def load(path: str | os.PathLike[str]) -> Model:
    """Read a model that `Model.save` has written.

    Raises
    ------
    ArtifactError
        If the file is missing, damaged, inconsistent, or not convlens's.
    """
    contents = artifact.read(Path(path), "model")
    header = contents.header
    try:
        layers, input_shape = layers_from_data(header["layers"]), _input_shape(header["input_shape"])
        program = lower(layers, input_shape)
        # before the model is built: a damaged header must not make it allocate huge amounts of memory
        slots = (*program.slots, *program.buffer_slots)
        _require_shapes({slot.name: slot.shape for slot in slots}, contents.arrays, path)
        _require_program(header, program, path)
        model = Model(
            layers,
            input_shape,
            header["seed"],
            preprocessing=Preprocessing.from_dict(header["preprocessing"]),
            class_names=header["class_names"],
        )
        model.training = dict(header["training"])
        model.doubt = Doubt.from_dict(header["doubt"]) if "doubt" in header else None
    except ArtifactError:
        raise
    except (AttributeError, KeyError, TypeError, ValueError, RecursionError, ConvlensError) as error:
        raise ArtifactError(f"{path} is damaged: its header does not describe a model ({error})") from error
    fill({**model.parameters, **model.buffers}, contents.arrays, path)
    return model


def fill(parameters: Mapping[str, Array], arrays: Mapping[str, Array], path: str | os.PathLike[str]) -> None:
    """Copy arrays of a file into a model's parameters; ArtifactError where names, shapes or values do not fit."""
    _require_shapes({name: view.shape for name, view in parameters.items()}, arrays, path)
    for name, view in parameters.items():
        array = arrays[name]
        if array.dtype != view.dtype:
            raise ArtifactError(f"{path} is damaged: {name} holds {array.dtype}, and {view.dtype} is needed")
        if not np.isfinite(array).all():
            raise ArtifactError(f"{path} is damaged: {name} holds non-finite values")
        view[...] = array


def _require_shapes(wanted: Mapping[str, Shape], arrays: Mapping[str, Array], path: str | os.PathLike[str]) -> None:
    if set(arrays) != set(wanted):
        odd = ", ".join(sorted(set(arrays) ^ set(wanted)))
        raise ArtifactError(f"{path} is damaged: its arrays are not those of its layers ({odd})")
    for name, shape in wanted.items():
        if arrays[name].shape != shape:
            raise ArtifactError(f"{path} is damaged: {name} has shape {arrays[name].shape}, and {shape} is needed")


def _require_program(header: Mapping[str, Any], program: Program, path: str | os.PathLike[str]) -> None:
    """Check that a file's Program is the one its layers are lowered to: other readers run it and know no layers.

    Early files have none. A convlens that lowers a layer differently raises `artifact.FORMAT_VERSION`; files of earlier
    versions are read by their layers alone.
    """
    if "program" not in header or header["format_version"] < artifact.FORMAT_VERSION:
        return
    stored = Program.from_dict(header["program"])
    found = difference(stored.to_dict(), program.to_dict(), "program")
    if found is not None:
        raise ArtifactError(f"{path} is damaged: its Program is not that of its layers ({found})")


def _input_shape(shape: Sequence[int]) -> tuple[int, int, int]:
    if len(shape) != 3 or not all(isinstance(size, int) and size > 0 for size in shape):
        raise ShapeError(f"an input shape is (height, width, channels), each above 0, not {tuple(shape)!r}")
    return shape[0], shape[1], shape[2]
