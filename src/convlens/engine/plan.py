"""The NumPy plan: a Program bound to preallocated arrays, run in micro-batches that stay in the cache.

A `TrainingPlan` is a batch of one size; it has a `LanePlan` for each lane, and that a `Pass` for each micro-batch: the
kernels, wired together. A `PredictionPlan` runs passes forward only. Values that several nodes read, and memory that
two nodes may share, are settled here, once, when a plan is bound.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from .. import ops
from ..program import INPUT, Node, Program
from ..typing import Array, Float32, FloatArray, IntArray
from .arena import Arena
from .kernels import KERNELS, BatchNormKernel, DropoutKernel, FallbackKernel, Kernel, Wiring
from .kernels.dense import DenseKernel
from .lanes import Workers, split

TRAINING_BYTES = 12 << 20  # memory of a micro-batch in training; measured in benchmarks/ to be the best compromise
PREDICTION_BYTES = 3 << 20
LARGEST_MICRO_BATCH = 32


def kernel_of(node: Node) -> type[Kernel]:
    """Return the kernel class that runs a node."""
    return KERNELS.get(node.op, FallbackKernel)


class Memory:
    """Which array holds each value of a Program, and each derivative, for one micro-batch.

    Values that a kernel may compute in place share the array of their *root*, the value it is computed from. Roots in
    `lane_values` and `lane_derivatives` are kept for all images of the lane, in arrays the lane owns; the others live
    in the arena until the next micro-batch.
    """

    def __init__(self, program: Program) -> None:
        self.program = program
        self.roots: dict[str, str] = {INPUT: INPUT}
        needed: set[str] = set()  # roots whose contents some backward pass reads, so that they may only be reshaped
        for node in program.nodes:
            source, kernel = node.inputs[0], kernel_of(node)
            root = self.roots[source]
            alone = kernel.in_place and len(program.consumers(source)) == 1
            shared = alone and (root not in needed or node.op == "reshape")
            self.roots[node.name] = root if shared else node.name
            if kernel.needs_output:
                needed.add(self.roots[node.name])
        keepers = [node for node in program.nodes if kernel_of(node).whole_lane]
        self.lane_values = {self.roots[node.inputs[0]] for node in keepers}
        self.lane_derivatives = {self.roots[node.name] for node in keepers}
        self.shapes = {INPUT: program.input_shape} | {node.name: node.output_shape for node in program.nodes}
        self.has_barriers = any(kernel_of(node).barrier for node in program.nodes)


@dataclass
class LaneStore:
    """The arrays of one lane: those that hold all its images, by root, and what its micro-batches share."""

    values: dict[str, Float32]
    derivatives: dict[str, Float32]
    shared: dict[str, Float32]

    @classmethod
    def make(cls, memory: Memory, images: int) -> LaneStore:
        """Allocate for a number of images."""
        return cls(
            {root: np.zeros((images, *memory.shapes[root]), np.float32) for root in sorted(memory.lane_values)},
            {root: np.zeros((images, *memory.shapes[root]), np.float32) for root in sorted(memory.lane_derivatives)},
            {},
        )


@dataclass(frozen=True)
class Flat:
    """The flat arrays that a plan reads and writes; `gradient` is one lane's, None in a plan for prediction."""

    parameters: Array
    buffers: Array
    gradient: Array | None = None


