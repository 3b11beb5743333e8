"""OpenVINO on the CPU: prediction alone."""

from __future__ import annotations

from itertools import cycle

import openvino
from openvino.properties import hint, inference_num_threads

from ...typing import FloatArray
from ..cells import Cell
from . import onnx_model, work


class OpenVino:
    """Compiled for latency: one request at a time, on all threads; nothing is copied into it or out of it."""

    def __init__(self, cell: Cell) -> None:
        core = openvino.Core()
        settings = {
            hint.performance_mode: hint.PerformanceMode.LATENCY,
            hint.inference_precision: openvino.Type.f32,  # by default it may compute in bfloat16
            inference_num_threads: cell.threads,
        }
        model = core.read_model(onnx_model.written(work.model(cell), cell.batch))
        self.request = core.compile_model(model, "CPU", settings).create_infer_request()
        self.data = cycle([onnx_model.images(x) for x, _ in work.batches(cell.batch)])

    def predict(self) -> None:
        self._predict(next(self.data))

    def _predict(self, x: FloatArray) -> FloatArray:
        answer: FloatArray = self.request.infer([x], share_inputs=True, share_outputs=True)[0]
        return answer

    def logits(self, x: FloatArray) -> FloatArray:
        return self._predict(onnx_model.images(x)).copy()  # the request's own memory, which the next one overwrites
