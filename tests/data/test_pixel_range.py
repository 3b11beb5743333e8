"""The range of a table's pixels: found out, recorded, and used for later tables that cannot tell."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from convlens import data, nn
from convlens.data.pixel_range import PixelRange, find_range, recorded_range
from convlens.data.sources.npz_file import load
from convlens.data.sources.source import Request
from convlens.errors import DataError

DIGITS = np.arange(60 * 64).reshape(60, 8, 8) % 17  # 0 to 16, as scikit-learn's
LABELS = np.arange(60) % 3


def test_a_dim_table_is_read_as_the_training_data_were(tmp_path: Path) -> None:
    bright, dim = tmp_path / "bright.npz", tmp_path / "dim.npz"
    np.savez(bright, images=DIGITS, labels=LABELS)
    np.savez(dim, images=np.minimum(DIGITS, 9), labels=LABELS)
    trained = data.load(bright)
    model = nn.Model([nn.Flatten(), nn.Dense(3)], (8, 8, 1))
    assert recorded_range(model) is None
    model.training = {"data": trained.describe()}
    known = recorded_range(model)
    assert known == recorded_range(trained) == (0, 16)
    with pytest.raises(DataError, match="it is not clear"):
        load(dim, Request())
    found = load(dim, Request(pixel_range=known))
    assert found.whole().images.max() == round(9 * 255 / 16)
    assert found.notes == ("pixels are whole numbers from 0 to 16: stretched to 0 to 255 and rounded",)


def test_what_tells_itself_is_not_overruled() -> None:
    values = np.linspace(0, 1, 30 * 16).reshape(30, 16)
    assert find_range([(values, "x")], known=(0, 16)) == PixelRange(0, 1, whole=False)


@pytest.mark.parametrize("record", [{}, {"pixel_range": [1]}, {"pixel_range": [5, 5]}, {"pixel_range": ["a", "b"]}, 7])
def test_a_record_of_something_else_is_none(record: object) -> None:
    model = nn.Model([nn.Flatten(), nn.Dense(3)], (8, 8, 1))
    model.training = {"data": {"provenance": record}}
    assert recorded_range(model) is None


def test_large_arrays_are_converted_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    from convlens.data import pixel_range

    values = np.random.default_rng(0).random((50, 6))
    whole = PixelRange(0, 1, whole=False).to_pixels(values, "x")
    monkeypatch.setattr(pixel_range, "_BLOCK", 13)
    found = find_range([(values, "x")])
    np.testing.assert_array_equal(found.to_pixels(values, "x"), whole)
    values[31, 4] = 1.5
    with pytest.raises(DataError, match=r"x: number 31 has 1\.5 at \(4,\); expected 0 to 1"):
        found.to_pixels(values, "x")
