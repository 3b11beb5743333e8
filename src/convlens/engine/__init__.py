"""Runs a Program. Reading order: `interpreter` (the meaning), `lanes`, `plan` and its `kernels`, `engines`."""

from __future__ import annotations

import os
import sys
from functools import cache
from importlib.util import find_spec

import numpy as np

from ..errors import ConfigurationError, nearest
from ..program import Program
from ..typing import Array
from .engines import BatchResult, Engine, Interpreter, NumbaPlan, NumpyPlan
from .interpreter import Address
from .lanes import available_threads
from .toolbox import Warp
from .updates import Update

ENGINES: dict[str, type[Engine]] = {engine.name: engine for engine in (Interpreter, NumpyPlan, NumbaPlan)}


__all__ = [
    "ENGINES",
    "Address",
    "BatchResult",
    "Engine",
    "Update",
    "Warp",
    "available_threads",
    "fastest",
    "start",
]


@cache
def fastest() -> str:
    """Return the name of the fastest engine that works here; where that is not the compiled one, say so, once."""
    if find_spec("numba") is not None:
        return NumbaPlan.name
    sys.stderr.write("Numba is not installed: the NumPy engine takes its place, and is about half as fast.\n")
    return NumpyPlan.name


def start(
    program: Program,
    parameters: Array,
    name: str | None = None,
    threads: int | None = None,
    buffers: Array | None = None,
) -> Engine:
    """Start an engine for a Program.

    Parameters
    ----------
    program, parameters
        What to run, and its flat parameter array.
    name
        A key of `ENGINES`; where None, the environment's ``CONVLENS_ENGINE``, or else the fastest.
    threads
        How many threads to use; where None, all that the process may use.
    buffers
        The flat array of running statistics; needed by a Program that has any.

    Notes
    -----
    Plans are float32; a float64 model always takes the interpreter.

    Raises
    ------
    ConfigurationError
        If there is no such engine.
    """
    chosen = name or os.environ.get("CONVLENS_ENGINE") or fastest()
    if chosen not in ENGINES:
        raise ConfigurationError(f"unknown engine {chosen!r}{nearest(chosen, ENGINES)}")
    if parameters.dtype != np.float32:
        chosen = Interpreter.name
    if buffers is None:
        assert not program.buffer_size, "this Program has running statistics: give their array"
        buffers = parameters[:0]
    return ENGINES[chosen](program, parameters, buffers, threads)
