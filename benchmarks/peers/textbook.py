"""The textbook form, as from-scratch projects write it: im2col and col2im on the whole batch, layers that cache, NCHW.

It is the yardstick that convlens's own NumPy is measured with; nothing in convlens uses it.
"""

from __future__ import annotations

from itertools import cycle

import numpy as np

from .work import batches


def im2col(x: np.ndarray, k: int, pad: int) -> np.ndarray:
    n, c, h, w = x.shape
    padded = np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)))
    columns = np.zeros((n, c, k, k, h, w), x.dtype)
    for i in range(k):
        for j in range(k):
            columns[:, :, i, j] = padded[:, :, i : i + h, j : j + w]
    return columns.transpose(0, 4, 5, 1, 2, 3).reshape(n * h * w, -1)


def col2im(columns: np.ndarray, shape: tuple[int, ...], k: int, pad: int) -> np.ndarray:
    n, c, h, w = shape
    columns = columns.reshape(n, h, w, c, k, k).transpose(0, 3, 4, 5, 1, 2)
    padded = np.zeros((n, c, h + 2 * pad, w + 2 * pad), columns.dtype)
    for i in range(k):
        for j in range(k):
            padded[:, :, i : i + h, j : j + w] += columns[:, :, i, j]
    return padded[:, :, pad : pad + h, pad : pad + w]


class Conv:
    def __init__(self, rng: np.random.Generator, c_in: int, c_out: int, k: int) -> None:
        self.k = k
        self.w = rng.normal(0, np.sqrt(2 / (c_in * k * k)), (c_in * k * k, c_out)).astype(np.float32)
        self.b = np.zeros(c_out, np.float32)

    def forward(self, x: np.ndarray) -> np.ndarray:
        self.shape = x.shape
        n, _, h, w = x.shape
        self.columns = im2col(x, self.k, self.k // 2)
        return (self.columns @ self.w + self.b).reshape(n, h, w, -1).transpose(0, 3, 1, 2)

    def backward(self, dy: np.ndarray) -> np.ndarray:
        rows = dy.transpose(0, 2, 3, 1).reshape(-1, dy.shape[1])
        self.dw, self.db = self.columns.T @ rows, rows.sum(axis=0)
        return col2im(rows @ self.w.T, self.shape, self.k, self.k // 2)


class Dense:
    def __init__(self, rng: np.random.Generator, d_in: int, d_out: int) -> None:
        self.w = rng.normal(0, np.sqrt(2 / d_in), (d_in, d_out)).astype(np.float32)
        self.b = np.zeros(d_out, np.float32)

    def forward(self, x: np.ndarray) -> np.ndarray:
        self.x = x
        return x @ self.w + self.b

    def backward(self, dy: np.ndarray) -> np.ndarray:
        self.dw, self.db = self.x.T @ dy, dy.sum(axis=0)
        return dy @ self.w.T


class Relu:
    def forward(self, x: np.ndarray) -> np.ndarray:
        self.mask = x > 0
        return x * self.mask

    def backward(self, dy: np.ndarray) -> np.ndarray:
        return dy * self.mask


class MaxPool:
    def forward(self, x: np.ndarray) -> np.ndarray:
        n, c, h, w = x.shape
        self.shape = x.shape
        windows = x.reshape(n, c, h // 2, 2, w // 2, 2).transpose(0, 1, 2, 4, 3, 5).reshape(n, c, h // 2, w // 2, 4)
        self.winner = windows.argmax(axis=4)
        return windows.max(axis=4)

    def backward(self, dy: np.ndarray) -> np.ndarray:
        n, c, h, w = self.shape
        dwindows = np.zeros((*dy.shape, 4), dy.dtype)
        np.put_along_axis(dwindows, self.winner[..., None], dy[..., None], axis=4)
        return dwindows.reshape(n, c, h // 2, w // 2, 2, 2).transpose(0, 1, 2, 4, 3, 5).reshape(self.shape)


class Flatten:
    def forward(self, x: np.ndarray) -> np.ndarray:
        self.shape = x.shape
        return x.reshape(len(x), -1)

    def backward(self, dy: np.ndarray) -> np.ndarray:
        return dy.reshape(self.shape)


class Textbook:
    """The network, its loss and Adam."""

    name = "textbook"

    def __init__(self, batch: int, kernel_size: int, threads: int) -> None:
        del threads  # BLAS takes what it is given
        rng = np.random.default_rng(0)
        k = kernel_size
        self.layers = [
            Conv(rng, 1, 16, k), Relu(), MaxPool(), Conv(rng, 16, 32, k), Relu(), MaxPool(), Flatten(),
            Dense(rng, 1568, 128), Relu(), Dense(rng, 128, 10),
        ]  # fmt: skip
        self.learned = [layer for layer in self.layers if hasattr(layer, "w")]
        self.moments = [[np.zeros_like(p) for p in (x.w, x.w, x.b, x.b)] for x in self.learned]
        self.step = 0
        self.data = cycle([(x.transpose(0, 3, 1, 2).copy(), labels) for x, labels in batches(batch)])

    def predict(self) -> np.ndarray:
        return self._forward(next(self.data)[0])

    def _forward(self, x: np.ndarray) -> np.ndarray:
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
        for layer, (mw, vw, mb, vb) in zip(self.learned, self.moments, strict=True):
            self._adam(layer.w, layer.dw, mw, vw)
            self._adam(layer.b, layer.db, mb, vb)

    def _adam(self, p: np.ndarray, g: np.ndarray, m: np.ndarray, v: np.ndarray) -> None:
        m[:] = 0.9 * m + 0.1 * g
        v[:] = 0.999 * v + 0.001 * g**2
        p -= 1e-3 * (m / (1 - 0.9**self.step)) / (np.sqrt(v / (1 - 0.999**self.step)) + 1e-8)
