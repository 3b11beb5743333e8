"""ONNX Runtime on the CPU: prediction alone."""

from __future__ import annotations

from itertools import cycle

import onnxruntime

from ...program import INPUT
from ...typing import FloatArray
from ..cells import Cell
from . import onnx_model, work


class OnnxRuntime:
    """One `session.run` is one prediction; all optimisations of the graph are on."""

    def __init__(self, cell: Cell) -> None:
        options = onnxruntime.SessionOptions()
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
        options.intra_op_num_threads, options.inter_op_num_threads = cell.threads, 1
        content = onnx_model.written(work.model(cell), cell.batch)
        self.session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
        self.data = cycle([onnx_model.images(x) for x, _ in work.batches(cell.batch)])

    def predict(self) -> None:
        self._predict(next(self.data))

    def _predict(self, x: FloatArray) -> FloatArray:
        answer: FloatArray = self.session.run(None, {INPUT: x})[0]
        return answer

    def logits(self, x: FloatArray) -> FloatArray:
        return self._predict(onnx_model.images(x))
