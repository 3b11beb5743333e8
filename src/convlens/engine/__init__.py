"""Runs a Program. Reading order: `interpreter` (the reference), `lanes`, `kernel`, `passes`, `plan`, `engines`."""

from __future__ import annotations

import os
import sys
from functools import cache

import numpy as np

from ..errors import ConfigurationError, nearest
from ..program import Program
from ..typing import Array
from .checks import require_layout
from .compiled.availability import require_tested_numba
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
    """Return the name of the fastest engine that works here; warn, once, if it is not the compiled one."""
    try:
        require_tested_numba()
        NumbaPlan.tools()
    except ConfigurationError as error:
        sys.stderr.write(f"{error}. Using the NumPy engine instead, which is about half as fast.\n")
        return NumpyPlan.name
    return NumbaPlan.name


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
        A key of `ENGINES`; if None, the environment's ``CONVLENS_ENGINE``, or else the fastest.
    threads
        Number of threads; if None, all that the process may use.
    buffers
        The flat array of running statistics; needed by a Program that has any.

    Notes
    -----
    Plans are float32; a float64 model always takes the interpreter.

    Raises
    ------
    ConfigurationError
        If there is no such engine, the number of threads is not a whole number from 1 to 64, or a flat array does not
        have the Program's size.
    """
    require_layout(parameters, program.parameter_size, "parameters")
    buffers = parameters[:0] if buffers is None else buffers
    require_layout(buffers, program.buffer_size, "buffers, the running statistics,")
    asked = (os.environ.get("CONVLENS_ENGINE") or None) if name is None else name
    if asked is not None and not (isinstance(asked, str) and asked in ENGINES):
        raise ConfigurationError(f"unknown engine {asked!r}{nearest(str(asked), ENGINES)}")
    chosen = Interpreter.name if parameters.dtype != np.float32 else asked or fastest()
    return ENGINES[chosen](program, parameters, buffers, threads)
