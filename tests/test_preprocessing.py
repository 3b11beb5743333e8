from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

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
        ((2, 1, 3, 4), "channels come last"),
        ((2, 2, 3, 4, 1), "reshape them"),
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


@pytest.mark.parametrize("dtype", ["i8", ">i4", "u2", "u8", object])
@pytest.mark.parametrize("form", [lambda x: x, lambda x: x[..., 0], lambda x: x.tolist(), list])
def test_whole_numbers_of_any_type_are_pixels(dtype: object, form: Callable[[np.ndarray], object]) -> None:
    found = GREY.as_batch(form(PIXELS.astype(dtype)))
    assert found.dtype == np.uint8
    np.testing.assert_array_equal(found, PIXELS)
    np.testing.assert_array_equal(GREY(found), GREY(PIXELS))


def test_true_is_white() -> None:
    for dtype in (bool, object):
        np.testing.assert_array_equal(GREY.as_batch((PIXELS > 99).astype(bool).astype(dtype)), (PIXELS > 99) * 255)


def test_uint8_and_floats_are_not_copied() -> None:
    for given in (PIXELS, PIXELS / 256):
        assert np.shares_memory(GREY.as_batch(given), given)
    assert GREY.as_batch((PIXELS / 256).astype(object)).dtype == np.float64


def test_an_empty_list_is_no_images() -> None:
    assert GREY.as_batch([]).shape == (0, 3, 4, 1)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (PIXELS.astype(int) + 26, "images of type int64 hold 26 to 256, and pixels are 0 to 255; scale them"),
        (PIXELS.astype(np.int8) - 1, "images of type int8 hold"),
        (PIXELS.astype(np.uint16) * 257, "hold 0 to 59110"),
        (PIXELS.astype(int) // 120, "hold only 0 and 1, nearly black; give images.astype(bool)"),
        (PIXELS.astype(complex), "or floats, not complex128"),
        (PIXELS.astype("M8[s]"), "not datetime64[s]"),
        ([[1, 2], [3]], "all of the same shape, and these are not"),
        ([PIXELS[0], PIXELS[0, 1:]], "all of the same shape, and these are not"),
        (None, "not NoneType"),
        ({"a": 1}, "not dict"),
        ((image for image in PIXELS), "not generator"),
        (np.array([None] * 24).reshape(2, 3, 4, 1), "not objects"),
        ("seven.png", "must be arrays, not a str; for files and pictures of any kind use convlens.Predictor(model)"),
        (["seven.png"], "must be arrays, not a str"),
        (Path("seven.png"), "Path; for files and pictures"),
        (b"PNG", "must be arrays, not a bytes"),
        (Image.new("P", (4, 3)), "not a Pillow image of mode P"),
        ([Image.new("HSV", (4, 3))], "not a Pillow image of mode HSV"),
    ],
)
def test_what_is_no_image(given: object, message: str) -> None:
    with pytest.raises(DataError) as caught:
        GREY.as_batch(given)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_pillow_images_whose_numbers_are_pixels() -> None:
    pictures = [Image.fromarray(image[..., 0]) for image in PIXELS]
    np.testing.assert_array_equal(GREY.as_batch(pictures), PIXELS)
    np.testing.assert_array_equal(GREY.as_batch(pictures[1]), PIXELS[1:])
    np.testing.assert_array_equal(GREY.as_batch(pictures[1].convert("1", dither=0)), (PIXELS[1:] > 127) * 255)


class Tensor:
    """As one of another library: NumPy may ask for its values, and may be refused."""

    def __init__(self, error: type[Exception] | None = None) -> None:
        self.error = error

    def __array__(self, dtype: object = None, copy: object = None) -> np.ndarray:
        if self.error:
            raise self.error("can't convert cuda:0 device type tensor to numpy\nsee the manual")
        return PIXELS


def test_tensors_of_other_libraries() -> None:
    np.testing.assert_array_equal(GREY.as_batch(Tensor()), PIXELS)
    for error in (TypeError, RuntimeError):
        with pytest.raises(DataError, match=r"\(can't convert cuda:0 device type tensor to numpy\)"):
            GREY.as_batch(Tensor(error))


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
        ({"input_shape": [3, 4]}, "an input shape is (height, width, channels), each above 0"),
        ({"input_shape": [3, 4, 0]}, "an input shape is (height, width, channels), each above 0"),
        ({"input_shape": [3, 4, True]}, "an input shape is (height, width, channels), each above 0"),
        ({"input_shape": "341"}, "an input shape is (height, width, channels), each above 0"),
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
