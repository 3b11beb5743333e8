"""The interpreter: runs a Program by calling `convlens.ops` node by node.

This is the meaning of a Program. It takes any dtype, keeps every value for whoever wants to look (a *tape*), allocates
freely, and is what to read first; the plans do the same faster and are tested against it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np

from .. import ops
from ..program import INPUT, Node, Program
from ..typing import Array, FloatArray

Parameters: TypeAlias = Mapping[str, FloatArray]  # one node's, by short name
Forward: TypeAlias = Callable[[Node, tuple[FloatArray, ...], Parameters], tuple[FloatArray, Any]]
Backward: TypeAlias = Callable[[Node, FloatArray, Any], tuple[tuple[FloatArray, ...], dict[str, FloatArray]]]


@dataclass(frozen=True)
class Op:
    """How one kind of node runs: forward (inputs, parameters) -> (y, saved); backward dy -> (dinputs, dparameters)."""

    forward: Forward
    backward: Backward


def _weighted_backward(backward: Callable[..., tuple[FloatArray, FloatArray, FloatArray]]) -> Backward:
    """Adapt an op that returns (dx, dw, db)."""

    def run(_node: Node, dy: FloatArray, saved: Any) -> tuple[tuple[FloatArray, ...], dict[str, FloatArray]]:
        dx, dw, db = backward(dy, saved)
        return (dx,), {"w": dw, "b": db}

    return run


def _plain_backward(backward: Callable[..., FloatArray]) -> Backward:
    """Adapt an op without parameters, which returns dx."""
    return lambda _node, dy, saved: ((backward(dy, saved),), {})


OPS: dict[str, Op] = {
    "conv2d": Op(
        lambda node, x, p: ops.conv2d(x[0], p["w"], p["b"], node.window),
        _weighted_backward(ops.conv2d_backward),
    ),
    "dense": Op(lambda _node, x, p: ops.dense(x[0], p["w"], p["b"]), _weighted_backward(ops.dense_backward)),
    "max_pool2d": Op(lambda node, x, _p: ops.max_pool2d(x[0], node.window), _plain_backward(ops.max_pool2d_backward)),
    "average_pool2d": Op(
        lambda node, x, _p: ops.average_pool2d(x[0], node.window), _plain_backward(ops.average_pool2d_backward)
    ),
    "relu": Op(lambda _node, x, _p: ops.relu(x[0]), _plain_backward(ops.relu_backward)),
    "flatten": Op(
        lambda node, x, _p: (x[0].reshape(len(x[0]), *node.output_shape), x[0].shape),
        _plain_backward(lambda dy, shape: dy.reshape(shape)),
    ),
}


@dataclass
class Tape:
    """What a forward pass leaves behind: every value by name, and what each node saved for its backward pass."""

    values: dict[str, FloatArray]
    saved: dict[str, Any] = field(default_factory=dict)


def forward(program: Program, parameters: Array, x: FloatArray) -> Tape:
    """Run a Program on images x (N, H, W, C); ``tape.values[program.output]`` are the logits."""
    tape = Tape({INPUT: x})
    for node in program.nodes:
        inputs = tuple(tape.values[name] for name in node.inputs)
        views = {key: slot.view(parameters) for key, slot in node.parameters.items()}
        tape.values[node.name], tape.saved[node.name] = OPS[node.op].forward(node, inputs, views)
    return tape


def backward(program: Program, tape: Tape, dy: FloatArray, gradient: Array) -> FloatArray:
    """Run a Program backwards from dy, the derivative with respect to its output.

    Writes the derivative with respect to every parameter into the flat array `gradient`, and returns the
    derivative with respect to the images, (N, H, W, C). Where a value is read by several nodes, their gradients add up.
    """
    flows: dict[str, FloatArray] = {program.output: dy}
    gradient[...] = 0
    for node in reversed(program.nodes):
        arriving = flows.pop(node.name, None)
        if arriving is None:  # a value that nothing reads
            continue
        dinputs, dparameters = OPS[node.op].backward(node, arriving, tape.saved[node.name])
        for name, dinput in zip(node.inputs, dinputs, strict=True):
            flows[name] = flows[name] + dinput if name in flows else dinput
        for key, dparameter in dparameters.items():
            node.parameters[key].view(gradient)[...] = dparameter
    return flows.get(INPUT, np.zeros_like(tape.values[INPUT]))
