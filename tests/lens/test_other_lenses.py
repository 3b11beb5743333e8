"""Selectivity, position, shuffled pixels, images always wrong; and how results show themselves."""

from __future__ import annotations

import doctest
import importlib
import json
import pkgutil

import numpy as np
import pytest

from convlens import lens, models
from convlens.errors import ConfigurationError, DataError
from convlens.lens.position import readout, solve
from convlens.lens.shift import grid
from convlens.nn import Conv2D, Dense, Flatten, ReLU
from tests.lens.networks import pixels, pooled, small


def test_selectivity_against_loops() -> None:
    draw = np.random.default_rng(0)
    maps, labels = draw.random((30, 3, 4, 5)), draw.integers(0, 4, 30)
    maps[..., 2] = 0
    maps[..., 3] *= (labels == 1)[:, None, None]
    found = lens.class_selectivity(maps, labels)
    for unit in range(5):
        means = [np.mean([maps[n, :, :, unit].mean() for n in range(30) if labels[n] == k]) for k in range(4)]
        largest, rest = max(means), np.mean(sorted(means)[:3])
        assert found.index[unit] == pytest.approx((largest - rest) / (largest + rest) if largest else 0)
        assert unit == 2 or found.preferred[unit] == int(np.argmax(means))
    assert (found.index[3], found.active.tolist()) == (1, [True, True, False, True, True])
    assert found.dead == pytest.approx(0.2)
    assert found.mean == pytest.approx(found.index[[0, 1, 3, 4]].mean())


def test_selectivity_refuses_what_has_none() -> None:
    with pytest.raises(DataError, match="below 0"):
        lens.class_selectivity(np.array([[-1.0], [1.0]]), [0, 1])
    with pytest.raises(DataError, match="two or more"):
        lens.class_selectivity(np.ones((2, 1)), [1, 1])
    with pytest.raises(DataError, match="one label each"):
        lens.class_selectivity(np.ones((2, 1)), [1, 1, 0])


def test_always_wrong_against_loops() -> None:
    draw = np.random.default_rng(1)
    labels, predictions = draw.integers(0, 3, 200), draw.integers(0, 3, (4, 200))
    found = lens.always_wrong(predictions, labels)
    wanted = [n for n in range(200) if all(predictions[seed, n] != labels[n] for seed in range(4))]
    assert found.index.tolist() == wanted
    assert wanted
    for place, n in enumerate(wanted):
        assert found.labels[place] == labels[n]
        assert found.taken_for[place].tolist() == predictions[:, n].tolist()
        counts = [list(predictions[:, n]).count(k) for k in range(3)]
        assert found.usual[place] == counts.index(max(counts))
    for wrong in ([], [labels[:3]]):
        with pytest.raises(DataError, match="one seed or more"):
            lens.always_wrong(wrong, labels)


def test_the_readout_is_ridge_regression() -> None:
    draw = np.random.default_rng(2)
    x, x_test = draw.standard_normal((2, 80, 6)) * [1, 5, 0.1, 2, 3, 1] + 4
    x[:, 3] = x_test[:, 3] = 2.5
    y, y_test = (one @ [1, 2, 3, 0, -1, 0.5] + 0.3 * draw.standard_normal(80) for one in (x, x_test))
    varying = [0, 1, 2, 4, 5]
    z, z_test = ((one[:, varying] - x[:, varying].mean(axis=0)) / x[:, varying].std(axis=0) for one in (x, x_test))
    augmented = np.concatenate([z, np.sqrt(1e-3 * 80) * np.eye(5)])
    weights = np.linalg.lstsq(augmented, np.concatenate([y - y.mean(), np.zeros(5)]))[0]
    apart = y_test - (z_test @ weights + y.mean())
    wanted = 1 - (apart**2).sum() / ((y_test - y_test.mean()) ** 2).sum()
    assert readout(x, y, x_test, y_test) == pytest.approx(wanted, abs=1e-9)
    assert wanted > 0.9
    assert readout(x, y, x_test, np.ones(80)) == 0


def test_solve() -> None:
    draw = np.random.default_rng(3)
    root, b = draw.standard_normal((9, 9)), draw.standard_normal(9)
    a = root @ root.T + np.eye(9)
    np.testing.assert_allclose(solve(a, b), np.linalg.solve(a, b), rtol=1e-9)


