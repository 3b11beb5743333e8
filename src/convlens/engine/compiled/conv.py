"""The compiled convolution kernel, alone or fused with the max-pooling and ReLU that follow.

Its geometry is in `convlens.engine.compiled.geometry`; its computation is in `convlens.fast.conv`.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from ...fast import conv, pairs
from ...fast.product import WIDE, WIDEST
from ...fast.script import Call
from ...fast.vector import WIDTH
from ...ops.window import Pair
from ...typing import Array
from ..arena import Arena, readable
from ..kernel import Wiring
from ..lanes import Share
from .base import NONE, WORTH_SHARING, CompiledKernel
from .geometry import PIXELS, tables


class CompiledConvKernel(CompiledKernel):
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
        self.w, self.wants_dx = wiring.parameter("w").reshape(-1), wiring.dinputs[0] is not None
        self.strips, self.strips_back = -(-self.filters // WIDTH), -(-self.channels // WIDTH)
        self.paired = self.tables.forward.parts.size > 0
        weights = len(self.w) // self.filters * self.strips, len(self.w) // self.channels * self.strips_back
        self.kernels = self._shared("kernels", weights[0])
        self.turned = self._shared("turned", weights[1] * self.wants_dx)
        forward, back = self.strips * len(self.tables.forward.taps), self.strips_back * len(self.tables.back.taps)
        self.paired_kernels = self._shared("paired_kernels", forward * self.paired)
        self.paired_turned = self._shared("paired_turned", back * self.paired * self.wants_dx)
        self.bias = self._shared("bias", self.strips * (pairs.PARTS if self.paired else 1))
        self.no_bias = np.zeros(self.strips_back * WIDTH * pairs.PARTS, np.float32)
        self.padded = self.planes = self.spread = self.dpadded = self.winners = NONE
        self.lifted = self.sums = self.paired_dw = NONE

    def keep(self, arena: Arena) -> None:
        if self.phases > 1 and self.wiring.gradient is not None:
            self.winners = arena.take((self.y.size,))

    def scratch(self, arena: Arena) -> None:
        t, window = self.tables, self.wiring.node.window
        sides = [(t.forward, self.strips)] + [(t.back, self.strips_back)] * self.wants_dx
        if len(t.lines):
            self.padded = arena.take((t.padded_size,))
        if self.phases > 1:
            row = self.phases * self.width
            self.planes = self._columns(arena, (max(1, PIXELS // row) * row, self.strips))
        if self.paired:
            self.lifted = arena.take((max(t.lifted_size, *(side.lifted_size for side, _ in sides)),))
            self.sums = self._columns(arena, *((len(side.outputs), strips) for side, strips in sides))
        if self.wiring.gradient is None:
            return
        self.spread = arena.take((self.strips * t.area,))
        if self.paired:
            self.paired_dw = arena.take((len(t.forward.taps) * self.filters,))
        if self.wants_dx and window.is_padded and window.mode == "reflect":
            height, width, channels = self.wiring.node.input_shapes[0]
            high, wide = window.padded_size(height, width)
            self.dpadded = arena.take((t.group * high * wide * channels,))

    @staticmethod
    def _columns(arena: Arena, *sizes: tuple[int, int]) -> Array:
        """Return memory for the largest of `sizes` (rows, strips), with as many columns as are computed at a time.

        It takes the same amount of the arena on every processor, because the size of micro-batches follows from it.
        """
        anywhere, here = (max(rows * min(wide, strips * WIDTH) for rows, strips in sizes) for wide in (WIDEST, WIDE))
        return arena.take((anywhere,))[:here]

    def _shared(self, name: str, strips: int) -> Array:
        """Return memory for `strips` strips of sixteen values, shared by all lanes of a thread."""
        key, shared = f"{self.wiring.node.name}.{name}", self.wiring.shared
        if key not in shared:
            shared[key] = readable(strips * WIDTH)
        return shared[key]

    def prepare_calls(self) -> list[Call]:
        (kh, kw), b = self.wiring.node.window.kernel, self.wiring.parameter("b")
        bias = self.bias[self.strips * WIDTH :] if self.paired else self.bias  # of part m1, which both rows contain
        calls = [
            conv.pack(self.w, len(self.w) // self.filters, self.filters, self.kernels),
            conv.pack(b, 1, self.filters, bias[: self.strips * WIDTH]),
        ]
        if self.wants_dx:
            calls.append(conv.pack_turned(self.w, kh * kw, self.channels, self.filters, self.turned))
        if self.paired:
            calls.append(pairs.pair_kernels(self.kernels, kh, kw * self.channels, self.paired_kernels))
            calls.append(pairs.pair_kernels(self.turned, kh, kw * self.filters, self.paired_turned))
        return calls

    def forward_calls(self) -> list[Call]:
        return [self.share_call(0, 1)]

    def shared_calls(self, share: Share) -> list[Call]:
        if self.n * self.wiring.node.flops < WORTH_SHARING:
            return super().shared_calls(share)
        return [self.share_call(*share)]

    def share_call(self, share: int, shares: int) -> Call:
        """Return the call that computes one of several shares of each image's rows."""
        of = self.tables.forward
        return conv.forward(
            **self._common,
            share=share,
            shares=shares,
            strips=self.paired_kernels if self.paired else self.kernels,
            bias=self.bias,
            outputs=of.outputs,
            spans=of.spans,
            strip=_strips(len(of.taps)),
            planes=self.planes,
        )

    @property
    def _common(self) -> dict[str, Any]:
        """The arguments that forward and backward share, by name; see `convlens.fast.conv.forward`."""
        t = self.tables
        return {
            "x": self.x,
            "size": self.x.size // self.n,
            "padded": self.padded,
            "lines": t.lines,
            "mirrored": t.mirrored,
            "taps": t.forward.taps,
            "lifting": t.forward.lifting,
            "lifted": self.lifted,
            "sums": self.sums,
            "images": self.n,
            "group": t.group,
            "filters": self.filters,
            "phases": self.phases,
            "width": self.width,
            "relu": self.relu,
            "y": self.y,
            "winners": self.winners,
        }

    def backward_calls(self) -> list[Call]:
        t, wiring, of, back = self.tables, self.wiring, self.tables.forward, self.tables.back
        dy, dx = wiring.doutput, wiring.dinputs[0]
        assert dy is not None, "a plan for prediction has no backward pass"
        call = conv.backward(
            **self._common,
            channels=self.channels,
            dy=dy.reshape(-1),
            spread_dy=self.spread,
            places=t.places,
            factors=t.factors,
            outputs=t.sources,
            parts=of.parts,
            no_bias=self.no_bias,
            paired_dw=self.paired_dw,
            dw=wiring.dparameter("w").reshape(-1),
            db=wiring.dparameter("b"),
            accumulate=wiring.accumulate,
            turned=self.paired_turned if self.paired else self.turned,
            pixels=back.outputs,
            spans_back=back.spans,
            taps_back=back.taps,
            strip_back=_strips(len(back.taps)),
            dpadded=self.dpadded,
            dx=NONE if dx is None else dx.reshape(-1),
            lifting_back=back.lifting,
            nothing=NONE,
        )
        return [call]


@lru_cache(maxsize=64)
def _strips(taps: int) -> Array:
    """Return, for each of `taps` taps, where its sixteen values begin; all micro-batches share the table."""
    return np.arange(taps, dtype=np.int32) * np.int32(WIDTH)
