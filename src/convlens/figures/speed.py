"""The benchmark as a figure: each engine's rate relative to PyTorch's, with the range over rounds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from .style import Look

LOOK = Look()
_WORKS = {"train": "training", "predict": "prediction"}
_ENGINES = {"convlens-numba": "compiled engine", "convlens-numpy": "NumPy engine"}
_REFERENCE = "better eager PyTorch"


def draw_speed(result: Mapping[str, Any], look: Look) -> Figure | None:
    """Return the figure of a benchmark's result (see `convlens.bench.results`); None if nothing was compared."""
    cells = [cell for cell in result["cells"].values() if any(_ratio(cell, w, e) for w in _WORKS for e in _ENGINES)]
    if not cells:
        return None
    with look.applied():
        return _figure(cells, look)


def _figure(cells: list[Mapping[str, Any]], look: Look) -> Figure:
    figure = look.figure((0.36 * len(cells) + 1.6) * (2 if look.narrow else 1))
    rows, columns = (2, 1) if look.narrow else (1, 2)
    panels = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False).ravel()
    for axes, (work, words) in zip(panels, _WORKS.items(), strict=True):
        _panel(axes, cells, work, look)
        axes.set_title(words)
        axes.set_xlabel("times PyTorch's better eager format")
    panels[0].set_yticks(range(len(cells)), [cell["name"] for cell in cells])
    panels[0].invert_yaxis()
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside upper left", ncols=2)
    return figure


def _panel(axes: Axes, cells: list[Mapping[str, Any]], work: str, look: Look) -> None:
    axes.axvline(1.0, color=look.muted, linewidth=1.2)
    axes.set_xscale("log", base=2)
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    for position, (engine, words) in enumerate(_ENGINES.items()):
        found = [(row, ratio) for row, cell in enumerate(cells) if (ratio := _ratio(cell, work, engine))]
        middle = [ratio["median"] for _, ratio in found]
        spread = [[r["median"] - r["low"] for _, r in found], [r["high"] - r["median"] for _, r in found]]
        series, shift = look.series[position], 0.3 * position - 0.15
        axes.errorbar(
            middle,
            [row + shift for row, _ in found],
            xerr=spread,
            color=series.colour,
            marker=series.marker,
            linestyle="none",
            capsize=3,
            label=words,
        )
    axes.grid(visible=False, axis="y")


def _ratio(cell: Mapping[str, Any], work: str, engine: str) -> Mapping[str, float] | None:
    found: Mapping[str, Any] | None = cell["ratios"][work].get(engine, {}).get(_REFERENCE)
    return None if found is None or "withheld" in found else found
