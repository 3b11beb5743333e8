"""The interface of a kernel: the arrays that it is given, and what it must compute."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, ClassVar, Literal, TypeAlias

from ..program import Node
from ..typing import Array, Float32, Shape
from .arena import Arena, readable
from .lanes import Share

Step: TypeAlias = Callable[[], None]  # a part of the work, bound to all it needs
Stage: TypeAlias = Literal["prepare", "measure", "forward", "measure_back", "backward"]


@dataclass(frozen=True)
class Wiring:
    """The arrays that one node of a plan is bound to, for micro-batches of n images.

    Attributes
    ----------
    node
        The node.
    inputs, output
        Values, (n, *image shape).
    dinputs
        Where derivatives with respect to the inputs are written; None where no node needs them (the images').
    doutput
        The derivative with respect to the output, complete when `Kernel.backward` is called; None in a plan for
        prediction.
    parameters, buffers, gradient
        The flat arrays; `gradient` belongs to the lane. None in a plan for prediction.
    accumulate
        Whether to add to the lane's gradient: an earlier micro-batch of the lane has already written it.
    shared
        Arrays that all micro-batches of a thread share, by node.
    drawn
        The random numbers of a node whose op draws any, (n, *image shape); None in a plan for prediction.
    folded
        Arrays to take in place of parameters (`convlens.engine.folding`).
    """

    node: Node
    inputs: tuple[Float32, ...]
    output: Float32
    dinputs: tuple[Float32 | None, ...]
    doutput: Float32 | None
    parameters: Array
    buffers: Array
    gradient: Array | None
    accumulate: bool
    shared: dict[str, Float32]
    drawn: Float32 | None = None
    folded: Mapping[str, Float32] = field(default_factory=dict)

    def parameter(self, key: str) -> Float32:
        """Return a parameter of the node."""
        return self.folded[key] if key in self.folded else self.node.parameters[key].view(self.parameters)

    def buffer(self, key: str) -> Float32:
        """Return a running statistic of the node."""
        return self.node.buffers[key].view(self.buffers)

    def dparameter(self, key: str) -> Float32:
        """Return the array in which the gradient of a parameter is accumulated."""
        assert self.gradient is not None, "a plan for prediction has no gradients"
        return self.node.parameters[key].view(self.gradient)

    def memory(self, key: str, shape: Shape) -> Float32:
        """Return an array that all micro-batches of a thread share."""
        name = f"{self.node.name}.{key}"
        if name not in self.shared:
            self.shared[name] = readable(math.prod(shape))
        return self.shared[name].reshape(shape)


class Kernel(ABC):
    """One node, bound to arrays.

    Attributes
    ----------
    in_place
        Output and input may share memory, and their derivatives likewise.
    needs_output
        The backward pass reads the output, so no later node may change it in place.
    uses_blas
        It may call a BLAS, which must then be limited to one thread while a plan runs. (Setting the limit takes longer
        than a small network.)
    whole_batch
        Input and output derivative are kept for all images of the batch: `finish` computes the gradient of all its
        parameters, once per batch.
    barrier
        It can run only when all micro-batches of all lanes have reached it: see `Barrier`.
    """

    in_place: ClassVar[bool] = False
    uses_blas: ClassVar[bool] = True
    needs_output: ClassVar[bool] = False
    whole_batch: ClassVar[bool] = False
    barrier: ClassVar[bool] = False

    def __init__(self, wiring: Wiring) -> None:
        self.wiring = wiring

    def keep(self, arena: Arena) -> None:  # noqa: B027 - most kernels keep nothing
        """Take the arrays that must survive from the forward to the backward pass."""

    def scratch(self, arena: Arena) -> None:  # noqa: B027 - many need none
        """Take the arrays that are needed only while this kernel runs; all kernels share that memory."""

    def prepare(self) -> None:  # noqa: B027 - most have nothing to prepare
        """Compute what depends on the parameters alone; called once per thread and step, for all its micro-batches."""

    @abstractmethod
    def forward(self) -> None:
        """Compute the output from the inputs."""

    @abstractmethod
    def backward(self) -> None:
        """Compute the derivatives of inputs and parameters from the output's."""

    def finish(self, x: Float32, dy: Float32, gradient: Array, share: Share) -> None:  # noqa: B027 - few have to
        """Write a share of the batch's flat gradient, given inputs (N, D_in) and output derivatives (N, D_out).

        Rows of weights are divided as by `lanes.split`; parameters without rows belong to share 0 (`plan.flat_shares`).
        """

    def steps(self, stage: Stage) -> list[Step]:
        """Return a stage as steps: the same as calling it, but a plan can join the steps of several kernels."""
        nothing = getattr(type(self), stage) is getattr(Kernel, stage, None)
        return [] if nothing else [getattr(self, stage)]

    def finishing(self, x: Float32, dy: Float32, gradient: Array, share: Share) -> list[Step]:
        """Return `finish` as steps."""
        return [partial(self.finish, x, dy, gradient, share)]


class Barrier(Kernel):
    """A kernel whose result depends on the whole batch.

    All micro-batches of all lanes run up to it, and each measures its share of what the kernel needs from the batch;
    `merge` combines the shares, in the order of the lanes, and hands the result to every kernel of the node; only then
    can `forward` run. Backward likewise. A plan for prediction calls only `forward`.
    """

    barrier = True

    def measure(self) -> None:
        """Measure this micro-batch's share, before `merge`."""

    @staticmethod
    @abstractmethod
    def merge(kernels: Sequence[Any], buffers: Array) -> None:
        """Combine the shares of all micro-batches; update the running statistics, if the node has any.

        `kernels` are those of one node, of this class, in the order of the images.
        """

    def measure_back(self) -> None:
        """Measure this micro-batch's share of what `backward` needs from the batch, before `merge_back`."""

    @staticmethod
    @abstractmethod
    def merge_back(kernels: Sequence[Any]) -> None:
        """Combine the shares of all micro-batches, before any of them runs `backward`."""
