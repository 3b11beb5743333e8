"""Pictures of digits made like MNIST's; tested with MNIST's own digits, enlarged."""

from __future__ import annotations

import io
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from convlens.data import Dataset
from convlens.errors import ConfigurationError, DataError
from convlens.pictures import Account, prepare_digit
from convlens.pictures.ink import blobs, find_ink, grown, reduced

SHAPE = (28, 28, 1)
Draw = Callable[[np.ndarray], np.ndarray]


def large(digit: np.ndarray, size: int = 500) -> np.ndarray:
    """Return a digit drawn large and smooth, light on black, as floats."""
    return np.asarray(Image.fromarray(digit).resize((size, size), Image.Resampling.BICUBIC)).astype(float)


def dark(digit: np.ndarray) -> np.ndarray:
    return 255 - large(digit)


def off_centre(digit: np.ndarray) -> np.ndarray:
    page = np.full((400, 600), 255.0)
    page[30:230, 380:580] -= large(digit, 200)
    return page


def crisp(digit: np.ndarray) -> np.ndarray:
    ink = Image.fromarray(np.where(large(digit, 1500) > 127, np.uint8(255), np.uint8(0)))
    return 255 - np.asarray(ink.resize((500, 500), Image.Resampling.BOX)).astype(float)


def lit_paper(digit: np.ndarray) -> np.ndarray:
    down, right = np.mgrid[-1:1:400j, -1:1:400j]
    paper = 190 + 30 * right - 50 * (down**2 + right**2) / 2 + np.random.default_rng(0).normal(0, 5, (400, 400))
    ink = np.zeros((400, 400))
    ink[60:340, 60:340] = large(digit, 280)
    return paper * (1 - 0.7 * ink / 255)


def transparent(digit: np.ndarray, tone: int) -> np.ndarray:
    opacity = large(digit)
    return np.stack([np.full_like(opacity, tone)] * 3 + [opacity], axis=-1)


def red_pen(digit: np.ndarray) -> np.ndarray:
    ink = large(digit)[..., None] / 255
    return 255 * (1 - ink) + ink * np.array([235, 210, 30])


KINDS: dict[str, Draw] = {
    "light on dark": large,
    "dark on light": dark,
    "off centre": off_centre,
    "crisp": crisp,
    "lit paper": lit_paper,
    "black on nothing": lambda digit: transparent(digit, 0),
    "white on nothing": lambda digit: transparent(digit, 255),
    "yellow pen": red_pen,
}


def picture(values: np.ndarray) -> np.ndarray:
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)


