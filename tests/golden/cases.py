"""What the golden file holds: cases, and inputs that are computed, not stored. Nothing of convlens or torch."""

from __future__ import annotations

import math
import zlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

GOLDENS = Path(__file__).parent / "goldens.npz"
Array = npt.NDArray[Any]
Pair = tuple[int, int]


def noise(name: str, *shape: int) -> Array:
    """Return float32 numbers in [-1, 1), by name: SplitMix64 of their positions, the same on every machine."""
    with np.errstate(over="ignore"):
        start = np.uint64(zlib.crc32(name.encode())) << np.uint64(32)
        z = start + np.arange(1, math.prod(shape) + 1, dtype=np.uint64)
        z *= np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z ^= z >> np.uint64(31)
    values = (z >> np.uint64(40)).astype(np.float64) / 2**23 - 1  # 24 bits: exact in float32
    return values.astype(np.float32).reshape(shape)


@dataclass(frozen=True)
class ConvCase:
    """A convolution; `pads` (top, bottom, left, right) is worked out by hand from the definition of `padding`."""

    name: str
    shape: tuple[int, int, int, int]
    filters: int
    kernel: Pair
    stride: Pair = (1, 1)
    padding: str = "valid"
    pads: tuple[int, int, int, int] = (0, 0, 0, 0)
    mode: str = "zeros"

    def inputs(self) -> tuple[Array, Array, Array]:
        """Return x, w, b."""
        weights = noise(f"{self.name}.w", *self.kernel, self.shape[3], self.filters)
        return noise(f"{self.name}.x", *self.shape), weights, noise(f"{self.name}.b", self.filters)


CONVOLUTIONS = (
    ConvCase("same", (2, 7, 6, 2), 4, (3, 3), padding="same", pads=(1, 1, 1, 1)),
    ConvCase("valid", (2, 7, 6, 2), 4, (3, 3)),
    ConvCase("full", (2, 4, 5, 3), 2, (3, 2), padding="full", pads=(2, 2, 1, 1)),
    ConvCase("even", (2, 7, 6, 2), 3, (4, 4), padding="same", pads=(1, 2, 1, 2)),
    ConvCase("two", (1, 5, 6, 3), 3, (2, 2), padding="same", pads=(0, 1, 0, 1)),
    ConvCase("wide", (2, 6, 7, 2), 3, (1, 5), padding="same", pads=(0, 0, 2, 2)),
    ConvCase("one", (2, 5, 4, 3), 5, (1, 1), padding="same"),
    ConvCase("whole", (2, 5, 4, 2), 3, (5, 4)),
    ConvCase("stride2_odd", (2, 7, 9, 2), 4, (3, 3), (2, 2), "same", (1, 1, 1, 1)),
    ConvCase("stride2_even", (2, 8, 6, 2), 4, (3, 3), (2, 2), "same", (0, 1, 0, 1)),
    ConvCase("stride3_left_over", (2, 9, 8, 2), 3, (2, 3), (3, 3)),
    ConvCase("stride_1_2", (2, 6, 7, 3), 4, (3, 3), (1, 2), "same", (1, 1, 1, 1)),
    ConvCase("reflect", (2, 6, 5, 2), 4, (3, 3), (1, 1), "same", (1, 1, 1, 1), "reflect"),
    ConvCase("reflect_even", (2, 6, 5, 2), 3, (4, 4), (1, 1), "same", (1, 2, 1, 2), "reflect"),
    ConvCase("reflect_stride2", (2, 7, 8, 3), 3, (5, 5), (2, 2), "same", (2, 2, 1, 2), "reflect"),
)

POOLS = {  # kernel, stride; of images of (2, 8, 7, 3)
    "tiles": ((2, 2), (2, 2)),
    "left_over": ((3, 3), (3, 3)),
    "overlap": ((3, 3), (2, 2)),
    "oblong": ((2, 3), (1, 2)),
    "gaps": ((2, 2), (3, 3)),
}


def pool_input() -> Array:
    """Return images of -1, 0 and 1 only: nearly every window has several maxima."""
    return np.rint(1.4 * noise("pool.x", 2, 8, 7, 3))


NORM_SHAPE = (4, 3, 5, 6)  # N, H, W, C
NORM_MOMENTUM, NORM_EPSILON = 0.8, 1e-3


def norm_inputs() -> tuple[Array, Array, Array, Array, Array]:
    """Return x, gamma, beta, and the running mean and variance before."""
    channels = NORM_SHAPE[3]
    x = np.float32(3) * noise("norm.x", *NORM_SHAPE) + np.float32(2) * noise("norm.offset", channels)
    gamma, beta, mean = (noise(f"norm.{name}", channels) for name in ("gamma", "beta", "mean"))
    return x, gamma, beta, mean, np.abs(noise("norm.variance", channels)) + np.float32(0.5)


LOCAL = ConvCase("local", (2, 6, 5, 3), 4, (3, 2), (2, 1), "same", (0, 1, 0, 1))


def local_inputs() -> tuple[Array, Array, Array]:
    """Return x, w, b; the output is 3 x 5."""
    n, height, width, channels = LOCAL.shape
    x = noise("local.x", n, height, width, channels)
    return x, noise("local.w", 3, 5, *LOCAL.kernel, channels, LOCAL.filters), noise("local.b", 3, 5, LOCAL.filters)


