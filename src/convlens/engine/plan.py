"""The NumPy plan: a Program bound to preallocated arrays, run in micro-batches that stay in the cache.

A `LanePlan` runs one lane of a batch: for each micro-batch forward, loss and backward through all kernels, then once
for the lane the weight gradients of dense layers. A `PredictionPlan` runs forward only. Both are made of `Pass`: the
kernels of one micro-batch, wired together. Values that several nodes read, and memory that two nodes may share, are
settled here, once, when a plan is bound.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .. import ops
from ..program import INPUT, Node, Program
from ..typing import Array, Float32, IntArray
from .arena import Arena
from .kernels import KERNELS, FallbackKernel, Kernel, Wiring
from .kernels.dense import DenseKernel
from .lanes import split

TRAINING_BYTES = 6 << 20  # memory of a micro-batch in training; measured in benchmarks/ to be the best compromise
PREDICTION_BYTES = 3 << 20
LARGEST_MICRO_BATCH = 32


def kernel_of(node: Node) -> type[Kernel]:
    """Return the kernel class that runs a node."""
    return KERNELS.get(node.op, FallbackKernel)


class Memory:
    """Which array holds each value of a Program, and each derivative, for one micro-batch.

    Values that a kernel may compute in place share the array of their *root*, the value it is computed from. Roots
    in `lane` are kept for all images of the lane, in arrays the lane owns; the others live in the arena until the
    next micro-batch.
    """

    def __init__(self, program: Program) -> None:
        self.program = program
        self.roots: dict[str, str] = {INPUT: INPUT}
        for node in program.nodes:
            source = node.inputs[0]
            shared = kernel_of(node).in_place and len(program.consumers(source)) == 1
            self.roots[node.name] = self.roots[source] if shared else node.name
        keepers = [node for node in program.nodes if kernel_of(node).whole_lane]
        self.lane_values = {self.roots[node.inputs[0]] for node in keepers}
        self.lane_derivatives = {self.roots[node.name] for node in keepers}
        self.shapes = {INPUT: program.input_shape} | {node.name: node.output_shape for node in program.nodes}


@dataclass
class LaneStore:
    """The arrays of one lane that hold all its images: values and derivatives by root."""

    values: dict[str, Float32]
    derivatives: dict[str, Float32]

    @classmethod
    def make(cls, memory: Memory, images: int) -> LaneStore:
        """Allocate for a number of images."""
        return cls(
            {root: np.zeros((images, *memory.shapes[root]), np.float32) for root in sorted(memory.lane_values)},
            {root: np.zeros((images, *memory.shapes[root]), np.float32) for root in sorted(memory.lane_derivatives)},
        )


class Pass:
    """The kernels of one micro-batch of n images, bound to their arrays and ready to run."""

    def __init__(
        self,
        memory: Memory,
        n: int,
        arena: Arena,
        parameters: Array,
        gradient: Array | None = None,
        lane: LaneStore | None = None,
        rows: slice = slice(0, 0),
    ) -> None:
        self.n, self._memory, self._arena = n, memory, arena
        self._lane, self._rows = lane, rows
        start = arena.mark()
        program, training = memory.program, gradient is not None
        values = self._arrays(memory.lane_values if lane else set(), lane.values if lane else {})
        derivatives = self._arrays(memory.lane_derivatives, lane.derivatives) if training and lane else {}
        self.x, self.logits = values[INPUT], values[program.output]
        self.dlogits = derivatives.get(program.output)
        self.kernels: list[Kernel] = []
        self._additions: dict[str, list[tuple[Float32, Float32]]] = {}
        self._needed = self._with_parameters_before(program)
        for node in program.nodes:
            wiring = Wiring(
                node,
                tuple(values[name] for name in node.inputs),
                values[node.name],
                tuple(self._derivative_of(node, position, derivatives) for position in range(len(node.inputs))),
                derivatives.get(node.name),
                parameters,
                gradient,
                accumulate=rows.start > 0,
            )
            self.kernels.append(kernel_of(node)(wiring))
        for kernel in self.kernels:
            kernel.keep(arena)
        mark = arena.mark()
        for kernel in self.kernels:
            kernel.scratch(arena)
            arena.release(mark)
        arena.release(start)

    def _arrays(self, kept: set[str], store: dict[str, Float32]) -> dict[str, Float32]:
        """Return an array for every value: the lane's for roots that are kept, the arena's for the others."""
        memory, arrays = self._memory, {}
        for root in dict.fromkeys(memory.roots.values()):
            shape = (self.n, *memory.shapes[root])
            arrays[root] = store[root][self._rows] if root in kept else self._arena.take(shape)
        return {name: arrays[root].reshape(self.n, *memory.shapes[name]) for name, root in memory.roots.items()}

    @staticmethod
    def _with_parameters_before(program: Program) -> set[str]:
        """Return the values behind at least one parameter: only their derivatives are of use."""
        needed: set[str] = set()
        for node in program.nodes:
            if node.parameters or needed & set(node.inputs):
                needed.add(node.name)
        return needed

    def _derivative_of(self, reader: Node, position: int, derivatives: dict[str, Float32]) -> Float32 | None:
        """Return where a node writes the derivative of an input of its own.

        Several readers of one value run backwards one after the other: the first to run, the last in the Program,
        writes; the others write aside, and are added. A node that reads one value twice counts as two readers.
        """
        name = reader.inputs[position]
        if name not in derivatives or name not in self._needed:
            return None
        target = derivatives[name]
        nodes = self._memory.program.nodes
        readers = [(node.name, place) for node in nodes for place, value in enumerate(node.inputs) if value == name]
        if readers[-1] == (reader.name, position):
            return target
        aside = self._arena.take(target.shape)
        self._additions.setdefault(reader.name, []).append((target, aside))
        return aside

    def forward(self, x: Float32) -> Float32:
        """Return the logits (n, K) of images x (n, H, W, C): the plan's own array, valid until the next pass."""
        np.copyto(self.x, x)
        for kernel in self.kernels:
            kernel.forward()
        return self.logits

    def backward(self) -> None:
        """Compute all gradients from `dlogits`."""
        for kernel in reversed(self.kernels):
            kernel.backward()
            for target, aside in self._additions.get(kernel.wiring.node.name, ()):
                np.add(target, aside, out=target)


