"""What a plan is made with: the kernels of one way of running, and the sizes that suit them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Protocol

from ..program import Node
from ..typing import Array, Float32, IntArray
from .kernels import FallbackKernel, Kernel


class Judge(Protocol):
    """Computes a micro-batch's loss."""

    def __call__(
        self, logits: Float32, labels: IntArray, smoothing: float, weight: float, dlogits: Float32
    ) -> tuple[float, int]:
        """Return the sum of the losses (nats) and how many images are classified right; write the derivatives.

        They are those of ``weight * sum of losses`` with respect to the logits.
        """


class Updates(Protocol):
    """The updates of `convlens.ops.update`, by the same names."""

    sgd: Callable[..., None]
    adam: Callable[..., None]
    average: Callable[..., None]


class Warp(Protocol):
    """Moves images: `convlens.ops.warp.warp`."""

    def __call__(
        self,
        images: Float32,
        matrices: Float32,
        noise: Float32 | None,
        strength: float,
        deviation: float,
        out: Float32 | None = None,
    ) -> Float32:
        """Return the images moved, in `out` where it is given."""


@dataclass(frozen=True)
class Toolbox:
    """One way of running a Program.

    Attributes
    ----------
    kernels
        The kernel of each op; an op that has none runs through `convlens.ops`.
    poolers
        Ops that have a kernel ``..._max_pool2d``, for themselves and the pool behind them (`convlens.engine.rewrite`).
    rectifiers
        Ops whose kernels heed the attribute ``relu``.
    judge, updates, warp
        The loss; the optimisers' updates; what moves images.
    add_up
        Writes the sum of arrays, in their order, to another.
    training_bytes, prediction_bytes
        Memory of a micro-batch; measured to be best.
    chunk
        Floats of the flat array that an update takes at a time.
    """

    kernels: Mapping[str, type[Kernel]]
    poolers: Collection[str]
    rectifiers: Collection[str]
    judge: Judge
    updates: Updates
    warp: Warp
    add_up: Callable[[list[Array], Array], None]
    training_bytes: int
    prediction_bytes: int
    chunk: int

    def kernel_of(self, node: Node) -> type[Kernel]:
        """Return the kernel class that runs a node."""
        return self.kernels.get(node.op, FallbackKernel)
