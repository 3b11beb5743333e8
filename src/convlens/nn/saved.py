"""Reading a saved model: the header is checked against the arrays before anything is allocated.

`Model.save` writes such a file; ``docs/format.md`` describes it.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import numpy as np

from .. import artifact
from ..errors import ArtifactError, ConvlensError
from ..files import checked_path
from ..plain import difference
from ..preprocessing import Intake, Preprocessing, checked_shape
from ..program import Program
from ..typing import Array, Shape
from .doubt import Doubt
from .model import Model, lower
from .serialize import layers_from_data


def load(path: str | os.PathLike[str]) -> Model:
    """Read a model that `Model.save` has written.

    Raises
    ------
    ArtifactError
        If the file is missing, damaged, inconsistent, or not convlens's.
    ConfigurationError
        If `path` is no path.
    """
    path = checked_path(path, "a model's file")
    contents = artifact.read(path, "model")
    header = contents.header
    try:
        layers, input_shape = layers_from_data(header["layers"]), checked_shape(header["input_shape"])
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
        model.intake = Intake.from_dict(header["intake"]) if "intake" in header else None
        model.doubt = Doubt.from_dict(header["doubt"]) if "doubt" in header else None
    except ArtifactError:
        raise
    except (AttributeError, KeyError, TypeError, ValueError, RecursionError, ConvlensError) as error:
        raise ArtifactError(f"{path} is damaged: its header does not describe a model ({error})") from error
    _fill({**model.parameters, **model.buffers}, contents.arrays, path)
    return model


def _fill(parameters: Mapping[str, Array], arrays: Mapping[str, Array], path: str | os.PathLike[str]) -> None:
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