class LanePlan:
    """One lane of a batch: its micro-batches, its own gradient, and the work that is done once a lane."""

    def __init__(
        self, memory: Memory, images: int, micro_batch: int, arena: Arena, parameters: Array, gradient: Array
    ) -> None:
        self._gradient = gradient
        store = LaneStore.make(memory, images)
        self.parts = split(images, -(-images // micro_batch)) if images else []
        self.passes = [
            Pass(memory, part.stop - part.start, arena, parameters, gradient, store, part) for part in self.parts
        ]
        self._finishers = [
            (kernel, *self._lane_arrays(memory, store, kernel.wiring.node, images))
            for kernel in (self.passes[0].kernels if self.passes else ())
            if isinstance(kernel, DenseKernel)
        ]

    @staticmethod
    def _lane_arrays(memory: Memory, store: LaneStore, node: Node, images: int) -> tuple[Float32, Float32]:
        x, dy = store.values[memory.roots[node.inputs[0]]], store.derivatives[memory.roots[node.name]]
        return x.reshape(images, -1), dy.reshape(images, -1)

    def run(self, x: Float32, labels: IntArray, weight: float, smoothing: float = 0.0) -> tuple[float, int]:
        """Compute the lane's gradient of ``weight * sum of losses``, whose labels may be smoothed.

        Returns
        -------
        loss
            Sum of the losses of the lane's images, in nats.
        correct
            How many of them were classified right.
        """
        loss, correct = 0.0, 0
        if not self.passes:
            self._gradient.fill(0)
        for part, one in zip(self.parts, self.passes, strict=True):
            logits = one.forward(x[part])
            losses, saved = ops.softmax_cross_entropy(logits, labels[part], smoothing)
            loss += float(losses.sum(dtype=np.float64))
            correct += int((logits.argmax(axis=1) == labels[part]).sum())
            weights = np.full(len(losses), weight, np.float32)
            assert one.dlogits is not None
            one.dlogits[...] = ops.softmax_cross_entropy_backward(weights, saved)
            one.backward()
        for kernel, inputs, derivatives in self._finishers:
            kernel.finish(inputs, derivatives)
        return loss, correct


class PredictionPlan:
    """Forward passes only, for any number of images."""

    def __init__(self, memory: Memory, micro_batch: int, parameters: Array) -> None:
        self._memory, self._parameters = memory, parameters
        self._micro_batch = micro_batch
        self._arena = Arena()
        self._passes: dict[int, Pass] = {}

    def run(self, x: Float32, logits: Float32) -> None:
        """Write the logits of images x (N, H, W, C) to `logits` (N, K)."""
        for start in range(0, len(x), self._micro_batch):
            part = slice(start, min(start + self._micro_batch, len(x)))
            n = part.stop - part.start
            if n not in self._passes:
                self._passes[n] = Pass(self._memory, n, self._arena, self._parameters)
            logits[part] = self._passes[n].forward(x[part])


def micro_batch_size(memory: Memory, parameters: Array, *, training: bool) -> int:
    """Return how many images fit into the memory set aside for a micro-batch (at least one)."""
    arena = Arena()
    gradient = np.zeros_like(parameters) if training else None
    lane = LaneStore.make(memory, 1) if training else None
    Pass(memory, 1, arena, parameters, gradient, lane, slice(0, 1))
    budget = TRAINING_BYTES if training else PREDICTION_BYTES
    return int(np.clip(budget // (4 * arena.high_water), 1, LARGEST_MICRO_BATCH))