def file_of(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


@pytest.fixture(scope="module")
def digits(loaded_digits: Dataset) -> np.ndarray:
    return loaded_digits.test.images[:12, ..., 0]


def test_mnist_itself_comes_back_as_it_is(loaded_digits: Dataset) -> None:
    images = loaded_digits.test.images
    for image in images[::7]:
        prepared, account = prepare_digit(image, SHAPE)
        assert prepared.tobytes() == image.tobytes()
        assert account == Account()
    colours, _ = prepare_digit(images[0], (28, 28, 3))
    np.testing.assert_array_equal(colours, np.repeat(images[0], 3, axis=2))
    coded, account = prepare_digit(file_of(Image.fromarray(images[0, ..., 0])), SHAPE)
    assert (coded.tobytes(), str(account)) == (images[0].tobytes(), "taken as it is")


@pytest.mark.parametrize("kind", KINDS)
def test_a_foreign_digit_becomes_mnists(digits: np.ndarray, kind: str) -> None:
    doubted = 0
    for digit in digits:
        prepared, account = prepare_digit(picture(KINDS[kind](digit)), SHAPE)
        assert prepared.shape == SHAPE
        assert prepared.dtype == np.uint8
        got, wanted = prepared[..., 0].astype(float), digit.astype(float)
        # a centre of mass between two pixels may be rounded to either
        moved = [np.roll(got, (down, right), (0, 1)) for down in (-1, 0, 1) for right in (-1, 0, 1)]
        likeness = max((one * wanted).sum() for one in moved) / np.sqrt((got**2).sum() * (wanted**2).sum())
        assert likeness > 0.92, account
        assert abs(got.sum() / wanted.sum() - 1) < 0.25, account
        doubted += bool(account.warnings)
    assert doubted <= 1  # one of these, a 5, has its bar apart


def test_what_was_done_is_said(digits: np.ndarray) -> None:
    _, account = prepare_digit(picture(off_centre(digits[0])), SHAPE)
    assert account.done[0] == "inverted (dark ink on light paper)"
    assert account.done[1].startswith("cropped 600x400 to ")
    assert account.done[2].startswith("scaled to ")
    assert account.done[2].endswith("x20")
    assert account.done[3].startswith("centred by mass, shifted (")
    assert account.changed
    assert account.to_dict() == {"done": list(account.done), "warnings": []}
    _, account = prepare_digit(picture(transparent(digits[0], 255)), SHAPE)
    assert account.done[0] == "laid on black (it is transparent)"
    _, account = prepare_digit(picture(lit_paper(digits[0])), SHAPE)
    assert account.done[1].startswith("levelled its paper (brightness varied by ")


def test_the_centre_of_mass_is_where_mnists_is(digits: np.ndarray) -> None:
    for digit in digits:
        image = prepare_digit(picture(off_centre(digit)), SHAPE)[0][..., 0].astype(float)
        for axis in (0, 1):
            assert 13.4 <= image.sum(axis=1 - axis) @ np.arange(28) / image.sum() <= 14.6
        rows = np.flatnonzero(image.max(axis=1) > 0)
        columns = np.flatnonzero(image.max(axis=0) > 0)
        assert max(np.ptp(rows), np.ptp(columns)) + 1 in {19, 20}


def test_a_picture_is_turned_upright(digits: np.ndarray) -> None:
    page = Image.fromarray(picture(dark(digits[0])))
    exif = Image.Exif()
    exif[0x0112] = 6
    lying = page.transpose(Image.Transpose.ROTATE_90)
    turned, account = prepare_digit(file_of(lying, exif=exif), SHAPE)
    assert account.done[0] == "turned upright as the camera noted"
    np.testing.assert_array_equal(turned, prepare_digit(file_of(page), SHAPE)[0])


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
def test_every_kind_of_image(digits: np.ndarray, mode: str, tmp_path: Path) -> None:
    page = Image.fromarray(picture(dark(digits[0])))
    deep = Image.fromarray(np.asarray(page).astype(np.uint16) * 257)
    page = deep if mode == "I;16" else page.convert(mode)
    path = tmp_path / "seven.png"
    page.save(path)
    got = prepare_digit(path, SHAPE)[0].astype(float)
    assert np.abs(got - prepare_digit(picture(dark(digits[0])), SHAPE)[0]).mean() < 6


@pytest.mark.parametrize("shape", [(28, 28, 3), (14, 14, 1), (32, 40, 1), (56, 56, 1)])
def test_models_of_other_sizes(digits: np.ndarray, shape: tuple[int, int, int]) -> None:
    image, account = prepare_digit(picture(dark(digits[0])), shape)
    assert image.shape == shape
    rows = np.flatnonzero(image.max(axis=(1, 2)) > 0)
    assert abs(np.ptp(rows) + 1 - 20 / 28 * min(shape[:2])) <= 1.5
    assert not account.warnings
    again, account = prepare_digit(image, shape)
    assert again.tobytes() == image.tobytes()
    assert not account.changed


def test_specks_are_left_out_and_thin_strokes_thickened() -> None:
    page = np.full((300, 300), 255, np.uint8)
    page[60:240, 150:152] = 0
    page[20:23, 20:23] = 0
    image, account = prepare_digit(page, SHAPE)
    assert "left out 1 speck" in account.done
    assert any(step.startswith("thickened its strokes from 0.") for step in account.done)
    columns = np.flatnonzero(image[10:18, :, 0].min(axis=0) > 100)
    assert 13 in columns or 14 in columns
    assert image[14, :, 0].sum() > 300


def photographed(page: Image.Image, kind: str) -> bytes:
    """Return a page as the file of a camera that was held upright."""
    exif = Image.Exif()
    exif[0x0112] = 6
    small = [page.resize((160, 120))] if kind == "MPO" else []
    options: dict[str, object] = {"save_all": True, "append_images": small} if small else {}
    return file_of(page.transpose(Image.Transpose.ROTATE_90), kind, exif=exif, **options)


@pytest.mark.parametrize("kind", ["JPEG", "MPO", "PNG", "WEBP", "TIFF"])
def test_a_large_photograph_is_reduced_early(digits: np.ndarray, kind: str) -> None:
    page = np.pad(picture(255 - large(digits[0], 2000)), ((500, 500), (0, 0)), constant_values=255)
    expected, account = prepare_digit(page, SHAPE)
    assert account.done[0] == "reduced 2000x3000 to 667x1000"
    file = photographed(Image.fromarray(page).convert("RGB"), kind)
    tracemalloc.start()
    image, account = prepare_digit(file, SHAPE)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert account.done[:2] == ("turned upright as the camera noted", "reduced 2000x3000 to 667x1000")
    assert not account.warnings
    assert np.abs(image.astype(float) - expected).mean() < 4
    assert peak < 5 * page.size + len(file)  # floats of every pixel and channel would be 12, and their copies more


def test_a_large_jpeg_is_decoded_small_unless_it_is_the_callers(digits: np.ndarray) -> None:
    file = file_of(Image.fromarray(picture(255 - large(digits[0], 4000))), "JPEG", quality=95)
    image = Image.open(io.BytesIO(file))
    found, account = prepare_digit(image, SHAPE)
    assert image.size == (4000, 4000)
    small, account_of_file = prepare_digit(file, SHAPE)
    assert account.done[0] == account_of_file.done[0] == "reduced 4000x4000 to 1000x1000"
    assert np.abs(found.astype(float) - small).mean() < 1


def warned(page: np.ndarray) -> str:
    return "; ".join(prepare_digit(picture(page), SHAPE)[1].warnings)


def test_doubts_are_reported(digits: np.ndarray) -> None:
    assert warned(np.full((50, 50), 200.0)) == "no ink stands out from its paper"
    assert warned(np.zeros((50, 50, 4))) == "no ink stands out from its paper"
    assert not prepare_digit(np.full((50, 50), 200, np.uint8), SHAPE)[0].any()
    assert "little contrast (2" in warned(200 - 0.1 * large(digits[0]))
    assert "touches the edge" in warned(dark(digits[0])[150:, 100:])
    two = np.hstack([dark(digits[0]), dark(digits[1])])
    assert "there are 2 separate blobs of ink" in warned(two)
    block = np.full((100, 100), 255.0)
    block[20:80, 20:80] = 0
    assert "fills too much" in warned(block)


def photograph(seed: int) -> np.ndarray:
    """Smooth noise, a gradient and rectangles."""
    draw = np.random.default_rng(seed)
    page = np.full((180, 240), 128.0)
    for grain in (3, 12, 45):
        coarse = draw.normal(0, 25, (180 // grain + 2, 240 // grain + 2)).astype(np.float32)
        page += np.asarray(Image.fromarray(coarse).resize((240, 180), Image.Resampling.BICUBIC))
    page += np.linspace(-40, 40, 240)
    for _ in range(4):
        row, column = draw.integers(0, 140), draw.integers(0, 200)
        page[row : row + draw.integers(20, 90), column : column + draw.integers(20, 90)] += draw.uniform(-90, 90)
    return page


def test_a_photograph_is_doubted() -> None:
    assert all(warned(photograph(seed)) for seed in range(20))


def test_nothing_breaks_on_odd_pictures() -> None:
    draw = np.random.default_rng(0)
    for height, width in [(1, 1), (1, 9), (2, 2), (3, 300), (28, 28), (64, 1), (65, 65)]:
        for page in (draw.integers(0, 256, (height, width, 4), np.uint8), np.eye(height, width, dtype=bool)):
            image, account = prepare_digit(page, SHAPE)
            assert image.shape == SHAPE
            assert image.any() or account.warnings


WRONG = {
    "floats": np.zeros((9, 9)),
    "two channels": np.zeros((9, 9, 2), np.uint8),
    "a batch": np.zeros((2, 9, 9, 1), np.uint8),
    "nothing": np.zeros((0, 9), np.uint8),
    "too large": np.broadcast_to(np.uint8(0), (9000, 9000)),
    "text": b"no image",
    "empty": b"",
    "no file": "no/such.png",
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_no_picture(case: str) -> None:
    with pytest.raises(DataError) as caught:
        prepare_digit(WRONG[case], SHAPE)  # type: ignore[arg-type]
    assert "\n" not in str(caught.value)


def test_models_that_read_no_digits() -> None:
    with pytest.raises(ConfigurationError, match="digits are prepared for"):
        prepare_digit(b"", (28, 28, 2))
    with pytest.raises(ConfigurationError, match="digits are prepared for"):
        prepare_digit(b"", (4, 4, 1))


def test_the_parts_of_it() -> None:
    steps = np.arange(35, dtype=np.float32).reshape(5, 7)
    np.testing.assert_allclose(reduced(steps, 2)[:2, :3], steps[:4, :6].reshape(2, 2, 3, 2).mean(axis=(1, 3)))
    assert reduced(steps, 2)[2, 3] == steps[4, 6]
    point = np.zeros((3, 3), np.float32)
    point[1, 1] = 5
    assert grown(point, 2).shape == (7, 7)
    assert (grown(point, 2)[1:6, 1:6] == 5).all()
    assert grown(point, 2).sum() == 125
    labels, count = blobs(np.array([[1, 0, 0], [0, 1, 0], [0, 0, 0], [1, 0, 0]], bool))
    assert count == 2
    assert labels[0, 0] == labels[1, 1] != labels[3, 0]
    ink = find_ink(picture(dark(np.eye(28, dtype=np.uint8) * 255)).astype(np.float32))
    assert ink.dark
    assert ink.unrest == ink.gradient == 0