BLUR = ConvCase("blur", (2, 7, 6, 3), 0, (3, 3), (2, 2), "same", (1, 1, 0, 1), "reflect")

DENSE_SHAPE = (5, 7, 4)  # N, D_in, D_out
LOGITS_SHAPE = (6, 5)  # N, K
SMOOTHINGS = {"little_smoothing": 0.1, "much_smoothing": 0.75}  # of the labels


def dense_inputs() -> tuple[Array, Array, Array]:
    n, features, units = DENSE_SHAPE
    return noise("dense.x", n, features), noise("dense.w", features, units), noise("dense.b", units)


def loss_inputs() -> tuple[Array, Array]:
    return np.float32(4) * noise("loss.z", *LOGITS_SHAPE), np.array([0, 4, 2, 2, 1, 3])


@dataclass(frozen=True)
class OptimizerCase:
    """An optimiser by its name, which is also PyTorch's; weight decay is for the weights only."""

    name: str
    kind: str
    rate: float
    weight_decay: float = 0.0
    settings: dict[str, Any] = field(default_factory=dict)


OPTIMIZERS = (
    OptimizerCase("sgd", "SGD", 0.1, 0.05),
    OptimizerCase("momentum", "SGD", 0.1, 0.05, {"momentum": 0.9}),
    OptimizerCase("nesterov", "SGD", 0.1, 0.05, {"momentum": 0.9, "nesterov": True}),
    OptimizerCase("adam", "Adam", 0.02),
    OptimizerCase("adam_l2", "Adam", 0.02, 0.2),
    OptimizerCase("adam_settings", "Adam", 0.02, 0.2, {"beta1": 0.7, "beta2": 0.9, "epsilon": 0.3}),
    OptimizerCase("adamw", "AdamW", 0.02, 0.2),
)
STEPS = 5
WEIGHTS_SHAPE = (9, 5)  # of the one dense layer that is optimised


def optimizer_inputs() -> tuple[tuple[Array, Array], list[tuple[Array, Array]]]:
    """Return the weights and biases to begin with, and the gradients of five steps."""
    units = WEIGHTS_SHAPE[1]
    start = noise("step.w", *WEIGHTS_SHAPE), noise("step.b", units)
    return start, [(noise(f"step{i}.dw", *WEIGHTS_SHAPE), noise(f"step{i}.db", units)) for i in range(STEPS)]


BRANCHED_INPUT = (6, 4, 5, 2)  # N, H, W, C
BRANCHED_SHAPES = {  # x + relu(conv 3x3 of x) - dropout - the same values as 2 x 4 x 5 - conv 2x2 of 3, valid - dense 4
    "conv1.w": (3, 3, 2, 2),
    "conv1.b": (2,),
    "conv2.w": (2, 2, 5, 3),
    "conv2.b": (3,),
    "dense1.w": (1 * 3 * 3, 4),
    "dense1.b": (4,),
}
DROPOUT_RATE = 0.25


def branched_parameters() -> dict[str, Array]:
    return {name: noise(f"branched.{name}", *shape) for name, shape in BRANCHED_SHAPES.items()}


def branched_batch() -> tuple[Array, Array, Array]:
    """Return images, labels, and what dropout multiplies with: 0 or 4/3."""
    kept = noise("branched.mask", *BRANCHED_INPUT) >= 2 * DROPOUT_RATE - 1
    return noise("branched.x", *BRANCHED_INPUT), np.arange(6) % 4, np.float32(1 / (1 - DROPOUT_RATE)) * kept


CNN_SHAPES = {  # the MNIST network: conv 16 - relu - pool - conv 32 - relu - pool - dense 128 - relu - dense 10
    "conv1.w": (3, 3, 1, 16),
    "conv1.b": (16,),
    "conv2.w": (3, 3, 16, 32),
    "conv2.b": (32,),
    "dense1.w": (7 * 7 * 32, 128),
    "dense1.b": (128,),
    "dense2.w": (128, 10),
    "dense2.b": (10,),
}


def cnn_parameters() -> dict[str, Array]:
    """Return weights of He's variance, and biases that are not zero."""
    scales = {
        name: math.sqrt(6 / math.prod(shape[:-1])) if len(shape) > 1 else 0.1 for name, shape in CNN_SHAPES.items()
    }
    return {name: np.float32(scales[name]) * noise(f"cnn.{name}", *shape) for name, shape in CNN_SHAPES.items()}


def cnn_batch() -> tuple[Array, Array]:
    """Return 16 images, blank but for a patch, and their labels."""
    x = np.maximum(noise("cnn.x", 16, 28, 28, 1), 0)
    for i, image in enumerate(x):
        top, left = 2 + i % 5, 3 + i % 4
        image[:top] = image[top + 19 :] = 0
        image[:, :left] = image[:, left + 17 :] = 0
    return x, np.arange(16) * 7 % 10


def condensed(gradients: dict[str, Array]) -> dict[str, Array]:
    """Return gradients as stored: of the 200,704 values of dense1.w every 16th row, and weighted sums of all."""
    kept = dict(gradients)
    large = kept.pop("dense1.w").astype(np.float64)
    kept["dense1.w rows"] = large[::16]
    kept["dense1.w along rows"] = large @ noise("cnn.project.out", large.shape[1])
    kept["dense1.w along columns"] = noise("cnn.project.in", large.shape[0]) @ large
    return kept
