"""The reliability diagram: accuracy against confidence."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, PercentFormatter

from ..metrics import Calibration, CalibrationBin, wilson_interval
from .style import Look, empty


def draw_reliability(calibration: Calibration, look: Look) -> Figure:
    """Draw accuracy against confidence, bin by bin, above the number of images in each bin.

    The bars are 95 % Wilson intervals: a bin of few images shows little, however far it is from the diagonal.
    """
    figure = look.figure(5.2 if look.narrow else 7.6)
    curve, counts = figure.subplots(2, 1, sharex=True, height_ratios=(2.4, 1))
    filled = [one for one in calibration.bins if one.count]
    images = sum(one.count for one in filled)
    curve.set_title(f"calibration error {calibration.error:.4f}, {images:,} image{'' if images == 1 else 's'}")
    _curve(curve, filled, look)
    _counts(counts, filled, look)
    if not filled:
        empty(curve, "no images", look)
    edges = np.array([0.0, *(one.high for one in calibration.bins)])
    for axes in (curve, counts):
        axes.set_xlim(-0.02, 1.02)
        axes.set_xticks(edges, minor=True)
        axes.xaxis.set_major_formatter(PercentFormatter(1))
    counts.set_xlabel("confidence: probability of the predicted class")
    figure.legend(loc="outside lower center", ncols=2)
    figure.align_ylabels([curve, counts])
    return figure


def _curve(axes: Axes, bins: list[CalibrationBin], look: Look) -> None:
    series = look.series[0]
    axes.plot([0, 1], [0, 1], color=look.muted, linestyle=(0, (4, 3)), linewidth=1.2, label="perfect calibration")
    x, y = np.array([one.confidence for one in bins]), np.array([one.accuracy for one in bins])
    bounds = np.array([wilson_interval(one.right, one.count) for one in bins]).reshape(-1, 2)
    style: dict[str, Any] = {"color": series.colour, "marker": series.marker, "linestyle": "none"}
    below, above = y - bounds[:, 0], bounds[:, 1] - y
    bars = np.maximum([below, above], 0)  # rounding may make them slightly negative
    axes.errorbar(x, y, yerr=bars, capsize=3 if look.narrow else 4, label="measured, 95 % interval", **style)
    axes.set_ylim(-0.03, 1.03)
    axes.yaxis.set_major_formatter(PercentFormatter(1))
    axes.set_ylabel("accuracy")


def _counts(axes: Axes, bins: list[CalibrationBin], look: Look) -> None:
    """Draw the number of images in each bin, on a logarithmic scale: most are in the last."""
    most = max((one.count for one in bins), default=1)
    for one in bins:
        width = one.high - one.low
        axes.bar(one.low, one.count, 0.9 * width, align="edge", color=look.series[0].colour, alpha=0.75, bottom=0)
        middle = one.low + 0.45 * width
        if not look.narrow or len(bins) < 6:
            size = look.type_size * 0.75
            axes.text(middle, one.count * 1.15, f"{one.count:,}", ha="center", va="bottom", fontsize=size)
    axes.set_yscale("log")
    axes.set_ylim(0.6, most * 6)
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}" if value >= 1 else ""))
    axes.minorticks_off()
    axes.set_ylabel("images")
