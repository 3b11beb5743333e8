"""The ONNX file of each of the benchmark's networks means what the interpreter computes, with weights of any value."""

from __future__ import annotations

import numpy as np
import pytest

from convlens import nn
from convlens.bench.cells import Cell, cells
from convlens.bench.peers import work
from convlens.engine import start

NETWORKS = {(cell.network, cell.kernel_size): cell for cell in cells(1)}


def trained(cell: Cell) -> nn.Model:
    """Return a cell's network as training may leave it: no bias is 0, no running mean 0, no variance 1."""
    model, rng = work.model(cell), np.random.default_rng(0)
    for arrays in (model.parameters, model.buffers):
        for name in arrays:
            fresh = rng.standard_normal(arrays[name].shape)
            arrays[name][...] += 0.1 * (np.abs(fresh) if name.endswith("variance") else fresh)
    return model


@pytest.mark.parametrize("cell", NETWORKS.values(), ids=lambda cell: f"{cell.network}-{cell.kernel_size}")
def test_the_file_computes_what_the_interpreter_does(cell: Cell) -> None:
    pytest.importorskip("onnx")
    onnxruntime = pytest.importorskip("onnxruntime")
    from convlens.bench.peers import onnx_model

    model, x = trained(cell), work.batches(4, 1)[0][0]
    session = onnxruntime.InferenceSession(onnx_model.written(model, 4), providers=["CPUExecutionProvider"])
    [found] = session.run(None, {"input": onnx_model.images(x)})
    reference = start(model.program, model.flat, "interpreter", 1, model.flat_buffers).logits(x)
    assert np.abs(found - reference).max() <= 1e-4 * np.abs(reference).max()
