"""The NumPy plan's toolbox."""

from __future__ import annotations

import numpy as np

from .. import ops
from ..ops.warp import warp
from ..typing import Array, Float32, IntArray
from .kernels import KERNELS, Step
from .lanes import Workers
from .toolbox import Toolbox


def judge(logits: Float32, labels: IntArray, settings: Array, dlogits: Float32, result: Array) -> Step:
    """See `convlens.engine.toolbox.Judge`."""

    def step() -> None:
        smoothing, weight = settings
        losses, saved = ops.softmax_cross_entropy(logits, labels, float(smoothing))
        dlogits[...] = ops.softmax_cross_entropy_backward(np.full(len(losses), weight, np.float32), saved)
        result[0] += losses.sum(dtype=np.float64)
        result[1] += (logits.argmax(axis=1) == labels).sum()

    return step


def add_up(parts: list[Array], out: Array) -> Step:
    """Return the step that writes the sum of arrays, in their order, to `out`."""
    first, second, *others = parts

    def step() -> None:
        np.add(first, second, out=out)
        for part in others:
            np.add(out, part, out=out)

    return step


NUMPY = Toolbox(
    kernels=KERNELS,
    poolers=("conv2d",),
    rectifiers=(),
    judge=judge,
    join=list,
    bind=None,
    warp=warp,
    add_up=add_up,
    workers=Workers,
    training_bytes=12 << 20,
    prediction_bytes=3 << 20,
)