class Pass:
    """The kernels of one micro-batch of n images, bound to their arrays and ready to run.

    They are cut into segments: every segment but the first begins with a barrier.
    """

    def __init__(
        self,
        memory: Memory,
        n: int,
        arena: Arena,
        flat: Flat,
        lane: LaneStore | None = None,
        rows: slice = slice(0, 0),
    ) -> None:
        self.n, self._memory, self._arena = n, memory, arena
        self._rows = rows
        start = arena.mark()
        program = memory.program
        values = self._arrays(memory.lane_values if lane else set(), lane.values if lane else {})
        derivatives = self._arrays(memory.lane_derivatives, lane.derivatives) if lane else {}
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
                flat.parameters,
                flat.buffers,
                flat.gradient,
                accumulate=rows.start > 0,
                shared=lane.shared if lane else {},
            )
            self.kernels.append(kernel_of(node)(wiring))
        self._take_memory()
        # an arena may be used by others once this pass has run; one with barriers stays under way, and keeps its own
        if not memory.has_barriers or lane is None:
            arena.release(start)
        self.dropouts = [kernel for kernel in self.kernels if isinstance(kernel, DropoutKernel)]
        self.segments: list[list[Kernel]] = [[]]
        for kernel in self.kernels:
            if kernel.barrier and lane is not None:
                self.segments.append([])
            self.segments[-1].append(kernel)

    def _take_memory(self) -> None:
        for kernel in self.kernels:
            kernel.keep(self._arena)
        mark = self._arena.mark()
        highest = mark
        for kernel in self.kernels:
            kernel.scratch(self._arena)
            highest = max(highest, self._arena.mark())
            self._arena.release(mark)
        self._arena.release(highest)

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

    def begin(self, x: Float32, masks: Mapping[str, FloatArray] | None = None) -> None:
        """Take images x (n, H, W, C) and, in training, the masks of dropout nodes."""
        np.copyto(self.x, x)
        for kernel in self.dropouts:
            kernel.mask = None if masks is None else masks[kernel.wiring.node.name]

    def forward(self, segment: int = 0) -> Float32:
        """Run one segment, and measure for the barrier behind it; return the logits (n, K), complete after the last.

        They are the plan's own array, valid until the next pass.
        """
        for kernel in self.segments[segment]:
            kernel.forward()
        if segment + 1 < len(self.segments):
            self.barrier(segment + 1).measure()
        return self.logits

    def backward(self, segment: int = 0) -> None:
        """Run one segment backwards, the last one first; then measure for the barrier at its beginning."""
        if segment + 1 < len(self.segments):
            self._back(self.segments[segment + 1][0])
        own = self.segments[segment][1:] if segment else self.segments[segment]
        for kernel in reversed(own):
            self._back(kernel)
        if segment:
            self.barrier(segment).measure_back()

    def _back(self, kernel: Kernel) -> None:
        kernel.backward()
        for target, aside in self._additions.get(kernel.wiring.node.name, ()):
            np.add(target, aside, out=target)

    def barrier(self, segment: int) -> BatchNormKernel:
        """Return the barrier that a segment begins with."""
        kernel = self.segments[segment][0]
        assert isinstance(kernel, BatchNormKernel)
        return kernel


