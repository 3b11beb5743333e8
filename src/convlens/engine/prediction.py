"""The plan for prediction: forward passes only, one task per thread."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain

import numpy as np

from ..program import INPUT
from ..typing import Float32
from .arena import Arena, require_room
from .kernel import Step
from .lanes import Workers, split
from .passes import Flat, Memory, MicroBatch, Pass

LARGEST_BLOCK = 512  # images predicted at a time
BLOCKS = 8  # most blocks (of different sizes) that a plan keeps
WORTH_PARTS = 16_000_000  # floating-point operations that are worth spreading over threads


class PredictionBlock:
    """The forward pass of a fixed number of images, at most `LARGEST_BLOCK`."""

    def __init__(self, memory: Memory, images: int, micro_batch: int, flat: Flat, arenas: Sequence[Arena]) -> None:
        output = memory.program.output
        given = {root: arenas[0].take((images, *memory.shapes[root])) for root in {INPUT, memory.roots[output]}}
        self.x = given[INPUT]
        self.logits = given[memory.roots[output]].reshape(images, *memory.shapes[output])
        # the last bits depend on which images run together, so that must not depend on the number of threads; a
        # multiple of the lanes, a power of two, divides evenly among two, four or eight threads
        parallel = images > micro_batch or memory.program.flops * images > WORTH_PARTS
        lanes = memory.lanes(images) if parallel else 1
        parts = split(images, min(-(-images // (lanes * micro_batch)) * lanes, images))
        self.tasks: list[Step] = []
        for mine, arena in zip(split(len(parts), min(len(arenas), len(parts))), arenas, strict=False):
            shared: dict[str, Float32] = {}  # by a thread's passes
            passes = [
                Pass(memory, part.stop - part.start, arena, flat, rows=part, given=given, shared=shared)
                for part in parts[mine]
            ]
            steps = [*passes[0].prepare(), *chain(*(one.forward() for one in passes))]
            self.tasks.append(memory.toolbox.together(steps))

    def run(self, workers: Workers, x: Float32) -> Float32:
        """Return the logits (N, K) of images x (N, H, W, C)."""
        np.copyto(self.x, x)
        workers.run(self.tasks)
        return self.logits.copy()


class PredictionPlan:
    """Forward passes only, for any number of images."""

    def __init__(self, memory: Memory, micro_batch: MicroBatch, flat: Flat, workers: Workers) -> None:
        self._memory, self._flat, self._micro_batch, self._workers = memory, flat, micro_batch, workers
        self._arenas = [Arena() for _ in range(workers.threads)]
        self._blocks: dict[int, PredictionBlock] = {}

    def run(self, x: Float32) -> Float32:
        """Return the logits (N, K) of images x (N, H, W, C)."""
        if 0 < len(x) <= LARGEST_BLOCK:
            return self._block(len(x)).run(self._workers, x)
        logits = np.empty((len(x), *self._memory.shapes[self._memory.program.output]), np.float32)
        for start in range(0, len(x), LARGEST_BLOCK):
            part = slice(start, min(start + LARGEST_BLOCK, len(x)))
            logits[part] = self._block(part.stop - part.start).run(self._workers, x[part])
        return logits

    def _block(self, images: int) -> PredictionBlock:
        """Return the block for this number of images; the last few are kept."""
        if images not in self._blocks:
            if len(self._blocks) == BLOCKS:
                del self._blocks[next(iter(self._blocks))]
            useful = self._workers.useful(self._memory.program.flops * images)
            require_room(self._arenas[: min(useful, images)], self._micro_batch.image_bytes, "predicting")
            marks = [arena.mark() for arena in self._arenas]  # only one of them runs at a time
            self._blocks[images] = PredictionBlock(
                self._memory, images, self._micro_batch.images, self._flat, self._arenas[:useful]
            )
            for arena, mark in zip(self._arenas, marks, strict=True):
                arena.release(mark)
        return self._blocks[images]
