"""The mathematics again, as plainly as possible: loops over single numbers, straight from the formulas.

Slow, and used only to check the rest. It shares no code with convlens, on purpose: a mistake would have to be made
twice, in two different ways. Everything is computed in Python's own floats.

Geometry is `Grid`: kernel, stride and padding (before, after) along height and width.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.floating]
Pair = tuple[int, int]


@dataclass(frozen=True)
class Grid:
    """Where a window goes; padding reflects the image, or holds zeros."""

    kernel: Pair
    stride: Pair = (1, 1)
    rows: Pair = (0, 0)
    columns: Pair = (0, 0)
    reflects: bool = False

    def positions(self, height: int, width: int) -> Iterator[Pair]:
        """Yield every output position in reading order."""
        for i in range(count(height + sum(self.rows), self.kernel[0], self.stride[0])):
            for j in range(count(width + sum(self.columns), self.kernel[1], self.stride[1])):
                yield i, j

    def seen(self, position: Pair, height: int, width: int) -> Iterator[tuple[Pair, Pair | None]]:
        """Yield ((u, v) in the kernel, (row, column) in the image or None where there is a padding zero)."""
        for u in range(self.kernel[0]):
            for v in range(self.kernel[1]):
                row = place(position[0] * self.stride[0] + u - self.rows[0], height, self.reflects)
                column = place(position[1] * self.stride[1] + v - self.columns[0], width, self.reflects)
                yield (u, v), (None if row is None or column is None else (row, column))


def count(size: int, kernel: int, stride: int) -> int:
    """Count the starts 0, stride, 2 stride ... from which the kernel still fits."""
    return sum(1 for start in range(0, size, stride) if start + kernel <= size)


def place(index: int, size: int, reflects: bool) -> int | None:
    """Return the pixel that an index, perhaps outside the image, stands for."""
    if 0 <= index < size:
        return index
    if not reflects:
        return None
    return -index if index < 0 else 2 * (size - 1) - index


def padding(name: str, size: int, kernel: int, stride: int) -> Pair:
    """Return (before, after): "same" is the least padding that gives ceil(size / stride) outputs, the odd one after."""
    if name == "valid":
        return 0, 0
    if name == "full":
        return kernel - 1, kernel - 1
    total = 0
    while count(size + total, kernel, stride) < math.ceil(size / stride):
        total += 1
    return total // 2, total - total // 2


def conv2d(x: Array, w: Array, b: Array, grid: Grid) -> Array:
    """Return y (N, H_out, W_out, C_out) for x (N, H, W, C_in), w (KH, KW, C_in, C_out), b (C_out,)."""
    n, height, width, channels = x.shape
    positions = list(grid.positions(height, width))
    y = np.zeros((n, positions[-1][0] + 1, positions[-1][1] + 1, len(b)))
    for image in range(n):
        for i, j in positions:
            for o in range(len(b)):
                total = float(b[o])
                for (u, v), pixel in grid.seen((i, j), height, width):
                    for c in range(channels if pixel else 0):
                        total += float(x[image, *pixel, c]) * float(w[u, v, c, o])
                y[image, i, j, o] = total
    return y


def conv2d_backward(x: Array, w: Array, dy: Array, grid: Grid) -> tuple[Array, Array, Array]:
    """Return (dx, dw, db): every product x * w of the forward pass gives dy * w to its x and dy * x to its w."""
    n, height, width, channels = x.shape
    dx, dw, db = np.zeros(x.shape), np.zeros(w.shape), np.zeros(w.shape[3])
    for image in range(n):
        for i, j in grid.positions(height, width):
            for o in range(w.shape[3]):
                flow = float(dy[image, i, j, o])
                db[o] += flow
                for (u, v), pixel in grid.seen((i, j), height, width):
                    for c in range(channels if pixel else 0):
                        dx[image, *pixel, c] += flow * float(w[u, v, c, o])
                        dw[u, v, c, o] += flow * float(x[image, *pixel, c])
    return dx, dw, db


def max_pool2d(x: Array, grid: Grid, dy: Array | None = None) -> tuple[Array, Array]:
    """Return y, and dx where dy is given; the first of several equal maxima takes it all."""
    n, height, width, channels = x.shape
    positions = list(grid.positions(height, width))
    y, dx = np.zeros((n, positions[-1][0] + 1, positions[-1][1] + 1, channels)), np.zeros(x.shape)
    for image in range(n):
        for i, j in positions:
            for c in range(channels):
                best, winner = -math.inf, (0, 0)
                for _, pixel in grid.seen((i, j), height, width):
                    assert pixel is not None, "pooling is not padded"
                    if float(x[image, *pixel, c]) > best:
                        best, winner = float(x[image, *pixel, c]), pixel
                y[image, i, j, c] = best
                if dy is not None:
                    dx[image, *winner, c] += float(dy[image, i, j, c])
    return y, dx


def average_pool2d(x: Array, grid: Grid, dy: Array | None = None) -> tuple[Array, Array]:
    """Return y, and dx where dy is given."""
    n, height, width, channels = x.shape
    positions, area = list(grid.positions(height, width)), grid.kernel[0] * grid.kernel[1]
    y, dx = np.zeros((n, positions[-1][0] + 1, positions[-1][1] + 1, channels)), np.zeros(x.shape)
    for image in range(n):
        for i, j in positions:
            for c in range(channels):
                for _, pixel in grid.seen((i, j), height, width):
                    assert pixel is not None, "pooling is not padded"
                    y[image, i, j, c] += float(x[image, *pixel, c]) / area
                    if dy is not None:
                        dx[image, *pixel, c] += float(dy[image, i, j, c]) / area
    return y, dx


def dense(x: Array, w: Array, b: Array) -> Array:
    """Return y (N, D_out) for x (N, D_in), w (D_in, D_out), b (D_out,)."""
    y = np.zeros((len(x), len(b)))
    for image in range(len(x)):
        for o in range(len(b)):
            y[image, o] = float(b[o]) + sum(float(x[image, d]) * float(w[d, o]) for d in range(len(w)))
    return y


def dense_backward(x: Array, w: Array, dy: Array) -> tuple[Array, Array, Array]:
    """Return (dx, dw, db)."""
    dx, dw, db = np.zeros(x.shape), np.zeros(w.shape), np.zeros(w.shape[1])
    for image in range(len(x)):
        for o in range(w.shape[1]):
            db[o] += float(dy[image, o])
            for d in range(len(w)):
                dx[image, d] += float(dy[image, o]) * float(w[d, o])
                dw[d, o] += float(dy[image, o]) * float(x[image, d])
    return dx, dw, db


def relu(x: Array, dy: Array | None = None) -> tuple[Array, Array]:
    """Return y, and dx where dy is given; nothing flows where x is zero."""
    y, dx = np.zeros(x.shape), np.zeros(x.shape)
    for at in np.ndindex(*x.shape):
        if float(x[at]) > 0:
            y[at] = float(x[at])
            dx[at] = 0.0 if dy is None else float(dy[at])
    return y, dx


def softmax_cross_entropy(logits: Array, labels: npt.NDArray[np.integer]) -> tuple[Array, Array]:
    """Return the losses (N,) in nats, and the derivative of each loss with respect to its own logits, (N, K)."""
    losses, dlogits = np.zeros(len(logits)), np.zeros(logits.shape)
    for image, label in enumerate(labels):
        largest = max(map(float, logits[image]))
        powers = [math.exp(float(z) - largest) for z in logits[image]]
        total = math.fsum(powers)
        losses[image] = math.log(total) - (float(logits[image, label]) - largest)
        for k, power in enumerate(powers):
            dlogits[image, k] = power / total - (1.0 if k == label else 0.0)
    return losses, dlogits


def local2d(x: Array, w: Array, b: Array, grid: Grid) -> Array:
    """Return y for x (N, H, W, C_in) and, for every position, kernels w[i, j] and biases b[i, j] of its own."""
    n, height, width, channels = x.shape
    y = np.zeros((n, *b.shape))
    for image in range(n):
        for i, j in grid.positions(height, width):
            for o in range(b.shape[2]):
                total = float(b[i, j, o])
                for (u, v), at in grid.seen((i, j), height, width):
                    for c in range(channels):
                        total += 0.0 if at is None else float(x[image, *at, c]) * float(w[i, j, u, v, c, o])
                y[image, i, j, o] = total
    return y


def local2d_backward(x: Array, w: Array, dy: Array, grid: Grid) -> tuple[Array, Array, Array]:
    """Return (dx, dw, db): every product of the forward pass sends its derivative to both its factors."""
    n, height, width, channels = x.shape
    dx, dw, db = np.zeros(x.shape), np.zeros(w.shape), np.zeros(dy.shape[1:])
    for image in range(n):
        for i, j in grid.positions(height, width):
            for o in range(dy.shape[3]):
                flow = float(dy[image, i, j, o])
                db[i, j, o] += flow
                for (u, v), at in grid.seen((i, j), height, width):
                    for c in range(channels):
                        if at is not None:
                            dw[i, j, u, v, c, o] += flow * float(x[image, *at, c])
                            dx[image, *at, c] += flow * float(w[i, j, u, v, c, o])
    return dx, dw, db


def blur_weights(size: int) -> list[float]:
    """Return a row of Pascal's triangle, divided by its sum."""
    row = [1.0]
    for _ in range(size - 1):
        row = [a + b for a, b in zip([0.0, *row], [*row, 0.0], strict=True)]
    return [value / sum(row) for value in row]


