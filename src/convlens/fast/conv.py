"""Convolution, optionally followed by max-pooling and ReLU, forward and backward; a few images at a time.

All geometry (stride, padding, pooling, number of images) is in tables of offsets that are computed once
(`convlens.engine.compiled.geometry`). With x the padded image, all three products of a convolution are the same sum:

==================  =======================  =====================  =========
product             row of A                 tap of A               B
==================  =======================  =====================  =========
y                   outputs, in x            kernel positions       kernels
gradient of w       kernel positions, in x   outputs                dy
gradient of x       pixels of x, in dy       kernel positions       kernels, rotated
==================  =======================  =====================  =========

The first two use the same pair of tables, exchanged. B is stored in strips of sixteen channels, padded with zeros.

Where results are computed in squares, each of the three needs fewer multiplications: see `convlens.fast.minimal`.
"""

from __future__ import annotations

from ..typing import Float32
from .lifting import lower_gradient
from .minimal import RESULTS, add_gradient, convolve
from .planes import pad, pool_planes, spread_out, unpad
from .product import NO_FLOOR, WIDE, columns_at_once, product
from .script import entry
from .signatures import Indices
from .vector import WIDTH, at, clear, load_some, store


@entry
def pack(w: Float32, taps: int, filters: int, strips: Float32) -> None:
    """Write kernels (taps, filters) in strips of sixteen filters: (strips, taps, 16)."""
    for s in range(len(strips) // (taps * WIDTH)):
        for t in range(taps):
            kernels = load_some(w, t * filters + s * WIDTH, filters - s * WIDTH)
            store(kernels, strips, (s * taps + t) * WIDTH)


@entry
def pack_turned(w: Float32, positions: int, channels: int, filters: int, strips: Float32) -> None:
    """Write kernels (positions, channels, filters), rotated by 180 degrees, in strips of sixteen channels.

    They become (strips, positions * filters, 16).
    """
    taps = positions * filters
    clear(strips)
    for channel in range(channels):
        to = channel // WIDTH * taps * WIDTH + channel % WIDTH
        for q in range(positions):
            of = ((positions - 1 - q) * channels + channel) * filters
            for f in range(filters):
                strips[to + (q * filters + f) * WIDTH] = w[of + f]


@entry
def forward(
    x: Float32,
    size: int,
    padded: Float32,
    lines: Indices,
    mirrored: Indices,
    strips: Float32,
    bias: Float32,
    outputs: Indices,
    parts: Indices,
    taps: Indices,
    strip: Indices,
    geometry: Indices,
    lifted: Float32,
    sums: Float32,
    images: int,
    group: int,
    share: int,
    shares: int,
    filters: int,
    phases: int,
    width: int,
    relu: bool,
    y: Float32,
    planes: Float32,
    winners: Float32,
) -> None:
    """Convolve images with kernels, and pool.

    Parameters
    ----------
    x, size
        Images; number of values in one.
    padded, lines, mirrored
        Memory for a group of padded images, empty where nothing is padded; see `pad`.
    strips, bias
        Kernels as `pack`, or then `lift_kernels`, left them; the bias, padded to whole strips.
    outputs, parts, taps, strip
        Offsets of the outputs' patches in a group of images, of the positions in a patch, and of rows of `strips`.
        Outputs are ordered by image, by row of pooling windows, by phase in the window and by column. For results in
        squares, see `convolve`; `parts` is empty otherwise.
    geometry, lifted, sums
        Geometry of squares, and memory; see `convolve`.
    images, group
        Number of images, and the number that the tables are for.
    share, shares
        Which part of each image's rows of results to compute, and in how many they are divided: several threads may
        compute one image, each with memory of its own. All of them are (0, 1).
    filters, phases, width
        Number of kernels; positions in a pooling window (1: no pooling); outputs in a row, after pooling.
    relu
        Whether negative results become zero.
    y, planes, winners
        The result; memory for a few rows of pooling windows; the winning phase of each window, empty in prediction.
    """
    row, result = size // max(1, len(lines)), len(y) // images
    each = result // filters * phases
    clear(padded)
    floor, at_a_time = 0.0 if relu else NO_FLOOR, group if shares == 1 else 1
    line = phases * width  # outputs in a row of pooling windows
    skipped, end = each // line * share // shares, each // line * (share + 1) // shares
    for first in range(0, images, at_a_time):
        count = min(at_a_time, images - first)
        a, a0 = x, first * size
        if len(padded):
            pad(x, first * size, count, row, lines, mirrored, len(padded) // group, padded)
            a, a0 = padded, 0
        if len(parts):
            convolve(
                *(a, a0, count, share, shares, outputs, parts, taps, strips, bias, geometry, lifted, sums),
                *(filters, phases, relu, y, first * result, winners),
            )
            continue
        row0, rows = skipped * line, (count - 1) * each + (end - skipped) * line
        y0 = first * result + skipped * width * filters
        for s in range(0, filters, WIDE):
            b0, more = s * len(taps), filters - s
            if phases == 1:
                product(
                    *(a, a0, outputs, row0, rows, taps, strip, len(taps), strips, b0, len(taps) * WIDTH),
                    *(y, y0 + s, filters, bias, s, 0, floor, more),
                )
                continue
            step = columns_at_once(more)
            most = len(planes) // (line * step)  # rows of pooling windows at a time
            for block in range(0, rows // line, most):
                at_once = min(most, rows // line - block)
                product(
                    *(a, a0, outputs, row0 + block * line, at_once * line, taps, strip, len(taps)),
                    *(strips, b0, len(taps) * WIDTH, planes, 0, step, bias, s, 0, NO_FLOOR, step),
                )
                for column in range(0, min(more, step), WIDTH):
                    pool_planes(
                        *(planes, column, step, at_once, phases, width),
                        *(y, y0 + block * width * filters + s + column, filters, more - column, relu, winners),
                    )


@entry
def backward(
    x: Float32,
    size: int,
    padded: Float32,
    lines: Indices,
    mirrored: Indices,
    channels: int,
    dy: Float32,
    y: Float32,
    winners: Float32,
    spread_dy: Float32,
    places: Indices,
    dy0: int,
    derivatives: Indices,
    outputs: Indices,
    parts: Indices,
    taps: Indices,
    strip: Indices,
    no_bias: Float32,
    lifted_dw: Float32,
    images: int,
    group: int,
    filters: int,
    phases: int,
    width: int,
    relu: bool,
    kernel: int,
    dw: Float32,
    db: Float32,
    accumulate: bool,
    turned: Float32,
    pixels: Indices,
    parts_back: Indices,
    taps_back: Indices,
    strip_back: Indices,
    dpadded: Float32,
    dx: Float32,
    geometry: Indices,
    geometry_back: Indices,
    lifted: Float32,
    sums: Float32,
    nothing: Float32,
) -> None:
    """Compute the gradients of kernels and biases, and that of the images where it is needed.

    Parameters
    ----------
    x, size, padded, lines, mirrored, taps, images, group, filters, phases, width, relu
        As in `forward`.
    channels
        Channels of the images.
    dy, y, winners
        The derivative of the result, and what `forward` left.
    spread_dy, places
        Memory for the derivatives of a group's outputs, in strips, as the convolution that computes dx reads them:
        spread out by the stride, with a border of zeros; and where in it each output is.
    dy0, derivatives
        Where in `spread_dy` the derivative of the first output is, and the geometry of its squares; see `add_gradient`.
    outputs, parts, lifted_dw
        Where in x the patches of outputs begin. For results in squares: see `add_gradient`; memory for the gradients of
        lifted kernels. `parts` and `lifted_dw` are empty otherwise.
    strip
        Where in a strip the derivatives of each output, or square, are.
    no_bias, nothing
        Zeros, as many as a bias for dx would have; and an empty array.
    kernel, dw, db, accumulate
        Height of kernels; the gradients (taps, filters) and (filters,), and whether to add to their contents.
    turned, pixels, parts_back, taps_back, strip_back
        Kernels as `pack_turned`, or then `lift_kernels`, left them, and the tables of the convolution that computes dx:
        for the images' pixels or, where padding reflects, those of the padded images.
    dpadded, dx
        Memory for a group of padded images where padding reflects; the derivative of the images, empty if not needed.
    geometry, geometry_back, lifted, sums
        Geometry of squares, for the results and for dx, and memory.
    """
    area = len(spread_dy) // ((filters + WIDTH - 1) // WIDTH)
    row, result = size // max(1, len(lines)), len(dy) // images
    each, back = result // filters * phases, len(pixels) // group
    clear(padded)
    clear(spread_dy)
    clear(lifted_dw)
    if not accumulate:
        clear(dw)
        clear(db)
    for first in range(0, images, group):
        count = min(group, images - first)
        a, a0 = x, first * size
        if len(padded):
            pad(x, first * size, count, row, lines, mirrored, len(padded) // group, padded)
            a, a0 = padded, 0
        for s in range(0, filters, WIDTH):
            spread_out(
                *(dy, first * result, count * each, y, winners, relu, filters, phases, width),
                *(places, s, s // WIDTH * area, spread_dy, db),
            )
        if len(parts):
            add_gradient(
                *(a, a0, count, outputs, parts, taps, strip, spread_dy, dy0, derivatives, geometry),
                *(lifted, sums, filters, lifted_dw),
            )
        else:
            for s in range(0, filters, WIDE):
                product(
                    *(a, a0, taps, 0, len(taps), outputs, strip, count * each, spread_dy, s // WIDTH * area, area),
                    *(dw, s, filters, dw, s, filters, NO_FLOOR, filters - s),
                )
        if len(dx) == 0:
            continue
        c, c0 = dx, first * size
        if len(dpadded):
            c, c0 = dpadded, 0
        if len(parts):
            convolve(
                *(spread_dy, 0, count, 0, 1, pixels, parts_back, taps_back, turned, no_bias),
                *(geometry_back, lifted, sums, channels, 1, False, c, c0, nothing),
            )
        else:
            for s in range(0, channels, WIDE):
                product(
                    *(spread_dy, 0, pixels, 0, count * back, taps_back, strip_back, len(taps_back)),
                    *(turned, s * len(taps_back), len(taps_back) * WIDTH, c, c0 + s, channels),
                    *(no_bias, s, 0, NO_FLOOR, channels - s),
                )
        if len(dpadded):
            unpad(dpadded, first * size, count, row, lines, mirrored, len(dpadded) // group, dx)
    if len(parts):
        lower_gradient(lifted_dw, kernel, at(geometry, RESULTS), sums, dw)
