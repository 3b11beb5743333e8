"""The one table of layers. A new layer is a few rows here, and each row buys every check of
`tests/nn/test_layer_cases.py`.

A row is a stack of layers, the shape of the images it is given, and the shape that must come out. The stack need not
end flat: `build` puts a small classifier behind it, so that everything under test has parameters to send gradients
to. Where `after` is set, a convolution stands before the stack too, so that its own input gradient is computed by
the plans.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from convlens.engine.interpreter import OPS
from convlens.nn import (
    AveragePool2D,
    BatchNorm,
    BlurPool2D,
    Conv2D,
    Dense,
    Dropout,
    Flatten,
    GlobalAveragePool2D,
    Layer,
    LocallyConnected2D,
    MaxPool2D,
    Model,
    ReLU,
    Reshape,
    Residual,
    Tanh,
)
from convlens.typing import FloatArray, IntArray, Shape

CLASSES = 4
TWICE = Conv2D(3)  # one object at two places must become two sets of parameters


@dataclass(frozen=True)
class LayerCase:
    """One row; `after` puts a 1x1 convolution in front, which keeps the shape."""

    name: str
    layers: tuple[Layer, ...]
    shape: Shape  # of an image that goes in
    out: Shape  # that must come out of the stack
    after: bool = field(default=True)

    def build(self, dtype: type[np.floating[Any]] = np.float32) -> Model:
        """Return a model of the stack with random weights, biases too: a bias of zero would hide a forgotten one."""
        front = (Conv2D(self.shape[2], 1),) if self.after else ()
        flat = () if len(self.out) == 1 else (Flatten(),)
        model = Model((*front, *self.layers, *flat, Dense(CLASSES)), self.shape, seed=5, dtype=dtype)
        draw = np.random.default_rng(17)
        for name, view in model.parameters.items():
            if name.endswith((".b", ".gamma", ".beta")):
                view[...] += 0.3 * draw.standard_normal(view.shape)
        for view in model.buffers.values():
            view[...] += 0.3 * draw.random(view.shape)
        return model

    @property
    def couples(self) -> bool:
        """Whether an image's gradient depends on the batch it is in, or on its place there."""
        ops = [OPS[node.op] for node in self.build().program.nodes]
        return any(op.couples or op.draws is not None for op in ops)

    def batch(self, n: int, dtype: type[np.floating[Any]] = np.float32) -> tuple[FloatArray, IntArray]:
        """Return n random images and their labels.

        Most labels are 0: among balanced ones the gradients of biases nearly cancel, and what is left is rounding.
        """
        draw = np.random.default_rng(n)
        images = draw.standard_normal((n, *self.shape)).astype(dtype)
        return images, draw.integers(0, CLASSES, n) * (draw.random(n) < 0.3)


def case(name: str, *layers: Layer, of: Shape, gives: Shape, after: bool = True) -> LayerCase:
    return LayerCase(name, layers, of, gives, after)