class LanePlan:
    """One lane of a batch: its micro-batches, its own gradient, and the work that is done once a lane."""

    def __init__(self, memory: Memory, images: int, micro_batch: int, arena: Arena, flat: Flat) -> None:
        assert flat.gradient is not None, "a lane has a gradient"
        self._gradient = flat.gradient
        store = LaneStore.make(memory, images)
        self.parts = split(images, -(-images // micro_batch)) if images else []
        self.passes = [Pass(memory, part.stop - part.start, arena, flat, store, part) for part in self.parts]
        self._finishers = [
            (kernel, *self._lane_arrays(memory, store, kernel.wiring.node, images))
            for kernel in (self.passes[0].kernels if self.passes else ())
            if isinstance(kernel, DenseKernel)
        ]

    @staticmethod
    def _lane_arrays(memory: Memory, store: LaneStore, node: Node, images: int) -> tuple[Float32, Float32]:
        x, dy = store.values[memory.roots[node.inputs[0]]], store.derivatives[memory.roots[node.name]]
        return x.reshape(images, -1), dy.reshape(images, -1)

    def work(self, batch: LaneBatch) -> Iterator[tuple[Pass, slice]]:
        """Return the micro-batches with their images, each begun."""
        for kernel in self.passes[0].kernels if self.passes else ():
            kernel.prepare()
        for one, part in zip(self.passes, self.parts, strict=True):
            masks = {name: mask[part] for name, mask in batch.masks.items()}
            one.begin(batch.x[part], masks)
            yield one, part

    def forward(self, segment: int) -> None:
        """Run one segment of every micro-batch."""
        for one in self.passes:
            one.forward(segment)

    def backward(self, segment: int) -> None:
        """Run one segment of every micro-batch backwards."""
        for one in self.passes:
            one.backward(segment)

    def finish(self) -> None:
        """Compute the weight gradients that are computed once a lane; an empty lane's are zero."""
        if not self.passes:
            self._gradient.fill(0)
        for kernel, inputs, derivatives in self._finishers:
            kernel.finish(inputs, derivatives)


@dataclass
class LaneBatch:
    """One lane's part of a batch, and what comes of it.

    `weight` is what each image's loss counts in the gradient, `smoothing` that of the labels; `loss` is the sum of the
    lane's losses in nats, and `correct` how many of its images were classified right.
    """

    x: Float32
    labels: IntArray
    masks: Mapping[str, FloatArray]
    weight: float
    smoothing: float = 0.0
    loss: float = 0.0
    correct: int = 0

    def judge(self, one: Pass, part: slice) -> None:
        """Add a micro-batch's losses, and write the derivatives of its logits."""
        losses, saved = ops.softmax_cross_entropy(one.logits, self.labels[part], self.smoothing)
        self.loss += float(losses.sum(dtype=np.float64))
        self.correct += int((one.logits.argmax(axis=1) == self.labels[part]).sum())
        assert one.dlogits is not None, "a plan for prediction has no derivatives"
        weights = np.full(len(losses), self.weight, np.float32)
        one.dlogits[...] = ops.softmax_cross_entropy_backward(weights, saved)


class TrainingPlan:
    """A batch of one size: its lanes, each always run by the same worker.

    Without barriers a lane runs each micro-batch forward and backward while it is in the cache. With barriers, all
    micro-batches of all lanes run one segment, then their measurements are merged in the order of the lanes.
    """

    def __init__(
        self,
        memory: Memory,
        images: int,
        micro_batch: int,
        arenas: Sequence[Arena],
        parameters: Array,
        buffers: Array,
        gradients: Sequence[Array],
    ) -> None:
        self.slices = split(images)
        self._buffers, self._workers = buffers, len(arenas)
        own = Arena()  # with barriers all micro-batches are under way at once, and share nothing
        self.lanes = [
            LanePlan(
                memory,
                part.stop - part.start,
                micro_batch,
                own if memory.has_barriers else arenas[lane % len(arenas)],
                Flat(parameters, buffers, gradient),
            )
            for lane, (part, gradient) in enumerate(zip(self.slices, gradients, strict=True))
        ]

    def run(self, workers: Workers, batches: Sequence[LaneBatch]) -> None:
        """Compute every lane's gradient of ``weight * sum of losses``."""
        lanes = list(zip(self.lanes, batches, strict=True))
        passes = [one for lane in self.lanes for one in lane.passes]
        segments = len(passes[0].segments)
        if segments == 1:
            self._each_lane(workers, [partial(_straight, *lane) for lane in lanes])
            return
        self._each_lane(workers, [partial(_enter, *lane) for lane in lanes])
        for segment in range(1, segments):
            BatchNormKernel.merge([one.barrier(segment) for one in passes], self._buffers)
            self._each_lane(workers, [partial(lane.forward, segment) for lane in self.lanes])
        self._each_lane(workers, [partial(_judge, *lane) for lane in lanes])
        for segment in range(segments - 1, -1, -1):
            self._each_lane(workers, [partial(lane.backward, segment) for lane in self.lanes])
            if segment:
                BatchNormKernel.merge_back([one.barrier(segment) for one in passes])
        self._each_lane(workers, [lane.finish for lane in self.lanes])

    def _each_lane(self, workers: Workers, work: Sequence[Callable[[], None]]) -> None:
        """Do each lane's work; lane i is always worker (i modulo workers)'s."""

        def share(worker: int) -> None:
            for lane in range(worker, len(work), self._workers):
                work[lane]()

        workers.run([partial(share, worker) for worker in range(min(self._workers, len(work)))])


def _straight(lane: LanePlan, batch: LaneBatch) -> None:
    """Run a lane without barriers: each micro-batch forward and backward at once."""
    for one, part in lane.work(batch):
        one.forward()
        batch.judge(one, part)
        one.backward()
    lane.finish()


def _enter(lane: LanePlan, batch: LaneBatch) -> None:
    """Run a lane up to its first barrier."""
    for one, _ in lane.work(batch):
        one.forward()


def _judge(lane: LanePlan, batch: LaneBatch) -> None:
    """Compute a lane's losses and the derivatives of its logits."""
    for one, part in zip(lane.passes, lane.parts, strict=True):
        batch.judge(one, part)


class PredictionPlan:
    """Forward passes only, for any number of images."""

    def __init__(self, memory: Memory, micro_batch: int, flat: Flat) -> None:
        self._memory, self._flat = memory, flat
        self._micro_batch = micro_batch
        self._arena = Arena()
        self._passes: dict[int, Pass] = {}

    def run(self, x: Float32, logits: Float32) -> None:
        """Write the logits of images x (N, H, W, C) to `logits` (N, K)."""
        for start in range(0, len(x), self._micro_batch):
            part = slice(start, min(start + self._micro_batch, len(x)))
            n = part.stop - part.start
            if n not in self._passes:
                self._passes[n] = Pass(self._memory, n, self._arena, self._flat)
            self._passes[n].begin(x[part])
            logits[part] = self._passes[n].forward()


def micro_batch_size(memory: Memory, flat: Flat, *, training: bool) -> int:
    """Return how many images fit into the memory set aside for a micro-batch (at least one)."""
    arena = Arena()
    if training:
        gradient = np.zeros_like(flat.parameters)
        lane = LaneStore.make(memory, 1)
        Pass(memory, 1, arena, Flat(flat.parameters, flat.buffers, gradient), lane, slice(0, 1))
    else:
        Pass(memory, 1, arena, flat)
    budget = TRAINING_BYTES if training else PREDICTION_BYTES
    return int(np.clip(budget // (4 * arena.high_water), 1, LARGEST_MICRO_BATCH))