def blur_pool2d(x: Array, grid: Grid) -> Array:
    """Return the weighted mean of every window, channel by channel."""
    n, height, width, channels = x.shape
    down, across = map(blur_weights, grid.kernel)
    positions = list(grid.positions(height, width))
    y = np.zeros((n, positions[-1][0] + 1, positions[-1][1] + 1, channels))
    for image in range(n):
        for i, j in positions:
            for (u, v), at in grid.seen((i, j), height, width):
                assert at is not None, "blurring reflects"
                for c in range(channels):
                    y[image, i, j, c] += down[u] * across[v] * float(x[image, *at, c])
    return y


def batch_norm(x: Array, gamma: Array, beta: Array, epsilon: float) -> tuple[Array, list[float], list[float]]:
    """Return y, the means and the biased variances of (values, channels)."""
    y, means, variances = np.zeros(x.shape), [], []
    for c in range(x.shape[1]):
        values = [float(v) for v in x[:, c]]
        mean = math.fsum(values) / len(values)
        variance = math.fsum((v - mean) ** 2 for v in values) / len(values)
        for i, v in enumerate(values):
            y[i, c] = float(gamma[c]) * (v - mean) / math.sqrt(variance + epsilon) + float(beta[c])
        means.append(mean)
        variances.append(variance)
    return y, means, variances


def dropout(x: Array, mask: Array) -> Array:
    """Return y = x * mask; from dy, the same gives dx."""
    y = np.zeros(x.shape)
    for place in np.ndindex(x.shape):
        y[place] = float(x[place]) * float(mask[place])
    return y


def residual(x: Array, branch: Array) -> Array:
    """Return y = x + branch; from dy and what came back through the branch, the same gives dx."""
    y = np.zeros(x.shape)
    for place in np.ndindex(x.shape):
        y[place] = float(x[place]) + float(branch[place])
    return y


def reshape(x: Array, shape: tuple[int, ...]) -> Array:
    """Return each image's values in another shape, read and written rows first, channels last; backward likewise."""
    y = np.zeros((len(x), *shape))
    for n in range(len(x)):
        read, written = np.ndindex(x.shape[1:]), np.ndindex(shape)
        for source, target in zip(read, written, strict=True):
            y[(n, *target)] = x[(n, *source)]
    return y
