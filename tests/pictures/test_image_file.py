from __future__ import annotations

import io
import os
import struct
import threading
import warnings
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from convlens.errors import ConfigurationError, DataError, ShapeError
from convlens.pictures import image_file as image_module
from convlens.pictures import read_image
from convlens.preprocessing import Intake

SHAPE = (6, 5, 1)
GREY = np.arange(30, dtype=np.uint8).reshape(6, 5) * 8


def encoded(picture: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    stream = io.BytesIO()
    picture.save(stream, kind, **options)
    return stream.getvalue()


def claimed(width: int, height: int) -> bytes:
    """Make a PNG whose header claims a size and whose pixels are missing."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


@pytest.mark.parametrize("kind", ["PNG", "BMP", "GIF", "PPM"])
def test_grey_from_bytes_and_from_a_file(tmp_path: Path, kind: str) -> None:
    content = encoded(Image.fromarray(GREY), kind)
    path = tmp_path / "image"
    path.write_bytes(content)
    for source in (content, path, str(path)):
        pixels = read_image(source, SHAPE)
        assert (pixels.dtype, pixels.shape) == (np.uint8, SHAPE)
        np.testing.assert_array_equal(pixels[..., 0], GREY)


def test_grey_and_colour_are_converted() -> None:
    colour = np.zeros((6, 5, 3), dtype=np.uint8)
    colour[..., 0] = 100
    assert read_image(encoded(Image.fromarray(colour)), (6, 5, 3))[0, 0].tolist() == [100, 0, 0]
    assert read_image(encoded(Image.fromarray(colour)), SHAPE)[0, 0, 0] == 30  # red weighs 0.299
    assert read_image(encoded(Image.fromarray(GREY)), (6, 5, 3))[5, 4].tolist() == [232, 232, 232]
    assert read_image(encoded(Image.fromarray(colour).convert("P")), SHAPE).shape == SHAPE
    assert read_image(encoded(Image.fromarray(colour).convert("CMYK"), "JPEG"), SHAPE).shape == SHAPE
    assert set(np.unique(read_image(encoded(Image.fromarray(GREY).convert("1")), SHAPE))) <= {0, 255}


def test_transparency_lies_on_white() -> None:
    see_through = Image.new("RGBA", (5, 6), (0, 0, 0, 0))
    assert np.unique(read_image(encoded(see_through), SHAPE)).tolist() == [255]
    assert np.unique(read_image(encoded(Image.new("LA", (5, 6), (0, 0))), (6, 5, 3))).tolist() == [255]


@pytest.mark.parametrize("white", [65535, 16383, 4095, 255])
def test_white_of_sixteen_bits_is_the_intake_s(white: int) -> None:
    deep = np.rint(GREY.astype(np.float64) * white / 255).astype(np.uint16)
    for kind in ("PNG", "TIFF"):
        found = read_image(encoded(Image.fromarray(deep), kind), SHAPE, intake=Intake(white=white))
        np.testing.assert_array_equal(found[..., 0], GREY)


def test_floats_from_0_to_1() -> None:
    scaled = Image.fromarray(GREY.astype(np.float32) / 255)
    for intake in (None, Intake(white=1)):
        np.testing.assert_array_equal(read_image(encoded(scaled, "TIFF"), SHAPE, intake=intake)[..., 0], GREY)


@pytest.mark.parametrize(
    ("values", "white", "said"),
    [
        (GREY.astype(np.uint16), 65535, "values up to 232 only, all but black where 65,535 is white"),
        (GREY.astype(np.uint16) * 17, 65535, "values up to 3,944 only"),
        (GREY.astype(np.uint16) * 200, 4095, "values up to 46,400, and 4,095 is white in the training images"),
        (GREY.astype(np.float32) * np.nan, 1, "non-finite"),
        (GREY.astype(np.float32) / 255 - 0.5, 1, "negative values, down to -0.5"),
    ],
)
def test_deep_values_that_do_not_fit(values: np.ndarray, white: int, said: str) -> None:
    with pytest.raises(DataError, match=said):
        read_image(encoded(Image.fromarray(values), "TIFF"), SHAPE, intake=Intake(white=white))


def sixteen_bit_colour(values: np.ndarray) -> bytes:
    """Make a PNG of 16 bits a channel from (H, W, 3); Pillow writes none."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", values.shape[1], values.shape[0], 16, 2, 0, 0, 0)
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def test_sixteen_bit_colour_is_read_unless_it_would_be_all_but_black() -> None:
    colour = np.repeat(GREY.astype(np.uint16)[..., np.newaxis], 3, axis=2)
    assert read_image(sixteen_bit_colour(colour * 257), (6, 5, 3))[5, 4].tolist() == [232, 232, 232]
    with pytest.raises(DataError, match="16-bit colour of twelve bits or fewer"):
        read_image(sixteen_bit_colour(colour * 16), (6, 5, 3))


