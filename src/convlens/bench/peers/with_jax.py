"""JAX on the CPU: the whole step in one jitted function."""

from __future__ import annotations

from itertools import cycle
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from ...typing import FloatArray
from ..cells import Cell
from . import work


class Jax:
    """NHWC, as in convlens; JAX uses all processors that the process may use."""

    def __init__(self, cell: Cell) -> None:
        model = work.model(cell)
        nodes = work.chain(model)
        self.weights: Any = {name: jnp.asarray(array) for name, array in model.parameters.items()}
        self.state: Any = (jnp.zeros(()), *({n: jnp.zeros_like(w) for n, w in self.weights.items()} for _ in range(2)))
        self.data = cycle([(jnp.asarray(x), jnp.asarray(labels)) for x, labels in work.batches(cell.batch)])

        def forward(weights: Any, x: Any) -> Any:
            for node in nodes:
                x = _apply(node, weights, x)
            return x

        def loss(weights: Any, x: Any, labels: Any) -> Any:
            scores = jax.nn.log_softmax(forward(weights, x))
            return -jnp.take_along_axis(scores, labels[:, None], axis=1).mean()

        def step(weights: Any, state: Any, x: Any, labels: Any) -> Any:
            return _adam(weights, state, jax.grad(loss)(weights, x, labels))

        self.forward, self.step = jax.jit(forward), jax.jit(step, donate_argnums=(0, 1))

    def train(self) -> None:
        self.weights, self.state = jax.block_until_ready(self.step(self.weights, self.state, *next(self.data)))

    def predict(self) -> None:
        self.forward(self.weights, next(self.data)[0]).block_until_ready()

    def logits(self, x: FloatArray) -> FloatArray:
        return np.asarray(self.forward(self.weights, x))


def _apply(node: Any, weights: Any, x: Any) -> Any:
    if node.op == "relu":
        return jnp.maximum(x, 0)
    if node.op == "reshape":
        return x.reshape(len(x), -1)
    if node.op == "dense":
        return x @ weights[f"{node.name}.w"] + weights[f"{node.name}.b"]
    if node.op == "conv2d":
        window, layout = work.require_usual_convolution(node), ("NHWC", "HWIO", "NHWC")
        padding = (window.rows, window.columns)
        y = lax.conv_general_dilated(x, weights[f"{node.name}.w"], (1, 1), padding, dimension_numbers=layout)
        return y + weights[f"{node.name}.b"]
    if node.op == "max_pool2d":
        size = (1, *work.require_usual_pool(node).kernel, 1)
        return lax.reduce_window(x, -jnp.inf, lax.max, size, size, "VALID")
    raise work.unknown(node)


def _adam(weights: Any, state: Any, gradient: Any) -> Any:
    count, m, v = state[0] + 1, state[1], state[2]
    m = jax.tree.map(lambda a, g: 0.9 * a + 0.1 * g, m, gradient)
    v = jax.tree.map(lambda a, g: 0.999 * a + 0.001 * g * g, v, gradient)
    rate, scale = work.RATE / (1 - 0.9**count), 1 / (1 - 0.999**count)
    weights = jax.tree.map(lambda w, a, b: w - rate * a / (jnp.sqrt(b * scale) + 1e-8), weights, m, v)
    return weights, (count, m, v)