CONVOLUTIONS = (
    case("conv 3x3 same", Conv2D(4), of=(7, 6, 2), gives=(7, 6, 4)),
    case("conv, nothing before it", Conv2D(4), of=(7, 6, 2), gives=(7, 6, 4), after=False),
    case("conv valid", Conv2D(4, padding="valid"), of=(7, 6, 2), gives=(5, 4, 4)),
    case("conv full", Conv2D(4, padding="full"), of=(7, 6, 2), gives=(9, 8, 4)),
    case("conv 1x1", Conv2D(5, 1), of=(6, 5, 3), gives=(6, 5, 5)),
    case("conv 5x5", Conv2D(3, 5), of=(9, 9, 1), gives=(9, 9, 3)),
    case("conv 7x7 on RGB", Conv2D(4, 7), of=(9, 8, 3), gives=(9, 8, 4)),
    case("conv 2x2 same: the odd pixel goes after", Conv2D(3, 2), of=(5, 6, 2), gives=(5, 6, 3)),
    case("conv 4x4 same", Conv2D(3, 4), of=(7, 6, 2), gives=(7, 6, 3)),
    case("conv 4x4 valid", Conv2D(3, 4, padding="valid"), of=(7, 6, 2), gives=(4, 3, 3)),
    case("conv 2x2 full", Conv2D(3, 2, padding="full"), of=(4, 5, 2), gives=(5, 6, 3)),
    case("conv 1x5", Conv2D(3, (1, 5)), of=(6, 7, 2), gives=(6, 7, 3)),
    case("conv 4x1 valid", Conv2D(3, (4, 1), padding="valid"), of=(6, 7, 2), gives=(3, 7, 3)),
    case("conv as large as the image", Conv2D(3, (5, 4), padding="valid"), of=(5, 4, 2), gives=(1, 1, 3)),
    case("conv larger than the image", Conv2D(2, 5), of=(3, 2, 2), gives=(3, 2, 2)),
    case("conv of one pixel", Conv2D(3, 3), of=(1, 1, 2), gives=(1, 1, 3)),
    case("conv stride 2, odd size", Conv2D(4, 3, 2), of=(7, 9, 2), gives=(4, 5, 4)),
    case("conv stride 2, even size", Conv2D(4, 3, 2), of=(8, 6, 2), gives=(4, 3, 4)),
    case("conv stride 2 valid, a row left over", Conv2D(4, 3, 2, "valid"), of=(8, 7, 2), gives=(3, 3, 4)),
    case("conv stride 3", Conv2D(4, 3, 3), of=(8, 10, 2), gives=(3, 4, 4)),
    case("conv stride 3 full", Conv2D(4, 2, 3, "full"), of=(8, 7, 2), gives=(3, 3, 4)),
    case("conv 2x2 stride 3: pixels nobody sees", Conv2D(3, 2, 3, "valid"), of=(8, 8, 2), gives=(3, 3, 3)),
    case("conv stride (1, 2)", Conv2D(4, 3, (1, 2)), of=(6, 7, 2), gives=(6, 4, 4)),
    case("conv 2x3 stride (3, 1)", Conv2D(4, (2, 3), (3, 1), "valid"), of=(8, 6, 2), gives=(3, 4, 4)),
    case("conv reflect", Conv2D(4, 3, padding_mode="reflect"), of=(6, 5, 2), gives=(6, 5, 4)),
    case("conv 4x4 reflect", Conv2D(3, 4, padding_mode="reflect"), of=(6, 5, 2), gives=(6, 5, 3)),
    case("conv 5x5 stride 2 reflect", Conv2D(3, 5, 2, padding_mode="reflect"), of=(7, 8, 3), gives=(4, 4, 3)),
    case("conv full reflect", Conv2D(3, 3, 1, "full", "reflect"), of=(4, 5, 2), gives=(6, 7, 3)),
    case("conv wide enough for BLAS blocks", Conv2D(24, 3), of=(10, 10, 16), gives=(10, 10, 24)),
    case("conv Glorot", Conv2D(3, kernel_initializer="glorot_uniform"), of=(5, 5, 2), gives=(5, 5, 3)),
)
STACKS = (
    case("conv-relu-pool", Conv2D(4), ReLU(), MaxPool2D(), of=(8, 6, 2), gives=(4, 3, 4)),
    case("conv-pool-relu", Conv2D(4), MaxPool2D(), ReLU(), of=(8, 6, 2), gives=(4, 3, 4)),
    case("conv-pool, first", Conv2D(4), MaxPool2D(), of=(8, 6, 1), gives=(4, 3, 4), after=False),
    case("conv-pool 3x3, rows left over", Conv2D(4), MaxPool2D(3), of=(8, 7, 2), gives=(2, 2, 4)),
    case("conv-pool 1x3", Conv2D(4), MaxPool2D((1, 3)), of=(4, 8, 2), gives=(4, 2, 4)),
    case("conv stride 2-relu-pool", Conv2D(4, 3, 2), ReLU(), MaxPool2D(), of=(11, 9, 2), gives=(3, 2, 4)),
    case(
        "conv stride (2, 1) reflect-pool (2, 3)",
        Conv2D(3, (3, 4), (2, 1), padding_mode="reflect"),
        MaxPool2D((2, 3)),
        of=(9, 10, 2),
        gives=(2, 3, 3),
    ),
    case("conv full-pool", Conv2D(3, 2, padding="full"), MaxPool2D(), of=(6, 5, 2), gives=(3, 3, 3)),
    case("conv-relu-overlapping pool", Conv2D(4), ReLU(), MaxPool2D(3, 2), of=(8, 9, 2), gives=(3, 4, 4)),
    case("conv-average pool", Conv2D(4), ReLU(), AveragePool2D(), of=(7, 6, 2), gives=(3, 3, 4)),
    case("conv-global average", Conv2D(5), GlobalAveragePool2D(), of=(5, 7, 2), gives=(5,)),
    case(
        "two blocks",
        *(Conv2D(4), ReLU(), MaxPool2D(), Conv2D(5), ReLU(), MaxPool2D(), Flatten(), Dense(6), ReLU()),
        of=(12, 12, 1),
        gives=(6,),
        after=False,
    ),
    case("conv-conv", Conv2D(4), Conv2D(3, 3, 2), of=(7, 7, 2), gives=(4, 4, 3)),
    case("one layer object twice", TWICE, ReLU(), TWICE, of=(6, 6, 3), gives=(6, 6, 3)),
    case("dense stack", Flatten(), Dense(7), ReLU(), Dense(6), ReLU(), of=(5, 4, 1), gives=(6,), after=False),
    case("dense-dense", Flatten(), Dense(7), Dense(6), of=(3, 4, 2), gives=(6,)),
    case("Flatten twice", Flatten(), Flatten(), of=(3, 4, 2), gives=(24,)),
    case("Flatten twice, first", Flatten(), ReLU(), Flatten(), of=(3, 4, 2), gives=(24,), after=False),
)
POOLS_AND_POINTS = (
    case("max pool", MaxPool2D(), of=(6, 8, 2), gives=(3, 4, 2)),
    case("max pool first", MaxPool2D(), Conv2D(3), of=(6, 8, 2), gives=(3, 4, 3), after=False),
    case("max pool, leftovers", MaxPool2D(3), of=(8, 7, 2), gives=(2, 2, 2)),
    case("max pool, overlapping", MaxPool2D(3, 1), of=(6, 5, 2), gives=(4, 3, 2)),
    case("max pool of many channels, rectified", MaxPool2D(3, 2), ReLU(), of=(6, 5, 19), gives=(2, 2, 19)),
    case("max pool with gaps", MaxPool2D(2, 3), of=(8, 9, 2), gives=(3, 3, 2)),
    case("max pool (3, 2) by (1, 2)", MaxPool2D((3, 2), (1, 2)), of=(6, 7, 3), gives=(4, 3, 3)),
    case("max pool of one pixel", MaxPool2D(1), of=(3, 3, 2), gives=(3, 3, 2)),
    case("max pool of everything", MaxPool2D((4, 5)), of=(4, 5, 2), gives=(1, 1, 2)),
    case("max pool that is not fused", AveragePool2D(2, 1), MaxPool2D(3), of=(8, 9, 2), gives=(2, 2, 2)),
    case("average pool", AveragePool2D(), of=(7, 6, 3), gives=(3, 3, 3)),
    case("average pool first", AveragePool2D(), Conv2D(3), of=(6, 6, 2), gives=(3, 3, 3), after=False),
    case("average pool, overlapping", AveragePool2D((3, 2), 1), of=(5, 6, 2), gives=(3, 5, 2)),
    case("global average", GlobalAveragePool2D(), of=(5, 4, 3), gives=(3,)),
    case("relu first", ReLU(), of=(4, 5, 2), gives=(4, 5, 2), after=False),
    case("relu twice", ReLU(), ReLU(), of=(4, 5, 2), gives=(4, 5, 2)),
    case("relu-pool, nothing before", ReLU(), MaxPool2D(), of=(6, 6, 2), gives=(3, 3, 2), after=False),
    case("relu-relu-pool", ReLU(), ReLU(), MaxPool2D(), of=(6, 6, 2), gives=(3, 3, 2)),
    case("relu-pool-pool", ReLU(), MaxPool2D(), MaxPool2D(2, 1), of=(8, 6, 2), gives=(3, 2, 2)),
    case("relu-average pool", ReLU(), AveragePool2D(), of=(6, 6, 2), gives=(3, 3, 2)),
)
LOCAL_AND_BLUR = (
    case("local 3x3 same", LocallyConnected2D(3), of=(5, 6, 2), gives=(5, 6, 3)),
    case("local first", LocallyConnected2D(3), of=(5, 4, 1), gives=(5, 4, 3), after=False),
    case("local 2x3 stride 2 valid", LocallyConnected2D(4, (2, 3), 2, "valid"), of=(6, 7, 2), gives=(3, 3, 4)),
    case("local full reflect", LocallyConnected2D(2, 3, 1, "full", "reflect"), of=(4, 5, 2), gives=(6, 7, 2)),
    case("local, many filters", LocallyConnected2D(35, 2), of=(3, 3, 17), gives=(3, 3, 35)),
    case("local-relu-pool", LocallyConnected2D(3), ReLU(), MaxPool2D(), of=(6, 6, 2), gives=(3, 3, 3)),
    case("blur", BlurPool2D(), of=(6, 8, 2), gives=(3, 4, 2)),
    case("blur, odd size", BlurPool2D(), of=(7, 5, 3), gives=(4, 3, 3)),
    case("blur 5 by 2 stride (1, 3)", BlurPool2D((5, 2), (1, 3)), of=(7, 8, 2), gives=(7, 3, 2)),
    case("anti-aliased max pool", Conv2D(4), ReLU(), MaxPool2D(2, 1), BlurPool2D(), of=(8, 7, 2), gives=(4, 3, 4)),
)
WHOLE_BATCH = (
    case("batch norm of images", BatchNorm(), of=(4, 5, 3), gives=(4, 5, 3)),
    case("batch norm first", BatchNorm(), of=(4, 5, 3), gives=(4, 5, 3), after=False),
    case("batch norm of vectors", Flatten(), Dense(6), BatchNorm(0.8, 1e-3), ReLU(), of=(3, 4, 1), gives=(6,)),
    case("conv-norm-relu-pool", Conv2D(4), BatchNorm(), ReLU(), MaxPool2D(), of=(6, 8, 2), gives=(3, 4, 4)),
    case("norm-pool, pixels left over", BatchNorm(), MaxPool2D((3, 2)), of=(8, 7, 2), gives=(2, 3, 2)),
    case("norm-pool-relu first", BatchNorm(), MaxPool2D(), ReLU(), of=(5, 4, 3), gives=(2, 2, 3), after=False),
    case("norm-relu-pool, many channels", BatchNorm(), ReLU(), MaxPool2D(), of=(5, 6, 20), gives=(2, 3, 20)),
    case("norm-overlapping pool", BatchNorm(), ReLU(), MaxPool2D(3, 1), of=(5, 6, 3), gives=(3, 4, 3)),
    case("relu-norm-tanh-norm", ReLU(), BatchNorm(), Tanh(), BatchNorm(), of=(4, 4, 2), gives=(4, 4, 2)),
    case("dropout", Dropout(0.4), of=(4, 5, 2), gives=(4, 5, 2)),
    case("dropout of nothing", Dropout(0.0), of=(4, 5, 2), gives=(4, 5, 2), after=False),
    case("relu-dropout-dense-dropout", Flatten(), ReLU(), Dropout(), Dense(9), Dropout(0.3), of=(3, 4, 2), gives=(9,)),
)
BRANCHES = (
    case("tanh", Tanh(), of=(4, 5, 2), gives=(4, 5, 2)),
    case("tanh-relu-tanh", Tanh(), ReLU(), Tanh(), of=(4, 5, 2), gives=(4, 5, 2)),
    case("tanh-dropout", Conv2D(3), Tanh(), Dropout(0.3), ReLU(), of=(4, 5, 2), gives=(4, 5, 3)),
    case("reshape", Reshape((2, 5, 4)), Conv2D(3), of=(4, 5, 2), gives=(2, 5, 3)),
    case("reshape to a vector", Reshape((40,)), Dense(3), of=(4, 5, 2), gives=(3,)),
    case("relu-reshape-tanh", ReLU(), Reshape((20, 2, 1)), Tanh(), of=(4, 5, 2), gives=(20, 2, 1)),
    case("residual", Residual((Conv2D(3), ReLU(), Conv2D(3))), ReLU(), of=(5, 6, 3), gives=(5, 6, 3)),
    case("residual first", Residual((ReLU(), Conv2D(2))), of=(5, 6, 2), gives=(5, 6, 2), after=False),
    case("residual of a relu", Residual((ReLU(),)), of=(5, 6, 2), gives=(5, 6, 2)),
    case("residual in residual", Residual((Residual((Conv2D(2), Tanh())), Conv2D(2))), of=(5, 4, 2), gives=(5, 4, 2)),
    case(
        "residual with batch norm and dropout",
        *(Conv2D(4), BatchNorm(), Residual((Conv2D(4), BatchNorm(), ReLU(), Dropout(0.2), Conv2D(4), BatchNorm()))),
        *(ReLU(), MaxPool2D()),
        of=(6, 6, 2),
        gives=(3, 3, 4),
    ),
    case("residual of dense", Flatten(), Residual((Dense(24), ReLU())), of=(3, 4, 2), gives=(24,)),
)
CASES = (*CONVOLUTIONS, *STACKS, *POOLS_AND_POINTS, *LOCAL_AND_BLUR, *WHOLE_BATCH, *BRANCHES)
