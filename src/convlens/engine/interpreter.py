"""The interpreter: runs a Program by calling `convlens.ops` node by node.

It defines what a Program means. It takes any dtype, records every value on a *tape*, and allocates freely. Read it
first: the plans compute the same faster, and are tested against it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import DTypeLike

from .. import ops
from ..ops.window import Window
from ..program import INPUT, Node, Program
from ..randomness import stream
from ..typing import Array, FloatArray

Parameters: TypeAlias = Mapping[str, FloatArray]  # one node's, by short name


@dataclass(frozen=True)
class Address:
    """The address of a step's random draws: the training's seed, and the epoch and step, both counted from 0."""

    seed: int = 0
    epoch: int = 0
    step: int = 0


FIRST = Address()


@dataclass(frozen=True)
class Context:
    """What a node needs besides its inputs and parameters.

    Attributes
    ----------
    buffers
        The flat array of running statistics; written in training.
    drawn
        In training, the random numbers of every node whose op draws any, (N, *image shape), by node name; None in
        prediction.
    """

    buffers: Array
    drawn: Mapping[str, FloatArray] | None = None

    @property
    def training(self) -> bool:
        """Whether this is a training step."""
        return self.drawn is not None


Forward: TypeAlias = Callable[[Node, tuple[FloatArray, ...], Parameters, Context], tuple[FloatArray, Any]]
Backward: TypeAlias = Callable[[Node, FloatArray, Any], tuple[tuple[FloatArray, ...], dict[str, FloatArray]]]
Draws: TypeAlias = Callable[[Node, np.random.Generator, int, DTypeLike], FloatArray]


@dataclass(frozen=True)
class Op:
    """How one kind of node runs, and all that an engine needs to know about it.

    Attributes
    ----------
    forward
        (node, inputs, parameters, context) -> (y, saved).
    backward
        (node, dy, saved) -> (dinputs, dparameters by short name).
    draws
        For an op that is random in training: (node, generator, N, dtype) -> an array of the output's shape, (N, *image
        shape). It is drawn once for the whole batch, and `forward` finds it in ``context.drawn[node.name]``.
    couples
        In training, an image's output depends on the other images of the batch, as in batch normalisation. Every
        engine then runs the op on the whole batch; such a node is a *barrier* (`convlens.engine.kernel.Barrier`).
    affine
        Its output is W x + b, with the parameters ``w`` and ``b``, whose last axis is the channels.
    """

    forward: Forward
    backward: Backward
    draws: Draws | None = None
    couples: bool = False
    affine: bool = False


def _parametric(
    forward: Callable[..., tuple[FloatArray, Any]], backward: Callable[..., tuple[FloatArray, ...]], *, window: bool
) -> Op:
    """Adapt an op with a weight w, a bias b and, if `window` is set, a window."""

    def run(node: Node, x: tuple[FloatArray, ...], p: Parameters, _context: Context) -> tuple[FloatArray, Any]:
        geometry = (node.window,) if window else ()
        return forward(x[0], p["w"], p["b"], *geometry)

    def run_back(_node: Node, dy: FloatArray, saved: Any) -> tuple[tuple[FloatArray, ...], dict[str, FloatArray]]:
        dx, dw, db = backward(dy, saved)
        return (dx,), {"w": dw, "b": db}

    return Op(run, run_back, affine=True)


def _pooling(forward: Callable[..., tuple[FloatArray, Any]], backward: Callable[..., FloatArray]) -> Op:
    """Adapt an op with a window and no parameters."""
    return Op(
        lambda node, x, _p, _context: forward(x[0], node.window),
        lambda _node, dy, saved: ((backward(dy, saved),), {}),
    )


def _pointwise(forward: Callable[..., tuple[FloatArray, Any]], backward: Callable[..., FloatArray]) -> Op:
    """Adapt an op of one array, without parameters or window."""
    return Op(
        lambda _node, x, _p, _context: forward(x[0]),
        lambda _node, dy, saved: ((backward(dy, saved),), {}),
    )


def _batch_norm(node: Node, x: tuple[FloatArray, ...], p: Parameters, context: Context) -> tuple[FloatArray, Any]:
    epsilon = node.attributes["epsilon"]
    running = {key: slot.view(context.buffers) for key, slot in node.buffers.items()}
    if not context.training:
        given = p["gamma"], p["beta"], running["mean"], running["variance"], epsilon
        return ops.normalize(x[0], *given), partial(ops.normalize_backward, x=x[0], given=given)  # not as in training
    y, saved, mean, variance = ops.batch_norm(x[0], p["gamma"], p["beta"], epsilon)
    keep_running(node, context.buffers, mean, variance, x[0].size // mean.size)
    return y, saved


def keep_running(node: Node, buffers: Array, mean: FloatArray, variance: FloatArray, count: int) -> None:
    """Move a batch-norm node's running statistics towards a batch's: momentum * running + (1 - momentum) * batch."""
    momentum = node.attributes["momentum"]
    for key, batch in (("mean", mean), ("variance", ops.unbiased(variance, count))):
        running = node.buffers[key].view(buffers)
        running *= momentum
        running += (1 - momentum) * batch


def _batch_norm_backward(
    _node: Node, dy: FloatArray, saved: Any
) -> tuple[tuple[FloatArray, ...], dict[str, FloatArray]]:
    dx, dgamma, dbeta = saved(dy) if callable(saved) else ops.batch_norm_backward(dy, saved)
    return (dx,), {"gamma": dgamma, "beta": dbeta}


def _dropout(node: Node, x: tuple[FloatArray, ...], _p: Parameters, context: Context) -> tuple[FloatArray, Any]:
    if context.drawn is None:
        return x[0], None
    mask = context.drawn[node.name]
    return x[0] * mask, mask


def _dropout_mask(node: Node, draw: np.random.Generator, images: int, dtype: DTypeLike) -> FloatArray:
    """Return 0 with probability `rate`, else 1 / (1 - rate)."""
    rate = node.attributes["rate"]
    kept = draw.random((images, *node.output_shape), np.float32) >= rate
    mask: FloatArray = kept.astype(dtype) / np.dtype(dtype).type(1 - rate)
    return mask


OPS: dict[str, Op] = {
    "add": Op(lambda _node, x, _p, _context: (x[0] + x[1], None), lambda _node, dy, _saved: ((dy, dy), {})),
    "average_pool2d": _pooling(ops.average_pool2d, ops.average_pool2d_backward),
    "batch_norm": Op(_batch_norm, _batch_norm_backward, couples=True),
    "blur_pool2d": _pooling(ops.blur_pool2d, ops.blur_pool2d_backward),
    "conv2d": _parametric(ops.conv2d, ops.conv2d_backward, window=True),
    "dense": _parametric(ops.dense, ops.dense_backward, window=False),
    "dropout": Op(_dropout, lambda _node, dy, mask: ((dy if mask is None else dy * mask,), {}), draws=_dropout_mask),
    "local2d": _parametric(ops.local2d, ops.local2d_backward, window=True),
    "max_pool2d": _pooling(ops.max_pool2d, ops.max_pool2d_backward),
    "relu": _pointwise(ops.relu, ops.relu_backward),
    "reshape": Op(
        lambda node, x, _p, _context: (x[0].reshape(len(x[0]), *node.output_shape), x[0].shape),
        lambda _node, dy, shape: ((dy.reshape(shape),), {}),
    ),
    "tanh": _pointwise(ops.tanh, ops.tanh_backward),
}


def draw(program: Program, images: int, address: Address, dtype: DTypeLike = np.float32) -> dict[str, FloatArray]:
    """Return the random numbers of a training step: those of every node whose op draws any, for a whole batch.

    Each node has its own stream, by its name. The purpose is ``"dropout"`` for every op: it is part of the address, so
    another word would give other numbers.
    """
    drawn = {}
    for node in program.nodes:
        draws = OPS[node.op].draws
        if draws is not None:
            generator = stream(address.seed, "dropout", node.name, epoch=address.epoch, step=address.step)
            drawn[node.name] = draws(node, generator, images, dtype)
    return drawn


def values_of(program: Program) -> int:
    """Return how many numbers a forward pass computes for one image, the patches that windows copy included."""
    count = math.prod(program.input_shape)
    for node in program.nodes:
        count += math.prod(node.output_shape)
        if isinstance(node.sight, Window):
            count += math.prod((*node.output_shape[:2], *node.sight.kernel, node.input_shapes[0][-1]))
    return count


@dataclass
class Tape:
    """The record of a forward pass: every value by name, and what each node saved for its backward pass."""

    values: dict[str, FloatArray]
    saved: dict[str, Any] = field(default_factory=dict)


def forward(program: Program, parameters: Array, x: FloatArray, context: Context | None = None) -> Tape:
    """Run a Program on images x (N, H, W, C); ``tape.values[program.output]`` are the logits.

    A Program without running statistics needs no context to predict.
    """
    context = context or Context(parameters[:0])
    tape = Tape({INPUT: x})
    for node in program.nodes:
        inputs = tuple(tape.values[name] for name in node.inputs)
        views = {key: slot.view(parameters) for key, slot in node.parameters.items()}
        tape.values[node.name], tape.saved[node.name] = OPS[node.op].forward(node, inputs, views, context)
    return tape


def backward(
    program: Program, tape: Tape, dy: FloatArray, gradient: Array, start: str | None = None, end: str = INPUT
) -> FloatArray:
    """Run a Program backwards from dy, the derivative with respect to its output, or to the value named `start`.

    Writes the derivative with respect to every parameter on the way into the flat array `gradient`, and returns the
    derivative with respect to the images, (N, H, W, C), or to the value named `end`. Where a value is read by several
    nodes, their gradients add up.
    """
    flows: dict[str, FloatArray] = {start or program.output: dy}
    gradient[...] = 0
    for node in reversed(program.nodes):
        if node.name == end:  # all that read it are behind us
            break
        arriving = flows.pop(node.name, None)
        if arriving is None:  # the start does not depend on this value
            continue
        dinputs, dparameters = OPS[node.op].backward(node, arriving, tape.saved[node.name])
        for name, dinput in zip(node.inputs, dinputs, strict=True):
            flows[name] = flows[name] + dinput if name in flows else dinput
        for key, dparameter in dparameters.items():
            node.parameters[key].view(gradient)[...] = dparameter
    return flows.get(end, np.zeros_like(tape.values[end]))
