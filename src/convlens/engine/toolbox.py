"""What a plan is made with: the kernels of one way of running, and the sizes that suit them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from ..program import Node
from ..typing import Array, Float32, IntArray
from . import fallback
from .kernel import Kernel, Step
from .lanes import Workers
from .updates import Binder


class LossStep(Protocol):
    """Makes the step that computes a micro-batch's loss."""

    def __call__(self, logits: Float32, labels: IntArray, settings: Array, dlogits: Float32, result: Array) -> Step:
        """Return a step that computes the loss of logits (n, K), given labels (n,).

        `settings`, float64, are the smoothing of the labels, and the weight of a loss in the sum that the derivatives
        `dlogits` are of. Added to `result`, float64: the sum of the losses (nats), and how many images are right.
        """


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
        The kernel of each op; an op that has none runs through `convlens.ops` (`convlens.engine.fallback`).
    poolers
        Ops that have a kernel ``..._max_pool2d``, for themselves and the pool behind them (`convlens.engine.rewrite`).
    rectifiers
        Ops whose kernels heed the attribute ``relu``.
    loss_step, warp
        The loss; what moves images.
    bind
        Binds optimisers' updates to their arrays; None where they go through `convlens.ops`.
    join
        Puts steps that follow one another together, where that makes them faster.
    add_up
        Makes the step that writes the sum of a part of the lanes' gradients (lanes, parameters), in their order, to the
        same part of another array.
    workers
        Makes the threads, given their number.
    training_bytes, prediction_bytes
        Memory of a micro-batch; measured to be best.
    """

    kernels: Mapping[str, type[Kernel]]
    poolers: Collection[str]
    rectifiers: Collection[str]
    loss_step: LossStep
    bind: Binder | None
    warp: Warp
    join: Callable[[Sequence[Step]], list[Step]]
    add_up: Callable[[Array, slice, Array], Step]
    workers: Callable[[int], Workers]
    training_bytes: int
    prediction_bytes: int

    def together(self, steps: Sequence[Step]) -> Step:
        """Return one step that runs all of these."""
        joined = self.join(steps)
        return joined[0] if len(joined) == 1 else partial(_run, joined)

    def kernel_of(self, node: Node) -> type[Kernel]:
        """Return the kernel class that runs a node."""
        return self.kernels.get(node.op) or fallback.kernel_of(node)


def _run(steps: Sequence[Step]) -> None:
    for step in steps:
        step()
