"""The sliding window: which input pixels one output pixel sees.

Convolution and pooling share it. For one axis with input size n, kernel k, stride s and padding (before, after)::

    n_out = floor((n + before + after - k) / s) + 1
    output i sees padded inputs i*s ... i*s + k - 1

Source: Dumoulin & Visin, "A guide to convolution arithmetic for deep learning", 2016.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from ..errors import ConfigurationError, ShapeError, nearest
from ..typing import FloatArray

Pair: TypeAlias = tuple[int, int]
Padding: TypeAlias = Literal["valid", "same", "full"]
PaddingMode: TypeAlias = Literal["zeros", "reflect"]


@dataclass(frozen=True)
class Window:
    """The geometry of a sliding window, fully resolved: no "same" is left in it.

    Attributes
    ----------
    kernel, stride
        Height and width, in pixels.
    rows, columns
        Padding (before, after) of the height and of the width, in pixels.
    mode
        What padding holds: ``"zeros"``, or ``"reflect"`` (the image mirrored at its edge, the edge not repeated).
    """

    kernel: Pair
    stride: Pair = (1, 1)
    rows: Pair = (0, 0)
    columns: Pair = (0, 0)
    mode: PaddingMode = "zeros"

    @classmethod
    def resolve(cls, kernel: Pair, stride: Pair, padding: Padding, size: Pair, mode: PaddingMode = "zeros") -> Window:
        """Return the window whose padding is given by name, for an image of the given size.

        ``"valid"`` pads nothing; ``"same"`` gives ceil(n / s) outputs, an odd pixel of padding going after, as in
        Keras; ``"full"`` pads k - 1 on both sides, so that every input pixel is seen by every position of the kernel.

        PyTorch has ``"same"`` for stride 1 only. The padding of k // 2 on both sides, usual there with stride 2, gives
        as many outputs for an odd k; but if n is even, each of them sees the pixels one further up and to the left.

        Raises
        ------
        ConfigurationError
            If the name of the padding or of its mode is unknown.
        ShapeError
            If no window fits into the padded image, or reflection would need more pixels than there are.
        """
        for value, known, what in (
            (padding, get_args(Padding), "padding"),
            (mode, get_args(PaddingMode), "padding mode"),
        ):
            if value not in known:
                raise ConfigurationError(f"unknown {what} {value!r}{nearest(str(value), known)}")
        rows, columns = (_padding_of_axis(n, k, s, padding) for n, k, s in zip(size, kernel, stride, strict=True))
        window = cls(kernel, stride, rows, columns, mode)
        window.output_size(*size)
        if mode == "reflect" and any(max(pads) >= n for n, pads in zip(size, (rows, columns), strict=True)):
            raise ShapeError(
                f"reflecting {rows} rows and {columns} columns needs a larger image than {size[0]}x{size[1]}; "
                "use a smaller kernel, or padding mode 'zeros'"
            )
        return window

    @property
    def is_padded(self) -> bool:
        """Whether there is any padding."""
        return self.rows != (0, 0) or self.columns != (0, 0)

    def output_size(self, height: int, width: int) -> Pair:
        """Return (H_out, W_out) for an image of (height, width); ShapeError if the window does not fit."""
        padded = self.padded_size(height, width)
        if any(p < k for p, k in zip(padded, self.kernel, strict=True)):
            raise ShapeError(
                f"a window of {self.kernel[0]}x{self.kernel[1]} does not fit into {padded[0]}x{padded[1]} pixels "
                f"(an image of {height}x{width} with its padding)"
            )
        h_out, w_out = ((p - k) // s + 1 for p, k, s in zip(padded, self.kernel, self.stride, strict=True))
        return h_out, w_out

    def padded_size(self, height: int, width: int) -> Pair:
        """Return the size of an image with its padding."""
        return height + sum(self.rows), width + sum(self.columns)

    def pad(self, x: FloatArray) -> FloatArray:
        """Return x (N, H, W, C) with its padding; x itself where there is none."""
        if not self.is_padded:
            return x
        widths = ((0, 0), self.rows, self.columns, (0, 0))
        return np.pad(x, widths) if self.mode == "zeros" else np.pad(x, widths, mode="reflect")

    def unpad(self, dx_padded: FloatArray, height: int, width: int) -> FloatArray:
        """Adjoint of `pad`: gradients of zeros are dropped, those of reflected pixels go back to their originals."""
        dx = dx_padded
        for axis, n, (before, after) in ((1, height, self.rows), (2, width, self.columns)):
            dx = np.moveaxis(dx, axis, 0)
            inside = dx[before : before + n]
            if self.mode == "reflect" and (before or after):
                inside = inside.copy()
                origin = np.pad(np.arange(n), (before, after), mode="reflect")
                for p in (*range(before), *range(before + n, before + n + after)):
                    inside[origin[p]] += dx[p]
            dx = np.moveaxis(inside, 0, axis)
        return dx

    def patches(self, x_padded: FloatArray) -> FloatArray:
        """Return what each output sees: a read-only view (N, H_out, W_out, KH, KW, C) of (N, H, W, C), padded."""
        view = sliding_window_view(x_padded, self.kernel, axis=(1, 2))  # (N, H', W', C, KH, KW)
        return view[:, :: self.stride[0], :: self.stride[1]].transpose(0, 1, 2, 4, 5, 3)

    def scatter(self, dpatches: FloatArray, height: int, width: int) -> FloatArray:
        """Adjoint of `pad` and `patches`: add every patch (N, H_out, W_out, KH, KW, C) back where it was seen.

        Returns the gradient of the unpadded image, (N, height, width, C).
        """
        n, h_out, w_out, _, _, c = dpatches.shape
        (sh, sw), padded = self.stride, self.padded_size(height, width)
        dx = np.zeros((n, *padded, c), dpatches.dtype)
        for i in range(self.kernel[0]):
            for j in range(self.kernel[1]):
                dx[:, i : i + sh * h_out : sh, j : j + sw * w_out : sw] += dpatches[:, :, :, i, j]
        return self.unpad(dx, height, width)


def _padding_of_axis(n: int, k: int, s: int, padding: Padding) -> Pair:
    """Return (before, after) along one axis."""
    if padding == "valid":
        return 0, 0
    if padding == "full":
        return k - 1, k - 1
    total = max((-(-n // s) - 1) * s + k - n, 0)
    return total // 2, total - total // 2
