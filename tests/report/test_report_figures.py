"""The figures: every seed shown, the same bytes twice, colours with enough contrast, nothing global touched."""

from __future__ import annotations

import re
import sys
from dataclasses import replace
from pathlib import Path

import matplotlib as mpl

from convlens.figures import Look, bars, pictures, png, study_pictures
from convlens.figures.rows import Panel, Row, draw_rows
from convlens.report import pages
from convlens.studies.assessment.evidence import assess
from convlens.studies.statistics.stats import mean_interval

from .reproductions import make, study


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(a: str, b: str) -> float:
    low, high = sorted((luminance(a), luminance(b)))
    return (high + 0.05) / (low + 0.05)


def test_colours_have_enough_contrast() -> None:
    css = (Path(pages.__file__).parent / "templates" / "report.css").read_text()
    light, dark = (dict(re.findall(r"--([\w-]+): (#\w{6})", part)) for part in css.split("prefers-color-scheme", 1))
    for colours in (light, dark):
        for ink in ("ink", "muted", "link"):
            assert contrast(colours[ink], colours["ground"]) >= 4.5
        for verdict in ("good", "bad", "open"):
            assert contrast(colours[verdict], colours[f"{verdict}-ground"]) >= 4.5
    for look in (Look(), Look(dark=True)):
        assert contrast(look.muted, look.ground) >= 4.5
        assert all(contrast(series.colour, look.ground) >= 3 for series in look.series)  # marks, not text


def test_figures_have_the_same_bytes_twice_and_no_date() -> None:
    picture = next(one for one in pictures(make()) if one.name == "kernel-size")
    assert picture.draw is not None
    rendered = []
    for _ in range(2):
        with Look(narrow=True).applied():
            rendered.append(png(picture.draw(Look(narrow=True))))
    assert rendered[0] == rendered[1]
    assert not any(kind in rendered[0] for kind in (b"tEXt", b"iTXt", b"tIME"))


def test_kernel_figure_shows_every_seed_and_interval() -> None:
    made = make()
    picture = next(one for one in pictures(made) if one.name == "kernel-size")
    assert picture.draw is not None
    figure = picture.draw(Look())
    dots = [float(y) for line in figure.axes[0].lines if line.get_linestyle() == "None" for y in line.get_ydata()]
    shown = [arm for arm in made.studies["kernel-size"].arms if "few images" not in arm.name]
    for arm in shown:
        for value in arm.values("test.accuracy").values():
            assert any(abs(dot - 100 * value) < 1e-9 for dot in dots), arm.name
    assert len(figure.axes[0].containers) == len(shown)  # an error bar for every arm
    assert not pictures(make((0,)))[2].draw(Look()).axes[0].containers  # type: ignore[misc]  # one seed: none


def test_matplotlib_is_left_as_it_was(tmp_path: Path) -> None:
    before = mpl.rcParams.copy()  # looking at its items would load pyplot
    with Look(dark=True).applied():
        pictures(make())[0].draw(Look(dark=True))  # type: ignore[misc]
    assert mpl.rcParams.copy() == before
    assert "matplotlib.pyplot" not in sys.modules


def test_a_huge_interval_is_clipped_and_marked() -> None:
    values = [97.1, 98.3]
    huge = mean_interval([0.971, 0.983])  # of two seeds: 90.1 to 105.3 %
    within = bars.limits(values, [huge], 100, "fraction")
    assert within[0] == 97.1 - 2 * (98.3 - 97.1)
    assert within[1] == 100
    assert bars.clipped([huge], within, 100)
    near = mean_interval([1.0, 1.1, 2.0])
    assert bars.limits([1.0, 2.0], [near], 1, "s") == (near.low, near.high)
    panel = Panel("", "fraction", (Row("one", (0.971, 0.983), huge),), 100)
    assert panel.clipped
    assert panel.limits == within
    (axes,) = draw_rows([panel], Look()).axes
    assert within[0] - 1 < axes.get_xlim()[0] < within[0]
    assert 100 < axes.get_xlim()[1] < 101
    arrows = [line.get_marker() for line in axes.lines if list(line.get_xdata()) in ([100.0], [within[0]])]
    assert {"<", ">"} <= set(arrows)
    wide = replace(make((0, 1)).studies["kernel-size"])
    values = iter([0.5, 0.9])
    trials = [
        replace(t, metrics={**t.metrics, "test.accuracy": next(values)}) if t.arm == "3x3" else t for t in wide.trials
    ]
    evidence = assess(study("kernel-size"), trials, wide.evidence.profile)
    assert bars.CLIPPED.strip() in study_pictures(replace(wide, evidence=evidence, trials=trials))[-2].caption
