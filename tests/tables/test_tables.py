"""Tables made from a seed: the same bits everywhere, and labels that say what they claim."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import pytest

from convlens import tables
from convlens.errors import ConfigurationError, DataError
from convlens.tables.series import FREQUENCIES
from convlens.tables.table import Table

CONTENT = {  # recorded; another processor, or another version of NumPy, must give the same
    "graphs": "e5fc0f502680926a409613080074e9c29901d8dc0c25bf35b1a93081bd6b4f1a",
    "position": "c809bf5a543f753ad953b1b8c5cc74c71185a19b2e893206018c410dfa60d231",
    "series": "2df9b81ed5998f719a7c531d57b442ea25a6557ddd93f6b51e6c0426c8461c0a",
}


@pytest.mark.parametrize("name", CONTENT)
def test_made_tables_have_the_recorded_bits_and_balanced_classes(name: str) -> None:
    found = tables.load(name)
    assert found.sha256 == tables.source(name).sha256 == CONTENT[name]
    assert np.ptp(np.bincount(found.labels)) == 0
    assert tables.source(name, {"seed": 1}).sha256 != found.sha256


@pytest.mark.parametrize("name", tables.BUNDLED)
def test_bundled_tables_are_those_pinned(name: str) -> None:
    pytest.importorskip("sklearn")
    found = tables.load(name)
    assert found.sha256 == tables.source(name).sha256
    assert found.rows.shape[1] == found.rows.shape[3] == 1


def test_the_label_of_a_position_is_the_quadrant_of_the_brightest_square_and_nothing_else_tells_it() -> None:
    found = tables.load("position", {"margin": 3})
    images = found.rows[..., 0]
    for image, label in zip(images[:100], found.labels, strict=False):
        sums = {
            (row, column): image[row : row + 3, column : column + 3].sum() for row in range(12) for column in range(12)
        }
        row, column = max(sums, key=sums.__getitem__)
        assert 3 <= row <= 8
        assert 3 <= column <= 8  # three pixels from every edge
        assert label == 2 * (row + 1 >= 7) + (column + 1 >= 7)
    brightness = [images[found.labels == label].mean() for label in range(4)]
    assert np.ptp(brightness) < 0.1


def test_the_periodogram_of_a_series_is_that_of_a_plain_loop_and_peaks_in_its_band() -> None:
    found = tables.load("series", {"count": 40})
    values, gaps = found.rows[:, 0, :, 0], found.rows[:, 0, :, 1]
    assert found.features is not None
    peaks = np.array(FREQUENCIES)[found.features.argmax(axis=1)]
    assert ((peaks >= 80) == (found.labels == 1)).mean() > 0.75
    for series, gap, powers in zip(values, gaps, found.features, strict=True):
        times, wanted = np.cumsum(gap), []
        for frequency in FREQUENCIES:
            wave = np.exp(2j * np.pi * frequency / 1000 * times)
            wanted.append(abs((series * wave).sum()) ** 2 / 32)
        np.testing.assert_allclose(powers, wanted, rtol=1e-9, atol=1e-12)


def test_regular_series_and_series_without_gaps_are_the_same_waves() -> None:
    whole, values = tables.load("series"), tables.load("series", {"gaps": False})
    np.testing.assert_array_equal(whole.rows[..., :1], values.rows)
    assert np.ptp(whole.rows[..., 1]) > 2
    assert (tables.load("series", {"irregular": False}).rows[..., 1] == 1).all()


def test_features_of_graphs_do_not_depend_on_the_order_of_the_nodes_and_count_closed_walks() -> None:
    ordered, mixed = tables.load("graphs", {"ordered": True}), tables.load("graphs")
    np.testing.assert_array_equal(ordered.features, mixed.features)
    assert (ordered.rows != mixed.rows).any()
    for row, features in zip(mixed.rows[:20, ..., 0], mixed.features, strict=False):  # type: ignore[arg-type]
        assert (row == row.T).all()
        assert not row.diagonal().any()
        spectrum = np.linalg.eigvalsh(row)
        np.testing.assert_array_equal(features[:16], np.sort(row.sum(axis=0)))
        np.testing.assert_allclose(features[16:], [(spectrum**k).sum() for k in (3, 4, 5, 6)], rtol=1e-9, atol=1e-8)


def test_graphs_of_both_classes_have_as_many_edges_and_communities_come_first_where_ordered() -> None:
    found = tables.load("graphs", {"ordered": True, "count": 4_000})
    graphs = found.rows[..., 0]
    plain, divided = (graphs[found.labels == label] for label in (0, 1))
    assert plain.sum() / len(plain) == pytest.approx(96, abs=0.8)
    assert divided.sum() / len(divided) == pytest.approx(96, abs=0.8)
    assert divided[:, :8, 8:].mean() == pytest.approx(0.1725, abs=0.005)


@pytest.mark.parametrize(
    ("name", "settings", "message"),
    [
        ("graph", {}, "unknown table 'graph'; did you mean 'graphs'"),
        ("graphs", {"node": 8}, "unknown key 'node'; did you mean 'nodes'"),
        ("graphs", {"nodes": 7}, "half the nodes is a whole number from 2 to 32, not 3.5"),
        ("graphs", {"ordered": 1}, "ordered is true or false, not 1"),
        ("position", {"margin": 9}, "margin is a whole number from 0 to 4, not 9"),
        ("series", {"seed": -1}, "a seed is a whole number"),
        ("wine", {"seed": 1}, "unknown key 'seed'"),
    ],
)
def test_what_is_refused(name: str, settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        tables.source(name, settings)


def test_another_content_than_the_one_planned_is_refused() -> None:
    with pytest.raises(DataError, match=r"the table 'graphs' has SHA-256 .* was expected"):
        tables.load("graphs", {"seed": 3}, "0" * 64)


def test_a_table_has_finite_numbers_and_features_only_where_it_says() -> None:
    rows, labels = np.zeros((4, 1, 3, 1)), np.arange(4) % 2
    with pytest.raises(ConfigurationError, match="no features of its own"):
        Table(rows, labels, ("a", "b")).view("features")
    with pytest.raises(DataError, match="finite"):
        Table(rows + np.nan, labels, ("a", "b"))
    with pytest.raises(DataError, match="N labels"):
        Table(rows, labels[:3], ("a", "b"))


def test_without_scikit_learn_one_line_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sklearn", None)
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    with pytest.raises(ConfigurationError, match=r"needs scikit-learn .* pip install 'convlens\[studies\]'"):
        tables.load("wine")
    assert len(tables.source("wine").sha256) == 64  # described without it
