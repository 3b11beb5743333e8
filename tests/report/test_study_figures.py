"""Figures of any study: what they show equals the trials, and nothing needs colour to be told apart."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from matplotlib import colormaps
from matplotlib.colors import to_rgb

from convlens.figures import Look, contrasts, curves, learning, levels, seeds, study_pictures
from convlens.figures.curves import panelled
from convlens.figures.lines import MOST
from convlens.figures.maps import COLOURS
from convlens.studies.assessment.evidence import assess
from convlens.studies.results.result import StudyResult

from .catalogue import of, result, study


def drawn(picture: Any, look: Look | None = None) -> Any:
    with (look or Look()).applied():
        return picture.draw(look or Look())


def lightness(colour: str) -> float:
    """Return CIE L*, 0 to 100: how light a colour is in grey print."""
    linear = [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in to_rgb(colour)]
    return float(116 * (0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]) ** (1 / 3) - 16)


@pytest.mark.parametrize("dark", [False, True])
def test_series_can_be_told_apart_without_colour(dark: bool) -> None:
    series = Look(dark=dark).series
    assert len({one.marker for one in series}) == len({one.line for one in series}) == len(series) == MOST
    assert all(abs(lightness(a.colour) - lightness(b.colour)) >= 4 for a, b in pairwise(series))


def test_colours_of_maps_are_uniform_in_grey_print() -> None:
    light = np.array([lightness(one[:3]) for one in colormaps[COLOURS](np.linspace(0, 1, 64))])
    assert (np.diff(light) > 0).all()
    assert np.diff(light).max() < 2.5 * np.diff(light).mean()


def dots(axes: Any) -> list[float]:
    """Return where every seed's dot is: marks that are hollow."""
    hollow = [line for line in axes.lines if line.get_linestyle() == "None" and line.get_marker() in "os^DvP"]
    return sorted(float(x) for line in hollow for x in line.get_xdata() if line.get_markerfacecolor() == "#ffffff")


def test_contrasts_show_the_paired_differences_of_every_seed_with_interval_and_margin() -> None:
    found = result("kernel-size")
    picture = contrasts.picture(found, only=[found.evidence.primary.estimand.name])
    axes = drawn(picture).axes[0]
    metrics = {(trial.arm, trial.seed): trial.metrics["test.accuracy"] for trial in found.trials}
    estimand = found.evidence.primary.estimand
    differences = [
        100 * (metrics[estimand.arm, seed] - metrics[estimand.reference, seed]) for seed in found.evidence.profile.seeds
    ]
    assert dots(axes) == pytest.approx(sorted(differences))
    (bar,) = axes.containers
    ends = bar.lines[2][0].get_segments()[0][:, 0]
    adjusted = found.evidence.primary.adjusted
    assert adjusted is not None
    assert ends == pytest.approx([100 * adjusted.low, 100 * adjusted.high])
    shaded = axes.collections[0].get_paths()[0].vertices[:, 0]
    margin = estimand.margin
    assert margin is not None
    assert (shaded.min(), shaded.max()) == pytest.approx((-100 * margin, 100 * margin))
    assert axes.texts[0].get_text() == estimand.name


def test_differences_of_another_size_have_an_axis_of_their_own() -> None:
    small = result("kernel-size")
    arm = small.evidence.primary.estimand.reference

    def worse(trial: Any) -> Any:
        if trial.arm != arm:
            return trial
        return replace(trial, metrics={**trial.metrics, "test.accuracy": trial.metrics["test.accuracy"] - 0.3})

    trials = [worse(trial) for trial in small.trials]
    evidence = assess(small.evidence.declared, trials, small.evidence.profile)
    panels = drawn(contrasts.picture(replace(small, evidence=evidence, trials=trials))).axes
    titles = [axes.get_title(loc="left") for axes in panels]
    assert titles.count("test accuracy: difference, points") == 2
    reach = sorted(max(map(abs, dots(axes))) for axes, title in zip(panels, titles, strict=True) if "test" in title)
    assert reach[1] > 6 * reach[0]


@pytest.mark.parametrize("name", ["boundary", "not-for-convolution"])
def test_every_arm_is_shown_once_with_every_seed(name: str) -> None:
    found = result(name)
    axes = drawn(seeds.picture(found)).axes
    named = [text.get_text().replace("\n", " ") for one in axes for text in one.texts if text.get_ha() == "left"]
    assert sorted(named) == sorted(arm.arm.described for arm in found.arms)
    assert sum(len(dots(one)) for one in axes) == sum(len(arm.trials) for arm in found.arms)