def test_a_dark_picture_of_eight_bits_is_read() -> None:
    for kind in ("BMP", "PNG", "TIFF"):  # 16 bytes a row, which a header may say
        assert read_image(encoded(Image.new("RGB", (16, 6), (5, 6, 7)), kind), (6, 16, 3))[0, 0].tolist() == [5, 6, 7]
        assert read_image(encoded(Image.new("L", (16, 6), 3), kind), (6, 16, 1))[0, 0, 0] == 3


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF", "WEBP"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_turned_upright(kind: str, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    upright = np.zeros((16, 24, 3), np.uint8)
    upright[:8, :12] = 255  # the upper left quarter
    turns = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}  # the transpositions that undo each orientation
    stored = Image.fromarray(upright)
    if orientation > 1:
        stored = stored.transpose(Image.Transpose(turns[orientation]))
    found = read_image(encoded(stored, kind, exif=exif), (16, 24, 3))
    assert np.abs(found.astype(int) - upright).mean() < 5


def test_a_photograph_is_scaled_to_cover_and_its_middle_cut_out() -> None:
    wide = np.zeros((40, 100), np.uint8)
    wide[:, 26:74] = 200  # beyond the 40 that are cut out, since scaling looks at neighbours
    for kind in ("PNG", "JPEG"):
        found = read_image(encoded(Image.fromarray(wide), kind), (10, 10, 1), intake=Intake(resize=True))
        assert np.abs(found.astype(int) - 200).max() <= 8
    tall = read_image(encoded(Image.fromarray(wide.T)), (5, 10, 3), intake=Intake(resize=True))
    assert tall.shape == (5, 10, 3)
    assert read_image(encoded(Image.fromarray(GREY)), SHAPE, intake=Intake(resize=True)).tobytes() == GREY.tobytes()


def test_a_large_jpeg_is_decoded_small() -> None:
    ramp = np.broadcast_to(np.linspace(0, 255, 1600, dtype=np.uint8), (1200, 1600))
    whole = np.asarray(ImageOps.fit(Image.fromarray(ramp), (8, 8), Image.Resampling.BILINEAR)).astype(int)
    image = Image.open(io.BytesIO(encoded(Image.fromarray(ramp), "JPEG", quality=95)))
    from_file = read_image(encoded(Image.fromarray(ramp), "JPEG", quality=95), (8, 8, 1), intake=Intake(resize=True))
    assert np.abs(from_file[..., 0].astype(int) - whole).max() <= 2
    from_pillow = read_image(image, (8, 8, 1), intake=Intake(resize=True))
    assert image.size == (1600, 1200)  # left as it was given
    assert np.abs(from_pillow[..., 0].astype(int) - whole).max() <= 2


def test_a_jpeg_that_is_resized_a_little_keeps_its_details() -> None:
    rings = np.hypot(*np.mgrid[-300:300, -400:400])
    picture = Image.fromarray(np.rint(127 + 120 * np.cos(rings / 6)).astype(np.uint8))
    resized = [
        read_image(encoded(picture, kind, **options), (150, 200, 1), intake=Intake(resize=True)).astype(int)
        for kind, options in (("PNG", {}), ("JPEG", {"quality": 95}))
    ]
    assert np.abs(resized[0] - resized[1]).mean() < 5


def test_48_megapixels_are_read() -> None:
    photograph = encoded(Image.new("L", (8000, 6000), 77), "JPEG")
    assert np.unique(read_image(photograph, (32, 32, 3), intake=Intake(resize=True))).tolist() == [77]


