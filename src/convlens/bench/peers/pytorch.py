"""PyTorch: eager in both memory formats, and torch.compile. Adam is the fused one, PyTorch's fastest on a CPU."""

from __future__ import annotations

from collections.abc import Callable
from itertools import cycle
from typing import Any

import numpy as np
import torch
from torch import nn

from ...nn import Model
from ...program import Node
from ...typing import FloatArray
from ..cells import Cell
from . import work


def network(model: Model) -> Any:
    """Return the same network in PyTorch, with the same weights."""
    return nn.Sequential(*(_part(node, model) for node in work.chain(model)))


def _part(node: Node, model: Model) -> Any:
    if node.op == "relu":
        return nn.ReLU()
    if node.op == "reshape":
        return nn.Flatten()
    if node.op == "max_pool2d":
        return nn.MaxPool2d(work.require_usual_pool(node).kernel)
    if node.op == "conv2d":
        window = work.require_usual_convolution(node)
        c_in, c_out = node.input_shapes[0][2], node.output_shape[2]
        made = nn.Conv2d(c_in, c_out, window.kernel, padding=(window.rows[0], window.columns[0]))
        _set(made, weight=_w(node, model).transpose(3, 2, 0, 1), bias=_b(node, model))
        return made
    if node.op == "dense":
        made = nn.Linear(node.input_shapes[0][0], node.output_shape[0])
        _set(made, weight=work.channels_first_rows(node, model).T, bias=_b(node, model))
        return made
    if node.op == "batch_norm":
        epsilon, momentum = node.attributes["epsilon"], node.attributes["momentum"]
        return nn.BatchNorm2d(node.output_shape[2], epsilon, 1 - momentum)  # at scale 1 and shift 0, as in convlens
    raise work.unknown(node)


def _w(node: Node, model: Model) -> FloatArray:
    return model.parameters[f"{node.name}.w"]


def _b(node: Node, model: Model) -> FloatArray:
    return model.parameters[f"{node.name}.b"]


def _set(module: Any, **arrays: FloatArray) -> None:
    with torch.no_grad():
        for name, array in arrays.items():
            getattr(module, name).copy_(torch.from_numpy(np.ascontiguousarray(array)))


def images(x: FloatArray, memory_format: Any) -> Any:
    """Return images (N, H, W, C) as a tensor (N, C, H, W) in a memory format; nothing is copied for channels_last."""
    return torch.from_numpy(x.transpose(0, 3, 1, 2)).contiguous(memory_format=memory_format)


class _Eager:
    memory_format: Any

    def __init__(self, cell: Cell) -> None:
        torch.set_num_threads(cell.threads)
        self.model = network(work.model(cell)).to(memory_format=self.memory_format)
        self.optimizer = torch.optim.Adam(self.model.parameters(), lr=work.RATE, fused=True)
        self.data = cycle(
            [(images(x, self.memory_format), torch.from_numpy(labels)) for x, labels in work.batches(cell.batch)]
        )
        self.loss, self.forward = self.functions()

    def functions(self) -> tuple[Callable[[Any, Any], Any], Callable[[Any], Any]]:
        """Return the loss of a batch, and the logits."""
        return self._loss, self.model

    def _loss(self, x: Any, labels: Any) -> Any:
        return nn.functional.cross_entropy(self.model(x), labels)

    def train(self) -> None:
        x, labels = next(self.data)
        self._mode(training=True)
        self.optimizer.zero_grad(set_to_none=True)
        self.loss(x, labels).backward()
        self.optimizer.step()

    def _mode(self, *, training: bool) -> None:
        if self.model.training != training:  # setting it visits all modules: slow for a batch of one
            self.model.train(training)

    def predict(self) -> None:
        self._predict(next(self.data)[0])

    def _predict(self, x: Any) -> Any:
        self._mode(training=False)
        with torch.inference_mode():
            return self.forward(x)

    def logits(self, x: FloatArray) -> FloatArray:
        answer: FloatArray = self._predict(images(x, self.memory_format)).numpy()
        return answer


class Contiguous(_Eager):
    """NCHW, PyTorch's default."""

    memory_format = torch.contiguous_format


class ChannelsLast(_Eager):
    """NHWC."""

    memory_format = torch.channels_last


class Compiled(_Eager):
    """torch.compile with its default settings, for one shape; forward, loss and backward are compiled for training."""

    memory_format = torch.channels_last

    def functions(self) -> tuple[Callable[[Any, Any], Any], Callable[[Any], Any]]:
        torch._dynamo.reset()  # each cell starts fresh, as if in its own process
        return torch.compile(self._loss, dynamic=False), torch.compile(self.model, dynamic=False)
