"""The compiled convolution kernel, alone or fused with the max-pooling and the ReLU behind it.

Here its geometry becomes tables of offsets; what is done with them is in `convlens.fast.conv`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from ...fast import conv
from ...fast.product import WIDE
from ...fast.script import Call
from ...fast.vector import LANES
from ...ops.window import Pair, Window
from ...typing import Array
from ..arena import Arena
from ..kernels.base import Wiring
from .base import NONE, CompiledKernel

PIXELS = 224  # outputs that a product should have: several small images, or rows of pooling windows, at a time


@dataclass(frozen=True)
class Tables:
    """Offsets, int32, for a group of images; see `convlens.fast.conv`.

    `lines` and `mirrored` are empty where nothing is padded. `places`, `pixels`, `taps_back` and `strip_back` speak of
    an image's derivatives spread out: `area` values for each strip of filters.
    """

    group: int
    outputs: Array
    taps: Array
    strip: Array
    lines: Array
    mirrored: Array
    places: Array
    pixels: Array
    taps_back: Array
    strip_back: Array
    area: int
    padded_size: int


def _table(values: Array) -> Array:
    return np.ascontiguousarray(values.reshape(-1), np.int32)


@lru_cache(maxsize=256)
def tables(window: Window, size: tuple[int, int, int], filters: int, pool: Pair, output: Pair, most: int) -> Tables:
    """Work the tables out, for images (H, W, C) and at most so many of them at a time."""
    (height, width, channels), (kh, kw), (sh, sw) = size, window.kernel, window.stride
    (ph, pw), (h, w) = pool, output
    group = max(1, min(most, -(-PIXELS // (ph * pw * h * w))))
    padded_height, padded_width = window.padded_size(height, width)
    image = padded_height * padded_width * channels
    # axes: image, row of pooling windows, phase (down, across), column of pooling windows
    n, i, a, b, j = np.ogrid[:group, :h, :ph, :pw, :w]
    rows, columns = i * ph + a, j * pw + b  # of the convolution's outputs
    outputs = n * image + (rows * sh * padded_width + columns * sw) * channels
    u, v, c = np.ogrid[:kh, :kw, :channels]
    reflects = window.is_padded and window.mode == "reflect"
    top, left = (0, 0) if reflects else (window.rows[0], window.columns[0])
    wide, high = (padded_width, padded_height) if reflects else (width, height)
    spread_width, spread_height = wide + kw - 1, high + kh - 1
    area = spread_height * spread_width * LANES  # of an image, for each strip
    above, before = kh - 1 - top, kw - 1 - left
    places = n * area + ((rows * sh + above) * spread_width + columns * sw + before) * LANES
    m, row, column = np.ogrid[:group, :high, :wide]
    pixels = m * area + (row * spread_width + column) * LANES
    y, x, f = np.ogrid[:kh, :kw, :filters]
    taps_back = f // LANES * (group * area) + (y * spread_width + x) * LANES + f % LANES
    return Tables(
        group,
        _table(outputs),
        _table((u * padded_width + v) * channels + c),
        _table(np.arange(kh * kw * channels) * LANES),
        *_padding(window, height, width, channels),
        _table(places),
        _table(pixels),
        _table(taps_back),
        _table(np.arange(kh * kw * filters) * LANES),
        group * area,
        group * image,
    )


def _padding(window: Window, height: int, width: int, channels: int) -> tuple[Array, Array]:
    """Return where in a padded image each row begins, and the pairs of mirrored values with their origins."""
    nothing = np.zeros(0, np.int32)
    if not window.is_padded:
        return nothing, nothing
    _, padded_width = window.padded_size(height, width)
    lines = ((np.arange(height) + window.rows[0]) * padded_width + window.columns[0]) * channels
    if window.mode == "zeros":
        return _table(lines), nothing
    places = np.arange(lines[-1] + padded_width * channels)  # more than there are; only the image's own are taken
    inside = np.stack([places[line : line + width * channels] for line in lines])
    origin = window.pad(inside.reshape(1, height, width, channels)).reshape(-1)
    border = np.flatnonzero(origin != np.arange(origin.size))
    return _table(lines), _table(np.stack((border, origin[border]), axis=1))


class ConvKernel(CompiledKernel):
    """Nodes ``conv2d`` and ``conv2d_max_pool2d``, rectified or not."""

    needs_output = True

    def __init__(self, wiring: Wiring) -> None:
        super().__init__(wiring)
        node, n = wiring.node, len(wiring.output)
        self.pool: Pair = node.attributes.get("pool", (1, 1))
        self.relu = bool(node.attributes.get("relu", False))
        height, width, self.channels = node.input_shapes[0]
        h, self.width, self.filters = node.output_shape
        self.tables = tables(node.window, (height, width, self.channels), self.filters, self.pool, (h, self.width), n)
        self.n, self.phases = n, self.pool[0] * self.pool[1]
        self.x, self.y = wiring.inputs[0].reshape(-1), wiring.output.reshape(-1)
        self.w = wiring.parameter("w").reshape(-1)
        strips, shared = -(-self.filters // LANES), wiring.shared
        taps = len(self.tables.taps)
        self.strips = shared.setdefault(f"{node.name}.strips", np.zeros(strips * taps * LANES, np.float32))
        self.bias = shared.setdefault(f"{node.name}.bias", np.zeros(strips * LANES, np.float32))
        channel_strips, taps_back = -(-self.channels // LANES), len(self.tables.taps_back)
        wanted = channel_strips * taps_back * LANES if wiring.dinputs[0] is not None else 0
        self.turned = shared.setdefault(f"{node.name}.turned", np.zeros(wanted, np.float32))
        self.nought = np.zeros(WIDE, np.float32)
        self.padded = self.planes = self.spread = self.dpadded = self.winners = NONE

    def keep(self, arena: Arena) -> None:
        if self.phases > 1 and self.wiring.gradient is not None:
            self.winners = arena.take((self.y.size,))

    def scratch(self, arena: Arena) -> None:
        t = self.tables
        if len(t.lines):
            self.padded = arena.take((t.padded_size,))
        if self.phases > 1:
            row, step = self.phases * self.width, min(WIDE, -(-self.filters // LANES) * LANES)
            self.planes = arena.take((max(1, PIXELS // row) * row * step,))
        if self.wiring.gradient is None:
            return
        self.spread = arena.take((-(-self.filters // LANES) * t.area,))
        if self.wiring.dinputs[0] is not None and self.reflects:
            self.dpadded = arena.take((t.padded_size,))

    @property
    def reflects(self) -> bool:
        """Whether padding is a copy of pixels, which then get its derivatives."""
        return self.wiring.node.window.is_padded and self.wiring.node.window.mode == "reflect"

    def prepare_calls(self) -> list[Call]:
        calls = [conv.pack(self.w, len(self.tables.taps), self.filters, self.strips)]
        calls.append(conv.pack(self.wiring.parameter("b"), 1, self.filters, self.bias))
        if self.turned.size:
            kh, kw = self.wiring.node.window.kernel
            calls.append(conv.pack_turned(self.w, kh * kw, self.channels, self.filters, self.turned))
        return calls

    def forward_calls(self) -> list[Call]:
        t = self.tables
        call = conv.forward(
            *(self.x, self.x.size // self.n, self.padded, t.lines, t.mirrored),
            *(self.strips, self.bias, t.outputs, t.taps, t.strip),
            *(self.n, t.group, self.filters, self.phases, self.width, self.relu),
            *(self.y, self.planes, self.winners),
        )
        return [call]

    def backward_calls(self) -> list[Call]:
        t, wiring = self.tables, self.wiring
        dy, dx = wiring.doutput, wiring.dinputs[0]
        assert dy is not None, "a plan for prediction has no backward pass"
        call = conv.backward(
            *(self.x, self.x.size // self.n, self.padded, t.lines, t.mirrored, self.channels),
            *(dy.reshape(-1), self.y, self.winners, self.spread, t.places),
            *(t.outputs, t.taps, self.nought),
            *(self.n, t.group, self.filters, self.phases, self.width, self.relu),
            *(wiring.dparameter("w").reshape(-1), wiring.dparameter("b"), wiring.accumulate),
            *(self.turned, t.pixels, t.taps_back, t.strip_back, self.dpadded),
            NONE if dx is None else dx.reshape(-1),
        )
        return [call]
