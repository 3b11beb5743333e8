"""The compiled convolution kernel, alone or fused with the max-pooling and ReLU that follow.

Its geometry is in `convlens.engine.compiled.geometry`; its computation is in `convlens.fast.conv`.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from ...fast import conv, lifting
from ...fast.product import WIDE, WIDEST
from ...fast.script import Call
from ...fast.vector import WIDTH
from ...ops.window import Pair
from ...typing import Array
from ..arena import Arena
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
        self.form, self.form_back = self.tables.forward.form, self.tables.back.form
        weights = len(self.w) // self.filters * self.strips, len(self.w) // self.channels * self.strips_back
        self.kernels = self._strips_of("kernels", weights[0])
        self.turned = self._strips_of("turned", weights[1] * self.wants_dx)
        forward, back = self.strips * len(self.tables.forward.taps), self.strips_back * len(self.tables.back.taps)
        self.lifted_kernels = self._strips_of("lifted_kernels", forward * bool(self.form))
        self.lifted_turned = self._strips_of("lifted_turned", back * bool(self.form) * self.wants_dx)
        self.bias = self._strips_of("bias", self.strips)
        self.no_bias = np.zeros(self.strips_back * WIDTH, np.float32)
        self.padded = self.planes = self.spread = self.dpadded = self.winners = NONE
        self.lifted = self.sums = self.lifted_dw = NONE

    def keep(self, arena: Arena) -> None:
        if self.phases > 1 and self.wiring.gradient is not None:
            self.winners = arena.take((self.y.size,))

    def scratch(self, arena: Arena) -> None:
        t, trained = self.tables, self.wiring.gradient is not None
        if len(t.lines):
            self.padded = arena.take((t.padded_size,))
        if self.phases > 1 and self.form is None:
            row = self.phases * self.width
            self.planes = self._planes(arena, max(1, PIXELS // row) * row)
        if self.form:
            self._take_squares(arena, trained=trained)
        if not trained:
            return
        self.spread = arena.take((self.strips * t.area,))
        if self.form:
            self.lifted_dw = self._strips_of("lifted_dw", -(-len(t.whole.taps) * self.filters // WIDTH))
        if self.wants_dx and t.dpadded_size:
            self.dpadded = arena.take((t.dpadded_size,))

    def _planes(self, arena: Arena, rows: int) -> Array:
        """Return memory for rows of outputs, with as many columns as are computed at a time.

        It takes the same amount of the arena on every processor, because the size of micro-batches follows from it.
        """
        anywhere, here = (rows * min(wide, self.strips * WIDTH) for wide in (WIDEST, WIDE))
        return arena.take((anywhere,))[:here]

    def _take_squares(self, arena: Arena, *, trained: bool) -> None:
        """Take memory for lifted images, and for sums, or lifted derivatives, of squares."""
        t, widest = self.tables, WIDEST // WIDTH
        sides = [(t.forward, min(widest, self.strips))]
        sides += [(t.whole, self.strips)] * trained + [(t.back, min(widest, self.strips_back))] * self.wants_dx
        self.lifted = arena.take((max(of.lifted_size for of, _ in sides),))
        sums = max((of.squares * strips + strips) * of.form.size**2 for of, strips in sides if of.form)
        self.sums = arena.take(((sums + lifting.SCRATCH) * WIDTH,))

    def _strips_of(self, key: str, count: int) -> Array:
        """Return memory for `count` strips of sixteen values, shared by all micro-batches of a thread."""
        return self.wiring.memory(key, (count * WIDTH,))

    def prepare_calls(self) -> list[Call]:
        (kh, kw), b = self.wiring.node.window.kernel, self.wiring.parameter("b")
        calls = [
            conv.pack(self.w, len(self.w) // self.filters, self.filters, self.kernels),
            conv.pack(b, 1, self.filters, self.bias),
        ]
        if self.wants_dx:
            calls.append(conv.pack_turned(self.w, kh * kw, self.channels, self.filters, self.turned))
        if self.form and self.form_back:
            for form, kernels, channels, lifted in (
                (self.form, self.kernels, self.channels, self.lifted_kernels),
                (self.form_back, self.turned, self.filters, self.lifted_turned),
            ):
                products = len(lifting.kernel_order(form, kh))
                calls.append(lifting.lift_kernels(kernels, kh, channels, form.results, products, lifted))
        return calls

    def forward_calls(self) -> list[Call]:
        return [self.share_call(0, 1)]

    def calls_of_share(self, share: Share) -> list[Call]:
        if self.n * self.wiring.node.flops < WORTH_SHARING:
            return super().calls_of_share(share)
        return [self.share_call(*share)]

    def share_call(self, share: int, shares: int) -> Call:
        """Return the call that computes one of several shares of each image's rows."""
        of = self.tables.forward
        return conv.forward(
            **self._common,
            share=share,
            shares=shares,
            strips=self.lifted_kernels if self.form else self.kernels,
            bias=self.bias,
            outputs=of.outputs,
            strip=_strips(len(of.taps)),
            geometry=of.geometry,
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
            "parts": t.forward.parts,
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
        t, wiring, back = self.tables, self.wiring, self.tables.back
        dy, dx = wiring.doutput, wiring.dinputs[0]
        assert dy is not None, "a plan for prediction has no backward pass"
        call = conv.backward(
            **self._common,
            channels=self.channels,
            dy=dy.reshape(-1),
            spread_dy=self.spread,
            places=t.places,
            dy0=int(t.places[0]),
            derivatives=t.derivatives,
            outputs=t.whole.outputs,
            strip=_strips(t.whole.squares) if self.form else t.places,
            no_bias=self.no_bias,
            lifted_dw=self.lifted_dw,
            kernel=wiring.node.window.kernel[0],
            dw=wiring.dparameter("w").reshape(-1),
            db=wiring.dparameter("b"),
            accumulate=wiring.accumulate,
            turned=self.lifted_turned if self.form else self.turned,
            pixels=back.outputs,
            parts_back=back.parts,
            taps_back=back.taps,
            strip_back=_strips(len(back.taps)),
            dpadded=self.dpadded,
            dx=NONE if dx is None else dx.reshape(-1),
            geometry=t.whole.geometry,
            geometry_back=back.geometry,
            nothing=NONE,
        )
        return [call]


@lru_cache(maxsize=64)
def _strips(taps: int) -> Array:
    """Return, for each of `taps` taps, where its sixteen values begin; all micro-batches share the table."""
    return np.arange(taps, dtype=np.int32) * np.int32(WIDTH)