def test_without_padding_a_blank_image_has_no_positions() -> None:
    found = {
        padding: lens.position_information(
            pooled(Conv2D(8, padding=padding), ReLU(), Conv2D(8, padding=padding)), "conv2"
        )
        for padding in ("valid", "same", "full")
    }
    assert abs(found["valid"].blank) < 1e-12
    assert abs(found["valid"].noise) < 0.05
    assert found["same"].blank > 0.1
    assert found["full"].blank > 0.1
    assert found["full"].noise > 0.1


def test_a_map_that_holds_its_positions_is_read_exactly() -> None:
    """Weights of its own at every position: here biases that are row and column."""
    from convlens.nn import LocallyConnected2D

    model = pooled(LocallyConnected2D(2))
    model.parameters["local1.w"][...] = 0
    row, column = np.meshgrid(np.arange(12), np.arange(12), indexing="ij")
    model.parameters["local1.b"][...] = np.stack([row + column, column], axis=-1)
    found = lens.position_information(model, "local1")
    for value in (found.blank_row, found.blank_column, found.noise_row, found.noise_column):
        assert value > 0.9999
    model.parameters["local1.b"][...] = np.stack([row, row], axis=-1)
    found = lens.position_information(model, "local1")
    assert found.blank_row > 0.9999
    assert abs(found.blank_column) < 0.01
    assert found.noise_row > 0.9999
    assert abs(found.noise_column) < 0.01


def test_position_refuses_what_has_none() -> None:
    with pytest.raises(ConfigurationError, match="without positions"):
        lens.position_information(small(), "dense1")
    with pytest.raises(ConfigurationError, match="from 2 up"):
        lens.position_information(small(), "conv1", images=1)


@pytest.mark.parametrize("shape", [(28, 28, 1), (6, 5, 3)])
def test_a_dense_network_does_not_care_for_order(shape: tuple[int, int, int]) -> None:
    model, images = small(Flatten(), Dense(16), ReLU(), Dense(3), shape=shape), pixels(20, shape)
    before = model.flat.copy()
    permutation = np.random.default_rng(0).permutation(shape[0] * shape[1])
    found = lens.permuted_dense(model, permutation, images)
    assert found.same_predictions
    assert found.difference < 1e-5 < 0.05 < found.unmatched
    np.testing.assert_array_equal(model.flat, before)
    assert lens.permuted_dense(model, np.arange(shape[0] * shape[1]), images).unmatched == 0


def test_the_control_is_for_dense_networks_and_permutations() -> None:
    with pytest.raises(ConfigurationError, match="such as the baseline"):
        lens.permuted_dense(models.build("cnn"), np.arange(784), pixels(1, (28, 28, 1)))
    model = small(Flatten(), Dense(3))
    for wrong in (np.arange(143), np.zeros(144), np.arange(144) + 1):
        with pytest.raises(ConfigurationError, match="0 to 143"):
            lens.permuted_dense(model, wrong, pixels(1))


def test_examples() -> None:
    names = [one.name for one in pkgutil.iter_modules(lens.__path__)]
    results = [doctest.testmod(importlib.import_module(f"convlens.lens.{name}")) for name in names]
    assert [one.failed for one in results] == [0] * len(names)
    assert sum(one.attempted > 0 for one in results) == len(names) - 1  # result.py has none


def test_results_are_plain_data_and_show_themselves() -> None:
    model, images, labels = small(), pixels(12), np.arange(12) % 3
    results: list[lens.Result] = [
        lens.under_shift(model, images, labels, grid(2, 2)),
        lens.equivariance(model, images, (2, 0)),
        lens.equivariance(model, images, (1, 0)).nodes[3],
        lens.receptive_field(model, "pool1", images),
        lens.probes(model, (images, labels), (images, labels), ["conv1"]),
        lens.linear_probe(np.eye(3), [0, 1, 2], np.eye(3), [0, 1, 2]),
        lens.class_selectivity(np.eye(3), [0, 1, 2]),
        lens.position_information(model, "conv1", images=2),
        lens.permuted_dense(small(Flatten(), Dense(3)), np.arange(144), images),
        lens.unit(model, images[:1], "relu1", (3, 4, 0)),
        lens.most_active(model, images, "conv1", 2),
        lens.over_shifts(model, images[0], 2),
        lens.attribution(model, images[:1], "grad-cam"),
        lens.inspect(model, images[0], reach=1),
        lens.always_wrong([labels, (labels + 1) % 3], (labels + 2) % 3),
    ]
    for result in results:
        json.dumps(result.to_dict(), allow_nan=False)
        _title, header, rows = result.table()
        html = result._repr_html_()
        assert html.count("<tr>") == len(rows) + 1
        assert html.count("<td") == len(rows) * len(header)
