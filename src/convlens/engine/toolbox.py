"""The toolbox that a plan is made with: the kernels of one backend, and the sizes that suit them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol

import numpy as np

from ..ops.activation import LARGEST_LOGIT, softmax
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

        `settings`, float64, are the label smoothing, and the weight of each image's loss in the sum whose derivatives
        are `dlogits`. The step adds to `result`, float64, the sum of the losses (nats) and the number of images
        classified correctly.
        """


def probabilities_step(logits: Float32, out: Float32) -> Step:
    """Return a step that writes the softmax of logits (n, K); NaN for an image whose logits are not all finite."""

    def step() -> None:
        with np.errstate(all="ignore"):
            known = (np.abs(logits) < LARGEST_LOGIT).all(axis=1)
            out[...] = softmax(logits)
            out[~known] = np.nan

    return step


class Fold(Protocol):
    """Makes the step that computes weights and biases with a batch normalisation folded in."""

    def __call__(
        self,
        *,
        w: Float32,
        b: Float32,
        gamma: Float32,
        beta: Float32,
        mean: Float32,
        variance: Float32,
        epsilon: float,
        folded_w: Float32,
        folded_b: Float32,
    ) -> Step:
        """Return a step that writes w * s and (b - mean) * s + beta, s = gamma / sqrt(variance + epsilon).

        Weights and biases are (rows, C), the others (C,). See `convlens.engine.folding`.
        """


class Redirection(Protocol):
    """Lets bound steps read another array in place of their own."""

    def point_at(self, place: int | None) -> None:
        """Let them read an array of the same size, at this address, when they next run; None: their own again."""


class Warp(Protocol):
    """Warps images: `convlens.ops.warp.warp`."""

    def __call__(
        self,
        images: Float32,
        matrices: Float32,
        noise: Float32 | None,
        strength: float,
        deviation: float,
        out: Float32 | None = None,
    ) -> Float32:
        """Return the warped images, in `out` if it is given."""


def _no_redirection(steps: Sequence[Step], array: Array) -> None:
    del steps, array


def _no_shares(preparations: Sequence[Sequence[Step]], passes: Sequence[Sequence[Kernel]]) -> list[Step]:
    del preparations, passes
    return []


@dataclass(frozen=True)
class Toolbox:
    """One backend: kernels, loss, updates, threads and memory sizes.

    Attributes
    ----------
    kernels
        The kernel of each op; an op without one runs through `convlens.ops` (`convlens.engine.fallback`).
    poolers
        Ops with a kernel ``..._max_pool2d``, which also computes the pool that follows (`convlens.engine.rewrite`).
    rectifiers
        Ops whose kernels support the attribute ``relu``.
    loss_step, fold, warp
        Makes the step that computes the loss; the one that folds a batch normalisation; warps images.
    bind
        Binds optimiser updates to their arrays; None if they run through `convlens.ops`.
    join
        Merges consecutive steps, where that makes them faster.
    add_up
        Makes the step that sums a part of the lanes' gradients (lanes, parameters), in the order of the lanes, and
        writes it to the same part of another array.
    probabilities_step
        Makes the step that turns logits into probabilities: see the function of that name.
    reads
        Finds where steps read an array; None if they cannot read another one.
    shares
        Makes steps that wait for one another (`Workers.together`) and compute a forward pass, each a share of every
        kernel's output. It is given, for each of them, the steps that prepare and the kernels, bound to the same values
        and to memory of their own. Empty if that cannot be done.
    workers
        Makes the threads, given their number.
    training_bytes, prediction_bytes
        Memory budget of a micro-batch; measured to be the fastest.
    """

    kernels: Mapping[str, type[Kernel]]
    poolers: Collection[str]
    rectifiers: Collection[str]
    loss_step: LossStep
    fold: Fold
    bind: Binder | None
    warp: Warp
    join: Callable[[Sequence[Step]], list[Step]]
    add_up: Callable[[Array, slice, Array], Step]
    workers: Callable[[int], Workers]
    training_bytes: int
    prediction_bytes: int
    probabilities_step: Callable[[Float32, Float32], Step] = probabilities_step
    reads: Callable[[Sequence[Step], Array], Redirection | None] = _no_redirection
    shares: Callable[[Sequence[Sequence[Step]], Sequence[Sequence[Kernel]]], list[Step]] = _no_shares

    def joined(self, steps: Sequence[Step]) -> Step:
        """Return one step that runs all of these."""
        joined = self.join(steps)
        return joined[0] if len(joined) == 1 else partial(_run, joined)

    def kernel_of(self, node: Node) -> type[Kernel]:
        """Return the kernel class that runs a node."""
        return self.kernels.get(node.op) or fallback.kernel_of(node)


def _run(steps: Sequence[Step]) -> None:
    for step in steps:
        step()
