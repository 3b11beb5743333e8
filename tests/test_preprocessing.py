from __future__ import annotations

import json

import numpy as np
import pytest

from convlens.errors import ConfigurationError, DataError, ShapeError
from convlens.preprocessing import Preprocessing

GREY = Preprocessing((3, 4, 1))
PIXELS = np.arange(24, dtype=np.uint8).reshape(2, 3, 4, 1) * 10


def test_formula() -> None:
    prepared = Preprocessing((3, 4, 1), scale=0.5, mean=2.0, deviation=4.0)(PIXELS)
    np.testing.assert_allclose(prepared, (PIXELS * 0.5 - 2.0) / 4.0, rtol=1e-6)


def test_default_gives_float32_from_0_to_1() -> None:
    prepared = GREY(np.array([0, 255] * 6, dtype=np.uint8).reshape(3, 4))
    assert prepared.dtype == np.float32
    assert prepared.flags.c_contiguous
    assert (prepared.min(), prepared.max()) == (0.0, 1.0)


@pytest.mark.parametrize(
    ("given", "count"),
    [
        (PIXELS, 2),
        (PIXELS[..., 0], 2),
        (PIXELS[0], 1),
        (PIXELS[0, ..., 0], 1),
        (PIXELS[:0], 0),
        (PIXELS[:0, ..., 0], 0),
    ],
)
def test_shapes_taken(given: np.ndarray, count: int) -> None:
    prepared = GREY(given)
    assert prepared.shape == (count, 3, 4, 1)
    np.testing.assert_array_equal(prepared, GREY(PIXELS)[:count])


def test_a_strided_view_gives_the_same() -> None:
    transposed = np.ascontiguousarray(PIXELS.transpose(0, 2, 1, 3)).transpose(0, 2, 1, 3)
    np.testing.assert_array_equal(GREY(transposed), GREY(PIXELS))
    assert GREY(transposed).flags.c_contiguous


def test_out_is_filled_and_returned() -> None:
    out = np.full((2, 3, 4, 1), np.nan, dtype=np.float32)
    assert GREY(PIXELS, out=out) is out
    np.testing.assert_array_equal(out, GREY(PIXELS))


@pytest.mark.parametrize(
    "out",
    [
        np.empty((1, 3, 4, 1), np.float32),
        np.empty((2, 3, 4, 1), np.float64),
        np.empty((2, 4, 3, 1), np.float32).transpose(0, 2, 1, 3),
    ],
    ids=["shape", "type", "order"],
)
def test_out_refused(out: np.ndarray) -> None:
    with pytest.raises(ShapeError, match=r"C-contiguous float32 of shape \(2, 3, 4, 1\)"):
        GREY(PIXELS, out=out)


@pytest.mark.parametrize(
    ("shape", "advice"),
    [
        ((2, 5, 4, 1), r"input_shape=\(5, 4, 1\)"),
        ((2, 5, 4), r"input_shape=\(5, 4, 1\)"),
        ((4, 3), r"input_shape=\(4, 3, 1\)"),
        ((3, 4, 3), r"input_shape=\(3, 4, 3\)"),
        ((2, 12), r"reshape them to \(N, 3, 4, 1\)"),
        ((12,), "reshape them"),
        ((), "reshape them"),
    ],
)
def test_other_shapes_are_refused_with_advice(shape: tuple[int, ...], advice: str) -> None:
    with pytest.raises(ShapeError, match=rf"expected images of shape \(3, 4, 1\).*{advice}"):
        GREY(np.zeros(shape, dtype=np.uint8))


def test_colour_needs_its_channels() -> None:
    colour = Preprocessing((3, 4, 3))
    assert colour(np.zeros((5, 3, 4, 3), dtype=np.uint8)).shape == (5, 3, 4, 3)
    with pytest.raises(ShapeError):
        colour(PIXELS[..., 0])


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_floats_are_the_input_as_they_are(dtype: type) -> None:
    prepared = Preprocessing((3, 4, 1), mean=0.5)((PIXELS / 256).astype(dtype)[..., 0])
    assert prepared.dtype == np.float32
    np.testing.assert_array_equal(prepared, PIXELS / 256)


def test_whole_numbers_of_another_type_are_refused() -> None:
    with pytest.raises(DataError, match="must be uint8, 0 to 255, or floats, not int64"):
        GREY(PIXELS.astype(np.int64))


def test_round_trip_as_json() -> None:
    original = Preprocessing((3, 4, 1), scale=0.25, mean=0.1307, deviation=0.3081)
    again = Preprocessing.from_dict(json.loads(json.dumps(original.to_dict())))
    assert again == original
    assert hash(again) == hash(original)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"input_shape": [3, 4, 1], "scal": 1}, "unknown key 'scal'; did you mean 'scale'?"),
        ({"scale": 1}, "preprocessing lacks 'input_shape'"),
        ({"input_shape": [3, 4]}, "must be (height, width, channels)"),
        ({"input_shape": [3, 4, 0]}, "must be (height, width, channels)"),
        ({"input_shape": [3, 4, True]}, "must be (height, width, channels)"),
        ({"input_shape": "341"}, "must be (height, width, channels)"),
        ({"input_shape": [3, 4, 1], "mean": float("nan")}, "mean must be a finite number"),
        ({"input_shape": [3, 4, 1], "scale": "1"}, "scale must be a finite number, not '1'"),
        ({"input_shape": [3, 4, 1], "deviation": 0}, "deviation must be greater than 0"),
        ({"input_shape": [3, 4, 1], "scale": -1}, "scale must be greater than 0"),
        ({"input_shape": [3, 4, 1], "deviation": 1e-300}, "overflow float32"),
        ([1, 2], "expected settings by name (input_shape, scale, mean, deviation)"),
    ],
)
def test_settings_refused(settings: dict[str, object], said: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        Preprocessing.from_dict(settings)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)
