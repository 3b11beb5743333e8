"""The textbook form, as from-scratch projects write it: im2col and col2im on the whole batch, layers that cache, NCHW.

A baseline for convlens's own NumPy engine; nothing in convlens uses it.
"""

from __future__ import annotations

from itertools import cycle
from typing import Any, Protocol

import numpy as np
from threadpoolctl import threadpool_limits

from ...typing import FloatArray
from ..cells import Cell
from . import work


class TextbookLayer(Protocol):
    """The interface of every layer."""

    def forward(self, x: FloatArray) -> FloatArray: ...

    def backward(self, dy: FloatArray) -> FloatArray: ...


def im2col(x: FloatArray, k: int, pad: int) -> FloatArray:
    """Return the patches of images (N, C, H, W) as rows (N*H*W, C*k*k)."""
    n, c, h, w = x.shape
    padded = np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)))
    columns = np.zeros((n, c, k, k, h, w), x.dtype)
    for i in range(k):
        for j in range(k):
            columns[:, :, i, j] = padded[:, :, i : i + h, j : j + w]
    return columns.transpose(0, 4, 5, 1, 2, 3).reshape(n * h * w, -1)


def col2im(columns: FloatArray, shape: tuple[int, ...], k: int, pad: int) -> FloatArray:
    """Sum the rows of patches into images (N, C, H, W): the adjoint of `im2col`."""
    n, c, h, w = shape
    columns = columns.reshape(n, h, w, c, k, k).transpose(0, 3, 4, 5, 1, 2)
    padded = np.zeros((n, c, h + 2 * pad, w + 2 * pad), columns.dtype)
    for i in range(k):
        for j in range(k):
            padded[:, :, i : i + h, j : j + w] += columns[:, :, i, j]
    return padded[:, :, pad : pad + h, pad : pad + w]


class Conv:
    """Convolution with stride 1 and an output of the input's size."""

    def __init__(self, w: FloatArray, b: FloatArray, k: int) -> None:
        self.k, self.w, self.b = k, w, b

    def forward(self, x: FloatArray) -> FloatArray:
        self.shape = x.shape
        n, _, h, w = x.shape
        self.columns = im2col(x, self.k, self.k // 2)
        return (self.columns @ self.w + self.b).reshape(n, h, w, -1).transpose(0, 3, 1, 2)

    def backward(self, dy: FloatArray) -> FloatArray:
        rows = dy.transpose(0, 2, 3, 1).reshape(-1, dy.shape[1])
        self.dw, self.db = self.columns.T @ rows, rows.sum(axis=0)
        return col2im(rows @ self.w.T, self.shape, self.k, self.k // 2)


class TextbookDense:
    """Fully connected."""

    def __init__(self, w: FloatArray, b: FloatArray) -> None:
        self.w, self.b = w, b

    def forward(self, x: FloatArray) -> FloatArray:
        self.x = x
        return x @ self.w + self.b

    def backward(self, dy: FloatArray) -> FloatArray:
        self.dw, self.db = self.x.T @ dy, dy.sum(axis=0)
        return dy @ self.w.T


class Relu:
    """max(x, 0)."""

    def forward(self, x: FloatArray) -> FloatArray:
        self.mask = x > 0
        return x * self.mask

    def backward(self, dy: FloatArray) -> FloatArray:
        return dy * self.mask


class MaxPool:
    """The maximum of each 2x2 window."""

    def forward(self, x: FloatArray) -> FloatArray:
        n, c, h, w = x.shape
        self.shape = x.shape
        windows = x.reshape(n, c, h // 2, 2, w // 2, 2).transpose(0, 1, 2, 4, 3, 5).reshape(n, c, h // 2, w // 2, 4)
        self.winner = windows.argmax(axis=4)
        largest: FloatArray = windows.max(axis=4)
        return largest

    def backward(self, dy: FloatArray) -> FloatArray:
        n, c, h, w = self.shape
        dwindows = np.zeros((*dy.shape, 4), dy.dtype)
        np.put_along_axis(dwindows, self.winner[..., None], dy[..., None], axis=4)
        return dwindows.reshape(n, c, h // 2, w // 2, 2, 2).transpose(0, 1, 2, 4, 3, 5).reshape(self.shape)


class TextbookFlatten:
    """Flattens each image to a row."""

    def forward(self, x: FloatArray) -> FloatArray:
        self.shape = x.shape
        return x.reshape(len(x), -1)

    def backward(self, dy: FloatArray) -> FloatArray:
        return dy.reshape(self.shape)


class Textbook:
    """The network, its loss and Adam."""

    def __init__(self, cell: Cell) -> None:
        self.limit = threadpool_limits(cell.threads)
        self.layers = _layers(cell)
        self.learned = [layer for layer in self.layers if isinstance(layer, Conv | TextbookDense)]
        self.moments = [[np.zeros_like(p) for p in (x.w, x.w, x.b, x.b)] for x in self.learned]
        self.step = 0
        self.data = cycle([(x.transpose(0, 3, 1, 2).copy(), labels) for x, labels in work.batches(cell.batch)])

    def predict(self) -> None:
        self._forward(next(self.data)[0])

    def logits(self, x: FloatArray) -> FloatArray:
        return self._forward(x.transpose(0, 3, 1, 2).copy())

    def _forward(self, x: FloatArray) -> FloatArray:
        for layer in self.layers:
            x = layer.forward(x)
        return x

    def train(self) -> None:
        x, labels = next(self.data)
        logits = self._forward(x)
        exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
        dy = exponentials / exponentials.sum(axis=1, keepdims=True)
        dy[np.arange(len(labels)), labels] -= 1
        dy /= np.float32(len(labels))
        for layer in reversed(self.layers):
            dy = layer.backward(dy)
        self.step += 1
        for learned, (mw, vw, mb, vb) in zip(self.learned, self.moments, strict=True):
            self._adam(learned.w, learned.dw, mw, vw)
            self._adam(learned.b, learned.db, mb, vb)

    def _adam(self, p: FloatArray, g: FloatArray, m: FloatArray, v: FloatArray) -> None:
        m[:] = 0.9 * m + 0.1 * g
        v[:] = 0.999 * v + 0.001 * g**2
        p -= work.RATE * (m / (1 - 0.9**self.step)) / (np.sqrt(v / (1 - 0.999**self.step)) + 1e-8)


def _layers(cell: Cell) -> list[TextbookLayer]:
    """Return the cell's network with convlens's weights, reordered to channels first."""
    model, layers = work.model(cell), list[TextbookLayer]()
    for node in work.chain(model):
        own: Any = {kind: model.parameters[slot.name] for kind, slot in node.parameters.items()}
        if node.op == "conv2d":
            k = work.require_usual_convolution(node).kernel[0]
            if node.output_shape[:2] != node.input_shapes[0][:2]:
                raise work.unknown(node)
            w = own["w"].transpose(2, 0, 1, 3).reshape(-1, node.output_shape[2]).copy()  # (C*k*k, C_out)
            layers.append(Conv(w, own["b"].copy(), k))
        elif node.op == "dense":
            layers.append(TextbookDense(work.channels_first_rows(node, model).copy(), own["b"].copy()))
        elif node.op == "relu":
            layers.append(Relu())
        elif node.op == "max_pool2d":
            work.require_usual_pool(node)
            layers.append(MaxPool())
        elif node.op == "reshape":
            layers.append(TextbookFlatten())
        else:
            raise work.unknown(node)
    return layers
