"""A network in ONNX, written for the runtimes that only predict."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from onnx import TensorProto, checker, helper, numpy_helper

from ...nn import Model
from ...program import INPUT, Node
from ...typing import FloatArray
from . import work

OPERATORS, FILE_VERSION = 17, 8  # of ONNX: runtimes of the last years read them


def written(model: Model, batch: int) -> bytes:
    """Return a network with its weights as the bytes of an ONNX file.

    Its input, ``"input"``, is float32 images (N, C, H, W) with N = `batch`; its output is their logits (N, K).

    Raises
    ------
    ConfigurationError
        If the network is not a chain, or a layer has no counterpart here.
    """
    program, weights, steps = model.program, list[Any](), list[Any]()
    for node in work.chain(model):
        operator, arrays, settings = _operator(node, model)
        weights += [numpy_helper.from_array(np.ascontiguousarray(array), name) for name, array in arrays.items()]
        steps.append(helper.make_node(operator, [*node.inputs, *arrays], [node.name], node.name, **settings))
    height, width, channels = program.input_shape
    graph = helper.make_graph(
        steps,
        "convlens",
        [helper.make_tensor_value_info(INPUT, TensorProto.FLOAT, [batch, channels, height, width])],
        [helper.make_tensor_value_info(program.output, TensorProto.FLOAT, [batch, *program.output_shape])],
        weights,
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPERATORS)], ir_version=FILE_VERSION)
    checker.check_model(made, full_check=True)
    content: bytes = made.SerializeToString()
    return content


def _operator(node: Node, model: Model) -> tuple[str, dict[str, FloatArray], dict[str, Any]]:
    """Return a node's operator, its arrays by name in the operator's order, and its settings."""
    own = dict(_arrays(node, model))
    if node.op == "relu":
        return "Relu", {}, {}
    if node.op == "reshape" and len(node.output_shape) == 1:
        return "Flatten", {}, {"axis": 1}
    if node.op == "max_pool2d":
        window = work.require_usual_pool(node)
        return "MaxPool", {}, {"kernel_shape": window.kernel, "strides": window.stride}
    if node.op == "conv2d":
        window = work.require_usual_convolution(node)
        kernels = {f"{node.name}.w": own[f"{node.name}.w"].transpose(3, 2, 0, 1)}  # (C_out, C_in, KH, KW)
        pads = [window.rows[0], window.columns[0], window.rows[1], window.columns[1]]  # tops, lefts, bottoms, rights
        return "Conv", {**own, **kernels}, {"kernel_shape": window.kernel, "pads": pads}
    if node.op == "dense":
        return "Gemm", {**own, f"{node.name}.w": work.channels_first_rows(node, model)}, {}
    if node.op == "batch_norm":
        return "BatchNormalization", own, {"epsilon": node.attributes["epsilon"]}
    raise work.unknown(node)


def _arrays(node: Node, model: Model) -> Iterator[tuple[str, FloatArray]]:
    """Yield a node's parameters and buffers by name: w and b; of a batch normalisation gamma, beta, mean, variance."""
    for slots, arrays in ((node.parameters, model.parameters), (node.buffers, model.buffers)):
        for slot in slots.values():
            yield slot.name, arrays[slot.name]


def images(x: FloatArray) -> FloatArray:
    """Return images (N, H, W, C) as (N, C, H, W)."""
    return np.ascontiguousarray(x.transpose(0, 3, 1, 2))
