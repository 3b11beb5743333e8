"""The locally connected layer."""

from __future__ import annotations

from dataclasses import dataclass

from ..builder import ProgramBuilder
from .conv import Patchwise


@dataclass(frozen=True)
class LocallyConnected2D(Patchwise):
    """A convolution without weight sharing: (H, W, C_in) -> (H_out, W_out, filters). See `convlens.ops.local`.

    Its settings are those of `Patchwise`; its parameters those of `Conv2D`, times the number of output pixels.
    """

    def lower(self, builder: ProgramBuilder, value: str) -> str:
        """Append one ``local2d`` node."""
        window, channels = self.window(builder, value)
        shape = (*window.output_size(*builder.shape(value)[:2]), self.filters)
        (kh, kw), name = window.kernel, builder.name("local")
        w = builder.parameter(
            f"{name}.w",
            (*shape[:2], kh, kw, channels, self.filters),
            self.kernel_initializer,
            fan_in=kh * kw * channels,
            fan_out=kh * kw * self.filters,
            decay=True,
        )
        b = builder.parameter(f"{name}.b", shape, "zeros")
        return builder.add(name, "local2d", (value,), shape, sight=window, parameters={"w": w, "b": b}, macs=w.size)
