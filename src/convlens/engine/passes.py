"""One micro-batch: which array holds which value, and the kernels bound to them.

Which values have several readers, and which nodes share memory, is decided here, once, when a pass is bound.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np

from ..program import INPUT, Node, Program
from ..typing import Array, Float32
from . import folding
from .arena import Arena, readable
from .interpreter import OPS
from .kernel import Barrier, Kernel, Step, Wiring
from .lanes import lanes_of, smallest_lane
from .toolbox import Toolbox

LARGEST_MICRO_BATCH = 32


class Memory:
    """Which array holds each value of a Program, and each derivative, for one micro-batch.

    A value that a kernel computes in place shares the array of its *root*, the value that it is computed from. Roots in
    `kept_values` and `kept_derivatives` are kept for all images of the batch, in arrays that the plan owns; the others
    live in the arena until the next micro-batch.
    """

    def __init__(self, program: Program, toolbox: Toolbox) -> None:
        self.program, self.toolbox = program, toolbox
        kernel_of = toolbox.kernel_of
        self.roots: dict[str, str] = {INPUT: INPUT}
        needed: set[str] = set()  # roots whose contents a backward pass reads, so they may only be reshaped
        for node in program.nodes:
            source, kernel = node.inputs[0], kernel_of(node)
            root = self.roots[source]
            alone = kernel.in_place and len(program.consumers(source)) == 1
            shared = alone and (root not in needed or node.op == "reshape")
            self.roots[node.name] = root if shared else node.name
            if kernel.needs_output:
                needed.add(self.roots[node.name])
        keepers = [node for node in program.nodes if kernel_of(node).whole_batch]
        self.whole_batch = [slot for node in keepers for slot in node.parameters.values()]
        self.summed = program.parameter_size - sum(slot.size for slot in self.whole_batch)  # by lanes
        self.kept_values = {INPUT} | {self.roots[node.inputs[0]] for node in keepers}
        self.kept_derivatives = {self.roots[node.name] for node in keepers}
        self.shapes = {INPUT: program.input_shape} | {node.name: node.output_shape for node in program.nodes}
        self.has_barriers = any(kernel_of(node).barrier for node in program.nodes)
        self.crossing = self._crossing()

    def lanes(self, images: int) -> int:
        """Return the number of lanes of a batch of this number of images."""
        flops, size = self.program.flops, self.program.parameter_size
        return lanes_of(images, smallest_lane(flops, size, self.summed), self.summed, size)

    def bytes_until_done(self) -> int:
        """Return the bytes that an image takes, with barriers, until the whole batch has run."""
        values = sum(math.prod(self.shapes[root]) for root in set(self.roots.values()))
        return 4 * (values + sum(math.prod(self.shapes[root]) for root in self.crossing))

    def _crossing(self) -> set[str]:
        """Return the roots whose derivatives are written in one segment and read in another."""
        visits: dict[str, set[int]] = {root: set() for root in self.roots.values()}
        segment = 0
        for node in self.program.nodes:
            barrier = self.toolbox.kernel_of(node).barrier
            segment += barrier
            for name in node.inputs:  # a barrier's own backward pass belongs to the segment before it
                visits[self.roots[name]].add(segment - barrier)
            visits[self.roots[node.name]].update({segment - barrier, segment})
        visits[self.roots[self.program.output]].add(segment + 1)  # the loss writes it, between the passes
        return {root for root, when in visits.items() if len(when) > 1}


class BatchStore:
    """The arrays that hold all images of a batch.

    Attributes
    ----------
    values, derivatives
        Those of the roots that are kept, the images themselves included.
    drawn
        The random numbers of the nodes that draw any, by name.
    labels, settings
        Classes, int64; label smoothing and the weight of an image's loss, float64.
    """

    def __init__(self, memory: Memory, images: int) -> None:
        def arrays(names: Iterable[str]) -> dict[str, Float32]:
            shapes = {name: (images, *memory.shapes[name]) for name in sorted(names)}
            return {name: readable(math.prod(shape)).reshape(shape) for name, shape in shapes.items()}

        self.values, self.derivatives = arrays(memory.kept_values), arrays(memory.kept_derivatives)
        self.drawn = arrays(node.name for node in memory.program.nodes if node.op in OPS and OPS[node.op].draws)
        self.labels, self.settings = np.zeros(images, np.int64), np.zeros(2)

    @property
    def nbytes(self) -> int:
        """Bytes of its arrays."""
        floats = sum(one.nbytes for part in (self.values, self.derivatives, self.drawn) for one in part.values())
        return floats + self.labels.nbytes


class LaneStore:
    """The arrays of one lane.

    Attributes
    ----------
    values, derivatives, drawn, labels, settings
        Its part of the batch's.
    result
        The sum of the losses, and the number of images classified correctly.
    shared
        Arrays that its micro-batches share with each other and with the thread's other lanes, by node.
    """

    def __init__(self, batch: BatchStore, rows: slice, shared: dict[str, Float32] | None = None) -> None:
        def parts(arrays: dict[str, Float32]) -> dict[str, Float32]:
            return {name: array[rows] for name, array in arrays.items()}

        self.values, self.derivatives, self.drawn = parts(batch.values), parts(batch.derivatives), parts(batch.drawn)
        self.labels, self.settings, self.result = batch.labels[rows], batch.settings, np.zeros(2)
        self.shared: dict[str, Float32] = {} if shared is None else shared


@dataclass(frozen=True)
class Flat:
    """The flat arrays that a plan reads and writes; `gradient` is one lane's, None in a plan for prediction."""

    parameters: Array
    buffers: Array
    gradient: Array | None = None


