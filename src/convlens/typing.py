"""Array aliases, and the glossary of dimensions used in every formula and shape comment.

========================  =======================================================================
``N``                     images in a batch (or micro-batch)
``H, W``                  height and width, in pixels
``C``, ``C_in, C_out``    channels; of a layer's input and of its output (its filters)
``KH, KW``                height and width of a kernel (always the filter, never a compiled routine)
``H_out, W_out``          height and width after the layer
``D``                     features of a flat vector
``K``                     classes
========================  =======================================================================

Images are laid out NHWC, kernels (KH, KW, C_in, C_out), dense weights (D_in, D_out). A shape without its
leading ``N`` is called an *image shape*: ``(28, 28, 1)``.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

FloatArray: TypeAlias = npt.NDArray[np.floating[Any]]  # float32 for training, float64 for gradient checks
Float32: TypeAlias = npt.NDArray[np.float32]
UInt8: TypeAlias = npt.NDArray[np.uint8]  # images as they are kept: NHWC, 0-255
Labels: TypeAlias = npt.NDArray[np.int64]  # (N,) class numbers 0..K-1
IntArray: TypeAlias = npt.NDArray[np.integer[Any]]
BoolArray: TypeAlias = npt.NDArray[np.bool_]
Array: TypeAlias = npt.NDArray[Any]
Shape: TypeAlias = tuple[int, ...]