@pytest.mark.parametrize("size", [(6, 5), (28, 28), (1, 1)])
def test_another_size_is_refused(size: tuple[int, int]) -> None:
    said = rf"is {size[0]} x {size[1]} pixels \(width x height\), expected 5 x 6 .*resize it first"
    with pytest.raises(ShapeError, match=said):
        read_image(encoded(Image.new("L", size)), SHAPE)


def test_other_channels_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="gives 1 or 3 channels, the model takes 2"):
        read_image(encoded(Image.fromarray(GREY)), (6, 5, 2))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (b"hello", "is not an image but text; expected PNG, JPEG"),
        (b"\xfe\x01\x02", "is not an image; expected PNG, JPEG"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n", "is not an image but a PostScript document"),
        (b"\0\0\0\x1cftypavif\0\0\0\0", "is an AVIF image, a format that is not read; .* convert it"),
        (b"\0\0\0\x18ftypheic\0\0\0\0", "is a HEIC image"),
        (b"<?xml version='1.0'?>\n<svg xmlns='x'/>", "is an SVG drawing"),
        (b"%PDF-1.7\n", "is not an image but a PDF document"),
        (b"<!DOCTYPE html><html>404</html>", "a web page, perhaps one that reports a failed download"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "a pointer of Git LFS"),
        (encoded(Image.fromarray(GREY))[:-25], "is damaged"),
        (encoded(Image.new("L", (5, 6)), "JPEG")[:-30], "is damaged"),
        (claimed(5, 6), "is damaged"),
        (claimed(9_000, 9_000), "claims 9,000 x 9,000 pixels .*, more than the 67,108,864 pixels allowed"),
        (claimed(12_000, 10_000), "refused as a decompression bomb"),  # Pillow only warns of this one
        (claimed(60_000, 60_000), "refused as a decompression bomb"),
    ],
    ids=[
        "empty",
        "text",
        "unknown",
        "postscript",
        "avif",
        "heic",
        "svg",
        "pdf",
        "html",
        "lfs",
        "cut PNG",
        "cut JPEG",
        "no pixels",
        "large",
        "bomb warned of",
        "bomb",
    ],
)
def test_bad_bytes(content: bytes, said: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("default")  # as outside of tests, where a warning is no error
        with pytest.raises(DataError, match=rf"the image \({len(content):,} bytes\): .*{said}") as caught:
            read_image(content, SHAPE)
    assert "\n" not in str(caught.value)


def test_every_cut_and_every_flipped_byte_is_read_or_refused() -> None:
    whole = encoded(Image.fromarray(GREY))
    for position in range(len(whole)):
        flipped = whole[:position] + bytes([whole[position] ^ 0x55]) + whole[position + 1 :]
        for content in (whole[:position], flipped):
            try:
                assert read_image(content, SHAPE).shape == SHAPE
            except (DataError, ShapeError):
                continue


def test_bad_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DataError, match=r"no\.png: cannot be read \(No such file"):
        read_image(tmp_path / "no.png", SHAPE)
    with pytest.raises(DataError, match="cannot be read"):
        read_image(tmp_path, SHAPE)
    os.mkfifo(tmp_path / "pipe.png")  # opening it would wait for ever
    with pytest.raises(DataError, match=r"pipe\.png: cannot be read \(it is a pipe"):
        read_image(tmp_path / "pipe.png", SHAPE)
    (tmp_path / "photo.NEF").write_bytes(encoded(Image.fromarray(GREY), "TIFF"))
    with pytest.raises(DataError, match=r"photo\.NEF: is a camera's raw file \(NEF\)"):
        read_image(tmp_path / "photo.NEF", SHAPE)
    path = tmp_path / "large.png"
    path.write_bytes(encoded(Image.fromarray(GREY)))
    monkeypatch.setattr(image_module, "LARGEST_FILE", 10)
    with pytest.raises(DataError, match=r"large\.png: is larger than 10 bytes"):
        read_image(path, SHAPE)


def test_threads_leave_the_warning_filters_alone() -> None:
    before = list(warnings.filters)
    content = encoded(Image.fromarray(GREY))
    threads = [threading.Thread(target=lambda: [read_image(content, SHAPE) for _ in range(30)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert warnings.filters == before