class Pass:
    """The kernels of one micro-batch of n images, bound to their arrays and ready to run.

    They are cut into segments: every segment but the first begins with a barrier. Memory that only one segment needs
    comes from `arena`, and others may use it once this segment has run; memory that must last until the whole pass has
    run comes from `lasting`. Without barriers the two are the same.

    Its images are `rows` of a lane or, in a plan for prediction, of the arrays `given` by root.
    """

    def __init__(
        self,
        memory: Memory,
        n: int,
        arena: Arena,
        flat: Flat,
        lane: LaneStore | None = None,
        rows: slice = slice(0, 0),
        lasting: Arena | None = None,
        given: Mapping[str, Float32] | None = None,
        shared: dict[str, Float32] | None = None,
    ) -> None:
        self.n, self._memory, self._arena, self._lasting = n, memory, arena, lasting or arena
        self._rows = rows
        start = arena.mark()
        program = memory.program
        values = self._arrays(lane.values if lane else given or {}, set(memory.shapes))
        derivatives = self._arrays(lane.derivatives, memory.crossing) if lane else {}
        self.x, self.logits = values[INPUT], values[program.output]
        self.dlogits = derivatives.get(program.output)
        self.kernels: list[Kernel] = []
        self._additions: dict[str, list[Step]] = {}
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
                shared=lane.shared if lane else {} if shared is None else shared,
                drawn=lane.drawn[node.name][rows] if lane and node.name in lane.drawn else None,
            )
            self.kernels.append(memory.toolbox.kernel_of(node)(folding.with_memory(wiring)))
        self._take_memory()
        arena.release(start)
        self.segments: list[list[Kernel]] = [[]]
        for kernel in self.kernels:
            if kernel.barrier and lane is not None:
                self.segments.append([])
            self.segments[-1].append(kernel)

    def _take_memory(self) -> None:
        for kernel in self.kernels:
            kernel.keep(self._lasting)
        mark = self._arena.mark()
        for kernel in self.kernels:
            kernel.scratch(self._arena)
            self._arena.release(mark)

    def _arrays(self, store: Mapping[str, Float32], lasting: set[str]) -> dict[str, Float32]:
        """Return an array for every value: rows of the store's for roots that it has, memory of an arena otherwise."""
        memory, arrays = self._memory, {}
        for root in dict.fromkeys(memory.roots.values()):
            shape, arena = (self.n, *memory.shapes[root]), self._lasting if root in lasting else self._arena
            arrays[root] = store[root][self._rows] if root in store else arena.take(shape)
        return {name: arrays[root].reshape(self.n, *memory.shapes[name]) for name, root in memory.roots.items()}

    @staticmethod
    def _with_parameters_before(program: Program) -> set[str]:
        """Return the values that depend on a parameter: only their derivatives are needed."""
        needed: set[str] = set()
        for node in program.nodes:
            if node.parameters or needed & set(node.inputs):
                needed.add(node.name)
        return needed

    def _derivative_of(self, reader: Node, position: int, derivatives: dict[str, Float32]) -> Float32 | None:
        """Return where a node writes the derivative of one of its inputs.

        If several nodes read a value, the last of them in the Program runs first in the backward pass and writes the
        derivative; the others write to memory of their own, which is then added. A node that reads a value twice counts
        as two.
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
        self._additions.setdefault(reader.name, []).append(partial(np.add, target, aside, out=target))
        return aside

    def prepare(self) -> list[Step]:
        """Return the steps that compute what depends on the parameters alone, for all passes of a thread."""
        fold = self._memory.toolbox.fold
        folded = [step for kernel in self.kernels for step in folding.steps(kernel.wiring, fold)]
        return folded + [step for kernel in self.kernels for step in kernel.steps("prepare")]

    def forward(self, segment: int = 0) -> list[Step]:
        """Return the steps of one segment, and those that measure for the barrier after it.

        After the last segment `logits` (n, K) are complete; the array is the plan's own, valid until the next pass.
        """
        steps = [step for kernel in self.segments[segment] for step in kernel.steps("forward")]
        return steps + (self.barrier(segment + 1).steps("measure") if segment + 1 < len(self.segments) else [])

    def loss_step(self, lane: LaneStore) -> Step:
        """Return the step that computes the losses and the derivatives of the logits."""
        assert self.dlogits is not None, "a plan for prediction has no derivatives"
        loss_step = self._memory.toolbox.loss_step
        return loss_step(self.logits, lane.labels[self._rows], lane.settings, self.dlogits, lane.result)

    def backward(self, segment: int = 0) -> list[Step]:
        """Return the backward steps of one segment, and those that measure for the barrier before it."""
        kernels = self.segments[segment][1:] if segment else self.segments[segment]
        if segment + 1 < len(self.segments):
            kernels = [*kernels, self.segments[segment + 1][0]]
        steps: list[Step] = []
        for kernel in reversed(kernels):
            steps += [*kernel.steps("backward"), *self._additions.get(kernel.wiring.node.name, ())]
        return steps + (self.barrier(segment).steps("measure_back") if segment else [])

    def barrier(self, segment: int) -> Barrier:
        """Return the barrier that a segment begins with."""
        kernel = self.segments[segment][0]
        assert isinstance(kernel, Barrier)
        return kernel


@dataclass(frozen=True)
class MicroBatch:
    """The micro-batches of a plan: how many images one has, at most, and the bytes that one image takes meanwhile."""

    images: int
    image_bytes: int


def micro_batch(memory: Memory, flat: Flat, *, training: bool) -> MicroBatch:
    """Return micro-batches of as many images as fit into the memory budget (at least one).

    One image is bound to its memory for that, which the system does not provide before it is used.
    """
    arena = Arena()
    if training:
        gradient = np.zeros_like(flat.parameters)
        lane = LaneStore(BatchStore(memory, 1), slice(0, 1))
        Pass(memory, 1, arena, Flat(flat.parameters, flat.buffers, gradient), lane, slice(0, 1))
    else:
        Pass(memory, 1, arena, flat)
    tools = memory.toolbox
    budget = tools.training_bytes if training else tools.prediction_bytes
    image_bytes = 4 * arena.high_water
    return MicroBatch(int(np.clip(budget // image_bytes, 1, LARGEST_MICRO_BATCH)), image_bytes)