def test_levels_are_lines_over_a_logarithmic_axis_with_every_seed() -> None:
    found = result("sample-efficiency")
    picture = levels.picture(found)
    (axes,) = drawn(picture).axes
    assert axes.get_xscale() == "log"
    assert axes.get_yscale() == "log"  # of errors from 60 % to 1 %
    line = next(one for one in axes.lines if len(one.get_xdata()) == 7)
    arms = [arm for arm in found.arms if arm.arm.series == "CNN"]
    assert list(line.get_xdata()) == [arm.arm.level for arm in arms]
    means = [100 - 100 * np.mean([t.metrics["test.accuracy"] for t in arm.trials]) for arm in arms]
    assert line.get_ydata() == pytest.approx(means)
    assert levels.picture(result("kernel-size")) is None


def test_curves_with_one_axis_are_lines_and_those_with_two_are_maps_of_one_scale() -> None:
    found = result("translation")
    pictures = {one.name: one for one in curves.pictures(found)}
    assert len(pictures) == len(study("translation").curves) == 4
    figure = drawn(pictures["curve-shift-accuracy-map-translation"])
    images = [axes.images[0] for axes in figure.axes if axes.images]
    assert len(images) == len(found.arms)
    assert len({image.get_clim() for image in images}) == 1
    expected = 100 * np.mean([trial.curves["shift.accuracy_map"] for trial in found.arms[0].trials], axis=0)
    assert np.asarray(images[0].get_array()) == pytest.approx(expected)
    figure = drawn(pictures["curve-shift-accuracy-by-distance-translation"])
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["", "trained shifted", "fashion-mnist"]
    assert all(len({line.get_color() for line in axes.lines}) <= MOST for axes in figure.axes)


def test_names_on_an_axis_are_categories() -> None:
    found = result("hierarchy")
    picture = next(one for one in curves.pictures(found) if "probe" in one.name)
    (axes,) = drawn(picture).axes
    assert [label.get_text() for label in axes.get_xticklabels()] == ["image", "block 1", "block 2", "dense"]


def test_many_arms_are_divided_by_what_differs_and_keep_their_style() -> None:
    assert list(panelled(["a", "b"])) == [""]
    groups = panelled(["a", "b", "c", "d", "a, shifted", "c, shifted", "d, far"])
    assert {title: [arm for arm, _, _ in arms] for title, arms in groups.items()} == {
        "": ["a", "b", "c", "d"], "shifted": ["a, shifted", "c, shifted"], "far": ["d, far"]
    }  # fmt: skip
    assert {name: style for arms in groups.values() for _, name, style in arms} == {"a": 0, "b": 1, "c": 2, "d": 3}
    many = panelled([f"arm {n}" for n in range(14)])
    assert [len(arms) for arms in many.values()] == [6, 6, 2]


def test_epochs_of_a_thinned_history_stay_where_they_are() -> None:
    found = result("kernel-size")
    trials = [replace(trial, history=trial.history[::-1][::2][::-1]) for trial in found.trials]
    axes = drawn(learning.picture(replace(found, trials=trials))).axes
    long = next(one for one in axes if "long" in one.get_title(loc="left"))
    assert list(long.lines[-1].get_xdata()) == list(range(2, 41, 2))


def test_a_study_of_measurements_has_no_learning_curves() -> None:
    assert learning.picture(result("translation")) is None
    trained = drawn(learning.picture(result("boundary"))).axes
    titles = {axes.get_title(loc="left") for axes in trained if axes.get_visible()}
    assert titles == {"zeros", "reflect", "valid", "full"}


def test_one_seed_has_dots_alone() -> None:
    found = result("kernel-size", seeds=1)
    for picture in study_pictures(found):
        figure = drawn(picture)
        assert not any(axes.containers for axes in figure.axes)
    assert "the one seed" in study_pictures(found)[0].caption


def test_a_fraction_may_be_more_than_one() -> None:
    found: StudyResult = of(study("equivariance"), result("equivariance").evidence.profile)
    metric = found.evidence.primary.estimand.metric
    trials = [replace(one, metrics={**one.metrics, metric: 1.5}) if metric in one.metrics else one
              for one in found.trials]  # fmt: skip
    evidence = assess(found.evidence.declared, trials, found.evidence.profile)
    axes = drawn(seeds.picture(replace(found, evidence=evidence, trials=trials))).axes[0]
    assert axes.get_xlim()[0] < min(dots(axes)) <= max(dots(axes)) < axes.get_xlim()[1]
