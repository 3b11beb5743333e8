"""The figures of one image in one network: values, filters, a unit's arithmetic, attributions, and shifts."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from ..lens.attribution import Attribution
from ..lens.inspection import Inspection
from ..lens.unit import UnitArithmetic
from ..program import INPUT
from ..typing import Array
from ..wording import number, percent
from .picture import Picture
from .style import Look, shortened

COLOURS = "cividis"
_MOST = 64  # channels that are drawn
_WRITTEN = 2  # characters of a class's name that fit into a cell


def inspection_pictures(found: Inspection) -> list[Picture]:
    """Return the figures of an inspection; nothing is drawn yet."""
    return [
        _values(found),
        *([_filters(found)] if found.filters else []),
        *([_unit(found, found.strongest)] if found.strongest is not None else []),
        _attributions(found),
        _equivariance(found),
        _shifts(found),
    ]


def mosaic(maps: Array, columns: int) -> Array:
    """Return maps (H, W, C) beside one another, row by row, with lines of NaN between them."""
    height, width, channels = maps.shape
    columns = min(columns, channels)
    rows = -(-channels // columns)
    tiles = np.full((rows * columns, height + 1, width + 1), np.nan)
    tiles[:channels, :height, :width] = np.moveaxis(maps, 2, 0)
    whole = tiles.reshape(rows, columns, height + 1, width + 1).swapaxes(1, 2)
    return whole.reshape(rows * (height + 1), columns * (width + 1))[:-1, :-1]


def _values(found: Inspection) -> Picture:
    caption = (
        "One row for each layer, one tile for each of its channels; a layer without positions is one line, a cell for "
        "each unit. Dark is the least value of a row, bright its largest; both are written above it."
    )
    alt = "; ".join(f"{name}: {' x '.join(map(str, one.shape))}" for name, one in found.values.items())
    return Picture(
        "look-values", "The values of every layer", caption, f"Values of {alt}.", partial(_draw_values, found)
    )


def _draw_values(found: Inspection, look: Look) -> Figure:
    rows = []
    for name, one in found.values.items():
        if one.ndim == 3 and max(one.shape[:2]) > 1:
            rows.append((name, one.shape, mosaic(one[..., :_MOST], 8 if look.narrow else 16)))
        elif name == INPUT or one.size <= 512:  # a flattened map says nothing new
            rows.append((name, one.shape, one.reshape(1, -1)))
    largest = 0.55 if look.narrow else 0.25
    shares = [min(largest, max(0.045, tiles.shape[0] / tiles.shape[1])) for _, _, tiles in rows]
    figure = look.figure(look.width * sum(shares) + len(rows) * look.type_size * 2.6 / 72)
    panels = figure.subplots(len(rows), 1, height_ratios=shares, squeeze=False).ravel()
    for axes, (name, shape, tiles) in zip(panels, rows, strict=True):
        _show(axes, tiles, look, equal=tiles.shape[0] > 1)
        more = f", the first {_MOST}" if len(shape) == 3 and shape[2] > _MOST else ""
        least, most = (number(float(bound)) for bound in (np.nanmin(tiles), np.nanmax(tiles)))
        _title(axes, f"{name}: {' × '.join(map(str, shape))}{more}, {least} to {most}", look)
    return figure


def _filters(found: Inspection) -> Picture:
    caption = (
        "The kernels of every convolution: a column for each filter, a row for each channel that it reads. Of a "
        "locally connected layer, those in the middle of the map. Zero is in the middle of the colours."
    )
    alt = "; ".join(f"{name}: {one.shape[-4]} filters" for name, one in found.filters.items())
    return Picture("look-filters", "The filters", caption, f"Kernels of {alt}.", partial(_draw_filters, found))


def _draw_filters(found: Inspection, look: Look) -> Figure:
    rows = []
    for name, one in found.filters.items():
        own = one if one.ndim == 4 else one[one.shape[0] // 2, one.shape[1] // 2]
        kernels = own[:32, :, :, :16].transpose(1, 2, 3, 0)  # (KH, KW, C_in, C_out)
        columns = kernels.shape[3] if kernels.shape[2] > 1 else (8 if look.narrow else 16)
        rows.append((name, own.shape, mosaic(kernels.reshape(*kernels.shape[:2], -1), columns)))
    shares = [min(0.6, max(0.07, tiles.shape[0] / tiles.shape[1])) for _, _, tiles in rows]
    figure = look.figure(look.width * sum(shares) + len(rows) * look.type_size * 2.6 / 72)
    panels = figure.subplots(len(rows), 1, height_ratios=shares, squeeze=False).ravel()
    for axes, (name, shape, tiles) in zip(panels, rows, strict=True):
        largest = float(np.nanmax(np.abs(tiles))) or 1.0
        _show(axes, tiles, look, limits=(-largest, largest))
        more = ", the first of them" if shape[0] > 32 or shape[3] > 16 else ""
        _title(axes, f"{name}: {shape[0]} filters of {shape[1]} × {shape[2]} × {shape[3]}{more}", look)
    return figure


def _unit(found: Inspection, unit: UnitArithmetic) -> Picture:
    where = ", ".join(map(str, unit.place))
    after = "" if unit.activation is None else f" {unit.activation} makes it {number(unit.activated or 0.0)}."
    caption = (
        f"The unit of {unit.node} that this image makes most active, ({where}), sees what the frame holds. What it "
        f"reads times its kernel gives the products; they add up to {number(float(unit.products.sum()))}, and with the "
        f"bias {number(unit.bias)} to {number(unit.total)}.{after}"
    )
    return Picture("look-unit", "One unit, and its arithmetic", caption, caption, partial(_draw_unit, found, unit))


def _draw_unit(found: Inspection, unit: UnitArithmetic, look: Look) -> Figure:
    figure = look.figure(look.width * (0.95 if look.narrow else 0.27) + look.type_size * 3 / 72)
    panels = figure.subplots(2, 2).ravel() if look.narrow else figure.subplots(1, 4)
    _show(panels[0], _grey(found.values[INPUT]), look)
    top, left, bottom, right = unit.sees
    size = right - left, bottom - top
    panels[0].add_patch(Rectangle((left - 0.5, top - 0.5), *size, fill=False, edgecolor="#f5b32f", linewidth=2))
    _title(panels[0], "the image", look)
    input_shape = found.values[INPUT].shape
    named = (("what it reads", unit.patch), ("its kernel", unit.kernel), ("the products", unit.products))
    for axes, (name, numbers) in zip(panels[1:], named, strict=True):
        shaped = numbers if numbers.ndim == 3 else _as_image(numbers, input_shape)
        tiles = mosaic(shaped, max(1, round(shaped.shape[2] ** 0.5)))
        largest = float(np.nanmax(np.abs(tiles))) or 1.0
        _show(axes, tiles, look, limits=(-largest, largest))
        _title(axes, name, look)
    return figure


def _as_image(numbers: Array, input_shape: tuple[int, ...]) -> Array:
    """Return what a dense unit reads as an image, where it is one; else as a line."""
    return numbers.reshape(input_shape if numbers.size == np.prod(input_shape) else (1, -1, 1))


def _attributions(found: Inspection) -> Picture:
    name = found.class_names[found.target]
    said = "; ".join(f"{one.method} {_correlations(one)}" for one in found.attributions)
    remarks = [
        f"For occlusion a square of {one.settings['size']} pixels is moved by {one.settings['stride']} at a time."
        for one in found.attributions
        if "stride" in one.settings
    ]
    remarks += [f"{method} is left out: {why}." for method, why in found.left_out.items()]
    caption = (
        f"Which pixels the score of {name} depends on; beside each answer the same with all weights re-drawn, so that "
        "the network knows nothing. Where both look alike, the picture shows the image, not the network. The numbers "
        "are Spearman's correlations of the two, with sign and (in brackets) without: warnings where they are high. "
        f"{' '.join(remarks)}"
    ).strip()
    alt = f"Correlation with re-drawn weights: {said}."
    return Picture(
        "look-attribution", f"What speaks for {name}, and whether to believe it", caption, alt,
        partial(_draw_attributions, found),
    )  # fmt: skip


def _correlations(one: Attribution) -> str:
    signed, absolute = ("–" if c is None else f"{c:.2f}" for c in (one.correlation, one.absolute_correlation))
    return f"{signed} ({absolute})"


def _draw_attributions(found: Inspection, look: Look) -> Figure:
    count = len(found.attributions)
    columns = 2 if look.narrow else 2 * min(count, 2)
    rows = -(-2 * count // columns)
    side = look.width / columns
    figure = look.figure(rows * (0.95 * side + look.type_size * 3 / 72))
    panels = figure.subplots(rows, columns, squeeze=False).ravel()
    for axes in panels[2 * count :]:
        axes.set_axis_off()
    for place, one in enumerate(found.attributions):
        signed = one.method in ("occlusion", "integrated-gradients")
        titles = one.method, f"re-drawn: {_correlations(one)}"
        for axes, values, title in zip(panels[2 * place :], (one.maps[0], one.redrawn[0]), titles, strict=False):
            largest = float(np.abs(values).max()) or 1.0
            _show(axes, values, look, limits=(-largest if signed else 0, largest))
            _title(axes, title, look)
    return figure


def _equivariance(found: Inspection) -> Picture:
    shift = "{} pixels down and {} to the right".format(*found.equivariance.shift)
    first = found.equivariance.first_broken
    caption = (
        f"The image is moved by {shift}. Of every layer: how far what it then computes is from what it computed "
        "before, moved likewise. Bars: over the whole map; lines: where the image's edge plays no part. A hollow bar: "
        f"a layer without positions, compared unmoved. The first that breaks equivariance: {first or 'none'}."
    )
    said = "; ".join(f"{one.node} {_share(one.error)}" for one in found.equivariance.nodes)
    return Picture("look-equivariance", "Does each layer move along?", caption, f"Errors: {said}.",
                   partial(_draw_equivariance, found))  # fmt: skip


def _share(value: float | None) -> str:
    return "–" if value is None else percent(value, 1)


def _draw_equivariance(found: Inspection, look: Look) -> Figure:
    nodes = found.equivariance.nodes
    figure = look.figure((len(nodes) * 1.9 + 4) * look.type_size / 72)
    axes = figure.add_subplot()
    colour = look.series[0].colour
    for place, one in enumerate(nodes):
        positions = one.kind == "equivariance"
        axes.barh(place, one.error or 0, 0.6, color=colour if positions else "none", edgecolor=colour)
        if one.interior is not None:
            axes.plot([one.interior] * 2, [place - 0.38, place + 0.38], color=look.ink, linewidth=2.5)
        axes.text((one.error or 0), place, f"  {_share(one.error)}", va="center", fontsize=look.type_size * 0.85)
    largest = max((one.error or 0.0 for one in nodes), default=0.0)
    axes.set_xlim(0, 1.25 * largest or 1)
    axes.set_yticks(range(len(nodes)), [shortened(one.node, 14) for one in nodes])
    axes.invert_yaxis()
    axes.grid(visible=False, axis="y")
    axes.set_xlabel("error, relative to what comes out")
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
    return figure


def _shifts(found: Inspection) -> Picture:
    shifts, name = found.shifts, found.class_names[found.target]
    same, _ = shifts.at_distance(shifts.reach)
    mean = float(shifts.confidence(found.target).mean())
    kept = float((shifts.predicted == found.target).mean())
    caption = (
        f"The probability of {name} wherever the image is moved to, {shifts.reach} pixels to every side; the middle is "
        f"the image as it is. Mean {percent(mean, 1)}; at {percent(kept, 1)} of the places it is taken for {name}, and "
        f"{percent(same, 1)} of the furthest give the same class as the middle. Where it is taken for another class, "
        "that is written there."
    )
    return Picture("look-shifts", "When the image moves", caption, caption, partial(_draw_shifts, found))


def _draw_shifts(found: Inspection, look: Look) -> Figure:
    shifts, side = found.shifts, look.width * (0.95 if look.narrow else 0.62)
    figure = look.figure(side)
    axes = figure.add_subplot()
    reach, values = shifts.reach, shifts.confidence(found.target)
    image = axes.imshow(
        values, cmap=COLOURS, vmin=0, vmax=1, extent=(-reach - 0.5, reach + 0.5, reach + 0.5, -reach - 0.5)
    )
    axes.grid(visible=False)
    axes.set_xlabel("pixels to the right")
    axes.set_ylabel("pixels down")
    bar = figure.colorbar(
        image, ax=axes, shrink=0.8, label=f"probability of {shortened(found.class_names[found.target], 14)}"
    )
    bar.outline.set_visible(False)
    size = min(look.type_size, 0.55 * 72 * 0.75 * side / (2 * reach + 1))
    for (row, column), class_ in np.ndenumerate(shifts.predicted):
        name = found.class_names[class_]
        if class_ != found.target and len(name) <= _WRITTEN:
            dark = values[row, column] > 0.5
            axes.text(column - reach, row - reach, name, ha="center", va="center", fontsize=size,
                      color="#101418" if dark else "#ffffff", parse_math=False)  # fmt: skip
    return figure


def _grey(image: Array) -> Array:
    grey: Array = image.mean(axis=2)
    return grey


def _show(
    axes: Axes, values: Array, look: Look, limits: tuple[float, float] | None = None, *, equal: bool = True
) -> None:
    """Show numbers as colours; NaN is the background."""
    colours = colormaps[COLOURS].with_extremes(bad=look.ground)
    bounds: Sequence[Any] = limits or (None, None)
    axes.imshow(values, cmap=colours, vmin=bounds[0], vmax=bounds[1], interpolation="nearest")
    axes.set_aspect("equal" if equal else "auto")
    axes.set_xticks([])
    axes.set_yticks([])
    axes.grid(visible=False)
    axes.spines[:].set_visible(False)


def _title(axes: Axes, text: str, look: Look) -> None:
    axes.set_title(text, loc="left", fontsize=look.type_size * 0.85, fontweight="normal", pad=3)
